//! Text encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;

use crate::golden::{Fixture, difference, released};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::tokens::{TextSettings, Tokenizer, Tokens};
use lsmi_candle::embedding::encoders::{Hidden, Pooling, TextEncoder, l2_normalise, text};

/// The reference was computed in f32 with sums in another order; a right implementation stays within 3e-6 of values of
/// order 1.
const TOLERANCE: f64 = 1e-5;
/// The same for vectors of norm 1, whose coordinates are smaller.
const UNIT_TOLERANCE: f64 = 1e-6;

fn load(fixture: &Fixture, config: &str, dtype: DType) -> Box<dyn TextEncoder> {
    text::load(&fixture.config(config), &fixture.weights(dtype)).unwrap()
}

/// States with padding set to 0, as the reference has them.
fn masked(hidden: &Hidden, mask: &Tensor) -> Tensor {
    let mask = mask.to_dtype(hidden.states.dtype()).unwrap().unsqueeze(2).unwrap();
    hidden.states.broadcast_mul(&mask).unwrap()
}

fn check_states_and_means(name: &str, config: &str) -> Hidden {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, config, DType::F32);
    let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
    let types = (name == "tiny-bert").then(|| fixture.whole("token_type_ids"));
    let hidden = model.encode(&ids, &mask, types.as_ref()).unwrap();
    fixture.assert_close(&masked(&hidden, &mask), "last_hidden_state", TOLERANCE);
    fixture.assert_close(&hidden.pool(Pooling::Cls).unwrap(), "cls", TOLERANCE);
    let mean = hidden.pool(Pooling::Mean).unwrap();
    fixture.assert_close(&mean, "mean_pooled", TOLERANCE);
    fixture.assert_close(&l2_normalise(&mean).unwrap(), "mean_pooled_l2", UNIT_TOLERANCE);
    assert_eq!(model.width(Pooling::Mean).unwrap(), mean.dims()[1]);
    assert_eq!(model.pooling(), Pooling::Mean);
    if hidden.pooled.is_some() {
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "pooler_output", TOLERANCE);
        assert_eq!(model.width(Pooling::Pooler).unwrap(), mean.dims()[1]);
    } else {
        assert!(model.width(Pooling::Pooler).is_err());
    }
    hidden
}

#[test]
fn bert() {
    assert!(check_states_and_means("tiny-bert", "config.json").pooled.is_some());
}

#[test]
fn distilbert() {
    let hidden = check_states_and_means("tiny-distilbert", "config.json");
    let error = hidden.pool(Pooling::Projection).unwrap_err().to_string();
    assert_eq!(
        error,
        "the model has no pooling `projection`: it offers `cls`, `mean`, `max`, `mean-sqrt`, `weighted-mean`, `last`"
    );
}

#[test]
fn xlm_roberta_in_both_spellings() {
    for config in ["config.json", "config_v4.json"] {
        assert!(check_states_and_means("tiny-xlm-roberta", config).pooled.is_some());
    }
}

#[test]
fn modernbert_in_both_spellings() {
    for config in ["config.json", "config_v4.json"] {
        check_states_and_means("tiny-modernbert", config);
    }
}

fn check_tower(name: &str, has_mask: bool) {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, "config.json", DType::F32);
    let ids = fixture.whole("input_ids");
    let mask = if has_mask { fixture.whole("attention_mask") } else { ids.ones_like().unwrap() };
    let hidden = model.encode(&ids, &mask, None).unwrap();
    fixture.assert_close(&masked(&hidden, &mask), "text_last_hidden_state", TOLERANCE);
    fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "text_pooler_output", TOLERANCE);
    let vectors = hidden.pool(Pooling::Projection).unwrap();
    fixture.assert_close(&vectors, "text_embeds", TOLERANCE);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "text_embeds_l2", UNIT_TOLERANCE);
    assert_eq!(model.pooling(), Pooling::Projection);
    assert_eq!(model.width(Pooling::Projection).unwrap(), vectors.dims()[1]);
}

#[test]
fn clip() {
    check_tower("tiny-clip", true);
}

#[test]
fn siglip() {
    check_tower("tiny-siglip", false);
}

/// The length that a batch is padded to changes nothing for a text.
#[test]
fn padding_changes_nothing() {
    for name in ["tiny-bert", "tiny-distilbert", "tiny-xlm-roberta", "tiny-modernbert", "tiny-clip"] {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, "config.json", DType::F32);
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let batch = model.encode(&ids, &mask, None).unwrap().pool(model.pooling()).unwrap();
        for row in 0..ids.dims()[0] {
            let tokens = mask.get(row).unwrap().sum_all().unwrap().to_scalar::<u32>().unwrap() as usize;
            let one = |tensor: &Tensor| tensor.narrow(0, row, 1).unwrap().narrow(1, 0, tokens).unwrap();
            let alone = model.encode(&one(&ids), &one(&mask), None).unwrap().pool(model.pooling()).unwrap();
            let difference = difference(&alone, &batch.narrow(0, row, 1).unwrap());
            assert!(difference < 2e-6, "text {row} of {name}: {difference}");
        }
    }
}

/// Rounding of weights and states to 11 and 8 bits, in two layers of values of order 1.
#[test]
fn half_precision_is_near() {
    for name in ["tiny-bert", "tiny-distilbert", "tiny-xlm-roberta", "tiny-modernbert", "tiny-clip", "tiny-siglip"] {
        let fixture = Fixture::tiny(name);
        let ids = fixture.whole("input_ids");
        let mask = if name == "tiny-siglip" { ids.ones_like().unwrap() } else { fixture.whole("attention_mask") };
        for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
            let model = load(&fixture, "config.json", dtype);
            let hidden = model.encode(&ids, &mask, None).unwrap();
            assert_eq!(hidden.states.dtype(), dtype);
            let full = load(&fixture, "config.json", DType::F32).encode(&ids, &mask, None).unwrap();
            let [half, full] = [hidden, full].map(|hidden| hidden.pool(model.pooling()).unwrap());
            let difference = difference(&half, &full);
            assert!(difference < tolerance, "{name} in {dtype:?}: {difference}");
        }
    }
}

/// The released all-MiniLM-L6-v2, from the texts to the vectors.
#[test]
fn minilm() {
    let Some(folder) = released("minilm-l6-v2") else { return };
    let fixture = Fixture::at(folder);
    let model = load(&fixture, "config.json", DType::F32);
    let settings = TextSettings { max_tokens: Some(256), ..TextSettings::default() };
    let tokenizer = Tokenizer::read(&fixture.folder.join("tokenizer.json"), &settings, &*model).unwrap();
    let sentences = fs::read_to_string(fixture.folder.join("sentences.txt")).unwrap();
    let tokens: Vec<Tokens> = sentences.lines().map(|line| tokenizer.tokens(line).unwrap()).collect();
    assert!(tokens.iter().all(|tokens| !tokens.truncated));
    let batch = tokenizer.batch(&tokens.iter().collect::<Vec<_>>(), &Device::Cpu).unwrap();
    fixture.assert_close(&batch.ids, "input_ids", 0.0);
    fixture.assert_close(&batch.mask, "attention_mask", 0.0);
    assert!(batch.types.is_none());

    let hidden = model.encode(&batch.ids, &batch.mask, batch.types.as_ref()).unwrap();
    let mean = hidden.pool(Pooling::Mean).unwrap();
    fixture.assert_close(&mean, "mean_pooled", 1e-5);
    fixture.assert_close(&l2_normalise(&mean).unwrap(), "embeddings", 1e-6);

    // The weights are f16, so computing in f16 rounds states alone; bf16 also rounds weights, to 8 bits.
    for (dtype, tolerance) in [(DType::F16, 1e-3), (DType::BF16, 1e-2)] {
        let hidden = load(&fixture, "config.json", dtype).encode(&batch.ids, &batch.mask, None).unwrap();
        let vectors = l2_normalise(&hidden.pool(Pooling::Mean).unwrap()).unwrap();
        fixture.assert_close(&vectors, "embeddings", tolerance);
    }
}

#[test]
fn long_texts_are_cut_and_counted() {
    let Some(folder) = released("minilm-l6-v2") else { return };
    let fixture = Fixture::at(folder);
    let model = load(&fixture, "config.json", DType::F32);
    let read = |max_tokens| {
        let settings = TextSettings { max_tokens: Some(max_tokens), ..TextSettings::default() };
        Tokenizer::read(&fixture.folder.join("tokenizer.json"), &settings, &*model)
    };
    let tokenizer = read(8).unwrap();
    let tokens = |text: &str| tokenizer.tokens(text).unwrap();
    // Six words and the two special tokens just fit.
    let six = tokens("one two three four five six");
    assert!((six.ids.len(), six.truncated) == (8, false));
    let seven = tokens("one two three four five six seven");
    assert!(seven.truncated && seven.ids == six.ids);
    let million = tokens(&"one two three four five six ".repeat(40_000));
    assert!(million.truncated && million.ids == six.ids);
    // Neither white space alone nor a word without an end hides what follows.
    let blank = tokens(&(" ".repeat(1000) + "one two three four five six seven"));
    assert!(blank.truncated && blank.ids == six.ids);
    let word = tokens(&"x".repeat(1_000_000));
    assert_eq!((word.ids.len(), word.truncated), (3, false));
    assert_eq!(tokens("").ids, [101, 102]);
    // The model's own limit holds where more is asked for.
    assert_eq!(read(100_000).unwrap().max_tokens(), 512);
    assert!(read(2).unwrap_err().to_string().contains("more than the 2 special ones"));
}
