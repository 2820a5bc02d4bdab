//! Checkpoints that are not as they should be: each is refused with an error that says what is wrong and where.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

mod golden;

use std::fs;

use candle_core::{DType, Device, Tensor};
use golden::{Fixture, difference};
use lsmi_candle::encoders::tokens::{TextSettings, Tokenizer};
use lsmi_candle::encoders::{Config, EncoderError, Hidden, Pooling, Result, TextEncoder, Weights, text};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// The weights of the tiny BERT with tensors renamed, dropped (where `rename` gives none) and added.
fn changed(rename: impl Fn(&str) -> Option<String>, added: &[&str]) -> Vec<u8> {
    let bytes = fs::read(Fixture::tiny("tiny-bert").folder.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut kept: Vec<(String, TensorView<'_>)> =
        tensors.iter().filter_map(|(name, view)| Some((rename(name)?, view))).collect();
    let spare = tensors.tensor("pooler.dense.bias").unwrap();
    kept.extend(added.iter().map(|name| ((*name).to_owned(), spare.clone())));
    safetensors::serialize(kept, None).unwrap()
}

fn whole() -> Vec<u8> {
    changed(|name| Some(name.to_owned()), &[])
}

fn weights(bytes: Vec<u8>) -> Result<Weights> {
    Weights::from_bytes(vec![("model.safetensors".to_owned(), bytes)], DType::F32, &Device::Cpu)
}

fn load(bytes: Vec<u8>) -> Result<Box<dyn TextEncoder>> {
    text::load(&Fixture::tiny("tiny-bert").config("config.json"), &weights(bytes)?)
}

/// The error of a loading that must fail.
fn refused<T>(result: Result<T>) -> EncoderError {
    result.err().unwrap()
}

/// The tiny BERT with a field of its configuration changed.
fn with_field(name: &str, value: serde_json::Value) -> Result<Box<dyn TextEncoder>> {
    let text = fs::read_to_string(Fixture::tiny("tiny-bert").folder.join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config[name] = value;
    text::load(&Config::parse("config.json", &config.to_string())?, &weights(whole())?)
}

fn encode(model: &dyn TextEncoder) -> Hidden {
    let fixture = Fixture::tiny("tiny-bert");
    model.encode(&fixture.whole("input_ids"), &fixture.whole("attention_mask"), None).unwrap()
}

#[test]
fn other_spellings_of_names_are_the_same_model() {
    let expected = encode(&*load(whole()).unwrap());
    let renamed = changed(
        |name| {
            let name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
            Some(format!("bert.{name}"))
        },
        &["cls.predictions.bias", "bert.embeddings.position_ids"],
    );
    assert_eq!(difference(&encode(&*load(renamed).unwrap()).states, &expected.states), 0.0);
    // Without the pooler it is the same, but for the pooling.
    let body = changed(|name| (!name.starts_with("pooler.")).then(|| name.to_owned()), &[]);
    let hidden = encode(&*load(body).unwrap());
    assert_eq!(difference(&hidden.states, &expected.states), 0.0);
    assert!(matches!(refused(hidden.pool(Pooling::Pooler)), EncoderError::Pooling { .. }));
}

#[test]
fn a_missing_tensor_is_named() {
    let lost = "encoder.layer.1.output.dense.weight";
    match refused(load(changed(|name| (name != lost).then(|| name.to_owned()), &[]))) {
        EncoderError::MissingTensor { file, tensor, expected } => {
            assert_eq!((file.as_str(), tensor.as_str()), ("model.safetensors", lost));
            assert_eq!(expected, [32, 64]);
        }
        other => unreachable!("{other}"),
    }
}

#[test]
fn tensors_that_nobody_asked_for_are_named() {
    let extra = ["encoder.layer.2.output.dense.bias", "adapter.bias"];
    match refused(load(changed(|name| Some(name.to_owned()), &extra))) {
        EncoderError::ExtraTensors { tensors, .. } => assert_eq!(tensors, [extra[1], extra[0]]),
        other => unreachable!("{other}"),
    }
    // A configuration of fewer layers than the file has would compute another model.
    assert!(matches!(refused(with_field("num_hidden_layers", 1.into())), EncoderError::ExtraTensors { .. }));
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    let error = refused(with_field("intermediate_size", 65.into()));
    assert_eq!(
        error.to_string(),
        "the tensor `encoder.layer.0.intermediate.dense.weight` of model.safetensors has shape [64, 32], but the \
         configuration says [65, 32]: the two files are not of the same model"
    );
}

#[test]
fn fields_that_cannot_be_used_are_named() {
    for (field, value) in [
        ("hidden_size", "wide".into()),
        ("num_hidden_layers", 0.into()),
        ("hidden_act", "mish".into()),
        ("position_embedding_type", "relative_key".into()),
        ("vocab_size", serde_json::Value::Null),
    ] {
        match refused(with_field(field, value)) {
            EncoderError::Field { file, field: found, .. } => {
                assert_eq!((file.as_str(), found.as_str()), ("config.json", field));
            }
            other => unreachable!("{other}"),
        }
    }
    let error = refused(with_field("num_attention_heads", 5.into()));
    assert!(error.to_string().contains("a divisor of the width 32, but is 5"), "{error}");
    let error = refused(with_field("model_type", "gpt2".into())).to_string();
    assert!(error.contains("`gpt2`") && error.contains("modernbert"), "{error}");
}

#[test]
fn damaged_files_are_refused() {
    let good = whole();
    let header = u64::from_le_bytes(good[..8].try_into().unwrap());
    let lying = |size: u64| [&size.to_le_bytes(), &good[8..]].concat();
    let cut = |length: usize| good[..length].to_vec();
    let overrun = {
        let text = String::from_utf8_lossy(&good[8..8 + usize::try_from(header).unwrap()]).into_owned();
        // Offsets that overflow when they are added up.
        let text = text.replacen("\"shape\":[32]", "\"shape\":[9223372036854775807]", 1);
        [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &good[8 + usize::try_from(header).unwrap()..]].concat()
    };
    for bytes in [
        Vec::new(),
        cut(7),
        cut(100),
        cut(good.len() - 1),
        lying(u64::MAX),
        lying(good.len() as u64),
        lying(header - 1),
        overrun,
        b"version https://git-lfs.github.com/spec/v1".to_vec(),
    ] {
        let error = refused(weights(bytes));
        assert!(matches!(error, EncoderError::Format { .. }) && error.to_string().contains("model.safetensors"));
    }
}

#[test]
fn a_checkpoint_in_several_files_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let second = |name: &str| name.starts_with("encoder.layer.1.");
    let shards = [
        ("model-00001-of-00002.safetensors", changed(|name| (!second(name)).then(|| name.to_owned()), &[])),
        ("model-00002-of-00002.safetensors", changed(|name| second(name).then(|| name.to_owned()), &[])),
    ];
    for (name, bytes) in &shards {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(&index, format!(r#"{{"weight_map": {{"a": "{}", "b": "{}"}}}}"#, shards[0].0, shards[1].0)).unwrap();
    let config = Fixture::tiny("tiny-bert").config("config.json");
    let read = || Weights::read(&index, DType::F32, &Device::Cpu);
    let model = text::load(&config, &read().unwrap()).unwrap();
    assert_eq!(difference(&encode(&*model).states, &encode(&*load(whole()).unwrap()).states), 0.0);

    let files = vec![("one".to_owned(), whole()), ("two".to_owned(), shards[1].1.clone())];
    let error = refused(Weights::from_bytes(files, DType::F32, &Device::Cpu)).to_string();
    assert!(error.contains("one") && error.contains("again in two"), "{error}");

    fs::remove_file(folder.path().join(shards[1].0)).unwrap();
    let error = refused(read());
    assert!(matches!(&error, EncoderError::Read { file, .. } if file.ends_with(shards[1].0)));
    // A list that points out of its folder is not followed.
    fs::write(&index, r#"{"weight_map": {"a": "../elsewhere.safetensors"}}"#).unwrap();
    assert!(matches!(refused(read()), EncoderError::Field { .. }));
}

#[test]
fn tokens_that_the_model_does_not_know_are_refused() {
    let model = load(whole()).unwrap();
    let encode = |ids: Vec<u32>| {
        let ids = Tensor::from_vec(ids.clone(), (1, ids.len()), &Device::Cpu).unwrap();
        model.encode(&ids, &ids.ones_like().unwrap(), None)
    };
    assert!(encode(vec![127; 40]).is_ok());
    assert!(refused(encode(vec![1, 128])).to_string().contains("below 128"));
    assert!(refused(encode(vec![1; 41])).to_string().contains("1 to 40"));
    assert_eq!(model.max_tokens(), 40);
}

/// What a configuration speaks of is not made room for before the weights show it.
#[test]
fn a_configuration_beyond_all_measure_takes_no_memory() {
    let fixture = Fixture::tiny("tiny-modernbert");
    let load = |name: &str, value: u64| {
        let text = fs::read_to_string(fixture.folder.join("config_v4.json")).unwrap();
        let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
        config[name] = value.into();
        text::load(&Config::parse("config.json", &config.to_string())?, &fixture.weights(DType::F32))
    };
    let model = load("max_position_embeddings", 1 << 24).unwrap();
    assert_eq!(model.max_tokens(), 1 << 24);
    let hidden = model.encode(&fixture.whole("input_ids"), &fixture.whole("attention_mask"), None);
    assert_eq!(hidden.unwrap().states.dim(0).unwrap(), 3);
    let error = refused(load("num_hidden_layers", 1 << 24)).to_string();
    assert!(error.contains("layers."), "{error}");
    let error = refused(load("max_position_embeddings", 1 << 60)).to_string();
    assert!(error.contains("`max_position_embeddings`") && error.contains("at most 16777216"), "{error}");
}

#[test]
fn a_tokenizer_that_contradicts_itself_is_refused() {
    // Its template names a token that is not among the special ones.
    const CONTRADICTION: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "decoder": null, "post_processor": {"type": "TemplateProcessing", "special_tokens": {},
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "end", "type_id": 0}}], "pair": []},
        "model": {"type": "WordLevel", "vocab": {"a": 0, "unknown": 1}, "unk_token": "unknown"}}"#;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tokenizer.json");
    fs::write(&path, CONTRADICTION).unwrap();
    let model = load(whole()).unwrap();
    let error = Tokenizer::read(&path, &TextSettings::default(), &*model).unwrap_err();
    assert!(error.to_string().contains("tokenizer.json is not a tokenizer that can be used"), "{error}");
}
