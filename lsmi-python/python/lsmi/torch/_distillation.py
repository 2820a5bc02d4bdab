"""The losses of a student that learns from labels and from a teacher, weighed sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

import torch
from torch import nn
from torch.nn import functional

from lsmi.errors import UsageError

_LEAST_SQUARE = 1e-12
"""Added to squares under a root, whose slope at 0 is infinite."""

Pair = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Outputs:
    """What a student or a teacher makes of a batch. A mapping with these keys does as well.

    Attributes:
        logits: Of both modalities together, ``[n, K]``.
        features: ``[n, d]``, or those of each modality; ``None`` where features are not distilled.
        auxiliary: The logits of each modality alone, each ``[n, K]``; of the student only.
    """

    logits: torch.Tensor
    features: torch.Tensor | Pair | None = None
    auxiliary: Pair | None = None


@dataclass(frozen=True)
class Losses:
    """The losses of a batch.

    Attributes:
        total: What is to be minimised, a scalar with its graph.
        parts: The weighted mean of each loss before its factor, by name: ``label``, ``feature``, ``output``, ``auxiliary1``,
            ``auxiliary2``, as far as they were computed.
        samples: The same losses a sample, ``[n]``, before their weights.
    """

    total: torch.Tensor
    parts: dict[str, torch.Tensor]
    samples: dict[str, torch.Tensor]


class GuidedDistillation(nn.Module):
    r"""Distils a teacher, each loss weighed sample by sample.

    .. code-block:: text

        total    = label  mean_i l_i + feature mean_i wf_i f_i + output mean_i wo_i o_i + auxiliary sum_m mean_i wm_i a_mi
        l, a_m   = -log q(y)                      of the student's logits, and of those of each modality alone
        o        = T^2 KL(p_T || q_T)             of the teacher's and the student's logits divided by T
        f        = |s - t|^2 / d                  ("mean_square"), s and t the student's and the teacher's features
                   1 - s.t / (|s| |t|)            ("cosine")
                   mean_j H(|s - s_j| / m_s - |t - t_j| / m_t)   ("relation"), with the mean distances m and Huber's H

    Outputs are those of Hinton, Vinyals and Dean ("Distilling the Knowledge in a Neural Network", 2015), relations those of
    Park, Kim, Lu and Cho ("Relational Knowledge Distillation", CVPR 2019). The loss of a pair of features is the mean of both.
    No gradient reaches the teacher. A loss whose factor is 0 is not computed.

    Weights have a mean of one, so that the factors alone say how much each loss counts.

    Args:
        temperature: T, above 0.
        feature: The factor of feature distillation.
        output: The factor of output distillation.
        auxiliary: The factor of the label loss of each modality alone; computed where the student has such logits.
        label: The factor of the label loss.
        feature_loss: How features are compared. All but ``"relation"`` need equal widths: project the student's first.

    Raises:
        UsageError: A setting is out of range.
    """

    def __init__(
        self,
        temperature: float = 2.0,
        feature: float = 1.0,
        output: float = 1.0,
        auxiliary: float = 0.0,
        *,
        label: float = 1.0,
        feature_loss: Literal["mean_square", "cosine", "relation"] = "mean_square",
    ) -> None:
        super().__init__()
        if not 0.0 < temperature < float("inf"):
            raise UsageError(f"temperature={temperature}: it must be above 0")
        factors = {"label": label, "feature": feature, "output": output, "auxiliary": auxiliary}
        for name, factor in factors.items():
            if not 0.0 <= factor < float("inf"):
                raise UsageError(f"{name}={factor}: it must be at least 0")
        if feature_loss not in _FEATURE_LOSSES:
            raise UsageError(f"feature_loss={feature_loss!r}: use one of {', '.join(_FEATURE_LOSSES)}")
        self.temperature = temperature
        self.factors = factors
        self.feature_loss = feature_loss

    def forward(
        self,
        student: Outputs | Mapping[str, Any],
        teacher: Outputs | Mapping[str, Any],
        labels: torch.Tensor,
        w: Mapping[str, torch.Tensor],
    ) -> Losses:
        """Computes the losses of a batch.

        Args:
            student: What the student makes of it.
            teacher: What the teacher makes of it.
            labels: Indices of classes, ``[n]``.
            w: Weights, as :meth:`lsmi.torch.Guide.weights` gives them.

        Raises:
            UsageError: Shapes do not fit, or something is missing.
        """
        student, teacher = _outputs(student), _outputs(teacher)
        samples: dict[str, torch.Tensor] = {}
        if self.factors["label"] > 0:
            samples["label"] = surprisal(student.logits, labels)
        if self.factors["feature"] > 0:
            samples["feature"] = self._features(student.features, teacher.features)
        if self.factors["output"] > 0:
            samples["output"] = divergence(student.logits, teacher.logits, self.temperature)
        if self.factors["auxiliary"] > 0 and student.auxiliary is not None:
            for name, logits in zip(("auxiliary1", "auxiliary2"), student.auxiliary):
                samples[name] = surprisal(logits, labels)
        if not samples:
            raise UsageError("no loss is left to compute; give a factor above 0 for one at least")
        parts = {name: losses.mean() if name == "label" else _weighed(losses, w, name) for name, losses in samples.items()}
        scaled = [self.factors[name.rstrip("12")] * part for name, part in parts.items()]
        return Losses(torch.stack(scaled).sum(), parts, samples)

    def _features(self, student: torch.Tensor | Pair | None, teacher: torch.Tensor | Pair | None) -> torch.Tensor:
        compare = _FEATURE_LOSSES[self.feature_loss]
        if isinstance(student, torch.Tensor) and isinstance(teacher, torch.Tensor):
            return compare(student, teacher.detach())
        if student is None or teacher is None or isinstance(student, torch.Tensor) or isinstance(teacher, torch.Tensor):
            raise UsageError(
                "student and teacher must both have features, either a tensor or a pair; leave them out with feature=0"
            )
        first, second = (compare(of_student, of_teacher.detach()) for of_student, of_teacher in zip(student, teacher))
        return (first + second) / 2


def surprisal(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Computes ``-log p(y|x)`` of each sample, ``[n]``, in nats."""
    return functional.cross_entropy(logits, labels, reduction="none")


def divergence(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Computes ``T^2 KL(p_T || q_T)`` of each sample, ``[n]``, in nats (Hinton, Vinyals and Dean 2015, section 2).

    The factor makes up for gradients that shrink with it, so that the loss weighs the same at any temperature.

    Raises:
        UsageError: The shapes differ.
    """
    _check_shapes("logits", student, teacher)
    of_teacher = torch.log_softmax(teacher.detach() / temperature, -1)
    of_student = torch.log_softmax(student / temperature, -1)
    return (of_teacher.exp() * (of_teacher - of_student)).sum(-1) * temperature**2


def _mean_square(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    _check_shapes("features", student, teacher)
    return (student - teacher).square().mean(-1)


def _cosine(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    _check_shapes("features", student, teacher)
    lengths = [(features.square().sum(-1) + _LEAST_SQUARE).sqrt() for features in (student, teacher)]
    return 1 - (student * teacher).sum(-1) / (lengths[0] * lengths[1])


def _relation(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    n = len(student)
    if student.dim() != 2 or teacher.dim() != 2 or len(teacher) != n:
        raise UsageError(f"features have the shapes {list(student.shape)} and {list(teacher.shape)}; give [n, d] of both")
    if n < 2:
        # A sample on its own has no relation; the loss still reaches the student.
        return student.sum(-1) * 0.0
    difference = (_relative_distances(student) - _relative_distances(teacher)).abs()
    small = difference.clamp(max=1.0)
    return (small.square() / 2 + (difference - small)).sum(-1) / (n - 1)


def _relative_distances(features: torch.Tensor) -> torch.Tensor:
    n = len(features)
    # About their mean, rows are no longer than their distances, so that the difference of squares keeps its digits.
    centred = features - features.mean(0, keepdim=True).detach()
    squares = centred.square().sum(-1, keepdim=True)
    squares = (squares + squares.T - 2 * centred @ centred.T).relu()
    different = 1 - torch.eye(n, dtype=features.dtype, device=features.device)
    distances = (squares * different + _LEAST_SQUARE).sqrt() * different
    return distances / (distances.sum() / (n * (n - 1)))


_FEATURE_LOSSES = {"mean_square": _mean_square, "cosine": _cosine, "relation": _relation}


def _weighed(losses: torch.Tensor, weights: Mapping[str, torch.Tensor], name: str) -> torch.Tensor:
    if name not in weights:
        raise UsageError(f"there are no weights `{name}`; there are {', '.join(weights)}")
    of_samples = weights[name]
    if of_samples.shape != losses.shape:
        raise UsageError(f"the weights `{name}` have the shape {list(of_samples.shape)}, expected {list(losses.shape)}")
    return (losses * of_samples.to(device=losses.device, dtype=losses.dtype)).mean()


def _outputs(of: Union[Outputs, Mapping[str, Any]]) -> Outputs:
    if isinstance(of, Outputs):
        return of
    if not isinstance(of, Mapping):
        raise UsageError(f"outputs are of type {type(of).__name__}, but must be Outputs or a mapping with `logits`")
    if "logits" not in of:
        raise UsageError(f"the outputs have no `logits`; there are {', '.join(of)}")
    return Outputs(of["logits"], of.get("features"), of.get("auxiliary"))


def _check_shapes(what: str, student: torch.Tensor, teacher: torch.Tensor) -> None:
    if student.dim() != 2 or student.shape != teacher.shape:
        found, expected = list(teacher.shape), list(student.shape)
        raise UsageError(f"the teacher's {what} have the shape {found}, expected {expected}, as the student's")
