"""Data of the tests: small, simulated, the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lsmi

Arrays = dict[str, npt.NDArray[np.generic]]

#: Settings that keep a fit short.
QUICK = {"repeats": 1, "threads": 1, "seed": 3, "progress": False}


def command(*words: object) -> subprocess.CompletedProcess[str]:
    """Runs the command that the package brings."""
    return subprocess.run([sys.executable, "-m", "lsmi", *map(str, words)], capture_output=True, text=True, check=False)


def analyzed(file: Path, out: Path, *options: object) -> Path:
    """Analyses a file by the command, as quickly as QUICK; returns the directory."""
    quick = ["--repeats", 1, "--threads", 1, "--seed", 3, "--quiet"]
    done = command("analyze", file, "--out", out, *quick, *options)
    assert done.returncode == 0, done.stderr
    return out


def assert_same_files(one: Path, other: Path, names: list[str]) -> None:
    """Compares files of two directories byte by byte."""
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.fixture(scope="session")
def data() -> Arrays:
    """150 samples of two classes, three columns a modality."""
    return lsmi.simulate("gauss", 150, dims=3, classes=2, seed=1)


@pytest.fixture(scope="session")
def analysis(data: Arrays) -> lsmi.Analysis:
    """An analysis of them, with a second measure."""
    ids = [f"s{row}" for row in range(150)]
    return lsmi.analyze(data["x1"], data["x2"], data["y"], ids=ids, measures=["ccs"], **QUICK)


@pytest.fixture
def file(data: Arrays, tmp_path: Path) -> Path:
    """The samples as a feature file."""
    path = tmp_path / "samples.npz"
    np.savez(path, x1=data["x1"], x2=data["x2"], y=data["y"])
    return path


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, None]:
    """Fails a test that is left out where all packages are said to be there."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("LSMI_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"left out, though LSMI_NO_SKIPS is set: {report.longrepr}"
