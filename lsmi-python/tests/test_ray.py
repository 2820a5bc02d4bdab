"""Scoring and embedding with Ray Data on a cluster of two nodes, of which one ends in the middle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lsmi
from lsmi import _lsmi

from . import encoders

ray = pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
lsmi_ray = pytest.importorskip("lsmi.ray")

ROWS, FILES = 40_000, 40
#: Enough for the workers of one node, and reading and writing beside them.
PROCESSORS = 3


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    node = {"num_cpus": PROCESSORS, "object_store_memory": 200_000_000}
    nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    nodes.add_node(**node)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="error")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # Left to itself Ray reads small files as one block.
    context.target_min_block_size = context.target_max_block_size = 10_000
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture
def shared(tmp_path: Path, analysis: lsmi.Analysis) -> Path:
    """A directory with an estimator and rows to score, as two nodes share it."""
    analysis.estimator.save(tmp_path / "estimator.safetensors")
    (tmp_path / "features").mkdir()
    data, each = lsmi.simulate("gauss", ROWS, dims=3, classes=2, seed=5), ROWS // FILES
    for file in range(FILES):
        part = slice(file * each, (file + 1) * each)
        columns = {name: list(data[name][part].astype(np.float32)) for name in ("x1", "x2")}
        ids = [f"s{row}" for row in range(part.start, part.stop)]
        pq.write_table(pa.table({"id": ids, **columns, "y": data["y"][part]}), tmp_path / "features" / f"{file:03}.parquet")
    return tmp_path


def scored(shared: Path, estimator: Any, source: str = "features") -> Any:
    return ray.data.read_parquet(str(shared / source)).map_batches(
        lsmi_ray.Scorer, fn_constructor_args=[estimator], batch_format="pyarrow", batch_size=100, num_cpus=1, compute=ray.data.ActorPoolStrategy(size=2)
    )


def by_id(directory: Path) -> Any:
    return pq.read_table(directory).sort_by("id")


def test_errors_are_named_and_nothing_is_half_written(cluster: Any, shared: Path) -> None:
    path = shared / "estimator.safetensors"

    def refused(dataset: Any, *words: str) -> None:
        with pytest.raises(Exception) as caught:
            lsmi_ray.write(dataset, shared / "scores")
        assert all(word in str(caught.value) for word in words), str(caught.value)
        assert not [*shared.glob("*scores*")]

    rows = pq.read_table(shared / "features" / "003.parquet").to_pylist()
    rows[7]["x1"][1] = float("nan")
    (shared / "bad").mkdir()
    for place, part in enumerate((rows[500:], rows[:500])):
        pq.write_table(pa.Table.from_pylist(part), shared / "bad" / f"{place}.parquet")
    refused(scored(shared, lsmi.EstimatorFile(path), "bad"), "DataError", "`x1` is NaN at row ", "(id `s3007`), place 1")

    handle = lsmi.EstimatorFile(path)
    path.write_bytes(path.read_bytes() + b" ")
    refused(scored(shared, handle), "DataError", "was replaced: its SHA-256 is", "on host")
    path.unlink()
    refused(scored(shared, handle), "DataError", "No such file or directory on host")


def test_what_is_written_is_a_directory_or_a_file(cluster: Any, tmp_path: Path) -> None:
    rows = ray.data.range(1000)
    lsmi_ray.write(rows.filter(lambda row: row["id"] < 0), tmp_path / "none")
    assert [*(tmp_path / "none").iterdir()] == []
    lsmi_ray.write(rows, tmp_path / "rows.parquet")
    assert sorted(pq.read_table(tmp_path / "rows.parquet")["id"].to_pylist()) == [*range(1000)]
    with pytest.raises(lsmi.UsageError, match="no path of a file system"):
        lsmi_ray.write(rows, "s3://bucket/rows")
    with pytest.raises(lsmi.UsageError, match='batch_format="pyarrow"'):
        lsmi_ray.Scorer(lsmi.Estimator)({"id": [1]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["none", "rows.parquet"]


def test_two_nodes_embed_a_table(cluster: Any, tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 2000, unreadable=1500)
    found = lsmi.Encoders(**models, directory=tmp_path, on_error="keep")
    (tmp_path / "table").mkdir()
    for file in range(10):
        part = {name: values[file * 200 : (file + 1) * 200] for name, values in table.items()}
        pq.write_table(pa.table(part), tmp_path / "table" / f"{file}.parquet")
    embedded = ray.data.read_parquet(str(tmp_path / "table")).map_batches(
        lsmi_ray.Embedder, fn_constructor_args=[found], batch_format="pyarrow", batch_size=100, num_cpus=1, compute=ray.data.ActorPoolStrategy(size=2)
    )
    lsmi_ray.write(embedded, tmp_path / "features")
    result = by_id(tmp_path / "features")
    assert [row["id"] for row in result.select(["id", "error"]).to_pylist() if row["error"]] == ["row 1500"]
    one = pa.Table.from_batches([found.embed_batch(pa.record_batch(table))]).sort_by("id")
    assert result["x1"].null_count == 1
    whole = ray.data.read_parquet(str(tmp_path / "features")).map_batches(
        lambda batch: batch.filter(pa.compute.is_null(batch["error"])), batch_format="pyarrow"
    )
    lsmi_ray.write(whole, tmp_path / "features.parquet")
    ids = _lsmi.Table.of_file(tmp_path / "features.parquet").ids()
    assert ids is not None and len(ids) == 1999
    for name in ("x1", "x2"):
        here, there = (np.array(values[name].drop_null().to_pylist()) for values in (result, one))
        # Padding differs with the batch, which changes the last digits.
        assert here.shape == there.shape and np.allclose(here, there, rtol=1e-5, atol=1e-6)


# The last, as the node does not come back.
def test_the_result_is_that_of_one_machine_though_a_node_is_killed(cluster: Any, shared: Path) -> None:
    handle = lsmi.EstimatorFile(shared / "estimator.safetensors")
    killed = threading.Event()

    def kill() -> None:
        # Once some files are written, and long before all are.
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            if len([*shared.glob(".scores.*/*.parquet")]) >= 2:
                cluster.remove_node([*cluster.worker_nodes][0], allow_graceful=False)
                killed.set()
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    lsmi_ray.write(scored(shared, handle), shared / "scores")
    thread.join()
    assert killed.is_set()
    found = by_id(shared / "scores")
    assert found.num_rows == ROWS and len(set(found["id"].to_pylist())) == ROWS
    one = handle.load().score_batch(pq.read_table(shared / "features"))
    assert found.equals(pa.Table.from_batches([one]).sort_by("id"))
    assert not [*shared.glob(".scores*")]
    with pytest.raises(lsmi.UsageError, match="is there already"):
        lsmi_ray.write(scored(shared, handle), shared / "scores")
