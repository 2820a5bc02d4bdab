//! How a sound becomes the log-mel spectrogram of one encoder.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::embedding::preprocess::audio::fields;
use crate::embedding::preprocess::audio::{Audio, LogMel};
use crate::embedding::preprocess::{PreprocessError, Result};

/// How a sound becomes the spectrogram of Whisper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct LogMelSettings {
    /// Samples a second; sound at another rate is resampled.
    pub sample_rate: u32,
    /// Shorter sound is padded with silence, longer sound cut into windows of this length.
    pub seconds: f64,
    /// Rows of the spectrogram.
    pub mel_bins: usize,
    /// Samples under one window of the Fourier transform.
    pub window: usize,
    /// Samples from one window to the next.
    pub hop: usize,
}

/// The fields as they are written, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, rename = "kind")]
    _kind: Option<Kind>,
    sample_rate: u32,
    seconds: f64,
    mel_bins: usize,
    window: usize,
    hop: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    LogMel,
}

impl TryFrom<Table> for LogMelSettings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { sample_rate, seconds, mel_bins, window, hop, .. } = table;
        let settings = Self { sample_rate, seconds, mel_bins, window, hop };
        settings.check()?;
        Ok(settings)
    }
}

impl LogMelSettings {
    /// Reads the settings in the fields of a `WhisperFeatureExtractor`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for a field that is missing, outside its range, or of a value that is not built in.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        fields::expect_zero(config, "dither", "0: noise is not added")?;
        fields::expect_zero(config, "padding_value", "0: silence")?;
        if fields::flag(config, "do_normalize", false)? {
            let expected = "false: it is not built in";
            return Err(PreprocessError::Setting { name: "do_normalize", found: "true".to_owned(), expected });
        }
        Table {
            _kind: None,
            sample_rate: fields::whole(config, "sampling_rate", None)?,
            seconds: f64::from(fields::whole(config, "chunk_length", None)?),
            mel_bins: fields::whole(config, "feature_size", None)? as usize,
            window: fields::whole(config, "n_fft", None)? as usize,
            hop: fields::whole(config, "hop_length", None)? as usize,
        }
        .try_into()
    }

    /// Checks that a spectrogram can be made so.
    pub(in crate::embedding::preprocess::audio) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        fields::check_rate(self.sample_rate)?;
        if !(2..=1 << 16).contains(&self.window) {
            return wrong("window", self.window.to_string(), "2 to 65,536 samples");
        }
        if !(1..=self.window).contains(&self.hop) {
            return wrong("hop", self.hop.to_string(), "at least 1 and at most `window`");
        }
        if !(1..=1024).contains(&self.mel_bins) {
            return wrong("mel_bins", self.mel_bins.to_string(), "1 to 1024");
        }
        if !(self.seconds > 0.0 && self.seconds <= 3600.0) || self.samples() <= self.window {
            return wrong("seconds", self.seconds.to_string(), "longer than a window and at most an hour");
        }
        Ok(())
    }

    /// Samples that the spectrogram is made of.
    fn samples(&self) -> usize {
        fields::samples(self.seconds, self.sample_rate)
    }

    /// Counts the frames of the spectrogram that are of so many samples of sound rather than of padding, at least one.
    pub fn frames_of(&self, samples: usize) -> usize {
        samples.min(self.samples()).div_ceil(self.hop).max(1)
    }

    /// Returns the number of frames of the spectrogram.
    pub fn frames(&self) -> usize {
        self.samples() / self.hop
    }

    /// Computes the spectrogram of a sound, `[mel_bins, frames]` in row-major order: resampled where its rate is another, cut or
    /// padded with silence.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for settings outside their ranges.
    pub fn prepare(&self, audio: &Audio) -> Result<Vec<f32>> {
        self.spectrogram(&LogMel::new(self)?, audio.at_rate(self.sample_rate)?.samples())
    }

    /// Computes the spectrogram of samples at the rate of the settings, cut or padded with silence.
    ///
    /// # Errors
    /// As [`LogMel::spectrogram`].
    pub fn spectrogram(&self, log_mel: &LogMel, samples: &[f32]) -> Result<Vec<f32>> {
        let mut samples = samples[..samples.len().min(self.samples())].to_vec();
        samples.resize(self.samples(), 0.0);
        log_mel.spectrogram(&samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_outside_its_ranges_is_refused() {
        let table = r#"{"sample_rate": 16000, "seconds": 30, "mel_bins": 80, "window": 400, "hop": 160}"#;
        assert!(serde_json::from_str::<LogMelSettings>(table).is_ok());
        for (right, wrong, said) in [
            ("160}", "0}", "`hop`"),
            ("30,", "0.01,", "`seconds`"),
            ("30,", "1e9,", "`seconds`"),
            ("80,", "0,", "`mel_bins`"),
            ("400", "1", "`window`"),
            ("16000", "10", "`sample_rate`"),
            ("\"hop\"", "\"step\"", "step"),
        ] {
            let error = serde_json::from_str::<LogMelSettings>(&table.replace(right, wrong)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
