//! Models whose last blocks are trained, from their files to vectors.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::golden::Fixture;
use candle_core::{Device, Tensor};
use lsmi_candle::embedding::embedder::{EmbedError, Embedder, Options, Prepared, Prompt, Trainable};
use lsmi_candle::embedding::encoders::{EncoderError, Modality};
use lsmi_candle::embedding::manifests::{Asked, Resolved, of_directory};

const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2, "blue": 3, "square": 4, "circle": 5, "a": 6}}}"#;

const MODULES: &str = r#"[
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}]"#;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn copied(name: &str, directory: &Path) {
    for file in ["config.json", "model.safetensors"] {
        fs::copy(Fixture::tiny(name).folder.join(file), directory.join(file)).unwrap();
    }
}

/// A sentence encoder of two blocks, a layer after the pooling, and a normalisation.
fn sentence_encoder(directory: &Path) -> Resolved {
    copied("tiny-bert", directory);
    write(
        directory,
        &[
            ("tokenizer.json", TOKENIZER),
            ("modules.json", MODULES),
            ("1_Pooling/config.json", r#"{"word_embedding_dimension": 32, "pooling_mode_mean_tokens": true}"#),
            ("2_Dense/config.json", r#"{"in_features": 32, "out_features": 6, "bias": true}"#),
        ],
    );
    let of = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|index| (index as f32 * 0.7).sin() / 4.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    };
    let dense = HashMap::from([("linear.weight".to_owned(), of(&[6, 32])), ("linear.bias".to_owned(), of(&[6]))]);
    candle_core::safetensors::save(&dense, directory.join("2_Dense/model.safetensors")).unwrap();
    of_directory(directory, Asked::of(Modality::Text)).unwrap()
}

fn prepared(embedder: &Embedder) -> Vec<Prepared> {
    let texts = ["a red square", "blue", "a blue circle a red circle"];
    texts.iter().map(|text| embedder.prepare_text(text).unwrap()).collect()
}

#[test]
fn vectors_begin_as_those_of_the_embedder_and_move_with_every_weight() {
    let directory = tempfile::tempdir().unwrap();
    let model = sentence_encoder(directory.path());
    let options = Options { prompt: Prompt::Given("a red ".to_owned()), ..Options::default() };
    for blocks in [1, 2] {
        let trainable = Trainable::load(&model, &options, blocks, &Device::Cpu).unwrap();
        let inputs = prepared(trainable.embedder());
        let inputs: Vec<&Prepared> = inputs.iter().collect();
        let expected = trainable.embedder().embed(&inputs).unwrap();
        let entries = trainable.enter(&inputs).unwrap();
        // In another order, so that padding is elsewhere.
        let tail = trainable.tail().unwrap();
        let vectors = tail.embed(&[&entries[2], &entries[0], &entries[1]]).unwrap();
        let found = vectors.to_vec2::<f32>().unwrap();
        for (row, place) in [2, 0, 1].into_iter().enumerate() {
            for (found, expected) in found[row].iter().zip(&expected[place * 6..]) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
        let variables = tail.variables();
        assert!(variables.contains_key("2_Dense/linear.weight"));
        assert!(variables.contains_key("encoder.layer.1.output.dense.weight"), "{:?}", variables.keys());
        assert_eq!(variables.contains_key("encoder.layer.0.output.dense.weight"), blocks == 2);
        // The pooling is not that of the pooler.
        assert!(!variables.keys().any(|name| name.contains("pooler")));
        assert_eq!(tail.parameters(), variables.values().map(|variable| variable.elem_count()).sum::<usize>());
        let first = vectors.narrow(1, 0, 1).unwrap().sum_all().unwrap().backward().unwrap();
        for (name, variable) in variables {
            assert!(first.get(variable.as_tensor()).is_some(), "{name}");
        }
        // Another training has weights of its own.
        let weight = &variables["2_Dense/linear.weight"];
        weight.set(&weight.zeros_like().unwrap()).unwrap();
        let other = trainable.tail().unwrap().embed(&[&entries[2]]).unwrap().to_vec2::<f32>().unwrap();
        assert!((other[0][0] - expected[12]).abs() < 1e-5);
    }
}

#[test]
fn what_cannot_be_trained_is_refused_before_it_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let model = sentence_encoder(directory.path());
    let error = Trainable::load(&model, &Options::default(), 3, &Device::Cpu).err().unwrap();
    assert!(matches!(error, EmbedError::Encoder(EncoderError::Blocks { asked: 3, found: 2 })), "{error}");

    let other = tempfile::tempdir().unwrap();
    copied("tiny-modernbert", other.path());
    write(other.path(), &[("tokenizer.json", TOKENIZER)]);
    let model = of_directory(other.path(), Asked::of(Modality::Text)).unwrap();
    let error = Trainable::load(&model, &Options::default(), 1, &Device::Cpu).err().unwrap();
    assert!(matches!(error, EmbedError::Encoder(EncoderError::NotTrainable { .. })), "{error}");
}
