"""Sequences, pooled or step by step: the bytes of the command, lengths, lags, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lsmi

from .conftest import QUICK, Arrays, analyzed, assert_same_files

#: Folds are few, fits are many.
FEW = {**QUICK, "folds": 2}
FILES = ["samples.csv", "summary.json", "estimator.safetensors"]


@pytest.fixture(scope="module")
def clips(data: Arrays) -> dict[str, Any]:
    """x1 has from 2 to 5 steps that count and NaN behind them, x2 is one vector each."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(2, 6, 150)
    x1 = data["x1"][:, None, :] + generator.normal(0, 0.3, (150, 5, 3))
    x1[np.arange(5) >= lengths[:, None]] = np.nan
    return {"x1": x1, "x2": data["x2"], "y": data["y"], "lengths": lengths}


@pytest.fixture(scope="module")
def series() -> Arrays:
    """40 sequences of 8 steps, in which y is what x1 was a step before."""
    x1, x2 = np.random.default_rng(0).normal(size=(2, 40, 8, 1))
    return {"x1": x1, "x2": x2, "y": (np.roll(x1[:, :, 0], 1, axis=1) > 0).astype(int)}


def test_pooled_sequences_write_the_bytes_of_the_command(clips: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "clips.npz", x1=clips["x1"], x2=clips["x2"], y=clips["y"], lengths1=clips["lengths"])
    by_command = analyzed(tmp_path / "clips.npz", tmp_path / "command", "--pool", "attention", "--no-report", "--folds", 2)
    options = {"lengths": (clips["lengths"], None), "pool": "attention", **FEW}
    a = lsmi.analyze(clips["x1"], clips["x2"], clips["y"], **options)
    a.write(tmp_path / "python")
    assert_same_files(by_command, tmp_path / "python", FILES)
    file = lsmi.analyze(tmp_path / "clips.npz", pool="attention", **FEW)
    np.testing.assert_array_equal(file.samples["s"], a.samples["s"])


@pytest.mark.parametrize("pool", ["mean", "last", "max"])
def test_a_rule_is_what_it_says(clips: dict[str, Any], pool: str) -> None:
    counted = [steps[:length] for steps, length in zip(clips["x1"], clips["lengths"])]
    rules = {"mean": lambda steps: steps.mean(axis=0), "last": lambda steps: steps[-1], "max": lambda steps: steps.max(axis=0)}
    vectors = np.stack([rules[pool](steps) for steps in counted])
    # One array of lengths is of all modalities that are sequences: here of x1.
    pooled = lsmi.analyze(clips["x1"], clips["x2"], clips["y"], lengths=clips["lengths"], pool=pool, **FEW)
    flat = lsmi.analyze(vectors, clips["x2"], clips["y"], **FEW)
    # Sums of two to five numbers in another order differ in the last bits.
    np.testing.assert_allclose(pooled.samples["i12"], flat.samples["i12"], atol=1e-6)


def test_new_sequences_are_pooled_as_those_of_the_fit(clips: dict[str, Any]) -> None:
    split = {"x1": clips["x1"][:9], "x2": clips["x2"][:9], "y": clips["y"][:9], "lengths": clips["lengths"][:9]}
    options = {"lengths": clips["lengths"], "pool": "mean", "splits": {"new": split}, **FEW}
    a = lsmi.analyze(clips["x1"], clips["x2"], clips["y"], **options)
    estimator, x2 = a.estimator, clips["x2"][:9]
    scored = estimator.score(clips["x1"][:9], x2, clips["y"][:9], pool="mean", lengths=clips["lengths"][:9])
    np.testing.assert_array_equal(scored.samples["s"], a.samples.split("new")["s"])
    free = estimator.score(clips["x1"][:9], x2, label_free=True, pool="mean", lengths=clips["lengths"][:9])
    assert free.samples.num_rows == 9
    with pytest.raises(lsmi.DataError, match="pooled by `max`.*fitted on sequences pooled by `mean`"):
        estimator.score(clips["x1"][:9], x2, clips["y"][:9], pool="max", lengths=clips["lengths"][:9])
    vectors = estimator.score(clips["x1"][:9, 0], x2, clips["y"][:9])
    assert any("holds no sequences" in note for note in vectors.summary["notes"])


def test_all_kinds_of_targets_are_of_pooled_sequences(clips: dict[str, Any]) -> None:
    pooled = {"lengths": clips["lengths"], "pool": "mean", **FEW}
    numbers = lsmi.analyze(clips["x1"], clips["x2"], clips["x2"][:, 0], target="continuous", **pooled)
    assert numbers.only.splits["train"]["information"]["i2"] > 0.5
    labels = lsmi.analyze(clips["x1"], clips["x2"], clips["y"][:, None], target="labels", **pooled)
    one = lsmi.analyze(clips["x1"], clips["x2"], clips["y"], **pooled)
    np.testing.assert_allclose(labels["y_0"].samples["h1"].mean(), one.samples["h1"].mean(), atol=0.5)
    with pytest.raises(lsmi.DataError, match="`lengths` has 149 rows"):
        lsmi.check(clips["x1"], clips["x2"], clips["y"], lengths=clips["lengths"][1:], pool="mean", progress=False)


def test_sequences_that_cannot_be_used_are_told_by_their_place(clips: dict[str, Any]) -> None:
    x1, x2, y, lengths = (clips[name] for name in ("x1", "x2", "y", "lengths"))
    with pytest.raises(lsmi.DataError, match='pool="mean"') as caught:
        lsmi.analyze(x1, x2, y, **FEW)
    assert caught.value.array == "x1"
    with pytest.raises(lsmi.DataError, match="step 2, column 0(.|\n)*lengths=") as caught:
        lsmi.analyze(x1[lengths == 2], x2[lengths == 2], y[lengths == 2], pool="mean", **FEW)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("x1", 0, 0)
    wrong = lengths.copy()
    wrong[3] = 6
    with pytest.raises(lsmi.DataError, match="`lengths` is 6 at row 3") as caught:
        lsmi.analyze(x1, x2, y, pool="mean", lengths=wrong, **FEW)
    assert (caught.value.array, caught.value.row) == ("lengths", 3)
    with pytest.raises(lsmi.DataError, match="`lengths` has 149 rows"):
        lsmi.analyze(x1, x2, y, pool="mean", lengths=lengths[1:], **FEW)
    with pytest.raises(lsmi.DataError, match="integers"):
        lsmi.analyze(x1, x2, y, pool="mean", lengths=lengths + 0.5, **FEW)
    with pytest.raises(lsmi.UsageError, match="tuple of 3"):
        lsmi.analyze(x1, x2, y, pool="mean", lengths=(1, 2, 3), **FEW)
    with pytest.raises(lsmi.UsageError, match="with pool=, or lags="):
        lsmi.analyze(x1, x2, y, lengths=lengths, **FEW)
    with pytest.raises(lsmi.UsageError, match="median"):
        lsmi.analyze(x1, x2, y, pool="median", **FEW)
    nothing = lsmi.analyze(x2, x2[:, :2], y, pool="mean", **FEW)
    assert any("nothing was pooled" in warning for warning in nothing.summary["warnings"])


def test_lags_write_the_bytes_of_the_command(series: Arrays, tmp_path: Path) -> None:
    np.savez(tmp_path / "series.npz", **series)
    by_command = analyzed(tmp_path / "series.npz", tmp_path / "command", "--lags", "0..2", "--no-report", "--folds", 2)
    a = lsmi.analyze(series["x1"], series["x2"], series["y"], lags="0..2", **FEW)
    a.write(tmp_path / "python")
    names = [f"lag-{lag}/{name}" for lag in range(3) for name in FILES]
    assert_same_files(by_command, tmp_path / "python", ["summary.json", *names])
    assert (tmp_path / "python" / "lag-1" / "report.html").is_file()
    assert list(a) == [0, 1, 2] and len(a) == 3


def test_the_lag_that_tells_is_found(series: Arrays) -> None:
    a = lsmi.analyze(series["x1"], series["x2"], series["y"], lags=range(2), **{**FEW, "threads": 2})
    told = dict(zip(a.table()["lag"], a.table()["i1"]))
    # y is the sign of x1 one step before: ln 2 nats but for what 280 rows do not tell; at the step itself nothing.
    assert told[0] < 0.1 and told[1] > 0.5
    samples = a[1].samples
    assert samples["id"][0] == "0@1" and samples.num_rows == 280
    np.testing.assert_array_equal(a[0].samples["label"], samples["label"])
    assert a[1] is a[1] and "lag 1, train" in repr(a)
    with pytest.raises(KeyError, match="no lag 2, only 0, 1"):
        a[2]
    texts = np.array(["down", "up"])[series["y"]]
    named = lsmi.analyze(series["x1"], series["x2"], texts, lags=[1, 0], **FEW)
    np.testing.assert_array_equal(named[1].samples["s"], samples["s"])
    assert set(named[1].samples["label"]) == {"down", "up"}
    objects = texts.astype(object)
    objects[0, 5] = None
    dropped = lsmi.analyze(series["x1"], series["x2"], objects, lags=[0, 1], missing="drop", **FEW)
    assert dropped[0].samples.num_rows == 279


def test_sequences_of_lags_have_lengths_and_splits(series: Arrays) -> None:
    x1, x2, y = (series[name] for name in ("x1", "x2", "y"))
    lengths = np.full(40, 4)
    split = {"x1": x1[:5], "x2": x2[:5], "y": y[:5], "lengths": lengths[:5], "ids": ["a", "b", "c", "d", "e"]}
    a = lsmi.analyze(x1, x2, y[:, 0], lags=[1], lengths=lengths, splits={"new": split | {"y": y[:5, 0]}}, **FEW)
    assert len(a[1].samples.split("train")["id"]) == 40 * 3
    assert a[1].samples.split("new")["id"][:4] == ["a@1", "a@2", "a@3", "b@1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lags": 3}, "lags=3: give a list"),
        ({"lags": [0, 0]}, "the lag 0 is there twice"),
        ({"lags": [0.5]}, "float"),
        ({"lags": "a"}, "no number of steps"),
        ({"lags": []}, "no number of steps|0 lags"),
        ({"pool": "mean"}, "pool= means nothing with lags="),
        ({"rare": "pool"}, "rare= means nothing with lags="),
        ({"target": "labels"}, "do not go together"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(series: Arrays, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(lsmi.UsageError, match=message):
        lsmi.analyze(series["x1"], series["x2"], series["y"], **{"lags": [0], **FEW, **arguments})


def test_lags_that_cannot_be_used_are_told(series: Arrays) -> None:
    x1, x2, y = (series[name] for name in ("x1", "x2", "y"))
    with pytest.raises(lsmi.DataError, match="lags="):
        lsmi.analyze(x1, x2, y, lags=[8], **FEW)
    with pytest.raises(lsmi.DataError, match="`x2` has 7 steps, but `x1` has 8"):
        lsmi.analyze(x1, x2[:, 1:], y, lags=[0], **FEW)
    with pytest.raises(lsmi.DataError, match="sequences"):
        lsmi.analyze(x1[:, 0], x2[:, 0], y[:, 0], lags=[0], **FEW)
    gaps: npt.NDArray[np.float64] = y.astype(float)
    gaps[2, 3] = np.nan
    with pytest.raises(lsmi.DataError, match='row 2, step 3(.|\n)*missing="drop"') as caught:
        lsmi.analyze(x1, x2, gaps, lags=[0], **FEW)
    assert (caught.value.array, caught.value.row) == ("y", 2)
