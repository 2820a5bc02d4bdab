"""Arrays of users as the arrays that the Rust module reads: NumPy's in C order, bits of 16-bit floats, or lists of strings."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Union, cast

import numpy as np
import numpy.typing as npt

from . import _lsmi
from .errors import DataError, UsageError

_log = logging.getLogger("lsmi")

#: What the Rust module reads; text of several dimensions with its shape.
Readable = Union[
    npt.NDArray[Any],
    tuple[str, npt.NDArray[np.uint16]],
    list[Union[str, None]],
    tuple[tuple[int, ...], list[Union[str, None]]],
]

#: Whatever holds numbers: NumPy, torch or anything with ``__dlpack__``, pandas, polars or anything of Arrow's, lists.
ArrayLike = Any


def numbers(name: str, value: ArrayLike) -> Readable:
    """Takes the numbers of a modality or of logits, ``[n, d]``. A row that is ``None`` becomes one of NaN.

    Args:
        name: The name of the array in messages.
        value: NumPy array, tensor, data frame, Arrow table, or nested lists.

    Raises:
        UsageError: If it holds no numbers.
    """
    if isinstance(value, (list, tuple)) and any(row is None for row in value):
        return _bits(name, _of_lists(name, value))
    return _bits(name, _array(name, value))


def identifiers(name: str, value: ArrayLike) -> Readable:
    """Takes labels, ids or groups, ``[n]``, or labels of steps, ``[n, T]``: integers, booleans or strings; a missing one is
    ``None`` or NaN.

    Args:
        name: The name of the array in messages.
        value: NumPy array, tensor, series, Arrow array, or list.

    Raises:
        UsageError: If it holds something else.
    """
    array = _array(name, value, is_text=True)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.reshape(-1)
    if array.dtype.kind == "U":
        return _shaped([str(text) for text in array.ravel()], array.shape)
    if array.dtype.kind == "S":
        return _shaped([bytes(text).decode() for text in array.ravel()], array.shape)
    if array.dtype.kind == "O":
        return _shaped(_objects(name, array.ravel().tolist()), array.shape)
    return _bits(name, array)


def matrix(name: str, value: ArrayLike) -> tuple[Readable, list[str] | None]:
    """Takes several labels or targets a row, ``[n, L]``, or one, ``[n]``; a missing one is ``None`` or NaN.

    Args:
        name: The name of the array in messages.
        value: What :func:`numbers` takes, or columns by name: a mapping or a data frame.

    Returns:
        The numbers, and the names of the columns where these are texts.

    Raises:
        UsageError: If it holds no numbers, or columns of different lengths.
    """
    names = list(value) if isinstance(value, Mapping) else list(getattr(value, "columns", []))
    if not names or not all(isinstance(column, str) for column in names):
        return numbers(name, _without_gaps(name, _array(name, value))), None
    columns = [_without_gaps(name, _array(name, value[column])).reshape(-1) for column in names]
    if len({len(column) for column in columns}) > 1:
        found = ", ".join(f"{len(column)} in `{label}`" for label, column in zip(names, columns))
        raise UsageError(f"the columns of `{name}` need a value for every row, but have {found}")
    return numbers(name, np.column_stack(columns)), names


def _without_gaps(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Makes numbers of objects, and NaN of missing ones."""
    if array.dtype.kind != "O":
        return array
    flat = [math.nan if _is_missing(value) else value for value in array.ravel().tolist()]
    try:
        return np.asarray(flat, dtype=np.float64).reshape(array.shape)
    except (TypeError, ValueError) as error:
        raise UsageError(f"`{name}` must hold numbers: {error}") from None


def _shaped(values: Readable, shape: tuple[int, ...]) -> Readable:
    """Gives values their shape back, if they have several dimensions."""
    if len(shape) == 1:
        return values
    return values.reshape(shape) if isinstance(values, np.ndarray) else (shape, cast("list[str | None]", values))


def _objects(name: str, values: list[Any]) -> Readable:
    """Takes objects that are all integers, or strings of which some are missing."""
    if all(isinstance(value, (int, np.integer)) for value in values):
        try:
            return np.asarray(values, dtype=np.int64)
        except OverflowError:
            return [str(value) for value in values]
    return [None if _is_missing(value) else _text(name, row, value) for row, value in enumerate(values)]


def _text(name: str, row: int, value: Any) -> str:
    if isinstance(value, (str, int, np.integer)):
        return str(value)
    raise UsageError(f"`{name}` is {value!r} at row {row}, but must be an integer or a string")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in {"NAType", "NaTType"}


def _array(name: str, value: ArrayLike, *, is_text: bool = False) -> npt.NDArray[Any]:
    """Makes a NumPy array, without a copy where the memory allows."""
    if isinstance(value, np.ndarray):
        return value
    if _is_torch(value):
        return _of_torch(name, value)
    if type(value).__module__.split(".")[0] == "pyarrow":
        # A stream of the C interface has columns, of which a chunked array has none.
        is_chunked = type(value).__name__ == "ChunkedArray"
        return _of_arrow(name, value.combine_chunks() if is_chunked else value, is_text)
    if hasattr(value, "to_numpy"):
        array = np.asarray(value.to_numpy())
        if array.dtype.kind == "O" and array.ndim == 1 and len(array) > 0 and any(
            isinstance(row, (list, np.ndarray)) for row in array
        ):
            return _of_lists(name, array)
        # A data frame of several types is one of objects.
        return _of_objects(name, array, value) if array.dtype.kind == "O" and array.ndim == 2 else array
    if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        return _of_arrow(name, value, is_text)
    if hasattr(value, "__dlpack__"):
        return _of_dlpack(name, value)
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, Mapping)) and not hasattr(value, "__array__"):
        raise UsageError(f"`{name}` is of type {type(value).__name__}, but must be an array")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UsageError(f"`{name}` cannot be made an array: {error}") from None
    return np.asarray(value, dtype=object) if is_text and _lost_a_gap(array, value) else array


def _of_lists(name: str, rows: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Takes the numbers of a series of lists; a missing list becomes one of NaN."""
    first = next((values for values in rows if not _is_missing(values)), None)
    if first is None:
        raise DataError(f"`{name}` has no list", array=name)
    missing = np.full(len(first), np.nan)
    for row, values in enumerate(rows):
        if _is_missing(values):
            continue
        found = len(values) if isinstance(values, (list, tuple, np.ndarray)) else None
        if found != len(first):
            what = "no list" if found is None else f"{found} values"
            raise DataError(f"`{name}` has {what} at row {row}, but {len(first)} values at the first", array=name, row=row)
    return np.stack([missing if _is_missing(values) else np.asarray(values) for values in rows])


def _of_objects(name: str, array: npt.NDArray[Any], frame: Any) -> npt.NDArray[Any]:
    """Takes the numbers of a data frame whose columns are of several types."""
    numbers = np.empty(array.shape)
    labels = list(getattr(frame, "columns", range(array.shape[1])))
    for column in range(array.shape[1]):
        try:
            numbers[:, column] = array[:, column].astype(np.float64)
        except (TypeError, ValueError):
            message = f"`{name}` has a column of something else than numbers, `{labels[column]}`; leave it out"
            raise DataError(message, array=name, column=column) from None
    return numbers


def _lost_a_gap(array: npt.NDArray[Any], value: Any) -> bool:
    """Says whether NumPy has made text of a missing value, or of numbers beside text."""
    return array.dtype.kind in "US" and not all(isinstance(item, (str, np.str_)) for item in value)


def _is_torch(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "torch" and hasattr(value, "detach")


def _of_torch(name: str, value: Any) -> npt.NDArray[Any]:
    tensor = value.detach()
    if tensor.device.type != "cpu":
        _log.info("`%s` is moved from %s to the processor's memory", name, tensor.device)
        tensor = tensor.cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        import torch

        return np.asarray(tensor.contiguous().view(torch.int16).numpy()).view(_BFLOAT16)
    return np.asarray(tensor.numpy())


def _of_dlpack(name: str, value: Any) -> npt.NDArray[Any]:
    device, _ = value.__dlpack_device__()
    if device not in (1, 3):
        # Only the processor's memory can be read; the library of the array knows how to copy it there.
        _log.info("`%s` is moved to the processor's memory", name)
        return np.asarray(value)
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError):
        return np.asarray(value)


def _of_arrow(name: str, value: Any, is_text: bool) -> npt.NDArray[Any]:
    columns = list(_lsmi.columns(value).values())
    if len(columns) == 1:
        return np.asarray(columns[0], dtype=object if isinstance(columns[0], list) else None)
    if is_text:
        raise UsageError(f"`{name}` has {len(columns)} columns, but must have one")
    if any(isinstance(column, list) for column in columns):
        raise UsageError(f"`{name}` has a column of text, but must have numbers alone")
    return np.column_stack(columns)


#: Marks bits that are those of bfloat16 numbers, which NumPy has no type for.
_BFLOAT16 = np.dtype([("bfloat16", np.uint16)])


def _bits(name: str, array: npt.NDArray[Any]) -> Readable:
    """Brings numbers in C order and in the machine's byte order; 16-bit floats become their bits."""
    if array.dtype == _BFLOAT16:
        return "bfloat16", np.ascontiguousarray(array).view(np.uint16)
    if array.dtype.name == "bfloat16":
        return "bfloat16", np.ascontiguousarray(array).view(np.uint16)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        expected = 'numbers of at most 64 bits; x.astype("float32") makes them of what looks like some'
        raise DataError(f"`{name}` holds elements of type {array.dtype}, but must hold {expected}", array=name)
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if array.dtype == np.float16:
        return "float16", array.view(np.uint16)
    return array


def table(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike | None,
    *,
    ids: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    logits: Sequence[ArrayLike | None] | None = None,
    present1: ArrayLike | None = None,
    present2: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
    suffix: str = "",
) -> dict[str, Readable]:
    """Names the arrays of samples as a feature file does.

    Args:
        x1: First modality, ``[n, d1]``, or sequences, ``[n, T, d1]``.
        x2: Second modality, likewise.
        y: Labels, ``[n]``, if there are any.
        ids: Ids, ``[n]``; row numbers if ``None``.
        groups: Values that are equal where rows belong together, ``[n]``.
        logits: Logits of the user's models of x1, x2 and both, ``[n, K]`` each.
        present1: Which rows have x1, ``[n]``; the values of others are not looked at.
        present2: Which rows have x2.
        lengths: The steps of each sequence that count, ``[n]``: of both modalities, or a tuple of those of each.
        suffix: What is added to every name, such as ``_test``.
    """
    arrays = {"x1": numbers("x1", x1), "x2": numbers("x2", x2), **beside(y, ids=ids, groups=groups, lengths=lengths)}
    for name, value in (("present1", present1), ("present2", present2)):
        if value is not None:
            arrays[name] = identifiers(name, value)
    for name, value in zip(("logits1", "logits2", "logits12"), logits or ()):
        if value is not None:
            arrays[name] = numbers(name, value)
    return {name + suffix: value for name, value in arrays.items()}


def beside(
    y: ArrayLike | None,
    *,
    ids: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
) -> dict[str, Readable]:
    """Names the arrays that stand beside the modalities; arguments are those of :func:`table`."""
    arrays = {
        name: identifiers(name, value) for name, value in (("y", y), ("id", ids), ("group", groups)) if value is not None
    }
    if isinstance(lengths, tuple) and len(lengths) != 2:
        raise UsageError(f"lengths= is a tuple of {len(lengths)}: give an array for both modalities, or a tuple of two arrays")
    named = zip(("lengths1", "lengths2"), lengths) if isinstance(lengths, tuple) else [("lengths", lengths)]
    return arrays | {name: numbers(name, value) for name, value in named if value is not None}


def listed(measures: Sequence[str]) -> list[str]:
    """Takes one measure by itself, too, and each once."""
    return [measures] if isinstance(measures, str) else list(dict.fromkeys(measures))


def pair(names: Sequence[str]) -> list[str]:
    """Takes the names of two modalities."""
    if isinstance(names, str) or len(names) != 2:
        raise UsageError(f"names={names!r}: give two names, one of each modality")
    return list(names)


def check_alone(**arrays: object) -> None:
    """Refuses arrays beside the path of a file, which has them all."""
    given = [name for name, value in arrays.items() if value is not None]
    if given:
        raise UsageError(f"the first argument is the path of a file, which has all arrays: leave out {', '.join(given)}")


def check_lengths(lengths: object, pool: str | None) -> None:
    """Refuses lengths of sequences that nothing is made of."""
    if lengths is not None and pool is None:
        raise UsageError("lengths= is about the steps of sequences: say what becomes of them with pool=, or lags=")
