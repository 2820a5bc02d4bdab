"""Pretrained encoders that embed record batches, in this process or in others."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import _lsmi
from ._analysis import PathLike
from .errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow

    from ._lsmi import Encoders as _Encoders

#: What has been loaded in this process, by everything that makes a difference.
_LOADED: dict[str, _Encoders] = {}
_LOADING = threading.Lock()


class Encoders:
    """Pretrained encoders of one or several columns, named as for ``lsmi embed``.

    Made, they are found, downloaded where they are not there, and hashed. They are loaded when they are first used, once in
    a process; pickled, they are their names and hashes alone, and whoever receives them loads them from there. What was loaded
    stays until the process ends.
    """

    def __init__(
        self,
        *,
        image: str | None = None,
        text: str | None = None,
        audio: str | None = None,
        video: str | None = None,
        depth: str | None = None,
        columns: Mapping[str, str] | None = None,
        directory: PathLike = ".",
        follow_links: bool = False,
        on_error: str = "fail",
        missing: str = "refuse",
        pooling: str | None = None,
        prompt: str | None = None,
        normalize: bool | None = None,
        windows: str = "first",
        precision: str = "f32",
        batch: int = 16,
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        """Finds the encoders.

        Args:
            image: The encoder of pictures: a name of ``lsmi models list``, a directory, or a repository of the hub.
            text: The encoder of texts.
            audio: The encoder of sounds.
            video: The encoder of videos, or of pictures: then 8 frames of each are embedded, and their vectors averaged.
            depth: The encoder of depth.
            columns: What the columns are called, such as ``{"image": "photo"}``.
            directory: Where paths of files start.
            follow_links: Whether symbolic links may lead out of the directory.
            on_error: What becomes of rows that cannot be embedded: ``fail``, or ``keep`` them, with null vectors and the reason
                in a column ``error``.
            missing: Which texts are missing inputs, of rows that cannot be embedded: with ``refuse`` an empty one, NaN, NA, null and
                None; with ``keep`` an empty one only.
            pooling: How one vector is made of hidden states; as the models' authors do if ``None``.
            prompt: What is put before every text: the name of a prompt, a text, or ``none``; as the authors do if ``None``.
            normalize: Whether vectors are divided by their length; as the authors do if ``None``.
            windows: What is read of a sound that is longer than its encoder takes: ``first``, the part that it takes, or ``mean``, all
                parts, whose vectors are averaged.
            precision: ``f32``, ``f16`` or ``bf16``.
            batch: Inputs that an encoder takes at a time.
            threads: Threads that encode; 0 stands for as many as the machine has processors. One by default, as engines run
                a worker for each processor.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``metal``.

        Raises:
            UsageError: If no encoder is named, ``columns`` names something else, or an option is wrong.
            DataError: If an encoder cannot be found.
        """
        given = {"image": image, "text": text, "audio": audio, "video": video, "depth": depth}
        named = {kind: model for kind, model in given.items() if model}
        if not named:
            raise UsageError("name an encoder, such as image= or text=")
        unknown = set(columns or {}) - set(named)
        if unknown:
            raise UsageError(f"columns= names {', '.join(sorted(unknown))}, of which there is no encoder")
        self._columns = {kind: (columns or {}).get(kind, kind) for kind in named}
        self._options: dict[str, Any] = {
            "directory": os.path.abspath(directory),
            "follow_links": follow_links,
            "on_error": on_error,
            "missing": missing,
            "pooling": pooling,
            "prompt": prompt,
            "normalize": normalize,
            "windows": windows,
            "precision": precision,
            "batch": int(batch),
            "threads": int(threads),
            "device": device,
        }
        _lsmi.check_encoder_options(self._options)
        self._models: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        for kind, model in named.items():
            self._models[kind], self._hashes[kind] = self._find(kind, model)

    def _find(self, kind: str, model: str) -> tuple[str, str]:
        return _lsmi.find_model(kind, model, self._options["pooling"] is not None)

    @property
    def _inner(self) -> _Encoders:
        key = json.dumps([self._models, self._hashes, self._columns, self._options])
        with _LOADING:
            if key not in _LOADED:
                for kind, model in self._models.items():
                    _, found = self._find(kind, model)
                    if found != self._hashes[kind]:
                        raise DataError(
                            f"the encoder {model} on host {socket.gethostname()} is another: the SHA-256 of its files is {found}, "
                            f"but was {self._hashes[kind]}",
                            hint="let its files stay while work goes on, or make new Encoders of it",
                        )
                models = [(kind, self._columns[kind], model) for kind, model in self._models.items()]
                _LOADED[key] = _lsmi.Encoders(models, self._options)
            return _LOADED[key]

    @cached_property
    def provenance(self) -> list[dict[str, Any]]:
        """What makes ``x1``, ``x2``, ...: model, commit, hash of the weights, pooling, layers, preprocessing."""
        provenance: list[dict[str, Any]] = json.loads(self._inner.provenance())
        return provenance

    def embed_batch(self, batch: Any) -> pyarrow.RecordBatch:
        """Makes the vectors of the rows of a record batch, in their order.

        Args:
            batch: A record batch or table: anything that has ``__arrow_c_array__`` or ``__arrow_c_stream__``. Texts, and for
                everything else paths or the bytes of files; for videos also paths of folders of frames, or lists of the paths of
                frames. A column ``id`` names rows in messages.

        Returns:
            The columns that are no inputs as they came; ``x1``, ``x2``, ..., lists of f32, in the order image, text, audio, video,
            depth; with ``on_error="keep"`` the column ``error``.

        Raises:
            DataError: If a column is not there or of another type, or a row cannot be embedded; it names row and id.
            UsageError: If the rows are not of Arrow's.
            LsmiError: If an encoder or device fails.
        """
        import pyarrow

        return pyarrow.record_batch(self._inner.embed_batch(batch))

    def output_schema(self, schema: Any) -> pyarrow.Schema:
        """Gives the columns that :meth:`embed_batch` returns for rows with the columns of a schema. It loads the encoders.

        Args:
            schema: A schema of Arrow's.

        Raises:
            DataError: If an input is not there or of another type, or a column has the name of one of the result.
        """
        import pyarrow

        return pyarrow.schema(self._inner.embedded_columns(schema))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "provenance"}

    def __repr__(self) -> str:
        models = ", ".join(f"{self._columns[kind]}: {model}" for kind, model in self._models.items())
        return f"<lsmi.Encoders: {models}>"
