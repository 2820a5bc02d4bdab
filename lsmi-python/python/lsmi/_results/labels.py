"""Analyses of several labels of the same samples."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._analysis import Analysis, PathLike, Samples

if TYPE_CHECKING:
    from .._lsmi import LabelsAnalysis as _LabelsAnalysis


class LabelsAnalysis(Mapping[str, Analysis]):
    """The analysis of every label by its name, with a summary of all: what ``analyze(target="labels")`` gives.

    Every label is analysed as one of two classes, ``0`` and ``1``, in the same folds and with the same densities.

        >>> import lsmi, numpy as np
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> y = {"sky": x[:, 0] > 0, "sea": x[:, 1] > 0}
        >>> a = lsmi.analyze(x[:, :1], x[:, 1:], y, target="labels", repeats=1)
        >>> bool(a["sky"].samples["u1"].mean() > 0.1 > a["sea"].samples["u1"].mean())
        True
    """

    def __init__(self, inner: _LabelsAnalysis) -> None:
        self._inner = inner

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``: what all labels share, ``table``, and the summary of each under ``labels``."""
        summary: dict[str, Any] = json.loads(self._inner.summary())
        return summary

    @cached_property
    def samples(self) -> Samples:
        """The samples of all labels, one label after the other; the column ``target`` has the name of the label."""
        return Samples(self._inner)

    @property
    def table(self) -> dict[str, list[Any]]:
        """A row for every label and split, as columns: ``label``, ``split``, ``rows``, ``positives``, the informations, and
        adjusted means of the interactions; ``pandas.DataFrame(a.table)`` shows it."""
        rows = self.summary["table"]
        columns = {name: [row[name] for row in rows] for name in ("label", "split", "rows", "positives")}
        columns |= {name: [row["information"][name] for row in rows] for name in ("i1", "i2", "i12")}
        columns |= {name: [row["adjusted"][name] for row in rows] for name in ("r", "u1", "u2", "s")}
        return columns

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self._inner.labels())}

    @cached_property
    def _analyses(self) -> dict[str, Analysis]:
        return {}

    def __getitem__(self, label: str) -> Analysis:
        if label not in self._labels:
            raise KeyError(f"there is no label `{label}`, only {', '.join(self._labels)}")
        if label not in self._analyses:
            self._analyses[label] = Analysis(self._inner.analysis(self._labels[label]))
        return self._analyses[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def write(self, directory: PathLike) -> None:
        """Writes ``samples.csv``, ``summary.json`` and, in ``labels/``, the estimator of each label, to the byte as the command
        ``lsmi analyze`` does.

        Raises:
            LsmiError: If the file system refuses; then the directory has none of them.
        """
        self._inner.write(os.fspath(directory))

    def __repr__(self) -> str:
        table, lines = self.table, ["<lsmi.LabelsAnalysis>"]
        for row, label in enumerate(table["label"]):
            parts = "  ".join(f"{part.upper()} {table[part][row]:.3f}" for part in ("r", "u1", "u2", "s"))
            counts = f"{table['positives'][row]} of {table['rows'][row]} samples"
            lines.append(f"{label}, {table['split'][row]}, {counts}, means in nats: {parts}")
        lines += [f"warning: {warning}" for warning in self.summary.get("warnings", [])]
        return "\n".join(lines)
