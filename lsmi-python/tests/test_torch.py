"""Guided training in PyTorch: weights, losses, samplers, ensembles."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lsmi.errors import DataError, UsageError  # noqa: E402
from lsmi.torch import Guide, GuidedDistillation, GuidedEnsemble, Outputs, WeightedSampler  # noqa: E402

N = 64


def columns(n: int = N, seed: int = 0) -> dict[str, Any]:
    """Samples of two classes, a quarter each redundant, unique to x1, unique to x2 and synergistic."""
    random = np.random.default_rng(seed)
    kind = np.arange(n) % 4
    noise = 0.05 * random.standard_normal((3, n))
    return {
        "id": [f"s{row}" for row in range(n)],
        "split": ["train"] * (n - 4) + ["test"] * 4,
        "label": [("cat", "dog")[row // 4 % 2] for row in range(n)],
        "h1": random.standard_normal(n),
        "h2": random.standard_normal(n),
        "i1": np.where(kind <= 1, 0.6, 0.0) + noise[0],
        "i2": np.where((kind == 0) | (kind == 2), 0.6, 0.0) + noise[1],
        "i12": 0.6 + noise[2],
    }


def ids_of(rows: Any) -> list[str]:
    return [f"s{row}" for row in rows]


@pytest.mark.parametrize("policy", ["sources", "dominant", "modality", "random", "both", "all", "none"])
def test_weights_have_a_mean_of_one_or_are_off(policy: str) -> None:
    guide = Guide(policy, columns())
    guide.start_epoch(0)
    weights = guide.weights(ids_of(range(32)))
    assert set(weights) == {"feature", "output", "auxiliary1", "auxiliary2"}
    is_on = {name: bool(column.any()) for name, column in weights.items()}
    expected = {
        "sources": (1, 1, 1),
        "dominant": (1, 1, 0),
        "modality": (0, 0, 1),
        "random": (1, 1, 1),
        "both": (1, 1, 0),
        "all": (1, 1, 1),
        "none": (0, 0, 0),
    }[policy]
    assert (is_on["feature"], is_on["output"], is_on["auxiliary1"]) == expected
    for name, column in weights.items():
        assert column.shape == (32,) and column.min() >= 0
        # Rounding of 32 numbers of single precision.
        assert not is_on[name] or abs(column.mean().item() - 1) < 1e-6


def test_weights_of_the_published_rule_go_by_the_largest_interaction() -> None:
    guide = Guide("dominant", columns())
    weights = guide.weights(ids_of(range(8)))
    # Rows 3 and 7 are synergistic.
    assert weights["output"].tolist() == pytest.approx([0, 0, 0, 4, 0, 0, 0, 4])
    assert weights["feature"].tolist() == pytest.approx([4 / 3, 4 / 3, 4 / 3, 0] * 2)


def test_shuffled_batches_give_a_sample_the_same_weight_up_to_the_scale_of_its_batch() -> None:
    guide = Guide("sources", columns())
    guide.start_epoch(0)
    all_rows = guide.weights(ids_of(range(60)), dtype=torch.float64)
    order = np.random.default_rng(1).permutation(60)
    for rows in order.reshape(6, 10):
        batch = guide.weights(ids_of(rows), dtype=torch.float64)
        share = guide.weights(ids_of(rows), dtype=torch.float64, over="epoch")
        for name, column in batch.items():
            of_rows = all_rows[name][torch.from_numpy(rows)]
            # The same weights but for the scale, which is that of the batch.
            torch.testing.assert_close(share[name], of_rows, rtol=1e-12, atol=0)
            torch.testing.assert_close(column, of_rows / of_rows.mean(), rtol=1e-12, atol=0)
    again = guide.weights(ids_of(range(60)), dtype=torch.float64)
    assert all(torch.equal(again[name], all_rows[name]) for name in again), "no call leaves a trace"


def test_a_sample_that_is_drawn_twice_counts_twice() -> None:
    guide = Guide("sources", columns())
    once = guide.weights(["s0", "s3"], over="epoch", dtype=torch.float64)["output"]
    twice = guide.weights(["s3", "s0", "s3"], dtype=torch.float64)["output"]
    expected = torch.stack([once[1], once[0], once[1]])
    torch.testing.assert_close(twice, expected / expected.mean(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("of", [list, np.array, torch.tensor])
def test_ids_may_be_numbers(of: Any) -> None:
    table = columns()
    table["id"] = list(range(N))
    guide = Guide("sources", table)
    expected = guide.weights(["7", "2"])
    found = guide.weights(of([7, 2]))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert guide.weights(of([7, 2]), device="meta", dtype=torch.float64)["output"].is_meta


def test_unknown_samples_are_named() -> None:
    guide = Guide("sources", columns())
    with pytest.raises(DataError, match="sample `owl`"):
        guide.weights(["s0", "owl"])
    # Row 63 is of the split that is not trained on.
    with pytest.raises(DataError, match="split="):
        guide.weights(["s63"])
    assert Guide("sources", columns(), split=None).weights(["s63"])["output"].shape == (1,)
    with pytest.raises(UsageError, match="float"):
        guide.weights([0.5])  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused() -> None:
    table = columns()
    with pytest.raises(UsageError, match="`best` is no policy"):
        Guide("best", table)
    with pytest.raises(UsageError, match="rule="):
        Guide("sources", table, rule="odd")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no column `i12`"):
        Guide("sources", {name: column for name, column in table.items() if name != "i12"})
    with pytest.raises(DataError, match="no sample is of the split `val`; there are train, test"):
        Guide("sources", table, split="val")
    with pytest.raises(DataError, match="`dog` is no class"):
        Guide("sources", table, classes=["cat", "owl"])
    with pytest.raises(DataError, match="same id `s0`"):
        Guide("sources", {**table, "id": ["s0"] * N})
    with pytest.raises(UsageError, match="need ids= and labels="):
        Guide("sources", "tracked")
    with pytest.raises(DataError, match="confidence="):
        Guide("confidence", table).start_epoch(0)
    certain = {f"s{row}": 0.9 if row % 2 else 0.5 for row in range(N)}
    confident = Guide("confidence", table, confidence=certain).weights(["s0", "s1"])
    assert confident["output"][1] > confident["output"][0]


def test_a_folder_and_an_analysis_are_read_as_their_columns(tmp_path: Path) -> None:
    table = columns()
    # The prior is that of the rows that are trained on.
    summary = {"classes": ["cat", "dog"], "class_prior": [32 / 60, 28 / 60]}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    with (tmp_path / "samples.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values()))

    class Analysis:
        def __init__(self) -> None:
            self.samples, self.summary = table, summary

    expected = Guide("sources", table).weights(["s3", "s1"])
    for source in (tmp_path, str(tmp_path), Analysis()):
        found = Guide("sources", source).weights(["s3", "s1"])
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    with pytest.raises(DataError, match=str(tmp_path / "nowhere")):
        Guide("sources", tmp_path / "nowhere")


def test_an_analysis_and_its_folder_give_the_same_weights(analysis: Any, tmp_path: Path) -> None:
    analysis.write(tmp_path / "result")
    ids = analysis.samples.split("train")["id"][:20]
    expected = Guide("sources", analysis).weights(ids)
    found = Guide("sources", tmp_path / "result").weights(ids)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert expected["output"].min() < expected["output"].max()
    # An interaction that has no column is computed from the terms.
    rest = {name: column for name, column in analysis.samples.items() if name != "s_ccs"}
    assert len(rest) < len(analysis.samples)
    torch.testing.assert_close(WeightedSampler(rest).weights, WeightedSampler(analysis).weights, rtol=1e-12, atol=1e-12)


def test_an_ensemble_takes_scores_without_labels(analysis: Any, data: Any) -> None:
    scores = analysis.estimator.score(data["x1"], data["x2"], label_free=True)
    logits = {"x1": torch.tensor(data["x1"][:, :2], dtype=torch.float64), "x2": torch.zeros(150, 2)}
    combined = GuidedEnsemble(scores).fit(range(150), logits, data["y"]).combine(range(150), logits)
    assert combined.shape == (150, 2) and torch.isfinite(combined).all()
    with pytest.raises(DataError, match="without labels"):
        GuidedEnsemble(analysis)


def test_the_warm_up_weighs_alike_and_is_logged() -> None:
    guide = Guide("dominant", columns(), warm_up=1)
    guide.start_epoch(0)
    assert guide.weights(["s0", "s3"])["output"].tolist() == [1, 1]
    assert guide.log()["guide/planned"] == 0
    guide.start_epoch(1)
    assert guide.weights(["s0", "s3"])["output"].tolist() == [0, 2]
    log = guide.log()
    assert log["guide/planned"] == 1
    # By the measure that asks where the sources agree, a quarter of the samples has a redundancy of about 0.6.
    assert log["guide/r"] == pytest.approx(0.15, abs=0.05)
    assert guide.report() is None and guide.history() == []


class Student(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Two encoders and a fusion."""

    def __init__(self) -> None:
        super().__init__()
        self.encoders = torch.nn.ModuleList(torch.nn.Linear(2, 4) for _ in range(2))
        self.fusion = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))

    def forward(self, x1: Any, x2: Any) -> tuple[tuple[Any, Any], Any]:
        features = (self.encoders[0](x1).tanh(), self.encoders[1](x2).tanh())
        return features, self.fusion(torch.cat(features, -1))


def data(n: int) -> tuple[Any, Any, Any]:
    """x1 tells the label of every sample, x2 of none."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(2, (n,), generator=generator)
    x1, x2 = (torch.randn(n, 2, generator=generator) for _ in range(2))
    x1[:, 0] += 3.0 * (2 * y - 1)
    return x1, x2, y


def train(guide: Guide, epochs: range, n: int = 200) -> list[Any]:
    """Trains a student from the same start, and returns the weights of every batch."""
    torch.manual_seed(0)
    student, (x1, x2, y) = Student(), data(n)
    optimizer = torch.optim.Adam(student.parameters(), 0.02)
    seen = []
    for epoch in epochs:
        guide.start_epoch(epoch)
        for rows in torch.randperm(n, generator=torch.Generator().manual_seed(epoch)).split(50):
            weights = guide.weights(rows)
            features, logits = student(x1[rows], x2[rows])
            losses = torch.nn.functional.cross_entropy(logits, y[rows], reduction="none")
            optimizer.zero_grad()
            loss = (losses * (1 + weights["auxiliary1"])).mean()
            loss.backward()
            optimizer.step()
            guide.observe(rows, features, logits)
            seen.append({name: column.clone() for name, column in weights.items()})
        guide.end_epoch(epoch)
    return seen


def tracked(n: int = 200, **settings: Any) -> Guide:
    return Guide("sources", "tracked", ids=range(n), labels=data(n)[2], mode="synchronous", **settings)


def test_a_tracked_guide_learns_the_student_and_repeats_to_the_byte() -> None:
    guide = tracked()
    assert guide.is_observing and guide.interactions() is None
    seen = train(guide, range(3))
    assert torch.all(seen[0]["auxiliary1"] == 1), "nothing is known in the first epoch"
    assert not torch.all(seen[-1]["auxiliary1"] == 1)
    interactions = guide.interactions()
    assert interactions is not None and len(interactions["ids"]) == 200
    # x1 tells nearly all of the label, whose entropy is log 2, and x2 nothing, but for what 100 rows by chance say.
    assert interactions["u1"].mean() > 0.5
    assert abs(interactions["r"].mean()) + abs(interactions["u2"].mean()) < 0.1
    log = guide.log("")
    assert log["known"] == 1 and log["dropped"] == 0 and log["spoiled"] == 0
    assert [entry["epoch"] for entry in guide.history()] == [0, 1, 2]
    assert guide.report()["failure"] is None  # type: ignore[index]

    again = tracked()
    for one, other in zip(seen, train(again, range(3))):
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert again.interactions()["i12"].tobytes() == interactions["i12"].tobytes()  # type: ignore[index]


def test_the_background_never_holds_up_the_loop_and_reports() -> None:
    guide = Guide("sources", "tracked", ids=range(200), labels=data(200)[2], mode="background")
    train(guide, range(2))
    assert set(guide.report() or {}) == {"dropped", "overtaken", "spoiled", "first_spoiled", "failure"}


def test_values_that_are_not_finite_are_counted_and_named() -> None:
    guide = tracked(8)
    features = torch.ones(2, 3)
    features[1, 0] = torch.nan
    guide.observe([4, 5], (features, torch.ones(2, 3)))
    with pytest.raises(DataError, match="observe more samples"):
        guide.end_epoch(0)
    report = guide.report()
    assert report is not None and report["spoiled"] == 1 and report["first_spoiled"] == "5"
    assert "class" in report["failure"]
    with pytest.raises(UsageError, match=r"\[n, d\]"):
        guide.observe([4], (torch.ones(3), torch.ones(1, 3)))
    with pytest.raises(DataError, match="`9`"):
        guide.observe([9], (torch.ones(1, 3), torch.ones(1, 3)))


def test_a_tracked_guide_takes_the_last_of_a_sample_that_comes_twice() -> None:
    one, other = tracked(40), tracked(40)
    first, second = torch.randn(40, 3), torch.randn(40, 3)
    rows = torch.arange(40)
    one.observe(torch.cat([rows, rows]), (torch.cat([first, second]),) * 2)
    other.observe(rows, (second, second))
    for guide in (one, other):
        guide.end_epoch(0)
    assert one.interactions()["i12"].tobytes() == other.interactions()["i12"].tobytes()  # type: ignore[index]


def observe_half(rank: int, folder: str) -> None:
    """One of two processes, which sees every other sample."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    guide, (x1, x2, _) = tracked(40), data(40)
    guide.observe(range(rank, 40, 2), (x1[rank::2], x2[rank::2]))
    guide.end_epoch(0)
    guide.start_epoch(1)
    torch.save((guide.log(""), guide.weights(range(40))), Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no processes")
def test_processes_share_what_they_observe(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(observe_half, (str(tmp_path),), nprocs=2)
    (log, weights), (other_log, other_weights) = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert log == other_log and log["known"] == 1
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_a_state_resumes_to_the_same_weights(tmp_path: Path, smoothing: float) -> None:
    guide = tracked(smoothing=smoothing)
    train(guide, range(2))
    torch.save(guide.state_dict(), tmp_path / "guide.pt")
    resumed = tracked(smoothing=smoothing)
    resumed.load_state_dict(torch.load(tmp_path / "guide.pt", weights_only=True))
    for one, other in zip(train(guide, range(2, 4)), train(resumed, range(2, 4))):
        assert all(torch.equal(one[name], other[name]) for name in one)
    fixed = Guide("sources", columns())
    fixed.start_epoch(0)
    state = copy.deepcopy(fixed.state_dict())
    other_fixed = Guide("sources", columns())
    other_fixed.load_state_dict(state)
    assert torch.equal(fixed.weights(["s1", "s2"])["output"], other_fixed.weights(["s1", "s2"])["output"])
    with pytest.raises(UsageError, match="other settings: policy was"):
        Guide("dominant", columns()).load_state_dict(state)
    with pytest.raises(UsageError, match="another guide: ids"):
        Guide("sources", columns(), split="test").load_state_dict(state)


def outputs(n: int, seed: int, width: int = 3) -> Outputs:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return Outputs(draw(n, 4), (draw(n, width), draw(n, width)), (draw(n, 4), draw(n, 4)))


def batch_weights(n: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(9)
    names = ("feature", "output", "auxiliary1", "auxiliary2")
    return {name: torch.rand(n, generator=generator, dtype=torch.float64) for name in names}


def test_losses_are_those_of_the_formulas() -> None:
    student, teacher, labels, weights = outputs(5, 0), outputs(5, 1), torch.tensor([0, 3, 1, 2, 2]), batch_weights(5)
    loss = GuidedDistillation(temperature=3.0, feature=0.5, output=0.25, auxiliary=0.125, label=2.0)
    found = loss(student, teacher, labels, weights)

    def log_softmax(logits: Any) -> Any:
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def surprisal(logits: Any) -> Any:
        return -log_softmax(logits)[np.arange(5), labels.numpy()]

    p, q = (log_softmax(of.logits.numpy() / 3.0) for of in (teacher, student))
    assert student.features is not None and teacher.features is not None and student.auxiliary is not None
    squares = [((s - t).numpy() ** 2).mean(-1) for s, t in zip(student.features, teacher.features)]
    samples = {
        "label": surprisal(student.logits.numpy()),
        "feature": (squares[0] + squares[1]) / 2,
        "output": 9.0 * (np.exp(p) * (p - q)).sum(-1),
        "auxiliary1": surprisal(student.auxiliary[0].numpy()),
        "auxiliary2": surprisal(student.auxiliary[1].numpy()),
    }
    factors = {"label": 2.0, "feature": 0.5, "output": 0.25, "auxiliary1": 0.125, "auxiliary2": 0.125}
    total = 0.0
    for name, expected in samples.items():
        np.testing.assert_allclose(found.samples[name].numpy(), expected, rtol=1e-12)
        w = np.ones(5) if name == "label" else weights[name].numpy()
        assert found.parts[name].item() == pytest.approx((w * expected).mean(), rel=1e-12)
        total += factors[name] * (w * expected).mean()
    assert found.total.item() == pytest.approx(total, rel=1e-12)


def test_relations_are_those_of_the_formula_whatever_the_widths() -> None:
    student, teacher = outputs(4, 0, width=3), outputs(4, 1, width=6)
    loss = GuidedDistillation(output=0, label=0, feature_loss="relation")
    assert student.features is not None and teacher.features is not None
    f, g = student.features[0], teacher.features[0]
    labels, weights = torch.zeros(4, dtype=torch.long), {"feature": torch.ones(4)}
    found = loss(Outputs(student.logits, f), Outputs(teacher.logits, g), labels, weights).samples["feature"]

    def relative(features: Any) -> Any:
        distances = np.linalg.norm(features[:, None] - features[None], axis=-1)
        return distances / (distances.sum() / 12)

    difference = np.abs(relative(f.numpy()) - relative(g.numpy()))
    huber = np.where(difference < 1, difference**2 / 2, difference - 0.5)
    np.testing.assert_allclose(found.numpy(), huber.sum(-1) / 3, atol=1e-9)


@pytest.mark.parametrize("feature_loss", ["mean_square", "cosine", "relation"])
def test_gradients_match_differences_and_none_reaches_the_teacher(feature_loss: Any) -> None:
    student, teacher, labels, weights = outputs(4, 0), outputs(4, 1), torch.tensor([0, 3, 1, 2]), batch_weights(4)
    loss = GuidedDistillation(2.0, 0.7, 0.9, 0.3, feature_loss=feature_loss)
    given = [student.logits, *student.features, *student.auxiliary]  # type: ignore[misc]

    def total(logits: Any, f1: Any, f2: Any, a1: Any, a2: Any) -> Any:
        return loss({"logits": logits, "features": (f1, f2), "auxiliary": (a1, a2)}, teacher, labels, weights).total

    assert torch.autograd.gradcheck(total, [tensor.clone().requires_grad_() for tensor in given])
    logits = student.logits.clone().requires_grad_()
    teacher.logits.requires_grad_()
    found = loss(Outputs(logits, student.features), teacher, labels, weights)
    found.total.backward()
    assert logits.grad is not None and teacher.logits.grad is None


def test_losses_that_do_not_fit_are_refused() -> None:
    student, teacher, labels = outputs(4, 0), outputs(4, 1, width=5), torch.tensor([0, 3, 1, 2])
    with pytest.raises(UsageError, match="features have the shape"):
        GuidedDistillation()(student, teacher, labels, batch_weights(4))
    with pytest.raises(UsageError, match="no weights `output`"):
        GuidedDistillation(feature=0)(student, teacher, labels, {})
    with pytest.raises(UsageError, match=r"shape \[3\], expected \[4\]"):
        GuidedDistillation(feature=0)(student, teacher, labels, batch_weights(3))
    with pytest.raises(UsageError, match="both have features"):
        GuidedDistillation()(Outputs(student.logits), teacher, labels, batch_weights(4))
    with pytest.raises(UsageError, match="temperature"):
        GuidedDistillation(temperature=0)
    with pytest.raises(UsageError, match="no loss"):
        GuidedDistillation(2.0, 0, 0, label=0)(student, teacher, labels, batch_weights(4))


def test_a_sampler_draws_by_the_interaction() -> None:
    table = columns()
    generator = torch.Generator().manual_seed(0)
    sampler = WeightedSampler(table, by="s_ccs", num_samples=4000, generator=generator, floor=0.1)
    assert len(sampler) == 4000 and len(sampler.weights) == 60
    drawn = np.bincount(list(sampler), minlength=60)
    expected = 4000 * (sampler.weights / sampler.weights.sum()).numpy()
    # Binomial counts: within five standard deviations, which 60 rows leave with a probability of 1e-5.
    assert np.all(np.abs(drawn - expected) < 5 * np.sqrt(expected))
    # A synergistic row weighs 0.6 + 0.1, one without synergy about 0.1.
    assert drawn[3::4].sum() > 0.6 * 4000
    assert list(sampler) != list(sampler), "another epoch draws anew"
    again = WeightedSampler(table, by="s_ccs", generator=torch.Generator().manual_seed(3))
    other = WeightedSampler(table, by="s_ccs", generator=torch.Generator().manual_seed(3))
    assert list(again) == list(other)


def test_a_sampler_draws_rows_of_the_data_set() -> None:
    table = {**columns(), "s": np.arange(N, dtype=float)}
    sampler = WeightedSampler(table, by="s", floor=0, ids=["s2", "s0", "s1"], num_samples=50)
    assert sampler.weights.tolist() == [2, 0, 1] and set(sampler) == {0, 2}
    with pytest.raises(DataError, match="sample `s63`"):
        WeightedSampler(table, by="s", ids=["s63"])
    with pytest.raises(DataError, match="floor="):
        WeightedSampler({**table, "s": -np.ones(N)}, by="s", floor=0)
    with pytest.raises(DataError, match="no column `t`"):
        WeightedSampler(table, by="t")
    all_once = WeightedSampler(table, by="s", replacement=False, floor=1.0)
    assert sorted(all_once) == list(range(60))


def members(n: int, seed: int) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """Two models, each right where the other guesses, and interactions that tell where."""
    random = np.random.default_rng(seed)
    y, side = random.integers(2, size=n), random.integers(2, size=n)
    evidence = 2.0 * (2 * y - 1) + random.standard_normal(n)
    guess = 4.0 * random.standard_normal(n)
    logits = [np.stack([np.zeros(n), np.where(side == which, evidence, guess)], 1) for which in (0, 1)]
    scores = {"id": np.arange(n), "r": np.zeros(n), "u1": 1.0 - side, "u2": side.astype(float), "s": np.zeros(n)}
    return {"x1": torch.tensor(logits[0]), "x2": torch.tensor(logits[1])}, torch.tensor(y), scores


def test_a_guided_ensemble_follows_the_interactions() -> None:
    of, y, scores = members(400, 0)
    ensemble = GuidedEnsemble(scores)
    with pytest.raises(UsageError, match="fit"):
        ensemble.combine(range(400), of)
    ensemble.fit(range(200), {name: logits[:200] for name, logits in of.items()}, y[:200])
    assert ensemble.penalty is not None, "weights that depend on the sample are chosen where they must"
    rest = {name: logits[200:].requires_grad_() for name, logits in of.items()}
    combined = ensemble.combine(range(200, 400), rest)
    torch.testing.assert_close(combined.exp().sum(1), torch.ones(200, dtype=torch.float64))
    loss = torch.nn.functional.nll_loss(combined, y[200:])
    alone = [torch.nn.functional.cross_entropy(logits, y[200:]) for logits in rest.values()]
    mean = torch.nn.functional.cross_entropy(sum(torch.log_softmax(m, 1) for m in rest.values()) / 2, y[200:])
    assert loss < min(*alone, mean) - 0.1
    loss.backward()
    assert all(logits.grad.abs().sum() > 0 for logits in rest.values())
    weights = ensemble.weights(range(400), of)
    side = torch.tensor(scores["u2"]).bool()
    assert weights[~side, 0].mean() > weights[side, 0].mean()

    copied = GuidedEnsemble(scores)
    copied.load_state_dict(json.loads(json.dumps(ensemble.state_dict())))
    assert torch.equal(copied.combine(range(200, 400), rest), combined)
    with pytest.raises(DataError, match="x1, x2"):
        ensemble.combine(range(200, 400), {"x1": rest["x1"]})
    with pytest.raises(DataError, match="sample `400`"):
        ensemble.combine([400], {name: logits[:1] for name, logits in rest.items()})


def test_an_ensemble_refuses_interactions_of_known_labels() -> None:
    _, _, scores = members(8, 0)
    with pytest.raises(DataError, match="without labels"):
        GuidedEnsemble({**scores, "label": ["cat"] * 8})
    GuidedEnsemble({**scores, "label": [""] * 8})


def test_mistakes_are_named() -> None:
    labels = np.arange(40) % 2
    tracked = Guide("sources", "tracked", ids=ids_of(range(40)), labels=labels, mode="synchronous")
    with pytest.raises(UsageError, match="start_epoch"):
        tracked.weights(["s0"])
    with pytest.raises(UsageError, match="counted from 0"):
        tracked.start_epoch(-1)
    with pytest.raises(UsageError, match="pair"):
        tracked.observe(["s0"], torch.zeros(1, 2))  # type: ignore[arg-type]
    for wrong in (np.eye(2)[labels], labels + 0.5):
        with pytest.raises(DataError, match="one class a sample"):
            Guide("sources", "tracked", ids=ids_of(range(40)), labels=wrong)
    with pytest.raises(DataError, match="no such folder"):
        Guide("sources", "nowhere")
    fixed = Guide("sources", "tracked", ids=ids_of(range(40)), labels=labels, every=3)
    with pytest.raises(UsageError, match="other settings"):
        fixed.load_state_dict(tracked.state_dict())
