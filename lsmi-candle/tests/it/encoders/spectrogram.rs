//! Encoders of filter banks and spectrograms, and the text tower of one, against the library that their checkpoints
//! come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options};
use lsmi_candle::embedding::encoders::{
    AudioEncoder, Config, EncoderError, Pooling, Weights, audio, l2_normalise, text,
};
use lsmi_candle::embedding::manifests::{Asked, Modality, of_directory};
use lsmi_candle::embedding::preprocess::audio::{Audio, Preparation, Settings, Windows};

use crate::golden::{Fixture, difference};

/// The reference was computed in f32 with sums in another order, or in f64.
const TOLERANCE: f64 = 1e-5;

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn AudioEncoder> {
    audio::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

#[test]
fn ast() {
    for name in ["classifier", "steps", "apart", "biasless"] {
        let fixture = Fixture::tiny(&format!("ast/{name}"));
        let model = load(&fixture, DType::F32);
        let hidden = model.encode(fixture.get("features"), None).unwrap();
        fixture.assert_close(&hidden.states, "states", TOLERANCE);
        assert_eq!(model.pooling(), Pooling::Pooler);
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "pooled", TOLERANCE);
        assert_eq!(model.width(Pooling::Pooler).unwrap(), 16);
        // The mean is over the patches alone.
        let (_, length, _) = hidden.states.dims3().unwrap();
        let patches = hidden.states.narrow(1, 2, length - 2).unwrap().mean(1).unwrap();
        assert!(difference(&hidden.pool(Pooling::Mean).unwrap(), &patches) < 1e-6);
        assert!(matches!(model.width(Pooling::Projection), Err(EncoderError::Pooling { .. })));

        let half = load(&fixture, DType::F16).encode(fixture.get("features"), None).unwrap();
        let off = difference(&half.pool(Pooling::Pooler).unwrap(), fixture.get("pooled"));
        assert!(off < 0.02, "{name}: {off}");
    }
}

/// Sounds number 0 and 2 of the model with fusion are longer than it takes, which it is told by their frames.
#[test]
fn clap_sounds() {
    for (name, projection) in
        [("unfused", true), ("fused", true), ("larger", true), ("audio-projection", true), ("audio-bare", false)]
    {
        let fixture = Fixture::tiny(&format!("clap/{name}"));
        let model = load(&fixture, DType::F32);
        let frames = (name == "fused").then_some(&[127, 126, 4000][..]);
        let hidden = model.encode(fixture.get("features"), frames).unwrap();
        fixture.assert_close(&hidden.states, "states", TOLERANCE);
        let pooled = hidden.pool(Pooling::Pooler).unwrap();
        fixture.assert_close(&pooled, "pooled", TOLERANCE);
        assert_eq!(model.width(Pooling::Pooler).unwrap(), pooled.dims()[1]);
        assert!(difference(&hidden.pool(Pooling::Mean).unwrap(), &pooled) < 1e-6);
        assert_eq!(model.pooling(), if projection { Pooling::Projection } else { Pooling::Pooler });
        if projection {
            let projected = hidden.pool(Pooling::Projection).unwrap();
            fixture.assert_close(&projected, "projected", TOLERANCE);
            assert_eq!(model.width(Pooling::Projection).unwrap(), projected.dims()[1]);
        } else {
            assert!(matches!(model.width(Pooling::Projection), Err(EncoderError::Pooling { .. })));
        }

        let half = load(&fixture, DType::F16).encode(fixture.get("features"), frames).unwrap();
        let off = difference(&half.pool(Pooling::Pooler).unwrap(), &pooled);
        assert!(off < 0.02, "{name}: {off}");
    }
}

/// Chunks of a sound that is not longer than the model takes are not looked at; those of a longer one are.
#[test]
fn chunks_are_of_longer_sounds() {
    let fixture = Fixture::tiny("clap/fused");
    let model = load(&fixture, DType::F32);
    let features = fixture.get("features").to_dtype(DType::F32).unwrap();
    let first = features.narrow(1, 0, 1).unwrap();
    let silent = Tensor::cat(&[&first, &features.narrow(1, 1, 3).unwrap().zeros_like().unwrap()], 1).unwrap();
    let vectors = |features: &Tensor, frames: Option<&[usize]>| {
        model.encode(features, frames).unwrap().pool(Pooling::Projection).unwrap()
    };
    let without = vectors(&features, None);
    assert_eq!(difference(&without, &vectors(&silent, Some(&[126; 3]))), 0.0);
    assert!(difference(&without, &vectors(&features, Some(&[127; 3]))) > 1e-3);
    assert!(difference(&vectors(&silent, Some(&[127; 3])), &vectors(&features, Some(&[127; 3]))) > 1e-3);
    let error = model.encode(&features, Some(&[127; 2])).unwrap_err();
    assert!(matches!(error, EncoderError::Input { .. }), "{error}");
}

#[test]
fn clap_texts() {
    for (name, projection) in
        [("unfused", true), ("fused", true), ("larger", true), ("text-projection", true), ("text-bare", false)]
    {
        let fixture = Fixture::tiny(&format!("clap/{name}"));
        let model = text::load(&fixture.config("config.json"), &fixture.weights(DType::F32)).unwrap();
        let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
        let hidden = model.encode(&ids, &mask, None).unwrap();
        let keep = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
        fixture.assert_close(&hidden.states.broadcast_mul(&keep).unwrap(), "text_states", TOLERANCE);
        fixture.assert_close(&hidden.pool(Pooling::Pooler).unwrap(), "text_pooled", TOLERANCE);
        assert_eq!(model.pooling(), if projection { Pooling::Projection } else { Pooling::Pooler });
        assert_eq!((model.max_tokens(), model.padding_token()), (18, Some(1)));
        if projection {
            let projected = hidden.pool(Pooling::Projection).unwrap();
            fixture.assert_close(&projected, "text_projected", TOLERANCE);
            assert_eq!(model.width(Pooling::Projection).unwrap(), projected.dims()[1]);
        } else {
            assert!(matches!(model.width(Pooling::Projection), Err(EncoderError::Pooling { .. })));
        }
        // The second text without its padding.
        let alone = |tensor: &Tensor| tensor.narrow(0, 1, 1).unwrap().narrow(1, 0, 4).unwrap().contiguous().unwrap();
        let alone = model.encode(&alone(&ids), &alone(&mask), None).unwrap().pool(Pooling::Pooler).unwrap();
        let off = difference(&alone, &hidden.pool(Pooling::Pooler).unwrap().narrow(0, 1, 1).unwrap());
        assert!(off < 1e-6, "{name}: {off}");
    }
}

#[test]
fn spectrograms_of_a_wrong_shape_are_refused() {
    for (name, shapes) in [
        ("ast/steps", [vec![12, 30], vec![1, 12, 29], vec![1, 12, 31], vec![1, 30, 12], vec![0, 12, 30]]),
        ("clap/unfused", [vec![1, 4, 8, 100], vec![1, 8, 129], vec![1, 8, 0], vec![1, 9, 100], vec![0, 8, 100]]),
        (
            "clap/fused",
            [vec![1, 8, 100], vec![1, 4, 8, 129], vec![1, 3, 8, 100], vec![1, 4, 9, 100], vec![0, 4, 8, 100]],
        ),
    ] {
        let model = load(&Fixture::tiny(name), DType::F32);
        for shape in shapes {
            let features = Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu).unwrap();
            let error = model.encode(&features, None).unwrap_err();
            assert!(matches!(error, EncoderError::Input { .. }), "{name} {shape:?}: {error}");
        }
    }
}

/// The error of a checkpoint whose configuration has one text replaced by another.
fn refused(name: &str, from: &str, to: &str) -> String {
    let fixture = Fixture::tiny(name);
    let text = fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    let config = Config::parse("config.json", &text.replacen(from, to, 1)).unwrap();
    audio::load(&config, &fixture.weights(DType::F32)).err().unwrap().to_string()
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    for (name, from, to, said) in [
        ("ast/steps", r#""patch_size": 6"#, r#""patch_size": 13"#, "`patch_size`"),
        ("ast/steps", r#""patch_size": 6"#, r#""patch_size": 5"#, "projection.weight"),
        ("ast/steps", r#""time_stride": 4"#, r#""time_stride": 0"#, "`time_stride`"),
        ("ast/steps", r#""time_stride": 4"#, r#""time_stride": 3"#, "position_embeddings"),
        ("ast/steps", r#""hidden_act": "gelu""#, r#""hidden_act": "snake""#, "`hidden_act`"),
        ("ast/steps", r#""num_attention_heads": 2"#, r#""num_attention_heads": 3"#, "attention heads"),
        ("ast/steps", r#""num_hidden_layers": 2"#, r#""num_hidden_layers": 1"#, "encoder.layer.1"),
        ("clap/unfused", r#""window_size": 4"#, r#""window_size": 0"#, "audio_config.window_size"),
        ("clap/unfused", r#""window_size": 4"#, r#""window_size": 65"#, "windows"),
        ("clap/unfused", r#""window_size": 4"#, r#""window_size": 5"#, "relative_position_bias_table"),
        ("clap/unfused", r#""num_mel_bins": 8"#, r#""num_mel_bins": 7"#, "audio_config.spec_size"),
        ("clap/unfused", r#""spec_size": 32"#, r#""spec_size": 8000000"#, "audio_config.spec_size"),
        ("clap/unfused", r#""patch_size": 4"#, r#""patch_size": [2, 4]"#, "audio_config.patch_size"),
        ("clap/unfused", r#""patch_size": 4"#, r#""patch_size": [4]"#, "audio_config.patch_size"),
        ("clap/unfused", r#""mlp_ratio": 2.0"#, r#""mlp_ratio": -2.0"#, "audio_config.mlp_ratio"),
        ("clap/unfused", r#""mlp_ratio": 2.0"#, r#""mlp_ratio": 2.5"#, "intermediate.dense"),
        (
            "clap/unfused",
            r#""enable_patch_layer_norm": true"#,
            r#""enable_patch_layer_norm": false"#,
            "patch_embed.norm",
        ),
        ("clap/unfused", r#""flatten_patch_embeds": true"#, r#""flatten_patch_embeds": false"#, "flatten_patch_embeds"),
        ("clap/unfused", r#""enable_fusion": false"#, r#""enable_fusion": true"#, "mel_conv2d"),
        ("clap/fused", r#""enable_fusion": true"#, r#""enable_fusion": false"#, "fusion_model"),
        ("clap/fused", r#""fusion_type": null"#, r#""fusion_type": "channel_map""#, "audio_config.fusion_type"),
        ("clap/fused", r#""aff_block_r": 2"#, r#""aff_block_r": 9"#, "audio_config.aff_block_r"),
        ("clap/fused", r#""aff_block_r": 2"#, r#""aff_block_r": 4"#, "local_att"),
    ] {
        let error = refused(name, from, to);
        assert!(error.contains(said), "{name} with {to}: {error}");
    }
    let several = r#""depths": []"#;
    let text = fs::read_to_string(Fixture::tiny("clap/unfused").folder.join("config.json")).unwrap();
    let compact: String = text.split_whitespace().collect();
    let config = compact.replace(r#""depths":[2,1]"#, several);
    assert_ne!(config, compact);
    let weights = Fixture::tiny("clap/unfused").weights(DType::F32);
    let error = audio::load(&Config::parse("config.json", &config).unwrap(), &weights).err().unwrap().to_string();
    assert!(error.contains("depths"), "{error}");
}

#[test]
fn a_checkpoint_that_lacks_a_tensor_or_has_another_is_refused() {
    for (name, missing, known) in [
        ("ast/classifier", "audio_spectrogram_transformer.embeddings.distillation_token", "layernorm.weight"),
        ("clap/fused", "audio_model.audio_encoder.batch_norm.running_var", "audio_model.audio_encoder.norm.bias"),
    ] {
        let fixture = Fixture::tiny(name);
        let config = fixture.config("config.json");
        let path = fixture.folder.join("model.safetensors");
        let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
        let error = |tensors: &std::collections::HashMap<String, Tensor>| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model.safetensors");
            candle_core::safetensors::save(tensors, &path).unwrap();
            let weights = Weights::read(&path, DType::F32, &Device::Cpu).unwrap();
            audio::load(&config, &weights).err().unwrap().to_string()
        };
        let mut without = tensors.clone();
        assert!(without.remove(missing).is_some());
        assert!(error(&without).contains(missing.rsplit_once('.').unwrap().1), "{name}");
        let mut with = tensors.clone();
        let stranger = "audio_model.audio_encoder.another.weight";
        let some = tensors.iter().find(|(tensor, _)| tensor.ends_with(known)).unwrap().1.clone();
        with.insert(stranger.to_owned(), some);
        assert!(error(&with).contains(stranger), "{name}");
    }
}

/// A folder with a tiny model, and how its sounds are prepared, from a file to a vector.
#[test]
fn a_folder_says_how_its_sounds_are_prepared() {
    let wav = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/preprocess/sweep_noise.wav");
    // The sound is of 1.3 seconds.
    let clap = |truncation: &str| {
        format!(
            r#"{{"feature_extractor_type": "ClapFeatureExtractor", "feature_size": 8, "sampling_rate": 16000,
                "fft_window_size": 512, "hop_length": 160, "max_length_s": 0.7, "frequency_min": 50,
                "frequency_max": 7000, "padding": "repeatpad", "truncation": "{truncation}"}}"#
        )
    };
    let ast = r#"{"feature_extractor_type": "ASTFeatureExtractor", "sampling_rate": 16000, "num_mel_bins": 12,
        "max_length": 30, "mean": -4.0, "std": 2.5}"#;
    for (name, preparation, shape, frames, windows) in [
        ("ast/steps", ast.to_owned(), vec![1, 12, 30], 30, Windows::First),
        ("clap/unfused", clap("rand_trunc"), vec![1, 8, 71], 71, Windows::First),
        ("clap/fused", clap("fusion"), vec![1, 4, 8, 71], 131, Windows::Mean),
    ] {
        let fixture = Fixture::tiny(name);
        let folder = tempfile::tempdir().unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::copy(fixture.folder.join(file), folder.path().join(file)).unwrap();
        }
        fs::write(folder.path().join("preprocessor_config.json"), &preparation).unwrap();
        let resolved = of_directory(folder.path(), Asked::of(Modality::Audio)).unwrap();
        let embedder = Embedder::load(&resolved, &Options { windows, ..Options::default() }, &Device::Cpu).unwrap();
        let found = embedder.embed(&[&embedder.prepare_file(wav.as_ref()).unwrap()]).unwrap();

        let audio = Audio::decode("sweep_noise.wav", fs::read(wav).unwrap(), 30.0).unwrap();
        let preparation = Preparation::new(Settings::from_config(&preparation).unwrap()).unwrap();
        let window = preparation.windows(&audio, Windows::First).unwrap().remove(0);
        assert_eq!(window.frames, frames, "{name}");
        let features = Tensor::from_vec(window.values, shape, &Device::Cpu).unwrap();
        let model = load(&fixture, DType::F32);
        let hidden = model.encode(&features, Some(&[frames])).unwrap();
        let pooled = hidden.pool(model.pooling()).unwrap();
        // Projections are compared by their angles, so they are brought to length one where nothing else is said.
        let expected = if model.pooling() == Pooling::Projection { l2_normalise(&pooled).unwrap() } else { pooled };
        assert_eq!(found, expected.flatten_all().unwrap().to_vec1::<f32>().unwrap(), "{name}");
        assert!(!model.leaves_padding_out());
    }
}
