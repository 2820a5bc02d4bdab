"""Arrays of every kind that people have, and what is said of those that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lsmi
from lsmi._inputs import numbers

from .conftest import QUICK, Arrays


@pytest.fixture(scope="module")
def expected(data: Arrays) -> Any:
    return lsmi.analyze(data["x1"], data["x2"], data["y"], **QUICK).samples["r"]


def same(data: Arrays, expected: Any, x1: Any, x2: Any, y: Any) -> None:
    np.testing.assert_array_equal(lsmi.analyze(x1, x2, y, **QUICK).samples["r"], expected)


def test_layouts_of_numpy(data: Arrays, expected: Any) -> None:
    wide = np.zeros((150, 6))
    wide[:, ::2] = data["x2"]
    same(data, expected, np.asfortranarray(data["x1"]), wide[:, ::2], data["y"].astype(np.uint8))


def test_byte_order_and_lists(data: Arrays, expected: Any) -> None:
    same(data, expected, data["x1"].astype(">f8"), data["x2"].tolist(), data["y"].tolist())


def test_labels_of_every_kind(data: Arrays, expected: Any) -> None:
    names = np.array(["cat", "dog"])[data["y"].astype(int)]
    for y in (names, names.astype(object), list(names), data["y"].astype(bool), names.astype("S3")):
        same(data, expected, data["x1"], data["x2"], y)
    a = lsmi.analyze(data["x1"], data["x2"], data["y"], classes=["cat", "dog"], **QUICK)
    assert a.estimator.classes == ["cat", "dog"]


def test_pandas_and_polars(data: Arrays, expected: Any, analysis: lsmi.Analysis) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = ["cat" if label == 0 else "dog" for label in data["y"]]
    same(data, expected, pandas.DataFrame(data["x1"]), polars.from_numpy(data["x2"]), pandas.Categorical(names))
    same(data, expected, data["x1"], data["x2"], pandas.Series(data["y"]).astype("Int64"))
    same(data, expected, data["x1"], data["x2"], polars.Series(names))
    frame = analysis.samples.to_pandas()
    assert list(frame["id"][:2]) == ["s0", "s1"] and frame["s"].to_numpy().dtype == np.float64
    assert analysis.samples.to_polars().height == 150


def test_columns_of_text_are_named(data: Arrays) -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(lsmi.DataError, match="`name`") as caught:
        lsmi.analyze(pandas.DataFrame(data["x1"]).assign(name="a"), data["x2"], data["y"], **QUICK)
    assert (caught.value.array, caught.value.column) == ("x1", 3)


def test_arrow(data: Arrays, expected: Any, analysis: lsmi.Analysis) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({str(column): data["x1"][:, column] for column in range(3)})
    lists = pyarrow.FixedSizeListArray.from_arrays(data["x2"].ravel(), 3)
    chunks = pyarrow.chunked_array([data["y"][:70], data["y"][70:]])
    same(data, expected, table, _Only(lists), chunks)
    texts = pyarrow.array(["cat" if label == 0 else "dog" for label in data["y"]])
    same(data, expected, data["x1"], data["x2"], _Only(texts))
    same(data, expected, data["x1"], data["x2"], _Only(texts.dictionary_encode()))
    found = analysis.samples.to_arrow()
    assert found.column_names == list(analysis.samples) and found.num_rows == 150


class _Only:
    """An array of which nothing but Arrow's C interface is known."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        return self._array.__arrow_c_array__(requested_schema)


def test_torch(data: Arrays, expected: Any) -> None:
    torch = pytest.importorskip("torch")
    x1, x2 = (torch.from_numpy(data[name]) for name in ("x1", "x2"))
    same(data, expected, x1.requires_grad_(), x2, torch.from_numpy(data["y"]))
    half = lsmi.analyze(x1.to(torch.bfloat16), x2, data["y"], **QUICK).samples["r"]
    rounded = lsmi.analyze(x1.to(torch.bfloat16).double(), x2, data["y"], **QUICK).samples["r"]
    np.testing.assert_array_equal(half, rounded)


def test_missing_labels(data: Arrays) -> None:
    y: list[object] = ["cat" if label == 0 else "dog" for label in data["y"]]
    y[4] = None
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(data["x1"], data["x2"], y, **QUICK)
    assert (caught.value.array, caught.value.row) == ("y", 4)
    assert 'missing="drop"' in str(caught.value)
    assert lsmi.analyze(data["x1"], data["x2"], y, missing="drop", **QUICK).samples.num_rows == 149


def test_errors_name_the_place(data: Arrays) -> None:
    x1 = data["x1"].copy()
    x1[17, 2] = np.nan
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(x1, data["x2"], data["y"], **QUICK)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("x1", 17, 2)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, lsmi.LsmiError)
    with pytest.raises(lsmi.DataError, match="`x2` has 149 rows"):
        lsmi.analyze(data["x1"], data["x2"][1:], data["y"], **QUICK)
    with pytest.raises(lsmi.DataError, match="id `a` at rows 0 and 1"):
        lsmi.analyze(data["x1"], data["x2"], data["y"], ids=["a"] * 150, **QUICK)
    with pytest.raises(lsmi.DataError, match="x1"):
        lsmi.analyze(np.array(["text"]), data["x2"], data["y"], **QUICK)
    with pytest.raises(lsmi.UsageError, match="folds"):
        lsmi.analyze(data["x1"], data["x2"], data["y"], folds=1, progress=False)
    with pytest.raises(lsmi.UsageError, match="no measure"):
        lsmi.analyze(data["x1"], data["x2"], data["y"], measures=["best"], progress=False)


def test_columns_of_lists_are_matrices(data: Arrays) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    rows = [list(row) for row in data["x1"]]
    expected = numbers("x1", data["x1"])
    chunked = pyarrow.chunked_array([pyarrow.array(rows[:70]), pyarrow.array(rows[70:])])
    for given in (pyarrow.array(rows), chunked, pandas.Series([np.array(row) for row in rows]), pandas.Series(rows)):
        assert np.array_equal(numbers("x1", given), expected)
    nothing = pyarrow.table({"y": pyarrow.array([None, None], pyarrow.dictionary(pyarrow.int8(), pyarrow.string()))})
    assert lsmi._lsmi.columns(nothing) == {"y": [None, None]}
    with pytest.raises(lsmi.DataError, match="2 values at row 3, but 3 values at the first"):
        numbers("x1", pandas.Series([*rows[:3], [1.0, 2.0]]))
