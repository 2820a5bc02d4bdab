//! Models as their own files describe them, against the vectors that the libraries of their authors give.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::golden::shared;
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared, Prompt};
use lsmi_candle::embedding::encoders::{Config, Pooling, Weights, audio};
use lsmi_candle::embedding::hub::{Hub, HubConfig};
use lsmi_candle::embedding::manifests::{Asked, Modality, ModelError, Registry, Resolved, of_directory, resolve};
use lsmi_candle::embedding::preprocess::audio::{Audio, LogMelSettings};
use serde_json::Value;

/// The matrix of a `.npy` file of f32.
fn matrix(path: &Path) -> Vec<Vec<f32>> {
    let bytes = fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..start]).into_owned();
    assert!(header.contains("<f4") && header.contains("False"), "{header}");
    let columns: usize = header.split(['(', ')']).nth(1).unwrap().split(", ").nth(1).unwrap().parse().unwrap();
    let values: Vec<f32> =
        bytes[start..].chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    values.chunks_exact(columns).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// Asserts that every vector is nearly the expected one, in length too.
#[track_caller]
fn assert_alike(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        let cosine = cosine(found, expected);
        assert!(cosine > 0.9999, "{what}, row {row}: cosine {cosine}");
        let [length, wanted] = [found, expected].map(|x| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt());
        assert!((length / wanted - 1.0).abs() < 2e-3, "{what}, row {row}: length {length} instead of {wanted}");
    }
}

/// The column of a table whose last two columns have no quotes and commas.
fn column(table: &Path, place: usize) -> Vec<String> {
    let text = fs::read_to_string(table).unwrap();
    text.lines().skip(1).map(|line| line.split(',').nth(place).unwrap().to_owned()).collect()
}

/// Links the files of a folder, and of its folders, into another one.
fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            link(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

fn load(model: &Resolved, options: &Options) -> Embedder {
    Embedder::load(model, options, &Device::Cpu).unwrap()
}

fn embedded(embedder: &Embedder, inputs: &[Prepared]) -> Vec<Vec<f32>> {
    let vectors = embedder.embed(&inputs.iter().collect::<Vec<_>>()).unwrap();
    vectors.chunks_exact(embedder.width()).map(<[f32]>::to_vec).collect()
}

fn of_texts(model: &Resolved, options: &Options, texts: &[String]) -> Vec<Vec<f32>> {
    let embedder = load(model, options);
    embedded(&embedder, &texts.iter().map(|text| embedder.prepare_text(text).unwrap()).collect::<Vec<_>>())
}

fn of_files(model: &Resolved, options: &Options, files: &[PathBuf]) -> Vec<Vec<f32>> {
    let embedder = load(model, options);
    embedded(&embedder, &files.iter().map(|file| embedder.prepare_file(file).unwrap()).collect::<Vec<_>>())
}

fn pooling(text: &str) -> Options {
    Options { pooling: Some(text.parse().unwrap()), ..Options::default() }
}

/// The released MiniLM with the files of a folder laid over it.
fn overlay(folder: &Path, minilm: &Path) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    link(folder, place.path());
    fs::copy(minilm.join("model.safetensors"), place.path().join("model.safetensors")).unwrap();
    let read = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let mut tokenizer = read(minilm.join("tokenizer.json"));
    for (name, value) in read(folder.join("tokenizer_changes.json")).as_object().unwrap() {
        tokenizer[name] = value.clone();
    }
    fs::write(place.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    place
}

/// Poolings under both spellings, a layer, a prompt, and texts cut where the tokenizer says.
#[test]
fn sentence_encoders_give_what_their_library_gives() {
    let (Some(overlays), Some(minilm)) = (shared("field/encoders"), shared("models/minilm-l6-v2")) else { return };
    let texts = column(&overlays.join("texts.csv"), 1);
    for name in ["dense", "prompt", "resaved_cls", "tok_maxlen16"] {
        let place = overlay(&overlays.join(name), &minilm);
        let model = of_directory(place.path(), Asked::of(Modality::Text)).unwrap();
        let expected = matrix(&overlays.join(name).join("expected.npy"));
        assert_alike(&of_texts(&model, &Options::default(), &texts), &expected, name);
        if name == "prompt" {
            let named = Options { prompt: Prompt::Given("query".to_owned()), ..Options::default() };
            assert_alike(&of_texts(&model, &named, &texts), &expected, "the prompt by its name");
            let text = model.description.prompts.texts["query"].clone();
            let given = Options { prompt: Prompt::Given(text.clone()), ..Options::default() };
            assert_alike(&of_texts(&model, &given, &texts), &expected, "the prompt itself");
            let none = Options { prompt: Prompt::None, ..Options::default() };
            let put_before: Vec<String> = texts.iter().map(|row| format!("{text}{row}")).collect();
            assert_alike(&of_texts(&model, &none, &put_before), &expected, "the prompt in the texts");
            assert!(cosine(&of_texts(&model, &none, &texts)[0], &expected[0]) < 0.99);
        }
        let image = overlays.join("pic.png");
        assert!(image.is_file());
    }
}

/// Small checkpoints in directories that were misread or refused.
#[test]
fn checkpoints_give_what_their_library_gives() {
    let Some(folder) = shared("field/checkpoints") else { return };
    for (name, modality, options) in [
        ("st_max_ignored", Modality::Text, Options::default()),
        ("st_max_length", Modality::Text, Options::default()),
        ("v5_tower_names", Modality::Image, Options::default()),
        ("vit_pooler_act", Modality::Image, pooling("pooler")),
    ] {
        let folder = folder.join(name);
        let model = of_directory(&folder.join("model"), Asked::of(modality)).unwrap();
        let found = if modality == Modality::Text {
            let texts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("texts.json")).unwrap()).unwrap();
            of_texts(&model, &options, &texts)
        } else {
            let files = column(&folder.join("t.csv"), 1).into_iter().map(|file| folder.join(file)).collect::<Vec<_>>();
            of_files(&model, &options, &files)
        };
        assert_alike(&found, &matrix(&folder.join("expected.npy")), name);
    }
}

/// The convolutions keep their activation whatever the configuration says. The reference is over all 1,500 positions, of which
/// the sound of three seconds has 150: the vector is of these alone.
#[test]
fn whisper_leaves_padding_out_of_its_mean() {
    let Some(folder) = shared("field/checkpoints/whisper_conv_act") else { return };
    let settings = LogMelSettings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };
    let audio = Audio::decode("a16k.wav", fs::read(folder.join("a16k.wav")).unwrap(), 30.0).unwrap();
    let features = Tensor::from_vec(settings.prepare(&audio).unwrap(), (1, 80, 3000), &Device::Cpu).unwrap();
    let weights = Weights::read(&folder.join("model/model.safetensors"), DType::F32, &Device::Cpu).unwrap();
    let encoder = audio::load(&Config::read(&folder.join("model/config.json")).unwrap(), &weights).unwrap();
    let hidden = encoder.encode(&features, None).unwrap();
    let all = hidden.pool(Pooling::Mean).unwrap().to_vec2::<f32>().unwrap();
    assert_alike(&all, &matrix(&folder.join("expected.npy")), "all positions");

    let first = hidden.states.narrow(1, 0, 150).unwrap().mean(1).unwrap().to_vec2::<f32>().unwrap();
    let model = of_directory(&folder.join("model"), Asked::of(Modality::Audio)).unwrap();
    let files: Vec<PathBuf> = column(&folder.join("t.csv"), 1).iter().map(|file| folder.join(file)).collect();
    assert_alike(&of_files(&model, &Options::default(), &files), &first, "the positions of the sound");
}

#[test]
fn checkpoints_that_were_refused_are_read() {
    let Some(folder) = shared("field/checkpoints") else { return };
    let files = |name: &str| -> Vec<PathBuf> {
        column(&folder.join(name).join("t.csv"), 1).into_iter().map(|file| folder.join(name).join(file)).collect()
    };
    let of = |name: &str, modality| of_directory(&folder.join(name).join("model"), Asked::of(modality)).unwrap();
    let clip = of_files(&of("processor_config", Modality::Image), &Options::default(), &files("processor_config"));
    assert_eq!((clip.len(), clip[0].len()), (3, 20));
    let texts = ["A quick brown fox".to_owned(), "two".to_owned()];
    assert_eq!(of_texts(&of("processor_config", Modality::Text), &Options::default(), &texts)[1].len(), 20);
    let audio = of_files(&of("whisper_classifier", Modality::Audio), &Options::default(), &files("whisper_classifier"));
    assert_eq!((audio.len(), audio[0].len()), (1, 32));
    let long = ["a b c d e f g h ".repeat(250)];
    assert_eq!(of_texts(&of("modernbert_memory", Modality::Text), &Options::default(), &long)[0].len(), 96);
}

/// A copy of a cache, as whoever reads it pins what is there.
fn cache(folder: &Path) -> (tempfile::TempDir, Hub) {
    let place = tempfile::tempdir().unwrap();
    link(folder, place.path());
    for name in ["lsmi-models.lock", "lsmi-models.guard"] {
        fs::remove_file(place.path().join(name)).unwrap();
    }
    let config = HubConfig::from_variables(|_| None, Some(place.path())).unwrap();
    let lock = place.path().join("lsmi-models.lock");
    let hub = Hub::new(HubConfig { offline: true, cache: place.path().to_owned(), lock, ..config });
    (place, hub)
}

fn cached(hub: &Hub, asked: Asked) -> Result<Resolved, ModelError> {
    resolve("org/m", asked, &Registry::built_in().unwrap(), hub, &mut |_| ())
}

#[test]
fn a_cache_is_read_as_a_directory_is() {
    let Some(folder) = shared("field/checkpoints") else { return };
    let snapshot = |name: &str| {
        let snapshots = fs::read_dir(folder.join(name).join("cache/models--org--m/snapshots")).unwrap();
        snapshots.into_iter().next().unwrap().unwrap().path()
    };
    let (roberta, hub) = cache(&folder.join("hub_roberta/cache"));
    let asked = Asked::of(Modality::Text);
    let texts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("hub_roberta/texts.json")).unwrap()).unwrap();
    let found = of_texts(&cached(&hub, asked).unwrap(), &Options::default(), &texts);
    let directory = of_directory(&snapshot("hub_roberta"), asked).unwrap();
    assert_eq!(found, of_texts(&directory, &Options::default(), &texts));
    // Another client that asked for files one by one, and not for this one.
    let notes = roberta.path().join("models--org--m/.no_exist/db617e140ad44088354805d0c5a0a92cb4dd1c82");
    fs::create_dir_all(&notes).unwrap();
    let message = cached(&hub, asked).unwrap_err().to_string();
    assert!(message.contains("there is no modules.json") && message.contains("choose a pooling"), "{message}");
    fs::write(notes.join("modules.json"), "").unwrap();
    assert!(cached(&hub, asked).is_ok());

    let (_clip, hub) = cache(&folder.join("hub_clip_vision/cache"));
    let asked = Asked::of(Modality::Image);
    let files: Vec<PathBuf> =
        ["p0.png", "p1.png", "p2.png"].iter().map(|file| folder.join("hub_clip_vision").join(file)).collect();
    let found = of_files(&cached(&hub, asked).unwrap(), &Options::default(), &files);
    let directory = of_directory(&snapshot("hub_clip_vision"), asked).unwrap();
    assert_eq!(found, of_files(&directory, &Options::default(), &files));
    assert_eq!(found[0].len(), 20);
}

/// Part of a sentence encoder is not taken for another model, unless the user says what is to be done.
#[test]
fn part_of_a_sentence_encoder_is_refused() {
    let Some(folder) = shared("field/checkpoints") else { return };
    let (_place, hub) = cache(&folder.join("partial_cache/cache"));
    let asked = Asked::of(Modality::Text);
    let message = cached(&hub, asked).unwrap_err().to_string();
    assert!(message.contains("there is no modules.json; 2_Normalize is part of a sentence encoder"), "{message}");
    let chosen = Asked { pooling_is_chosen: true, ..asked };
    let texts: Vec<String> =
        serde_json::from_slice(&fs::read(folder.join("partial_cache/texts.json")).unwrap()).unwrap();
    let options = Options { normalize: Some(true), ..pooling("cls") };
    let found = of_texts(&cached(&hub, chosen).unwrap(), &options, &texts);
    assert_alike(&found, &matrix(&folder.join("partial_cache/expected.npy")), "partial_cache");
}
