"""Two small models and a table of pictures and texts, from the fixtures of the repository."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

_WORDS = {"[PAD]": 0, "[UNK]": 1, "red": 2, "blue": 3, "square": 4, "circle": 5, "a": 6}
_TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": _WORDS},
}
_PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "size": {"height": 32, "width": 32},
    "resample": 2,
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def models(place: Path) -> dict[str, str]:
    """Puts a model of pictures and one of texts into a directory; gives their paths as arguments of ``Encoders``."""
    fixtures = _fixtures() / "encoders"
    for name, file, content in (("tiny-vit", "preprocessor_config.json", _PREPROCESSOR), ("tiny-bert", "tokenizer.json", _TOKENIZER)):
        (place / name).mkdir()
        for part in ("config.json", "model.safetensors"):
            shutil.copy(fixtures / name / part, place / name / part)
        (place / name / file).write_text(json.dumps(content), encoding="utf-8")
    return {"image": str(place / "tiny-vit"), "text": str(place / "tiny-bert")}


def table(place: Path, rows: int, *, unreadable: int | None = None) -> dict[str, list[object]]:
    """Gives a table of pictures and texts, of which one picture may be none, and puts the pictures into the directory."""
    for name in ("elephant.png", "gradient.png"):
        shutil.copy(_fixtures() / "preprocess" / name, place / name)
    (place / "none.png").write_text("a text")
    words = ["red", "a blue circle", "square", "a red square a"]
    pictures = ["elephant.png" if row % 3 else "gradient.png" for row in range(rows)]
    if unreadable is not None:
        pictures[unreadable] = "none.png"
    return {
        "id": [f"row {row}" for row in range(rows)],
        "image": pictures,
        "text": [f"{words[row % 4]} {words[row % 3]}" for row in range(rows)],
        "y": [row % 2 for row in range(rows)],
    }


def sound(place: Path) -> tuple[str, str]:
    """Puts a model of sounds and a sound that is twice as long as it takes into a directory; gives their paths."""
    (place / "tiny-whisper").mkdir()
    for part in ("config.json", "model.safetensors"):
        shutil.copy(_fixtures() / "encoders" / "tiny-whisper" / part, place / "tiny-whisper" / part)
    shutil.copy(_fixtures() / "preprocess" / "sweep_noise.wav", place / "sound.wav")
    return str(place / "tiny-whisper"), "sound.wav"


def _fixtures() -> Path:
    if "LSMI_ROOT" not in os.environ:
        pytest.skip("LSMI_ROOT does not name the repository")
    return Path(os.environ["LSMI_ROOT"]) / "lsmi-candle" / "tests" / "fixtures"
