"""Scores and embeds on many machines with Ray Data.

Workers of ``map_batches`` that load an estimator, or encoders, once a process:

    ds = ray.data.read_parquet("/shared/features")
    scored = ds.map_batches(
        lsmi.ray.Scorer,
        fn_constructor_args=[lsmi.EstimatorFile("/shared/estimator.safetensors")],
        batch_format="pyarrow",
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=64),
    )
    lsmi.ray.write(scored, "/shared/scores")

The package must be installed wherever a worker runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow
from pyarrow import parquet

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

    def __init__(self, estimator: EstimatorLike, *, label_free: bool = False, measures: Sequence[str] = ()) -> None:
        """Takes an estimator, which is loaded at the first batch.

        Args:
            estimator: An :class:`lsmi.EstimatorFile`, which is made on the driver and refuses a file that was replaced since; an
                absolute path that every worker can read, without that check; or an estimator, whose bytes then travel to every
                worker.
            label_free: Whether to give expectations over labels, as :meth:`lsmi.Estimator.score_batch` does.
            measures: Further measures to decompose by, such as ``ccs``; not with ``label_free``.
        """
        self._estimator = estimator
        self._label_free = label_free
        self._measures = measures

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Scores a batch.

        Raises:
            DataError: If this machine cannot read the file, or it was replaced; if a column or a value cannot be used, naming
                column, row of the batch and id.
            UsageError: If the batch is not of Arrow's.
        """
        _check(batch)
        # An error in the constructor would be told as one of Ray's own.
        self._estimator = loaded(portable(self._estimator))
        scored = self._estimator.score_batch(batch, label_free=self._label_free, measures=self._measures)
        return pyarrow.Table.from_batches([scored])


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
            UsageError: If the batch is not of Arrow's.
        """
        _check(batch)
        return pyarrow.Table.from_batches([self._encoders.embed_batch(batch)])


def _check(batch: object) -> None:
    if isinstance(batch, Mapping):
        raise UsageError("batches come as dictionaries", hint='map_batches(..., batch_format="pyarrow") gives those of Arrow\'s')


def write(dataset: Dataset, path: PathLike) -> None:
    """Computes a data set and writes it as Parquet: what is written is there as a whole, or not at all.

    Rows do not keep their order; ids tell which they are.

    Args:
        dataset: The data set.
        path: What is not there yet, on a path that the driver and all nodes share: a directory, or, where it ends in
            ``.parquet``, one file, which the driver puts together. A data set without rows makes an empty directory.

    Raises:
        UsageError: If it is there, or no path of a file system; if a ``.parquet`` would have no rows.
        OSError: If the file system refuses.
    """
    if "://" in os.fspath(path):
        raise UsageError(f"{path}: is no path of a file system; write there with dataset.write_parquet")
    # Workers may run in another directory.
    place = Path(os.path.abspath(path))
    if place.exists():
        raise UsageError(f"{place}: is there already; name another, or remove it")
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.stem}.{uuid4().hex}")
    joined = place.with_name(f".{place.stem}.{uuid4().hex}.parquet")
    try:
        # A data set without rows writes nothing.
        unfinished.mkdir()
        # A node that does not share the path must fail, rather than make a directory of its own.
        dataset.write_parquet(os.fspath(unfinished), try_create_dir=False)
        if place.suffix == ".parquet":
            _join(sorted(unfinished.glob("*.parquet")), joined)
            joined.rename(place)
        else:
            unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        joined.unlink(missing_ok=True)


def _join(files: Sequence[Path], joined: Path) -> None:
    """Puts the row groups of files into one."""
    if not files:
        raise UsageError("there are no rows to write")
    with parquet.ParquetWriter(joined, parquet.read_schema(files[0])) as writer:
        for file in files:
            source = parquet.ParquetFile(file)
            for group in range(source.num_row_groups):
                writer.write_table(source.read_row_group(group))
