"""Writes the corpus: python fuzz/corpus.py (numpy, pandas, pyarrow, pillow, tokenizers). Small files that their reader
accepts, and some at which one once failed."""

import json
import pathlib
import shutil
import struct
import wave

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

here = pathlib.Path(__file__).parent
corpus = here / "corpus"
fixtures = here.parent / "lsmi-candle" / "tests" / "fixtures"


def place(reader, name):
    (corpus / reader).mkdir(parents=True, exist_ok=True)
    return corpus / reader / name


x1 = np.arange(12.0).reshape(6, 2)
x2 = np.array([[0.5], [-0.5], [1.5], [2.5], [0.0], [3.0]], "f4")
y = np.array([1, 0, 0, 1, 0, 1])
names = np.array(["b", "a", "a", "b", "a", "b"])
logits = np.stack([x1[:, 0], -x1[:, 0]], axis=1)


def safetensors(path, arrays, metadata=None):
    kinds = {"float64": "F64", "float32": "F32", "int64": "I64"}
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, array in arrays.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": kinds[array.dtype.name], "shape": array.shape, "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


for reader in ["safetensors", "safetensors_by_rows"]:
    safetensors(place(reader, "plain"), {"x1": x1, "x2": x2, "y": y})
    safetensors(place(reader, "names"), {"x1": x1, "x2": x2, "logits12": logits, "y": y}, {"classes": '["0","1"]'})
safetensors(
    place("safetensors", "texts"), {"x1": x1, "x2": x2}, {"y": json.dumps(list(names)), "ids": '["a","b","c","d","e","f"]'}
)
for reader in ["npz", "npz_by_rows"]:
    for name, save in [("stored", np.savez), ("deflated", np.savez_compressed)]:
        with open(place(reader, name), "wb") as file:
            save(file, x1=x1, x2=np.asfortranarray(x2), y=y, id=np.arange(6))
    with open(place(reader, "splits"), "wb") as file:
        np.savez(file, x1_train=x1, x2_train=x2, y_train=y, x1_test=x1[:3], x2_test=x2[:3], y_test=y[:3])
with open(place("npz", "strings"), "wb") as file:
    np.savez_compressed(file, x1=x1.astype(">f2"), x2=x2, y=names, id=np.array([b"a", b"b", b"c", b"d", b"e", b"f"]))
for name, array in [("doubles", x1), ("fortran", np.asfortranarray(x1)), ("big", x1.astype(">f4")), ("integers", y)]:
    with open(place("npy", name), "wb") as file:
        np.save(file, array)
with open(place("npy", "strings"), "wb") as file:
    np.save(file, names)
shutil.copy(fixtures / "torch_features.pt", place("pt", "tensors"))
table = pa.table({"x1": list(x1), "x2": list(x2), "y": names, "id": np.arange(6), "day": pd.date_range("2024-02-28", periods=6)})
frame = pd.DataFrame({"x1_0": x1[:, 0], "x1_1": x1[:, 1], "x2_0": x2[:, 0], "y": y, "split": ["train"] * 4 + ["test"] * 2})
frame["note"] = ["one", None, "three", "é", "", "6"]
for name, options in [("snappy", {}), ("plain", {"compression": "none", "use_dictionary": False}), ("gzip", {"compression": "gzip"})]:
    parquet.write_table(table, place("parquet", name), **options)
parquet.write_table(pa.Table.from_pandas(frame), place("parquet", "columns"), row_group_size=4, compression="lz4")
for name in ["arrow_plain.arrow", "arrow_lz4.feather", "arrow_views.arrow", "arrow_categories.arrow"]:
    shutil.copy(fixtures / name, place("arrow", name.split(".")[0]))
frame.to_csv(place("csv", "columns"), index=False)
table.to_pandas().assign(x1=[list(row) for row in x1], x2=[list(row) for row in x2]).to_csv(place("csv", "lists"), index=False)
picture = Image.fromarray((np.arange(8 * 6 * 3) * 5 % 256).astype("u1").reshape(6, 8, 3))
for kind in ["png", "jpeg", "webp"]:
    picture.save(place("image", kind), kind)
picture.save(place("image", "jpeg_progressive"), "jpeg", progressive=True, restart_marker_blocks=1)
picture.convert("CMYK").save(place("image", "jpeg_inks"), "jpeg")
picture.convert("L").save(place("image", "grey"), "png")
picture.convert("P").save(place("image", "palette"), "png")
for name in ["clip", "dinov2", "siglip", "vit"]:
    shutil.copy(fixtures / "preprocess" / f"{name}.json", place("image_config", name))
with wave.open(str(place("audio", "wav")), "wb") as file:
    file.setnchannels(2)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes((np.sin(np.arange(400) / 5) * 1000).astype("<i2").tobytes())
for kind in ["flac", "mp3", "ogg"]:
    data = (fixtures / "preprocess" / f"sweep_noise.{kind}").read_bytes()
    place("audio", kind).write_bytes(data[:6000])
for name in ["dinov2-small", "minilm-l6-v2"]:
    shutil.copy(here.parent / "models" / f"{name}.toml", place("manifest", name))
for config in sorted((fixtures / "encoders").glob("tiny-*/config.json")):
    if config.parent.name == "tiny-resnet-basic":
        continue  # of the architecture of another, with more weights
    shutil.copy(config, place("encoder_config", config.parent.name))
# Of the others one of each architecture.
for folder in sorted((fixtures / "encoders").iterdir()):
    configs = sorted(folder.glob("*/config.json"))
    if configs:
        shutil.copy(configs[0], place("encoder_config", folder.name))
huge = json.loads((fixtures / "encoders" / "tiny-vit" / "config.json").read_text())
huge["image_size"] = 2**63 - 1  # its square once overflowed
place("encoder_config", "huge").write_text(json.dumps(huge))
shutil.copy(fixtures / "encoders" / "tiny-bert" / "model.safetensors", place("encoder_weights", "tiny-bert"))

# A tokenizer of each kind that released models have, with few tokens.
letters = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
words = special + letters + [f"##{letter}" for letter in letters] + ["red", "thing", "##ing", ",", "round"]
pieces = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
pieces.normalizer = normalizers.BertNormalizer()
pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
pieces.add_special_tokens(special)
pieces.enable_padding(pad_id=0, pad_token="[PAD]")

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokens = ["<s>", "<pad>", "</s>", "<unk>", *alphabet, "in", "ing", "\u0120r", "ed"]
merges = [("i", "n"), ("in", "g"), ("\u0120", "r"), ("e", "d")]
pairs = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges, unk_token="<unk>"))
pairs.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("  ", " "), normalizers.Lowercase()])
pairs.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Split(Regex(r"\p{N}{1,3}|thing"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
pairs.decoder = decoders.ByteLevel()
pairs.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
pairs.add_special_tokens([AddedToken("<s>", lstrip=True), AddedToken("</s>", rstrip=True), "<pad>"])

scores = [("<unk>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("\u2581", -2.0)] + [(letter, -4.0) for letter in letters]
scores += [("\u2581red", -3.0), ("ing", -3.5), ("\u2581a", -2.5)]
likely = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
likely.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip()])
likely.pre_tokenizer = pre_tokenizers.Metaspace()
likely.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
for name, tokenizer in [("pieces", pieces), ("pairs", pairs), ("likely", likely)]:
    tokenizer.save(str(place("tokenizer", name)), pretty=False)
# One whose template names a token that is not among its special ones: the tokenizers crate panics at it.
contradiction = json.loads(likely.to_str())
contradiction["post_processor"]["special_tokens"] = {}
place("tokenizer", "contradiction").write_text(json.dumps(contradiction))
