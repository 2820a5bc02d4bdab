"""Progress of long work: a callback of the user's, or a bar of tqdm's where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Union

#: ``True``: a bar, if tqdm is installed; ``None``: the same where somebody can see it; ``False``: nothing; or a function that
#: is called with the models fitted, the models to fit, what was just fitted, and its loss in nats.
Progress = Union[bool, None, Callable[[int, int, str, float], object]]


@contextmanager
def listener(progress: Progress) -> Iterator[Callable[[int, int, str, float], object] | None]:
    """Gives what is to be called at every step, if anything."""
    if callable(progress):
        yield progress
        return
    bar = _bar() if progress or (progress is None and _is_seen()) else None
    if bar is None:
        yield None
        return

    def move(done: int, total: int, what: str, loss: float) -> None:
        bar.total = total
        bar.set_postfix_str(f"loss {loss:.4f}  {what[:40]}", refresh=False)
        bar.update(done - bar.n)

    try:
        yield move
    finally:
        bar.close()


def _is_seen() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _bar() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(unit=" models", leave=False, dynamic_ncols=True)
