//! Video encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{Config, EncoderError, Pooling, VideoEncoder, l2_normalise, video};

const TOLERANCE: f64 = 1e-5;
const TINY: [&str; 4] = ["videomae/trained", "videomae/tuned", "videomae/bare", "videomae/unbiased"];

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn VideoEncoder> {
    video::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

fn clips(fixture: &Fixture) -> Tensor {
    fixture.get("pixel_values").to_dtype(DType::F32).unwrap()
}

#[test]
fn videomae() {
    for name in TINY {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let clips = clips(&fixture);
        assert_eq!(model.frames(), clips.dim(1).unwrap());
        let hidden = model.encode(&clips).unwrap();
        fixture.assert_close(&hidden.states, "last_hidden_state", TOLERANCE);
        fixture.assert_close(&hidden.pool(Pooling::Mean).unwrap(), "mean", TOLERANCE);
        let vectors = hidden.pool(model.pooling()).unwrap();
        assert_eq!(model.width(model.pooling()).unwrap(), vectors.dim(1).unwrap());
        if name == "videomae/tuned" {
            assert_eq!(model.pooling(), Pooling::Pooler);
            fixture.assert_close(&vectors, "fc_norm", TOLERANCE);
        } else {
            assert_eq!(model.pooling(), Pooling::Mean);
            assert!(matches!(model.width(Pooling::Pooler), Err(EncoderError::Pooling { .. })));
        }
        assert!(matches!(model.width(Pooling::Cls), Err(EncoderError::Pooling { .. })));
        let alone = model.encode(&clips.narrow(0, 1, 1).unwrap()).unwrap().pool(model.pooling()).unwrap();
        assert!(difference(&alone, &vectors.narrow(0, 1, 1).unwrap()) < 2e-6, "{name}");
    }
}

#[test]
fn half_precision_is_near() {
    let fixture = Fixture::tiny(TINY[1]);
    let full = l2_normalise(fixture.get("fc_norm")).unwrap();
    for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
        let hidden = load(&fixture, dtype).encode(&clips(&fixture)).unwrap();
        assert_eq!(hidden.states.dtype(), dtype);
        let half = l2_normalise(&hidden.pool(Pooling::Pooler).unwrap()).unwrap();
        let off = difference(&half, &full);
        assert!(off < tolerance, "{dtype:?}: {off}");
    }
}

#[test]
fn clips_of_a_wrong_shape_are_refused() {
    let model = load(&Fixture::tiny(TINY[0]), DType::F32);
    for shape in [&[4, 3, 16, 16][..], &[0, 4, 3, 16, 16], &[1, 2, 3, 16, 16], &[1, 4, 1, 16, 16], &[1, 4, 3, 16, 24]] {
        let error = model.encode(&Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()).unwrap_err();
        assert!(matches!(error, EncoderError::Input { .. }), "{shape:?}: {error}");
    }
}

#[test]
fn what_is_not_the_model_is_refused() {
    let refused = |name: &str, field: &str, value: serde_json::Value| {
        let fixture = Fixture::tiny(name);
        let text = std::fs::read_to_string(fixture.folder.join("config.json")).unwrap();
        let mut fields: serde_json::Value = serde_json::from_str(&text).unwrap();
        fields[field] = value;
        let config = Config::parse("config.json", &fields.to_string()).unwrap();
        video::load(&config, &fixture.weights(DType::F32)).map(|_| ()).unwrap_err().to_string()
    };
    for (field, value, said) in [
        ("num_frames", 5.into(), "a multiple of 2"),
        ("image_size", serde_json::json!([16, 8]), "two that are equal"),
        ("image_size", "large".into(), "image_size"),
        ("patch_size", 3.into(), "a multiple of 3"),
        ("num_channels", 1.into(), "num_channels"),
        ("num_frames", 16_777_216.into(), "num_frames"),
        ("num_attention_heads", 3.into(), "a divisor of the width 16"),
        ("num_hidden_layers", 1.into(), "encoder.layer.1"),
        ("use_mean_pooling", true.into(), "videomae.layernorm.weight"),
    ] {
        let error = refused(TINY[0], field, value);
        assert!(error.contains(said), "{field}: {error}");
    }
    let error = refused(TINY[1], "use_mean_pooling", false.into());
    assert!(error.contains("layernorm.weight"), "{error}");
    let error = refused(TINY[3], "qkv_bias", true.into());
    assert!(error.contains("q_bias"), "{error}");
    let error = refused(TINY[3], "model_type", "vit".into());
    assert!(error.contains("encodes no videos; what does: imagebind, videomae"), "{error}");
    let sides = refused(TINY[0], "hidden_size", 24.into());
    assert!(sides.contains("embeddings.patch_embeddings.projection.weight"), "{sides}");
}
