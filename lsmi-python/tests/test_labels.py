"""Several labels and rare ones: the bytes of the command, names, missing labels, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lsmi

from .conftest import QUICK, analyzed, assert_same_files

#: Folds are few, fits are many.
FEW = {**QUICK, "folds": 2}
Numbers = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def tags() -> tuple[Numbers, Numbers, npt.NDArray[np.int8]]:
    """The first label is told by x1, the second by x2; of the third one row is 1."""
    x1, x2 = np.random.default_rng(0).normal(size=(2, 200))
    rare = np.zeros(200)
    rare[0] = 1
    return x1[:, None], x2[:, None], np.column_stack([x1 > 0, x2 > 0, rare]).astype(np.int8)


@pytest.fixture(scope="module")
def analysis(tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]]) -> lsmi.LabelsAnalysis:
    x1, x2, y = tags
    return lsmi.analyze(x1, x2, y[:, :2], target="labels", measures=["ccs"], **FEW)


def test_an_analysis_writes_the_bytes_of_the_command(
    tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], analysis: lsmi.LabelsAnalysis, tmp_path: Path
) -> None:
    x1, x2, y = tags
    np.savez(tmp_path / "tags.npz", x1=x1, x2=x2, y=y[:, :2])
    by_command = analyzed(tmp_path / "tags.npz", tmp_path / "command", "--target", "labels", "--measures", "ccs", "--folds", 2)
    analysis.write(tmp_path / "python")
    estimators = [f"labels/{place}-y-{place}.safetensors" for place in range(2)]
    assert_same_files(by_command, tmp_path / "python", ["samples.csv", "summary.json", *estimators])
    analysis.samples.write(tmp_path / "written.csv")
    assert (tmp_path / "written.csv").read_bytes() == (by_command / "samples.csv").read_bytes()


def test_every_label_is_an_analysis(
    tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], analysis: lsmi.LabelsAnalysis, tmp_path: Path
) -> None:
    x1, x2, _ = tags
    assert list(analysis) == ["y_0", "y_1"] and len(analysis) == 2
    first, second = analysis["y_0"], analysis["y_1"]
    # Each is told by one modality alone, ln 2 nats at most.
    assert first.samples["i1"].mean() > 0.5 and first.samples["i2"].mean() < 0.1
    assert second.samples["i2"].mean() > 0.5 and second.samples["i1"].mean() < 0.1
    np.testing.assert_array_equal(first.samples["h1"], second.samples["h1"])
    assert analysis.samples.num_rows == 400 and set(analysis.samples["target"]) == {"y_0", "y_1"}
    assert analysis["y_0"] is first and first.report().startswith("<!")
    assert first.estimator.score(x1[:5], x2[:5], label_free=True).samples.num_rows == 5
    assert analysis.table["label"] == ["y_0", "y_1"] and analysis.table["positives"][0] == int((x1 > 0).sum())
    assert "y_1, train" in repr(analysis)
    with pytest.raises(KeyError, match="no label `y_2`, only y_0, y_1"):
        analysis["y_2"]


def test_all_files_are_written_or_none(analysis: lsmi.LabelsAnalysis, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("mine")
    with pytest.raises(lsmi.LsmiError, match="cannot be written"):
        analysis.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


def test_labels_have_the_names_of_columns(
    tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], analysis: lsmi.LabelsAnalysis
) -> None:
    x1, x2, y = tags
    by_name = {"sky": y[:, 0].astype(bool), "sea": y[:, 1].tolist()}
    named = lsmi.analyze(x1, x2, by_name, target="labels", **{**FEW, "threads": 2})
    assert list(named) == ["sky", "sea"]
    np.testing.assert_array_equal(named["sea"].samples["s"], analysis["y_1"].samples["s"])
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"sky": y[:, 0], "sea": [None, *y[1:, 1]]})
    with_gap = lsmi.analyze(x1, x2, frame, target="labels", missing="drop", **FEW)
    assert list(with_gap) == ["sky", "sea"] and with_gap["sea"].samples.num_rows == 199


def test_missing_labels(tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]]) -> None:
    x1, x2, y = tags
    for gap in (np.nan, -1):
        gaps = y[:, :2].astype(float)
        gaps[4, 1] = gap
        with pytest.raises(lsmi.DataError, match=r'y\[:, 1\].*missing at row 4(.|\n)*missing="drop"') as caught:
            lsmi.analyze(x1, x2, gaps, target="labels", **FEW)
        assert caught.value.row == 4
    dropped = lsmi.analyze(x1, x2, gaps, target="labels", missing="drop", splits={"new": (x1[:9], x2[:9], y[:9, :2])}, **FEW)
    assert dropped.table["rows"] == [200, 9, 199, 9]


def test_rare_labels_are_refused_or_pooled(tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], tmp_path: Path) -> None:
    x1, x2, y = tags
    with pytest.raises(lsmi.DataError, match=r'`y_2`, 199 training rows are 0 and 1 are 1(.|\n)*rare="pool"'):
        lsmi.analyze(x1, x2, y, target="labels", **FEW)
    more = np.column_stack([y, y[::-1, 2]])
    np.savez(tmp_path / "tags.npz", x1=x1, x2=x2, y=more)
    by_command = analyzed(tmp_path / "tags.npz", tmp_path / "command", "--target", "labels", "--rare", "pool", "--folds", 2)
    pooled = lsmi.analyze(x1, x2, more, target="labels", rare="pool", **FEW)
    pooled.write(tmp_path / "python")
    assert_same_files(by_command, tmp_path / "python", ["samples.csv", "summary.json"])
    assert list(pooled) == ["y_0", "y_1", "(any rare label)"] and pooled.summary["pooled"] == ["y_2", "y_3"]


def test_rare_classes_are_refused_pooled_or_prototypes(
    tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], tmp_path: Path
) -> None:
    x1, x2, y = tags
    classes = np.where(y[:, 2] == 1, "owl", np.where(y[:, 0] == 1, "cat", "dog"))
    classes[3] = "emu"
    with pytest.raises(lsmi.DataError, match='rare="pool"'):
        lsmi.analyze(x1, x2, classes, **FEW)
    np.savez(tmp_path / "classes.npz", x1=x1, x2=x2, y=classes)
    for rare in ("pool", "prototypes"):
        by_command = analyzed(tmp_path / "classes.npz", tmp_path / f"command {rare}", "--rare", rare, "--no-report", "--folds", 2)
        a = lsmi.analyze(x1, x2, classes, rare=rare, **FEW)
        a.write(tmp_path / rare)
        assert_same_files(by_command, tmp_path / rare, ["samples.csv", "summary.json", "estimator.safetensors"])
        assert ("(rare classes)" in a.estimator.classes) == (rare == "pool")


def test_what_cannot_be_used_is_told_by_its_place(tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]]) -> None:
    x1, x2, y = tags
    with pytest.raises(lsmi.DataError, match='target="labels"'):
        lsmi.analyze(x1, x2, y, **FEW)
    wrong = y.copy()
    wrong[6, 1] = 2
    with pytest.raises(lsmi.DataError) as caught:
        lsmi.analyze(x1, x2, wrong, target="labels", **FEW)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("y", 6, 1)
    with pytest.raises(lsmi.DataError, match="several labels need"):
        lsmi.analyze(x1, x2, y[:, 0], target="labels", **FEW)
    with pytest.raises(lsmi.DataError, match="label `y_0`|`x1`"):
        lsmi.analyze(x1[1:], x2, y, target="labels", **FEW)
    with pytest.raises(lsmi.UsageError, match="must hold numbers"):
        lsmi.analyze(x1, x2, np.array([["a", None]] * 200, dtype=object), target="labels", **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"check": True}, "check= means nothing with target=\"labels\""),
        ({"classes": ["a", "b"]}, "one label's classes"),
        ({"prior": [0.5, 0.5]}, "name a rule"),
        ({"rare": "prototypes"}, "about classes"),
        ({"rare": "ignore"}, "refuse, pool and prototypes"),
        ({"rare_below": 9}, 'give it with rare="pool"'),
        ({"rare": "pool", "rare_below": 1}, "rare_below=1 is less than folds=2"),
        ({"label": "the tag"}, "columns of y"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    tags: tuple[Numbers, Numbers, npt.NDArray[np.int8]], arguments: dict[str, Any], message: str
) -> None:
    x1, x2, y = tags
    with pytest.raises(lsmi.UsageError, match=message):
        lsmi.analyze(x1, x2, y[:, :2], **{"target": "labels", **FEW, **arguments})
