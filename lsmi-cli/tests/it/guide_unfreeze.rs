//! `guide align --unfreeze`: the last blocks of two encoders trained with the heads, on the inputs of a table.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::embed::PREPROCESSOR;
use crate::place::{Place, stderr};

const ROWS: u32 = 60;

/// Options of a comparison that takes no time.
const QUICK: &str = "--seeds 1 --folds 2 --epochs 3 --width 8";
const TRAINED: &str = "--table table.csv --image tiny-vit --text tiny-bert";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-candle/tests/fixtures/encoders")
}

/// A tokenizer of padding, what is unknown, and a word for each row.
fn tokenizer() -> String {
    let words = (0..ROWS).map(|row| (format!("word{row}"), json!(row + 2)));
    let vocabulary: serde_json::Map<String, Value> =
        [("[PAD]".to_owned(), json!(0)), ("[UNK]".to_owned(), json!(1))].into_iter().chain(words).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocabulary},
    })
    .to_string()
}

/// Three models, a table of pictures and texts of two classes, and its features.
fn prepared() -> Place {
    let place = Place::new();
    let (tokenizer, preprocessor) = (tokenizer(), PREPROCESSOR.to_owned());
    for (model, name, further) in [
        ("tiny-vit", "preprocessor_config.json", &preprocessor),
        ("tiny-convnext", "preprocessor_config.json", &preprocessor),
        ("tiny-bert", "tokenizer.json", &tokenizer),
    ] {
        fs::create_dir(place.path(model)).unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::copy(fixtures().join(model).join(file), place.path(model).join(file)).unwrap();
        }
        place.write(&format!("{model}/{name}"), further);
    }
    let mut table = "id,image,text,label\n".to_owned();
    for row in 0..ROWS {
        let shade = |times: u32| u8::try_from(row * times % 256).unwrap();
        let picture = RgbImage::from_fn(32, 32, |x, y| {
            Rgb([shade(37), if x < row / 2 { 255 } else { shade(91) }, if row % 2 == 1 && y < 16 { 255 } else { 0 }])
        });
        picture.save(place.path(&format!("{row}.png"))).unwrap();
        let kind = if row % 2 == 1 { "odd" } else { "even" };
        let text = (0..=row % 3).map(|more| format!("word{}", (row + 7 * more) % ROWS)).collect::<Vec<_>>().join(" ");
        writeln!(table, "row{row},{row}.png,{text},{kind}").unwrap();
    }
    place.write("table.csv", &table);
    place.lsmi("embed table.csv --image tiny-vit --text tiny-bert --out features.safetensors --quiet").success();
    place
}

#[test]
fn the_last_blocks_of_two_encoders_are_trained() {
    let place = prepared();
    let words = format!("guide align features.safetensors --unfreeze 1 {TRAINED} {QUICK}");
    // In another order: rows are found by their ids.
    let table = place.text("table.csv");
    let (head, rows) = table.split_once('\n').unwrap();
    let reversed: Vec<&str> = rows.lines().rev().collect();
    place.write("table.csv", format!("{head}\n{}\nmore,none.png,,odd\n", reversed.join("\n")));

    let told = place.lsmi(&format!("{words} --out found --json")).success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("found/align.json"));
    let unfrozen = &printed["unfrozen"];
    assert_eq!((&unfrozen["blocks"], &unfrozen["rate"]), (&json!([1, 1]), &json!(1e-4)));
    for (model, name) in unfrozen["models"].as_array().unwrap().iter().zip(["tiny-vit", "tiny-bert"]) {
        assert!(model["model"].as_str().unwrap().ends_with(name), "{model}");
        assert_eq!(model["weights"].as_str().unwrap().len(), 64);
        assert!(model["parameters"].as_u64().unwrap() > 1000, "{model}");
        // The features in DATA are those of the encoders, to rounding.
        assert!(model["difference"].as_f64().unwrap() < 1e-4, "{model}");
    }
    let text = stderr(&told);
    for expected in ["Heads and the last 1 and 1 blocks of encoders trained", "before training", "r high over r low"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("note: x1"), "{text}");

    let part = |found: &Value, name: &str, figure: &str| {
        let parts = found["parts"].as_array().unwrap();
        parts.iter().find(|part| part["part"] == name).unwrap()["figures"][figure]["mean"].as_f64().unwrap()
    };
    // What is not trained is as it was: probes are of the encoders.
    assert_eq!(part(&printed, "untrained", "probe_change_x1"), 0.0);

    // The same seed gives the same bytes on other threads, and heads alone give others.
    place.lsmi(&format!("{words} --out again --threads 2 --quiet")).success();
    assert_eq!(place.text("found/align.json"), place.text("again/align.json"));
    place.lsmi(&format!("guide align features.safetensors {QUICK} --out heads --quiet")).success();
    let heads = place.json("heads/align.json");
    assert!(heads.get("unfrozen").is_none());
    assert_ne!(heads["runs"], printed["runs"]);

    // Features of another encoder are told.
    place.lsmi("embed table.csv --image tiny-vit --text tiny-bert --pooling max --on-error skip --out other.safetensors --quiet").success();
    let told = place.lsmi(&format!("{} --out other", words.replace("features", "other"))).success();
    assert!(stderr(&told).contains("note: x1 of DATA has other values"), "{}", stderr(&told));
}

#[test]
fn what_cannot_be_trained_or_found_is_refused() {
    let place = prepared();
    place.write("without_ids.csv", place.text("table.csv").replace("id,image", "name,image"));
    place.write("short.csv", place.text("table.csv").lines().take(8).collect::<Vec<_>>().join("\n"));
    place.write("no_picture.csv", place.text("table.csv").replace(",9.png,", ",missing.png,"));
    let embed = "embed without_ids.csv --image tiny-vit --text tiny-bert --out without_ids.safetensors --quiet";
    place.lsmi(embed).success();
    for (words, code, expected) in [
        (format!("features.safetensors --unfreeze 3 {TRAINED}"), 2, "ask for 1 to 2"),
        (format!("features.safetensors {TRAINED}"), 2, "--unfreeze"),
        ("features.safetensors --unfreeze 1 --image tiny-vit --text tiny-bert".to_owned(), 2, "--table"),
        (
            "features.safetensors --unfreeze 1 --table table.csv --image tiny-vit".to_owned(),
            2,
            "two encoders, but one is named",
        ),
        (
            "features.safetensors --unfreeze 1 --table table.csv --image tiny-convnext --text tiny-bert".to_owned(),
            2,
            "`convnext`, whose blocks cannot be trained on pictures; those that can: clip, vit, dinov2",
        ),
        (format!("features.safetensors --unfreeze 1 {}", TRAINED.replace("table.csv", "without_ids.csv")), 3, "`id`"),
        (
            format!("features.safetensors --unfreeze 1 {}", TRAINED.replace("table.csv", "short.csv")),
            3,
            "no row has the id `row7`",
        ),
        (
            format!("features.safetensors --unfreeze 1 {}", TRAINED.replace("table.csv", "no_picture.csv")),
            3,
            "row 10 (id `row9`): missing.png",
        ),
        (format!("without_ids.safetensors --unfreeze 1 {TRAINED}"), 3, "the samples have no ids"),
    ] {
        let refusal = place.lsmi(&format!("guide align {words} --quiet --out found")).failure().code(code);
        assert!(stderr(&refusal).contains(expected), "{words}: {}", stderr(&refusal));
    }
    assert!(!place.path("found").exists());
}
