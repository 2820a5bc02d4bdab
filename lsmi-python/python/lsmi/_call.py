"""The command ``lsmi`` as a function: experiments and conversions run in a process of their own, as they own its signals."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from .errors import DataError, LsmiError, UsageError

#: The exit status of the command for wrong usage, and for data that cannot be used.
_USAGE, _DATA = 2, 3


def words(options: dict[str, Any]) -> list[str]:
    """Writes keyword arguments as options: ``top=5`` is ``--top 5``, ``fusion=True`` is ``--fusion``, ``None`` is left out."""
    listed: list[str] = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            listed.append(option)
        elif isinstance(value, (list, tuple)):
            listed += [option, ",".join(str(item) for item in value)]
        else:
            listed += [option, str(value)]
    return listed


def call(arguments: Iterable[str], *, is_json: bool = True) -> Any:
    """Runs the command and returns what it prints as JSON.

    Raises:
        UsageError: For wrong arguments.
        DataError: For data that cannot be used.
        LsmiError: For everything else.
    """
    command = [sys.executable, "-m", "lsmi", *arguments, "--quiet", *(["--json"] if is_json else [])]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise _error(done.returncode, done.stderr)
    return json.loads(done.stdout) if is_json else None


def _error(status: int, printed: str) -> LsmiError:
    lines = [line for line in printed.splitlines() if line and not line.startswith(("For more information", "warning: "))]
    hints = [line.removeprefix("  hint: ") for line in lines if line.startswith("  hint: ")]
    message = "\n".join(line for line in lines if not line.startswith("  hint: ")).removeprefix("error: ")
    hint = as_keywords(hints[0]) if hints else None
    if status == _DATA:
        return DataError(message, hint=hint)
    if status == _USAGE:
        return UsageError(as_keywords(message), hint=hint)
    return LsmiError(message or f"the command ended with status {status}", hint=hint)


def as_keywords(text: str) -> str:
    """Writes options in a text as arguments: ``--missing drop`` is ``missing="drop"``."""

    def keyword(match: re.Match[str]) -> str:
        name, value = match[1].replace("-", "_"), match[2]
        return f'{name}="{value}"' if value else f"{name}="

    return re.sub(r"--([a-z][a-z0-9-]*)(?: ([a-z]+)(?=[;,.]|$))?", keyword, text)
