//! Sound encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

mod golden;

use candle_core::{DType, Device, Tensor};
use golden::{Fixture, difference, released};
use lsmi_candle::encoders::{EncoderError, Pooling, SoundEncoder, l2_normalise, sound};
use lsmi_candle::preprocess::sound::{Settings, Sound};

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn SoundEncoder> {
    sound::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
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
    let settings = Settings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };
    let sound = Sound::decode("sweep_noise.wav", std::fs::read(file).unwrap(), settings.seconds).unwrap();
    let features = Tensor::from_vec(settings.prepare(&sound).unwrap(), (1, 80, 3000), &Device::Cpu).unwrap();
    let hidden = model.encode(&features, None).unwrap();
    let vectors = hidden.pool(Pooling::Mean).unwrap();
    fixture.assert_close(&vectors, "mean_pooled", 1e-3);
    fixture.assert_close(&l2_normalise(&vectors).unwrap(), "mean_pooled_l2", 1e-4);
    // The sound is 1.3 seconds of the 30: 130 frames, 65 positions.
    assert_eq!(settings.frames_of(&sound), 130);
    let hidden = model.encode(&features, Some(&[settings.frames_of(&sound)])).unwrap();
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
