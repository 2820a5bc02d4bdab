//! Picture encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference, released};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{Config, EncoderError, Hidden, ImageEncoder, Pooling, image, l2_normalise};
use lsmi_candle::embedding::preprocess::image::{Filter, Image, Resize, Settings};

/// The reference was computed in f32 with sums in another order; a right implementation stays within 3e-6 of values of
/// order 1.
const TOLERANCE: f64 = 1e-5;
/// The same for vectors of norm 1, whose coordinates are smaller.
const UNIT_TOLERANCE: f64 = 1e-6;

const TINY: [&str; 7] = [
    "tiny-clip",
    "tiny-siglip",
    "tiny-dinov2",
    "tiny-vit",
    "tiny-convnext",
    "tiny-resnet-basic",
    "tiny-resnet-bottleneck",
];

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn ImageEncoder> {
    image::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

fn encoded(name: &str) -> (Fixture, Box<dyn ImageEncoder>, Hidden) {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, DType::F32);
    let hidden = model.encode(fixture.get("pixel_values")).unwrap();
    for pooling in hidden.offered() {
        if let Ok(width) = model.width(pooling) {
            assert_eq!(hidden.pool(pooling).unwrap().dims()[1], width, "{pooling} of {name}");
        }
    }
    assert!(model.width(model.pooling()).is_ok());
    (fixture, model, hidden)
}

#[test]
fn the_image_tower_of_clip() {
    let (fixture, model, hidden) = encoded("tiny-clip");
    fixture.assert_close(&hidden.states, "vision_last_hidden_state", TOLERANCE);
    fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "vision_pooler_output", TOLERANCE);
    let vectors = hidden.pool(model.pooling()).unwrap();
    fixture.assert_close(&vectors, "image_embeds", TOLERANCE);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "image_embeds_l2", UNIT_TOLERANCE);
}

#[test]
fn the_image_tower_of_siglip() {
    let (fixture, model, hidden) = encoded("tiny-siglip");
    fixture.assert_close(&hidden.states, "vision_last_hidden_state", TOLERANCE);
    fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "vision_pooler_output", TOLERANCE);
    let vectors = hidden.pool(model.pooling()).unwrap();
    fixture.assert_close(&vectors, "image_embeds", TOLERANCE);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "image_embeds_l2", UNIT_TOLERANCE);
}

#[test]
fn dinov2_on_images_of_three_sizes() {
    let fixture = Fixture::tiny("tiny-dinov2");
    let model = load(&fixture, DType::F32);
    for prefix in ["", "small.", "wide."] {
        let name = |name: &str| format!("{prefix}{name}");
        let hidden = model.encode(fixture.get(&name("pixel_values"))).unwrap();
        fixture.assert_close(&hidden.states, &name("last_hidden_state"), TOLERANCE);
        fixture.assert_close(&hidden.pool(Pooling::Mean).unwrap(), &name("mean_patch"), TOLERANCE);
        let vectors = hidden.pool(model.pooling()).unwrap();
        fixture.assert_close(&vectors, &name("pooler_output"), TOLERANCE);
        fixture.assert_close(&l2_normalise(&vectors).unwrap(), &name("pooler_output_l2"), UNIT_TOLERANCE);
    }
}

#[test]
fn vit() {
    let (fixture, model, hidden) = encoded("tiny-vit");
    fixture.assert_close(&hidden.states, "last_hidden_state", TOLERANCE);
    fixture.assert_close(&hidden.pool(Pooling::Mean).unwrap(), "mean_patch", TOLERANCE);
    let vectors = hidden.pool(model.pooling()).unwrap();
    fixture.assert_close(&vectors, "cls", TOLERANCE);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "cls_l2", UNIT_TOLERANCE);
}

#[test]
fn convolutional_networks() {
    for name in ["tiny-convnext", "tiny-resnet-basic", "tiny-resnet-bottleneck"] {
        let (fixture, model, hidden) = encoded(name);
        // The reference has channels first.
        let expected = fixture.get("last_hidden_state").flatten_from(2).unwrap().transpose(1, 2).unwrap();
        let off = difference(&hidden.states, &expected);
        assert!(off < TOLERANCE, "states of {name}: {off}");
        let vectors = hidden.pool(model.pooling()).unwrap();
        let expected = fixture.get("pooler_output").reshape(vectors.shape()).unwrap();
        assert!(difference(&vectors, &expected) < TOLERANCE, "{name}");
        let expected = fixture.get("pooler_output_l2").reshape(vectors.shape()).unwrap();
        assert!(difference(&l2_normalise(&vectors).unwrap(), &expected) < UNIT_TOLERANCE, "{name}");
        assert!(matches!(model.width(Pooling::Cls), Err(EncoderError::Pooling { .. })));
    }
}

#[test]
fn efficientnet_lite0_from_images_to_vectors() {
    let Some(folder) = released("efficientnet-lite0") else { return };
    let fixture = Fixture::at(folder);
    let config = Config::parse("efficientnet-lite0", r#"{"model_type": "efficientnet-lite0"}"#).unwrap();
    let model = image::load(&config, &fixture.weights(DType::F32)).unwrap();
    let hidden = model.encode(fixture.get("pixel_values")).unwrap();
    // Values reach 4.3.
    fixture.assert_close(&hidden.pool(model.pooling()).unwrap(), "features", 1e-4);
    fixture.assert_close(&l2_normalise(&hidden.pool(Pooling::Pooler).unwrap()).unwrap(), "features_l2", 1e-5);

    let settings = Settings {
        resize: Resize::Pad,
        resize_to: 128,
        filter: Filter::Bicubic,
        size: 128,
        mean: [127.0 / 255.0; 3],
        std: [128.0 / 255.0; 3],
    };
    let pixels: Vec<f32> = ["elephant.png", "gradient.png"]
        .into_iter()
        .flat_map(|name| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/preprocess");
            let bytes = std::fs::read(std::path::Path::new(folder).join(name)).unwrap();
            settings.prepare(&Image::decode(name, &bytes).unwrap()).unwrap().values
        })
        .collect();
    let pixels = Tensor::from_vec(pixels, (2, 3, 128, 128), &Device::Cpu).unwrap();
    fixture.assert_close(&pixels, "pixel_values", 1e-6);
}

/// A picture's vector does not depend on the others of its batch.
#[test]
fn the_batch_changes_nothing() {
    for name in TINY {
        let (fixture, model, hidden) = encoded(name);
        let batch = hidden.pool(model.pooling()).unwrap();
        let second = fixture.get("pixel_values").narrow(0, 1, 1).unwrap();
        let alone = model.encode(&second).unwrap().pool(model.pooling()).unwrap();
        let off = difference(&alone, &batch.narrow(0, 1, 1).unwrap());
        assert!(off < 2e-6, "{name}: {off}");
    }
}

/// Rounding of weights and states to 11 and 8 bits, in some layers of values of order 1.
#[test]
fn half_precision_is_near() {
    for name in TINY {
        let (fixture, model, hidden) = encoded(name);
        let full = l2_normalise(&hidden.pool(model.pooling()).unwrap()).unwrap();
        for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
            let half = load(&fixture, dtype).encode(fixture.get("pixel_values")).unwrap();
            assert_eq!(half.states.dtype(), dtype);
            let half = l2_normalise(&half.pool(model.pooling()).unwrap()).unwrap();
            let off = difference(&half, &full);
            assert!(off < tolerance, "{name} in {dtype:?}: {off}");
        }
    }
}

#[test]
fn images_of_a_wrong_shape_are_refused() {
    for name in TINY {
        let model = load(&Fixture::tiny(name), DType::F32);
        for shape in [vec![3, 32, 32], vec![1, 1, 32, 32], vec![1, 3, 0, 32], vec![0, 3, 32, 32]] {
            let pixels = Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu).unwrap();
            let error = model.encode(&pixels).unwrap_err();
            assert!(matches!(error, EncoderError::Input { .. }), "{name} {shape:?}: {error}");
        }
        // Too small for a patch or for a later layer's window, or of another size than was trained.
        let narrow = model.encode(&Tensor::zeros((1, 3, 3, 64), DType::F32, &Device::Cpu).unwrap());
        match narrow {
            Err(EncoderError::Input { .. }) => {}
            // Zeros around the maps of ResNet leave a window at any size.
            Ok(_) if name.starts_with("tiny-resnet") => {}
            other => panic!("{name}: {other:?}"),
        }
    }
    let vit = load(&Fixture::tiny("tiny-vit"), DType::F32);
    let error = vit.encode(&Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the size of the pictures should be 32 x 32, but is 64 x 64");
    let dinov2 = load(&Fixture::tiny("tiny-dinov2"), DType::F32);
    let error = dinov2.encode(&Tensor::zeros((1, 3, 64, 60), DType::F32, &Device::Cpu).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the size of the pictures should be multiples of 8 pixels, but is 64 x 60");
}

#[test]
fn checkpoints_of_another_kind_are_refused() {
    let vit = Fixture::tiny("tiny-vit");
    let refused = |text: &str, fixture: &Fixture| {
        let config = Config::parse("config.json", text).unwrap();
        image::load(&config, &fixture.weights(DType::F32)).map(|model| model.pooling()).unwrap_err()
    };
    let error = refused(r#"{"model_type": "bert"}"#, &vit);
    assert!(matches!(error, EncoderError::Architecture { .. }), "{error}");
    let error = refused(r#"{"model_type": "vit"}"#, &vit);
    assert!(matches!(error, EncoderError::Shape { .. }), "{error}");
    let error = refused(r#"{"model_type": "efficientnet-lite0"}"#, &vit);
    assert!(matches!(error, EncoderError::MissingTensor { .. }), "{error}");
    let convnext = std::fs::read_to_string(Fixture::tiny("tiny-convnext").folder.join("config.json")).unwrap();
    let error = refused(&convnext.replace("[\n    8,", "[\n    0,"), &Fixture::tiny("tiny-convnext"));
    assert!(matches!(error, EncoderError::Field { .. } | EncoderError::Shape { .. }), "{error}");
}

/// The same network with the names that the timm library gives its tensors.
#[test]
fn efficientnet_lite0_by_the_names_of_timm() {
    let Some(folder) = released("efficientnet-lite0") else { return };
    let fixture = Fixture::at(folder.clone());
    let tensors = candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let stages: Vec<(usize, usize)> = [1, 2, 2, 3, 3, 4, 1]
        .into_iter()
        .enumerate()
        .flat_map(|(stage, count)| (0..count).map(move |n| (stage, n)))
        .collect();
    let renamed = |name: &str| {
        let (layer, field) = name.rsplit_once('.').unwrap();
        let layer = match layer {
            "_conv_stem" => "conv_stem".to_owned(),
            "_bn0" => "bn1".to_owned(),
            "_conv_head" => "conv_head".to_owned(),
            "_bn1" => "bn2".to_owned(),
            "_fc" => "classifier".to_owned(),
            block => {
                let (block, layer) = block.strip_prefix("_blocks.").unwrap().split_once('.').unwrap();
                let block: usize = block.parse().unwrap();
                let (stage, number) = stages[block];
                let layer = match (block, layer) {
                    (_, "_depthwise_conv") => "conv_dw",
                    (0, "_bn1") | (_, "_bn0") => "bn1",
                    (0, "_project_conv") | (_, "_expand_conv") => "conv_pw",
                    (0, "_bn2") | (_, "_bn1") => "bn2",
                    (_, "_project_conv") => "conv_pwl",
                    (_, "_bn2") => "bn3",
                    other => panic!("{other:?}"),
                };
                format!("blocks.{stage}.{number}.{layer}")
            }
        };
        format!("{layer}.{field}")
    };
    let tensors: std::collections::HashMap<String, Tensor> =
        tensors.into_iter().map(|(name, tensor)| (renamed(&name), tensor)).collect();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    candle_core::safetensors::save(&tensors, &path).unwrap();
    let config = Config::parse("efficientnet-lite0", r#"{"model_type": "efficientnet-lite0"}"#).unwrap();
    let weights = lsmi_candle::embedding::encoders::Weights::read(&path, DType::F32, &Device::Cpu).unwrap();
    let model = image::load(&config, &weights).unwrap();
    let hidden = model.encode(fixture.get("pixel_values")).unwrap();
    fixture.assert_close(&hidden.pool(model.pooling()).unwrap(), "features", 1e-4);
}
