"""Files for the command: arrays as ``.npz``, and the ``.safetensors`` that it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ._inputs import ArrayLike, Readable, table
from .errors import UsageError

_DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "F16": np.float16,
    "U32": np.uint32,
    "I32": np.int32,
    "F32": np.float32,
    "U64": np.uint64,
    "I64": np.int64,
    "F64": np.float64,
}


def read_safetensors(content: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Reads arrays and metadata of a ``.safetensors`` file."""
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    metadata: dict[str, str] = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        values: npt.NDArray[Any] = np.frombuffer(bytearray(content[start:end]), dtype=_DTYPES[entry["dtype"]])
        arrays[name] = values.reshape(entry["shape"])
    return arrays, metadata


@contextmanager
def feature_file(
    x1: ArrayLike,
    x2: ArrayLike | None,
    y: ArrayLike | None,
    *,
    ids: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    splits: Mapping[str, Any] | None = None,
) -> Iterator[Path]:
    """Gives the path of a feature file of these arrays; or the path that the first of them is."""
    if isinstance(x1, (str, Path)):
        yield Path(x1)
        return
    if x2 is None or y is None:
        raise UsageError("x2 and y are missing" if x2 is None and y is None else "x2 or y is missing")
    arrays = table(x1, x2, y, ids=ids, groups=groups, suffix="_train" if splits else "")
    for name, split in (splits or {}).items():
        arrays.update(table(*split, suffix=f"_{name}"))
    with TemporaryDirectory(prefix="lsmi-") as directory:
        path = Path(directory) / "arrays.npz"
        save: Any = np.savez
        save(path, **{name: _whole(value) for name, value in arrays.items()})
        yield path


def _whole(value: Readable) -> npt.NDArray[Any]:
    if isinstance(value, list):
        return np.asarray(["" if text is None else text for text in value])
    if isinstance(value, tuple):
        kind, bits = value
        if isinstance(kind, tuple) or isinstance(bits, list):
            return np.asarray(["" if text is None else text for text in bits]).reshape(cast("tuple[int, ...]", kind))
        return bits.view(np.float16) if kind == "float16" else (bits.astype(np.uint32) << 16).view(np.float32)
    return value


