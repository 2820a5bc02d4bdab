"""Arguments that do not go with a kind of analysis: refused by name before anything is read, with what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import UsageError

_OF_TWO = "it is of two modalities"
_OF_CLASSES = "it is about classes"
_OF_ONE_LABEL = "it is about one label's classes"
_PRESENT = ["present1", "present2"]
_COMPLETE = "rows that lack a modality are read of two modalities and classes: leave them out"
_OF_ONE_FIT = "it is about one fit, and every lag has its own"

#: Why an argument does not go with what was chosen, by both.
_REFUSED: dict[str, dict[str, str]] = {
    "classes": {
        "jointly": 'it is about several targets that are numbers: give it with target="continuous"',
        "shapley": "it is about more than two modalities: give them with modalities=",
    },
    "modalities": {
        **dict.fromkeys(_PRESENT, _COMPLETE),
        "x2": "give all modalities there",
        "names": "modalities are called as they are named there",
        "logits": "they take the place of the heads of two modalities",
        **dict.fromkeys(["check", "null", "densities", "scale_logits", "strength", "rows", "rare", "rare_below"], _OF_TWO),
        "jointly": "it is about targets that are numbers",
    },
    "continuous": {
        **dict.fromkeys(_PRESENT, _COMPLETE),
        "logits": "they are those of classes",
        **dict.fromkeys(["classes", "rare", "rare_below", "scale_logits", "label", "check", "strength", "rows"], _OF_CLASSES),
        "null": "there is no such test of targets that are numbers",
        "densities": "the densities are fitted with p(y)",
        "prior": "p(y) is fitted",
        "measures": "name one with measure=",
        "missing": "remove such rows first",
        "shapley": "it is about more than two modalities",
    },
    "labels": {
        **dict.fromkeys(_PRESENT, _COMPLETE),
        **dict.fromkeys(["logits", "classes", "scale_logits"], _OF_ONE_LABEL),
        "label": "labels are called as the columns of y",
        **dict.fromkeys(["check", "strength", "rows"], "it asks about one label, as lsmi.check does"),
        "densities": "they are in folds of their own, and labels share theirs",
        "shapley": "it is about more than two modalities",
        "jointly": "it is about targets that are numbers",
    },
    "lags": {
        **dict.fromkeys(_PRESENT, _COMPLETE),
        "pool": "lags take every step as a sample, pooling makes one of all",
        **dict.fromkeys(["logits", "densities", "scale_logits"], _OF_ONE_FIT),
        **dict.fromkeys(["rare", "rare_below"], "pool rare classes in the labels"),
        "shapley": "it is about more than two modalities",
        "jointly": "it is about targets that are numbers",
    },
}

_SHOWN = {"modalities": "modalities=", "continuous": 'target="continuous"', "labels": 'target="labels"', "lags": "lags="}


def kind_of(arguments: Mapping[str, Any]) -> str:
    """Says which kind of analysis arguments ask for: ``classes``, ``modalities``, ``continuous``, ``labels`` or ``lags``.

    Raises:
        UsageError: If they ask for two, or for a target that is not known.
    """
    target = arguments["target"]
    if target not in ("classes", "continuous", "labels"):
        raise UsageError(f'target={target!r}: use "classes", "continuous" or "labels"')
    asked = [name for name in ("modalities", "lags") if arguments[name] is not None]
    asked += [target] if target != "classes" else []
    if len(asked) > 1:
        raise UsageError(f"{_SHOWN[asked[0]]} and {_SHOWN[asked[1]]} do not go together: leave out one of them")
    return asked[0] if asked else "classes"


def refuse(kind: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuses arguments that mean nothing for a kind of analysis.

    Raises:
        UsageError: For the first that is not as it is by default.
    """
    for name, why in _REFUSED[kind].items():
        if not _is_default(arguments[name], defaults[name]):
            beside = f" with {_SHOWN[kind]}" if kind in _SHOWN else ""
            raise UsageError(f"{name}= means nothing{beside}: {why}")
    if kind == "modalities" and arguments["measure"] in ("mmi", "min"):
        raise UsageError(f'measure="{arguments["measure"]}" is of two modalities: use "pm", "sx" or "ccs"')
    if kind == "labels" and not isinstance(arguments["prior"], str):
        raise UsageError("prior= with probabilities is about the classes of one label: name a rule")
    if kind == "labels" and arguments["rare"] == "prototypes":
        raise UsageError('rare="prototypes" is about classes: use "refuse" or "pool"')


def _is_default(value: Any, default: Any) -> bool:
    if value is default:
        return True
    if isinstance(default, (str, int, float, tuple)) and isinstance(value, (str, int, float, list, tuple)):
        return bool((tuple(value) if isinstance(value, list) else value) == default)
    return False


def least_rows(arguments: Mapping[str, Any]) -> int | None:
    """Says below how many rows a class, or label, is pooled with others; ``None`` where none is.

    Raises:
        UsageError: If the numbers contradict each other.
    """
    rare, below, folds = arguments["rare"], arguments["rare_below"], arguments["folds"]
    if rare != "pool":
        if below is not None:
            raise UsageError('rare_below= says which classes are pooled: give it with rare="pool"')
        return None
    if below is not None and below < folds:
        raise UsageError(f"rare_below={below} is less than folds={folds}, and classes of so few rows cannot be fitted")
    return int(folds if below is None else below)
