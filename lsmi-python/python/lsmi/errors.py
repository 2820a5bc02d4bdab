"""Exceptions of the package; all are :class:`LsmiError`.

Messages are those of the command ``lsmi``. A hint, where there is one, names the argument that helps and follows on a line
of its own.
"""

from __future__ import annotations

__all__ = ["DataError", "LsmiError", "UsageError"]


class LsmiError(Exception):
    """Something failed: a full disk, a device that is not there, an encoder that cannot be loaded.

    Attributes:
        hint: The argument that helps, in a sentence, or ``None``.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\nhint: {self.hint}" if self.hint else message


class UsageError(LsmiError, ValueError):
    """An argument is wrong."""


class DataError(LsmiError, ValueError):
    """The data cannot be used.

    Rows and columns are counted from 0.

    Attributes:
        array: The array that is to blame, such as ``"x1"``, or ``None``.
        row: The row in it, or ``None``.
        column: The column in it, or ``None``.
        hint: The argument that helps, or ``None``.
    """

    def __init__(
        self,
        message: str,
        *,
        array: str | None = None,
        row: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.array = array
        self.row = row
        self.column = column
