"""Analyses of more than two modalities."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .._analysis import PathLike, Samples

if TYPE_CHECKING:
    from .._lsmi import SeveralAnalysis as _SeveralAnalysis

Value = TypeVar("Value")


class OfSets(dict[tuple[str, ...], Value]):
    """Values of sets of modalities, by their names in the order of the modalities: ``("image", "text")``."""

    def __missing__(self, names: object) -> Value:
        raise KeyError(f"there is no set {names!r}; there are {', '.join(map(repr, self))}")


@dataclass(frozen=True)
class SeveralSplit:
    """Means over the samples of one split, in nats.

    Attributes:
        n: The number of samples.
        information: What each set of modalities tells about the label.
        pairs: What ``summary.json`` has of two modalities, for each pair: ``raw``, ``adjusted``, ``intervals`` and so on.
        redundancy: What all modalities tell alike; ``None`` where the measure needs heads that were not fitted.
        lattice: The 18 atoms of the redundancy lattice of three modalities, by their names, as in ``{12}{3}``; else empty.
        shapley: The Shapley value of each modality, where every set has a head; else empty.
        interaction: The interaction index of each pair, likewise.
        accuracy: The share of samples whose class the head of each set predicts.
    """

    n: int
    information: OfSets[float]
    pairs: OfSets[dict[str, Any]]
    redundancy: float | None
    lattice: dict[str, float]
    shapley: dict[str, float]
    interaction: OfSets[float]
    accuracy: OfSets[float]


class SeveralAnalysis:
    """Scored samples of more than two modalities with their summary: what ``analyze(modalities=...)`` gives.

    Sets of modalities are tuples of their names here. In ``summary`` and in the names of columns they are digits, the places of
    the modalities: the column ``i13`` is what the first and the third tell together, and ``u3_13`` what the third tells alone
    beside the first.

        >>> import lsmi, numpy as np
        >>> bits = np.random.default_rng(0).integers(0, 2, (240, 3))
        >>> rows = bits + np.random.default_rng(1).normal(0, 0.1, bits.shape)
        >>> parts = {"image": rows[:, :1], "text": rows[:, 1:2], "audio": rows[:, 2:]}
        >>> a = lsmi.analyze(modalities=parts, y=bits.sum(axis=1) % 2, repeats=1)
        >>> a.information["image", "text"] < 0.1 < a.lattice["{123}"]
        True
    """

    def __init__(self, inner: _SeveralAnalysis) -> None:
        self._inner = inner

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``; in nats."""
        summary: dict[str, Any] = json.loads(self._inner.summary())
        return summary

    @cached_property
    def samples(self) -> Samples:
        """The samples of all splits, ``train`` first, as columns: ``i1``, ..., ``r_12``, ..., ``redundancy``, and of three
        modalities the atoms, ``shapley1``, ... and ``interaction12``, ..."""
        return Samples(self._inner.samples())

    @property
    def modalities(self) -> list[str]:
        """The names of the modalities, in their order."""
        return list(self.summary["modalities"])

    @cached_property
    def splits(self) -> dict[str, SeveralSplit]:
        """The means of every split."""
        return {name: _split(self.modalities, split) for name, split in self.summary["splits"].items()}

    @property
    def information(self) -> OfSets[float]:
        """What each set of modalities tells, mean over the training rows."""
        return self.splits["train"].information

    @property
    def pairs(self) -> OfSets[dict[str, Any]]:
        """The summary of each pair of modalities, over the training rows."""
        return self.splits["train"].pairs

    @property
    def redundancy(self) -> float | None:
        """What all modalities tell alike, mean over the training rows."""
        return self.splits["train"].redundancy

    @property
    def lattice(self) -> dict[str, float]:
        """The atoms of three modalities, means over the training rows."""
        return self.splits["train"].lattice

    @property
    def shapley(self) -> dict[str, float]:
        """The Shapley value of each modality, mean over the training rows."""
        return self.splits["train"].shapley

    @property
    def interaction(self) -> OfSets[float]:
        """The interaction index of each pair, mean over the training rows."""
        return self.splits["train"].interaction

    def reading(self, split: str = "train") -> str | None:
        """Reads the lattice of a split in a sentence or two; ``None`` where there is no lattice."""
        return self._inner.reading(split)

    def write(self, directory: PathLike) -> None:
        """Writes ``samples.csv``, ``summary.json`` and ``estimator.safetensors``, to the byte as ``lsmi analyze`` does.

        Raises:
            LsmiError: If the file system refuses; then the directory has none of them.
        """
        self._inner.write(os.fspath(directory))

    def __repr__(self) -> str:
        lines = ["<lsmi.SeveralAnalysis>"]
        for name, split in self.splits.items():
            told = "  ".join(f"{'+'.join(names)} {value:.3f}" for names, value in split.information.items())
            lines.append(f"{name}, {split.n} samples, mean informations in nats: {told}")
            lines += filter(None, [self.reading(name)])
        lines += [f"warning: {warning}" for warning in self.summary.get("warnings", [])]
        return "\n".join(lines)


def _split(modalities: list[str], split: Mapping[str, Any]) -> SeveralSplit:
    def by_names(values: Mapping[str, Value], prefix: str = "") -> OfSets[Value]:
        named = (
            (tuple(modalities[int(digit) - 1] for digit in places.removeprefix(prefix)), value)
            for places, value in values.items()
        )
        return OfSets(named)

    return SeveralSplit(
        n=split["n"],
        information=by_names(split["information"], "i"),
        pairs=by_names(split["pairs"]),
        redundancy=split.get("redundancy"),
        lattice=dict(split.get("lattice", {})),
        shapley={modalities[int(place[1:]) - 1]: value for place, value in split.get("shapley", {}).items()},
        interaction=by_names(split.get("interaction", {})),
        accuracy=by_names(split["accuracy"]),
    )
