"""Scores and embeds on many machines with Ray Data.

Workers of ``map_batches`` that load an estimator, or encoders, once a process:

    ds = ray.data.read_parquet("/shared/features")
    scored = ds.map_batches(
        lsmi.ray.Scorer,
        fn_constructor_args=["/shared/estimator.safetensors"],
        batch_format="pyarrow",
        num_cpus=1,
        concurrency=(1, 64),
    )
    lsmi.ray.write(scored, "/shared/scores")

The package must be installed wherever a worker runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow

from ._analysis import PathLike
from ._encoders import Encoders
from ._handles import EstimatorLike, loaded, portable
from .errors import UsageError

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["Embedder", "Scorer", "write"]


class Scorer:
    """A worker that scores batches: a class for ``Dataset.map_batches`` with ``batch_format="pyarrow"``.

    Columns in and out are those of :meth:`lsmi.Estimator.score_batch`. It uses one thread, so ``num_cpus=1`` is right.
    """

    def __init__(self, estimator: EstimatorLike, *, measures: Sequence[str] = ()) -> None:
        """Loads the estimator.

        Args:
            estimator: An :class:`lsmi.EstimatorFile`, which is made on the driver and refuses a file that was replaced since; a
                path; or an estimator, whose bytes then travel to every worker.
            measures: Further measures to decompose by, such as ``ccs``.

        Raises:
            DataError: If this machine cannot read the file, or it was replaced.
        """
        self._estimator = loaded(portable(estimator))
        self._measures = measures

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Scores a batch.

        Raises:
            DataError: If a column or a value cannot be used; it names column and row of the batch.
        """
        return pyarrow.Table.from_batches([self._estimator.score_batch(batch, measures=self._measures)])


class Embedder:
    """A worker that embeds batches: a class for ``Dataset.map_batches`` with ``batch_format="pyarrow"``.

    Columns in and out are those of :meth:`lsmi.Encoders.embed_batch`. Give it as many ``num_cpus`` as the encoders have threads,
    or ``num_gpus=1`` where they compute on one.
    """

    def __init__(self, encoders: Encoders) -> None:
        """Takes encoders, which are loaded at the first batch.

        Args:
            encoders: The encoders; their names and hashes travel, and every machine finds the files of the models under the
                same paths, or in its cache of the hub.
        """
        self._encoders = encoders

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Embeds a batch.

        Raises:
            DataError: If an encoder cannot be had, or a row cannot be embedded; it names row and id.
        """
        return pyarrow.Table.from_batches([self._encoders.embed_batch(batch)])


def write(dataset: Dataset, directory: PathLike) -> None:
    """Computes a data set and writes it as Parquet: the directory is there as a whole, or not at all.

    Args:
        dataset: The data set.
        directory: A directory that is not there yet, on a path that the driver and all nodes share.

    Raises:
        UsageError: If the directory is there.
    """
    place = Path(directory)
    if place.exists():
        raise UsageError(f"{place}: is there already; name another directory, or remove it")
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.{uuid4().hex}")
    try:
        dataset.write_parquet(os.fspath(unfinished))
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
