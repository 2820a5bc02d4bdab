"""Samples for an analysis of any kind, from arrays or a file."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _lsmi
from ._inputs import ArrayLike, Readable, beside, check_alone, check_lengths, matrix, numbers, table
from .errors import UsageError

if TYPE_CHECKING:
    from ._lsmi import Table

#: A split beside that of training: ``(x1, x2, y)``, or a mapping with ``x1``, ``x2``, ``y`` and maybe ``ids``, ``groups``,
#: ``logits``, ``present1``, ``present2``, ``lengths``; with several modalities ``(modalities, y)``, or a mapping with ``modalities`` in the place of both.
Split = Sequence[ArrayLike] | Mapping[str, ArrayLike]
#: Arrays of more than two modalities, by their names or called ``x1``, ``x2``, ...; or, of a file, the names of its arrays.
Modalities = Mapping[str, ArrayLike] | Sequence[ArrayLike]
#: Steps by which x1 is before x2 and y: a list, or text such as ``"0..4"``, which is 0, 1, 2, 3, 4.
Lags = str | Iterable[int]

_FEWEST, _MOST = 3, 8
#: Names that arrays beside the modalities have.
_TAKEN = (
    "y", "id", "group", "lengths", "lengths1", "lengths2", "logits1", "logits2", "logits12", "present1", "present2"
)  # fmt: skip


def read(kind: str, arguments: Mapping[str, Any], pool_below: int | None = None) -> tuple[Table, list[str] | None]:
    """Reads what an analysis of a kind is of.

    Args:
        kind: The kind, as :func:`lsmi._refusals.kind_of` tells it.
        arguments: The arguments of :func:`lsmi.analyze`.
        pool_below: The rows below which classes are pooled.

    Returns:
        The samples, and the names of several labels or targets where they have some.
    """
    options: dict[str, Any] = {"missing": arguments["missing"], "pool": arguments["pool"], "pool_below": pool_below}
    if kind in ("continuous", "labels"):
        options["target"] = kind
    if kind == "lags":
        options["lags"] = _lags(arguments["lags"])
    x1, groups = arguments["x1"], arguments["groups"]
    if isinstance(x1, Mapping):
        raise UsageError("x1= has arrays by name: give more than two modalities with modalities=, two as x1 and x2")
    if kind != "lags":
        check_lengths(arguments["lengths"], arguments["pool"])
    if isinstance(x1, (str, os.PathLike)):
        alone = ("x2", "y", "ids", "logits", "present1", "present2", "lengths", "splits", "classes")
        check_alone(**{name: arguments[name] for name in alone})
        if groups is not None and not isinstance(groups, str):
            raise UsageError('groups= of a file is the name of an array in it, or "none"')
        if kind == "modalities":
            options["modalities"] = _names_in_file(arguments["modalities"])
        return _lsmi.Table.of_file(Path(x1), {**options, "keys": arguments["keys"], "groups": groups}), None
    options["groups"] = groups if groups is None or isinstance(groups, str) else "group"
    if arguments["classes"] is not None:
        options["classes"] = json.dumps([str(name) for name in arguments["classes"]])
    whole = {**arguments, "groups": None if isinstance(groups, str) else groups}
    splits: Mapping[str, Split] = arguments["splits"] or {}
    if kind == "modalities":
        if x1 is not None:
            raise UsageError("x1= means nothing with modalities=, but for the path of a file: give all modalities there")
        options["modalities"] = _named(whole["modalities"], splits)
        parts = {"_train" if splits else "": _several_arrays("train", whole, options["modalities"])}
        for name, split in splits.items():
            parts[f"_{name}"] = _several_arrays(name, _split(name, split, ("modalities",)), options["modalities"])
        arrays = {name + suffix: value for suffix, part in parts.items() for name, value in part.items()}
        return _lsmi.Table.of_arrays(arrays, options), None
    for name in ("x1", "x2", "y"):
        if whole[name] is None:
            raise UsageError(f"{name} is missing")
    arrays, names = _arrays(kind, whole, "_train" if splits else "")
    for name, split in splits.items():
        of_split, found = _arrays(kind, _split(name, split, ("x1", "x2")), f"_{name}")
        if found != names and None not in (found, names):
            raise UsageError(f"the split `{name}` has the columns {found} in y, but those of training are {names}")
        arrays.update(of_split)
    if names is not None and kind == "labels":
        options["labels"] = json.dumps(names)
    return _lsmi.Table.of_arrays(arrays, options), names


def _arrays(kind: str, given: Mapping[str, Any], suffix: str) -> tuple[dict[str, Readable], list[str] | None]:
    """Names the arrays of a split of two modalities; gives the names of the columns of y, too."""
    of_rows = {name: given.get(name) for name in ("ids", "groups", "logits", "present1", "present2", "lengths")}
    if kind not in ("continuous", "labels"):
        return table(given["x1"], given["x2"], given["y"], **of_rows, suffix=suffix), None
    values, names = matrix("y", given["y"])
    arrays = table(given["x1"], given["x2"], None, **of_rows, suffix=suffix)
    return {**arrays, "y" + suffix: values}, names


def _split(name: str, split: Split, modalities: tuple[str, ...]) -> Mapping[str, Any]:
    """Takes what is given of a split beside that of training, by its names."""
    if not isinstance(split, Mapping):
        split = dict(zip((*modalities, "y", "ids"), split))
    of_two = {"logits", "present1", "present2"} if "x1" in modalities else set()
    needed, further = {*modalities, "y"}, {"ids", "groups", "lengths"} | of_two
    if set(split) - needed - further or not needed <= set(split):
        expected = f"{', '.join(modalities)} and y, and may have {', '.join(sorted(further))}"
        raise UsageError(f"the split `{name}` needs {expected}; found {list(split)}")
    return split


def _several_arrays(split: str, given: Mapping[str, Any], names: list[str]) -> dict[str, Readable]:
    """Names the arrays of a split of several modalities."""
    if given["y"] is None:
        raise UsageError("y is missing")
    if isinstance(given.get("lengths"), tuple):
        raise UsageError("lengths= of several modalities is one array, of all that are sequences")
    found = given["modalities"]
    by_name = found if isinstance(found, Mapping) else dict(zip(names, found))
    if set(by_name) != set(names) or len(found) != len(names):
        raise UsageError(f"the split `{split}` needs the modalities {', '.join(names)}; found {', '.join(map(str, by_name))}")
    arrays = {name: numbers(name, by_name[name]) for name in names}
    of_rows = {name: given.get(name) for name in ("ids", "groups", "lengths")}
    return {**arrays, **beside(given["y"], **of_rows)}


def _named(modalities: Modalities, splits: Mapping[str, Split]) -> list[str]:
    """Gives the names of the modalities of arrays."""
    if isinstance(modalities, Mapping):
        names = list(modalities)
    elif isinstance(modalities, (list, tuple)):
        names = [f"x{number}" for number in range(1, len(modalities) + 1)]
    else:
        raise UsageError(f"modalities= is of type {type(modalities).__name__}: give arrays by name, or a list of them")
    _check_number(names)
    suffixes = {"train", "val", "test", *splits}
    for name in names:
        if not isinstance(name, str) or not name:
            raise UsageError(f"modalities= has {name!r}: give every modality a name")
        if name in _TAKEN:
            raise UsageError(f"modalities= has `{name}`, which is the name of something else: choose another")
        base, _, suffix = name.rpartition("_")
        if suffix in suffixes and base in (*names, *_TAKEN):
            raise UsageError(f"modalities= has `{name}`, which would be taken for the split `{suffix}` of `{base}`: choose another")
    return names


def _names_in_file(modalities: Modalities) -> list[str]:
    if isinstance(modalities, (str, Mapping)) or not all(isinstance(name, str) for name in modalities):
        raise UsageError("modalities= of a file is a list of the names of its arrays")
    _check_number(list(modalities))
    return list(modalities)


def _check_number(names: Sequence[object]) -> None:
    if len(names) == 2:
        raise UsageError("modalities= has two: give these as x1 and x2 (of a file: with keys=), and their names with names=")
    if not _FEWEST <= len(names) <= _MOST:
        raise UsageError(f"modalities= has {len(names)}: from {_FEWEST} to {_MOST} can be analysed together")


def _lags(lags: Lags) -> str:
    """Writes lags as the command takes them."""
    if isinstance(lags, str):
        return lags
    if isinstance(lags, int) or not isinstance(lags, Iterable):
        raise UsageError(f"lags={lags!r}: give a list, such as [0, 1, 2] or range(3)")
    try:
        return ",".join(str(operator.index(lag)) for lag in lags)
    except TypeError as error:
        raise UsageError(f"lags={lags!r}: {error}") from None
