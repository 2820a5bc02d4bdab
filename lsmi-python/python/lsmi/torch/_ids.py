"""Ids of samples as they come with a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt
import torch

from lsmi.errors import UsageError

Ids = Union[Sequence[str], Sequence[int], "npt.NDArray[Any]", torch.Tensor]
"""Ids of samples: text or whole numbers; a number is the id that it is written as."""


def names_of(ids: Ids) -> list[str]:
    """Writes ids as text.

    Args:
        ids: Text or whole numbers, in a sequence, an array or a tensor of one dimension.

    Raises:
        UsageError: An id is neither text nor a whole number.
    """
    values: list[Any]
    if isinstance(ids, torch.Tensor):
        values = ids.detach().cpu().tolist() if ids.dim() == 1 else [ids]
    elif isinstance(ids, np.ndarray):
        values = ids.tolist() if ids.ndim == 1 else [ids]
    else:
        values = [ids] if isinstance(ids, str) else list(ids)
    names: list[str] = []
    for row, value in enumerate(values):
        if isinstance(value, (torch.Tensor, np.generic)) and np.ndim(value) == 0:
            value = value.item()
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise UsageError(f"the id of row {row} is of {type(value).__name__}; ids are text or whole numbers, one a sample")
        names.append(str(value))
    return names


def device_of(ids: Ids) -> torch.device | None:
    """Finds the device of ids that are a tensor."""
    return ids.device if isinstance(ids, torch.Tensor) else None
