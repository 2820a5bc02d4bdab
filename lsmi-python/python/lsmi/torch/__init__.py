"""Interactions in a training loop of PyTorch.

:class:`Guide` says what each sample of a batch weighs in each loss, by interactions that an analysis found or that are
estimated in the student while it learns. :class:`GuidedDistillation` is a loss that takes those weights,
:class:`WeightedSampler` draws samples by their interactions, and :class:`GuidedEnsemble` weighs models sample by sample.

The policies are those of Yang, Wang and Hu ("Efficient Quantification of Multimodal Interaction at Sample Level", ICML 2025)
and the controls that they must be compared with. ``docs/pytorch.md`` has a loop from beginning to end.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError('lsmi.torch needs PyTorch: pip install "lsmi[torch]"') from error

from lsmi.torch._distillation import GuidedDistillation, Losses, Outputs
from lsmi.torch._ensemble import GuidedEnsemble
from lsmi.torch._guide import Guide
from lsmi.torch._sampler import WeightedSampler

__all__ = ["Guide", "GuidedDistillation", "GuidedEnsemble", "Losses", "Outputs", "WeightedSampler"]
