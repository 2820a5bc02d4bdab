"""The hook of a training loop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from lsmi import _lsmi
from lsmi.errors import UsageError
from lsmi.torch._columns import Columns, Confidence, Source, class_indices, guide_options, of_samples
from lsmi.torch._ids import Ids, device_of, names_of

_LAYOUT = 1


class Guide:
    """Says what each sample of a batch weighs in each loss.

    A policy turns interactions into weights. Interactions are fixed, from an analysis that was made before the training, or
    tracked: estimated in the student's own features while it learns. Weights are found by id, so that the order of batches,
    shuffling and the number of processes do not matter::

        guide = Guide("sources", analysis)
        for epoch in range(epochs):
            guide.start_epoch(epoch)
            for ids, x1, x2, y in loader:
                weights = guide.weights(ids)
                ...
                guide.observe(ids, (features1, features2), logits)  # of use to a tracked guide, and free for a fixed one
            guide.end_epoch(epoch)

    The columns of weights are ``feature`` and ``output``, for the distillation of features and outputs, and ``auxiliary1`` and
    ``auxiliary2``, for a loss on each modality alone. A column that a policy leaves off is 0 for all samples. All samples weigh
    alike in the warm-up, and as long as there are no interactions yet.

    Several processes (``torch.distributed``): each has a guide of its own, made with the same arguments. A fixed guide needs
    nothing more. A tracked one exchanges in :meth:`observe` what all processes saw, so that each knows every sample; with
    ``mode="synchronous"`` all then have the same weights, to the bit. In the background processes may follow an estimation
    some batches apart.

    Args:
        policy: ``"sources"`` (outputs by what is not known of the label, auxiliary losses by what a modality tells),
            ``"dominant"`` (Yang, Wang and Hu 2025: features or outputs by the largest interaction), ``"modality"``,
            ``"interaction"`` (what ``rule`` says); the controls ``"random"``, ``"confidence"``, ``"both"``, ``"all"``,
            ``"feature"``, ``"output"``, ``"auxiliary"`` and ``"none"``.
        interactions: Fixed interactions: an analysis, columns by name (``id``, ``label``, ``h1``, ``h2``, ``i1``, ``i2``,
            ``i12``, and ``split`` if there are several), or the path of a folder that ``lsmi analyze`` wrote. Or ``"tracked"``.
        ids: The ids of all samples that are trained on (tracked).
        labels: Their classes: names, or indices where ``classes`` is a number or not given (tracked).
        classes: The names of the classes in the order of their indices, or their number; by default what the analysis says,
            else those that occur.
        groups: What belongs together, one value a sample; no group is divided between folds (tracked).
        confidence: The probability that a teacher gives to its most probable class, by id, or one a sample in the order of the
            ids. The policy ``"confidence"`` needs it.
        reference: The number of the modality that tells less on average, 1 or 2, of all samples and then of each class, for the
            measures ``"mmi"`` and ``"min"``; by default that of the samples themselves (fixed).
        split: The split of the samples that are trained on; ``None`` takes all rows (fixed).
        rule: What ``"interaction"`` stands for and ``"random"`` shuffles: ``"sources"`` or ``"dominant"``.
        measure: The measure of redundancy, such as ``"ccs"`` or ``"pm"``.
        seed: The seed of what ``"random"`` draws and of a tracker's folds.
        warm_up: Epochs in which all samples weigh alike before the policy plans.
        smoothing: What is kept of earlier estimations, from 0 to below 1 (tracked).
        mode: ``"background"``, in a thread that never holds up the loop, or ``"synchronous"``, at the end of an epoch, where
            the same batches give the same bytes (tracked).
        every: Epochs from one estimation to the next (tracked).
        folds: Folds of the cross-fit, at least 2 (tracked).
        kernels: Kernels of each density (tracked).
        rounds: Rounds of expectation maximisation an estimation at most (tracked).
        capacity: Batches on their way to the background at most; beyond, the oldest is dropped and counted.
        share: The share of the time that the background may work, above 0 and at most 1.
        gather: Whether processes exchange what they observe, where there are several (tracked).
        device: The device of the weights; by default that of the ids, or else the processor.

    Raises:
        UsageError: An argument is wrong.
        DataError: The samples cannot be used: a missing column, a label that is no class, an id that comes twice.
    """

    def __init__(
        self,
        policy: str = "sources",
        interactions: Source | Literal["tracked"] = "tracked",
        *,
        ids: Ids | None = None,
        labels: Sequence[Any] | npt.NDArray[Any] | torch.Tensor | None = None,
        classes: Sequence[str] | int | None = None,
        groups: Sequence[Any] | npt.NDArray[Any] | None = None,
        confidence: Confidence | None = None,
        reference: Sequence[int] | None = None,
        split: str | None = "train",
        rule: Literal["sources", "dominant"] = "sources",
        measure: str = "ccs",
        seed: int = 0,
        warm_up: int = 0,
        smoothing: float = 0.0,
        mode: Literal["background", "synchronous"] = "background",
        every: int = 1,
        folds: int = 2,
        kernels: int = 2,
        rounds: int = 2,
        capacity: int = 256,
        share: float = 0.1,
        gather: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        options = guide_options(rule=rule, measure=measure, seed=seed, warm_up=warm_up, smoothing=smoothing)
        self.device = None if device is None else torch.device(device)
        self.gather = gather
        if isinstance(interactions, str) and interactions == "tracked":
            if ids is None or labels is None:
                raise UsageError("tracked interactions need ids= and labels= of all samples that are trained on")
            names = names_of(ids)
            indices, count = class_indices(labels, classes)
            samples = {
                "ids": names,
                "labels": indices,
                "classes": count,
                "groups": None if groups is None else [str(group) for group in groups],
                "confidence": of_samples(confidence, names),
            }
            estimation = {"every": every, "folds": folds, "kernels": kernels, "rounds": rounds}
            options = {**options, **estimation, "mode": mode, "capacity": capacity, "share": share}
            self._guide = _lsmi.Guide.tracked(policy, samples, options)
        else:
            if ids is not None or labels is not None or groups is not None:
                raise UsageError('ids=, labels= and groups= are for interactions="tracked"; fixed ones have their own')
            columns = Columns.read(interactions, split)
            names = columns.ids
            self._guide = _lsmi.Guide.fixed(policy, columns.terms(classes, confidence, reference), options)
        self._has_begun, self._goes_by_epochs = False, self.is_observing or warm_up > 0
        self._ids_hash = hashlib.sha256("\n".join(names).encode()).hexdigest()

    @property
    def is_observing(self) -> bool:
        """Whether :meth:`observe` looks at anything: whether interactions are tracked."""
        return bool(self._guide.is_observing)

    def start_epoch(self, epoch: int) -> None:
        """Plans an epoch, counted from 0.

        Raises:
            DataError: The policy needs a confidence that was not given.
            UsageError: ``epoch`` is negative.
        """
        if epoch < 0:
            raise UsageError(f"epoch={epoch}: epochs are counted from 0")
        self._guide.start_epoch(epoch)
        self._has_begun = True

    def end_epoch(self, epoch: int) -> None:
        """Ends an epoch. A synchronous tracker estimates here.

        Raises:
            DataError: The estimation failed, as where a class has been seen too rarely (``mode="synchronous"``; in the
                background it is in :meth:`report`).
            LsmiError: The thread in the background has ended.
        """
        self._guide.end_epoch(epoch)

    def weights(
        self,
        ids: Ids,
        *,
        over: Literal["batch", "epoch"] = "batch",
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> dict[str, torch.Tensor]:
        """Returns what the samples of a batch weigh in each loss.

        Args:
            ids: The ids of the batch. One may come several times, as where samples are drawn with replacement.
            over: Where weights have a mean of one: ``"batch"``, so that each batch counts as much as any other; or
                ``"epoch"``, so that a sample weighs the same in whatever batch it comes, which is what small batches and
                accumulated gradients need.
            device: The device of the weights; by default the guide's, that of the ids, or the processor.
            dtype: Their type.

        Returns:
            ``feature``, ``output``, ``auxiliary1`` and ``auxiliary2``, each ``[n]`` in the order of the ids and at least 0; a
            column that is off, for the epoch or for this batch, is 0.

        Raises:
            DataError: An id is unknown; the message names it.
            UsageError: No epoch was started, where weights change with epochs: tracked, or with a warm-up.
        """
        if not self._has_begun and self._goes_by_epochs:
            raise UsageError("no epoch was started: call start_epoch(epoch) at the beginning of each")
        if over not in ("batch", "epoch"):
            raise UsageError(f'over={over!r}: use "batch" or "epoch"')
        target = device or self.device or device_of(ids)
        columns = self._guide.weights(names_of(ids), over == "batch")
        return {name: torch.from_numpy(column).to(device=target, dtype=dtype) for name, column in columns.items()}

    def observe(
        self, ids: Ids, features: tuple[torch.Tensor, torch.Tensor], logits: torch.Tensor | None = None
    ) -> None:
        """Takes what the student made of a batch. A guide by fixed interactions does nothing here.

        Args:
            ids: The ids of the batch.
            features: The features of each modality, ``[n, d1]`` and ``[n, d2]``; copied, without their graph.
            logits: The logits of both modalities together, ``[n, K]``; in every batch or in none.

        Raises:
            DataError: An id is unknown, or a shape differs from that of the first batch.
            LsmiError: The thread in the background has ended.
        """
        if not self.is_observing:
            return
        if isinstance(features, torch.Tensor) or features is None or len(features) != 2:
            raise UsageError("features= is a pair, the features of each modality: (features1, features2)")
        names = names_of(ids)
        first, second = (_host(tensor, "features") for tensor in features)
        third = None if logits is None else _host(logits, "logits")
        for batch in self._of_all_processes((names, first, second, third)):
            self._guide.observe(*batch)

    def _of_all_processes(self, batch: _Batch) -> Sequence[_Batch]:
        if not (self.gather and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
            return [batch]
        batches: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(batches, batch)
        return batches

    def plan(self) -> dict[str, Any] | None:
        """Returns the weights of all samples in this epoch, with their ``ids``; ``None`` before the first epoch."""
        plan: dict[str, Any] | None = self._guide.plan()
        return plan

    def interactions(self) -> dict[str, Any] | None:
        """Returns the interactions that the policy goes by.

        Returns:
            ``ids``, ``labels`` (indices), the terms ``h1``, ``h2``, ``i1``, ``i2``, ``i12``, and ``r``, ``u1``, ``u2``, ``s`` by the
            measure: raw, in nats. ``None`` where nothing has been estimated yet.
        """
        found: dict[str, Any] | None = self._guide.interactions()
        return found

    def log(self, prefix: str = "guide/") -> dict[str, float]:
        """Returns what to plot.

        Returns:
            Means of ``r``, ``u1``, ``u2``, ``s`` in nats where there are interactions, and ``planned``, 1 where the policy plans
            this epoch. Of a tracked guide also ``known``, the share of samples that have interactions, and how many batches were
            ``dropped``, estimations ``overtaken`` and rows ``spoiled`` by values that are not finite.
        """
        return {prefix + name: float(value) for name, value in self._guide.logged().items()}

    def report(self) -> dict[str, Any] | None:
        """Returns what happened beside the estimations; ``None`` for fixed interactions.

        Returns:
            The counts of :meth:`log`, ``first_spoiled``, the id of the first sample that was not finite, and ``failure``, why the
            last estimation failed, if it did.
        """
        report: dict[str, Any] | None = self._guide.report()
        return report

    def history(self) -> list[dict[str, float]]:
        """Lists what each estimation found: ``epoch``, ``samples``, and the means of ``r``, ``u1``, ``u2`` and ``s`` in nats."""
        history: list[dict[str, float]] = self._guide.history()
        return history

    def state_dict(self) -> dict[str, Any]:
        """Returns what must be kept to go on after a checkpoint: text and tensors, which ``torch.save`` writes.

        A tracker in the background keeps its last interactions and begins anew to observe.
        """
        state = {name: torch.from_numpy(values) for name, values in self._guide.state().items()}
        return {"layout": _LAYOUT, "identity": self._guide.identity(), "ids": self._ids_hash, "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave.

        Raises:
            UsageError: It is of a guide with other settings or samples.
        """
        here: dict[str, Any] = {"layout": _LAYOUT, "identity": self._guide.identity(), "ids": self._ids_hash}
        for what, expected in here.items():
            if state.get(what) != expected:
                if what == "identity":
                    raise UsageError(f"this is the state of a guide with other settings: {_differing(state.get(what), expected)}")
                raise UsageError(f"this is the state of another guide: {what} is {state.get(what)}, expected {expected}")
        self._guide.restore({name: tensor.detach().cpu().contiguous().numpy() for name, tensor in state["state"].items()})


def _differing(saved: Any, here: str) -> str:
    """Names the settings in which two guides differ."""
    try:
        first, second = json.loads(saved), json.loads(here)
    except (TypeError, ValueError):
        return "it has none"
    names = [name for name in second if first.get(name) != second[name]]
    return ", ".join(f"{name} was {json.dumps(first.get(name))}, and is {json.dumps(second[name])}" for name in names)


_Matrix = npt.NDArray[np.float32]
_Batch = tuple[list[str], _Matrix, _Matrix, "_Matrix | None"]


def _host(tensor: torch.Tensor, what: str) -> _Matrix:
    if tensor.dim() != 2:
        raise UsageError(f"{what} have the shape {list(tensor.shape)}; give one row a sample, [n, d]")
    array: _Matrix = tensor.detach().to(device="cpu", dtype=torch.float32).contiguous().numpy()
    return array
