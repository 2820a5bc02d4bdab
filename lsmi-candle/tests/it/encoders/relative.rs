//! Text encoders that take positions by their distance, ALBERT, and variations of RoBERTa and ELECTRA, against transformers.
//! `make_text_relative.py` beside the checkpoints says which released models have which variation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{Config, EncoderError, Pooling, TextEncoder, Weights, text};
use serde_json::{Value, json};

use crate::golden::{Fixture, difference};

/// The reference was computed in f32 with sums in another order.
const TOLERANCE: f64 = 1e-5;

const MPNET: [&str; 3] = ["mpnet/sentence", "mpnet/masked", "mpnet/long"];
const DEBERTA: [&str; 5] = [
    "deberta-v2/v3-base",
    "deberta-v2/v2-xlarge",
    "deberta-v2/own-layers",
    "deberta-v2/one-way",
    "deberta-v2/absolute",
];
const ALBERT: [&str; 3] = ["albert/base-v1", "albert/base-v2", "albert/groups"];
const T5: [&str; 5] = ["t5/v1", "t5/encoder", "t5/flan", "t5/mt5", "t5/umt5"];
const ROBERTA: [&str; 3] = ["roberta/masked", "roberta/classifier", "roberta/data2vec"];
const ELECTRA: [&str; 3] = ["electra/small", "electra/base", "electra/generator"];

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn TextEncoder> {
    text::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

fn inputs(fixture: &Fixture) -> (Tensor, Tensor, Option<Tensor>) {
    let types = fixture.has("token_type_ids").then(|| fixture.whole("token_type_ids"));
    (fixture.whole("input_ids"), fixture.whole("attention_mask"), types)
}

/// States, and the vector of the pooler where there is one, are the reference; means are over tokens alone, and the length
/// that a batch is padded to changes nothing.
fn check(name: &str) {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, DType::F32);
    let (ids, mask, types) = inputs(&fixture);
    let hidden = model.encode(&ids, &mask, types.as_ref()).unwrap();
    let weights = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
    fixture.assert_close(&hidden.states.broadcast_mul(&weights).unwrap(), "last_hidden_state", TOLERANCE);
    let sums = fixture.get("last_hidden_state").sum(1).unwrap();
    let means = sums.broadcast_div(&weights.sum(1).unwrap()).unwrap();
    let pooled = hidden.pool(Pooling::Mean).unwrap();
    assert!(difference(&pooled, &means) < TOLERANCE, "{name}");
    assert_eq!((model.pooling(), model.width(Pooling::Mean).unwrap()), (Pooling::Mean, pooled.dims()[1]), "{name}");
    assert_eq!(model.width(Pooling::Pooler).is_ok(), fixture.has("pooler_output"), "{name}");
    if fixture.has("pooler_output") {
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "pooler_output", TOLERANCE);
    }
    for row in 0..ids.dims()[0] {
        let tokens = mask.get(row).unwrap().sum_all().unwrap().to_scalar::<u32>().unwrap() as usize;
        let one = |tensor: &Tensor| tensor.narrow(0, row, 1).unwrap().narrow(1, 0, tokens).unwrap();
        let alone = model.encode(&one(&ids), &one(&mask), types.as_ref().map(one).as_ref()).unwrap();
        let difference = difference(&alone.pool(Pooling::Mean).unwrap(), &pooled.narrow(0, row, 1).unwrap());
        assert!(difference < 2e-6, "text {row} of {name}: {difference}");
    }
}

#[test]
fn mpnet() {
    MPNET.into_iter().for_each(check);
}

#[test]
fn deberta() {
    DEBERTA.into_iter().for_each(check);
}

#[test]
fn albert() {
    ALBERT.into_iter().for_each(check);
}

#[test]
fn t5() {
    T5.into_iter().for_each(check);
}

#[test]
fn roberta() {
    ROBERTA.into_iter().for_each(check);
}

#[test]
fn electra() {
    ELECTRA.into_iter().for_each(check);
}

/// Rounding of weights and states to 11 and 8 bits, in two to eight layers of values of order 1.
#[test]
fn half_precision_is_near() {
    for name in MPNET.iter().chain(&DEBERTA).chain(&ALBERT).chain(&T5) {
        let fixture = Fixture::tiny(name);
        let (ids, mask, types) = inputs(&fixture);
        let pooled = |dtype| {
            let hidden = load(&fixture, dtype).encode(&ids, &mask, types.as_ref()).unwrap();
            assert_eq!(hidden.states.dtype(), dtype);
            hidden.pool(Pooling::Mean).unwrap()
        };
        let full = pooled(DType::F32);
        for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
            let difference = difference(&pooled(dtype), &full);
            assert!(difference < tolerance, "{name} in {dtype:?}: {difference}");
        }
    }
}

/// The states of T5 go beyond the greatest number of f16, 65504, on their way.
#[test]
fn states_of_t5_may_be_large() {
    let fixture = Fixture::tiny("t5/v1");
    let mut tensors = candle_core::safetensors::load(fixture.folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let name = "encoder.block.0.layer.1.DenseReluDense.wo.weight";
    let enlarged = (tensors[name].to_dtype(DType::F32).unwrap() * 5e4).unwrap();
    tensors.insert(name.to_owned(), enlarged.clamp(-6e4, 6e4).unwrap());
    let bytes = safetensors::serialize(&tensors, None).unwrap();
    let (ids, mask, _) = inputs(&fixture);
    let [half, full] = [DType::F16, DType::F32].map(|dtype| {
        let file = ("model.safetensors".to_owned(), bytes.clone());
        let weights = Weights::from_bytes(vec![file], dtype, &Device::Cpu).unwrap();
        let model = text::load(&fixture.config("config.json"), &weights).unwrap();
        model.encode(&ids, &mask, None).unwrap().pool(Pooling::Mean).unwrap()
    });
    let difference = difference(&half, &full);
    assert!(difference < 0.01, "{difference}");
}

/// The configuration of a fixture with a field of another value.
fn changed(fixture: &Fixture, field: &str, value: Value) -> Config {
    let text = std::fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut fields: Value = serde_json::from_str(&text).unwrap();
    fields[field] = value;
    Config::parse("config.json", &fields.to_string()).unwrap()
}

/// Values that would change what comes out and are not built in, and those that no network can have, are refused by name.
#[test]
fn wrong_configurations_are_refused() {
    for (name, field, value) in [
        ("mpnet/sentence", "relative_attention_num_buckets", json!(64)),
        ("deberta-v2/v3-base", "pos_att_type", json!("p2c|c2p|p2p")),
        ("deberta-v2/v3-base", "attention_head_size", json!(4)),
        ("deberta-v2/v3-base", "position_buckets", json!(1)),
        ("deberta-v2/v3-base", "position_buckets", json!("many")),
        ("deberta-v2/v2-xlarge", "conv_kernel_size", json!(4)),
        ("deberta-v2/v2-xlarge", "conv_groups", json!(3)),
        ("deberta-v2/v2-xlarge", "conv_act", json!("mish")),
        ("albert/base-v2", "position_embedding_type", json!("relative_key")),
        ("albert/groups", "num_hidden_groups", json!(3)),
        ("albert/base-v2", "num_hidden_layers", json!(1 << 20)),
        ("t5/v1", "is_decoder", json!(true)),
        ("t5/v1", "feed_forward_proj", json!("gated-mish")),
        ("t5/v1", "relative_attention_num_buckets", json!(3)),
        ("t5/v1", "relative_attention_max_distance", json!(2)),
        ("roberta/masked", "position_embedding_type", json!("relative_key_query")),
        ("electra/small", "is_decoder", json!(true)),
    ] {
        let fixture = Fixture::tiny(name);
        match text::load(&changed(&fixture, field, value), &fixture.weights(DType::F32)) {
            Err(EncoderError::Field { field: found, .. }) => assert_eq!(found, field, "{name}"),
            other => panic!("{name}, {field}: {:?}", other.err()),
        }
    }
    for name in ["mpnet/sentence", "deberta-v2/v3-base"] {
        let fixture = Fixture::tiny(name);
        let loaded = text::load(&changed(&fixture, "num_attention_heads", json!(3)), &fixture.weights(DType::F32));
        assert!(
            loaded.err().unwrap().to_string().contains("the number of attention heads should be a divisor"),
            "{name}"
        );
    }
}

/// A checkpoint of another shape, or with more than the configuration speaks of, is refused by the name of a tensor.
#[test]
fn wrong_checkpoints_are_refused() {
    for (name, field, value, tensor) in [
        ("mpnet/long", "num_hidden_layers", json!(1), "encoder.layer.1.attention.attn.q.weight"),
        ("mpnet/sentence", "num_hidden_layers", json!(3), "encoder.layer.2.attention.attn."),
        ("deberta-v2/v2-xlarge", "conv_kernel_size", json!(0), "encoder.conv.conv.weight"),
        ("deberta-v2/v3-base", "norm_rel_ebd", json!("none"), "deberta.encoder.LayerNorm.weight"),
        ("deberta-v2/v3-base", "share_att_key", json!(false), "pos_key_proj.weight"),
        ("deberta-v2/own-layers", "share_att_key", json!(true), "pos_key_proj.weight"),
        ("deberta-v2/v3-base", "position_buckets", json!(-1), "deberta.encoder.rel_embeddings.weight"),
        ("albert/groups", "inner_group_num", json!(1), "albert.encoder.albert_layer_groups.0.albert_layers.1.ffn.bias"),
        ("albert/base-v2", "embedding_size", json!(16), "embeddings.token_type_embeddings.weight"),
        ("t5/flan", "feed_forward_proj", json!("relu"), "DenseReluDense.wi.weight"),
        ("t5/umt5", "model_type", json!("t5"), "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"),
        ("t5/v1", "model_type", json!("umt5"), "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"),
        ("electra/small", "embedding_size", json!(16), "electra.embeddings.token_type_embeddings.weight"),
    ] {
        let fixture = Fixture::tiny(name);
        let loaded = text::load(&changed(&fixture, field, value), &fixture.weights(DType::F32));
        let message = loaded.err().unwrap_or_else(|| panic!("{name} loads with another {field}")).to_string();
        assert!(message.contains(tensor), "{name}: {message}");
    }
}

#[test]
fn wrong_inputs_are_refused() {
    for name in ["mpnet/sentence", "deberta-v2/v3-base", "albert/base-v2", "t5/v1"] {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let refused = |ids: Vec<u32>| {
            let ids = Tensor::new(vec![ids], &Device::Cpu).unwrap();
            matches!(model.encode(&ids, &ids.ones_like().unwrap(), None), Err(EncoderError::Input { .. }))
        };
        assert!(refused(vec![64]) && !refused(vec![63]), "{name}");
        assert!(refused(vec![5; model.max_tokens() + 1]), "{name}");
        if name != "t5/v1" {
            assert!(!refused(vec![5; model.max_tokens()]), "{name}");
        }
    }
}
