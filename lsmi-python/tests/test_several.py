"""More than two modalities: the bytes of the command, the lattice of a parity, names of sets, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lsmi

from .conftest import QUICK, Arrays, analyzed, assert_same_files

#: Seven heads are seven times the time.
FEW = {**QUICK, "folds": 2}
FILES = ["samples.csv", "summary.json", "estimator.safetensors"]


def parity(rows: int, seed: int) -> Arrays:
    """Three bits with a little noise, whose parity is the label."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (rows, 3))
    x = bits + generator.normal(0, 0.1, bits.shape)
    return {"image": x[:, :1], "text": x[:, 1:2], "audio": x[:, 2:], "y": bits.sum(axis=1) % 2}


def modalities(of: Arrays) -> dict[str, Any]:
    return {name: of[name] for name in ("image", "text", "audio")}


@pytest.fixture(scope="module")
def three() -> Arrays:
    return parity(200, 0)


@pytest.fixture(scope="module")
def analysis(three: Arrays) -> lsmi.SeveralAnalysis:
    return lsmi.analyze(
        modalities=modalities(three),
        y=three["y"],
        splits={"test": (modalities(parity(60, 1)), parity(60, 1)["y"])},
        **FEW,
    )


def test_an_analysis_writes_the_bytes_of_the_command(
    three: Arrays, analysis: lsmi.SeveralAnalysis, tmp_path: Path
) -> None:
    test = parity(60, 1)
    splits = {f"{name}_train": values for name, values in three.items()}
    splits |= {f"{name}_test": values for name, values in test.items()}
    np.savez(tmp_path / "three.npz", **splits)
    by_command = analyzed(tmp_path / "three.npz", tmp_path / "command", "--modalities", "image,text,audio", "--folds", 2)
    analysis.write(tmp_path / "arrays")
    assert_same_files(by_command, tmp_path / "arrays", FILES)
    of_file = lsmi.analyze(tmp_path / "three.npz", modalities=["image", "text", "audio"], **FEW)
    of_file.write(tmp_path / "file")
    assert_same_files(by_command, tmp_path / "file", FILES)
    analysis.samples.write(tmp_path / "samples.parquet")
    assert (tmp_path / "samples.parquet").read_bytes()[:4] == b"PAR1"


def test_a_parity_takes_all_three(analysis: lsmi.SeveralAnalysis) -> None:
    # The label's ln 2 nats are told by all three together; 200 rows leave the heads a few hundredths short.
    whole = analysis.information["image", "text", "audio"]
    assert whole > 0.9 * math.log(2)
    assert analysis.lattice["{123}"] > 0.8 * whole and len(analysis.lattice) == 18
    assert abs(sum(analysis.lattice.values()) - whole) < 1e-9
    assert all(abs(analysis.information[pair]) < 0.1 for pair in analysis.pairs)
    # A third each, by symmetry, and all of it.
    assert abs(sum(analysis.shapley.values()) - whole) < 1e-9
    assert all(abs(value - whole / 3) < 0.05 for value in analysis.shapley.values())
    assert analysis.redundancy is not None and abs(analysis.redundancy) < 0.1
    assert "told only by image and text and audio together" in (analysis.reading() or "")


def test_sets_have_the_names_of_their_modalities(analysis: lsmi.SeveralAnalysis) -> None:
    assert analysis.modalities == ["image", "text", "audio"]
    pairs = [("image", "text"), ("image", "audio"), ("text", "audio")]
    assert list(analysis.pairs) == pairs == list(analysis.interaction)
    assert list(analysis.shapley) == ["image", "text", "audio"]
    of_pair = analysis.pairs["image", "audio"]
    assert of_pair == analysis.summary["splits"]["train"]["pairs"]["13"]
    rows = analysis.samples.split("train")
    assert abs(of_pair["raw"]["s"] - rows["s_13"].mean()) < 1e-9
    assert abs(analysis.information["text", "audio"] - rows["i23"].mean()) < 1e-9
    test = analysis.splits["test"]
    assert test.n == 60 and abs(test.information["image",] - analysis.samples.split("test")["i1"].mean()) < 1e-9
    with pytest.raises(KeyError, match=r"no set \('audio', 'image'\)"):
        analysis.pairs["audio", "image"]
    assert "image+text+audio" in repr(analysis) and "test, 60 samples" in repr(analysis)


def test_a_pair_is_the_analysis_of_two_modalities(three: Arrays, analysis: lsmi.SeveralAnalysis) -> None:
    # One column each: the gauge is the same, and so is every bit.
    two = lsmi.analyze(three["image"], three["audio"], three["y"], groups="none", **FEW)
    several = lsmi.analyze(modalities=modalities(three), y=three["y"], groups="none", **FEW)
    np.testing.assert_array_equal(two.samples["s"], several.samples["s_13"])
    np.testing.assert_array_equal(two.samples["i12"], several.samples["i13"])


def test_four_modalities_have_shapley_values_where_they_are_wanted(three: Arrays) -> None:
    x = [three["image"], three["text"], three["audio"], three["image"] + three["text"]]
    without = lsmi.analyze(modalities=x, y=three["y"], **FEW)
    assert without.modalities == ["x1", "x2", "x3", "x4"] and without.shapley == {} == without.lattice
    assert len(without.pairs) == 6 and without.reading() is None
    wanted = lsmi.analyze(modalities=x, y=three["y"], shapley=True, **FEW)
    assert abs(sum(wanted.shapley.values()) - wanted.information["x1", "x2", "x3", "x4"]) < 1e-9


def test_the_result_does_not_depend_on_the_threads(three: Arrays, analysis: lsmi.SeveralAnalysis) -> None:
    again = lsmi.analyze(
        modalities=modalities(three),
        y=[str(label) for label in three["y"]],
        splits={"test": {"modalities": modalities(parity(60, 1)), "y": [str(label) for label in parity(60, 1)["y"]]}},
        **{**FEW, "threads": 2},
    )
    assert list(again.samples) == list(analysis.samples)
    for name in ("{12}{3}", "s_23", "shapley2"):
        np.testing.assert_array_equal(again.samples[name], analysis.samples[name])


def test_what_cannot_be_used_is_told_by_name(three: Arrays, tmp_path: Path) -> None:
    broken = modalities(three)
    broken["audio"] = broken["audio"].copy()
    broken["audio"][17, 0] = np.nan
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(modalities=broken, y=three["y"], **FEW)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("audio", 17, 0)
    with pytest.raises(lsmi.DataError, match="`image` has 200 rows, but `audio` has 199"):
        lsmi.analyze(modalities={**broken, "audio": three["audio"][1:]}, y=three["y"], **FEW)
    with pytest.raises(lsmi.DataError, match="no such file"):
        lsmi.analyze(tmp_path / "nowhere.npz", modalities=["a", "b", "c"], **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"null": 3}, "null= means nothing with modalities="),
        ({"names": ("a", "b")}, "called as they are named there"),
        ({"x1": np.eye(3)}, "give all modalities there"),
        ({"x1": {"a": np.eye(3)}, "modalities": None}, "with modalities="),
        ({"target": "continuous"}, "do not go together"),
        ({"lags": [0, 1]}, "do not go together"),
        ({"measure": "mmi"}, "of two modalities"),
        ({"y": None}, "y is missing"),
        ({"modalities": [np.eye(2)] * 2}, "has two"),
        ({"modalities": [np.eye(2)] * 9}, "from 3 to 8"),
        ({"modalities": np.zeros((3, 2, 2))}, "by name, or a list"),
        ({"modalities": {"a": 1, "b": 1, "y": 1}}, "name of something else"),
        ({"modalities": {"a": 1, "b": 1, "a_test": 1}}, "split `test` of `a`"),
        ({"modalities": {"a": 1, "b": 1, 3: 1}}, "give every modality a name"),
        ({"splits": {"test": ({"image": 1}, [0])}}, "split `test` needs the modalities image, text, audio"),
        ({"splits": {"test": {"x1": 1}}}, "needs modalities and y"),
        ({"lengths": (None, None), "pool": "mean"}, "one array"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(three: Arrays, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(lsmi.UsageError, match=message):
        lsmi.analyze(**{"modalities": modalities(three), "y": three["y"], **FEW, **arguments})


def test_sequences_are_pooled(three: Arrays) -> None:
    parts = modalities(three)
    sequences = {**parts, "audio": np.stack([parts["audio"], parts["audio"], np.full((200, 1), np.nan)], axis=1)}
    lengths = np.full(200, 2)
    pooled = lsmi.analyze(modalities=sequences, y=three["y"], pool="mean", lengths=lengths, **FEW)
    flat = lsmi.analyze(modalities=parts, y=three["y"], **FEW)
    np.testing.assert_array_equal(pooled.samples["{123}"], flat.samples["{123}"])
    with pytest.raises(lsmi.DataError, match='pool="mean"'):
        lsmi.analyze(modalities=sequences, y=three["y"], **FEW)
