"""What the command computes beside an analysis: exact decompositions, comparisons, embeddings, simulated samples."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _lsmi
from ._analysis import Analysis, PathLike
from ._call import call, words
from ._files import feature_file, read_safetensors
from ._inputs import ArrayLike
from .errors import UsageError


def discrete(
    distribution: ArrayLike,
    *,
    measures: Sequence[str] | None = None,
    bits: bool = False,
    pointwise: bool = False,
    lattice: bool = False,
    bias: str = "plug-in",
    bootstrap: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Decomposes a joint distribution of discrete variables that is known, or samples of them.

    Args:
        distribution: Probabilities (or counts, where they are integers) as an array ``[|x1|, |x2|, |y|]``, or of three or
            four sources; or a mapping of outcomes, ``{(0, 1, "a"): 0.25}``; or columns by name (a mapping or data frame of
            ``x1``, ``x2``, ``y``) of samples; or the path of a file that ``lsmi discrete`` reads.
        measures: Measures of redundancy; all if ``None``.
        bits: Whether to give bits instead of nats.
        pointwise: Whether to decompose every outcome too.
        lattice: Whether to give the redundancy lattice of two sources too.
        bias: What to do about the bias of few samples: ``plug-in`` (nothing), ``miller-madow`` or ``shrinkage``.
        bootstrap: How often the samples are drawn anew for 95 % intervals.
        seed: The seed of the bootstrap.

    Returns:
        ``units``, ``information``, ``measures`` and where they apply ``lattice``, ``intervals`` and ``notes``.

    Raises:
        DataError: If it is no distribution.
        UsageError: If an argument is wrong.
    """
    options = words(
        {
            "measures": measures,
            "bits": bits,
            "pointwise": pointwise,
            "lattice": lattice,
            "bias": bias,
            "bootstrap": bootstrap,
            "seed": seed,
        }
    )
    if isinstance(distribution, (str, os.PathLike)):
        return _dictionary(call(["discrete", os.fspath(distribution), *options]))
    with TemporaryDirectory(prefix="lsmi-") as directory:
        path = _write_distribution(distribution, Path(directory))
        return _dictionary(call(["discrete", str(path), *options]))


def _write_distribution(distribution: Any, directory: Path) -> Path:
    entries: list[list[Any]] | None = None
    if isinstance(distribution, Mapping) and all(isinstance(outcome, tuple) for outcome in distribution):
        entries = [[*map(str, outcome), weight] for outcome, weight in distribution.items()]
    elif not isinstance(distribution, Mapping) and not hasattr(distribution, "columns"):
        array = np.asarray(distribution)
        if array.ndim < 3:
            raise UsageError(f"an array of a joint distribution has an axis for each of x1, x2 and y, but this has {array.ndim}")
        entries = [[*map(str, outcome), weight.item()] for outcome, weight in np.ndenumerate(array)]
    if entries is not None:
        kind = "counts" if all(isinstance(entry[-1], (int, np.integer)) for entry in entries) else "pmf"
        path = directory / "distribution.json"
        path.write_text(json.dumps({kind: entries}, default=_plain), encoding="utf-8")
        return path
    path = directory / "samples.csv"
    names = [str(name) for name in (distribution if isinstance(distribution, Mapping) else distribution.columns)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip(*(list(distribution[name]) for name in names), strict=True))
    return path


def _plain(value: Any) -> Any:
    return value.item()


def _dictionary(found: Any) -> dict[str, Any]:
    return dict(found)


def compare(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    methods: Sequence[str] = ("lsmi", "pid-batch", "pid-cvx"),
    seeds: int = 1,
    exact: bool = False,
    seed: int = 0,
    threads: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Compares the means of LSMI with those of PID-Batch and PID-CVX (Liang and others, NeurIPS 2023) on the same data.

    Args:
        x1: First modality, ``[n, d1]``; or the path of a feature file.
        x2: Second modality, ``[n, d2]``.
        y: Labels, ``[n]``.
        ids: Ids, ``[n]``.
        methods: What to compare.
        seeds: Runs of each method, of which the mean is taken.
        exact: Whether the exact answer of simulated samples is asked for.
        seed: The first seed.
        threads: Models fitted at the same time.
        **options: Further options of ``lsmi compare``, such as ``clusters=10``.

    Returns:
        What ``lsmi compare --json`` prints.
    """
    settings = {"methods": list(methods), "seeds": seeds, "exact": exact, "seed": seed, "threads": threads, **options}
    with feature_file(x1, x2, y, ids=ids) as path:
        return _dictionary(call(["compare", str(path), *words(settings)]))


def diff(first: Analysis | PathLike, second: Analysis | PathLike, *, split: str | None = None, seed: int = 0) -> dict[str, Any]:
    """Holds two analyses against each other, sample by sample where they share ids, and class by class.

    Args:
        first: An analysis, or the directory of one.
        second: Another.
        split: The split to compare; ``train`` or the only one by default.
        seed: The seed of the intervals.

    Returns:
        What ``lsmi diff --json`` prints.
    """
    with TemporaryDirectory(prefix="lsmi-") as directory:
        places = []
        for name, side in (("first", first), ("second", second)):
            if isinstance(side, Analysis):
                place = Path(directory) / name
                side._inner.write(str(place))
                places.append(str(place))
            else:
                places.append(os.fspath(side))
        return _dictionary(call(["diff", *places, *words({"split": split, "seed": seed})]))


class Features(dict[str, Any]):
    """Features that encoders made: ``x1``, ``x2`` ``[n, d]``, ``y`` and ``ids``, and ``path``, the file that holds them.

    ``lsmi.analyze(features.path)`` analyses them with the names of the encoders.
    """

    path: Path


def embed(
    rows: PathLike | Mapping[str, Sequence[Any]] | Any,
    *,
    image: str | None = None,
    text: str | None = None,
    audio: str | None = None,
    video: str | None = None,
    depth: str | None = None,
    out: PathLike | None = None,
    directory: PathLike = ".",
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Features:
    """Makes features of pictures, texts, sounds and videos with pretrained encoders from the Hugging Face hub.

    Args:
        rows: A table of files and texts: the path of a ``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``; or columns by name
            (a mapping or data frame).
        image: The encoder of pictures, as ``lsmi models`` lists them, or a directory or repository of the hub.
        text: The encoder of texts.
        audio: The encoder of sounds.
        video: The encoder of videos, or of pictures: then 8 frames of each are embedded, and their vectors averaged. A video is a
            file, a folder of frames, or the paths of frames with ``;`` between them.
        depth: The encoder of depth, of grey pictures.
        out: The feature file to write; by default a temporary one that is gone afterwards, so that ``path`` is not there.
        directory: Where the files are that columns name, where ``rows`` is no file.
        columns: What the columns are called, such as ``{"image": "photo", "label": "class"}``.
        **options: Further options of ``lsmi embed``, such as ``batch=32``, ``windows="mean"`` or ``on_error="skip"``.

    Raises:
        DataError: If a row cannot be embedded.
        LsmiError: If an encoder cannot be loaded.
    """
    named = ",".join(f"{role}={column}" for role, column in (columns or {}).items())
    given = {"image": image, "text": text, "audio": audio, "video": video, "depth": depth}
    models = [word for kind, model in given.items() if model for word in (f"--{kind}", model)]
    with TemporaryDirectory(prefix="lsmi-") as temporary, _table(rows, Path(directory)) as source:
        place = Path(out) if out is not None else Path(temporary) / "features.safetensors"
        settings = words({"columns": named or None, **options})
        call(["embed", str(source), *models, "--out", str(place), *settings], is_json=False)
        arrays, metadata = read_safetensors(place.read_bytes())
    features = Features(arrays)
    for name in ("ids", "classes"):
        if name in metadata:
            features[name] = json.loads(metadata[name])
    features.path = place
    return features


def join(
    parts: Sequence[PathLike], out: PathLike, *, rows: int | None = None, force: bool = False
) -> dict[str, Any]:
    """Joins the files of all shards of ``lsmi.embed(..., shard="I/N")`` or of ``lsmi score --shard`` to the file of the whole.

    Args:
        parts: The files, all of one format: ``.safetensors`` of ``embed``, in any order; ``.csv``, ``.jsonl`` or ``.parquet`` of
            ``score``: where names differ in one number only they are joined in the order of that number, else as given.
        out: The file to write, with the same extension.
        rows: Rows that all parts have together; any other number is refused. Give it for files of ``score``, which do not say
            what they are parts of.
        force: Whether to replace a file that is there.

    Returns:
        What ``lsmi join --json`` prints: ``n`` rows, ``parts``, their ``order``, and for features what ``lsmi embed
        --json`` says.

    Raises:
        DataError: If parts of ``embed`` are missing, parts are damaged or do not belong together, or there are not ``rows`` rows.
        UsageError: If they are of different formats, one is there twice, numbers in names have gaps, or ``out`` is there.
    """
    files = [os.fspath(part) for part in parts]
    return _dictionary(call(["join", *files, *words({"out": os.fspath(out), "rows": rows, "force": force})]))


@contextmanager
def _table(rows: Any, directory: Path) -> Iterator[Path]:
    """Gives the path of a table of rows, which is beside the files that it names."""
    if isinstance(rows, (str, os.PathLike)):
        yield Path(rows)
        return
    names = [str(name) for name in (rows if isinstance(rows, Mapping) else rows.columns)]
    handle, place = mkstemp(prefix=".lsmi-", suffix=".csv", dir=directory)
    try:
        with open(handle, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(zip(*(list(rows[name]) for name in names), strict=True))
        yield Path(place)
    finally:
        Path(place).unlink()


def simulate(family: str, n: int, *, seed: int = 0, **parameters: Any) -> dict[str, npt.NDArray[Any]]:
    """Draws samples of a known density, with their exact terms and decomposition.

    Args:
        family: The name of the density, such as ``mixed``, ``gauss`` or ``xor``; the command lists them.
        n: The number of samples.
        seed: The seed.
        **parameters: Parameters of the density, such as ``dims=3`` or ``classes=2``.

    Returns:
        ``x1``, ``x2``, ``y`` and, in nats, ``h1``, ``h2``, ``i1``, ``i2``, ``i12``, ``r``, ``u1``, ``u2``, ``s``.
    """
    with TemporaryDirectory(prefix="lsmi-") as directory:
        path = Path(directory) / "samples.safetensors"
        settings = words({"n": n, "seed": seed, "out": path, **parameters})
        call(["simulate", family, *settings])
        arrays, _ = read_safetensors(path.read_bytes())
    return arrays


def demo_data() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[str], list[str]]:
    """Gives the data of ``lsmi demo``: pictures and names of 1,906 emoji, as 48 features each, and their categories.

    Returns:
        ``x1`` of the pictures, ``x2`` of the names, the categories, and the ids.
    """
    features, listed = _lsmi.demo()
    arrays, metadata = read_safetensors(features)
    classes = json.loads(metadata["classes"])
    rows = csv.DictReader(listed.decode("utf-8").splitlines())
    labels = [str(classes[label]) for label in arrays["y"]]
    return arrays["x1"], arrays["x2"], labels, [row["id"] for row in rows]
