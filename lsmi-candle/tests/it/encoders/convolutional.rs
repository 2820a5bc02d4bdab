//! Convolutional networks and Swin against the outputs of transformers and timm.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{Config, EncoderError, ImageEncoder, Pooling, image};

/// Values are of order 1.
const TOLERANCE: f64 = 1e-5;

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn ImageEncoder> {
    image::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

/// Compares states and pooled vectors for all pictures of a fixture; their number.
#[track_caller]
fn compare(name: &str) -> usize {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, DType::F32);
    let mut pictures = 0;
    while fixture.has(&format!("{pictures}.pixel_values")) {
        let get = |part: &str| fixture.get(&format!("{pictures}.{part}"));
        let hidden = model.encode(get("pixel_values")).unwrap();
        let states = difference(&hidden.states, get("states"));
        let vectors = hidden.pool(model.pooling()).unwrap();
        let pooled = difference(&vectors, get("pooled"));
        assert!(states < TOLERANCE && pooled < TOLERANCE, "{name}: states off by {states}, vectors by {pooled}");
        assert_eq!(vectors.dims()[1], model.width(model.pooling()).unwrap());
        pictures += 1;
    }
    assert!(pictures > 0);
    pictures
}

/// `facebook/convnextv2-*` as classifiers and without; timm's, whose perceptrons are convolutions in the small ones.
#[test]
fn convnext_v2() {
    for name in ["classifier", "bare", "timm_atto", "timm_tiny"] {
        compare(&format!("convnextv2/{name}"));
    }
}

/// timm's usual ones, with the norm before the pool, with a layer behind it, and with another epsilon.
#[test]
fn convnext_of_timm() {
    for name in ["timm_tiny", "timm_tiny_hnf", "timm_large_mlp", "timm_xxlarge"] {
        compare(&format!("convnext/{name}"));
    }
}

#[test]
fn dinov3_convnext() {
    assert_eq!(compare("dinov3_convnext/tiny"), 2);
    compare("dinov3_convnext/two_stages");
    compare("dinov3_convnext/three_stages");
    // The mean of the last map stands as the class token, and is no pixel.
    let fixture = Fixture::tiny("dinov3_convnext/two_stages");
    let hidden = load(&fixture, DType::F32).encode(fixture.get("0.pixel_values")).unwrap();
    let [class, pooler, mean] =
        [Pooling::Cls, Pooling::Pooler, Pooling::Mean].map(|pooling| hidden.pool(pooling).unwrap());
    assert!(difference(&class, &pooler) == 0.0 && difference(&mean, &pooler) > 1e-3);
    let states = fixture.get("0.states");
    let pixels = states.narrow(1, 1, states.dims()[1] - 1).unwrap().mean(1).unwrap();
    assert!(difference(&mean, &pixels) < TOLERANCE);
}

/// torchvision's and timm's names: basic blocks, bottlenecks, wide ones, and with the prefix of the wrapper around timm.
#[test]
fn resnet_of_timm() {
    assert_eq!(compare("resnet/timm_50"), 2);
    compare("resnet/timm_18");
    compare("resnet/timm_wide_50");
}

/// A checkpoint of torchvision has no configuration, so that one of transformers may be written for it.
#[test]
fn resnet_by_the_names_of_torchvision() {
    let fixture = Fixture::tiny("resnet/timm_50");
    let text = r#"{"model_type": "resnet", "depths": [2, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16]}"#;
    let config = Config::parse("config.json", text).unwrap();
    let model = image::load(&config, &fixture.weights(DType::F32)).unwrap();
    let hidden = model.encode(fixture.get("0.pixel_values")).unwrap();
    fixture.assert_close(&hidden.states, "0.states", TOLERANCE);
}

/// Windows that fill the maps, and that do not; no biases; timm's.
#[test]
fn swin() {
    assert_eq!(compare("swin/classifier"), 2);
    assert_eq!(compare("swin/three_stages"), 2);
    compare("swin/without_biases");
    compare("swin/timm");
}

const ALL: [&str; 5] =
    ["convnextv2/classifier", "convnext/timm_tiny", "dinov3_convnext/tiny", "resnet/timm_18", "swin/classifier"];

/// A picture's vector does not depend on the others of its batch, and is nearly the same in half precision.
#[test]
fn batches_and_half_precision() {
    for name in ALL {
        let fixture = Fixture::tiny(name);
        let pixels = fixture.get("0.pixel_values");
        let encode = |dtype, pixels: &Tensor| {
            let model = load(&fixture, dtype);
            model.encode(pixels).unwrap().pool(model.pooling()).unwrap()
        };
        let alone = encode(DType::F32, pixels);
        let batch = Tensor::cat(&[&pixels.flip(&[3]).unwrap(), pixels], 0).unwrap();
        let off = difference(&alone, &encode(DType::F32, &batch).narrow(0, 1, 1).unwrap());
        assert!(off < 2e-6, "{name}: {off}");
        for (dtype, tolerance) in [(DType::F16, 0.03), (DType::BF16, 0.2)] {
            let off = difference(&alone, &encode(dtype, pixels));
            assert!(off < tolerance, "{name} in {dtype:?}: {off}");
        }
    }
}

/// The error of a configuration with one piece of its text changed.
#[track_caller]
fn refused(name: &str, [from, to]: [&str; 2]) -> EncoderError {
    let fixture = Fixture::tiny(name);
    let text = std::fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let text: String = text.split_whitespace().collect();
    assert!(text.contains(from), "{text}");
    let config = Config::parse("config.json", &text.replacen(from, to, 1)).unwrap();
    image::load(&config, &fixture.weights(DType::F32)).map(|model| model.pooling()).unwrap_err()
}

#[test]
fn what_is_not_built_in_is_refused_by_name() {
    for (name, change, said) in [
        ("resnet/timm_50", ["resnet50", "resnet50d"], "architecture"),
        ("resnet/timm_50", ["resnet50", "resnetv2_50"], "architecture"),
        ("resnet/timm_50", ["\"layers\"", "\"avg_down\":true,\"layers\""], "model_args.avg_down"),
        ("resnet/timm_50", ["\"num_classes\"", "\"global_pool\":\"max\",\"num_classes\""], "global_pool"),
        ("resnet/timm_50", ["[2,1,1,1]", "[2,1,1]"], "model_args.channels"),
        ("convnext/timm_tiny", ["convnext_tiny", "convnext_atto_ols"], "architecture"),
        ("convnext/timm_tiny", ["[4,4,8,8]", "[0,4,8,8]"], "dims"),
        ("convnextv2/classifier", ["\"num_stages\":3", "\"num_stages\":2"], "hidden_sizes"),
        ("swin/timm", ["swin_tiny_patch4_window7_224", "swin_s3_tiny_224"], "architecture"),
        ("swin/classifier", ["\"use_absolute_embeddings\":false", "\"use_absolute_embeddings\":true"], "use_absolute"),
        ("swin/classifier", ["\"mlp_ratio\":4.0", "\"mlp_ratio\":1e30"], "mlp_ratio"),
    ] {
        let error = refused(name, change);
        assert!(matches!(&error, EncoderError::Field { field, .. } if field.contains(said)), "{change:?}: {error}");
    }
    // Other sizes than the tensors have, and tensors that another network of the family has.
    for (name, change) in [
        ("resnet/timm_50", ["resnet50", "resnet18"]),
        ("resnet/timm_50", ["resnet50", "wide_resnet50_2"]),
        ("resnet/timm_50", ["[2,1,1,1]", "[1,1,1,1]"]),
        ("convnextv2/timm_tiny", ["convnextv2_tiny", "convnext_tiny"]),
        ("convnext/timm_tiny", ["convnext_tiny", "convnextv2_tiny"]),
        ("convnext/timm_tiny_hnf", ["convnext_tiny_hnf", "convnext_tiny"]),
        ("convnext/timm_large_mlp", ["\"head_hidden_size\":10", "\"head_hidden_size\":null"]),
        ("dinov3_convnext/tiny", ["dinov3_convnext", "convnext"]),
        ("swin/classifier", ["\"window_size\":4", "\"window_size\":3"]),
        ("swin/classifier", ["\"embed_dim\":4", "\"embed_dim\":16777216"]),
    ] {
        let error = refused(name, change);
        let of_tensors = matches!(
            error,
            EncoderError::Shape { .. } | EncoderError::MissingTensor { .. } | EncoderError::ExtraTensors { .. }
        );
        assert!(of_tensors, "{change:?}: {error}");
    }
    for change in [["\"num_heads\":[2,4]", "\"num_heads\":[3,4]"], ["\"window_size\":4", "\"window_size\":100000"]] {
        let error = refused("swin/classifier", change);
        assert!(matches!(error, EncoderError::Input { .. }), "{change:?}: {error}");
    }
}

#[test]
fn pictures_of_a_wrong_size_are_refused() {
    for name in ALL.into_iter().chain(["swin/timm"]) {
        let model = load(&Fixture::tiny(name), DType::F32);
        for shape in [vec![3, 32, 32], vec![1, 1, 32, 32], vec![1, 3, 0, 32], vec![0, 3, 32, 32]] {
            let pixels = Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu).unwrap();
            assert!(matches!(model.encode(&pixels), Err(EncoderError::Input { .. })), "{name} {shape:?}");
        }
        if !name.starts_with("resnet") {
            let narrow = Tensor::zeros((1, 3, 3, 64), DType::F32, &Device::Cpu).unwrap();
            assert!(matches!(model.encode(&narrow), Err(EncoderError::Input { .. })), "{name}");
        }
    }
    let swin = load(&Fixture::tiny("swin/timm"), DType::F32);
    let error = swin.encode(&Tensor::zeros((1, 3, 32, 64), DType::F32, &Device::Cpu).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the size of the pictures should be 32 x 32, but is 32 x 64");
}
