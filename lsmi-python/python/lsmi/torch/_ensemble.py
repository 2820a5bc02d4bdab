"""An ensemble whose members weigh otherwise for every sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lsmi import _lsmi
from lsmi.errors import DataError, UsageError
from lsmi.torch._columns import Columns, Floats, Source, class_indices
from lsmi.torch._ids import Ids, names_of

_PARTS = ("r", "u1", "u2", "s")


class GuidedEnsemble:
    """Weighs several models sample by sample, by label-free interactions and by how sure each model is.

    The prediction is a product of experts, ``log_softmax(sum_m w_im log p_im)``, whose weights are linear in 1, the expected r,
    u1, u2 and s of the sample, and the members' confidences. They are fitted by log loss, with a penalty that holds them to those
    of log-linear stacking; cross-validation chooses the penalty, or stacking itself, by the rule of one standard error (Breiman et
    al. 1984). It is the ensemble of ``lsmi guide ensemble``, which says on your data whether it is better than stacking::

        ensemble = GuidedEnsemble(scores).fit(val_ids, {"x1": logp1, "x2": logp2, "x12": logp12}, val_labels)
        log_probabilities = ensemble.combine(test_ids, {"x1": ..., "x2": ..., "x12": ...})

    Args:
        a: Interactions that were scored *without* labels, by ``estimator.score`` of rows without them, for the samples of the fit
            and those that are predicted: an object with ``samples``, or columns ``id``, ``r``, ``u1``, ``u2`` and ``s`` by name.
        split: The split that rows are of; ``None`` takes all.

    Raises:
        DataError: A column is missing, or the scores are of labelled samples, whose interactions tell what the label is.
    """

    def __init__(self, a: Source, *, split: str | None = None) -> None:
        columns = Columns.read(a, split)
        labels = columns.values.get("label", ())
        if any(label is not None and str(label) != "" for label in labels):
            raise DataError(
                "these interactions are those of known labels, which a prediction cannot have",
                array="label",
                hint="score the rows without labels",
            )
        self._rows = {name: row for row, name in enumerate(columns.ids)}
        self._interactions = {part: columns.numbers(part) for part in _PARTS}
        self._fitted: Any = None

    def fit(
        self,
        ids: Ids,
        members: Mapping[str, torch.Tensor],
        labels: Sequence[Any] | npt.NDArray[Any] | torch.Tensor,
        *,
        groups: Sequence[Any] | npt.NDArray[Any] | None = None,
        folds: int = 5,
        seed: int = 0,
    ) -> GuidedEnsemble:
        """Fits the weights to samples that no member has learned from, such as those of a validation split.

        Args:
            ids: The samples.
            members: The log-probabilities or logits of each model by name, ``[n, K]``.
            labels: Indices of classes, ``[n]``.
            groups: What belongs together, one value a sample; no group is divided between folds.
            folds: Folds of the choice of the penalty.
            seed: The seed of the folds.

        Returns:
            The ensemble itself.

        Raises:
            DataError: Shapes do not fit, a value is not finite, or a sample has no interactions.
        """
        arrays = _arrays(members)
        classes = next(iter(arrays.values())).shape[1] if arrays else 0
        indices, _ = class_indices(labels, classes)
        together = None if groups is None else [str(group) for group in groups]
        self._fitted = _lsmi.Ensemble.fit(arrays, self._of(ids), indices, together, folds, seed)
        return self

    def weights(self, ids: Ids, members: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Computes the weight of every member for every sample.

        Args:
            ids: The samples.
            members: As :meth:`fit` had them, in the same order.

        Returns:
            ``[n, M]``, float64, on the processor. A negative one says that a member is more sure than the others warrant.

        Raises:
            UsageError: Nothing has been fitted.
            DataError: Members are others than those of the fit, or a sample has no interactions.
        """
        if self._fitted is None:
            raise UsageError("the ensemble has no weights yet; call fit first, or load_state_dict")
        return torch.from_numpy(self._fitted.weights(_arrays(members), self._of(ids)))

    def combine(self, ids: Ids, members: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Predicts samples.

        Args:
            ids: The samples.
            members: As :meth:`fit` had them, in the same order.

        Returns:
            Log-probabilities ``[n, K]``, on the members' device and of their type. Gradients reach the members through them, but not
            through the weights.

        Raises:
            UsageError: Nothing has been fitted.
            DataError: Members are others than those of the fit, or a sample has no interactions.
        """
        weights = self.weights(ids, members)
        stacked = torch.stack([torch.log_softmax(logits, -1) for logits in members.values()], 1)
        weights = weights.to(device=stacked.device, dtype=stacked.dtype)
        return torch.log_softmax((weights[:, :, None] * stacked).sum(1), -1)

    @property
    def penalty(self) -> float | None:
        """The penalty chosen; ``None`` where weights are those of stacking, the same for all samples.

        Raises:
            UsageError: Nothing has been fitted.
        """
        if self._fitted is None:
            raise UsageError("the ensemble has no weights yet; call fit first, or load_state_dict")
        penalty: float | None = self._fitted.penalty
        return penalty

    def state_dict(self) -> dict[str, Any]:
        """Returns the fitted weights, as text."""
        return {"fitted": None if self._fitted is None else self._fitted.to_json()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes what :meth:`state_dict` gave.

        Raises:
            UsageError: It is no such state.
        """
        fitted = state.get("fitted")
        self._fitted = None if fitted is None else _lsmi.Ensemble.of_json(fitted)

    def _of(self, ids: Ids) -> dict[str, Floats]:
        names = names_of(ids)
        missing = next((name for name in names if name not in self._rows), None)
        if missing is not None:
            raise DataError(f"there are no interactions of the sample `{missing}`")
        rows = [self._rows[name] for name in names]
        return {part: np.ascontiguousarray(values[rows]) for part, values in self._interactions.items()}


def _arrays(members: Mapping[str, torch.Tensor]) -> dict[str, npt.NDArray[np.float64]]:
    for name, logits in members.items():
        if logits.dim() != 2:
            raise UsageError(f"the member `{name}` has the shape {list(logits.shape)}, expected [n, K]")
    return {name: logits.detach().to("cpu", torch.float64).contiguous().numpy() for name, logits in members.items()}
