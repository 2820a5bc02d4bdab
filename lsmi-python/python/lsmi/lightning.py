"""Interactions in a training by Lightning.

:class:`GuideCallback` tells a :class:`lsmi.torch.Guide` of epochs, logs what it found and keeps its state in checkpoints. The
loss stays in the ``training_step`` of the module, which asks the guide for weights and lets it observe::

    def training_step(self, batch, index):
        ids, x1, x2, y = batch
        features, logits = self(x1, x2)
        weights = guide.weights(ids, device=self.device)
        guide.observe(ids, features, logits)
        ...
"""

from __future__ import annotations

from typing import Any

try:
    import torch  # noqa: F401
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise ImportError('lsmi.lightning needs PyTorch and Lightning: pip install "lsmi[lightning]"') from error

from lsmi.torch import Guide

__all__ = ["GuideCallback"]


class GuideCallback(Callback):
    """Tells a guide when epochs start and end, logs what it found, and keeps its state in every checkpoint.

    Args:
        guide: The guide.
        log: Whether what the guide found is logged at the end of each epoch, by the names of
            :meth:`lsmi.torch.Guide.log`.
    """

    def __init__(self, guide: Guide, log: bool = True) -> None:
        super().__init__()
        self.guide = guide
        self.log = log

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plans the epoch."""
        self.guide.start_epoch(trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ends the epoch."""
        self.guide.end_epoch(trainer.current_epoch)
        if self.log:
            pl_module.log_dict(self.guide.log(), on_step=False, on_epoch=True)

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of the guide, for a checkpoint."""
        return self.guide.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from the state of a checkpoint."""
        self.guide.load_state_dict(state_dict)
