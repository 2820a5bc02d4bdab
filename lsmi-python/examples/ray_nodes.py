"""Scores a million rows on a Ray cluster of two nodes on this machine, and holds them against one process of the command.

    python ray_nodes.py [--rows 1000000] [--dims 64] [--kill]

The rows are Parquet files in a temporary directory, which stands for a shared path. With ``--kill`` one node is killed when an
eighth of the result is written. Needs ``lsmi``, ``ray[data]`` and ``pyarrow``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from ray.cluster_utils import Cluster

import lsmi
import lsmi.ray

FILES = 40


def write_rows(place: Path, rows: int, dims: int) -> None:
    """Fits an estimator on 4,000 samples of three classes, and writes noisy copies of them as rows to score."""
    known = lsmi.simulate("gauss", 4000, dims=dims, classes=3, seed=1)
    lsmi.analyze(known["x1"], known["x2"], known["y"], repeats=1, progress=False).estimator.save(place / "estimator.safetensors")
    random, each = np.random.default_rng(0), rows // FILES
    (place / "features").mkdir()
    whole = None
    for file in range(FILES):
        drawn = random.integers(0, 4000, each)
        columns: dict[str, Any] = {"id": np.arange(file * each, (file + 1) * each)}
        for name in ("x1", "x2"):
            values = (known[name][drawn] + random.normal(0, 0.3, (each, dims))).astype(np.float32)
            lengths = np.arange(0, each * dims + 1, dims, dtype=np.int32)
            columns[name] = pa.ListArray.from_arrays(lengths, values.ravel())
        part = pa.table({**columns, "y": known["y"][drawn]})
        pq.write_table(part, place / "features" / f"{file:03}.parquet")
        whole = whole or pq.ParquetWriter(place / "features.parquet", part.schema)
        whole.write_table(part)
    if whole:
        whole.close()


def by_command(place: Path, threads: int) -> tuple[float, float]:
    """Scores the one file by the command; gives seconds of the clock and of the processors."""
    command = [sys.executable, "-m", "lsmi", "score", "features.parquet", "--estimator", "estimator.safetensors"]
    begun, before = time.perf_counter(), os.times()
    subprocess.run([*command, "--out", "one.parquet", "--threads", str(threads), "--quiet", "--force"], cwd=place, check=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begun, spent


def by_ray(place: Path, files: str, workers: int, cluster: Cluster | None, out: str) -> float:
    """Scores files by Ray; gives seconds. With a cluster, its second node is killed in the middle."""

    def kill() -> None:
        while len([*place.glob(f".{out}.*/*.parquet")]) < FILES // 8:
            time.sleep(0.05)
        print("a node is killed", flush=True)
        assert cluster is not None
        cluster.remove_node([*cluster.worker_nodes][0], allow_graceful=False)
        killed.set()

    killed = threading.Event()
    if cluster is not None:
        threading.Thread(target=kill, daemon=True).start()
    begun = time.perf_counter()
    scored = ray.data.read_parquet(str(place / files)).map_batches(
        lsmi.ray.Scorer,
        fn_constructor_args=[lsmi.EstimatorFile(place / "estimator.safetensors")],
        batch_format="pyarrow",
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    lsmi.ray.write(scored, place / out)
    seconds = time.perf_counter() - begun
    assert cluster is None or killed.wait(10), "no node was killed"
    return seconds


def check(place: Path, out: str, rows: int) -> None:
    """Compares with the command's output, by id, bit for bit."""
    found, one = pq.read_table(place / out).sort_by("id"), pq.read_table(place / "one.parquet")
    assert found.num_rows == rows, found.num_rows
    assert found["id"].to_pylist() == list(range(rows)), "ids"
    # The command names rows by text, in the order of the file.
    for name in ("h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s", "kind"):
        assert found[name].combine_chunks().equals(one[name].combine_chunks()), name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    rows, cores = options.rows // FILES * FILES, os.cpu_count() or 1
    print(f"lsmi {lsmi.__version__}, ray {ray.__version__}, Python {platform.python_version()}, {cores} cores")
    with TemporaryDirectory(prefix="lsmi-") as directory:
        place = Path(directory)
        write_rows(place, rows, options.dims)
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        # Both nodes together run a worker for each core; the further processors let Ray read and write beside them.
        node = {"num_cpus": cores + 1, "object_store_memory": 1_000_000_000}
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        ray.data.DataContext.get_current().enable_progress_bars = False
        # The first job of a cluster starts processes that later ones find.
        by_ray(place, "features/000.parquet", cores, None, "first")
        for repeat in range(options.repeats):
            one, spent = by_command(place, cores)
            # What starting workers takes, with few rows.
            start = by_ray(place, "features/000.parquet", cores, None, f"few-{repeat}")
            seconds = by_ray(place, "features", cores, None, f"scores-{repeat}")
            check(place, f"scores-{repeat}", rows)
            rate = (rows - rows // FILES) / (seconds - start)
            print(
                f"{rows} rows of {options.dims} + {options.dims}: one process {one:.1f} s ({rows / one:.0f} rows/s, "
                f"{spent:.1f} s of processors); Ray {seconds:.1f} s, {start:.1f} s of them to start, then {rate:.0f} rows/s: "
                f"{rate * one / rows:.2f} of one process, {one / seconds:.2f} with the start",
                flush=True,
            )
        if options.kill:
            # A block a file, so that there is a middle.
            context = ray.data.DataContext.get_current()
            context.target_min_block_size = context.target_max_block_size = 1_000_000
            seconds = by_ray(place, "features", cores, cluster, "scores-killed")
            check(place, "scores-killed", rows)
            print(f"a node killed in the middle: {seconds:.1f} s, all rows there, none twice, the same bits", flush=True)
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
