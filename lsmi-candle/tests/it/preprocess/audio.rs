//! The spectrogram of Whisper's own feature extractor, and sound files of all kinds.

use lsmi_candle::embedding::preprocess::PreprocessError;
use lsmi_candle::embedding::preprocess::audio::{Audio, FilterBank, LogMel, Settings, WindowShape};
use safetensors::SafeTensors;

use super::{fixture, floats, largest_difference};

const WHISPER: Settings = Settings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };

fn audio(name: &str) -> Audio {
    Audio::decode(name, fixture(name), 30.0).unwrap()
}

fn golden(name: &str) -> Vec<f32> {
    golden_of("whisper.safetensors", name)
}

fn golden_of(file: &str, name: &str) -> Vec<f32> {
    let file = fixture(file);
    floats(SafeTensors::deserialize(&file).unwrap().tensor(name).unwrap().data())
}

#[test]
fn the_spectrogram_is_whispers() {
    let audio = audio("sweep_noise.wav");
    assert_eq!((audio.rate(), audio.samples().len()), (16_000, 20_800));
    let spectrogram = LogMel::new(&WHISPER).unwrap().spectrogram(audio.samples()).unwrap();
    let difference = largest_difference(&spectrogram, &golden("unpadded"));
    // The golden was computed in single precision, which is off by 5e-6.
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn the_padded_spectrogram_is_whispers() {
    let spectrogram = WHISPER.prepare(&audio("sweep_noise.wav")).unwrap();
    assert_eq!(spectrogram.len(), 80 * 3000);
    let first: Vec<f32> = spectrogram.chunks_exact(3000).flat_map(|row| row[..132].to_vec()).collect();
    let golden = golden("padded");
    let difference = largest_difference(&first, &golden);
    assert!(difference < 1e-5, "{difference}");
    let silence = golden[golden.len() - 1];
    let rest = spectrogram.chunks_exact(3000).flat_map(|row| &row[132..]);
    assert!(rest.into_iter().all(|value| (value - silence).abs() < 1e-5));
}

#[test]
fn larger_models_have_128_bins() {
    let settings = Settings { mel_bins: 128, ..WHISPER };
    let spectrogram = settings.prepare(&audio("sweep_noise.wav")).unwrap();
    assert_eq!(spectrogram.len(), 128 * 3000);
    let greatest = spectrogram.iter().copied().fold(f32::MIN, f32::max);
    let least = spectrogram.iter().copied().fold(f32::MAX, f32::min);
    // Eight powers of ten, divided by four.
    assert!((greatest - least - 2.0).abs() < 1e-5, "{least} to {greatest}");
}

#[test]
fn the_filter_bank_is_kaldis() {
    let audio = audio("sweep_noise.wav");
    let narrow = FilterBank { mel_bins: 23, window: 256, hop: 80, shape: WindowShape::Povey, ..FilterBank::AUDIOSET };
    for (bank, name) in [(FilterBank::AUDIOSET, "audioset"), (narrow, "povey")] {
        let found = bank.of(audio.samples()).unwrap();
        assert_eq!(found.len(), bank.frames(20_800) * bank.mel_bins);
        let difference = largest_difference(&found, &golden_of("filter_bank.safetensors", name));
        // Of logarithms down to -16, which the golden has in double precision.
        assert!(difference < 5e-6, "{name}: {difference}");
    }
}

#[test]
fn compressed_audio_are_the_same_audio() {
    let wav = audio("sweep_noise.wav");
    assert_eq!(audio("sweep_noise.flac"), wav);
    // Lossy codecs keep the sweep, in its place, and change the noise.
    for name in ["sweep_noise.ogg", "sweep_noise.mp3"] {
        let lossy = audio(name);
        assert_eq!(lossy.rate(), 16_000);
        let pairs = || wav.samples().iter().zip(lossy.samples());
        let error = (pairs().map(|(a, b)| (a - b).powi(2)).sum::<f32>() / wav.samples().len() as f32).sqrt();
        assert!(error < 0.06, "{name} ({} samples): {error}", lossy.samples().len());
    }
}

/// A WAV file of 16-bit samples, `[frames, channels]`.
fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut format = [1_u16.to_le_bytes(), channels.to_le_bytes()].concat();
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(channels) * 2).to_le_bytes());
    format.extend([(channels * 2).to_le_bytes(), 16_u16.to_le_bytes()].concat());
    let chunk = |kind: &[u8], body: &[u8]| [kind, &(body.len() as u32).to_le_bytes(), body].concat();
    let body = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", &data)].concat();
    chunk(b"RIFF", &body)
}

#[test]
fn channels_become_their_mean_and_the_end_is_left() {
    let stereo = wav(8_000, 2, &[8192, 16384].repeat(4_000));
    let whole = Audio::decode("stereo", stereo.clone(), 30.0).unwrap();
    assert_eq!((whole.rate(), whole.samples()), (8_000, &[0.375; 4_000][..]));
    assert_eq!(Audio::decode("stereo", stereo, 0.1).unwrap().samples().len(), 800);
}

/// What a program leaves in a header that it cannot go back to.
#[test]
fn a_audio_that_was_written_to_a_pipe_is_whole() {
    let samples = [1_000, -2_000, 3_000, -4_000];
    let plain = wav(16_000, 1, &samples);
    let expected = Audio::decode("plain.wav", plain.clone(), 30.0).unwrap();
    for (whole, data) in [(u32::MAX, u32::MAX), (0, 0), (0x7FFF_F024, 0x7FFF_F000), (36, 0), (44, 4_000)] {
        let mut bytes = plain.clone();
        bytes[4..8].copy_from_slice(&u32::to_le_bytes(whole));
        bytes[40..44].copy_from_slice(&u32::to_le_bytes(data));
        assert_eq!(Audio::decode("streamed.wav", bytes, 30.0).unwrap(), expected, "{whole} {data}");
    }
    // A file that is shorter than it says is not.
    let mut cut = plain;
    cut[4..8].copy_from_slice(&4_036_u32.to_le_bytes());
    cut[40..44].copy_from_slice(&4_000_u32.to_le_bytes());
    assert!(Audio::decode("cut.wav", cut, 30.0).is_err());

    let shared = std::env::var_os("LSMI_SHARED").map(std::path::PathBuf::from);
    let shared = shared.unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let Ok(bytes) = std::fs::read(shared.join("field/media/streamed.wav")) else {
        assert!(std::env::var_os("LSMI_REQUIRE_FIELD").is_none(), "{} is not there", shared.display());
        return;
    };
    let audio = Audio::decode("streamed.wav", bytes, 30.0).unwrap();
    assert_eq!((audio.rate(), audio.samples().len()), (16_000, 16_000));
}

#[test]
fn audio_at_another_rate_gives_the_spectrogram_of_the_same_audio() {
    let tone = |rate: u32| {
        let value = |index: u32| (2.0 * std::f64::consts::PI * 700.0 * f64::from(index) / f64::from(rate)).sin();
        Audio::new("tone", rate, (0..rate * 2).map(|index| (value(index) * 0.5) as f32).collect()).unwrap()
    };
    let settings = Settings { seconds: 1.5, ..WHISPER };
    let expected = settings.prepare(&tone(16_000)).unwrap();
    let resampled = settings.prepare(&tone(44_100)).unwrap();
    // The first frames hold the edge, which rings; the loudest bins of the others must agree.
    let frames = settings.frames();
    for (index, (a, b)) in expected.iter().zip(&resampled).enumerate() {
        if index % frames > 4 && index % frames < frames - 4 && *a > 0.0 {
            assert!((a - b).abs() < 1e-3, "{index}: {a} {b}");
        }
    }
}

#[test]
fn what_is_no_audio_is_refused() {
    for bytes in [&b""[..], b"RIFF", b"hello, this is no sound", &[0; 5000]] {
        let error = Audio::decode("note.txt", bytes.to_vec(), 30.0).unwrap_err();
        assert!(error.to_string().contains("note.txt"), "{error}");
        assert!(matches!(error, PreprocessError::Format { .. } | PreprocessError::Audio { .. }), "{error:?}");
    }
    let image = Audio::decode("elephant.png", fixture("elephant.png"), 30.0);
    assert!(matches!(image, Err(PreprocessError::Format { .. })), "{image:?}");
}

#[test]
fn a_audio_without_samples_is_refused() {
    let error = Audio::decode("empty.wav", wav(16_000, 1, &[]), 30.0).unwrap_err();
    assert!(matches!(error, PreprocessError::NoSamples { .. }), "{error:?}");
    assert!(matches!(Audio::new("none", 16_000, vec![]), Err(PreprocessError::NoSamples { .. })));
    let error = Audio::new("bad", 16_000, vec![0.0, f32::NAN]).unwrap_err();
    assert!(matches!(error, PreprocessError::NotFinite { index: 1, .. }), "{error:?}");
    let error = Audio::decode("slow.wav", wav(10, 1, &[1, 2, 3]), 30.0).unwrap_err();
    assert!(matches!(error, PreprocessError::Rate { found: 10, .. }), "{error:?}");
    let short = LogMel::new(&WHISPER).unwrap().spectrogram(&[0.0; 200]);
    assert!(matches!(short, Err(PreprocessError::TooShort { found: 200, least: 201 })), "{short:?}");
}

#[test]
fn damaged_files_never_panic() {
    for name in ["sweep_noise.wav", "sweep_noise.flac", "sweep_noise.ogg", "sweep_noise.mp3"] {
        let bytes = fixture(name);
        // A short piece with the headers, so that many flips are quick.
        let piece = &bytes[..bytes.len().min(5_000)];
        let _ = Audio::decode(name, piece.to_vec(), 1.0);
        for index in (0..piece.len()).step_by(if name.ends_with("wav") { 101 } else { 7 }).chain(0..100) {
            let mut damaged = piece.to_vec();
            damaged[index] ^= 0xFF;
            let _ = Audio::decode(name, damaged, 1.0);
        }
    }
}
