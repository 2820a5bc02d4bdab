"""Targets that are numbers: the bytes of the command, a Gaussian in closed form, names of several, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lsmi

from .conftest import QUICK, analyzed, assert_same_files

#: Folds are few, fits are many.
FEW = {**QUICK, "folds": 2}
Numbers = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def gauss() -> tuple[Numbers, Numbers, Numbers]:
    """y = x1 + noise of the same variance; x2 tells nothing; a second target is x2 + noise."""
    generator = np.random.default_rng(0)
    x1, x2, noise1, noise2 = generator.normal(size=(4, 300))
    return x1[:, None], x2[:, None], np.column_stack([x1 + noise1, x2 + noise2])


@pytest.fixture(scope="module")
def analysis(gauss: tuple[Numbers, Numbers, Numbers]) -> lsmi.ContinuousAnalysis:
    x1, x2, y = gauss
    return lsmi.analyze(x1, x2, y[:, 0], target="continuous", **FEW)


def test_an_analysis_writes_the_bytes_of_the_command(
    gauss: tuple[Numbers, Numbers, Numbers], analysis: lsmi.ContinuousAnalysis, tmp_path: Path
) -> None:
    x1, x2, y = gauss
    np.savez(tmp_path / "one.npz", x1=x1, x2=x2, y=y[:, 0])
    one = analyzed(tmp_path / "one.npz", tmp_path / "one", "--target", "continuous", "--folds", 2)
    analysis.write(tmp_path / "python")
    assert_same_files(one, tmp_path / "python", ["samples.csv", "summary.json", "estimator.safetensors"])
    analysis.samples.write(tmp_path / "written.csv")
    assert (tmp_path / "written.csv").read_bytes() == (one / "samples.csv").read_bytes()

    small = slice(0, 80)
    np.savez(tmp_path / "two.npz", x1=x1[small], x2=x2[small], y=y[small])
    two = analyzed(tmp_path / "two.npz", tmp_path / "two", "--target", "continuous", "--folds", 2)
    each = lsmi.analyze(x1[small], x2[small], y[small], target="continuous", **FEW)
    each.write(tmp_path / "each")
    assert_same_files(two, tmp_path / "each", ["samples_0.csv", "samples_1.csv", "summary.json", "estimator.safetensors"])
    both = analyzed(tmp_path / "two.npz", tmp_path / "both", "--target", "continuous", "--folds", 2, "--jointly")
    jointly = lsmi.analyze(x1[small], x2[small], y[small], target="continuous", jointly=True, **FEW)
    jointly.write(tmp_path / "jointly")
    assert_same_files(both, tmp_path / "jointly", ["samples.csv", "summary.json", "estimator.safetensors"])
    assert list(jointly) == ["y"] and "target_1" in jointly.samples


def test_a_gaussian_in_closed_form(analysis: lsmi.ContinuousAnalysis) -> None:
    # I(x1; y) = ln(1 + 1) / 2. Over 300 rows its mean has a standard error of 0.04: three of them, and the models' loss.
    told = analysis.only.splits["train"]["information"]
    assert abs(told["i1"] - math.log(2) / 2) < 0.12 and abs(told["i2"]) < 0.03
    samples = analysis.samples
    total = sum(samples[part] for part in ("r", "u1", "u2", "s"))
    np.testing.assert_allclose(total, samples["i12"], atol=1e-9)
    assert abs(np.corrcoef(samples["pred1"], samples["target"])[0, 1]) > 0.6
    assert "R squared" in repr(analysis) and repr(analysis.only).startswith("<lsmi.Target>")


def test_several_targets_have_names(gauss: tuple[Numbers, Numbers, Numbers], analysis: lsmi.ContinuousAnalysis) -> None:
    x1, x2, y = gauss
    named = lsmi.analyze(x1, x2, {"height": y[:, 0], "weight": y[:, 1]}, target="continuous", **FEW)
    assert list(named) == ["height", "weight"] and len(named) == 2
    # Densities and folds are those of the first target alone.
    np.testing.assert_array_equal(named["height"].samples["u1"], analysis.samples["u1"])
    u1, u2 = (named["weight"].splits["train"]["adjusted"][part] for part in ("u1", "u2"))
    assert u2 > 0.15 > u1
    with pytest.raises(lsmi.UsageError, match="2 targets, each with a decomposition of its own"):
        named.samples
    with pytest.raises(KeyError, match="no target `age`, only height, weight"):
        named["age"]


def test_splits_and_threads(gauss: tuple[Numbers, Numbers, Numbers], analysis: lsmi.ContinuousAnalysis) -> None:
    x1, x2, y = gauss
    again = lsmi.analyze(
        x1, x2, y[:, 0].tolist(), target="continuous", splits={"new": (x1[:9], x2[:9], y[:9, 0])}, **{**FEW, "threads": 2}
    )
    np.testing.assert_array_equal(again.samples.split("train")["s"], analysis.samples["s"])
    assert len(again.samples.split("new")["id"]) == 9 and again.only.splits["new"]["n"] == 9


def test_numbers_are_not_taken_for_classes_nor_classes_for_numbers(gauss: tuple[Numbers, Numbers, Numbers]) -> None:
    x1, x2, y = gauss
    with pytest.raises(lsmi.DataError, match='target="continuous"'):
        lsmi.analyze(x1, x2, y[:, 0], **FEW)
    with pytest.raises(lsmi.DataError, match="8 different values|take it for classes"):
        lsmi.analyze(x1, x2, np.arange(300) % 8, target="continuous", **FEW)
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(x1, x2, ["cat", "dog"] * 150, target="continuous", **FEW)
    assert caught.value.array == "y"


def test_what_cannot_be_used_is_told_by_its_place(gauss: tuple[Numbers, Numbers, Numbers]) -> None:
    x1, x2, y = gauss
    broken = y.copy()
    broken[7, 1] = np.nan
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(x1, x2, broken, target="continuous", **FEW)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("y", 7, 1)
    with pytest.raises(lsmi.DataError, match="`y` has 299 rows"):
        lsmi.analyze(x1, x2, y[1:], target="continuous", **FEW)
    with pytest.raises(lsmi.UsageError, match="a value for every row"):
        lsmi.analyze(x1, x2, {"a": y[:, 0], "b": y[1:, 1]}, target="continuous", **FEW)
    with pytest.raises(lsmi.UsageError, match="columns"):
        lsmi.analyze(x1, x2, {"a": y[:, 0]}, target="continuous", splits={"t": (x1, x2, {"b": y[:, 0]})}, **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prior": "uniform"}, "p\\(y\\) is fitted"),
        ({"null": 3}, "null= means nothing with target=\"continuous\""),
        ({"measures": ["ccs"]}, "measure="),
        ({"missing": "drop"}, "remove such rows"),
        ({"classes": ["a"]}, "about classes"),
        ({"logits": [np.eye(2)]}, "those of classes"),
        ({"measure": "min"}, "min"),
        ({"target": "numbers"}, "target='numbers'"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    gauss: tuple[Numbers, Numbers, Numbers], arguments: dict[str, Any], message: str
) -> None:
    x1, x2, y = gauss
    with pytest.raises(lsmi.UsageError, match=message):
        lsmi.analyze(x1, x2, y[:, 0], **{"target": "continuous", **FEW, **arguments})


def test_arguments_of_targets_need_targets(gauss: tuple[Numbers, Numbers, Numbers]) -> None:
    x1, x2, y = gauss
    with pytest.raises(lsmi.UsageError, match='give it with target="continuous"'):
        lsmi.analyze(x1, x2, y[:, 0] > 0, jointly=True)
    with pytest.raises(lsmi.UsageError, match="modalities="):
        lsmi.analyze(x1, x2, y[:, 0] > 0, shapley=True)
