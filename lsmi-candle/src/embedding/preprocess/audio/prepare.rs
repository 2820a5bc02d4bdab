//! From a decoded sound to the windows that one encoder reads.

use super::clap::{Clap, ClapSettings};
use super::clips::ClipsSettings;
use super::decode::Audio;
use super::filter_bank::FilterBankSettings;
use super::log_mel::{LogMel, LogMelSettings};
use super::settings::Settings;
use super::waveform::WaveformSettings;
use super::windows::Windows;
use crate::embedding::preprocess::Result;

/// A window of a sound, as its encoder reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The numbers, in row-major order of the [`Form`].
    pub values: Vec<f32>,
    /// The frames (of waveforms: samples) that are of the sound rather than of padding, at least one. Of a sound that is read as
    /// a whole, more than there are values of where it is longer.
    pub frames: usize,
    /// What its vector counts among those of the other windows of a sound: its samples.
    pub weight: f32,
}

/// The shape of a window's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Always this one.
    Fixed(Vec<usize>),
    /// A row of any length.
    Free,
}

/// What makes the windows of one kind: the settings, and the tables that they need.
#[derive(Debug)]
pub struct Preparation {
    settings: Settings,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Waveform(WaveformSettings),
    LogMel(LogMelSettings, LogMel),
    FilterBank(FilterBankSettings),
    Clips(ClipsSettings),
    Clap(ClapSettings, Clap),
}

impl Preparation {
    /// Makes the tables.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`](crate::embedding::preprocess::PreprocessError::Setting) for settings outside their ranges.
    pub fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        let kind = match &settings {
            Settings::Waveform(settings) => Kind::Waveform(settings.clone()),
            Settings::LogMel(settings) => Kind::LogMel(settings.clone(), LogMel::new(settings)?),
            Settings::FilterBank(settings) => Kind::FilterBank(settings.clone()),
            Settings::Clips(settings) => Kind::Clips(settings.clone()),
            Settings::Clap(settings) => Kind::Clap(settings.clone(), Clap::new(settings)?),
        };
        Ok(Self { settings, kind })
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the shape of a window's numbers.
    pub fn form(&self) -> Form {
        match &self.kind {
            Kind::Waveform(_) => Form::Free,
            Kind::LogMel(settings, _) => Form::Fixed(vec![settings.mel_bins, settings.frames()]),
            Kind::FilterBank(settings) => Form::Fixed(vec![settings.mel_bins, settings.frames]),
            Kind::Clips(ClipsSettings { of_clips: settings, .. }) => {
                Form::Fixed(vec![settings.mel_bins, settings.frames])
            }
            Kind::Clap(settings, _) if settings.fusion => Form::Fixed(vec![4, settings.mel_bins, settings.frames()]),
            Kind::Clap(settings, _) => Form::Fixed(vec![settings.mel_bins, settings.frames()]),
        }
    }

    /// Prepares the windows of a sound, at least one; resampled where its rate is another.
    ///
    /// # Errors
    /// A [`PreprocessError`](crate::embedding::preprocess::PreprocessError) where it has too few samples.
    pub fn windows(&self, audio: &Audio, windows: Windows) -> Result<Vec<Window>> {
        let rate = self.settings.sample_rate();
        let audio = audio.at_rate(rate)?;
        let samples = audio.samples();
        let windows = match &self.kind {
            Kind::Clips(settings) => settings.places(samples.len()),
            _ => windows.of(samples.len(), self.settings.samples(), rate),
        };
        windows.into_iter().map(|window| self.window(&samples[window])).collect()
    }

    /// Prepares a window of samples at the rate of the settings.
    fn window(&self, samples: &[f32]) -> Result<Window> {
        let (values, frames) = match &self.kind {
            Kind::Waveform(settings) => (settings.values(samples), samples.len()),
            Kind::LogMel(settings, log_mel) => {
                (settings.spectrogram(log_mel, samples)?, settings.frames_of(samples.len()))
            }
            Kind::FilterBank(settings) | Kind::Clips(ClipsSettings { of_clips: settings, .. }) => {
                (settings.values(samples)?, settings.frames_of(samples.len()))
            }
            Kind::Clap(_, clap) => clap.values(samples)?,
        };
        Ok(Window { values, frames, weight: samples.len() as f32 })
    }
}
