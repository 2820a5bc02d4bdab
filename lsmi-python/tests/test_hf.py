"""Guided training by the trainer of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from lsmi.errors import UsageError  # noqa: E402
from lsmi.hf import FILE, GuideCallback, GuidedTrainerMixin, IdCollator  # noqa: E402
from lsmi.torch import Guide, GuidedDistillation  # noqa: E402

N = 96


class GuidedTrainer(GuidedTrainerMixin, transformers.Trainer):  # type: ignore[misc, name-defined]
    pass


class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Two encoders and a fusion; its outputs have what a tracked guide looks at."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
        self.fusion = torch.nn.Linear(6, 2)

    def forward(self, x1: Any, x2: Any, labels: Any = None) -> dict[str, Any]:
        features = (self.first(x1).tanh(), self.second(x2).tanh())
        logits = self.fusion(torch.cat(features, -1))
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits, "features": features}


def samples() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    x1, x2 = (torch.randn(N, 2, generator=generator) for _ in range(2))
    x1[:, 0] += 2.0 * (2 * (torch.arange(N) % 2) - 1)
    return [{"id": f"s{row}", "x1": x1[row], "x2": x2[row], "labels": row % 2} for row in range(N)]


def columns() -> dict[str, Any]:
    random = np.random.default_rng(0)
    i12 = random.uniform(0.0, 0.6, N)
    terms = {"h1": np.zeros(N), "h2": np.zeros(N), "i1": i12 / 2, "i2": i12 / 3, "i12": i12}
    return {"id": [f"s{row}" for row in range(N)], "label": np.arange(N) % 2, **terms}


def trainer(folder: Path, guide: Guide, of: Any = GuidedTrainer, model: Any = None, **settings: Any) -> Any:
    guided = {name: settings.pop(name) for name in ("teacher", "distillation", "loss_fn", "over") if name in settings}
    usual = {"num_train_epochs": 2, "per_device_train_batch_size": 16, "gradient_accumulation_steps": 2}
    quiet = {"report_to": [], "use_cpu": True, "disable_tqdm": True, "save_strategy": "no", "logging_steps": 1}
    arguments = transformers.TrainingArguments(output_dir=str(folder), **{**usual, **quiet, **settings})
    collator = IdCollator(transformers.default_data_collator)
    data = samples()
    model = model or Model()
    return of(model, arguments, train_dataset=data, eval_dataset=data, data_collator=collator, guide=guide, **guided)


def test_ids_go_through_any_collator() -> None:
    collator = IdCollator(transformers.default_data_collator)
    batch = collator(samples()[:3])
    assert batch["id"] == ["s0", "s1", "s2"] and batch["x1"].shape == (3, 2)
    numbered = [{**sample, "id": row} for row, sample in enumerate(samples()[:3])]
    assert collator(numbered)["id"].tolist() == [0, 1, 2]
    assert set(numbered[0]) == {"id", "x1", "x2", "labels"}, "the samples stay as they were"
    with pytest.raises(UsageError, match="remove_unused_columns"):
        collator([{"x1": torch.zeros(2)}])


def test_the_trainer_runs_with_weights_of_every_batch(tmp_path: Path) -> None:
    guide, asked = Guide("sources", columns()), []
    weights = guide.weights

    def spy(ids: Any, **settings: Any) -> Any:
        asked.append(list(ids))
        return weights(ids, **settings)

    guide.weights = spy  # type: ignore[method-assign]
    of = trainer(tmp_path, guide)
    of.train()
    assert [len(ids) for ids in asked] == [16] * 12
    for epoch in (asked[:6], asked[6:]):
        assert sorted(name for ids in epoch for name in ids) == sorted(f"s{row}" for row in range(N))
    logged = [entry for entry in of.state.log_history if "guide/r" in entry]
    assert logged and logged[0]["guide/planned"] == 1
    assert np.isfinite(of.evaluate()["eval_loss"]), "evaluation needs no weights"


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    def trained(batch: int, accumulated: int) -> Any:
        settings = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulated, "optim": "sgd"}
        rest = {"learning_rate": 0.5, "max_grad_norm": 0.0, "lr_scheduler_type": "constant", "over": "epoch"}
        of = trainer(tmp_path, Guide("sources", columns()), num_train_epochs=1, **settings, **rest)
        of.train()
        return of.model.fusion.weight.detach()

    # Differences are those of the order of sums.
    torch.testing.assert_close(trained(4, 2), trained(8, 1), rtol=1e-4, atol=1e-6)


def test_the_loss_is_the_weighed_one(tmp_path: Path) -> None:
    guide = Guide("sources", columns())
    of = trainer(tmp_path, guide)
    batch = of.data_collator(samples()[:6])
    loss, outputs = of.compute_loss(of.model.train(), batch, return_outputs=True)
    surprisal = torch.nn.functional.cross_entropy(outputs["logits"], batch["labels"], reduction="none")
    expected = (surprisal * guide.weights(batch["id"])["output"]).mean()
    torch.testing.assert_close(loss, expected)
    assert batch["id"] == [f"s{row}" for row in range(6)], "the batch stays as it was"

    teacher, distillation = Model(1), GuidedDistillation(3.0, feature=0.5)
    of = trainer(tmp_path, guide, teacher=teacher, distillation=distillation)
    loss, outputs = of.compute_loss(of.model.train(), batch, return_outputs=True)
    with torch.no_grad():
        of_teacher = teacher(batch["x1"], batch["x2"])
    expected = distillation(outputs, of_teacher, batch["labels"], guide.weights(batch["id"])).total
    torch.testing.assert_close(loss, expected)

    def own(model: Any, inputs: Any, weights: Any) -> Any:
        assert "id" not in inputs
        return model(**inputs)["logits"].sum() * 0 + weights["auxiliary1"].sum()

    of = trainer(tmp_path, guide, loss_fn=own)
    assert of.compute_loss(of.model.train(), batch).item() == pytest.approx(6)
    with pytest.raises(UsageError, match="weigh_by="):
        trainer(tmp_path, Guide("modality", columns())).train()


def test_a_batch_without_ids_is_refused(tmp_path: Path) -> None:
    of = trainer(tmp_path, Guide("sources", columns()))
    of.data_collator = lambda rows: transformers.default_data_collator([{**row, "id": None} for row in rows])
    with pytest.raises(UsageError, match="IdCollator"):
        of.train()


def tracked() -> Guide:
    ids = [f"s{row}" for row in range(N)]
    return Guide("sources", "tracked", ids=ids, labels=np.arange(N) % 2, mode="synchronous")


def test_a_training_with_a_tracked_guide_resumes_to_the_same_model(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", tracked(), num_train_epochs=3, save_strategy="epoch")
    whole.train()
    assert whole.guide.log("")["u1"] > 0.3, "x1 tells much of the label"
    checkpoints = sorted((tmp_path / "whole").glob(f"checkpoint-*/{FILE}"))
    assert len(checkpoints) == 3
    resumed = trainer(tmp_path / "whole", tracked(), num_train_epochs=3, save_strategy="epoch")
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-6"))
    for one, other in zip(whole.model.parameters(), resumed.model.parameters()):
        assert torch.equal(one, other)
    assert resumed.guide.interactions()["i12"].tobytes() == whole.guide.interactions()["i12"].tobytes()


def test_the_callback_serves_a_trainer_of_ones_own(tmp_path: Path) -> None:
    guide = tracked()

    class Own(transformers.Trainer):  # type: ignore[misc, name-defined]
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **settings: Any) -> Any:
            ids = inputs.pop("id")
            outputs = model(**inputs)
            guide.observe(ids, outputs["features"], outputs["logits"])
            return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=2, report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no",
        remove_unused_columns=False,
    )
    collator = IdCollator(transformers.default_data_collator)
    of = Own(Model(), arguments, train_dataset=samples(), data_collator=collator, callbacks=[GuideCallback(guide)])
    of.train()
    assert [entry["epoch"] for entry in guide.history()] == [0, 1]
    assert sum("guide/known" in entry for entry in of.state.log_history) == 2
