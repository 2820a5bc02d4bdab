//! Text encoders with rotary positions, and decoders used as encoders, against the outputs of the code of their authors
//! and of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::HashMap;
use std::fs;

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared, Prompt};
use lsmi_candle::embedding::encoders::{
    Config, EncoderError, Hidden, Pooling, Result, TextEncoder, Weights, l2_normalise, text,
};
use lsmi_candle::embedding::manifests::{Asked, Modality, of_directory};

use crate::golden::{Fixture, difference};

/// The reference was computed in f32 with sums in another order.
const TOLERANCE: f64 = 1e-5;

const ALL: [(&str, Pooling); 20] = [
    ("nomic-bert/gated", Pooling::Mean),
    ("nomic-bert/scaled", Pooling::Mean),
    ("nomic-bert/experts", Pooling::Mean),
    ("nomic-bert/transformers", Pooling::Mean),
    ("gte/scaled", Pooling::Cls),
    ("gte/head", Pooling::Cls),
    ("gte/plain", Pooling::Cls),
    ("gte/transformers", Pooling::Cls),
    ("qwen3/bare", Pooling::Last),
    ("qwen3/causal", Pooling::Last),
    ("qwen3/window", Pooling::Last),
    ("qwen2/causal", Pooling::Last),
    ("qwen2/both-ways", Pooling::Last),
    ("qwen2/window", Pooling::Last),
    ("mistral/window", Pooling::Last),
    ("mistral/causal", Pooling::Last),
    ("mistral/heads", Pooling::Last),
    ("gemma3/both-ways", Pooling::Mean),
    ("gemma3/causal", Pooling::Mean),
    ("gemma3/transformers", Pooling::Mean),
];

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn TextEncoder> {
    text::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

/// States with padding set to 0, as the reference has them.
fn masked(hidden: &Hidden, mask: &Tensor) -> Tensor {
    let mask = mask.to_dtype(hidden.states.dtype()).unwrap().unsqueeze(2).unwrap();
    hidden.states.broadcast_mul(&mask).unwrap()
}

#[test]
fn states_and_vectors_are_those_of_the_reference() {
    for (name, pooling) in ALL {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let hidden = model.encode(&ids, &mask, None).unwrap();
        fixture.assert_close(&masked(&hidden, &mask), "states", TOLERANCE);
        for (of, name) in [(Pooling::Mean, "mean"), (Pooling::Cls, "cls"), (Pooling::Last, "last")] {
            let vectors = hidden.pool(of).unwrap();
            fixture.assert_close(&vectors, name, TOLERANCE);
            assert_eq!(model.width(of).unwrap(), vectors.dims()[1]);
        }
        assert_eq!(model.pooling(), pooling, "{name}");
    }
}

#[test]
fn segments_and_the_pooler_are_those_of_the_reference() {
    for name in ["nomic-bert/gated", "nomic-bert/scaled"] {
        let fixture = Fixture::tiny(name);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let types = fixture.whole("token_type_ids");
        let hidden = load(&fixture, DType::F32).encode(&ids, &mask, Some(&types)).unwrap();
        fixture.assert_close(&masked(&hidden, &mask), "typed", TOLERANCE);
        assert!(difference(&masked(&hidden, &mask), fixture.get("states")) > 0.01);
    }
    let fixture = Fixture::tiny("nomic-bert/transformers");
    let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
    let model = load(&fixture, DType::F32);
    let hidden = model.encode(&ids, &mask, None).unwrap();
    fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "pooler", TOLERANCE);
    assert_eq!(model.width(Pooling::Pooler).unwrap(), 16);
    let error = model.encode(&ids, &mask, Some(&(&mask * 2.0).unwrap())).unwrap_err().to_string();
    assert!(error.contains("segment") && error.contains("below 2"), "{error}");
}

/// The authors pad decoders on the left; what is padded on the right gives the same, and so does the left here.
#[test]
fn either_side_may_be_padded() {
    let decoders = ALL.into_iter().filter(|(name, _)| !name.starts_with("nomic") && !name.starts_with("gte"));
    for (name, _) in decoders {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let right = model.encode(&ids, &mask, None).unwrap().pool(Pooling::Last).unwrap();
        fixture.assert_close(&right, "last_of_left", TOLERANCE);
        let rolled = |tensor: &Tensor| {
            let rows = tensor.to_vec2::<u32>().unwrap().into_iter().zip(mask.to_vec2::<u32>().unwrap());
            let rows = rows.map(|(mut row, mask)| {
                row.rotate_right(mask.iter().filter(|kept| **kept == 0).count());
                row
            });
            Tensor::new(rows.collect::<Vec<_>>(), &Device::Cpu).unwrap()
        };
        let left = model.encode(&rolled(&ids), &rolled(&mask), None).unwrap().pool(Pooling::Last).unwrap();
        fixture.assert_close(&left, "last_of_left", TOLERANCE);
    }
}

/// The length that a batch is padded to changes nothing for a text.
#[test]
fn padding_changes_nothing() {
    for (name, pooling) in ALL {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let batch = model.encode(&ids, &mask, None).unwrap().pool(pooling).unwrap();
        for row in 0..ids.dims()[0] {
            let tokens = mask.get(row).unwrap().sum_all().unwrap().to_scalar::<u32>().unwrap() as usize;
            let one = |tensor: &Tensor| tensor.narrow(0, row, 1).unwrap().narrow(1, 0, tokens).unwrap();
            let alone = model.encode(&one(&ids), &one(&mask), None).unwrap().pool(pooling).unwrap();
            let difference = difference(&alone, &batch.narrow(0, row, 1).unwrap());
            assert!(difference < 4e-6, "text {row} of {name}: {difference}");
        }
    }
}

/// Rounding of weights and states to 11 and 8 bits, in two layers of values of order 1.
#[test]
fn half_precision_is_near() {
    for (name, pooling) in ALL {
        let fixture = Fixture::tiny(name);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let vectors = |dtype| {
            let hidden = load(&fixture, dtype).encode(&ids, &mask, None).unwrap();
            assert_eq!(hidden.states.dtype(), dtype);
            l2_normalise(&hidden.pool(pooling).unwrap()).unwrap()
        };
        let full = vectors(DType::F32);
        for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
            let difference = difference(&vectors(dtype), &full);
            assert!(difference < tolerance, "{name} in {dtype:?}: {difference}");
        }
    }
}

/// Larger checkpoints are in several files, which an index lists.
#[test]
fn checkpoints_may_be_in_several_files() {
    let fixture = Fixture::tiny("qwen3/causal");
    let tensors = candle_core::safetensors::load(fixture.folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (mut parts, mut places) = ([HashMap::new(), HashMap::new()], serde_json::Map::new());
    for (index, (name, tensor)) in tensors.into_iter().enumerate() {
        places.insert(name.clone(), format!("model-{}.safetensors", index % 2).into());
        parts[index % 2].insert(name, tensor);
    }
    for (index, part) in parts.iter().enumerate() {
        candle_core::safetensors::save(part, place.path().join(format!("model-{index}.safetensors"))).unwrap();
    }
    let index = place.path().join("model.safetensors.index.json");
    fs::write(&index, serde_json::json!({ "weight_map": places }).to_string()).unwrap();
    let weights = Weights::read(&index, DType::F32, &Device::Cpu).unwrap();
    let model = text::load(&fixture.config("config.json"), &weights).unwrap();
    let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
    let hidden = model.encode(&ids, &mask, None).unwrap();
    fixture.assert_close(&hidden.pool(Pooling::Last).unwrap(), "last", TOLERANCE);
}

/// The folder of a sentence encoder. Files of its modules lie beside each other in the fixture.
fn sentence_encoder(fixture: &Fixture) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&fixture.folder).unwrap() {
        let from = entry.unwrap().path();
        let name = from.file_name().unwrap().to_str().unwrap();
        let (module, kind) = name.split_once('.').unwrap();
        let to = match kind {
            "json" if module.starts_with(char::is_numeric) => format!("{module}/config.json"),
            "safetensors" if module.starts_with(char::is_numeric) => format!("{module}/model.safetensors"),
            _ => name.to_owned(),
        };
        let to = place.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&from, to).unwrap();
    }
    place
}

/// Prompts by their names, the special tokens that the tokenizer adds, texts that are cut, the last token or the mean,
/// and the layers after it, as sentence-transformers has them in its folders.
#[test]
fn folders_give_the_vectors_of_sentence_transformers() {
    let texts = ["w5 w6 w7 w8 w9 w10 w11", "w40 w41", "w20 w60 w33 w20"];
    for (name, pooling) in [("qwen3/bare", "last"), ("gemma3/both-ways", "mean")] {
        let fixture = Fixture::tiny(name);
        let expected =
            candle_core::safetensors::load(fixture.folder.join("vectors.safetensors"), &Device::Cpu).unwrap();
        let place = sentence_encoder(&fixture);
        let model = of_directory(place.path(), Asked::of(Modality::Text)).unwrap();
        for (prompt, expected) in expected {
            let named = Prompt::Given(prompt.clone());
            let options =
                Options { prompt: if prompt == "none" { Prompt::Authors } else { named }, ..Options::default() };
            let embedder = Embedder::load(&model, &options, &Device::Cpu).unwrap();
            assert_eq!(embedder.provenance().pooling, pooling);
            let inputs: Vec<Prepared> = texts.iter().map(|text| embedder.prepare_text(text).unwrap()).collect();
            let vectors = embedder.embed(&inputs.iter().collect::<Vec<_>>()).unwrap();
            let vectors = Tensor::from_vec(vectors, (texts.len(), embedder.width()), &Device::Cpu).unwrap();
            let difference = difference(&vectors, &expected);
            assert!(difference < 2e-6, "{name} with the prompt {prompt}: {difference}");
        }
    }
}

/// A text that other frequencies would be needed for, by the length of its batch, is too long.
#[test]
fn texts_end_where_scaling_would_depend_on_their_length() {
    let fixture = Fixture::tiny("nomic-bert/scaled");
    let model = load(&fixture, DType::F32);
    assert_eq!(model.max_tokens(), 16);
    assert_eq!(load(&Fixture::tiny("nomic-bert/gated"), DType::F32).max_tokens(), 32);
    let ids = Tensor::zeros((1, 17), DType::U32, &Device::Cpu).unwrap();
    let error = model.encode(&ids, &ids.ones_like().unwrap(), None).unwrap_err().to_string();
    assert!(error.contains("1 to 16"), "{error}");
    // The same in the words of transformers.
    let parameters = serde_json::json!({"rope_type": "dynamic", "rope_theta": 1000, "factor": 2.0});
    let changed = with_field("nomic-bert/transformers", "rope_parameters", parameters).unwrap();
    assert_eq!(changed.max_tokens(), 32);
    let ids = fixture.whole("input_ids");
    let hidden = changed.encode(&ids, &fixture.whole("attention_mask"), None).unwrap();
    Fixture::tiny("nomic-bert/transformers").assert_close(&hidden.pool(Pooling::Mean).unwrap(), "mean", TOLERANCE);
}

/// A checkpoint with a field of its configuration changed.
fn with_field(name: &str, field: &str, value: serde_json::Value) -> Result<Box<dyn TextEncoder>> {
    let fixture = Fixture::tiny(name);
    let text = fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config[field] = value;
    text::load(&Config::parse("config.json", &config.to_string())?, &fixture.weights(DType::F32))
}

#[test]
fn what_is_not_built_in_is_refused_by_its_name() {
    let section = |kind: &str| serde_json::json!({"rope_type": kind, "rope_theta": 1e4, "factor": 2.0});
    let nothing = serde_json::Value::Null;
    for (name, field, value, found) in [
        ("nomic-bert/gated", "prenorm", true.into(), "prenorm"),
        ("nomic-bert/gated", "rotary_emb_fraction", 0.5.into(), "rotary_emb_fraction"),
        ("nomic-bert/gated", "rotary_emb_fraction", nothing.clone(), "rotary_emb_fraction"),
        ("nomic-bert/gated", "rotary_emb_scale_base", 512.into(), "rotary_emb_scale_base"),
        ("nomic-bert/gated", "rotary_emb_interleaved", true.into(), "rotary_emb_interleaved"),
        ("nomic-bert/gated", "activation_function", "relu".into(), "activation_function"),
        ("nomic-bert/gated", "num_experts", 2.into(), "activation_function"),
        ("nomic-bert/experts", "moe_every_n_layers", nothing.clone(), "moe_every_n_layers"),
        ("nomic-bert/transformers", "rope_parameters", section("yarn"), "rope_parameters.rope_type"),
        ("gte/plain", "layer_norm_type", "rms_norm".into(), "layer_norm_type"),
        ("gte/plain", "position_embedding_type", "absolute".into(), "position_embedding_type"),
        ("gte/plain", "logn_attention_scale", true.into(), "logn_attention_scale"),
        ("gte/plain", "rope_theta", nothing.clone(), "rope_theta"),
        ("gte/plain", "rope_theta", (-1).into(), "rope_parameters.rope_theta"),
        ("gte/plain", "rope_scaling", serde_json::json!({"type": "ntk", "factor": 0.5}), "rope_scaling.factor"),
        (
            "gte/plain",
            "rope_scaling",
            serde_json::json!({"type": "ntk", "factor": 2, "mixed_b": 1}),
            "rope_scaling.mixed_b",
        ),
        ("gte/plain", "rope_scaling", serde_json::json!({"type": "yarn", "factor": 2}), "rope_scaling.rope_type"),
        ("gte/plain", "num_attention_heads", 3.into(), "num_attention_heads"),
        ("gte/plain", "num_attention_heads", 0.into(), "num_attention_heads"),
        ("gte/plain", "num_attention_heads", 16.into(), "head_dim"),
        ("qwen3/bare", "rope_scaling", section("llama3"), "rope_scaling.rope_type"),
        ("qwen3/window", "layer_types", serde_json::json!(["full_attention"]), "layer_types"),
        ("qwen3/window", "layer_types", serde_json::json!(["full_attention", "chunked_attention"]), "layer_types"),
        ("qwen3/window", "use_sliding_window", false.into(), "layer_types"),
        ("qwen3/window", "is_causal", false.into(), "is_causal"),
        ("mistral/causal", "partial_rotary_factor", 0.5.into(), "partial_rotary_factor"),
        ("gemma3/causal", "attn_logit_softcapping", 50.0.into(), "attn_logit_softcapping"),
        ("gemma3/causal", "query_pre_attn_scalar", 0.into(), "query_pre_attn_scalar"),
        ("gemma3/causal", "sliding_window", nothing.clone(), "sliding_window"),
    ] {
        match with_field(name, field, value.clone()).err().unwrap() {
            EncoderError::Field { field, .. } => assert_eq!(field, found, "{name}"),
            other => unreachable!("{name} with {field} {value}: {other}"),
        }
    }
    let heads = with_field("qwen3/bare", "num_key_value_heads", 3.into()).err().unwrap();
    assert!(matches!(heads, EncoderError::Input { .. }), "{heads}");
}

#[test]
fn a_configuration_of_another_model_is_refused() {
    for (name, field, value) in [
        // Biases and layers that nobody would ask for, and those that are not there.
        ("nomic-bert/experts", "qkv_proj_bias", false.into()),
        ("nomic-bert/experts", "num_hidden_layers", 1.into()),
        ("nomic-bert/experts", "n_layer", 1.into()),
        ("nomic-bert/experts", "moe_every_n_layers", 1.into()),
        ("gte/plain", "type_vocab_size", 0.into()),
        ("qwen3/causal", "attention_bias", false.into()),
        ("qwen3/bare", "num_hidden_layers", 1.into()),
        ("qwen3/bare", "head_dim", 8.into()),
        ("qwen3/bare", "num_hidden_layers", 16_777_216.into()),
        ("qwen3/bare", "model_type", "qwen2".into()),
        ("mistral/causal", "model_type", "qwen2".into()),
        ("gemma3/transformers", "attention_bias", false.into()),
        ("gemma3/both-ways", "num_key_value_heads", 2.into()),
    ] {
        let error = with_field(name, field, value).err();
        // The authors' name of a field goes before that of transformers.
        if (name, field) == ("nomic-bert/experts", "num_hidden_layers") {
            assert!(error.is_none());
            continue;
        }
        let error = error.unwrap();
        assert!(
            matches!(
                error,
                EncoderError::ExtraTensors { .. } | EncoderError::MissingTensor { .. } | EncoderError::Shape { .. }
            ),
            "{name}: {error}"
        );
    }
}

/// The references tell apart what configurations say: with another value of these fields the states are others.
#[test]
fn fields_of_configurations_count() {
    let linear = serde_json::json!({"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0});
    for (name, field, value) in [
        ("nomic-bert/gated", "rotary_emb_base", 100.into()),
        ("nomic-bert/gated", "activation_function", "geglu".into()),
        ("nomic-bert/gated", "layer_norm_epsilon", 0.1.into()),
        ("nomic-bert/experts", "moe_top_k", 1.into()),
        ("gte/scaled", "rope_scaling", serde_json::Value::Null),
        ("gte/head", "rope_scaling", serde_json::json!({"type": "ntk", "factor": 4.0})),
        ("qwen3/bare", "rope_theta", 1e4.into()),
        ("qwen3/window", "rope_parameters", linear),
        ("qwen3/window", "sliding_window", 5.into()),
        ("qwen3/window", "layer_types", serde_json::json!(["sliding_attention", "full_attention"])),
        ("qwen2/both-ways", "is_causal", true.into()),
        ("qwen2/window", "max_window_layers", 0.into()),
        ("mistral/window", "sliding_window", serde_json::Value::Null),
        ("gemma3/both-ways", "sliding_window", 4.into()),
        ("gemma3/both-ways", "use_bidirectional_attention", false.into()),
        ("gemma3/both-ways", "rope_local_base_freq", 100.into()),
        ("gemma3/causal", "query_pre_attn_scalar", 6.into()),
        ("gemma3/causal", "sliding_window_pattern", 1.into()),
        ("gemma3/causal", "rope_scaling", serde_json::Value::Null),
    ] {
        let fixture = Fixture::tiny(name);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let hidden = with_field(name, field, value).unwrap().encode(&ids, &mask, None).unwrap();
        let difference = difference(&masked(&hidden, &mask), fixture.get("states"));
        assert!(difference > 100.0 * TOLERANCE, "{name} with another {field}: {difference}");
    }
}
