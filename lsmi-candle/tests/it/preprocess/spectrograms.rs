//! Filter banks and spectrograms as the extractors of AST and CLAP make them.

use lsmi_candle::embedding::preprocess::PreprocessError;
use lsmi_candle::embedding::preprocess::audio::{
    Audio, ClapSettings, Filling, FilterBank, FilterBankSettings, Form, Preparation, Settings, Window, WindowShape,
    Windows,
};
use safetensors::SafeTensors;

use super::{fixture, floats, largest_difference};

const CLAP: ClapSettings = ClapSettings {
    sample_rate: 16_000,
    seconds: 1.0,
    mel_bins: 64,
    window: 1024,
    hop: 480,
    lowest: 50.0,
    highest: 7_000.0,
    filling: Filling::RepeatPad,
    fusion: false,
};

/// The first samples of the sound.
fn sound(length: usize) -> Audio {
    let whole = Audio::decode("sweep_noise.wav", fixture("sweep_noise.wav"), 30.0).unwrap();
    Audio::new("a piece", whole.rate(), whole.samples()[..length].to_vec()).unwrap()
}

fn golden(file: &str, name: &str) -> Vec<f32> {
    let file = fixture(file);
    floats(SafeTensors::deserialize(&file).unwrap().tensor(name).unwrap().data())
}

/// Every `step`-th frame of values `[planes, bins, frames]`, as the goldens have them: `[planes, frames, bins]`.
fn some_frames(values: &[f32], [planes, bins]: [usize; 2], step: usize) -> Vec<f32> {
    let plane = values.len() / planes;
    let frames = plane / bins;
    let value = |plane: &[f32], frame: usize, bin: usize| plane[bin * frames + frame];
    let mut some = Vec::new();
    for plane in values.chunks_exact(plane) {
        for frame in (0..frames).step_by(step) {
            some.extend((0..bins).map(|bin| value(plane, frame, bin)));
        }
    }
    some
}

fn windows(settings: &Settings, audio: &Audio, windows: Windows) -> Vec<Window> {
    let preparation = Preparation::new(settings.clone()).unwrap();
    let found = preparation.windows(audio, windows).unwrap();
    let Form::Fixed(shape) = preparation.form() else { panic!("no fixed form") };
    assert!(found.iter().all(|window| window.values.len() == shape.iter().product::<usize>()));
    found
}

#[test]
fn the_filter_bank_is_kaldis() {
    let audio = sound(20_800);
    let narrow = FilterBank { mel_bins: 23, window: 256, hop: 80, shape: WindowShape::Povey, ..FilterBank::AUDIOSET };
    for (bank, name, step) in [(FilterBank::AUDIOSET, "audioset", 5), (narrow, "povey", 9)] {
        let found = bank.of(audio.samples()).unwrap();
        assert_eq!(found.len(), bank.frames(20_800) * bank.mel_bins);
        let some: Vec<f32> = found.chunks_exact(bank.mel_bins).step_by(step).flatten().copied().collect();
        let difference = largest_difference(&some, &golden("filter_bank.safetensors", name));
        // Of logarithms down to -16, which the golden has in double precision.
        assert!(difference < 5e-6, "{name}: {difference}");
    }
}

#[test]
fn filter_banks_are_filled_up_cut_and_normalised_as_asts() {
    let settings = |frames| {
        Settings::FilterBank(FilterBankSettings {
            sample_rate: 16_000,
            mel_bins: 128,
            frames,
            mean: -6.845_978,
            std: 2.0 * 5.565_452_6,
        })
    };
    let audio = sound(20_800);
    for (frames, name) in [(150, "ast"), (60, "ast_cut")] {
        let found = windows(&settings(frames), &audio, Windows::First);
        assert_eq!((found.len(), found[0].frames), (1, frames.min(128)));
        let golden = golden("spectrograms.safetensors", name);
        let difference = largest_difference(&some_frames(&found[0].values, [1, 128], 9), &golden);
        assert!(difference < 1e-6, "{name}: {difference}");
    }
    // 60 frames are of 400 + 59 * 160 samples. What is left after two windows is less than a tenth of a second.
    let found = windows(&settings(60), &audio, Windows::Mean);
    assert_eq!(found.iter().map(|window| window.frames).collect::<Vec<_>>(), [60, 60]);
    let short = Preparation::new(settings(60)).unwrap().windows(&sound(399), Windows::First);
    assert!(matches!(short, Err(PreprocessError::TooShort { found: 399, least: 400 })), "{short:?}");
}

#[test]
fn spectrograms_are_claps() {
    for (fusion, filling, length, name) in [
        (true, Filling::RepeatPad, 20_800, "clap_fusion_long"),
        (true, Filling::RepeatPad, 16_300, "clap_fusion_whole"),
        (true, Filling::RepeatPad, 6_000, "clap_fusion_short"),
        (false, Filling::RepeatPad, 20_800, "clap_rand_trunc_long"),
        (false, Filling::RepeatPad, 16_300, "clap_rand_trunc_whole"),
        (false, Filling::RepeatPad, 6_000, "clap_rand_trunc_short"),
        (false, Filling::Repeat, 6_000, "clap_repeat"),
        (false, Filling::Pad, 6_000, "clap_pad"),
    ] {
        let settings = Settings::Clap(ClapSettings { fusion, filling, ..CLAP });
        let found = windows(&settings, &sound(length), Windows::First);
        // A sound that is read as a whole says how long it is.
        let frames = if fusion && length == 20_800 { 44 } else { 34 };
        assert_eq!((found.len(), found[0].frames), (1, frames), "{name}");
        let difference = largest_difference(
            &some_frames(&found[0].values, [if fusion { 4 } else { 1 }, 64], 9),
            &golden("spectrograms.safetensors", name),
        );
        // Decibels down to -100.
        assert!(difference < 2e-5, "{name}: {difference}");
    }
}

/// Without fusion all of a long sound is read in windows, with it in one.
#[test]
fn windows_of_a_sound_are_read_one_by_one_or_fused() {
    let audio = sound(20_800);
    let cut = windows(&Settings::Clap(CLAP), &audio, Windows::Mean);
    assert_eq!(cut.iter().map(|window| window.weight).collect::<Vec<_>>(), [16_000.0, 4_800.0]);
    assert_eq!(cut[0], windows(&Settings::Clap(CLAP), &audio, Windows::First)[0]);
    let fused = Settings::Clap(ClapSettings { fusion: true, ..CLAP });
    let all = windows(&fused, &audio, Windows::Mean);
    assert_eq!(all, windows(&fused, &audio, Windows::First));
    assert_eq!((all.len(), all[0].frames), (1, 44));
}
