"""Interactions in the trainer of Hugging Face's ``transformers``.

:class:`IdCollator` lets the ids of samples travel with their batch, :class:`GuideCallback` tells a
:class:`lsmi.torch.Guide` of epochs and keeps its state in checkpoints, and :class:`GuidedTrainerMixin` weighs the loss::

    class GuidedTrainer(GuidedTrainerMixin, Trainer):
        pass

    trainer = GuidedTrainer(model, args, guide=guide, train_dataset=data, data_collator=IdCollator(default_data_collator))
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

try:
    import torch
    from transformers import TrainerCallback
except ImportError as error:
    raise ImportError('lsmi.hf needs PyTorch and transformers: pip install "lsmi[transformers]"') from error

from lsmi.errors import UsageError
from lsmi.torch import Guide, GuidedDistillation, Outputs
from lsmi.torch._distillation import surprisal

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

__all__ = ["GuideCallback", "GuidedTrainerMixin", "IdCollator"]

FILE = "lsmi_guide.pt"
"""The name of a guide's state in the folder of a checkpoint."""

Weights = Mapping[str, torch.Tensor]
LossFn = Callable[[Any, dict[str, Any], Weights], Union[torch.Tensor, tuple[torch.Tensor, Any]]]
"""A loss of ``(model, inputs, weights)``: a scalar, or a scalar and the outputs of the model."""


class IdCollator:
    """Keeps the ids of samples through a collator that knows nothing of them.

    They are taken out of the samples before the batch is made, and put back as a tensor where all are whole numbers, else as
    a list of text. Ids are all that a batch has beside what ``inner`` makes.

    Args:
        inner: The collator.
        id_column: The name of the ids in samples and batches.
    """

    def __init__(self, inner: Callable[[list[Any]], Any], id_column: str = "id") -> None:
        self.inner = inner
        self.id_column = id_column

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Makes a batch.

        Raises:
            UsageError: A sample has no id.
        """
        missing = next((row for row, sample in enumerate(features) if self.id_column not in sample), None)
        if missing is not None:
            found = ", ".join(str(name) for name in features[missing])
            raise UsageError(f"sample {missing} of the batch has no `{self.id_column}`; it has {found}", hint=_HINT)
        ids = [sample[self.id_column] for sample in features]
        rest = [{name: value for name, value in sample.items() if name != self.id_column} for sample in features]
        batch = dict(self.inner(rest))
        ids = [value.item() if isinstance(value, torch.Tensor) else value for value in ids]
        are_numbers = all(isinstance(value, int) for value in ids)
        batch[self.id_column] = torch.tensor(ids) if are_numbers else [str(value) for value in ids]
        return batch


_HINT = "keep the column with remove_unused_columns=False, or train with GuidedTrainerMixin, which keeps it"


class GuideCallback(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Tells a guide when epochs start and end, logs what it found, and keeps its state in every checkpoint.

    The state is ``lsmi_guide.pt`` in the folder of the checkpoint, and is read from there when a training is resumed.

    Args:
        guide: The guide.
        log: Whether what the guide found is added to ``state.log_history`` at the end of each epoch.
    """

    def __init__(self, guide: Guide, log: bool = True) -> None:
        self.guide = guide
        self.log = log
        self._epoch = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Goes on from the state of the checkpoint that the training is resumed from."""
        if state.global_step == 0:
            return
        folders = [Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"]
        if isinstance(args.resume_from_checkpoint, str):
            folders.insert(0, Path(args.resume_from_checkpoint))
        path = next((folder / FILE for folder in folders if (folder / FILE).exists()), None)
        if path is None:
            warnings.warn(f"the checkpoint has no {FILE}; the guide begins anew", stacklevel=2)
            return
        self.guide.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Plans the epoch."""
        # The trainer counts epochs by fractions, which steps add up to.
        self._epoch = math.floor((state.epoch or 0.0) + 1e-6)
        self.guide.start_epoch(self._epoch)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ends the epoch."""
        self.guide.end_epoch(self._epoch)
        if self.log:
            history: list[dict[str, Any]] = state.log_history
            history.append({**self.guide.log(), "epoch": state.epoch, "step": state.global_step})

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Writes the guide's state into the folder of the checkpoint."""
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and folder.is_dir():
            torch.save(self.guide.state_dict(), folder / FILE)


class GuidedTrainerMixin:
    """Weighs the loss of a ``Trainer`` sample by sample; stands before it in the bases of a class.

    A batch of the training set must have ids: see :class:`IdCollator`. The column of ids is kept though the model does not take
    it, whatever ``remove_unused_columns`` says. Evaluation neither needs nor looks at ids, and its loss is the model's own.

    The loss of a batch is, in this order: ``loss_fn(model, inputs, weights)`` if one is given; with a teacher a
    :class:`lsmi.torch.GuidedDistillation`; else the cross-entropy of every sample, weighed by the column ``weigh_by``. Override
    :meth:`guided_loss` for another. It is a mean over the batch, which the trainer divides by the number of batches whose gradients
    it accumulates.

    A tracked guide observes outputs that have ``features``, a pair of tensors ``[n, d]``, and ``logits``.

    Args:
        guide: The guide. A :class:`GuideCallback` for it is added.
        teacher: A model that takes the same inputs and whose outputs have ``logits``, and ``features`` if these are distilled.
        distillation: The losses of teacher and student; by default outputs alone, at a temperature of 2.
        loss_fn: A loss of your own.
        id_column: The name of the ids in a batch.
        weigh_by: The column of weights that the cross-entropy goes by where there is no teacher.
        over: Where weights have a mean of one, as in :meth:`lsmi.torch.Guide.weights`; ``"epoch"`` suits small batches whose
            gradients are accumulated.
    """

    model: Any
    _signature_columns: list[str] | None

    def __init__(
        self,
        *args: Any,
        guide: Guide,
        teacher: torch.nn.Module | None = None,
        distillation: GuidedDistillation | None = None,
        loss_fn: LossFn | None = None,
        id_column: str = "id",
        weigh_by: str = "output",
        over: Literal["batch", "epoch"] = "batch",
        **kwargs: Any,
    ) -> None:
        self.guide = guide
        self.teacher = teacher
        self.distillation = distillation or GuidedDistillation(feature=0.0)
        self.loss_fn = loss_fn
        self.id_column = id_column
        self.weigh_by = weigh_by
        self.over = over
        super().__init__(*args, **kwargs)
        # The loss is a mean over the batch, and not over the number of items that the trainer counts for models that ask for it.
        self.model_accepts_loss_kwargs = False
        self.add_callback(GuideCallback(guide, log=False))  # type: ignore[attr-defined]

    def guided_loss(
        self, model: Any, inputs: dict[str, Any], weights: Weights
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        """Computes the loss of a batch; to be overridden.

        Args:
            model: The model, as the trainer wraps it.
            inputs: The batch, without ids.
            weights: What each sample weighs in each loss, ``[n]`` by name.

        Returns:
            The loss, a scalar; or the loss and the outputs of the model, at which a tracked guide looks.
        """
        labels = inputs["labels"]
        outputs = model(**inputs)
        if self.teacher is None:
            self._check_column()
            return (surprisal(outputs["logits"], labels) * weights[self.weigh_by]).mean(), outputs
        teacher = self.teacher.to(labels.device).eval()
        with torch.no_grad():
            of_teacher = teacher(**inputs)
        losses = self.distillation(_outputs(outputs), _outputs(of_teacher), labels, weights)
        return losses.total, outputs

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Computes the loss of a batch: weighed in training, the model's own in evaluation.

        Raises:
            UsageError: The batch has no ids.
            DataError: The guide does not know a sample.
        """
        inputs = dict(inputs)
        ids = inputs.pop(self.id_column, None)
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs=return_outputs)  # type: ignore[misc]
        if ids is None:
            found = ", ".join(inputs)
            raise UsageError(f"the batch has no `{self.id_column}`; it has {found}", hint="make batches with IdCollator")
        device = next(value.device for value in inputs.values() if isinstance(value, torch.Tensor))
        weights = self.guide.weights(ids, over=self.over, device=device)
        found_loss = (self.loss_fn or self.guided_loss)(model, inputs, weights)
        loss, outputs = found_loss if isinstance(found_loss, tuple) else (found_loss, None)
        if self.guide.is_observing and outputs is not None:
            features = _outputs(outputs).features
            if features is None or isinstance(features, torch.Tensor):
                raise UsageError("a tracked guide looks at `features` in the outputs of the model, a pair of tensors [n, d]")
            self.guide.observe(ids, features, _outputs(outputs).logits)
        return (loss, outputs) if return_outputs else loss

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Evaluates a batch, without its ids."""
        rest = {name: value for name, value in inputs.items() if name != self.id_column}
        return super().prediction_step(model, rest, *args, **kwargs)  # type: ignore[misc]

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Logs what the guide found beside the training loss."""
        if "loss" in logs:
            logs = {**logs, **self.guide.log()}
        super().log(logs, *args, **kwargs)  # type: ignore[misc]

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()  # type: ignore[misc]
        if self._signature_columns is not None and self.id_column not in self._signature_columns:
            self._signature_columns.append(self.id_column)

    def _check_column(self) -> None:
        plan = self.guide.plan() or {}
        if self.weigh_by not in plan or not plan[self.weigh_by].any():
            raise UsageError(
                f"the policy leaves `{self.weigh_by}` off, so that nothing would be learned",
                hint="choose another column with weigh_by=, another policy, or give a teacher= or loss_fn=",
            )


def _outputs(outputs: Any) -> Outputs:
    """Takes what distillation needs from a model's outputs."""
    if isinstance(outputs, Outputs):
        return outputs
    return Outputs(outputs["logits"], outputs.get("features"), outputs.get("auxiliary"))
