"""Analyses over lags of sequences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._analysis import Analysis, PathLike

if TYPE_CHECKING:
    from .._lsmi import LagsAnalysis as _LagsAnalysis


class LagsAnalysis(Mapping[int, Analysis]):
    """The analysis of every lag, with a summary of all: what ``analyze(lags=...)`` gives.

    At lag k a sample is a step t of a sequence: x1 at t - k, x2 at t, and the label at t. Its id is ``ID@STEP``.

        >>> import lsmi, numpy as np
        >>> x1, x2 = np.random.default_rng(0).normal(size=(2, 40, 8, 1))
        >>> y = (np.roll(x1[:, :, 0], 1, axis=1) > 0).astype(int)
        >>> a = lsmi.analyze(x1, x2, y, lags=[0, 1], repeats=1)
        >>> bool(a[0].samples["i1"].mean() < 0.1 < a[1].samples["i1"].mean())
        True
    """

    def __init__(self, inner: _LagsAnalysis) -> None:
        self._inner = inner

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``: what all lags share, and the summary of each under ``lags``, by its number as text."""
        summary: dict[str, Any] = json.loads(self._inner.summary())
        return summary

    def table(self, split: str = "train") -> dict[str, list[Any]]:
        """A row for every lag, as columns: ``lag``, the informations, and adjusted means of the interactions in a split;
        ``pandas.DataFrame(a.table())`` shows it."""
        splits = {lag: analysis.summary["splits"][split] for lag, analysis in self.items()}
        columns: dict[str, list[Any]] = {"lag": list(splits)}
        columns |= {name: [of["information"][name] for of in splits.values()] for name in ("i1", "i2", "i12")}
        columns |= {name: [of["adjusted"][name] for of in splits.values()] for name in ("r", "u1", "u2", "s")}
        return columns

    @cached_property
    def _lags(self) -> dict[int, tuple[int, str]]:
        """The place and the directory of each lag."""
        return {lag: (place, directory) for place, (lag, directory) in enumerate(self._inner.lags())}

    @cached_property
    def _analyses(self) -> dict[int, Analysis]:
        return {}

    def __getitem__(self, lag: int) -> Analysis:
        if lag not in self._lags:
            raise KeyError(f"there is no lag {lag!r}, only {', '.join(map(str, self._lags))}")
        if lag not in self._analyses:
            self._analyses[lag] = Analysis(self._inner.analysis(self._lags[lag][0]))
        return self._analyses[lag]

    def __iter__(self) -> Iterator[int]:
        return iter(self._lags)

    def __len__(self) -> int:
        return len(self._lags)

    def write(self, directory: PathLike) -> None:
        """Writes ``summary.json``, and in ``lag-0/`` and so on ``samples.csv``, ``summary.json`` and ``estimator.safetensors`` of
        each lag, to the byte as the command ``lsmi analyze`` does, and ``report.html``.

        Raises:
            LsmiError: If the file system refuses; then there is none of them but reports.
        """
        self._inner.write(directory)
        for lag, (_, name) in self._lags.items():
            self[lag].report(Path(directory) / name / "report.html")

    def __repr__(self) -> str:
        table, lines = self.table(), ["<lsmi.LagsAnalysis>"]
        for row, lag in enumerate(table["lag"]):
            parts = "  ".join(f"{part.upper()} {table[part][row]:.3f}" for part in ("r", "u1", "u2", "s"))
            lines.append(f"lag {lag}, train, means in nats: {parts}")
        lines += [f"warning: {warning}" for warning in self.summary.get("warnings", [])]
        return "\n".join(lines)
