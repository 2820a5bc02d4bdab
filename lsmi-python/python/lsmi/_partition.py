"""Lists of the samples that are high, in the middle and low in an interaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _lsmi
from ._analysis import Analysis
from .errors import UsageError


@dataclass(frozen=True)
class Partition:
    """Samples by an interaction.

    Attributes:
        high: Ids of the samples that are high, in the order of the samples.
        middle: Ids of those between.
        low: Ids of the samples that are low.
        bounds: The value up to which samples are low and the one from which on they are high, in nats; ``None`` where each
            class has its own.
    """

    high: list[str]
    middle: list[str]
    low: list[str]
    bounds: tuple[float, float] | None


def partition(
    analysis: Analysis,
    *,
    by: str = "s",
    fraction: float | None = None,
    threshold: tuple[float, float] | None = None,
    balanced: bool = False,
    split: str = "train",
) -> Partition:
    """Divides samples by an interaction, as ``lsmi partition`` does.

    Args:
        analysis: Where the samples are.
        by: The column: ``r``, ``u1``, ``u2`` or ``s``, or that of another measure, such as ``s_ccs``.
        fraction: The share of the samples in each of high and low, above 0 and at most 0.5.
        threshold: Instead: low up to the first value, high from the second, in nats.
        balanced: Whether every class gives the same share of its samples.
        split: The split whose samples are divided; the only one where there is but one.

    Raises:
        UsageError: If the column or the split is not there, or not one of ``fraction`` and ``threshold`` is given.
    """
    if (fraction is None) == (threshold is None):
        raise UsageError("say where to draw the lines, with either fraction= or threshold=")
    splits = list(dict.fromkeys(analysis.samples["split"]))
    samples = analysis.samples.split(splits[0] if len(splits) == 1 else split)
    if by not in samples or isinstance(samples[by], list):
        raise UsageError(f"there is no interaction `{by}`; for another measure than that of the fit, analyze with measures=")
    labels = _numbers(samples["label"]) if balanced else None
    values = np.ascontiguousarray(samples[by], dtype=np.float64)
    found: dict[str, Any] = _lsmi.partition(values, labels, fraction, threshold)
    lists = ([samples["id"][row] for row in found[name]] for name in ("high", "middle", "low"))
    high, middle, low = lists
    return Partition(high, middle, low, found["bounds"])


def _numbers(labels: list[str]) -> npt.NDArray[np.uint32]:
    _, numbers = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    return np.ascontiguousarray(numbers, dtype=np.uint32)
