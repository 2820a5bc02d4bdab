"""The command as an entry point: its output, exit status, messages, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lsmi

from .conftest import Arrays


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lsmi", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_version_usage_and_data(tmp_path: Path) -> None:
    for words, status, expected in [
        (["--version"], 0, f"lsmi {lsmi.__version__}"),
        (["simulate", "no-such-family"], 2, "no-such-family"),
        (["check", tmp_path / "nowhere.npz"], 3, "no such file"),
    ]:
        process = start(*words)
        out, err = process.communicate()
        assert process.returncode == status and expected in out + err, (words, out, err)


def test_ctrl_c_ends_the_command_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "samples.safetensors"
    start("simulate", "mixed", "--n", 20_000, "--out", file).communicate()
    process = start("analyze", file, "--out", tmp_path / "result", "--repeats", 20)
    # Long enough for a busy machine to have begun, and far from the end.
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    process.communicate(timeout=20)
    assert process.returncode == 130 and time.monotonic() - begun < 1
    assert os.listdir(tmp_path) == ["samples.safetensors"]


INTERRUPTED = """
import os, signal, sys, threading, time, lsmi
data = lsmi.simulate("mixed", 20_000)
began = []
def later():
    time.sleep(1.5); began.append(time.monotonic()); os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later).start()
try:
    lsmi.analyze(data["x1"], data["x2"], data["y"], repeats=20, progress=False)
except KeyboardInterrupt:
    print(time.monotonic() - began[0])
else:
    print("not interrupted")
"""


def test_ctrl_c_in_a_function_is_a_keyboard_interrupt_within_a_second() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1


def test_the_lock_is_released(data: Arrays) -> None:
    import threading

    counted = [0]
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    begun = time.monotonic()
    lsmi.analyze(data["x1"], data["x2"], data["y"], repeats=1, threads=1, progress=False)
    took = time.monotonic() - begun
    stop.set()
    thread.join()
    # Were the lock held, the thread would have counted no further than one switch.
    assert counted[0] > 50 * min(took, 1)
