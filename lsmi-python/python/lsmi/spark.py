"""Scores on many machines with Spark, or with whatever has its ``mapInArrow``, such as Sail.

    scored = lsmi.spark.score(spark.read.parquet("/shared/features"), lsmi.EstimatorFile("/shared/estimator.safetensors"))
    scored.write.parquet("/shared/scores")

The package must be installed wherever an executor runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ._handles import EstimatorLike, loaded, portable

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

__all__ = ["score", "score_batches"]

#: The columns that are read.
_READ = ("id", "x1", "x2", "y", "logits1", "logits2", "logits12")


def score(
    df: DataFrame, estimator: EstimatorLike, *, label_free: bool = False, measures: Sequence[str] = ()
) -> DataFrame:
    """Scores the rows of a data frame.

    Columns in and out are those of :meth:`lsmi.Estimator.score_batch`: ``id``, ``x1`` and ``x2`` (arrays of numbers; of vectors of
    Spark ML, ``vector_to_array`` makes such), ``y``, and logits where the estimator was fitted with some. Rows keep their ids,
    and their values do not depend on how they are partitioned.

    Args:
        df: A data frame of Spark, or of an engine with its interface.
        estimator: An :class:`lsmi.EstimatorFile`, which refuses a file that was replaced since; a path, of which one is made
            here; or an estimator, whose bytes then travel with the tasks. The driver loads it too.
        label_free: Whether to give expectations over labels; ``y`` need not be there then.
        measures: Further measures to decompose by, such as ``ccs``; not with ``label_free``.

    Returns:
        A data frame that is computed when it is asked for.

    Raises:
        DataError: If the estimator cannot be read, or a column is not there or of another type; on the executors, if a value
            cannot be used, naming column and row of the batch.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    # What is not read need not travel, nor be of a type that Arrow has.
    read = [name for name in df.columns if name in _READ]
    if {"id", "x1", "x2"} <= set(read):
        df = df.select(*read)
    carried = portable(estimator)
    schema = loaded(carried).output_schema(to_arrow_schema(df.schema), label_free=label_free, measures=measures)

    def run(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        return score_batches(batches, carried, label_free=label_free, measures=measures)

    return df.mapInArrow(run, from_arrow_schema(schema))


def score_batches(
    batches: Iterable[pyarrow.RecordBatch],
    estimator: EstimatorLike,
    *,
    label_free: bool = False,
    measures: Sequence[str] = (),
) -> Iterator[pyarrow.RecordBatch]:
    """Scores record batches one after the other: the body of ``mapInArrow``, for engines that are not Spark.

    Args:
        batches: Batches as :meth:`lsmi.Estimator.score_batch` takes them.
        estimator: As for :func:`score`; it is loaded once a process. A path is read and hashed at every call: give a handle.
        label_free: As for :func:`score`.
        measures: As for :func:`score`.

    Yields:
        The scored batches, in their order.

    Raises:
        DataError: As :meth:`lsmi.Estimator.score_batch`.
    """
    model = loaded(portable(estimator))
    for batch in batches:
        yield model.score_batch(batch, label_free=label_free, measures=measures)
