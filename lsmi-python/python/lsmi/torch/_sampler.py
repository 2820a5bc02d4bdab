"""Sampling by interactions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Sampler

from lsmi.errors import DataError, UsageError
from lsmi.torch._columns import Columns, Source
from lsmi.torch._ids import Ids, names_of


class WeightedSampler(Sampler[int]):
    """Draws rows in proportion to an interaction: ``max(value, 0) + floor``.

    For a ``DataLoader``: ``DataLoader(dataset, batch_size=64, sampler=WeightedSampler(analysis, ids=dataset.ids))``. What is
    learned is then the distribution that the drawing makes, with its own share of classes, and no longer that of the data.
    Under ``torch.distributed`` give each process a generator with a seed of its own, and its part of ``num_samples``.

    Args:
        a: Scored samples: an analysis, columns by name, or the path of a folder that ``lsmi analyze`` wrote.
        by: The value: a column such as ``"s"`` or ``"u1"``, or an interaction by another measure, such as ``"s_ccs"``, which is
            computed from the terms where there is no such column. In nats.
        num_samples: Rows drawn an epoch; by default as many as there are.
        replacement: Whether a row may be drawn more than once an epoch.
        generator: The source of randomness; by default torch's own.
        floor: What is added to every value, in nats, at least 0: how often samples without the interaction are drawn.
        split: The split that rows are of; ``None`` takes all.
        ids: The ids of the data set's rows, in their order; by default rows are those of the split in the analysis.

    Raises:
        UsageError: An argument is out of range.
        DataError: A column or a sample is missing, or no row can be drawn.
    """

    def __init__(
        self,
        a: Source,
        by: str = "s_ccs",
        num_samples: int | None = None,
        replacement: bool = True,
        generator: torch.Generator | None = None,
        floor: float = 0.05,
        *,
        split: str | None = "train",
        ids: Ids | None = None,
    ) -> None:
        if not 0.0 <= floor < float("inf"):
            raise UsageError(f"floor={floor}: it must be at least 0")
        columns = Columns.read(a, split)
        values = columns.part(by)
        row = next((row for row, value in enumerate(values) if not np.isfinite(value)), None)
        if row is not None:
            raise DataError(f"`{by}` of the sample `{columns.ids[row]}` is {values[row]}", array=by, row=row)
        if ids is not None:
            values = _in_order(values, columns.ids, names_of(ids))
        weights = np.maximum(values, 0.0) + floor
        self.weights = torch.as_tensor(weights, dtype=torch.float64)
        self.num_samples = len(weights) if num_samples is None else num_samples
        self.replacement = replacement
        self.generator = generator
        drawable = int(np.count_nonzero(weights))
        if self.num_samples < 1:
            raise UsageError(f"num_samples={num_samples}: it must be at least 1")
        if drawable == 0 or (not replacement and drawable < self.num_samples):
            needed = 1 if replacement else self.num_samples
            raise DataError(
                f"`{by}` is above 0 for {drawable} samples where {needed} are needed",
                array=by,
                hint="draw the others too with floor=, or fewer with num_samples=",
            )

    def __iter__(self) -> Iterator[int]:
        """Draws the rows of an epoch."""
        drawn = torch.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        """Counts the rows of an epoch."""
        return self.num_samples


def _in_order(values: np.ndarray[tuple[int], np.dtype[np.float64]], known: list[str], ids: list[str]) -> np.ndarray[
    tuple[int], np.dtype[np.float64]
]:
    rows = {name: row for row, name in enumerate(known)}
    missing = next((name for name in ids if name not in rows), None)
    if missing is not None:
        raise DataError(f"there is no value of the sample `{missing}`", hint="choose another split with split=")
    return values[[rows[name] for name in ids]]
