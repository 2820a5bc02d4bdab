"""Guided training by Lightning."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pl = pytest.importorskip("lightning.pytorch")

from lsmi.lightning import GuideCallback  # noqa: E402
from lsmi.torch import Guide  # noqa: E402

N = 96


@pytest.fixture(autouse=True)
def quiet() -> Any:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Lightning warns of a few workers and of steps that are not logged, which a small run has.
        warnings.simplefilter("ignore")
        yield


class Module(pl.LightningModule):  # type: ignore[misc, name-defined]
    def __init__(self, guide: Guide) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.guide = guide
        self.first, self.second, self.fusion = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3), torch.nn.Linear(6, 2)
        self.asked: list[dict[str, Any]] = []

    def training_step(self, batch: Any, index: int) -> Any:
        ids, x1, x2, y = batch
        features = (self.first(x1).tanh(), self.second(x2).tanh())
        logits = self.fusion(torch.cat(features, -1))
        weights = self.guide.weights(ids, device=self.device)
        self.guide.observe(ids, features, logits)
        self.asked.append(weights)
        losses = torch.nn.functional.cross_entropy(logits, y, reduction="none")
        return (losses * (1 + weights["output"])).mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


def loader() -> Any:
    generator = torch.Generator().manual_seed(0)
    x1, x2 = (torch.randn(N, 2, generator=generator) for _ in range(2))
    ids, y = [f"s{row}" for row in range(N)], torch.arange(N) % 2
    x1[:, 0] += 2.0 * (2 * y - 1)
    return torch.utils.data.DataLoader(list(zip(ids, x1, x2, y)), batch_size=24)


def tracked() -> Guide:
    ids = [f"s{row}" for row in range(N)]
    return Guide("sources", "tracked", ids=ids, labels=np.arange(N) % 2, mode="synchronous")


def trainer(folder: Path, guide: Guide, epochs: int) -> Any:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, callbacks=[GuideCallback(guide)], default_root_dir=folder, **quiet
    )


def test_two_epochs_run_and_are_logged(tmp_path: Path) -> None:
    guide = tracked()
    module, of = Module(guide), trainer(tmp_path, guide, 2)
    of.fit(module, loader())
    assert len(module.asked) == 8
    assert torch.all(module.asked[0]["output"] == 1) and not torch.all(module.asked[-1]["output"] == 1)
    assert [entry["epoch"] for entry in guide.history()] == [0, 1]
    logged = of.logged_metrics
    assert logged["guide/known"] == 1 and np.isfinite(float(logged["guide/r"]))


def test_a_checkpoint_resumes_to_the_same_module(tmp_path: Path) -> None:
    whole, of = Module(tracked()), None
    of = trainer(tmp_path / "whole", whole.guide, 3)
    of.fit(whole, loader())
    half = Module(tracked())
    of = trainer(tmp_path / "half", half.guide, 2)
    of.fit(half, loader())
    of.save_checkpoint(tmp_path / "half.ckpt")
    resumed = Module(tracked())
    trainer(tmp_path / "resumed", resumed.guide, 3).fit(resumed, loader(), ckpt_path=tmp_path / "half.ckpt")
    assert len(resumed.asked) == 4
    for one, other in zip(whole.parameters(), resumed.parameters()):
        assert torch.equal(one, other)
