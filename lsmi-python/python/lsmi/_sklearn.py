"""An estimator in scikit-learn's manner, without a need for scikit-learn."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._analysis import Analysis, Estimator, Samples
from ._analyze import analyze
from ._inputs import ArrayLike
from .errors import UsageError


class LSMI:
    """Interactions of two modalities about a label, sample by sample, in scikit-learn's manner.

    ``X`` is a pair ``(x1, x2)``, or one array ``[n, d1 + d2]`` whose first ``x1_columns`` columns are the first modality.

    Args:
        x1_columns: Columns of the first modality where ``X`` is one array; half of them if ``None``.
        measure: Measure of redundancy.
        measures: Further measures.
        repeats: Fits that are averaged; three below 5,000 rows if ``None``, else one.
        folds: Folds of the cross-fitting.
        seed: The seed of everything random.
        threads: Models fitted at the same time; 0: as many as there are processors.

    Attributes:
        classes_: The classes, ``[K]``.
        analysis_: The analysis of the training rows, each scored by models that did not see it.
        estimator_: What scores new rows.
        n_features_in_: Columns of both modalities.

    Example:
        >>> import lsmi, numpy as np
        >>> samples = lsmi.simulate("xor", 200)
        >>> model = lsmi.LSMI(repeats=1).fit((samples["x1"], samples["x2"]), samples["y"])
        >>> bool(np.mean(model.analysis_.samples["s"]) > 0.1)
        True
    """

    def __init__(
        self,
        *,
        x1_columns: int | None = None,
        measure: str = "pm",
        measures: Sequence[str] = (),
        repeats: int | None = None,
        folds: int = 5,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        self.x1_columns = x1_columns
        self.measure = measure
        self.measures = measures
        self.repeats = repeats
        self.folds = folds
        self.seed = seed
        self.threads = threads

    def fit(self, X: ArrayLike, y: ArrayLike, *, ids: ArrayLike | None = None, groups: ArrayLike | None = None) -> LSMI:
        """Fits to rows with labels.

        Args:
            X: The modalities.
            y: Labels, ``[n]``.
            ids: Ids, ``[n]``.
            groups: Equal values for rows that belong together, ``[n]``.
        """
        x1, x2 = self._pair(X)
        self.analysis_: Analysis = analyze(
            x1,
            x2,
            y,
            ids=ids,
            groups=groups,
            measure=self.measure,
            measures=list(self.measures),
            repeats=self.repeats,
            folds=self.folds,
            seed=self.seed,
            threads=self.threads,
            progress=False,
        )
        self.estimator_: Estimator = self.analysis_.estimator
        names = self.estimator_.classes
        values = np.unique(np.asarray(y))
        self.classes_: npt.NDArray[Any] = values if len(values) == len(names) else np.asarray(names)
        self.n_features_in_: int = sum(self.estimator_.description["dims"])
        return self

    def score_samples(self, X: ArrayLike, y: ArrayLike | None = None) -> Samples:
        """Scores new rows; without labels, by expectations over the labels that they could have.

        Returns:
            ``r``, ``u1``, ``u2``, ``s`` and the terms, in nats, a row a sample.
        """
        return self._scored(X, y).samples

    def predict(self, X: ArrayLike) -> npt.NDArray[Any]:
        """Predicts labels by the joint head, ``[n]``."""
        names = self._scored(X, None).samples["pred12"]
        places = {name: place for place, name in enumerate(self.estimator_.classes)}
        return self.classes_[[places[name] for name in names]]

    def _scored(self, X: ArrayLike, y: ArrayLike | None) -> Analysis:
        if not hasattr(self, "estimator_"):
            raise _not_fitted()
        x1, x2 = self._pair(X)
        return self.estimator_.score(x1, x2, y, label_free=y is None, measures=list(self.measures) if y is not None else ())

    def _pair(self, X: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
        if isinstance(X, (tuple, list)) and len(X) == 2 and np.ndim(X[0]) == 2:
            return X[0], X[1]
        array = np.asarray(X)
        if array.ndim != 2 or array.shape[1] < 2:
            raise UsageError(f"X must be a pair (x1, x2), or one array of at least two columns; found shape {array.shape}")
        columns = self.x1_columns if self.x1_columns is not None else array.shape[1] // 2
        if not 0 < columns < array.shape[1]:
            raise UsageError(f"x1_columns={columns} leaves no column for a modality: X has {array.shape[1]}")
        return np.ascontiguousarray(array[:, :columns]), np.ascontiguousarray(array[:, columns:])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Gives the parameters by name."""
        return {name: getattr(self, name) for name in _parameters()}

    def set_params(self, **params: Any) -> LSMI:
        """Sets parameters by name.

        Raises:
            ValueError: If there is no such parameter.
        """
        for name, value in params.items():
            if name not in _parameters():
                raise UsageError(f"`{name}` is no parameter of LSMI; there are {', '.join(_parameters())}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=True), transformer_tags=None)

    def __repr__(self) -> str:
        defaults = {name: parameter.default for name, parameter in inspect.signature(LSMI).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"LSMI({', '.join(changed)})"


def _parameters() -> list[str]:
    return list(inspect.signature(LSMI).parameters)


def _not_fitted() -> Exception:
    """Makes scikit-learn's own error where it is installed."""
    message = "this LSMI is not fitted yet; call fit first"
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return UsageError(message)
    error: Exception = NotFittedError(message)
    return error
