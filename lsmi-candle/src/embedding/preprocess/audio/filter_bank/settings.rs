//! How a sound becomes the filter bank of one encoder.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::FilterBank;
use crate::embedding::preprocess::audio::fields;
use crate::embedding::preprocess::{PreprocessError, Result};

/// The most frames.
const MOST_FRAMES: usize = 1 << 16;

/// How a sound becomes the filter bank of the audio spectrogram transformer: Kaldi's, of frames of 25 ms every 10 ms,
/// filled up with zeros or cut off, and normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct FilterBankSettings {
    /// Samples a second; sound at another rate is resampled.
    pub sample_rate: u32,
    /// Triangles.
    pub mel_bins: usize,
    /// Frames; longer sound is cut into windows of so many.
    pub frames: usize,
    /// What is subtracted from all values, those of the filling too.
    pub mean: f64,
    /// What they are then divided by.
    pub std: f64,
}

/// The fields as they are written, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    sample_rate: u32,
    mel_bins: usize,
    frames: usize,
    mean: f64,
    std: f64,
}

impl TryFrom<Table> for FilterBankSettings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { sample_rate, mel_bins, frames, mean, std } = table;
        let settings = Self { sample_rate, mel_bins, frames, mean, std };
        settings.check()?;
        Ok(settings)
    }
}

impl FilterBankSettings {
    /// Reads the settings in the fields of an `ASTFeatureExtractor`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for a field outside its range.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        let normalised = fields::flag(config, "do_normalize", true)?;
        let (mean, deviation) =
            (fields::real(config, "mean", -4.267_739_3)?, fields::real(config, "std", 4.568_997_4)?);
        Table {
            sample_rate: fields::whole(config, "sampling_rate", Some(16_000))?,
            mel_bins: fields::whole(config, "num_mel_bins", Some(128))? as usize,
            frames: fields::whole(config, "max_length", Some(1024))? as usize,
            mean: if normalised { mean } else { 0.0 },
            // The extractor divides by twice what it calls so.
            std: if normalised { 2.0 * deviation } else { 1.0 },
        }
        .try_into()
    }

    /// Returns the bank that the values are of.
    pub fn bank(&self) -> FilterBank {
        let window = usize::try_from(u64::from(self.sample_rate) * 25 / 1000).unwrap_or(usize::MAX);
        let hop = (self.sample_rate / 100) as usize;
        FilterBank { sample_rate: self.sample_rate, mel_bins: self.mel_bins, window, hop, ..FilterBank::AUDIOSET }
    }

    /// Checks that sounds can be prepared so.
    pub(in crate::embedding::preprocess::audio) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        self.bank().check()?;
        if !(1..=MOST_FRAMES).contains(&self.frames) {
            return wrong("frames", self.frames.to_string(), "1 to 65,536");
        }
        if !self.mean.is_finite() {
            return wrong("mean", self.mean.to_string(), "a finite number");
        }
        if !(self.std > 0.0 && self.std.is_finite()) {
            return wrong("std", self.std.to_string(), "above 0");
        }
        Ok(())
    }

    /// Returns the length of a window.
    pub fn seconds(&self) -> f64 {
        let bank = self.bank();
        (bank.window + (self.frames.saturating_sub(1)) * bank.hop) as f64 / f64::from(self.sample_rate)
    }

    /// Counts the frames of so many samples, rather than of filling, at least one.
    pub fn frames_of(&self, samples: usize) -> usize {
        self.bank().frames(samples).clamp(1, self.frames.max(1))
    }

    /// Computes the values `[mel_bins, frames]` in row-major order, of samples at the rate of the settings.
    ///
    /// # Errors
    /// As [`FilterBank::of`].
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    pub fn values(&self, samples: &[f32]) -> Result<Vec<f32>> {
        self.check()?;
        let bank = self.bank().of(samples)?;
        let normalised = |value: f32| ((f64::from(value) - self.mean) / self.std) as f32;
        let mut values = vec![normalised(0.0); self.mel_bins * self.frames];
        for (frame, bins) in bank.chunks_exact(self.mel_bins).take(self.frames).enumerate() {
            for (bin, value) in bins.iter().enumerate() {
                values[bin * self.frames + frame] = normalised(*value);
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_defaults_of_the_class() {
        let read = |text: &str| FilterBankSettings::from_fields(&serde_json::from_str(text).unwrap());
        let settings = read("{}").unwrap();
        assert_eq!((settings.bank(), settings.frames), (FilterBank::AUDIOSET, 1024));
        assert_eq!((settings.mean, settings.std), (-4.267_739_3, 9.137_994_8));
        assert_eq!((settings.seconds() * 16_000.0, settings.frames_of(400), settings.frames_of(0)), (164_080.0, 1, 1));
        let plain = read(r#"{"do_normalize": false, "mean": 3, "padding_value": 0.0, "feature_size": 1}"#).unwrap();
        assert_eq!((plain.mean, plain.std), (0.0, 1.0));
        for (text, name) in [
            (r#"{"num_mel_bins": 2}"#, "`mel_bins`"),
            (r#"{"max_length": 0}"#, "`frames`"),
            (r#"{"std": 0}"#, "`std`"),
            (r#"{"mean": "low"}"#, "`mean`"),
            (r#"{"sampling_rate": 10}"#, "`sample_rate`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
