//! Sound encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference, released};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{AudioEncoder, EncoderError, Pooling, audio, l2_normalise};
use lsmi_candle::embedding::preprocess::audio::{Audio, LogMelSettings};

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn AudioEncoder> {
    audio::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

#[test]
fn whisper() {
    let fixture = Fixture::tiny("tiny-whisper");
    let model = load(&fixture, DType::F32);
    let hidden = model.encode(fixture.get("input_features"), None).unwrap();
    fixture.assert_close(&hidden.states, "last_hidden_state", 1e-5);
    let vectors = hidden.pool(model.pooling()).unwrap();
    fixture.assert_close(&vectors, "mean_pooled", 1e-5);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "mean_pooled_l2", 1e-6);
    assert_eq!(model.width(Pooling::Mean).unwrap(), vectors.dims()[1]);
    assert!(matches!(model.width(Pooling::Cls), Err(EncoderError::Pooling { .. })));

    let half = load(&fixture, DType::F16).encode(fixture.get("input_features"), None).unwrap();
    let off = difference(&half.pool(Pooling::Mean).unwrap(), &vectors);
    assert!(off < 0.01, "{off}");
}

/// Weights are rounded to f16, values reach 6.5: the tolerance is that of sums in another order, 1500 positions long.
#[test]
fn whisper_tiny_from_a_file_to_a_vector() {
    let Some(folder) = released("whisper-tiny-en-encoder") else { return };
    let fixture = Fixture::at(folder);
    let model = load(&fixture, DType::F32);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/preprocess/sweep_noise.wav");
    let settings = LogMelSettings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };
    let audio = Audio::decode("sweep_noise.wav", std::fs::read(file).unwrap(), settings.seconds).unwrap();
    let features = Tensor::from_vec(settings.prepare(&audio).unwrap(), (1, 80, 3000), &Device::Cpu).unwrap();
    let hidden = model.encode(&features, None).unwrap();
    let vectors = hidden.pool(Pooling::Mean).unwrap();
    fixture.assert_close(&vectors, "mean_pooled", 1e-3);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "mean_pooled_l2", 1e-4);
    // The sound is 1.3 seconds of the 30: 130 frames, 65 positions.
    assert_eq!(settings.frames_of(audio.samples().len()), 130);
    let hidden = model.encode(&features, Some(&[settings.frames_of(audio.samples().len())])).unwrap();
    fixture.assert_close(&hidden.pool(Pooling::Mean).unwrap(), "mean_first_65", 1e-3);
}

#[test]
fn spectrograms_of_a_wrong_shape_are_refused() {
    let model = load(&Fixture::tiny("tiny-whisper"), DType::F32);
    for shape in [vec![80, 64], vec![1, 128, 64], vec![1, 80, 63], vec![0, 80, 64]] {
        let features = Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu).unwrap();
        let error = model.encode(&features, None).unwrap_err();
        assert!(matches!(error, EncoderError::Input { .. }), "{shape:?}: {error}");
    }
}

/// Padding is alike whatever the sound, so vectors that are of it too are alike.
#[test]
#[expect(clippy::cast_possible_truncation, reason = "sounds are single precision")]
fn unlike_audio_have_unlike_vectors() {
    let Some(folder) = released("whisper-tiny-en-encoder") else { return };
    let model = load(&Fixture::at(folder), DType::F32);
    let settings = LogMelSettings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };
    let seconds = (0..16_000).map(|sample| f64::from(sample) / 16_000.0);
    let tone = |hertz: f64| seconds.clone().map(|t| (0.3 * (hertz * t * std::f64::consts::TAU).sin()) as f32).collect();
    // Noise of a linear congruence, and clicks.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32
    };
    let noise: Vec<f32> = (0..16_000).map(|_| noise()).collect();
    let clicks: Vec<f32> = (0..16_000).map(|sample| if sample % 1600 == 0 { 0.9 } else { 0.0 }).collect();
    let audio: Vec<Vec<f32>> = vec![tone(220.0), tone(3000.0), noise, clicks];
    let unit =
        |vector: Tensor| -> Vec<f32> { l2_normalise(&vector).unwrap().flatten_all().unwrap().to_vec1().unwrap() };
    let (mut all, mut own) = (Vec::new(), Vec::new());
    for samples in audio {
        let audio = Audio::new("made here", 16_000, samples).unwrap();
        let features = Tensor::from_vec(settings.prepare(&audio).unwrap(), (1, 80, 3000), &Device::Cpu).unwrap();
        let frames = [settings.frames_of(audio.samples().len())];
        assert_eq!(frames, [100]);
        let hidden = model.encode(&features, Some(&frames)).unwrap();
        own.push(unit(hidden.pool(Pooling::Mean).unwrap()));
        all.push(unit(hidden.states.mean(1).unwrap()));
    }
    let likeness = |vectors: &[Vec<f32>]| {
        let pairs = (0..4).flat_map(|a| (0..a).map(move |b| (a, b)));
        let cosines = pairs.map(|(a, b)| vectors[a].iter().zip(&vectors[b]).map(|(a, b)| a * b).sum::<f32>());
        cosines.sum::<f32>() / 6.0
    };
    let (all, own) = (likeness(&all), likeness(&own));
    assert!(own < 0.85 && all > own + 0.1, "mean cosine of all positions {all}, of those of the sounds {own}");
}
