//! `models/manifest.schema.json` accepts what the reader of manifests accepts, and knows the same fields.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lsmi_candle::embedding::manifests::{Architecture, Manifest};
use serde_json::{Value, json};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(models().join("manifest.schema.json")).unwrap()).unwrap()
}

/// The manifests of `models/`, by their names.
fn manifests() -> Vec<(String, toml::Table)> {
    let paths = fs::read_dir(models()).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, toml::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    let mut manifests: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).map(read).collect();
    manifests.sort_by(|one, other| one.0.cmp(&other.0));
    manifests
}

/// Whether a value is what a part of the schema describes. It panics at a keyword that it does not know, so that none is
/// taken for fulfilled.
fn is_valid(schema: &Value, root: &Value, value: &Value) -> bool {
    let number = |limit: &Value| limit.as_f64().unwrap();
    let length = |limit: &Value| usize::try_from(limit.as_u64().unwrap()).unwrap();
    schema.as_object().unwrap().iter().all(|(keyword, expected)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => is_valid(root.pointer(expected.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), root, value),
        "type" => match expected.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("the type {other}"),
        },
        "enum" => expected.as_array().unwrap().contains(value),
        "const" => expected == value,
        "required" => {
            let names = expected.as_array().unwrap();
            names.iter().all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "properties" => {
            let parts = expected.as_object().unwrap();
            parts.iter().all(|(name, part)| value.get(name).is_none_or(|value| is_valid(part, root, value)))
        }
        "additionalProperties" if expected.is_object() => {
            assert!(schema.get("properties").is_none());
            value.as_object().is_none_or(|fields| fields.values().all(|value| is_valid(expected, root, value)))
        }
        "propertyNames" => {
            value.as_object().is_none_or(|fields| fields.keys().all(|name| is_valid(expected, root, &json!(name))))
        }
        "maxProperties" => value.as_object().is_none_or(|fields| fields.len() <= length(expected)),
        "dependentRequired" => expected.as_object().unwrap().iter().all(|(name, needed)| {
            let needed = needed.as_array().unwrap();
            value.get(name).is_none() || needed.iter().all(|other| value.get(other.as_str().unwrap()).is_some())
        }),
        "additionalProperties" => {
            assert_eq!(expected, &json!(false));
            let known = schema["properties"].as_object().unwrap();
            value.as_object().is_none_or(|fields| fields.keys().all(|name| known.contains_key(name)))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(expected, root, item))),
        "contains" => value.as_array().is_none_or(|items| items.iter().any(|item| is_valid(expected, root, item))),
        "minItems" => value.as_array().is_none_or(|items| items.len() >= length(expected)),
        "maxItems" => value.as_array().is_none_or(|items| items.len() <= length(expected)),
        "minimum" => value.as_f64().is_none_or(|found| found >= number(expected)),
        "maximum" => value.as_f64().is_none_or(|found| found <= number(expected)),
        "exclusiveMinimum" => value.as_f64().is_none_or(|found| found > number(expected)),
        "pattern" => {
            let pattern = fancy_regex::Regex::new(expected.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text).unwrap())
        }
        "oneOf" => expected.as_array().unwrap().iter().filter(|part| is_valid(part, root, value)).count() == 1,
        other => panic!("the keyword {other}"),
    })
}

fn is_accepted_by_schema(schema: &Value, manifest: &toml::Table) -> bool {
    is_valid(schema, schema, &serde_json::to_value(manifest).unwrap())
}

fn is_accepted_by_reader(manifest: &toml::Table) -> bool {
    Manifest::parse(&toml::to_string(manifest).unwrap(), "manifest.toml").is_ok()
}

#[test]
fn every_manifest_is_accepted() {
    let schema = schema();
    assert!(manifests().len() > 10);
    for (name, manifest) in manifests() {
        assert!(is_accepted_by_schema(&schema, &manifest) && is_accepted_by_reader(&manifest), "{name}");
    }
}

/// The fields that the reader knows are those that it lists where it finds one that it does not know.
#[test]
fn schema_and_reader_know_the_same_fields() {
    let schema = schema();
    for (modality, name) in [
        ("text", "minilm-l6-v2"),
        ("image", "clip-vit-b32-image"),
        ("audio", "whisper-tiny"),
        ("waveform", "wav2vec2-base-960h"),
        ("filter-bank", "ast-audioset"),
        ("clap", "clap-htsat-fused-audio"),
        ("clips", "imagebind-huge-audio"),
        ("video", "imagebind-huge-video"),
    ] {
        let (_, manifest) = manifests().into_iter().find(|(found, _)| found == name).unwrap();
        let tables: [(&str, &Value); 3] =
            [("", &schema), ("preprocessing", &schema["$defs"][modality]), ("files", &schema["$defs"]["file"])];
        for (table, of_schema) in tables {
            let expected: BTreeSet<String> = of_schema["properties"].as_object().unwrap().keys().cloned().collect();
            let mut wrong = manifest.clone();
            at(&mut wrong, table).insert("unheard-of".to_owned(), 1.into());
            let message = Manifest::parse(&toml::to_string(&wrong).unwrap(), "x").unwrap_err().to_string();
            let listed = message.split("expected").nth(1).unwrap_or_else(|| panic!("{message}"));
            let mut known: BTreeSet<String> = listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            // What is read before the others, to know which table it is, and by tables with another one in them.
            let first: &[&str] = match modality {
                "clips" => &["kind", "clips", "seconds"],
                "video" if table == "preprocessing" => &["clips", "frames", "seconds"],
                _ if expected.contains("kind") => &["kind"],
                _ => &[],
            };
            known.extend(first.iter().filter(|_| table == "preprocessing").map(|name| (*name).to_owned()));
            assert_eq!(known, expected, "{modality}: {table}");

            // What one calls needed, the other does.
            for field in &expected {
                let mut without = manifest.clone();
                if at(&mut without, table).remove(field).is_some() {
                    let accepted = (is_accepted_by_schema(&schema, &without), is_accepted_by_reader(&without));
                    assert_eq!(accepted.0, accepted.1, "{modality}: {table} without {field}");
                }
            }
        }
    }
}

/// The table of a manifest that has this name; of a list, the first.
fn at<'m>(manifest: &'m mut toml::Table, name: &str) -> &'m mut toml::Table {
    if name.is_empty() {
        return manifest;
    }
    match manifest.get_mut(name).unwrap() {
        toml::Value::Table(table) => table,
        toml::Value::Array(tables) => tables[0].as_table_mut().unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list")]
fn a_wrong_manifest_is_refused_by_both() {
    let schema = schema();
    let find = |name: &str| manifests().into_iter().find(|(found, _)| found == name).unwrap().1;
    let [text, image, audio] = ["minilm-l6-v2", "clip-vit-b32-image", "whisper-tiny"].map(find);
    let [bank, clap, waveform] = ["ast-audioset", "clap-htsat-unfused-audio", "wav2vec2-base-960h"].map(find);
    let [clips, video] = ["imagebind-huge-audio", "imagebind-huge-video"].map(find);
    let three = |values: [f64; 3]| toml::Value::from(values.to_vec());
    let prompt = |name: &str, text: toml::Value| toml::Value::from(toml::Table::from_iter([(name.to_owned(), text)]));
    let mut prompted = text.clone();
    prompted.insert("prompts".to_owned(), prompt("query", "query: ".into()));
    prompted.insert("default_prompt".to_owned(), "query".into());
    assert!(is_accepted_by_schema(&schema, &prompted) && is_accepted_by_reader(&prompted));
    let wrong: Vec<(&toml::Table, &str, &str, toml::Value)> = vec![
        (&text, "", "name", "Upper case".into()),
        (&text, "", "name", ".hidden".into()),
        (&text, "", "repository", "no-organisation".into()),
        (&text, "", "repository", "a/b/c".into()),
        (&text, "", "revision", "main".into()),
        (&text, "", "modality", "smell".into()),
        (&text, "", "modality", "image".into()),
        (&text, "", "architecture", "mamba!".into()),
        (&text, "", "embedding_width", 0.into()),
        (&text, "", "embedding_width", "384".into()),
        (&text, "", "pooling", "median".into()),
        (&text, "", "pooling", "cls+".into()),
        (&text, "", "normalize", "yes".into()),
        (&text, "", "licence", "".into()),
        (&text, "", "citation", Vec::<String>::new().into()),
        (&text, "", "licence", " ".into()),
        (&text, "", "citation", vec![" "].into()),
        (&text, "", "files", Vec::<toml::Table>::new().into()),
        (&text, "", "prompts", "query: ".into()),
        (&text, "", "prompts", prompt("query", 1.into())),
        (&text, "", "prompts", prompt("two words", "query: ".into())),
        (&text, "", "prompts", prompt("", "query: ".into())),
        (&text, "", "default_prompt", "query".into()),
        (&prompted, "", "default_prompt", 1.into()),
        (&image, "", "prompts", prompt("query", "query: ".into())),
        (&audio, "", "prompts", prompt("query", "query: ".into())),
        (&text, "files", "path", "../config.json".into()),
        (&text, "files", "path", "/config.json".into()),
        (&text, "files", "path", "a/../b.json".into()),
        (&text, "files", "path", "a//b.json".into()),
        (&text, "files", "path", "c:b.json".into()),
        (&text, "files", "bytes", 0.into()),
        (&text, "files", "sha256", "XYZ".into()),
        (&text, "preprocessing", "max_tokens", 0.into()),
        (&text, "preprocessing", "max_tokens", 1.5.into()),
        (&image, "preprocessing", "resize", "squeeze".into()),
        (&image, "preprocessing", "resize_to", 0.into()),
        (&image, "preprocessing", "resize_to", 8193.into()),
        (&image, "preprocessing", "filter", "nearest".into()),
        (&image, "preprocessing", "size", 0.into()),
        (&image, "preprocessing", "mean", vec![0.5, 0.5].into()),
        (&image, "preprocessing", "std", three([0.5, 0.5, 0.0])),
        (&audio, "preprocessing", "sample_rate", 999.into()),
        (&audio, "preprocessing", "sample_rate", 768_001.into()),
        (&audio, "preprocessing", "seconds", 0.0.into()),
        (&audio, "preprocessing", "seconds", 3601.0.into()),
        (&audio, "preprocessing", "mel_bins", 0.into()),
        (&audio, "preprocessing", "mel_bins", 1025.into()),
        (&audio, "preprocessing", "window", 1.into()),
        (&audio, "preprocessing", "window", 65_537.into()),
        (&audio, "preprocessing", "hop", 0.into()),
        (&bank, "preprocessing", "kind", "clap".into()),
        (&bank, "preprocessing", "mel_bins", 3.into()),
        (&bank, "preprocessing", "frames", 0.into()),
        (&bank, "preprocessing", "mean", "low".into()),
        (&bank, "preprocessing", "std", 0.0.into()),
        (&clap, "preprocessing", "kind", "filter-bank".into()),
        (&clap, "preprocessing", "seconds", 601.0.into()),
        (&clap, "preprocessing", "lowest", (-1.0).into()),
        (&clap, "preprocessing", "highest", 0.0.into()),
        (&clap, "preprocessing", "filling", "mirror".into()),
        (&clap, "preprocessing", "fusion", "yes".into()),
        (&clips, "preprocessing", "clips", 0.into()),
        (&clips, "preprocessing", "seconds", 3601.0.into()),
        (&clips, "preprocessing", "std", 0.0.into()),
        (&video, "preprocessing", "clips", 0.into()),
        (&video, "preprocessing", "frames", 0.into()),
        (&video, "preprocessing", "seconds", 0.0.into()),
        (&video, "preprocessing", "size", 0.into()),
        (&video, "preprocessing", "speed", 2.into()),
        (&text, "files", "from", "org/model".into()),
        (&text, "files", "from", "org/model@main".into()),
        (&audio, "preprocessing", "kind", "waveform".into()),
        (&waveform, "preprocessing", "kind", "log-mel".into()),
        (&waveform, "preprocessing", "kind", "wave".into()),
        (&waveform, "preprocessing", "sample_rate", 999.into()),
        (&waveform, "preprocessing", "seconds", 0.05.into()),
        (&waveform, "preprocessing", "seconds", 301.0.into()),
        (&waveform, "preprocessing", "normalize", 1.into()),
        (&waveform, "preprocessing", "hop", 160.into()),
    ];
    for (manifest, table, field, value) in wrong {
        let mut changed = manifest.clone();
        at(&mut changed, table).insert(field.to_owned(), value.clone());
        assert!(!is_accepted_by_schema(&schema, &changed), "the schema accepts {table} {field} = {value}");
        assert!(!is_accepted_by_reader(&changed), "the reader accepts {table} {field} = {value}");
    }
    let mut without_weights = text;
    let toml::Value::Array(files) = without_weights.get_mut("files").unwrap() else { panic!("no list") };
    files.retain(|file| !file["path"].as_str().unwrap().ends_with(".safetensors"));
    assert!(!is_accepted_by_schema(&schema, &without_weights) && !is_accepted_by_reader(&without_weights));
}

#[test]
fn the_architectures_are_those_that_are_built_in() {
    let listed = schema()["properties"]["architecture"]["enum"].clone();
    assert_eq!(listed, json!(Architecture::ALL.iter().map(|known| known.name()).collect::<Vec<_>>()));
}
