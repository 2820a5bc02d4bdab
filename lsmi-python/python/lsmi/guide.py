"""Experiments that ask, of your own features, whether training by interactions helps.

Each function runs ``lsmi guide`` with its controls, over seeds, with paired intervals. The hook for a training loop of your
own is in :mod:`lsmi.torch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ._analysis import PathLike
from ._call import call, words
from ._files import feature_file
from ._inputs import ArrayLike

__all__ = ["align", "clean", "distill", "ensemble"]


@contextmanager
def _directory(out: PathLike | None) -> Iterator[str]:
    if out is not None:
        yield str(out)
        return
    with TemporaryDirectory(prefix="lsmi-") as directory:
        yield str(Path(directory) / "result")


def _run(
    action: str,
    data: tuple[ArrayLike, ArrayLike | None, ArrayLike | None],
    ids: ArrayLike | None,
    out: PathLike | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    with feature_file(*data, ids=ids) as path, _directory(out) as place:
        return dict(call(["guide", action, str(path), "--out", place, *words(options)]))


def distill(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    out: PathLike | None = None,
    seeds: int = 20,
    policies: Sequence[str] | None = None,
    rule: str = "sources",
    interactions: str = "fixed",
    epochs: int = 200,
    export: PathLike | None = None,
    seed: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Compares policies of distillation, seed by seed, on your own features.

    Args:
        x1: First modality, ``[n, d1]``; or the path of a feature file.
        x2: Second modality, ``[n, d2]``.
        y: Labels, ``[n]``.
        ids: Ids, ``[n]``.
        out: Directory for ``distill.json`` and for going on after a stop.
        seeds: Runs of each policy.
        policies: What to compare; all by default.
        rule: The rule of ``interaction``: ``sources`` or ``dominant`` (Yang, Wang and Hu, ICML 2025).
        interactions: ``fixed`` (a cross-fit before training) or ``tracked`` (estimated in the student while it learns).
        epochs: Epochs of the student.
        export: File for the weights of all rows, ``.csv`` or ``.safetensors``.
        seed: The first seed.
        **options: Further options of ``lsmi guide distill``.

    Returns:
        What ``distill.json`` holds: losses of test rows in nats, differences with 95 % intervals.
    """
    settings = {
        "seeds": seeds,
        "policies": policies,
        "rule": rule,
        "interactions": interactions,
        "epochs": epochs,
        "export": export,
        "seed": seed,
        **options,
    }
    return _run("distill", (x1, x2, y), ids, out, settings)


def ensemble(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    out: PathLike | None = None,
    seeds: int = 20,
    export: PathLike | None = None,
    seed: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Compares an ensemble whose members are weighed sample by sample with stacking, seed by seed.

    Arguments are those of :func:`distill`; further ones those of ``lsmi guide ensemble``.

    Returns:
        What ``ensemble.json`` holds.
    """
    return _run("ensemble", (x1, x2, y), ids, out, {"seeds": seeds, "export": export, "seed": seed, **options})


def clean(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    out: PathLike | None = None,
    top: int = 20,
    seeds: int = 20,
    seed: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Ranks labels by how much everything speaks against them, and measures how well that finds wrong ones.

    Arguments are those of :func:`distill`; ``top`` is the number of suspects that are listed.

    Returns:
        What ``clean.json`` holds.
    """
    return _run("clean", (x1, x2, y), ids, out, {"top": top, "seeds": seeds, "seed": seed, **options})


def align(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    out: PathLike | None = None,
    seeds: int = 20,
    by: Sequence[str] | None = None,
    epochs: int = 20,
    seed: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Trains heads on x1 and x2 by contrast on parts of the rows chosen by an interaction, and compares the parts seed by seed.

    Arguments are those of :func:`distill`; ``by`` lists interactions to take parts by, of ``r`` (the default), ``u1``, ``u2`` and
    ``s``. Further ones are those of ``lsmi guide align``.

    Returns:
        What ``align.json`` holds.
    """
    settings = {"seeds": seeds, "by": by, "epochs": epochs, "seed": seed, **options}
    return _run("align", (x1, x2, y), ids, out, settings)
