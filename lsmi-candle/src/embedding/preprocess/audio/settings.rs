//! How a sound becomes the spectrogram of one encoder.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::decode::Audio;
use crate::embedding::preprocess::{PreprocessError, Result};

/// How a sound becomes the spectrogram of one encoder: the table `[preprocessing]` of a sound encoder's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct Settings {
    /// Samples a second; sound at another rate is resampled.
    pub sample_rate: u32,
    /// Shorter sound is padded with silence, longer sound cut.
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
    sample_rate: u32,
    seconds: f64,
    mel_bins: usize,
    window: usize,
    hop: usize,
}

impl TryFrom<Table> for Settings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { sample_rate, seconds, mel_bins, window, hop } = table;
        let settings = Self { sample_rate, seconds, mel_bins, window, hop };
        settings.check()?;
        Ok(settings)
    }
}

impl Settings {
    /// Reads the settings in the text of an audio encoder's `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`PreprocessError::Configuration`] for text that is not a JSON object, [`PreprocessError::Setting`] for a field
    /// that is missing or outside its range.
    pub fn from_config(text: &str) -> Result<Self> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|source| PreprocessError::Configuration { source })?;
        Self::from_fields(&fields)
    }

    /// Reads the settings in the fields of a feature extractor, from whatever file.
    ///
    /// # Errors
    /// As [`Settings::from_config`], but for the text.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        let whisper = Value::from("WhisperFeatureExtractor");
        let (zero, off) = (Value::from(0.0), Value::from(false));
        for (name, only, expected) in [
            ("feature_extractor_type", &whisper, "WhisperFeatureExtractor: others are not built in"),
            ("dither", &zero, "0: noise is not added"),
            ("padding_value", &zero, "0: silence"),
            ("do_normalize", &off, "false: it is not built in"),
        ] {
            let found = config.get(name).filter(|value| !value.is_null() && *value != only);
            if let Some(found) = found.filter(|value| only != &zero || value.as_f64() != Some(0.0)) {
                return Err(PreprocessError::Setting { name, found: found.to_string(), expected });
            }
        }
        let whole = |name: &'static str| {
            let value = config.get(name).unwrap_or(&Value::Null);
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let found = || if value.is_null() { "missing".to_owned() } else { value.to_string() };
            number.ok_or_else(|| PreprocessError::Setting { name, found: found(), expected: "a whole number" })
        };
        Table {
            sample_rate: whole("sampling_rate")?,
            seconds: f64::from(whole("chunk_length")?),
            mel_bins: whole("feature_size")? as usize,
            window: whole("n_fft")? as usize,
            hop: whole("hop_length")? as usize,
        }
        .try_into()
    }

    /// Checks that a spectrogram can be made so.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        if !(1_000..=768_000).contains(&self.sample_rate) {
            return wrong("sample_rate", self.sample_rate.to_string(), "1,000 to 768,000 hertz");
        }
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
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour at most")]
    pub(super) fn samples(&self) -> usize {
        (self.seconds * f64::from(self.sample_rate)).round() as usize
    }

    /// Counts the frames of the spectrogram that are of a sound rather than of padding, at least one.
    pub fn frames_of(&self, audio: &Audio) -> usize {
        let samples = audio.samples().len() as f64 * f64::from(self.sample_rate) / f64::from(audio.rate());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of samples in memory")]
        let samples = (samples.round() as usize).min(self.samples());
        samples.div_ceil(self.hop).max(1)
    }

    /// Returns the number of frames of the spectrogram.
    pub fn frames(&self) -> usize {
        self.samples() / self.hop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read() {
        let text = r#"{"feature_size": 128, "sampling_rate": 16000, "chunk_length": 30, "n_fft": 400, "hop_length": 160,
            "nb_max_frames": 3000, "padding_value": 0.0}"#;
        let settings = Settings::from_config(text).unwrap();
        assert_eq!((settings.mel_bins, settings.frames()), (128, 3000));
        for (from, to, name) in [
            (r#""padding_value": 0.0"#, r#""padding_value": 1"#, "`padding_value`"),
            (r#""padding_value""#, r#""do_normalize": true, "padding_value""#, "`do_normalize`"),
            (
                r#""padding_value""#,
                r#""feature_extractor_type": "Wav2Vec2", "padding_value""#,
                "`feature_extractor_type`",
            ),
        ] {
            let error = Settings::from_config(&text.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(Settings::from_config(&text.replace("0.0", "0")).is_ok());
        let error = Settings::from_config(&text.replace("n_fft", "fft")).unwrap_err();
        assert_eq!(error.to_string(), "the preprocessing setting `n_fft` is missing, but must be a whole number");
    }

    #[test]
    fn a_table_outside_its_ranges_is_refused() {
        let table = r#"{"sample_rate": 16000, "seconds": 30, "mel_bins": 80, "window": 400, "hop": 160}"#;
        assert!(serde_json::from_str::<Settings>(table).is_ok());
        for (right, wrong, said) in [
            ("160}", "0}", "`hop`"),
            ("30,", "0.01,", "`seconds`"),
            ("30,", "1e9,", "`seconds`"),
            ("80,", "0,", "`mel_bins`"),
            ("400", "1", "`window`"),
            ("16000", "10", "`sample_rate`"),
            ("\"hop\"", "\"step\"", "step"),
        ] {
            let error = serde_json::from_str::<Settings>(&table.replace(right, wrong)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
