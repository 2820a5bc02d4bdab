//! Picture transformers against the outputs of transformers and timm: SigLIP 2, DINOv2 with registers and of gated
//! perceptrons, DINOv3, and timm's ViT and EVA-02; and pictures as their programs prepare them.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::PathBuf;

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared};
use lsmi_candle::embedding::encoders::{Config, EncoderError, ImageEncoder, Pooling, image, text};
use lsmi_candle::embedding::manifests::{
    Architecture, Asked, Description, Modality, Preprocessing, Registry, of_directory,
};
use lsmi_candle::embedding::preprocess::image::{Filter, Image, Pixels, Resize, Settings};
use serde_json::{Value, json};

/// The references were computed in f32 with sums in another order, of values up to 5.
const TOLERANCE: f64 = 1e-5;

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn ImageEncoder> {
    image::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

/// Compares states, pooled vectors and means over the patches for pictures of several sizes.
fn check_sizes(name: &str, pooling: Pooling, sizes: usize, leading: usize) -> Box<dyn ImageEncoder> {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, DType::F32);
    for size in 0..sizes {
        let hidden = model.encode(fixture.get(&format!("{size}.pixels"))).unwrap();
        fixture.assert_close(&hidden.states, &format!("{size}.states"), TOLERANCE);
        let vectors = hidden.pool(pooling).unwrap();
        fixture.assert_close(&vectors, &format!("{size}.pooled"), TOLERANCE);
        assert_eq!(vectors.dims()[1], model.width(pooling).unwrap());
        let patches = hidden.states.narrow(1, leading, hidden.states.dims()[1] - leading).unwrap();
        let off = difference(&hidden.pool(Pooling::Mean).unwrap(), &patches.mean(1).unwrap());
        assert!(off < 1e-6, "the mean of {name}: {off}");
    }
    model
}

#[test]
fn dinov2_with_registers() {
    for (name, registers) in [("small", 4), ("giant", 4), ("classifier", 1)] {
        let model = check_sizes(&format!("dinov2_with_registers/{name}"), Pooling::Pooler, 3, 1 + registers);
        assert_eq!(model.pooling(), Pooling::Cls);
    }
}

#[test]
fn the_giant_dinov2_is_gated() {
    check_sizes("dinov2/giant", Pooling::Pooler, 3, 1);
}

/// A newer library may write the gate and what it lets through apart.
#[test]
fn gates_may_be_layers_of_their_own() {
    let fixture = Fixture::tiny("dinov2/giant");
    let tensors = candle_core::safetensors::load(fixture.folder.join("model.safetensors"), &Device::Cpu).unwrap();
    let apart = tensors.into_iter().flat_map(|(name, tensor)| match name.split_once("weights_in") {
        Some((block, field)) => {
            let halves = tensor.chunk(2, 0).unwrap();
            vec![
                (format!("{block}gate_proj{field}"), halves[0].contiguous().unwrap()),
                (format!("{block}up_proj{field}"), halves[1].contiguous().unwrap()),
            ]
        }
        None => vec![(name.replace("weights_out", "down_proj"), tensor)],
    });
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    candle_core::safetensors::save(&apart.collect(), &path).unwrap();
    let weights = lsmi_candle::embedding::encoders::Weights::read(&path, DType::F32, &Device::Cpu).unwrap();
    let model = image::load(&fixture.config("config.json"), &weights).unwrap();
    fixture.assert_close(&model.encode(fixture.get("1.pixels")).unwrap().states, "1.states", TOLERANCE);
}

#[test]
fn dinov3() {
    for name in ["small", "plus", "7b"] {
        let model = check_sizes(&format!("dinov3_vit/{name}"), Pooling::Pooler, 3, 5);
        assert_eq!(model.pooling(), Pooling::Cls);
        let error = model.encode(&Tensor::zeros((1, 3, 8, 7), DType::F32, &Device::Cpu).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the size of the pictures should be multiples of 2 pixels, but is 8 x 7");
    }
}

/// The reference is of one batch, padded and masked.
#[test]
fn siglip_2_for_pictures_of_any_aspect() {
    for name in ["naflex", "vision"] {
        let model = check_sizes(&format!("siglip2/{name}"), Pooling::Projection, 3, 0);
        assert_eq!(model.pooling(), Pooling::Projection);
    }
    let fixture = Fixture::tiny("siglip2/headless");
    let model = load(&fixture, DType::F32);
    assert_eq!(model.pooling(), Pooling::Mean);
    for size in 0..3 {
        let hidden = model.encode(fixture.get(&format!("{size}.pixels"))).unwrap();
        fixture.assert_close(&hidden.states, &format!("{size}.states"), TOLERANCE);
        assert!(matches!(hidden.pool(Pooling::Projection), Err(EncoderError::Pooling { .. })));
    }
}

#[test]
fn siglip_2_for_squares() {
    check_sizes("siglip2/square", Pooling::Projection, 1, 0);
}

#[test]
fn the_text_towers_of_siglip_2() {
    for name in ["naflex", "text", "square"] {
        let fixture = Fixture::tiny(&format!("siglip2/{name}"));
        let model = text::load(&fixture.config("config.json"), &fixture.weights(DType::F32)).unwrap();
        let ids = fixture.whole("text.ids");
        let hidden = model.encode(&ids, &ids.ones_like().unwrap(), None).unwrap();
        fixture.assert_close(&hidden.states, "text.states", TOLERANCE);
        let vectors = hidden.pool(model.pooling()).unwrap();
        fixture.assert_close(&vectors, "text.pooled", TOLERANCE);
        assert_eq!(vectors.dims()[1], model.width(Pooling::Projection).unwrap());
    }
}

const TIMM: [(&str, usize); 13] = [
    ("timm_vit/token", 1),
    ("timm_vit/registers", 5),
    ("timm_vit/mean", 1),
    ("timm_vit/placed", 1),
    ("timm_vit/clip", 1),
    ("timm_vit/query", 0),
    ("timm_vit/gap", 0),
    ("timm_vit/gated", 1),
    ("timm_vit/arguments", 1),
    ("timm_vit/wrapper", 1),
    ("timm_eva02/tiny", 1),
    ("timm_eva02/base", 1),
    ("timm_eva02/clip", 1),
];

#[test]
fn transformers_of_timm() {
    for (name, leading) in TIMM {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let hidden = model.encode(fixture.get("pixels")).unwrap();
        fixture.assert_close(&hidden.states, "states", TOLERANCE);
        let vectors = hidden.pool(model.pooling()).unwrap();
        fixture.assert_close(&vectors, "pooled", TOLERANCE);
        assert_eq!(vectors.dims()[1], model.width(model.pooling()).unwrap());
        let patches = hidden.states.narrow(1, leading, 16).unwrap();
        let off = difference(&hidden.pool(Pooling::Mean).unwrap(), &patches.mean(1).unwrap());
        assert!(off < 1e-6, "the mean of {name}: {off}");
        let has_class_token = !["timm_vit/mean", "timm_vit/placed", "timm_vit/query", "timm_vit/gap"].contains(&name);
        assert_eq!(model.width(Pooling::Cls).is_ok(), has_class_token, "{name}");
    }
}

#[test]
fn half_precision_is_near() {
    let names =
        ["dinov2_with_registers/giant", "dinov3_vit/plus", "siglip2/naflex", "timm_vit/query", "timm_eva02/clip"];
    for name in names {
        let fixture = Fixture::tiny(name);
        let pixels = if name.starts_with("timm") { "pixels" } else { "1.pixels" };
        let [exact, half] = [DType::F32, DType::F16].map(|dtype| {
            let model = load(&fixture, dtype);
            model.encode(fixture.get(pixels)).unwrap().pool(Pooling::Pooler).unwrap()
        });
        let off = difference(&exact, &half);
        assert!(off > 0.0 && off < 0.03, "{name}: {off}");
    }
}

/// A configuration with some of its fields changed; `a.b` is a field of a section.
fn changed(fixture: &Fixture, fields: &[(&str, Value)]) -> Config {
    let text = fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for (name, value) in fields {
        *config.pointer_mut(&format!("/{}", name.replace('.', "/"))).unwrap() = value.clone();
    }
    Config::parse("config.json", &config.to_string()).unwrap()
}

/// What is not built in, and what does not fit the weights, is refused by its name.
#[test]
fn other_models_are_refused() {
    for (name, field, value, said) in [
        ("dinov2_with_registers/small", "num_register_tokens", json!(3), "register_tokens"),
        ("dinov2_with_registers/small", "model_type", json!("dinov2"), "register_tokens"),
        ("dinov2_with_registers/small", "use_swiglu_ffn", json!(true), "mlp.gate_proj"),
        ("dinov2_with_registers/giant", "num_attention_heads", json!(3), "attention heads"),
        ("dinov2_with_registers/small", "image_size", json!(1), "position_embeddings"),
        ("dinov2_with_registers/small", "num_hidden_layers", json!(16_000_000), "encoder.layer.2."),
        ("dinov3_vit/small", "key_bias", json!(true), "k_proj.bias"),
        ("dinov3_vit/small", "use_gated_mlp", json!(true), "gate_proj"),
        ("dinov3_vit/small", "num_attention_heads", json!(8), "the width of an attention head"),
        ("dinov3_vit/small", "rope_theta", json!(0), "`rope_theta`"),
        ("dinov3_vit/7b", "query_bias", json!(true), "q_proj.bias"),
        ("siglip2/vision", "num_patches", json!(8), "`num_patches`"),
        ("siglip2/vision", "num_patches", json!(16), "position_embedding.weight"),
        ("siglip2/vision", "vision_use_head", json!(false), "head.probe"),
        ("siglip2/vision", "model_type", json!("siglip_vision_model"), "patch_embedding.weight"),
        ("timm_vit/token", "architecture", json!("vit_base_patch16_rpn_224"), "without `rpn`"),
        ("timm_vit/token", "architecture", json!("eva02_base_patch14_224"), "attn.q_bias"),
        ("timm_vit/token", "global_pool", json!("prr"), "`global_pool`"),
        ("timm_vit/token", "global_pool", json!("map"), "attn_pool."),
        ("timm_vit/gap", "global_pool", json!("token"), "there is no class token"),
        ("timm_vit/token", "num_features", json!(16), "norm.weight"),
        ("timm_vit/token", "model_args.num_heads", json!(3), "attention heads"),
        ("timm_vit/token", "model_args", json!({"pool_include_prefix": true}), "`model_args.pool_include_prefix`"),
        ("timm_vit/token", "model_args", json!({"act_layer": "mish"}), "`model_args.act_layer`"),
        ("timm_vit/token", "model_args", json!({"num_heads": 2}), "patch_embed.proj"),
        ("timm_vit/token", "pretrained_cfg.input_size", json!([3, 8, 10]), "`pretrained_cfg.input_size`"),
        ("timm_vit/token", "pretrained_cfg.input_size", json!([3, 10, 10]), "pos_embed"),
        ("timm_eva02/base", "architecture", json!("eva02_enormous_patch14_clip_224"), "without `enormous`"),
    ] {
        let fixture = Fixture::tiny(name);
        let config = changed(&fixture, &[(field, value)]);
        let error = image::load(&config, &fixture.weights(DType::F32)).map(|model| model.pooling()).unwrap_err();
        assert!(error.to_string().contains(said), "{name}, {field}: {error}");
    }
}

// ---------------------------------------------------------------------------------------------- pictures

fn picture(name: &str) -> Image {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess");
    Image::decode(name, &fs::read(folder.join(format!("{name}.png"))).unwrap()).unwrap()
}

fn levels_of(tensor: &Tensor) -> Vec<u8> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn pictures_are_prepared_as_by_timm() {
    let goldens = Fixture::tiny("pictures");
    for (name, fields) in [
        ("even_cut", json!({"input_size": [3, 24, 24], "crop_pct": 0.87, "interpolation": "bicubic"})),
        ("odd_cut", json!({"input_size": [3, 19, 19], "crop_pct": 0.95, "interpolation": "bilinear"})),
        (
            "squash",
            json!({"input_size": [3, 24, 24], "crop_pct": 1.0, "crop_mode": "squash", "interpolation": "lanczos"}),
        ),
        ("usual", json!({"input_size": [3, 14, 14]})),
    ] {
        let settings = Settings::from_timm(fields.as_object().unwrap()).unwrap();
        for of in ["elephant", "gradient"] {
            let found = settings.levels(&picture(of)).unwrap();
            assert_eq!(found, levels_of(goldens.get(&format!("{name}.{of}"))), "{name} of {of}");
            if name == "usual" {
                let values = settings.prepare(&picture(of)).unwrap().values;
                let values = Tensor::from_vec(values, (3, 14, 14), &Device::Cpu).unwrap();
                goldens.assert_close(&values, &format!("{name}.{of}.values"), 4e-7);
            }
        }
    }
}

#[test]
fn pictures_are_prepared_as_by_siglip_2() {
    let goldens = Fixture::tiny("pictures");
    let processor = r#"{"image_processor_type": "Siglip2ImageProcessorFast", "patch_size": 4, "max_num_patches": 64,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}"#;
    let settings = Settings::from_config(processor).unwrap();
    for of in ["elephant", "gradient"] {
        let golden = goldens.get(&format!("patches.{of}"));
        let Pixels { height, width, values } = settings.prepare(&picture(of)).unwrap();
        assert_eq!([3, height, width], golden.dims());
        assert_eq!(values.len(), 3 * height * width);
        assert_eq!(settings.levels(&picture(of)).unwrap(), levels_of(golden), "{of}");
    }
}

/// The processor of DINOv3 does not round to levels between resize and normalisation, unlike the program of its
/// authors.
#[test]
fn pictures_are_prepared_nearly_as_by_the_processor_of_dinov3() {
    let processor = r#"{"image_processor_type": "DINOv3ViTImageProcessorFast", "size": {"height": 16, "width": 16},
        "do_center_crop": null, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 2}"#;
    let settings = Settings::from_config(processor).unwrap();
    assert_eq!((settings.resize, settings.filter), (Resize::Exact, Filter::Bilinear));
    let values = settings.prepare(&picture("gradient")).unwrap().values;
    let values = Tensor::from_vec(values, (3, 16, 16), &Device::Cpu).unwrap();
    // A level, as either pass rounds.
    Fixture::tiny("pictures").assert_close(&values, "dinov3.gradient.values", 1.0 / 255.0 / 0.224);
}

/// A directory with a fixture's checkpoint and these files.
fn directory(fixture: &Fixture, files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture.folder.join(name), place.path().join(name)).unwrap();
    }
    for (name, content) in files {
        fs::write(place.path().join(name), content).unwrap();
    }
    place
}

/// Files of timm have no model type and no file of a processor.
#[test]
fn a_directory_of_timm_is_described_by_its_configuration() {
    for (name, architecture) in
        [("timm_vit/token", Architecture::TimmVit), ("timm_eva02/tiny", Architecture::TimmEva02)]
    {
        let fixture = Fixture::tiny(name);
        let place = directory(&fixture, &[]);
        let model = of_directory(place.path(), Asked::of(Modality::Image)).unwrap();
        assert_eq!(model.description.architecture, architecture);
        let Some(Preprocessing::Image(settings)) = &model.description.preprocessing else { panic!("no picture") };
        assert_eq!((settings.resize, settings.resize_to, settings.size), (Resize::ShortestEdgeEvenCut, 8, 8));
        let embedder = Embedder::load(&model, &Options::default(), &Device::Cpu).unwrap();
        let prepared = embedder.prepare_bytes("gradient.png", png("gradient")).unwrap();
        assert_eq!(embedder.embed(&[&prepared]).unwrap().len(), embedder.width());
        assert_eq!(embedder.provenance().pooling, "pooler");
    }
}

fn png(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess");
    fs::read(folder.join(format!("{name}.png"))).unwrap()
}

/// Pictures of several aspects in one batch are as each alone, in their order.
#[test]
fn a_batch_may_have_pictures_of_several_sizes() {
    let fixture = Fixture::tiny("siglip2/naflex");
    let processor = r#"{"patch_size": 2, "max_num_patches": 16, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5]}"#;
    let place = directory(&fixture, &[("preprocessor_config.json", processor)]);
    let model = of_directory(place.path(), Asked::of(Modality::Image)).unwrap();
    let embedder = Embedder::load(&model, &Options::default(), &Device::Cpu).unwrap();
    let [square, wide] = ["elephant", "gradient"].map(|name| embedder.prepare_bytes(name, png(name)).unwrap());
    let (Prepared::Image { height, width, .. }, 64) = (&wide, square.length()) else { panic!("{wide:?}") };
    assert!(height < width);
    let batch = [&wide, &square, &wide, &square];
    let together = embedder.embed(&batch).unwrap();
    for (row, (found, input)) in together.chunks_exact(embedder.width()).zip(batch).enumerate() {
        let alone = embedder.embed(&[input]).unwrap();
        assert!(found.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-6), "row {row}");
    }
    assert_ne!(together[..embedder.width()], together[embedder.width()..2 * embedder.width()]);
}

/// The wrapper of transformers repeats timm's fields in a file of its own, and a size may be an argument.
#[test]
fn how_timm_prepares_pictures_stands_in_several_places() {
    let prepared = |config: &str, files: &[(&str, &str)]| {
        let place = tempfile::tempdir().unwrap();
        for (name, content) in [("config.json", config), ("model.safetensors", "")].iter().chain(files) {
            fs::write(place.path().join(name), content).unwrap();
        }
        match of_directory(place.path(), Asked::of(Modality::Image)).unwrap().description.preprocessing {
            Some(Preprocessing::Image(settings)) => (settings.resize_to, settings.size),
            other => panic!("{other:?}"),
        }
    };
    let named = |rest: &str| format!(r#"{{"architecture": "vit_tiny_patch16_224", {rest}}}"#);
    let fixed = r#""pretrained_cfg": {"input_size": [3, 224, 224], "crop_pct": 0.9, "fixed_input_size": true}"#;
    assert_eq!(prepared(&named(fixed), &[]), (248, 224));
    assert_eq!(prepared(&named(&format!(r#"{fixed}, "model_args": {{"img_size": 384}}"#)), &[]), (426, 384));
    assert_eq!(prepared(&named(&format!(r#"{fixed}, "model_args": {{"img_size": [96, 96]}}"#)), &[]), (106, 96));
    // Old files have the fields at the top.
    assert_eq!(prepared(&named(r#""input_size": [3, 64, 64], "crop_pct": 1.0"#), &[]), (64, 64));
    let wrapped = r#"{"model_type": "timm_wrapper", "architecture": "vit_tiny_patch16_224"}"#;
    let processor = r#"{"image_processor_type": "TimmWrapperImageProcessor",
        "pretrained_cfg": {"input_size": [3, 32, 32], "crop_pct": 1.0}}"#;
    assert_eq!(prepared(wrapped, &[("preprocessor_config.json", processor)]), (32, 32));
}

/// What there is to take instead of a model of `open_clip` is said, wherever it is met.
#[test]
fn models_of_open_clip_are_named_as_such() {
    let said = |files: &[(&str, &str)]| {
        let place = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(place.path().join(name), content).unwrap();
        }
        of_directory(place.path(), Asked::of(Modality::Image)).unwrap_err().to_string()
    };
    let config = r#"{"model_cfg": {"embed_dim": 512, "vision_cfg": {"layers": 12}}, "preprocess_cfg": {}}"#;
    for files in [
        &[("open_clip_config.json", config), ("open_clip_model.safetensors", "")][..],
        &[("open_clip_config.json", config), ("model.safetensors", "")][..],
        &[("config.json", config), ("model.safetensors", "")][..],
    ] {
        let said = said(files);
        assert!(said.contains("models of open_clip are not read") && said.contains("openai/clip-vit"), "{said}");
    }
    let fixture = Fixture::tiny("timm_vit/token");
    let tensor = Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap();
    for name in ["visual.transformer.resblocks.0.ln_1.weight", "visual.trunk.pos_embed"] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("model.safetensors");
        candle_core::safetensors::save(&[(name, tensor.clone())].into(), &path).unwrap();
        let weights = lsmi_candle::embedding::encoders::Weights::read(&path, DType::F32, &Device::Cpu).unwrap();
        let config = fixture.config("config.json");
        let of_pictures = image::load(&config, &weights).map(|model| model.pooling());
        let of_texts = text::load(&config, &weights).map(|model| model.pooling());
        for error in [of_pictures, of_texts] {
            assert!(matches!(error, Err(EncoderError::OpenClip { .. })), "{name}: {error:?}");
        }
    }
}

/// SigLIP 2 was trained on lower-case texts, and its tokenizer does not see to it in every version of the library.
#[test]
fn texts_of_siglip_2_are_made_lower_case() {
    let lower_case = |model: &str, tokenizer: &str| {
        let place = tempfile::tempdir().unwrap();
        let config = format!(r#"{{"model_type": "{model}"}}"#);
        for (name, content) in [
            ("config.json", config.as_str()),
            ("model.safetensors", ""),
            ("tokenizer.json", "{}"),
            ("tokenizer_config.json", tokenizer),
        ] {
            fs::write(place.path().join(name), content).unwrap();
        }
        of_directory(place.path(), Asked::of(Modality::Text)).unwrap().description.text.lower_case
    };
    for (model, tokenizer, expected) in [
        ("siglip", r#"{"tokenizer_class": "GemmaTokenizerFast"}"#, true),
        ("siglip", r#"{"tokenizer_class": "GemmaTokenizer", "do_lower_case": true}"#, true),
        ("siglip_text_model", r#"{"tokenizer_class": "Siglip2Tokenizer"}"#, true),
        ("siglip", r#"{"tokenizer_class": "SiglipTokenizer"}"#, false),
        ("siglip2", "{}", true),
        ("siglip2", r#"{"tokenizer_class": "GemmaTokenizer"}"#, true),
        ("clip", r#"{"tokenizer_class": "GemmaTokenizer"}"#, false),
    ] {
        assert_eq!(lower_case(model, tokenizer), expected, "{model}: {tokenizer}");
    }
    let registry = Registry::built_in().unwrap();
    let of_manifest = Description::from(registry.get("siglip2-base-patch16-224-text").unwrap());
    assert_eq!((of_manifest.text.lower_case, of_manifest.text.max_tokens), (true, Some(64)));
}

/// The file of the tokenizer does not name the token that texts are filled up with, which the model looks at: the
/// configuration beside it does, and that of the network names another one.
#[test]
fn texts_of_siglip_2_are_filled_up_with_the_padding_of_their_tokenizer() {
    let fixture = Fixture::tiny("siglip2/text");
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<eos>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<eos>": {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]}}
        },
        "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "<eos>": 1, "<unk>": 3, "a": 5, "cat": 6}, "unk_token": "<unk>"}
    })
    .to_string();
    let files = [
        ("tokenizer.json", tokenizer.as_str()),
        ("tokenizer_config.json", r#"{"tokenizer_class": "GemmaTokenizer", "pad_token": "<pad>"}"#),
    ];
    let place = directory(&fixture, &files);
    let model = of_directory(place.path(), Asked::of(Modality::Text)).unwrap();
    let embedder = Embedder::load(&model, &Options { normalize: Some(false), ..Options::default() }, &Device::Cpu);
    let embedder = embedder.unwrap();
    let found = embedder.embed(&[&embedder.prepare_text("A CAT").unwrap()]).unwrap();
    let encoder = text::load(&fixture.config("config.json"), &fixture.weights(DType::F32)).unwrap();
    let ids = Tensor::from_vec(vec![5u32, 6, 1, 0, 0, 0, 0, 0], (1, 8), &Device::Cpu).unwrap();
    let hidden = encoder.encode(&ids, &ids.ones_like().unwrap(), None).unwrap();
    let expected: Vec<f32> = hidden.pool(Pooling::Projection).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
}
