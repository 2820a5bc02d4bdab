"""Analyses, their samples, and the estimators that they leave."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _lsmi
from ._inputs import ArrayLike, check_alone, check_lengths, listed, pair, table
from .errors import UsageError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from ._lsmi import Analysis as _Analysis
    from ._lsmi import Estimator as _Estimator
    from ._lsmi import LabelsAnalysis as _LabelsAnalysis
    from ._lsmi import SampleTable as _SampleTable

PathLike = str | os.PathLike[str]

_MEASURES = ("pm", "sx", "mmi", "ccs", "min")


class Samples(Mapping[str, Any]):
    """Scored samples as columns: NumPy arrays by name, lists of ``str`` where they are text.

    ``r``, ``u1``, ``u2``, ``s`` are redundancy, uniqueness of each modality and synergy in nats; ``i1``, ``i2``, ``i12`` the
    informations, ``h1``, ``h2`` the surprisals; ``id``, ``split``, ``fold``, ``label``, ``pred1``, ``pred2``, ``pred12`` and
    ``kind`` say which sample it is and what the heads made of it. Further measures have columns of their own, such as
    ``r_ccs``.
    """

    def __init__(self, analysis: _Analysis | _LabelsAnalysis | _SampleTable) -> None:
        self._analysis = analysis

    @cached_property
    def _columns(self) -> dict[str, Any]:
        return self._analysis.columns()

    def __getitem__(self, name: str) -> Any:
        try:
            return self._columns[name]
        except KeyError:
            _, _, measure = name.partition("_")
            hint = f'; analyze with measures=["{measure}"]' if measure in _MEASURES else ""
            raise KeyError(f"there is no column `{name}`, only {', '.join(self._columns)}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def num_rows(self) -> int:
        """The number of samples."""
        return len(self._columns["id"])

    def split(self, name: str) -> dict[str, Any]:
        """Takes the columns of the samples of one split.

        Raises:
            UsageError: If there is none of that name.
        """
        splits = np.asarray(self["split"], dtype=object)
        rows = np.flatnonzero(splits == name)
        if len(rows) == 0:
            raise UsageError(f"there is no split `{name}`; there are {', '.join(dict.fromkeys(self['split']))}")
        return {
            column: [values[row] for row in rows] if isinstance(values, list) else values[rows]
            for column, values in self.items()
        }

    def to_pandas(self) -> pandas.DataFrame:
        """Makes a data frame of pandas."""
        import pandas

        return pandas.DataFrame(dict(self))

    def to_polars(self) -> polars.DataFrame:
        """Makes a data frame of polars."""
        import polars

        return polars.DataFrame(self)

    def to_arrow(self) -> pyarrow.Table:
        """Makes a table of pyarrow."""
        import pyarrow

        return pyarrow.table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Exports the samples by Arrow's C interface."""
        return self._analysis.arrow_stream()

    def write(self, path: PathLike, *, format: str | None = None) -> None:
        """Writes the samples to a file, as ``lsmi score`` does.

        Args:
            path: The file.
            format: ``csv``, ``jsonl`` or ``parquet``; by default that of the extension, else ``csv``.
        """
        extension = Path(path).suffix.lstrip(".").lower()
        known = extension if extension in {"csv", "jsonl", "parquet"} else "csv"
        self._analysis.write_samples(os.fspath(path), format or known)

    def __repr__(self) -> str:
        return f"<lsmi.Samples: {self.num_rows} rows of {', '.join(self)}>"


class Analysis:
    """Scored samples with their summary: what :func:`analyze` or :meth:`Estimator.score` gives.

    In a notebook it shows the report.
    """

    def __init__(self, inner: _Analysis) -> None:
        self._inner = inner

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``: means, intervals, information, tests, gates and notes; in nats."""
        summary: dict[str, Any] = json.loads(self._inner.summary())
        return summary

    @cached_property
    def samples(self) -> Samples:
        """The samples of all splits, ``train`` first, as columns."""
        return Samples(self._inner)

    @property
    def estimator(self) -> Estimator:
        """The estimator that scores new rows."""
        return Estimator(self._inner.estimator())

    def report(self, path: PathLike | None = None) -> str:
        """Makes the report: one offline page of HTML with its figures.

        Args:
            path: The file to write it to, if any.

        Returns:
            The page.
        """
        page = self._inner.report()
        if path is not None:
            Path(path).write_text(page, encoding="utf-8", newline="\n")
        return page

    def write(self, directory: PathLike) -> None:
        """Writes ``samples.csv``, ``summary.json`` and ``estimator.safetensors``, to the byte as ``lsmi analyze`` does, and
        ``report.html``.

        Raises:
            LsmiError: If the file system refuses; then the directory has none of the first three files.
        """
        self._inner.write(os.fspath(directory))
        self.report(Path(directory) / "report.html")

    def _repr_html_(self) -> str | None:
        # There is no report of samples without labels; a notebook then shows the text.
        if self.summary.get("label_free"):
            return None
        return f'<iframe srcdoc="{escape(self._inner.report())}" style="width:100%;height:720px;border:0"></iframe>'

    def __repr__(self) -> str:
        lines = ["<lsmi.Analysis>"]
        for name, split in self.summary["splits"].items():
            means = split.get("adjusted") or split
            parts = "  ".join(f"{part} {means[part.lower()]:.3f}" for part in ("R", "U1", "U2", "S") if part.lower() in means)
            lines.append(f"{name}, {split['n']} samples, means in nats: {parts}")
        lines += [f"warning: {warning}" for warning in self.summary.get("warnings", [])]
        return "\n".join(lines)


class Estimator:
    """A fitted estimator, which scores new rows. It can be pickled and saved."""

    def __init__(self, inner: _Estimator) -> None:
        self._inner = inner

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their indices."""
        return self._inner.classes

    @cached_property
    def description(self) -> dict[str, Any]:
        """What is known of the fit: settings, columns, rows, the hash of the data, notes."""
        description: dict[str, Any] = json.loads(self._inner.description())
        return description

    def score(
        self,
        x1: ArrayLike,
        x2: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        ids: ArrayLike | None = None,
        logits: Sequence[ArrayLike | None] | None = None,
        present1: ArrayLike | None = None,
        present2: ArrayLike | None = None,
        label_free: bool = False,
        measures: Sequence[str] = (),
        names: tuple[str, str] = ("x1", "x2"),
        keys: str | None = None,
        missing: str = "refuse",
        pool: str | None = None,
        lengths: ArrayLike | None = None,
    ) -> Analysis:
        """Scores new rows by the models of all folds together.

        Args:
            x1: First modality, ``[n, d1]``; or the path of a feature file, and nothing else of the data.
            x2: Second modality, ``[n, d2]``.
            y: Labels, ``[n]``; not with ``label_free``.
            ids: Ids, ``[n]``; row numbers if ``None``.
            logits: Logits of your own models of x1, x2 and both, ``[n, K]`` each, where the estimator was fitted with some.
            present1: Which rows have x1, ``[n]``; by default those that are not NaN throughout.
            present2: Which rows have x2. Values that depend on what a row lacks are NaN, and text is ``None``.
            label_free: Whether to give expectations over the labels that a sample could have, by the joint head:
                ``E[r] = sum over y of p(y|x1,x2) r(y)``.
            measures: Further measures to decompose by, such as ``ccs``.
            names: What the modalities are called in the summary.
            keys: The names of the arrays of a file, ``"X1,X2,LABEL"``.
            missing: What becomes of rows without a label: ``refuse``, ``drop`` or ``keep``.
            pool: How sequences ``[n, T, d]`` are pooled; as those of the fit were.
            lengths: The steps of each sequence that count, as for :func:`analyze`.

        Raises:
            DataError: If the rows cannot be used, or are not of the columns that the estimator was fitted on.
        """
        check_lengths(lengths, pool)
        options = {
            "measures": listed(measures),
            "names": pair(names),
            "keys": keys,
            "groups": None,
            "missing": missing,
            "pool": pool,
        }
        if isinstance(x1, (str, os.PathLike)):
            check_alone(x2=x2, y=y, ids=ids, logits=logits, present1=present1, present2=present2, lengths=lengths)
            source: Any = Path(x1)
        else:
            if not label_free and y is None:
                raise UsageError("y is missing; scores without labels are given with label_free=True")
            labels = None if label_free else y
            source = table(
                x1, x2, labels, ids=ids, logits=logits, present1=present1, present2=present2, lengths=lengths
            )
        if label_free:
            return Analysis(self._inner.score_label_free(source, options))
        scored = self._inner.score(source, options)
        if scored.is_of_training_rows():
            warnings.warn(
                "these are the rows that the estimator was fitted on: their values are far too good; the samples of its "
                "analysis are by models that did not see them",
                stacklevel=2,
            )
        return Analysis(scored)

    def score_batch(
        self, batch: Any, *, label_free: bool = False, measures: Sequence[str] = ()
    ) -> pyarrow.RecordBatch:
        """Scores the rows of a record batch, on this thread: the unit of work for engines.

        The values of a row do not depend on the rows beside it: the same row has the same bits in any batch.

        Args:
            batch: A record batch or table: anything that has ``__arrow_c_array__`` or ``__arrow_c_stream__``. It has columns
                ``id`` (integers or text, distinct), ``x1`` and ``x2`` (lists of numbers) and ``y`` (labels as the estimator was
                fitted on: names, or numbers where labels were numbers); where the estimator was fitted with logits, ``logits1``,
                ``logits2`` and ``logits12`` (lists of floating-point numbers). Other columns are ignored and do not come back.
            label_free: Whether to give expectations over the labels that a row could have, by the joint head; ``y`` need not be
                there, and is not looked at.
            measures: Further measures to decompose by, such as ``ccs``; not with ``label_free``.

        Returns:
            ``id`` as it came, ``label``, the terms ``h1``, ``h2``, ``i1``, ``i2``, ``i12``, ``r``, ``u1``, ``u2``, ``s`` in
            nats, ``pred1``, ``pred2``, ``pred12`` and ``kind``; then ``r_sd``, ... where the estimator has several
            repeats, and ``r_ccs``, ... for each measure. With ``label_free`` there is neither ``label`` nor what follows ``pred12``.

        Raises:
            DataError: If a column is not there or of another type, or a value cannot be used; it names column, row and id.
            UsageError: If measures are asked for with ``label_free``, a measure is unknown, or the rows are not of Arrow's.
        """
        import pyarrow

        _check_measures(label_free, measures)

        return pyarrow.record_batch(self._inner.score_batch(batch, listed(measures), label_free))

    def output_schema(self, schema: Any, *, label_free: bool = False, measures: Sequence[str] = ()) -> pyarrow.Schema:
        """Gives the columns that :meth:`score_batch` returns for rows with the columns of a schema of Arrow's.

        Raises:
            DataError: If a column is not there, or of another type.
            UsageError: As :meth:`score_batch`.
        """
        import pyarrow

        _check_measures(label_free, measures)

        return pyarrow.schema(self._inner.scored_columns(schema, listed(measures), label_free))

    def save(self, path: PathLike) -> None:
        """Writes the estimator to a ``.safetensors`` file, which :func:`load` and the command read."""
        self._inner.save(os.fspath(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._inner.to_bytes(),)

    def __repr__(self) -> str:
        about = self.description
        return f"<lsmi.Estimator: {about['dims']} columns, {len(self.classes)} classes, fitted on {about['rows']} rows>"


def _unpickled(content: bytes) -> Estimator:
    return Estimator(_lsmi.Estimator.of_bytes(content, "the pickled estimator", "auto"))


def _check_measures(label_free: bool, measures: Sequence[str]) -> None:
    if label_free and measures:
        raise UsageError("measures= need labels; leave them out, or leave out label_free=True")


def load(path: PathLike, *, device: str = "auto") -> Estimator:
    """Reads an estimator that was saved by :meth:`Estimator.save`, ``lsmi analyze`` or ``lsmi fit``.

    Args:
        path: The file, or the directory of an analysis.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``metal``.

    Raises:
        DataError: If there is no such file, or it is no estimator.
    """
    place = Path(path)
    return Estimator(_lsmi.Estimator.read(place / "estimator.safetensors" if place.is_dir() else place, device))
