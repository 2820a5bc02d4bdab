"""Columns of scored samples, wherever they are: in an analysis, in a mapping, in the files that ``lsmi analyze`` wrote."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Union, runtime_checkable

import numpy as np
import numpy.typing as npt

from lsmi import _lsmi
from lsmi.errors import DataError, UsageError

Floats = npt.NDArray[np.float64]
_TERMS = ("h1", "h2", "i1", "i2", "i12")


@runtime_checkable
class Analysis(Protocol):
    """What has scored samples and their summary, as ``lsmi.analyze`` returns it."""

    @property
    def samples(self) -> Any:
        """Columns by name."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """The content of ``summary.json``."""


Source = Union[Analysis, Mapping[str, Any], str, "os.PathLike[str]"]
"""Scored samples: an analysis, columns by name, or the path of a folder that ``lsmi analyze`` wrote."""


@dataclass(frozen=True)
class Columns:
    """The rows of one split.

    Attributes:
        ids: The id of each row.
        values: Columns by name, each with a value a row.
        summary: The content of ``summary.json``; empty where there is none.
    """

    ids: list[str]
    values: Mapping[str, Sequence[Any] | npt.NDArray[Any]]
    summary: Mapping[str, Any]

    @classmethod
    def read(cls, source: Source, split: str | None) -> Columns:
        """Reads the rows of a split.

        Args:
            source: Where the samples are.
            split: The split, such as ``"train"``; ``None`` takes all rows.

        Raises:
            DataError: There is no column of ids, or no row of the split.
            UsageError: ``source`` is nothing that samples can be read from.
        """
        table, summary = _table(source)
        if "id" not in table:
            raise DataError(f"the samples have no column `id`; there are {_listed(table)}", array="id")
        ids = [str(name) for name in table["id"]]
        for name, column in table.items():
            if len(column) != len(ids):
                raise DataError(f"`{name}` has {len(column)} values for {len(ids)} ids", array=name)
        if split is None or "split" not in table:
            return cls(ids, table, summary)
        of_rows = [str(name) for name in table["split"]]
        rows = [row for row, name in enumerate(of_rows) if name == split]
        if not rows:
            raise DataError(
                f"no sample is of the split `{split}`; there are {_listed(dict.fromkeys(of_rows))}",
                array="split",
                hint="choose a split with split=, or take all samples with split=None",
            )
        chosen = {name: _chosen(column, rows) for name, column in table.items()}
        return cls([ids[row] for row in rows], chosen, summary)

    def numbers(self, name: str) -> Floats:
        """Takes a column of numbers, ``[n]``.

        Raises:
            DataError: There is no such column, or it holds what is no number.
        """
        if name not in self.values:
            raise DataError(f"the samples have no column `{name}`; there are {_listed(self.values)}", array=name)
        return floats(self.values[name], name)

    def part(self, by: str) -> Floats:
        """Takes an interaction, ``[n]``, raw and in nats: a column, or ``r_ccs``, ``s_min`` and so on computed from terms.

        Raises:
            DataError: There is no such column, and no terms to compute it from.
        """
        part, _, measure = by.partition("_")
        if by in self.values or part not in {"r", "u1", "u2", "s"} or not measure:
            return self.numbers(by)
        found = _lsmi.Guide.fixed("none", self.terms(), guide_options(measure=measure)).interactions()
        assert found is not None, "fixed interactions are there from the start"
        return np.asarray(found[part], dtype=np.float64)

    def terms(
        self,
        classes: Sequence[str] | int | None = None,
        confidence: Confidence | None = None,
        reference: Sequence[int] | None = None,
    ) -> dict[str, Any]:
        """Collects what a guide by fixed interactions is made of.

        Raises:
            DataError: A column is missing, or a label is no class.
        """
        classes = self.summary.get("classes") if classes is None else classes
        if "label" not in self.values:
            raise DataError(f"the samples have no column `label`; there are {_listed(self.values)}", array="label")
        labels, count = class_indices(self.values["label"], classes)
        prior = self.summary.get("class_prior")
        if prior is None or len(prior) != count:
            prior = np.bincount(labels, minlength=count) / len(labels)
        return {
            "ids": self.ids,
            "labels": labels,
            "prior": floats(prior, "prior"),
            **{name: self.numbers(name) for name in _TERMS},
            "confidence": of_samples(confidence, self.ids),
            "reference": None if reference is None else [int(weaker) for weaker in reference],
        }


Confidence = Union[Mapping[str, float], Sequence[float], "npt.NDArray[Any]"]
"""The probability that a teacher gives to its most probable class: by id, or one a sample in their order."""


def of_samples(confidence: Confidence | None, ids: Sequence[str]) -> Floats | None:
    """Puts a teacher's confidence in the order of the ids.

    Raises:
        DataError: A sample has none.
    """
    if confidence is None:
        return None
    if isinstance(confidence, Mapping):
        missing = next((name for name in ids if name not in confidence), None)
        if missing is not None:
            raise DataError(f"there is no confidence of the sample `{missing}`", array="confidence")
        confidence = [confidence[name] for name in ids]
    return floats(confidence, "confidence")


def guide_options(**options: Any) -> dict[str, Any]:
    """Fills in the settings of a guide."""
    usual = {"rule": "sources", "measure": "ccs", "seed": 0, "warm_up": 0, "smoothing": 0.0}
    return {**usual, **options}


def class_indices(labels: Iterable[Any], classes: Sequence[str] | int | None) -> tuple[npt.NDArray[np.int64], int]:
    """Numbers classes: in the order of ``classes``, or else in that of their sorted names.

    Args:
        labels: The class of each sample: a name, or an index where ``classes`` is a number.
        classes: The names of the classes, or their number.

    Returns:
        The index of each sample's class ``[n]``, and the number of classes.

    Raises:
        DataError: A label is no class.
    """
    values = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    for row, value in enumerate(values):
        if isinstance(value, (list, tuple)) or (isinstance(value, float) and not value.is_integer()):
            raise DataError(
                f"the label of row {row} is {value}; give one class a sample, a name or an integer: "
                "labels.argmax(-1) where each row has a column for each class",
                array="label",
                row=row,
            )
    values = [int(value) if isinstance(value, float) else value for value in values]
    names = [str(value) for value in values]
    if classes is None:
        known = sorted(set(names), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    else:
        known = [str(index) for index in range(classes)] if isinstance(classes, int) else [str(name) for name in classes]
    index = {name: place for place, name in enumerate(known)}
    stranger = next((row for row, name in enumerate(names) if name not in index), None)
    if stranger is not None:
        raise DataError(f"`{names[stranger]}` is no class; there are {_listed(known)}", array="label", row=stranger)
    return np.asarray([index[name] for name in names], dtype=np.int64), len(known)


def floats(values: Any, name: str) -> Floats:
    """Makes an array of numbers, ``[n]``.

    Raises:
        DataError: They are no numbers, or of another shape.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"`{name}` holds what is no number: {error}", array=name) from error
    if array.ndim != 1:
        raise DataError(f"`{name}` has the shape {list(array.shape)}; give one number a sample", array=name)
    return array


def _table(source: Source) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if isinstance(source, (str, os.PathLike)):
        return _folder(Path(source))
    # What has columns by name, a mapping or a data frame, may have an attribute `samples` too: that of such a column.
    if not hasattr(source, "keys") and isinstance(source, Analysis):
        return _mapping(source.samples), source.summary
    return _mapping(source), {}


def _mapping(source: Any) -> Mapping[str, Any]:
    # Data frames of polars have no keys.
    if hasattr(source, "columns") and hasattr(source, "to_dict") and not hasattr(source, "keys"):
        return {str(name): source[name].to_list() for name in source.columns}
    if not hasattr(source, "keys"):
        found = type(source).__name__
        raise UsageError(f"{found} is nothing that samples can be read from; give an analysis, columns by name or a folder")
    return {str(name): source[name] for name in source.keys()}


def _folder(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Reads the samples and the summary of a folder."""
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder; give one that `lsmi analyze` wrote")
    try:
        summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
        for name in ("samples.csv", "samples.jsonl", "samples.parquet"):
            if (path / name).exists():
                return _read(path / name), summary
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    raise DataError(f"{path}: there is no file of samples; give a folder that `lsmi analyze` wrote")


def _read(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise ImportError(f'{path} needs PyArrow: pip install "lsmi[pyarrow]"') from error
        columns: dict[str, Any] = pyarrow.parquet.read_table(path).to_pydict()
        return columns
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines)) if path.suffix == ".csv" else [json.loads(line) for line in lines]
    if not rows:
        raise DataError(f"{path}: there are no samples")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _chosen(column: Any, rows: list[int]) -> Any:
    if isinstance(column, np.ndarray):
        return column[rows]
    values = list(column)
    return [values[row] for row in rows]


def _listed(names: Iterable[str]) -> str:
    all_names = list(names)
    return ", ".join(all_names[:20]) + (", ..." if len(all_names) > 20 else "")
