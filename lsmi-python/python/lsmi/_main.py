"""The command ``lsmi``: the same program as the native one."""

from __future__ import annotations

import signal
import sys

from . import _lsmi


def main() -> int:
    """Runs the command with the process's own arguments, and returns the exit status."""
    # Python would only note a signal and let the command go on; it has handlers of its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _lsmi.run(["lsmi", *sys.argv[1:]])
