"""Scores rows with Spark on two workers of this machine, of which one is killed, and provokes the errors that users meet.

    python spark_workers.py [--rows 200000]

Needs ``lsmi``, ``pyspark`` with ``pandas`` and ``pyarrow``, ``psutil``, and a Java runtime that Spark knows (17 or 21). The rows are
Parquet files in a temporary directory, which stands for a shared path.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
from pyspark.sql import DataFrame, SparkSession

import lsmi
import lsmi.spark

FILES, DIMS = 20, 16


def write_rows(place: Path, rows: int) -> None:
    """Fits an estimator on 2,000 samples of three classes, and writes noisy copies of them as rows to score."""
    known = lsmi.simulate("gauss", 2000, dims=DIMS, classes=3, seed=1)
    lsmi.analyze(known["x1"], known["x2"], known["y"], repeats=1, progress=False).estimator.save(place / "estimator.safetensors")
    random, each = np.random.default_rng(0), rows // FILES
    (place / "features").mkdir()
    for file in range(FILES):
        drawn = random.integers(0, 2000, each)
        columns: dict[str, Any] = {"id": [f"row {row}" for row in range(file * each, (file + 1) * each)]}
        for name in ("x1", "x2"):
            values = known[name][drawn] + random.normal(0, 0.3, (each, DIMS))
            columns[name] = list(values.astype(np.float32))
        pq.write_table(pa.table({**columns, "y": known["y"][drawn]}), place / "features" / f"{file:03}.parquet")


def executors() -> list[psutil.Process]:
    """Lists the processes of the workers."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "org.apache.spark.executor.CoarseGrainedExecutorBackend" in _words(child)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def refused(df: DataFrame, estimator: Any, out: Path, *words: str) -> None:
    """Scores and writes, which must fail with an error that has the words, and leave no result."""
    try:
        lsmi.spark.score(df, estimator).write.parquet(str(out))
    except Exception as error:
        text = str(error)
        assert all(word in text for word in words), text
        line = next(line for line in text.splitlines() if words[0] in line)
        print("refused:", line.strip(), flush=True)
        assert not (out / "_SUCCESS").exists() and not [*out.glob("part-*")]
    else:
        raise AssertionError(f"it was not refused: {words}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows // FILES * FILES
    os.environ["PYSPARK_PYTHON"] = sys.executable
    print(f"lsmi {lsmi.__version__}, pyspark {pyspark.__version__}, Python {platform.python_version()}")
    with TemporaryDirectory(prefix="lsmi-") as directory:
        place = Path(directory)
        write_rows(place, rows)
        builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
        spark = builder.config("spark.worker.dir", str(place / "work")).getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
        df = spark.read.parquet(str(place / "features"))
        handle = lsmi.EstimatorFile(place / "estimator.safetensors")

        def kill() -> None:
            while len([*(place / "scores").rglob("part-*.parquet")]) < 3:
                time.sleep(0.05)
            found = executors()
            print(f"{len(found)} workers; process {found[0].pid} is killed", flush=True)
            found[0].kill()

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        begun = time.perf_counter()
        lsmi.spark.score(df.repartition(40), handle).write.parquet(str(place / "scores"))
        seconds = time.perf_counter() - begun
        thread.join(timeout=1)
        assert not thread.is_alive()
        found = pq.read_table(place / "scores").sort_by("id")
        one = handle.load().score_batch(pq.read_table(place / "features"))
        assert found.equals(pa.Table.from_batches([one]).sort_by("id").cast(found.schema))
        print(f"{rows} rows in {seconds:.1f} s: all there, none twice, the bits of one machine", flush=True)

        bad = pq.read_table(place / "features" / "003.parquet").slice(0, 100).to_pylist()
        bad[57]["x2"][3] = float("nan")
        pq.write_table(pa.Table.from_pylist(bad), place / "bad.parquet")
        words = ("`x2` is NaN at row 57", f"(id `{bad[57]['id']}`), place 3")
        refused(spark.read.parquet(str(place / "bad.parquet")), handle, place / "bad", *words)
        path = Path(handle.path)
        moved = path.with_suffix(".moved")
        # The driver has loaded it, and so may a worker have; others have not.
        other = lsmi.EstimatorFile(path)
        other.device = "cpu"
        other.load()
        path.rename(moved)
        refused(df, other, place / "unreadable", "No such file or directory on host")
        path.write_bytes(moved.read_bytes() + b" ")
        refused(df, other, place / "replaced", "was replaced: its SHA-256 is")
        spark.stop()


if __name__ == "__main__":
    main()
