//! `embed`: a table of pictures and texts becomes a feature file, whatever happens in between.

use std::fs;
use std::path::{Path, PathBuf};

use lsmi_candle::features::{Keys, read_metadata, read_with_keys};

use crate::place::{Place, stderr};

const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2, "blue": 3, "square": 4, "circle": 5, "a": 6}}}"#;

pub(crate) const PREPROCESSOR: &str = r#"{"image_processor_type": "ViTImageProcessor", "do_resize": true, "do_rescale": true,
    "do_normalize": true, "size": {"height": 32, "width": 32}, "resample": 2, "rescale_factor": 0.00392156862745098,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-candle/tests/fixtures")
}

/// Two models, and a table of three rows of which the last has no picture.
fn prepared() -> Place {
    let place = Place::new();
    prepare(&place);
    place
}

/// Puts them in a place.
pub(crate) fn prepare(place: &Place) {
    for (model, further) in
        [("tiny-vit", ("preprocessor_config.json", PREPROCESSOR)), ("tiny-bert", ("tokenizer.json", TOKENIZER))]
    {
        fs::create_dir(place.path(model)).unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::copy(fixtures().join("encoders").join(model).join(file), place.path(model).join(file)).unwrap();
        }
        fs::write(place.path(model).join(further.0), further.1).unwrap();
    }
    for name in ["elephant.png", "gradient.png"] {
        fs::copy(fixtures().join("preprocess").join(name), place.path(name)).unwrap();
    }
    place.write("no-picture.png", "a text");
    let rows = ["e,elephant.png,a red square,animal", "g,gradient.png,blue,pattern", "n,no-picture.png,circle,pattern"];
    place.write("table.csv", format!("id,image,text,label\n{}\n", rows.join("\n")));
}

pub(crate) const MODELS: &str = "--image tiny-vit --text tiny-bert";

#[test]
fn a_table_becomes_a_feature_file() {
    let place = prepared();
    let told = place.lsmi(&format!("embed table.csv {MODELS} --on-error skip --out f.safetensors --json")).success();
    assert!(stderr(&told).contains("warning: 1 row was skipped:\n  row 3 (id `n`):"), "{}", stderr(&told));
    let printed: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!((&printed["n"], &printed["skipped"][0]["row"]), (&2.into(), &3.into()));
    assert_eq!(printed["models"]["x2"]["architecture"], "bert");

    let file = read_with_keys(&place.path("f.safetensors"), &Keys::default()).unwrap();
    let rows = &file.splits[0].features;
    assert_eq!((rows.x1.columns(), rows.x2.columns(), rows.rows()), (32, 32, 2));
    assert_eq!(
        (file.classes.names(), &rows.labels[..]),
        (&["animal".to_owned(), "pattern".to_owned()][..], &[0, 1][..])
    );
    assert_eq!(rows.ids.get(1), "g");
    assert!(rows.x1.row(0) != rows.x1.row(1) && rows.x2.row(0) != rows.x2.row(1));
    let model = read_metadata(&place.path("f.safetensors"), "x1_model").unwrap().unwrap();
    assert!(model.contains(r#""model":"tiny-vit""#) && model.contains(r#""pooling":"#), "{model}");
    assert!(!place.path("f.safetensors.partial").exists());

    // The same again, byte for byte, also in other row groups of other threads; texts first make them x1.
    place.lsmi(&format!("embed table.csv {MODELS} --on-error skip --threads 1 --out again.safetensors")).success();
    assert_eq!(place.bytes("f.safetensors"), place.bytes("again.safetensors"));
    let order = "--text tiny-bert --image tiny-vit --rows-of-a-group 1 --on-error skip --out other.safetensors";
    place.lsmi(&format!("embed table.csv {order}")).success();
    let other = read_with_keys(&place.path("other.safetensors"), &Keys::default()).unwrap();
    let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // The name that the option had once.
    let once = order.replace("--rows-of-a-group", "--rows-of-a-shard").replace("other.", "once.");
    place.lsmi(&format!("embed table.csv {once}")).success();
    assert_eq!(place.bytes("other.safetensors"), place.bytes("once.safetensors"));
    // Batches of another size may sum in another order.
    assert!(difference(other.splits[0].features.x2.values(), rows.x1.values()) < 1e-5);
}

#[test]
fn a_row_that_cannot_be_embedded_ends_it_and_finished_groups_are_kept() {
    let place = prepared();
    let words = format!("embed table.csv {MODELS} --rows-of-a-group 1 --threads 1 --out f.safetensors");
    let message = stderr(&place.lsmi(&words).code(3));
    assert!(message.contains("table.csv: row 3 (id `n`): ") && message.contains("no-picture.png"), "{message}");
    assert!(message.contains("--on-error skip"), "{message}");
    assert!(!place.path("f.safetensors").exists());
    assert!(place.names("f.safetensors.partial").contains(&"part-00000000".to_owned()));

    // Mended, it goes on from what is there; another job is not mixed with it.
    let message = stderr(&place.lsmi(&format!("{words} --pooling mean")).code(2));
    assert!(message.contains("holds an unfinished job that differs"), "{message}");
    fs::copy(place.path("gradient.png"), place.path("no-picture.png")).unwrap();
    let told = place.lsmi(&words).success();
    assert!(stderr(&told).contains("2 of 3 row groups were finished before"), "{}", stderr(&told));
    let rows = &read_with_keys(&place.path("f.safetensors"), &Keys::default()).unwrap().splits[0].features;
    assert_eq!(rows.x1.row(1), rows.x1.row(2));
}

#[test]
fn rows_that_were_changed_are_embedded_again() {
    let place = prepared();
    let words = "--rows-of-a-group 1 --threads 1";
    place.lsmi(&format!("embed table.csv {MODELS} {words} --out f.safetensors")).code(3);
    // A finished row gets another picture, another one another text, and the bad one a picture.
    fs::copy(place.path("gradient.png"), place.path("elephant.png")).unwrap();
    fs::copy(place.path("gradient.png"), place.path("no-picture.png")).unwrap();
    let table = fs::read_to_string(place.path("table.csv")).unwrap();
    place.write("table.csv", table.replace("blue", "a blue circle"));
    // A row group that is cut off is none.
    let group = place.path("f.safetensors.partial/part-00000001");
    let bytes = fs::read(&group).unwrap();
    fs::write(&group, &bytes[..bytes.len() - 1]).unwrap();
    place.lsmi(&format!("embed table.csv {MODELS} {words} --out f.safetensors")).success();
    place.lsmi(&format!("embed table.csv {MODELS} {words} --out fresh.safetensors")).success();
    assert_eq!(place.bytes("f.safetensors"), place.bytes("fresh.safetensors"));
}

#[test]
fn two_texts_have_a_column_each() {
    let place = prepared();
    place.write("pairs.csv", "question,answer\na red square,blue\nblue,a circle\n");
    let models = "--text tiny-bert --text tiny-bert";
    let columns = "--columns text=question,text=answer";
    let told = place.lsmi(&format!("embed pairs.csv {models} {columns} --out f.safetensors")).success();
    assert!(!stderr(&told).contains("so they are the same"), "{}", stderr(&told));
    let told =
        place.lsmi(&format!("embed pairs.csv {models} --columns text=question --out same.safetensors")).success();
    assert!(stderr(&told).contains("x1 and x2 are of one model and one column"), "{}", stderr(&told));
    assert_ne!(place.bytes("f.safetensors"), place.bytes("same.safetensors"));
    let message = stderr(&place.lsmi(&format!("embed table.csv {MODELS} {columns} --out g.safetensors")).code(2));
    assert!(message.contains("names 2 of `text`, but there are 1 models"), "{message}");
}

/// The column is called `label` here, and `y` in the features.
#[test]
fn a_table_without_labels_is_told_of() {
    let place = prepared();
    place.write("table.csv", "id,image,text,y\ne,elephant.png,red,animal\ng,gradient.png,blue,pattern\n");
    let told = place.lsmi(&format!("embed table.csv {MODELS} --out f.safetensors")).success();
    assert!(stderr(&told).contains("note: the table has no column `label`, so the features have no labels, y"));
    let told = place.lsmi(&format!("embed table.csv {MODELS} --columns label=y --out f.safetensors --force")).success();
    assert!(!stderr(&told).contains("labels"), "{}", stderr(&told));
}

/// What a sentence encoder says of itself is done and recorded; a job with another prompt is another job.
#[test]
fn prompts_and_poolings_are_those_of_the_model() {
    let place = prepared();
    let modules = r#"[{"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]"#;
    let prompts = r#"{"prompts": {"colour": "red "}, "default_prompt_name": "colour"}"#;
    place.write("tiny-bert/modules.json", modules);
    place.write("tiny-bert/config_sentence_transformers.json", prompts);
    fs::create_dir(place.path("tiny-bert/1_Pooling")).unwrap();
    place.write("tiny-bert/1_Pooling/config.json", r#"{"pooling_mode": ["cls", "max"]}"#);
    place.write("texts.csv", "text,label\nsquare,a\nred square,b\n");
    let vectors = |options: &str| {
        let words = "embed texts.csv --text tiny-bert --text tiny-bert --force --out f.safetensors --json";
        let told = place.lsmi(&format!("{words} {options}")).success();
        let printed: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
        let rows = &read_with_keys(&place.path("f.safetensors"), &Keys::default()).unwrap().splits[0].features;
        (rows.x1.row(0).to_vec(), rows.x1.row(1).to_vec(), printed["models"]["x1"].clone(), stderr(&told))
    };
    let (own, _, model, _) = vectors("");
    assert_eq!((own.len(), &model["pooling"]), (64, &"cls+max".into()));
    assert_eq!(model["preprocessing"]["prompt"], "red ");
    let (bare, put_before, model, _) = vectors("--prompt none");
    assert_eq!(model["preprocessing"]["prompt"], serde_json::Value::Null);
    // Batches of other lengths may sum in another order.
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(!near(&bare, &own) && near(&put_before, &own));
    let (named, _, _, told) = vectors("--prompt colour");
    assert!(named == own && !told.contains("itself is put before every text"), "{told}");
    let (given, _, model, told) = vectors("--prompt red");
    assert!(told.contains("whose prompts are colour: `red` itself is put before every text"), "{told}");
    assert!(!near(&given, &own) && model["preprocessing"]["prompt"] == "red");
    let (chosen, _, model, _) = vectors("--pooling weighted-mean --normalize true");
    assert_eq!((chosen.len(), &model["pooling"], &model["normalize"]), (32, &"weighted-mean".into(), &true.into()));

    place.write("table.csv", "id,image,text\ne,elephant.png,red\nn,no-picture.png,blue\n");
    let words = format!("embed table.csv {MODELS} --rows-of-a-group 1 --threads 1 --out g.safetensors");
    place.lsmi(&words).code(3);
    let message = stderr(&place.lsmi(&format!("{words} --prompt none")).code(2));
    assert!(message.contains("holds an unfinished job that differs") && message.contains("prompt"), "{message}");
    // What is not built in is refused by its name before any picture is read, unless a pooling is chosen.
    place.write("tiny-bert/1_Pooling/config.json", r#"{"pooling_mode": "attention"}"#);
    let words = format!("embed table.csv {MODELS} --on-error skip --out h.safetensors");
    let message = stderr(&place.lsmi(&words).code(3));
    assert!(message.contains("attention") && message.contains("--pooling"), "{message}");
    place.lsmi(&format!("{words} --pooling mean")).success();
}

#[test]
fn bad_input_is_named() {
    let place = prepared();
    place.write("twice.csv", "id,image,text\na,elephant.png,red\na,gradient.png,red\n");
    place.write("empty.csv", "image,text\n");
    place.write("blank.csv", "image,text\nelephant.png,\n");
    place.write("table.txt", "image,text\n");
    fs::create_dir(place.path("nothing")).unwrap();
    for (words, status, parts) in [
        ("embed table.csv --image tiny-vit --out f.safetensors", 2, ["two modalities", "--text MODEL"]),
        ("embed table.csv --image tiny-vit --text tiny-bert --out f.npz", 2, ["f.npz", ".safetensors"]),
        (
            "embed missing.csv --image tiny-vit --text tiny-bert --out f.safetensors",
            3,
            ["missing.csv", "cannot be read"],
        ),
        ("embed table.txt --image tiny-vit --text tiny-bert --out f.safetensors", 3, ["table.txt", ".jsonl"]),
        ("embed empty.csv --image tiny-vit --text tiny-bert --out f.safetensors", 3, ["empty.csv", "no rows"]),
        ("embed twice.csv --image tiny-vit --text tiny-bert --out f.safetensors", 3, ["rows 1 and 2", "`a`"]),
        ("embed blank.csv --image tiny-vit --text tiny-bert --out f.safetensors", 3, ["row 1", "`text` is empty"]),
        ("embed table.csv --image tiny-vit --text nothing --out f.safetensors", 3, ["nothing", "model.safetensors"]),
        (
            "embed table.csv --image tiny-bert --text tiny-bert --out f.safetensors",
            2,
            ["tiny-bert: embeds text", "to embed image"],
        ),
        (
            "embed table.csv --image tiny-vit --image tiny-vit --prompt x --out f.safetensors",
            2,
            ["--prompt", "--text MODEL"],
        ),
        (
            "embed table.csv --image tiny-vit --text tiny-bert --windows mean --out f.safetensors",
            2,
            ["--windows", "--audio MODEL"],
        ),
        (
            "embed table.csv --image tiny-vit --depth tiny-vit --columns depth=image --out f.safetensors",
            2,
            ["tiny-vit: embeds image", "to embed depth"],
        ),
        (
            "embed table.csv --image tiny-vit --text tiny-bert --columns video=clip --out f.safetensors",
            2,
            ["names 1 of `video`", "--video MODEL"],
        ),
        (
            "embed table.csv --image tiny-vit --text tiny-bert --columns text=caption --out f.safetensors",
            3,
            ["no column `caption`", "id, image, text, label"],
        ),
    ] {
        let message = stderr(&place.lsmi(words).code(status));
        assert!(parts.iter().all(|part| message.contains(part)), "{words}: {message}");
        assert!(!place.path("f.safetensors").exists());
        let _ = fs::remove_dir_all(place.path("f.safetensors.partial"));
    }
}

#[test]
fn features_of_another_encoder_are_told_of() {
    let place = prepared();
    let rows = |from: usize, to: usize| {
        let row = |row: usize| {
            let (image, colour) = [("elephant.png", "red"), ("gradient.png", "blue")][row % 2];
            format!("{row},{image},{colour} {},{}", ["square", "circle", "a"][row / 2 % 3], row % 2)
        };
        format!("id,image,text,label\n{}\n", (from..to).map(row).collect::<Vec<_>>().join("\n"))
    };
    place.write("train.csv", rows(0, 24));
    place.write("new.csv", rows(24, 32));
    place.lsmi(&format!("embed train.csv {MODELS} --out train.safetensors --quiet")).success();
    place.lsmi(&format!("embed new.csv {MODELS} --out new.safetensors --quiet")).success();
    place.lsmi(&format!("embed new.csv {MODELS} --pooling mean --out other.safetensors --quiet")).success();
    place.lsmi("fit train.safetensors --folds 2 --dims 1 --out e.safetensors --quiet").success();
    for (data, options) in
        [("new", ""), ("new", "--rows-of-a-group 4"), ("other", ""), ("other", "--rows-of-a-group 4")]
    {
        let words =
            format!("score {data}.safetensors --estimator e.safetensors {options} --force --out out.csv --json");
        let told = place.lsmi(&words).success();
        let loud = stderr(&told).contains("note: other.safetensors: x1 was made by `tiny-vit`");
        let summary: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
        let notes = summary["notes"].to_string().contains("differ in pooling");
        let quiet = stderr(&place.lsmi(&format!("{words} --quiet")).success());
        assert_eq!(
            (loud, notes, quiet.is_empty()),
            (data == "other", data == "other", data == "new"),
            "{words}: {quiet}"
        );
    }
}

/// Puts the files of a model of the fixtures, and one that says more of it, into a directory of a place.
fn put_model(place: &Place, fixture: &str, directory: &str, further: Option<(&str, &str)>) {
    fs::create_dir(place.path(directory)).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixtures().join("encoders").join(fixture).join(file), place.path(directory).join(file)).unwrap();
    }
    if let Some((name, content)) = further {
        fs::write(place.path(directory).join(name), content).unwrap();
    }
}

const OF_DEPTH: &str = r#"
    name = "tiny-depth"
    repository = "org/tiny"
    architecture = "imagebind"
    modality = "depth"
    embedding_width = 12
    pooling = "projection"
    normalize = true
    licence = "MIT"
    citation = ["x"]
    [preprocessing]
    resize_to = 12
    filter = "bicubic"
    size = 12
    mean = 0.4
    std = 0.1
    [[files]]
    path = "config.json"
    [[files]]
    path = "model.safetensors"
"#;

#[test]
fn videos_and_depth_are_embedded() {
    let place = prepared();
    put_model(&place, "imagebind/uneven", "tiny-depth", Some(("manifest.toml", OF_DEPTH)));
    for name in ["motion.avi", "depth.png"] {
        fs::copy(fixtures().join("preprocess").join(name), place.path(name)).unwrap();
    }
    fs::create_dir(place.path("frames")).unwrap();
    for (from, to) in [("elephant.png", "frames/2.png"), ("gradient.png", "frames/10.png")] {
        fs::copy(place.path(from), place.path(to)).unwrap();
    }
    #[expect(clippy::cast_possible_truncation, reason = "sides of twenty pixels")]
    let slope = image::GrayImage::from_fn(20, 20, |x, y| image::Luma([(5 * x + 7 * y) as u8]));
    slope.save(place.path("slope.png")).unwrap();
    let clips = "frames,depth.png,a\nframes/2.png;frames/10.png,depth.png,b\nmotion.avi,slope.png,a\n";
    place.write("videos.csv", format!("clip,depth,label\n{clips}"));
    let words =
        "--video tiny-vit --depth tiny-depth --columns video=clip --rows-of-a-group 1 --json --out f.safetensors";
    let told = place.lsmi(&format!("embed videos.csv {words}")).success();
    let printed: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    // A model of pictures reads eight frames.
    assert_eq!(printed["models"]["x1"]["preprocessing"]["frames"], 8);
    assert_eq!((&printed["models"]["x2"]["architecture"], &printed["dims"]["x2"]), (&"imagebind".into(), &12.into()));
    let rows = &read_with_keys(&place.path("f.safetensors"), &Keys::default()).unwrap().splits[0].features;
    assert_eq!(rows.rows(), 3);
    assert!(rows.x1.row(0) == rows.x1.row(1) && rows.x1.row(0) != rows.x1.row(2));

    place.write("absent.csv", "clip,depth,label\nframes/2.png;frames/3.png,depth.png,a\n");
    let message = stderr(&place.lsmi(&format!("embed absent.csv {words} --force")).code(3));
    assert!(message.contains("row 1") && message.contains("frames/3.png"), "{message}");
    // Depth is grey.
    place.write("coloured.csv", "clip,depth,label\nframes,elephant.png,a\n");
    let message = stderr(&place.lsmi(&format!("embed coloured.csv {words} --force")).code(3));
    assert!(message.contains("row 1") && message.contains("elephant.png"), "{message}");
}

/// A sound of 1.3 seconds, of which the model takes 0.64.
#[test]
fn windows_of_sounds_are_cut_or_averaged() {
    let place = prepared();
    put_model(&place, "tiny-whisper", "tiny-whisper", None);
    fs::copy(fixtures().join("preprocess/sweep_noise.wav"), place.path("s.wav")).unwrap();
    // The same but for what its format takes from it.
    fs::copy(fixtures().join("preprocess/sweep_noise.mp3"), place.path("s.mp3")).unwrap();
    place.write("sounds.csv", "audio,text,label\ns.wav,red,a\ns.mp3,blue,b\nabsent.wav,blue,b\n");
    let words = "embed sounds.csv --audio tiny-whisper --text tiny-bert --rows-of-a-group 1 --threads 1 --json";
    let vector = |options: &str| {
        let told = place.lsmi(&format!("{words} --on-error skip --force --out f.safetensors {options}")).success();
        let printed: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
        let rows = &read_with_keys(&place.path("f.safetensors"), &Keys::default()).unwrap().splits[0].features;
        let windows = printed["models"]["x1"]["preprocessing"]["windows"].as_str().unwrap().to_owned();
        (rows.x1.row(0).to_vec(), printed["truncated"].as_u64().unwrap(), windows)
    };
    let first = vector("");
    assert_eq!((first.1, first.2.as_str()), (2, "first"));
    assert_eq!(vector("--windows first"), first);
    let mean = vector("--windows mean");
    assert_eq!((mean.1, mean.2.as_str()), (0, "mean"));
    assert_ne!(mean.0, first.0);

    // It is a fact of the job.
    place.lsmi(&format!("{words} --out g.safetensors")).code(3);
    let message = stderr(&place.lsmi(&format!("{words} --windows mean --out g.safetensors")).code(2));
    assert!(message.contains("holds an unfinished job that differs") && message.contains("windows"), "{message}");
}
