"""The analysis of samples, of every kind, and the gates that ask whether they can support one."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

from . import _lsmi
from ._analysis import Analysis, Estimator
from ._inputs import ArrayLike, listed, pair
from ._progress import Progress, listener
from ._reading import Lags, Modalities, Split, read
from ._refusals import kind_of, least_rows, refuse
from ._results.continuous import ContinuousAnalysis
from ._results.labels import LabelsAnalysis
from ._results.lags import LagsAnalysis
from ._results.several import SeveralAnalysis

if TYPE_CHECKING:
    from typing_extensions import Unpack


class _Fit(TypedDict, total=False):
    """Options of every analysis."""

    ids: ArrayLike | None
    groups: ArrayLike | str | None
    splits: Mapping[str, Split] | None
    lengths: ArrayLike | None
    measure: str
    repeats: int | None
    folds: int
    gauge: str
    dims: int | str
    published_knife: bool
    keys: str | None
    seed: int
    threads: int
    device: str
    progress: Progress


class _OfLabels(_Fit, total=False):
    """Options of every analysis of labels."""

    measures: Sequence[str]
    prior: str | Sequence[float]
    missing: str


class _OfClasses(_OfLabels, total=False):
    """Options of the analysis of two modalities and classes."""

    logits: Sequence[ArrayLike | None] | None
    present1: ArrayLike | None
    present2: ArrayLike | None
    classes: Sequence[str] | None
    names: tuple[str, str]
    label: str
    pool: str | None
    rare: str
    rare_below: int | None
    check: bool
    null: int
    densities: Estimator | None
    scale_logits: bool
    strength: float
    rows: int


@overload
def analyze(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    modalities: None = None,
    target: Literal["classes"] = "classes",
    lags: None = None,
    **options: Unpack[_OfClasses],
) -> Analysis: ...
@overload
def analyze(
    x1: ArrayLike | None = None,
    x2: None = None,
    y: ArrayLike | None = None,
    *,
    modalities: Modalities,
    target: Literal["classes"] = "classes",
    lags: None = None,
    classes: Sequence[str] | None = None,
    label: str = "the label",
    pool: str | None = None,
    shapley: bool = False,
    **options: Unpack[_OfLabels],
) -> SeveralAnalysis: ...
@overload
def analyze(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    modalities: None = None,
    target: Literal["continuous"],
    lags: None = None,
    names: tuple[str, str] = ("x1", "x2"),
    pool: str | None = None,
    jointly: bool = False,
    **options: Unpack[_Fit],
) -> ContinuousAnalysis: ...
@overload
def analyze(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    modalities: None = None,
    target: Literal["labels"],
    lags: None = None,
    names: tuple[str, str] = ("x1", "x2"),
    pool: str | None = None,
    rare: str = "refuse",
    rare_below: int | None = None,
    null: int = 0,
    **options: Unpack[_OfLabels],
) -> LabelsAnalysis: ...
@overload
def analyze(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    modalities: None = None,
    target: Literal["classes"] = "classes",
    lags: Lags,
    classes: Sequence[str] | None = None,
    names: tuple[str, str] = ("x1", "x2"),
    label: str = "the label",
    check: bool = False,
    null: int = 0,
    strength: float = 3.0,
    rows: int = 5000,
    **options: Unpack[_OfLabels],
) -> LagsAnalysis: ...
def analyze(
    x1: ArrayLike | None = None,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    modalities: Modalities | None = None,
    target: str = "classes",
    lags: Lags | None = None,
    ids: ArrayLike | None = None,
    groups: ArrayLike | str | None = None,
    logits: Sequence[ArrayLike | None] | None = None,
    present1: ArrayLike | None = None,
    present2: ArrayLike | None = None,
    splits: Mapping[str, Split] | None = None,
    lengths: ArrayLike | None = None,
    pool: str | None = None,
    classes: Sequence[str] | None = None,
    names: tuple[str, str] = ("x1", "x2"),
    label: str = "the label",
    measure: str = "pm",
    measures: Sequence[str] = (),
    rare: str = "refuse",
    rare_below: int | None = None,
    jointly: bool = False,
    shapley: bool = False,
    check: bool = False,
    null: int = 0,
    repeats: int | None = None,
    folds: int = 5,
    gauge: str = "whitened",
    dims: int | str = "auto",
    prior: str | Sequence[float] = "empirical",
    densities: Estimator | None = None,
    published_knife: bool = False,
    scale_logits: bool = False,
    strength: float = 3.0,
    rows: int = 5000,
    keys: str | None = None,
    missing: str = "refuse",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    progress: Progress = None,
) -> Analysis | SeveralAnalysis | ContinuousAnalysis | LabelsAnalysis | LagsAnalysis:
    """Tells for every sample how much is redundant, unique and synergistic about its label (Yang, Wang and Hu, ICML 2025).

    Every training row is scored by models that did not see it (cross-fitting). The same data and settings give, to the
    byte, what the command ``lsmi analyze`` gives.

        >>> import lsmi
        >>> data = lsmi.simulate("xor", 200)
        >>> a = lsmi.analyze(data["x1"], data["x2"], data["y"], repeats=1)
        >>> bool(a.samples["s"].mean() > 0.1 > a.samples["r"].mean())
        True

    Args:
        x1: Features of the first modality, ``[n, d1]``, or sequences of them, ``[n, T, d1]``; or the path of a feature file, and
            nothing else of the data.
        x2: Features of the second modality, ``[n, d2]``, or sequences, ``[n, T, d2]``.
        y: Labels, ``[n]``: integers, booleans or strings; for other targets, see ``target``, for steps of sequences, see ``lags``.
        modalities: In the place of ``x1`` and ``x2``: three to eight arrays by their names, as in
            ``{"image": a, "text": b, "audio": c}``, or a list of them; of a file, the names of its arrays. Gives a :class:`SeveralAnalysis`.
        target: What ``y`` is: ``classes``; ``continuous``, numbers, ``[n]`` or several, ``[n, L]``, which gives a
            :class:`ContinuousAnalysis`; or ``labels``, several labels, ``[n, L]``, each 0, 1 or missing (-1, NaN, ``None``), which
            gives a :class:`LabelsAnalysis`. Of several, ``y`` may be a mapping or data frame of columns by name.
        lags: Steps by which x1 is before x2 and y, as in ``[0, 1, 2]`` or ``"0..2"``. The modalities are sequences of the same T,
            and ``y`` is ``[n, T]`` or ``[n]``. Gives a :class:`LagsAnalysis`.
        ids: Distinct ids, ``[n]``; row numbers if ``None``.
        groups: Equal values for rows that belong together, ``[n]``; ``"none"`` keeps all apart. By default equal and nearly
            equal rows are found.
        logits: Logits of your own models of x1, x2 and both, ``[n, K]`` each, ``None`` where there is none; they take the
            place of heads and must not have seen the rows.
        present1: Which rows have x1, ``[n]``: booleans, or 0 and 1; the values of others are not looked at. By default the
            rows that are not NaN throughout. Rows that lack a modality have the terms of the other, and NaN elsewhere.
        present2: Which rows have x2.
        splits: Further rows, which are scored by all models, by the name of their split: ``(x1, x2, y)`` or, with ``modalities``,
            ``(modalities, y)``; or a mapping, which may have ``ids``, ``groups``, ``logits``, ``present1``,
            ``present2`` and ``lengths``, too.
        lengths: The steps of each sequence that count, ``[n]``, from 1 to T: of both modalities, or a tuple of those of x1 and of
            x2, ``None`` where all count. What stands behind them is padding.
        pool: What becomes of the steps of sequences: one vector, by ``mean``, ``last``, ``max`` or ``attention``.
        classes: Names of the labels 0, 1, ...
        names: What the modalities are called in sentences.
        label: What the label is called in sentences.
        measure: Measure of redundancy: ``pm``, ``sx``, ``mmi``, ``ccs`` or ``min``.
        measures: Further measures, whose columns are added to the samples.
        rare: What becomes of classes, or labels, of too few rows: ``refuse``, ``pool`` (they become one, which is told) or
            ``prototypes`` (all classes stay, and heads are distances from class means).
        rare_below: Rows below which a class, or label, is pooled; by default as many as there are folds.
        jointly: Whether several continuous targets are analysed together in place of one by one.
        shapley: Whether to fit heads of all sets of more than three modalities, for Shapley values; three have them anyway.
        check: Whether to ask the gates if the data can support conclusions.
        null: Permutations of the labels to test the means against chance.
        repeats: Fits that are averaged; by default three below 5,000 rows, else one.
        folds: Folds of the cross-fitting, at least 2.
        gauge: Coordinates of surprisal: ``whitened``, ``standardized`` or ``raw``.
        dims: Dimensions of the whitened gauge: ``auto`` or a number.
        prior: Class prior: ``empirical``, ``uniform`` or one probability a class.
        densities: An estimator whose gauge and densities are reused.
        published_knife: Whether to fit densities as the published implementation does.
        scale_logits: Whether to fit a temperature for ``logits``.
        strength: What the gate ``power`` plants, in standard deviations.
        rows: The most rows that a gate fits.
        keys: The names of the arrays of a file, ``"X1,X2,LABEL"``.
        missing: What becomes of rows without a label: ``refuse``, ``drop`` or ``keep``.
        seed: The seed of everything random.
        threads: Models fitted at the same time; 0: as many as there are processors. The result does not depend on it.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``metal``.
        progress: See :data:`Progress`.

    Returns:
        The analysis: ``samples``, ``summary``, ``estimator``, ``report()``; values are in nats. For ``modalities``, ``target`` and
        ``lags``, the results that are named there.

    Raises:
        DataError: If the data cannot be used; it names array, row and column.
        UsageError: If an argument is wrong, or means nothing beside another.
        KeyboardInterrupt: Upon Ctrl-C, within a second.
    """
    arguments = dict(locals())
    kind = kind_of(arguments)
    refuse(kind, arguments, _defaults())
    least = least_rows(arguments)
    data, columns = read(kind, arguments, least if kind == "classes" else None)
    options = {
        "names": pair(names),
        "label": label,
        "measures": listed(measures),
        "check": check,
        "null": null,
        "strength": strength,
        "rows": rows,
        "rare_below": least,
        "jointly": jointly,
        "shapley": shapley,
        **_fit(arguments),
    }
    with listener(progress) as step:
        if kind == "modalities":
            return SeveralAnalysis(_lsmi.analyze_several(data, options, step))
        if kind == "continuous":
            return ContinuousAnalysis(_lsmi.analyze_continuous(data, options, step), columns)
        if kind == "labels":
            return LabelsAnalysis(_lsmi.analyze_labels(data, options, step))
        if kind == "lags":
            return LagsAnalysis(_lsmi.analyze_lags(data, options, step))
        return Analysis(_lsmi.analyze(data, options, step))


def _defaults() -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(analyze).parameters.items()}


def _fit(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Takes the settings of the fit as the Rust module reads them."""
    prior, densities = arguments["prior"], arguments["densities"]
    same = ("measure", "repeats", "folds", "gauge", "rare", "published_knife", "scale_logits", "seed", "threads", "device")
    return {
        **{name: arguments[name] for name in same},
        "dims": str(arguments["dims"]),
        "prior": prior if isinstance(prior, str) else [float(share) for share in prior],
        "densities": densities._inner if densities is not None else None,
    }


def check(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    groups: ArrayLike | str | None = None,
    logits: Sequence[ArrayLike | None] | None = None,
    splits: Mapping[str, Split] | None = None,
    lengths: ArrayLike | None = None,
    pool: str | None = None,
    classes: Sequence[str] | None = None,
    measure: str = "pm",
    repeats: int = 1,
    folds: int = 5,
    gauge: str = "whitened",
    dims: int | str = "auto",
    prior: str | Sequence[float] = "empirical",
    published_knife: bool = False,
    scale_logits: bool = False,
    strength: float = 3.0,
    rows: int = 5000,
    keys: str | None = None,
    missing: str = "refuse",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    progress: Progress = None,
) -> dict[str, Any]:
    """Asks the gates whether data of this size, these dimensions and these classes can support conclusions.

    Each gate changes the features so that the right answer is known, or compares what must agree. Arguments are those of
    :func:`analyze`.

    Returns:
        What ``lsmi check --json`` prints: ``verdict`` (``pass``, ``warn`` or ``fail``) and ``gates``, a list.

    Raises:
        DataError: If the data cannot be used at all.
        UsageError: If an argument is wrong.
    """
    arguments = {**_defaults(), **locals()}
    data, _ = read("classes", arguments)
    options = {"strength": strength, "rows": rows, **_fit(arguments)}
    with listener(progress) as step:
        found: dict[str, Any] = json.loads(_lsmi.check(data, options, step))
    return found
