"""The estimator in scikit-learn's manner, by scikit-learn's own checks where they apply."""

from __future__ import annotations

import numpy as np
import pytest

import lsmi

from .conftest import Arrays


def test_fit_score_predict(data: Arrays) -> None:
    model = lsmi.LSMI(repeats=1, threads=1, measures=["ccs"])
    assert model.fit((data["x1"], data["x2"]), data["y"]) is model
    assert model.n_features_in_ == 6 and list(model.classes_) == [0, 1]
    assert len(model.score_samples((data["x1"], data["x2"]))["s"]) == 150
    joined = np.hstack([data["x1"], data["x2"]])
    scored = model.score_samples(joined, data["y"])
    assert "s_ccs" in scored
    predicted = model.predict(joined)
    assert predicted.dtype.kind in "iu" and np.mean(predicted == data["y"]) > 0.6
    with pytest.raises(lsmi.UsageError, match="leaves no column"):
        lsmi.LSMI(x1_columns=6).fit(joined, data["y"])


def test_its_own_checks() -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError

    model = lsmi.LSMI(repeats=1, threads=1)
    for name in (
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_dont_overwrite_attributes",
        "check_fit_score_takes_y",
        "check_estimators_unfitted",
        "check_estimator_cloneable",
        "check_estimator_repr",
    ):
        if (check := getattr(checks, name, None)) is not None:
            check("LSMI", model if "default_constructible" not in name else lsmi.LSMI())
    copy = clone(lsmi.LSMI(folds=4))
    assert copy.get_params()["folds"] == 4 and repr(copy) == "LSMI(folds=4)"
    with pytest.raises(NotFittedError):
        model.predict(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no parameter"):
        model.set_params(depth=3)
