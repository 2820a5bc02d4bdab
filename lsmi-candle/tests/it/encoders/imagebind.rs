//! ImageBind against what its authors' program computes.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{
    Config, Encoder, EncoderError, Hidden, Pooling, Weights, audio, image, l2_normalise, text, video,
};

/// Vectors reach 6, and states 14: sums of f32 in another order, to 4e-6 of the greatest.
const TOLERANCE: f64 = 1e-5;
const TOLERANCE_OF_STATES: f64 = 5.6e-5;
const TINY: [&str; 3] = ["imagebind/uneven", "imagebind/deep", "imagebind/wide"];

fn files(fixture: &Fixture) -> (Config, Weights) {
    (fixture.config("config.json"), fixture.weights(DType::F32))
}

fn input(fixture: &Fixture, name: &str) -> Tensor {
    fixture.get(&format!("{name}.input")).to_dtype(DType::F32).unwrap()
}

/// The vectors are the authors' but for the scale that they multiply with at last.
fn compare(fixture: &Fixture, name: &str, model: &dyn Encoder, hidden: &Hidden) {
    fixture.assert_close(&hidden.states, &format!("{name}.states"), TOLERANCE_OF_STATES);
    assert_eq!(model.pooling(), Pooling::Projection);
    let vectors = hidden.pool(Pooling::Projection).unwrap();
    assert_eq!(model.width(Pooling::Projection).unwrap(), vectors.dim(1).unwrap());
    fixture.assert_close(&vectors, &format!("{name}.head"), TOLERANCE);
    let of_authors = fixture.get(&format!("{name}.final"));
    let scale = of_authors.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
    let unit = of_authors.broadcast_div(&scale).unwrap();
    assert!(difference(&l2_normalise(&vectors).unwrap(), &unit) < 2e-6, "{name}");
    for pooling in Pooling::ALL {
        if let Ok(width) = model.width(pooling) {
            assert_eq!(hidden.pool(pooling).unwrap().dim(1).unwrap(), width, "{pooling} of {name}");
        }
    }
}

#[test]
fn every_tower_is_as_the_authors_have_it() {
    for name in TINY {
        let fixture = Fixture::tiny(name);
        let (config, weights) = files(&fixture);
        let model = image::load(&config, &weights).unwrap();
        compare(&fixture, "vision", &*model, &model.encode(&input(&fixture, "vision")).unwrap());
        let model = video::load(&config, &files(&fixture).1).unwrap();
        assert_eq!(model.frames(), 2);
        compare(&fixture, "video", &*model, &model.encode(&input(&fixture, "video")).unwrap());
        let model = audio::load(&config, &files(&fixture).1).unwrap();
        compare(&fixture, "audio", &*model, &model.encode(&input(&fixture, "audio"), None).unwrap());
        let model = image::load_depth(&config, &files(&fixture).1).unwrap();
        compare(&fixture, "depth", &*model, &model.encode(&input(&fixture, "depth")).unwrap());
        let model = text::load(&config, &files(&fixture).1).unwrap();
        let ids = fixture.whole("text.input");
        compare(&fixture, "text", &*model, &model.encode(&ids, &ids.ones_like().unwrap(), None).unwrap());
    }
}

/// A picture is a clip of two frames that are the same, and a clip of others is not.
#[test]
fn a_picture_is_a_clip_that_stands_still() {
    let fixture = Fixture::tiny(TINY[0]);
    let (config, weights) = files(&fixture);
    let picture = input(&fixture, "vision");
    let model = video::load(&config, &weights).unwrap();
    let vectors = |clips: &[&Tensor]| model.encode(&Tensor::stack(clips, 1).unwrap()).unwrap().projected.unwrap();
    let still = vectors(&[&picture, &picture]);
    fixture.assert_close(&still, "vision.head", TOLERANCE);
    let moving = vectors(&[&picture, &picture.affine(-1.0, 0.0).unwrap()]);
    assert!(difference(&still, &moving) > 0.1);
}

/// Neither padding of another number than the authors', nor none of it, changes a text's vector.
#[test]
fn padding_of_texts_changes_nothing() {
    let fixture = Fixture::tiny(TINY[1]);
    let (config, weights) = files(&fixture);
    let model = text::load(&config, &weights).unwrap();
    let expected = fixture.get("text.head").narrow(0, 1, 1).unwrap();
    for padding in [vec![], vec![63u32; 4], vec![7, 8]] {
        let ids = [vec![60u32, 11, 63], padding].concat();
        let mask: Vec<u32> = (0..ids.len()).map(|place| u32::from(place < 3)).collect();
        let shape = (1, ids.len());
        let [ids, mask] = [ids, mask].map(|row| Tensor::from_vec(row, shape, &Device::Cpu).unwrap());
        let vectors = model.encode(&ids, &mask, None).unwrap().projected.unwrap();
        assert!(difference(&vectors, &expected) < TOLERANCE);
    }
}

#[test]
fn half_precision_is_near() {
    let fixture = Fixture::tiny(TINY[0]);
    let full = l2_normalise(fixture.get("audio.head")).unwrap();
    for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
        let model = audio::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap();
        let half = model.encode(&input(&fixture, "audio"), None).unwrap().pool(Pooling::Projection).unwrap();
        let off = difference(&l2_normalise(&half).unwrap(), &full);
        assert!(off < tolerance, "{dtype:?}: {off}");
    }
}

/// What the error says of a configuration with one field changed.
fn refused(field: &str, value: serde_json::Value) -> EncoderError {
    let fixture = Fixture::tiny(TINY[0]);
    let text = std::fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut fields: serde_json::Value = serde_json::from_str(&text).unwrap();
    fields[field] = value;
    let config = Config::parse("config.json", &fields.to_string()).unwrap();
    let weights = || fixture.weights(DType::F32);
    let results = [
        image::load(&config, &weights()).map(|_| ()),
        audio::load(&config, &weights()).map(|_| ()),
        text::load(&config, &weights()).map(|_| ()),
        image::load_depth(&config, &weights()).map(|_| ()),
    ];
    results.into_iter().find_map(Result::err).unwrap()
}

#[test]
fn what_is_not_the_model_is_refused() {
    for (field, value, said) in [
        ("kernel_size", serde_json::json!([4, 4, 4]), "kernel_size"),
        ("kernel_size", serde_json::json!([2, 4, 5]), "kernel_size"),
        ("kernel_size", serde_json::json!([2, 0, 0]), "kernel_size"),
        ("video_frames", 4.into(), "video_frames"),
        ("vision_num_heads", 5.into(), "a divisor of the width 16, but is 5"),
        ("vision_num_blocks", 1.into(), "modality_trunks.vision.blocks.1"),
        ("image_size", 1.into(), "pos_embed"),
        ("audio_kernel_size", 40.into(), "rgbt_stem"),
        ("audio_target_len", 3.into(), "pos_embed"),
        ("context_length", 13.into(), "pos_embed"),
        ("out_embed_dim", 16_777_216.into(), "modality_heads.vision.2.weight"),
        ("depth_kernel_size", 16_777_216.into(), "depth_stem.proj.weight"),
    ] {
        let error = refused(field, value).to_string();
        assert!(error.contains(said), "{field}: {error}");
    }
    // A file without sizes is of the released model, which this is not.
    let fixture = Fixture::tiny(TINY[0]);
    let config = Config::parse("imagebind", r#"{"model_type": "imagebind"}"#).unwrap();
    let error = image::load(&config, &fixture.weights(DType::F32)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("[1280, 3, 2, 14, 14]"), "{error}");
}

#[test]
fn inputs_of_a_wrong_shape_are_refused() {
    let fixture = Fixture::tiny(TINY[0]);
    let (config, weights) = files(&fixture);
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let model = image::load(&config, &weights).unwrap();
    for shape in [&[3, 12, 12][..], &[1, 1, 12, 12], &[1, 3, 16, 12], &[0, 3, 12, 12]] {
        assert!(matches!(model.encode(&zeros(shape)), Err(EncoderError::Input { .. })), "{shape:?}");
    }
    let model = video::load(&config, &weights).unwrap();
    for shape in [&[2, 3, 12, 12][..], &[1, 4, 3, 12, 12], &[1, 2, 1, 12, 12]] {
        assert!(matches!(model.encode(&zeros(shape)), Err(EncoderError::Input { .. })), "{shape:?}");
    }
    let model = audio::load(&config, &weights).unwrap();
    assert!(matches!(model.encode(&zeros(&[1, 16, 27]), None), Err(EncoderError::Input { .. })));
}
