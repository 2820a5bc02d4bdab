"""Analyses of targets that are numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._analysis import PathLike, Samples
from ..errors import UsageError

if TYPE_CHECKING:
    from .._lsmi import ContinuousAnalysis as _ContinuousAnalysis


class Target:
    """The decomposition of the information about one target, or about several jointly."""

    def __init__(self, inner: _ContinuousAnalysis, place: int, summary: dict[str, Any]) -> None:
        self._inner = inner
        self._place = place
        #: What ``summary.json`` has of it: ``columns``, ``scales`` and ``splits``.
        self.summary = summary

    @property
    def splits(self) -> dict[str, dict[str, Any]]:
        """The means of every split: ``information``, ``raw``, ``adjusted``, ``r_squared``, ``nll``, ``pit``, ``intervals``."""
        return dict(self.summary["splits"])

    @cached_property
    def samples(self) -> Samples:
        """The samples of all splits as columns: the terms, ``r``, ``u1``, ``u2``, ``s``, ``target``, the predicted means ``pred1``,
        ``pred2``, ``pred12`` and the probability integral transforms ``pit1``, ``pit2``, ``pit12``."""
        return Samples(self._inner.samples(self._place))

    def __repr__(self) -> str:
        return "\n".join(["<lsmi.Target>", *_lines(self)])


class ContinuousAnalysis(Mapping[str, Target]):
    """The decomposition of every target by its name, with a summary: what ``analyze(target="continuous")`` gives.

    A single target is called ``y``, and so are several that are analysed jointly. Several one by one are called as the columns of
    ``y`` are, or ``y_0``, ``y_1``, ...

        >>> import lsmi, numpy as np
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> a = lsmi.analyze(x[:, :1], x[:, 1:], x[:, 0] + x[:, 1], target="continuous", repeats=1)
        >>> bool(a.samples["s"].mean() > 0.1)
        True
    """

    def __init__(self, inner: _ContinuousAnalysis, names: Sequence[str] | None) -> None:
        self._inner = inner
        self._names = names

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``; in nats."""
        summary: dict[str, Any] = json.loads(self._inner.summary())
        return summary

    @cached_property
    def _targets(self) -> dict[str, Target]:
        summaries = self.summary["targets"]
        numbered = ["y"] if len(summaries) == 1 else [f"y_{place}" for place in range(len(summaries))]
        is_named = self._names is not None and len(self._names) == len(summaries)
        names = self._names if is_named and self._names is not None else numbered
        return {name: Target(self._inner, place, of) for place, (name, of) in enumerate(zip(names, summaries))}

    def __getitem__(self, name: str) -> Target:
        try:
            return self._targets[name]
        except KeyError:
            raise KeyError(f"there is no target `{name}`, only {', '.join(self._targets)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    @property
    def only(self) -> Target:
        """The only decomposition.

        Raises:
            UsageError: If there are several.
        """
        if len(self) > 1:
            names = ", ".join(map(repr, self))
            raise UsageError(f"there are {len(self)} targets, each with a decomposition of its own: take one, {names}")
        return next(iter(self.values()))

    @property
    def samples(self) -> Samples:
        """The samples of the only decomposition; of several, take those of each: ``a["y_0"].samples``."""
        return self.only.samples

    def write(self, directory: PathLike) -> None:
        """Writes ``samples.csv``, or ``samples_0.csv``, ``samples_1.csv``, ..., and ``summary.json``, to the byte as the command
        ``lsmi analyze`` does.

        Raises:
            LsmiError: If the file system refuses; then the directory has none of them.
        """
        self._inner.write(os.fspath(directory))

    def __repr__(self) -> str:
        lines = ["<lsmi.ContinuousAnalysis>"]
        for name, target in self.items():
            lines += [f"{name}: {line}" for line in _lines(target)]
        lines += [f"warning: {warning}" for warning in self.summary.get("warnings", [])]
        return "\n".join(lines)


def _lines(target: Target) -> list[str]:
    lines = []
    for name, split in target.splits.items():
        parts = "  ".join(f"{part.upper()} {split['adjusted'][part]:.3f}" for part in ("r", "u1", "u2", "s"))
        explained = split["r_squared"]["joint"]
        lines.append(f"{name}, {split['n']} samples, means in nats: {parts}  (R squared {explained:.3f})")
    return lines
