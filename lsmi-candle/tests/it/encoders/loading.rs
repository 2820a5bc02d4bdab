//! Checkpoints that are not as they should be: each is refused with an error that says what is wrong and where.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::tokens::{TextSettings, Tokenizer};
use lsmi_candle::embedding::encoders::{
    Config, EncoderError, Hidden, Pooling, Result, TextEncoder, Weights, image, text,
};
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
    assert!(error.contains("`gpt2`") && error.contains("the nearest is `qwen3`"), "{error}");
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        fs::write(&path, &bytes).unwrap();
        for error in [refused(weights(bytes)), refused(Weights::read(&path, DType::F32, &Device::Cpu))] {
            assert!(matches!(error, EncoderError::Format { .. }) && error.to_string().contains("model.safetensors"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refused(Weights::read(folder.path(), DType::F32, &Device::Cpu)), EncoderError::Read { .. }));
}

/// Tensors are read when they are asked for, and a file may be another by then.
#[test]
fn a_file_that_is_cut_while_it_is_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let good = whole();
    fs::write(&path, &good).unwrap();
    let weights = Weights::read(&path, DType::F32, &Device::Cpu).unwrap();
    let (tensor, shape) = ("encoder.layer.1.output.dense.weight", [32, 64]);
    assert_eq!(weights.get(tensor, &shape).unwrap().dims(), shape);

    let header = u64::from_le_bytes(good[..8].try_into().unwrap());
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8 + header).unwrap();
    let error = refused(weights.get(tensor, &shape));
    assert!(matches!(&error, EncoderError::ReadTensor { tensor: found, .. } if found == tensor), "{error}");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    let loaded = text::load(&Fixture::tiny("tiny-bert").config("config.json"), &weights);
    assert!(matches!(refused(loaded), EncoderError::ReadTensor { .. }));
}

/// What is read and converted in pieces has the bits of what is converted at once.
#[test]
fn numbers_of_all_types_are_converted_as_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    // More than two pieces of the longest numbers, and one that is not full.
    let long = Tensor::randn(0_f32, 3_f32, (300_001,), &Device::Cpu).unwrap();
    let small = Tensor::new(1.5_f32, &Device::Cpu).unwrap();
    let types = [DType::F16, DType::BF16, DType::F32, DType::F64];
    for stored in types {
        let tensors = [("long", &long), ("small", &small)]
            .map(|(name, tensor)| (name.to_owned(), tensor.to_dtype(stored).unwrap()));
        candle_core::safetensors::save(&tensors.clone().into(), &path).unwrap();
        for dtype in types {
            let weights = Weights::read(&path, dtype, &Device::Cpu).unwrap();
            for (name, tensor) in &tensors {
                let found = weights.get(name, tensor.dims()).unwrap();
                assert_eq!(found.dtype(), dtype);
                assert_eq!(difference(&found, &tensor.to_dtype(dtype).unwrap()), 0.0, "{stored:?} as {dtype:?}");
            }
            weights.finish(&[]).unwrap();
        }
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

/// The tensors of a tiny checkpoint, with some renamed, dropped or added.
fn remade(fixture: &Fixture, rename: impl Fn(&str) -> Option<String>, added: &[(&str, Tensor)]) -> Weights {
    let tensors = candle_core::safetensors::load(fixture.folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let kept = tensors.into_iter().filter_map(|(name, tensor)| Some((rename(&name)?, tensor)));
    let added = added.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.clone()));
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    candle_core::safetensors::save(&kept.chain(added).collect(), &path).unwrap();
    Weights::read(&path, DType::F32, &Device::Cpu).unwrap()
}

/// A tiny configuration with some fields changed.
fn reconfigured(fixture: &Fixture, section: Option<&str>, fields: &[(&str, serde_json::Value)]) -> Config {
    let text = fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    if let Some(section) = section {
        config = config[section].clone();
    }
    for (name, value) in fields {
        config[*name] = value.clone();
    }
    Config::parse("config.json", &config.to_string()).unwrap()
}

/// `ELECTRA`, ERNIE and `CamemBERT` are BERT and RoBERTa with a little more, which may be nothing.
#[test]
fn networks_under_other_names_are_the_same() {
    let fixture = Fixture::tiny("tiny-bert");
    let expected = encode(&*load(whole()).unwrap()).states;
    let under = |prefix: &'static str| move |name: &str| Some(format!("{prefix}.{name}"));
    let heads = ("discriminator_predictions.dense.bias", Tensor::zeros(32, DType::F32, &Device::Cpu).unwrap());
    let electra = reconfigured(&fixture, None, &[("model_type", "electra".into()), ("embedding_size", 32.into())]);
    let model = text::load(&electra, &remade(&fixture, under("electra"), std::slice::from_ref(&heads))).unwrap();
    assert_eq!(difference(&encode(&*model).states, &expected), 0.0);

    // ERNIE's tasks: the first one's vector is added everywhere, so taking it from the positions leaves the sum as it is.
    let tasks = Tensor::randn(0f32, 1f32, (3, 32), &Device::Cpu).unwrap();
    let ernie = reconfigured(&fixture, None, &[("model_type", "ernie".into()), ("use_task_id", true.into())]);
    let named = "ernie.embeddings.position_embeddings.weight";
    let tensors = candle_core::safetensors::load(fixture.folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let positions = tensors["embeddings.position_embeddings.weight"].broadcast_sub(&tasks.narrow(0, 0, 1).unwrap());
    let others = |name: &str| (!name.contains("position_embeddings")).then(|| format!("ernie.{name}"));
    let added = [(named, positions.unwrap()), ("ernie.embeddings.task_type_embeddings.weight", tasks)];
    let model = text::load(&ernie, &remade(&fixture, others, &added)).unwrap();
    assert!(difference(&encode(&*model).states, &expected) < 1e-5);
    let without = text::load(&ernie, &remade(&fixture, under("ernie"), &[]));
    assert!(matches!(refused(without), EncoderError::MissingTensor { .. }));

    let fixture = Fixture::tiny("tiny-xlm-roberta");
    let camembert = reconfigured(&fixture, None, &[("model_type", "camembert".into())]);
    let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
    let states = |config: &Config, weights: &Weights| {
        text::load(config, weights).unwrap().encode(&ids, &mask, None).unwrap().states
    };
    let expected = states(&fixture.config("config.json"), &fixture.weights(DType::F32));
    assert_eq!(difference(&states(&camembert, &remade(&fixture, under("roberta"), &[])), &expected), 0.0);
}

/// ELECTRA's tables may be narrower than its states.
#[test]
fn narrow_tables_are_widened() {
    let fixture = Fixture::tiny("tiny-bert");
    let narrow = |name: &str| !name.starts_with("embeddings.");
    let random = |shape: &[usize]| Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap();
    let tables = [
        ("embeddings.word_embeddings.weight", random(&[128, 8])),
        ("embeddings.position_embeddings.weight", random(&[40, 8])),
        ("embeddings.token_type_embeddings.weight", random(&[2, 8])),
        ("embeddings.LayerNorm.weight", random(&[8])),
        ("embeddings.LayerNorm.bias", random(&[8])),
        ("embeddings_project.weight", random(&[32, 8])),
        ("embeddings_project.bias", random(&[32])),
    ];
    let electra = reconfigured(&fixture, None, &[("model_type", "electra".into()), ("embedding_size", 8.into())]);
    let kept = |name: &str| narrow(name).then(|| name.to_owned());
    let model = text::load(&electra, &remade(&fixture, kept, &tables)).unwrap();
    assert_eq!((encode(&*model).states.dims()[2], model.width(Pooling::Mean).unwrap()), (32, 32));
}

/// Newer files of a tower alone have no name of it before those of its tensors, and classifiers have layers of their own.
#[test]
fn towers_alone_are_those_of_the_whole() {
    for name in ["tiny-clip", "tiny-siglip"] {
        let fixture = Fixture::tiny(name);
        let kind = name.trim_start_matches("tiny-");
        let of = |tower: &'static str| move |name: &str| name.strip_prefix(tower).map(str::to_owned);
        let classifier = ("classifier.weight", Tensor::zeros((3, 32), DType::F32, &Device::Cpu).unwrap());

        let pixels = fixture.get("pixel_values");
        let vision =
            reconfigured(&fixture, Some("vision_config"), &[("model_type", format!("{kind}_vision_model").into())]);
        let weights = remade(&fixture, of("vision_model."), std::slice::from_ref(&classifier));
        let hidden = image::load(&vision, &weights).unwrap().encode(pixels).unwrap();
        fixture.assert_close(&hidden.states, "vision_last_hidden_state", 1e-5);
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "vision_pooler_output", 1e-5);
        // A classifier on the picture tower of the whole: neither the other tower nor the projection is there.
        let kept = |name: &str| name.starts_with("vision_model.").then(|| name.to_owned());
        let weights = remade(&fixture, kept, std::slice::from_ref(&classifier));
        let model = image::load(&fixture.config("config.json"), &weights).unwrap();
        let pooled = model.encode(pixels).unwrap().pool(model.pooling()).unwrap();
        fixture.assert_close(&pooled, "vision_pooler_output", 1e-5);

        let text_config =
            reconfigured(&fixture, Some("text_config"), &[("model_type", format!("{kind}_text_model").into())]);
        let model = text::load(&text_config, &remade(&fixture, of("text_model."), &[])).unwrap();
        let ids = fixture.whole("input_ids");
        let mask = if kind == "clip" { fixture.whole("attention_mask") } else { ids.ones_like().unwrap() };
        let hidden = model.encode(&ids, &mask, None).unwrap();
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "text_pooler_output", 1e-5);
    }
}
