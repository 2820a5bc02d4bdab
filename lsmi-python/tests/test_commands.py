"""What runs as the command: exact decompositions, simulated samples, comparisons, embeddings, experiments."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import lsmi
from lsmi._call import as_keywords, words

from . import encoders
from .conftest import Arrays


def test_the_exclusive_or_is_synergy_whatever_it_is_given_as(tmp_path: Path) -> None:
    outcomes = [(a, b, a ^ b) for a in (0, 1) for b in (0, 1)]
    pmf = np.zeros((2, 2, 2))
    for outcome in outcomes:
        pmf[outcome] = 0.25
    samples = {name: [outcome[place] for outcome in outcomes * 5] for place, name in enumerate(("x1", "x2", "y"))}
    file = tmp_path / "xor.json"
    file.write_text(json.dumps({"pmf": {"".join(map(str, outcome)): 0.25 for outcome in outcomes}}))
    given = [pmf, {outcome: 0.25 for outcome in outcomes}, (pmf * 20).astype(int), samples, file]
    for distribution in given:
        found = lsmi.discrete(distribution, measures=["pm", "broja"])
        assert abs(found["measures"]["broja"]["s"] - math.log(2)) < 1e-8
        assert abs(found["information"]["i12"] - math.log(2)) < 1e-9
    assert abs(lsmi.discrete(pmf, bits=True)["information"]["i12"] - 1) < 1e-9
    with pytest.raises(lsmi.DataError):
        lsmi.discrete(pmf * 2)
    with pytest.raises(lsmi.UsageError, match="axis"):
        lsmi.discrete(np.eye(2))


def test_simulated_samples_obey_the_identity() -> None:
    samples = lsmi.simulate("mixed", 100, seed=4)
    total = sum(samples[part] for part in ("r", "u1", "u2", "s"))
    np.testing.assert_allclose(total, samples["i12"], atol=1e-9)
    assert samples["x1"].shape[0] == 100 and samples["y"].dtype == np.int64
    with pytest.raises(lsmi.UsageError, match="no-such-family"):
        lsmi.simulate("no-such-family", 10)


def test_an_analysis_does_not_differ_from_itself(analysis: lsmi.Analysis, tmp_path: Path) -> None:
    analysis.write(tmp_path / "result")
    found = lsmi.diff(analysis, tmp_path / "result")
    assert "0.0" in json.dumps(found) and found


def test_comparisons(data: Arrays) -> None:
    found = lsmi.compare(data["x1"], data["x2"], data["y"], methods=["pid-cvx"], clusters=4)
    assert "pid-cvx" in json.dumps(found)


def test_partitions(analysis: lsmi.Analysis) -> None:
    parts = lsmi.partition(analysis, by="s_ccs", fraction=0.2)
    assert len(parts.high) == len(parts.low) == 30 and len(parts.middle) == 90
    values = dict(zip(analysis.samples["id"], analysis.samples["s_ccs"]))
    assert min(values[name] for name in parts.high) >= max(values[name] for name in parts.middle)
    with pytest.raises(lsmi.UsageError, match="either"):
        lsmi.partition(analysis, by="s")
    with pytest.raises(lsmi.UsageError, match="no interaction"):
        lsmi.partition(analysis, by="s_min", fraction=0.1)


def test_suspicious_labels(data: Arrays, tmp_path: Path) -> None:
    found = lsmi.guide.clean(data["x1"], data["x2"], data["y"], out=tmp_path / "clean", seeds=0, top=3)
    assert (tmp_path / "clean" / "clean.json").is_file() and found


def test_parts_are_aligned(data: Arrays, tmp_path: Path) -> None:
    quick = {"seeds": 1, "folds": 2, "epochs": 1, "width": 4}
    found = lsmi.guide.align(data["x1"], data["x2"], data["y"], out=tmp_path / "align", by=["r", "s"], **quick)
    assert found["by"] == ["r", "s"] and (tmp_path / "align" / "align.csv").is_file()


def test_encoders_that_are_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(lsmi.LsmiError):
        lsmi.embed({"text": ["a"], "label": ["b"]}, text=str(tmp_path / "nowhere"), directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_options_are_arguments() -> None:
    assert words({"rows_of_a_group": 5, "fusion": True, "top": None, "policies": ["a", "b"]}) == [
        "--rows-of-a-group", "5", "--fusion", "--policies", "a,b",
    ]  # fmt: skip
    assert as_keywords("leave such rows out with --missing drop; see --on-error") == (
        'leave such rows out with missing="drop"; see on_error='
    )


def test_shards_are_joined_to_the_whole(tmp_path: Path) -> None:
    models, rows = encoders.models(tmp_path), encoders.table(tmp_path, 130)
    options = {**models, "directory": tmp_path, "columns": {"label": "y"}}
    whole = lsmi.embed(rows, **options, out=tmp_path / "whole.safetensors")
    assert whole["x1"].shape == (130, 32) and whole["classes"] == ["0", "1"]
    parts = [tmp_path / f"part-{number}.safetensors" for number in (1, 2)]
    for number, part in enumerate(parts, start=1):
        lsmi.embed(rows, **options, out=part, shard=f"{number}/2")
    with pytest.raises(lsmi.DataError, match="part"):
        lsmi.join(parts[:1], tmp_path / "joined.safetensors")
    assert lsmi.join(parts[::-1], tmp_path / "joined.safetensors")["n"] == 130
    assert (tmp_path / "joined.safetensors").read_bytes() == whole.path.read_bytes()
    with pytest.raises(lsmi.UsageError, match="force"):
        lsmi.join(parts, tmp_path / "joined.safetensors")
