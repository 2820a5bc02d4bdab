"""Record batches scored and embedded, and the handles that travel to other processes."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lsmi

from . import encoders

pa = pytest.importorskip("pyarrow")

Arrays = dict[str, npt.NDArray[Any]]
TERMS = ["h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"]


def rows(data: Arrays, *, labels: bool = True, kind: Any = None) -> Any:
    """The samples as a record batch."""
    columns = {"id": pa.array([f"s{row}" for row in range(len(data["y"]))])}
    for name in ("x1", "x2"):
        columns[name] = pa.array(list(data[name].astype(np.float32)), type=kind or pa.list_(pa.float32()))
    if labels:
        columns["y"] = pa.array(data["y"])
    return pa.record_batch(columns)


@pytest.fixture
def saved(analysis: lsmi.Analysis, tmp_path: Path) -> Path:
    path = tmp_path / "estimator.safetensors"
    analysis.estimator.save(path)
    return path


@pytest.mark.parametrize("kind", [None, "fixed", "large"])
def test_a_batch_has_the_values_of_score(data: Arrays, analysis: lsmi.Analysis, kind: str | None) -> None:
    kinds = {None: None, "fixed": pa.list_(pa.float32(), 3), "large": pa.large_list(pa.float32())}
    batch = rows(data, kind=kinds[kind])
    estimator = analysis.estimator
    expected = estimator.score(*(data[name].astype(np.float32) for name in ("x1", "x2")), data["y"]).samples
    scored = estimator.score_batch(batch, measures=["ccs"])
    assert scored.schema == estimator.output_schema(batch.schema, measures=["ccs"])
    assert scored["id"].to_pylist() == batch["id"].to_pylist()
    assert {"label", "kind", "r_ccs"} <= set(scored.schema.names)
    for name in TERMS:
        assert np.array_equal(scored[name].to_numpy(), expected[name]), name


def test_values_do_not_depend_on_the_batch(data: Arrays, analysis: lsmi.Analysis) -> None:
    estimator, whole = analysis.estimator, rows(data)
    expected = estimator.score_batch(whole).to_pydict()
    order = np.random.default_rng(0).permutation(len(data["y"]))
    for start, end in ((0, 1), (1, 3), (3, 20), (20, 150)):
        part = estimator.score_batch(whole.take(pa.array(order[start:end]))).to_pydict()
        for name, values in part.items():
            assert values == [expected[name][row] for row in order[start:end]], name


def test_tables_and_empty_batches_are_taken(data: Arrays, analysis: lsmi.Analysis) -> None:
    batch, estimator = rows(data), analysis.estimator
    table = pa.Table.from_batches([batch.slice(0, 10), batch.slice(10)])
    scored = estimator.score_batch(table)
    assert scored.num_rows == 150 and scored.equals(estimator.score_batch(batch))
    assert estimator.score_batch(batch.slice(0, 0)).schema == scored.schema
    assert estimator.score_batch(pa.Table.from_batches([], batch.schema)).num_rows == 0


def test_labels_are_left_out_where_that_is_asked_for_only(data: Arrays, analysis: lsmi.Analysis) -> None:
    estimator, without = analysis.estimator, rows(data, labels=False)
    with pytest.raises(lsmi.DataError, match="no column `y`, only id, x1, x2") as caught:
        estimator.score_batch(without)
    assert caught.value.array == "y" and "label_free=True" in str(caught.value)
    free = estimator.score_batch(without, label_free=True)
    assert "kind" not in free.schema.names and free.equals(estimator.score_batch(rows(data), label_free=True))
    assert free.schema == estimator.output_schema(without.schema, label_free=True)
    expected = estimator.score(data["x1"].astype(np.float32), data["x2"].astype(np.float32), label_free=True).samples
    assert np.array_equal(free["s"].to_numpy(), expected["s"])


def test_measures_need_labels(data: Arrays, analysis: lsmi.Analysis) -> None:
    for call in (analysis.estimator.score_batch, lambda batch, **options: analysis.estimator.output_schema(batch.schema, **options)):
        with pytest.raises(lsmi.UsageError, match="measures= need labels"):
            call(rows(data), label_free=True, measures=["ccs"])


def test_batches_are_scored_one_after_the_other(saved: Path, data: Arrays, analysis: lsmi.Analysis) -> None:
    from lsmi.spark import score_batches

    batch = rows(data)
    found = list(score_batches([batch.slice(0, 70), batch.slice(70)], lsmi.EstimatorFile(saved), measures=["ccs"]))
    assert [part.num_rows for part in found] == [70, 80]
    whole = analysis.estimator.score_batch(batch, measures=["ccs"])
    assert pa.Table.from_batches(found).equals(pa.Table.from_batches([whole]))


def test_measures_are_taken_once(data: Arrays, analysis: lsmi.Analysis) -> None:
    names = analysis.estimator.score_batch(rows(data), measures=["ccs", "ccs"]).schema.names
    assert len(names) == len(set(names)) and "r_ccs" in names


def test_ids_come_back_as_they_came(data: Arrays, analysis: lsmi.Analysis) -> None:
    batch = rows(data).slice(0, 5)
    integers = [pa.array([4, 3, 2, 1, 0], kind) for kind in (pa.int8(), pa.int32(), pa.int64(), pa.uint64())]
    texts = [pa.array(list("43210"), kind) for kind in (pa.string(), pa.large_string(), pa.string_view())]
    for ids in [*integers, *texts, texts[0].dictionary_encode()]:
        changed = batch.set_column(0, "id", ids)
        assert analysis.estimator.score_batch(changed)["id"].equals(ids), ids.type


def test_labels_may_be_categories(data: Arrays, analysis: lsmi.Analysis) -> None:
    batch = rows(data)
    for labels in (batch["y"].cast(pa.int8()), batch["y"].cast(pa.string()).dictionary_encode()):
        changed = batch.set_column(3, "y", labels)
        assert analysis.estimator.score_batch(changed).equals(analysis.estimator.score_batch(batch)), labels.type


def test_bad_batches_are_named(data: Arrays, analysis: lsmi.Analysis) -> None:
    estimator, batch = analysis.estimator, rows(data)

    def refused(changed: Any) -> lsmi.DataError:
        with pytest.raises(lsmi.DataError) as caught:
            estimator.score_batch(changed)
        return caught.value

    error = refused(batch.drop_columns(["x2"]))
    assert "no column `x2`" in str(error) and error.array == "x2"
    bad = data["x1"].copy()
    bad[17, 2] = np.nan
    error = refused(rows({**data, "x1": bad}))
    assert (error.array, error.row, error.column) == ("x1", 17, 2) and "row 17 (id `s17`)" in str(error)
    error = refused(rows({**data, "y": np.full(150, 7)}))
    assert (error.array, error.row) == ("y", 0) and "`7`" in str(error)
    error = refused(batch.set_column(0, "id", pa.array(["a"] * 150)))
    assert error.array == "id"
    error = refused(batch.set_column(0, "id", pa.array([0.5] * 150)))
    assert "Float64" in str(error)
    # What a schema tells is told before there are rows.
    for column, values in (("x1", pa.array(["a"] * 150)), ("y", pa.array([0.5] * 150))):
        place = batch.schema.get_field_index(column)
        with pytest.raises(lsmi.DataError, match=f"`{column}` is of type"):
            estimator.output_schema(batch.set_column(place, column, values).schema)
    with pytest.raises(lsmi.UsageError, match="record batch"):
        estimator.score_batch(7)
    categories = batch.set_column(0, "id", batch["id"].dictionary_encode())
    error = refused(categories.set_column(1, "x1", pa.array(list(bad))))
    assert "row 17 (id `s17`)" in str(error)
    # As engines carry them from one process to another.
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and (again.array, again.row) == ("x1", 17)


def test_a_handle_is_small_and_loads_once(saved: Path, data: Arrays, analysis: lsmi.Analysis) -> None:
    handle = lsmi.EstimatorFile(saved)
    packed = pickle.dumps(handle)
    assert len(packed) < 500
    again = pickle.loads(packed)
    assert again.load() is handle.load()
    assert again.load().score_batch(rows(data)).equals(analysis.estimator.score_batch(rows(data)))
    assert lsmi.EstimatorFile(saved.parent).path == str(saved)
    assert again == handle and hash(again) == hash(handle) and handle != lsmi.EstimatorFile(saved, device="cpu")


def test_a_replaced_file_is_refused(saved: Path) -> None:
    handle = lsmi.EstimatorFile(saved)
    with saved.open("ab") as file:
        file.write(b"more")
    with pytest.raises(lsmi.DataError, match=r"was replaced: its SHA-256 is [0-9a-f]{64} on host"):
        handle.load()
    saved.unlink()
    with pytest.raises(lsmi.DataError, match="No such file or directory on host"):
        handle.load()
    with pytest.raises(lsmi.DataError, match="No such file"):
        lsmi.EstimatorFile(saved)


def test_a_handle_loads_in_another_process(saved: Path, tmp_path: Path) -> None:
    packed = tmp_path / "handle.pickle"
    packed.write_bytes(pickle.dumps(lsmi.EstimatorFile(saved)))
    program = f"import pickle; print(pickle.load(open({str(packed)!r}, 'rb')).load().classes)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "['0', '1']"


def test_pictures_and_texts_are_embedded_as_by_the_command(tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 100)
    batch = pa.record_batch(table)
    found = lsmi.Encoders(**models, directory=tmp_path, threads=2)
    assert "Encoders" in repr(found)
    embedded = found.embed_batch(batch)
    assert embedded.schema == found.output_schema(batch.schema)
    assert embedded.schema.names == ["id", "y", "x1", "x2"]
    assert b"tiny-vit" in embedded.schema.metadata[b"x1_model"]
    noted = found.embed_batch(batch.replace_schema_metadata({"of": "me"})).schema.metadata
    assert noted[b"of"] == b"me" and noted[b"x1_model"] == embedded.schema.metadata[b"x1_model"]
    one = lsmi.Encoders(**models, directory=tmp_path).embed_batch(pa.Table.from_batches([batch]))
    assert one.equals(embedded)
    command = lsmi.embed({**table, "label": table["y"]}, **models, directory=tmp_path)
    for name in ("x1", "x2"):
        vectors = np.stack(embedded[name].to_numpy(zero_copy_only=False))
        assert vectors.dtype == np.float32 and np.array_equal(vectors, command[name]), name
    assert [made["architecture"] for made in found.provenance] == ["vit", "bert"]
    # The result is what a table of features is.
    estimator = lsmi.analyze(np.stack(embedded["x1"].to_numpy(False)), np.stack(embedded["x2"].to_numpy(False)), table["y"], folds=2, repeats=1).estimator
    assert estimator.score_batch(embedded).num_rows == 100


def test_bytes_are_pictures_too(tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 3)
    files = [(tmp_path / str(name)).read_bytes() for name in table["image"]]
    found = lsmi.Encoders(image=models["image"], columns={"image": "photo"})
    from_bytes = found.embed_batch(pa.record_batch({"photo": files}))
    structures = [{"bytes": content, "path": None} for content in files]
    from_structures = found.embed_batch(pa.record_batch({"photo": structures}))
    by_path = lsmi.Encoders(image=models["image"], directory=tmp_path).embed_batch(pa.record_batch({"image": table["image"]}))
    assert from_bytes["x1"].equals(by_path["x1"]) and from_structures["x1"].equals(by_path["x1"])


def test_videos_are_folders_and_lists_of_frames(tmp_path: Path) -> None:
    models, _ = encoders.models(tmp_path), encoders.table(tmp_path, 1)
    (tmp_path / "clip").mkdir()
    for number, name in enumerate(("gradient.png", "elephant.png")):
        shutil.copy(tmp_path / name, tmp_path / "clip" / f"{number}.png")
    found = lsmi.Encoders(video=models["image"], directory=tmp_path)
    by_path = found.embed_batch(pa.record_batch({"video": ["clip", "clip/0.png;clip/1.png", "clip/0.png;clip/0.png"]}))["x1"]
    frames = [["gradient.png", "elephant.png"], ["clip/0.png", "clip/1.png"], ["gradient.png"]]
    by_list = found.embed_batch(pa.record_batch({"video": frames}))["x1"]
    of_paths, of_lists = (np.stack(column.to_numpy(zero_copy_only=False)) for column in (by_path, by_list))
    np.testing.assert_allclose(of_paths, of_lists, atol=1e-5)
    np.testing.assert_allclose(of_paths[0], of_paths[1], atol=1e-5)
    assert np.abs(of_paths[0] - of_paths[2]).max() > 1e-3
    assert found.provenance[0]["preprocessing"]["frames"] == 8
    with pytest.raises(lsmi.DataError, match=r"row 0: 7\.png"):
        found.embed_batch(pa.record_batch({"video": [["gradient.png", "7.png"]]}))
    with pytest.raises(lsmi.DataError, match="`image` is of type List"):
        lsmi.Encoders(image=models["image"], directory=tmp_path).embed_batch(pa.record_batch({"image": frames}))
    rows = {"video": ["clip", "clip/0.png;clip/1.png"], "image": ["gradient.png"] * 2, "label": ["a", "b"]}
    command = lsmi.embed(rows, video=models["image"], image=models["image"], directory=tmp_path)
    np.testing.assert_allclose(command["x2"], of_paths[:2], atol=1e-5)


def test_windows_of_sounds_are_cut_or_averaged(tmp_path: Path) -> None:
    model, sound = encoders.sound(tmp_path)
    vectors = []
    for windows in ("first", "mean"):
        found = lsmi.Encoders(audio=model, directory=tmp_path, windows=windows)
        vectors.append(found.embed_batch(pa.record_batch({"audio": [sound]}))["x1"])
        assert found.provenance[0]["preprocessing"]["windows"] == windows
    assert vectors[0].equals(lsmi.Encoders(audio=model, directory=tmp_path).embed_batch(pa.record_batch({"audio": [sound]}))["x1"])
    assert not vectors[0].equals(vectors[1])
    rows = {"audio": [sound] * 2, "text": ["red", "blue"], "label": ["a", "b"]}
    text = encoders.models(tmp_path)["text"]
    command = lsmi.embed(rows, audio=model, text=text, directory=tmp_path, windows="mean")
    np.testing.assert_allclose(command["x2"][0], vectors[1][0].as_py(), atol=1e-5)


def test_unreadable_rows_are_named_or_kept(tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 70, unreadable=66)
    batch = pa.record_batch(table)
    with pytest.raises(lsmi.DataError, match=r"row 66 \(id `row 66`\): .*none\.png") as caught:
        lsmi.Encoders(**models, directory=tmp_path).embed_batch(batch)
    assert caught.value.row == 66
    kept = lsmi.Encoders(**models, directory=tmp_path, on_error="keep").embed_batch(batch)
    assert [row for row, error in enumerate(kept["error"].to_pylist()) if error] == [66]
    assert "none.png" in kept["error"][66].as_py()
    assert kept["x1"].null_count == kept["x2"].null_count == 1 and kept["x1"][66].as_py() is None
    whole = lsmi.Encoders(**models, directory=tmp_path).embed_batch(batch.slice(0, 64))
    assert kept.slice(0, 64)["x1"].equals(whole["x1"])


def test_encoders_travel_by_name_and_hash(tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 4)
    found = lsmi.Encoders(**models, directory=tmp_path)
    packed = pickle.dumps(found)
    assert len(packed) < 2000
    again = pickle.loads(packed)
    assert again.embed_batch(pa.record_batch(table)).equals(found.embed_batch(pa.record_batch(table)))
    other = lsmi.Encoders(**models, directory=tmp_path, batch=3)
    (tmp_path / "tiny-bert" / "tokenizer.json").write_text((tmp_path / "tiny-bert" / "tokenizer.json").read_text() + " ")
    with pytest.raises(lsmi.DataError, match="is another: the SHA-256"):
        other.embed_batch(pa.record_batch(table))
    shutil.rmtree(tmp_path / "tiny-bert")
    with pytest.raises(lsmi.DataError, match="tiny-bert"):
        pickle.loads(pickle.dumps(other)).embed_batch(pa.record_batch(table))


def test_wrong_arguments_of_encoders(tmp_path: Path) -> None:
    models, table = encoders.models(tmp_path), encoders.table(tmp_path, 4)
    with pytest.raises(lsmi.UsageError, match="name an encoder"):
        lsmi.Encoders()
    with pytest.raises(lsmi.UsageError, match="audio"):
        lsmi.Encoders(**models, columns={"audio": "sound"})
    wrong = {"on_error": "skip", "missing": "drop", "pooling": "best", "precision": "f64", "windows": "all", "device": "gpu", "threads": -1, "batch": 0}
    for name, value in wrong.items():
        with pytest.raises(lsmi.UsageError, match=str(value)):
            lsmi.Encoders(**models, **{name: value})
    found = lsmi.Encoders(**models, directory=tmp_path)
    with pytest.raises(lsmi.DataError, match="no column `text`") as caught:
        found.embed_batch(pa.record_batch({"image": table["image"]}))
    assert 'columns={"image"' in str(caught.value)
    with pytest.raises(lsmi.DataError, match="`x1`, which is the name of one of the result"):
        found.embed_batch(pa.record_batch({**table, "x1": table["y"]}))
    twice = pa.RecordBatch.from_arrays([pa.array(table["text"])] * 2 + [pa.array(table["image"])], names=["text", "text", "image"])
    with pytest.raises(lsmi.DataError, match="two columns are called `text`"):
        found.embed_batch(twice)
    with pytest.raises(lsmi.DataError, match="`text` is of type Float64"):
        found.embed_batch(pa.record_batch({**table, "text": [0.5] * 4}))
