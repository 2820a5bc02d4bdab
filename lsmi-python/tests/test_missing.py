"""Rows that lack a modality: NaN, None and ``present1`` are the same, and what is missing is NaN or None in the samples."""

from __future__ import annotations

import numpy as np
import pytest

import lsmi

from .conftest import QUICK, Arrays


def without(data: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The modalities with rows of NaN, and which rows have each."""
    rows = np.arange(len(data["y"]))
    has_x1, has_x2 = rows % 5 != 0, rows % 7 != 1
    has_x2 |= ~has_x1
    x1, x2 = data["x1"].astype(float), data["x2"].astype(float)
    x1[~has_x1], x2[~has_x2] = np.nan, np.nan
    return x1, x2, has_x1, has_x2


def test_all_ways_to_say_so_are_one(data: Arrays) -> None:
    x1, x2, has_x1, has_x2 = without(data)
    expected = lsmi.analyze(x1, x2, data["y"], **QUICK)
    nones = [list(row) if has else None for row, has in zip(x1, has_x1)]
    for modalities, present in (
        ((nones, x2), {}),
        ((np.where(np.isnan(x1), 1e9, x1), np.where(np.isnan(x2), -3.0, x2)), {"present1": has_x1, "present2": has_x2}),
    ):
        found = lsmi.analyze(*modalities, data["y"], **present, **QUICK)
        assert found.summary == expected.summary
        for name, values in expected.samples.items():
            np.testing.assert_array_equal(values, found.samples[name], err_msg=name)


def test_what_is_missing_is_nan(data: Arrays) -> None:
    x1, x2, has_x1, has_x2 = without(data)
    a = lsmi.analyze(x1, x2, data["y"], **QUICK)
    samples, both = a.samples, has_x1 & has_x2
    assert samples.num_rows == len(data["y"])
    np.testing.assert_array_equal(samples["present1"], has_x1)
    np.testing.assert_array_equal(np.isfinite(samples["i1"]), has_x1)
    np.testing.assert_array_equal(np.isfinite(samples["h2"]), has_x2)
    np.testing.assert_array_equal(np.isfinite(samples["r"]), both)
    assert [prediction is not None for prediction in samples["pred12"]] == both.tolist()
    split = a.summary["splits"]["train"]
    assert (split["n"], split["missing"]["rows"]) == (both.sum(), len(data["y"]))
    assert split["missing"]["information"]["i1"] == pytest.approx(np.nanmean(samples["i1"]))
    assert "lack x1" in a.summary["warnings"][0]


@pytest.mark.parametrize("label_free", [False, True])
def test_an_estimator_scores_them(data: Arrays, label_free: bool) -> None:
    x1, x2, has_x1, _ = without(data)
    estimator = lsmi.analyze(data["x1"], data["x2"], data["y"], **QUICK).estimator
    rows = slice(0, 40)
    labels = None if label_free else data["y"][rows]
    samples = estimator.score(x1[rows], x2[rows], labels, label_free=label_free).samples
    np.testing.assert_array_equal(np.isfinite(samples["i1"]), has_x1[rows])
    complete = estimator.score(data["x1"][rows], data["x2"][rows], labels, label_free=label_free).samples
    np.testing.assert_array_equal(samples["h1"][has_x1[rows]], complete["h1"][has_x1[rows]])


def test_what_cannot_be_used_is_refused(data: Arrays) -> None:
    x1, x2, has_x1, _ = without(data)
    neither = x2.copy()
    neither[0] = np.nan
    with pytest.raises(lsmi.DataError, match="row 0 lacks both modalities"):
        lsmi.analyze(x1, neither, data["y"], **QUICK)
    half = x1.copy()
    half[0, 0] = 1.0
    with pytest.raises(lsmi.DataError, match="`x1` is NaN at row 0, column 1"):
        lsmi.analyze(half, x2, data["y"], **QUICK)
    with pytest.raises(lsmi.DataError, match="`present1` is 2 at row 3"):
        lsmi.analyze(x1, x2, data["y"], present1=np.where(np.arange(len(x1)) == 3, 2, has_x1), **QUICK)
    with pytest.raises(lsmi.DataError, match="lack a modality, and the gates need"):
        lsmi.check(x1, x2, data["y"], progress=False)
