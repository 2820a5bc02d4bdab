"""Files that travel to other processes by path and hash, and are read where they arrive."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path
from typing import Union

from . import _lsmi
from ._analysis import Estimator, PathLike
from .errors import DataError

#: What has been read in this process, by path, hash and device.
_LOADED: dict[tuple[str, str, str], Estimator] = {}
_LOADING = threading.Lock()


class EstimatorFile:
    """A saved estimator, by its path and the SHA-256 of its bytes.

    Pickled, it is as small as these. Whoever receives it reads the file with :meth:`load`, once in a process, and is told if it
    is another than when the handle was made. What was loaded stays until the process ends.

        >>> import lsmi, tempfile, pathlib
        >>> x1, x2, y, ids = lsmi.demo_data()
        >>> path = pathlib.Path(tempfile.mkdtemp(), "estimator.safetensors")
        >>> lsmi.analyze(x1[:200], x2[:200], y[:200], folds=2, repeats=1).estimator.save(path)
        >>> file = lsmi.EstimatorFile(path)
        >>> file.load() is file.load()
        True
    """

    def __init__(self, path: PathLike, *, device: str = "auto") -> None:
        """Reads the file to hash it.

        Args:
            path: The file, or the directory of an analysis; it is kept as an absolute path, which every machine must be able to
                read.
            device: The device on which it is loaded: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``metal``.

        Raises:
            DataError: If there is no such file.
        """
        place = Path(path).expanduser()
        #: The absolute path.
        self.path = os.path.abspath(place / "estimator.safetensors" if place.is_dir() else place)
        #: The device on which it is loaded.
        self.device = device
        #: The SHA-256 of its bytes.
        self.sha256 = hashlib.sha256(_read(self.path, hint="check the path")).hexdigest()

    def load(self) -> Estimator:
        """Gives the estimator, reading it if this process has not yet done so.

        Raises:
            DataError: If this machine cannot read it, it was replaced since the handle was made, or it is no estimator.
        """
        with _LOADING:
            if self._key not in _LOADED:
                content = _read(self.path, hint="put the file where every machine reads it under this path")
                found = hashlib.sha256(content).hexdigest()
                if found != self.sha256:
                    raise DataError(
                        f"{self.path} was replaced: its SHA-256 is {found} on host {socket.gethostname()}, but was {self.sha256}",
                        hint="let it stay while work goes on, or make a new EstimatorFile of it",
                    )
                _LOADED[self._key] = Estimator(_lsmi.Estimator.of_bytes(content, self.path, self.device))
            return _LOADED[self._key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EstimatorFile) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.path, self.sha256, self.device

    def __repr__(self) -> str:
        return f"<lsmi.EstimatorFile: {self.path}, SHA-256 {self.sha256[:12]}…>"


#: An estimator for workers: in memory (its bytes travel), by path and hash, or by path.
EstimatorLike = Union[Estimator, EstimatorFile, PathLike]


def portable(estimator: EstimatorLike) -> Estimator | EstimatorFile:
    """Takes an estimator, a handle, or a path of which a handle is made."""
    return estimator if isinstance(estimator, (Estimator, EstimatorFile)) else EstimatorFile(estimator)


def loaded(estimator: Estimator | EstimatorFile) -> Estimator:
    """Gives the estimator itself."""
    return estimator.load() if isinstance(estimator, EstimatorFile) else estimator


def _read(path: str, *, hint: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror} on host {socket.gethostname()}", hint=hint) from None
