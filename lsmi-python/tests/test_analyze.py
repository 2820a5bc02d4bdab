"""Analyses: the bytes of the command, columns, splits, saved and pickled estimators."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import lsmi

from .conftest import QUICK, Arrays, command


@pytest.mark.parametrize("element", [np.float64, np.float32, np.float16])
def test_an_analysis_writes_the_bytes_of_the_command(data: Arrays, tmp_path: Path, element: type) -> None:
    arrays = {"x1": data["x1"].astype(element), "x2": data["x2"].astype(element), "y": data["y"]}
    np.savez(tmp_path / "samples.npz", **arrays)
    options = ["--repeats", 1, "--threads", 1, "--seed", 3, "--measures", "ccs", "--null", 3, "--quiet"]
    done = command("analyze", tmp_path / "samples.npz", "--out", tmp_path / "command", *options)
    assert done.returncode == 0, done.stderr
    a = lsmi.analyze(**arrays, measures=["ccs"], null=3, **QUICK)
    a.write(tmp_path / "python")
    for name in ("samples.csv", "summary.json", "estimator.safetensors"):
        assert (tmp_path / "command" / name).read_bytes() == (tmp_path / "python" / name).read_bytes(), name


def test_splits_ids_groups_and_logits_are_those_of_a_file(data: Arrays, tmp_path: Path) -> None:
    new = lsmi.simulate("gauss", 60, dims=3, classes=2, seed=2)
    ids, groups = np.arange(150) + 7, np.arange(150) // 3
    logits = np.column_stack([np.zeros(150), data["i1"]])
    of_new = np.column_stack([np.zeros(60), new["i1"]])
    np.savez(
        tmp_path / "samples.npz",
        x1_train=data["x1"], x2_train=data["x2"], y_train=data["y"], id_train=ids, group_train=groups, logits1_train=logits,
        x1_new=new["x1"], x2_new=new["x2"], y_new=new["y"], logits1_new=of_new, group_new=np.arange(60),
    )  # fmt: skip
    options = ["--repeats", 1, "--threads", 1, "--seed", 3, "--quiet", "--no-report", "--groups", "group"]
    done = command("analyze", tmp_path / "samples.npz", "--out", tmp_path / "command", *options)
    assert done.returncode == 0, done.stderr
    of_split = {"x1": new["x1"], "x2": new["x2"], "y": new["y"], "logits": [of_new], "groups": np.arange(60)}
    a = lsmi.analyze(
        data["x1"], data["x2"], data["y"], ids=ids, groups=groups, logits=[logits], splits={"new": of_split}, **QUICK
    )
    a.write(tmp_path / "python")
    for name in ("samples.csv", "summary.json", "estimator.safetensors"):
        assert (tmp_path / "command" / name).read_bytes() == (tmp_path / "python" / name).read_bytes(), name
    assert a.samples.num_rows == 210
    assert len(a.samples.split("new")["id"]) == 60


def test_columns_and_identity(analysis: lsmi.Analysis) -> None:
    samples = analysis.samples
    assert samples["id"][:2] == ["s0", "s1"]
    assert set(samples["split"]) == {"train"}
    # i12 = r + u1 + u2 + s for every sample, by every measure.
    for end in ("", "_ccs"):
        total = sum(samples[part + end] for part in ("r", "u1", "u2", "s"))
        np.testing.assert_allclose(total, samples["i12"], atol=1e-9)
    assert analysis.summary["splits"]["train"]["n"] == 150
    assert "150 samples" in repr(analysis)


def test_files_are_read_as_the_command_reads_them(file: Path, analysis: lsmi.Analysis) -> None:
    a = lsmi.analyze(file, measures=["ccs"], **QUICK)
    np.testing.assert_array_equal(a.samples["r"], analysis.samples["r"])
    with pytest.raises(lsmi.UsageError, match="leave out x2"):
        lsmi.analyze(file, np.zeros((2, 2)))
    with pytest.raises(lsmi.DataError, match="no such file"):
        lsmi.analyze(file.with_name("nowhere.npz"))


def test_an_estimator_scores_what_the_command_scores(analysis: lsmi.Analysis, tmp_path: Path) -> None:
    new = lsmi.simulate("gauss", 60, dims=3, classes=2, seed=2)
    estimator = analysis.estimator
    estimator.save(tmp_path / "e.safetensors")
    np.savez(tmp_path / "new.npz", x1=new["x1"], x2=new["x2"], y=new["y"])
    for options, label_free in (([], False), (["--label-free"], True)):
        place = tmp_path / f"{label_free}.csv"
        done = command(
            "score", tmp_path / "new.npz", "--estimator", tmp_path / "e.safetensors", "--out", place, "--quiet", *options
        )
        assert done.returncode == 0, done.stderr
        y = None if label_free else new["y"]
        scored = estimator.score(new["x1"], new["x2"], y, label_free=label_free)
        scored.samples.write(tmp_path / "python.csv")
        assert place.read_bytes() == (tmp_path / "python.csv").read_bytes()
    again = lsmi.load(tmp_path / "e.safetensors").score(new["x1"], new["x2"], new["y"])
    pickled = pickle.loads(pickle.dumps(estimator)).score(new["x1"], new["x2"], new["y"])
    np.testing.assert_array_equal(again.samples["s"], pickled.samples["s"])
    with pytest.raises(lsmi.UsageError, match="y is missing"):
        estimator.score(new["x1"], new["x2"])
    with pytest.raises(lsmi.DataError, match="fitted on 3"):
        estimator.score(new["x1"][:, :2], new["x2"], new["y"])


def test_gates(data: Arrays) -> None:
    found = lsmi.check(data["x1"], data["x2"], data["y"], threads=1, rows=100, progress=False)
    assert found["verdict"] in {"pass", "warn", "fail"}
    assert {"power", "specificity"} <= {gate["name"] for gate in found["gates"]}


def test_the_report(analysis: lsmi.Analysis, tmp_path: Path) -> None:
    page = analysis.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert page.startswith("<!") and "</html>" in page
    shown = analysis._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "&lt;html" in shown


def test_progress_is_told(data: Arrays) -> None:
    heard: list[tuple[int, int, str, float]] = []
    options = {**QUICK, "progress": lambda *step: heard.append(step)}
    lsmi.analyze(data["x1"], data["x2"], data["y"], **options)
    assert heard[-1][0] == heard[-1][1] == 25
    assert any("density of x1" in what for _, _, what, _ in heard)


def test_an_error_of_the_listener_ends_the_fit(data: Arrays) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        lsmi.analyze(data["x1"], data["x2"], data["y"], **{**QUICK, "progress": refuse})


def test_training_rows_are_not_to_be_scored(data: Arrays, analysis: lsmi.Analysis) -> None:
    ids = [f"s{row}" for row in range(150)]
    with pytest.warns(UserWarning, match="rows that the estimator was fitted on"):
        analysis.estimator.score(data["x1"], data["x2"], data["y"], ids=ids)


def test_columns_that_are_not_there_are_told(analysis: lsmi.Analysis) -> None:
    with pytest.raises(KeyError, match=r"measures=\[\"sx\"\]"):
        analysis.samples["s_sx"]
    assert "s_sx" not in analysis.samples and analysis.samples.get("s_sx") is None
    with pytest.raises(lsmi.UsageError, match="two names"):
        lsmi.analyze(np.eye(2), np.eye(2), [0, 1], names=("a",))  # type: ignore[arg-type]


def test_scores_without_labels_are_shown_as_text(data: Arrays, analysis: lsmi.Analysis, tmp_path: Path) -> None:
    free = analysis.estimator.score(data["x1"][:9], data["x2"][:9], label_free=True)
    assert free._repr_html_() is None and "eval, 9 samples" in repr(free)
    with pytest.raises(lsmi.UsageError, match="without labels"):
        free.report()
    with pytest.raises(lsmi.LsmiError, match="nowhere"):
        free.samples.write(tmp_path / "nowhere" / "samples.csv")
    with pytest.raises(lsmi.LsmiError, match="nowhere"):
        analysis.estimator.save(tmp_path / "nowhere" / "e.safetensors")
