//! Encoders of samples, and the larger of Whisper, against what their library gives.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{EmbedError, Embedder, Options, Prepared, Preprocessing};
use lsmi_candle::embedding::encoders::{AudioEncoder, Config, EncoderError, Pooling, audio};
use lsmi_candle::embedding::manifests::{Asked, Modality, of_directory};
use lsmi_candle::embedding::preprocess::PreprocessError;
use lsmi_candle::embedding::preprocess::audio::{
    Audio, LogMel, LogMelSettings, Preparation, Settings, WaveformSettings, Windows,
};

use crate::golden::{Fixture, difference};

fn sound() -> Audio {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/preprocess/sweep_noise.wav");
    Audio::decode("sweep_noise.wav", fs::read(file).unwrap(), 30.0).unwrap()
}

/// The first samples of the piece of the sound that the references are of.
fn samples(count: usize) -> Vec<f32> {
    sound().samples()[8000..8000 + count].to_vec()
}

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn AudioEncoder> {
    audio::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

/// Two sounds, the shorter filled up with zeros.
fn batch(lengths: [usize; 2]) -> Tensor {
    let mut values = samples(lengths[0]);
    values.extend(samples(lengths[1]));
    values.resize(2 * lengths[0], 0.0);
    Tensor::from_vec(values, (2, lengths[0]), &Device::Cpu).unwrap()
}

#[track_caller]
fn agrees(name: &str, lengths: [usize; 2]) {
    let fixture = Fixture::tiny(name);
    let model = load(&fixture, DType::F32);
    let hidden = model.encode(&batch(lengths), Some(&lengths)).unwrap();
    let vectors = hidden.pool(model.pooling()).unwrap();
    assert_eq!(model.width(Pooling::Mean).unwrap(), vectors.dims()[1]);
    for (index, which) in ["long", "short"].into_iter().enumerate() {
        let expected = fixture.get(&format!("{which}.states"));
        let states = hidden.states.narrow(0, index, 1).unwrap().narrow(1, 0, expected.dims()[1]).unwrap();
        fixture.assert_close(&states, &format!("{which}.states"), 1e-5);
        fixture.assert_close(&vectors.narrow(0, index, 1).unwrap(), &format!("{which}.mean"), 1e-5);
    }
    // By itself a sound has the same states.
    let alone = model.encode(&batch(lengths).narrow(0, 1, 1).unwrap(), Some(&lengths[1..])).unwrap();
    assert!(alone.keep.is_none());
    fixture.assert_close(&alone.states, "short.states", 1e-5);
    let half = load(&fixture, DType::F16).encode(&batch(lengths), Some(&lengths)).unwrap();
    let off = difference(&half.pool(Pooling::Mean).unwrap(), &vectors);
    assert!(off < 0.02, "f16 is off by {off}");
}

const SMALL: [usize; 2] = [520, 330];

#[test]
fn wav2vec2() {
    agrees("wav2vec2/base", [2500, 1400]);
    for name in ["large", "recogniser", "classifier", "unispeech", "unispeech-sat"] {
        agrees(&format!("wav2vec2/{name}"), SMALL);
    }
}

#[test]
fn hubert() {
    for name in ["base", "large", "batch-norm", "no-projection-norm"] {
        agrees(&format!("hubert/{name}"), SMALL);
    }
}

#[test]
fn wavlm() {
    for name in ["base", "large", "speakers"] {
        agrees(&format!("wavlm/{name}"), SMALL);
    }
}

#[test]
fn data2vec_audio() {
    for name in ["base", "recogniser", "even"] {
        agrees(&format!("data2vec-audio/{name}"), SMALL);
    }
}

#[test]
fn whisper() {
    for name in ["large-v3", "distil", "classifier"] {
        let fixture = Fixture::tiny(&format!("whisper/{name}"));
        let features = fixture.get("features").to_dtype(DType::F32).unwrap();
        let hidden = load(&fixture, DType::F32).encode(&features, None).unwrap();
        fixture.assert_close(&hidden.states, "states", 1e-5);
    }
}

#[test]
fn samples_are_normalised_as_the_extractor_does() {
    let fixture = Fixture::tiny("wav2vec2/base");
    let settings = WaveformSettings { sample_rate: 16_000, seconds: 30.0, normalize: true };
    let values = settings.values(sound().samples());
    let every = Tensor::from_iter(values.into_iter().step_by(16), &Device::Cpu).unwrap();
    // The extractor sums in single precision.
    fixture.assert_close(&every, "normalised.every_16th", 1e-5);
}

#[test]
fn the_spectrogram_of_128_bins_is_whispers() {
    let fixture = Fixture::tiny("whisper/large-v3");
    let settings = LogMelSettings { sample_rate: 16_000, seconds: 30.0, mel_bins: 128, window: 400, hop: 160 };
    let spectrogram = LogMel::new(&settings).unwrap().spectrogram(sound().samples()).unwrap();
    let every: Vec<f32> = spectrogram.chunks_exact(130).flat_map(|row| row.iter().step_by(13)).copied().collect();
    let every = Tensor::from_vec(every, (128, 10), &Device::Cpu).unwrap();
    fixture.assert_close(&every, "spectrogram.every_13th", 1e-6);
}

#[test]
fn wrong_configurations_are_refused_by_name() {
    let fixture = Fixture::tiny("wav2vec2/base");
    let text = fs::read_to_string(fixture.folder.join("config.json")).unwrap();
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    fields.remove("model_type");
    let wrong = |changes: serde_json::Value| {
        let mut fields = fields.clone();
        fields.insert("model_type".to_owned(), "wav2vec2".into());
        fields.extend(changes.as_object().unwrap().clone());
        let config = Config::parse("config.json", &serde_json::Value::Object(fields).to_string()).unwrap();
        audio::load(&config, &fixture.weights(DType::F32)).err().unwrap().to_string()
    };
    for (changes, said) in [
        (serde_json::json!({"add_adapter": true}), "add_adapter"),
        (serde_json::json!({"adapter_attn_dim": 16}), "adapter_attn_dim"),
        (serde_json::json!({"feat_extract_norm": "batch"}), "feat_extract_norm"),
        (serde_json::json!({"conv_kernel": [10, 3]}), "conv_kernel"),
        (serde_json::json!({"conv_stride": [0, 2, 2, 2, 2, 2, 2]}), "conv_stride"),
        (serde_json::json!({"conv_stride": [5, 2, 2, 2, 2, 2, 16_000_000]}), "conv_stride"),
        (serde_json::json!({"conv_dim": []}), "conv_dim"),
        (serde_json::json!({"num_conv_pos_embedding_groups": 3}), "num_conv_pos_embedding_groups"),
        (serde_json::json!({"num_attention_heads": 3}), "heads"),
        (serde_json::json!({"hidden_act": "mish"}), "hidden_act"),
        (serde_json::json!({"num_hidden_layers": 16_000_000}), "encoder.layers.2"),
        (serde_json::json!({"num_hidden_layers": 1}), "encoder.layers.1"),
        (serde_json::json!({"conv_bias": true}), "conv.bias"),
        (serde_json::json!({"model_type": "wavlm"}), "gru_rel_pos"),
        (serde_json::json!({"model_type": "wavlm", "num_buckets": 3}), "num_buckets"),
        (serde_json::json!({"model_type": "wavlm", "max_bucket_distance": 80}), "max_bucket_distance"),
    ] {
        let error = wrong(changes);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn sounds_that_do_not_fit_are_refused() {
    let model = load(&Fixture::tiny("wav2vec2/base"), DType::F32);
    assert_eq!(model.least_frames(), 400);
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    for (shape, frames) in [
        (vec![1, 399], None),
        (vec![1, 1, 800], None),
        (vec![0, 800], None),
        (vec![2, 800], Some(vec![800])),
        (vec![1, 800], Some(vec![801])),
        (vec![1, 800], Some(vec![399])),
    ] {
        let error = model.encode(&zeros(&shape), frames.as_deref()).unwrap_err();
        assert!(matches!(error, EncoderError::Input { .. }), "{shape:?}: {error}");
    }
    assert_eq!(model.encode(&zeros(&[1, 400]), None).unwrap().states.dims(), [1, 1, 16]);
}

/// A folder with a checkpoint and how its sounds are prepared.
fn folder(name: &str, extractor: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(Fixture::tiny(name).folder.join(file), place.path().join(file)).unwrap();
    }
    fs::write(place.path().join("preprocessor_config.json"), extractor).unwrap();
    place
}

fn embedder(folder: &Path, windows: Windows) -> Embedder {
    let model = of_directory(folder, Asked::of(Modality::Audio)).unwrap();
    Embedder::load(&model, &Options { windows, ..Options::default() }, &Device::Cpu).unwrap()
}

/// A WAV file of one channel of 32-bit floating-point samples.
fn wav(samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let size = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let format = [&[3, 0, 1, 0][..], &16_000_u32.to_le_bytes(), &64_000_u32.to_le_bytes(), &[4, 0, 32, 0]].concat();
    let body = [b"WAVEfmt ", &size(16)[..], &format, b"data", &size(data.len()), &data].concat();
    [b"RIFF", &size(body.len())[..], &body].concat()
}

const NORMALISED: &str = r#"{"feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": true}"#;

/// A vector does not depend on the sounds beside it.
#[test]
fn a_file_becomes_the_vector_of_the_encoder() {
    let place = folder("wav2vec2/base", NORMALISED);
    let embedder = embedder(place.path(), Windows::First);
    let [long, short] = [2500, 1400].map(|count| embedder.prepare_bytes("a.wav", wav(&samples(count))).unwrap());
    let together = embedder.embed(&[&long, &short]).unwrap();
    let alone = embedder.embed(&[&short]).unwrap();
    let close = |found: &[f32], expected: &[f32]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close(&together[16..], &alone), "{together:?} {alone:?}");

    let settings = WaveformSettings { sample_rate: 16_000, seconds: 30.0, normalize: true };
    let values = Tensor::from_vec(settings.values(&samples(2500)), (1, 2500), &Device::Cpu).unwrap();
    let hidden = load(&Fixture::tiny("wav2vec2/base"), DType::F32).encode(&values, None).unwrap();
    let expected = hidden.pool(Pooling::Mean).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(close(&together, &expected), "{together:?} {expected:?}");
    let told = serde_json::to_value(embedder.provenance()).unwrap()["preprocessing"].clone();
    let expected = serde_json::json!({
        "kind": "waveform", "sample_rate": 16_000, "seconds": 30.0, "normalize": true, "padding_left_out": true,
        "windows": "first"
    });
    assert_eq!(told, expected);
}

/// A little more than two windows of 30 seconds.
#[test]
fn long_sounds_are_cut_or_averaged() {
    let place = folder("hubert/base", NORMALISED);
    let [second, short] = [16_000, 4_000].map(|count| samples(count.min(8_000)).repeat(count.div_ceil(8_000)));
    let first: Vec<f32> = second.iter().map(|sample| sample * sample).collect();
    // Windows of a second: the manifest of a user says so.
    let manifest = r#"
        name = "short-windows"
        repository = "nobody/nothing"
        architecture = "hubert"
        modality = "audio"
        embedding_width = 16
        pooling = "mean"
        normalize = true
        licence = "MIT"
        citation = ["none"]
        preprocessing = { kind = "waveform", sample_rate = 16000, seconds = 1, normalize = true }
        files = [{ path = "config.json" }, { path = "model.safetensors" }]
    "#;
    fs::write(place.path().join("manifest.toml"), manifest).unwrap();
    let all = [first.clone(), second.clone(), short.clone()].concat();

    let cut = embedder(place.path(), Windows::First);
    let prepared = cut.prepare_bytes("long.wav", wav(&all)).unwrap();
    assert!(prepared.is_truncated());
    let alone = cut.prepare_bytes("first.wav", wav(&first)).unwrap();
    assert!(!alone.is_truncated());
    assert_eq!(cut.embed(&[&prepared]).unwrap(), cut.embed(&[&alone]).unwrap());

    let averaged = embedder(place.path(), Windows::Mean);
    let prepared = averaged.prepare_bytes("long.wav", wav(&all)).unwrap();
    assert!(!prepared.is_truncated());
    let Prepared::Parts { parts: windows, .. } = &prepared else { panic!("no sound") };
    assert_eq!(windows.iter().map(|window| window.frames).collect::<Vec<_>>(), [16_000, 16_000, 4_000]);
    let found = averaged.embed(&[&alone, &prepared]).unwrap();
    // The mean is of what comes out of the pooling; the length of the vector is one afterwards.
    let encoder = load(&Fixture::tiny("hubert/base"), DType::F32);
    let settings = WaveformSettings { sample_rate: 16_000, seconds: 1.0, normalize: true };
    let mut mean = [0.0; 16];
    for (part, weight) in [(&first, 4.0 / 9.0), (&second, 4.0 / 9.0), (&short, 1.0 / 9.0)] {
        let values = Tensor::from_vec(settings.values(part), (1, part.len()), &Device::Cpu).unwrap();
        let vector = encoder.encode(&values, None).unwrap().pool(Pooling::Mean).unwrap();
        let vector = vector.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        mean.iter_mut().zip(vector).for_each(|(mean, value)| *mean += weight * value);
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    for (found, expected) in found[16..].iter().zip(mean) {
        assert!((found - expected / length).abs() < 1e-6, "{found} {expected}");
    }
    assert_eq!(found[..16], cut.embed(&[&alone]).unwrap());
    let Preprocessing::Audio { windows, .. } = averaged.provenance().preprocessing else { panic!("no sound") };
    assert_eq!(windows, Windows::Mean);

    // A rest of less than a tenth of a second is left out beside others.
    let rest = [&all[..33_599], &[0.0; 0]].concat();
    let Prepared::Parts { parts: windows, .. } = averaged.prepare_bytes("rest.wav", wav(&rest)).unwrap() else {
        panic!("no sound")
    };
    assert_eq!(windows.len(), 2);
}

#[test]
fn bad_sounds_are_named() {
    let place = folder("wav2vec2/base", NORMALISED);
    for windows in [Windows::First, Windows::Mean] {
        let embedder = embedder(place.path(), windows);
        let error = |samples: &[f32]| embedder.prepare_bytes("bad.wav", wav(samples)).unwrap_err();
        assert!(matches!(error(&[]), EmbedError::Preprocess(PreprocessError::NoSamples { .. })), "{}", error(&[]));
        let short = error(&[0.5; 399]);
        assert!(
            matches!(short, EmbedError::Preprocess(PreprocessError::TooFewFrames { found: 399, least: 400, .. })),
            "{short}"
        );
        let unknown = error(&[vec![0.5; 700], vec![f32::NAN]].concat());
        assert!(matches!(unknown, EmbedError::Preprocess(PreprocessError::NotFinite { index: 700, .. })), "{unknown}");
        for error in [error(&[]), short, unknown] {
            assert!(error.to_string().contains("bad.wav"), "{error}");
        }
        assert!(embedder.prepare_bytes("silence.wav", wav(&[0.0; 400])).is_ok());
    }
}

#[test]
fn how_samples_are_prepared_must_be_said() {
    let place = folder("wav2vec2/base", "{}");
    let model = of_directory(place.path(), Asked::of(Modality::Audio)).unwrap();
    // Without a word of its class the extractor is that of the architecture.
    assert!(Embedder::load(&model, &Options::default(), &Device::Cpu).is_ok());
    fs::remove_file(place.path().join("preprocessor_config.json")).unwrap();
    let model = of_directory(place.path(), Asked::of(Modality::Audio)).unwrap();
    let error = Embedder::load(&model, &Options::default(), &Device::Cpu).err().unwrap().to_string();
    assert!(error.contains("how sounds are prepared"), "{error}");
}

#[test]
fn whispers_windows_are_averaged() {
    let settings = LogMelSettings { sample_rate: 16_000, seconds: 0.5, mel_bins: 80, window: 400, hop: 160 };
    let preparation = Preparation::new(Settings::LogMel(settings.clone())).unwrap();
    let windows = preparation.windows(&sound(), Windows::Mean).unwrap();
    let told: Vec<_> = windows.iter().map(|window| (window.frames, window.weight)).collect();
    assert_eq!(told, [(50, 8_000.0), (50, 8_000.0), (30, 4_800.0)]);
    let second = Audio::new("second", 16_000, sound().samples()[8_000..16_000].to_vec()).unwrap();
    assert_eq!(windows[1].values, settings.prepare(&second).unwrap());
    assert!(windows.iter().all(|window| window.values.len() == 80 * 50));
}
