//! How a sound becomes the spectrograms of CLAP.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::embedding::preprocess::audio::fields;
use crate::embedding::preprocess::{PreprocessError, Result};

/// The longest sound that is read as a whole, in seconds.
const LONGEST: f64 = 3600.0;

/// How a short sound is filled up to the length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filling {
    /// Repeated as often as it fits whole, then silence.
    RepeatPad,
    /// Repeated, and the last repetition cut off.
    Repeat,
    /// Silence.
    Pad,
}

/// How a sound becomes the spectrograms of CLAP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct ClapSettings {
    /// Samples a second; sound at another rate is resampled.
    pub sample_rate: u32,
    /// The length of a window.
    pub seconds: f64,
    /// Triangles.
    pub mel_bins: usize,
    /// Samples under one window of the Fourier transform.
    pub window: usize,
    /// Samples from one window of the transform to the next.
    pub hop: usize,
    /// Where the first triangle begins, in hertz.
    pub lowest: f64,
    /// Where the last triangle ends, in hertz.
    pub highest: f64,
    /// How shorter sounds are filled up.
    pub filling: Filling,
    /// Whether the model reads a sound of any length as a whole, of four spectrograms, rather than in windows.
    pub fusion: bool,
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
    lowest: f64,
    highest: f64,
    filling: Filling,
    fusion: bool,
}

impl TryFrom<Table> for ClapSettings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { sample_rate, seconds, mel_bins, window, hop, lowest, highest, filling, fusion } = table;
        let settings = Self { sample_rate, seconds, mel_bins, window, hop, lowest, highest, filling, fusion };
        settings.check()?;
        Ok(settings)
    }
}

impl ClapSettings {
    /// Reads the settings in the fields of a `ClapFeatureExtractor`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for a field outside its range, or of a value that is not built in.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        // `top_db` is read and never used; `padding_value` neither.
        let filling = match fields::text(config, "padding", "repeatpad")? {
            "repeatpad" => Filling::RepeatPad,
            "repeat" => Filling::Repeat,
            "pad" => Filling::Pad,
            other => {
                let expected = "repeatpad, repeat or pad";
                return Err(PreprocessError::Setting { name: "padding", found: other.to_owned(), expected });
            }
        };
        let fusion = match fields::text(config, "truncation", "fusion")? {
            "fusion" => true,
            "rand_trunc" => false,
            other => {
                let expected = "fusion or rand_trunc";
                return Err(PreprocessError::Setting { name: "truncation", found: other.to_owned(), expected });
            }
        };
        Table {
            sample_rate: fields::whole(config, "sampling_rate", Some(48_000))?,
            seconds: fields::real(config, "max_length_s", 10.0)?,
            mel_bins: fields::whole(config, "feature_size", Some(64))? as usize,
            window: fields::whole(config, "fft_window_size", Some(1024))? as usize,
            hop: fields::whole(config, "hop_length", Some(480))? as usize,
            lowest: fields::real(config, "frequency_min", 0.0)?,
            highest: fields::real(config, "frequency_max", 14_000.0)?,
            filling,
            fusion,
        }
        .try_into()
    }

    /// Checks that spectrograms can be made so.
    pub(in crate::embedding::preprocess::audio) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        fields::check_rate(self.sample_rate)?;
        // Of an odd one the extractor leaves out the last frame.
        if !(2..=1 << 16).contains(&self.window) || self.window % 2 == 1 {
            return wrong("window", self.window.to_string(), "an even number of 2 to 65,536 samples");
        }
        if !(1..=self.window).contains(&self.hop) {
            return wrong("hop", self.hop.to_string(), "at least 1 and at most `window`");
        }
        if !(1..=1024).contains(&self.mel_bins) {
            return wrong("mel_bins", self.mel_bins.to_string(), "1 to 1024");
        }
        if !(self.lowest >= 0.0 && self.lowest < self.highest) {
            return wrong("lowest", self.lowest.to_string(), "at least 0 and below `highest`");
        }
        if self.highest > f64::from(self.sample_rate) / 2.0 {
            return wrong("highest", self.highest.to_string(), "at most half the sampling rate");
        }
        if !(self.seconds > 0.0 && self.seconds <= 600.0) || self.samples() <= self.window {
            return wrong("seconds", self.seconds.to_string(), "longer than `window` and at most 600");
        }
        Ok(())
    }

    /// Samples of a window.
    pub(super) fn samples(&self) -> usize {
        fields::samples(self.seconds, self.sample_rate)
    }

    /// Returns the number of frames of a spectrogram.
    pub fn frames(&self) -> usize {
        self.samples() / self.hop + 1
    }

    /// Returns the most seconds that are read at a time.
    pub fn longest(&self) -> f64 {
        if self.fusion { LONGEST } else { self.seconds }
    }

    /// The samples, of short sounds filled up to a window.
    pub(super) fn filled(&self, samples: &[f32]) -> Result<Vec<f32>> {
        if samples.is_empty() {
            return Err(PreprocessError::TooShort { found: 0, least: 1 });
        }
        let length = self.samples();
        if samples.len() >= length {
            return Ok(samples.to_vec());
        }
        let times = length / samples.len();
        let mut filled = match self.filling {
            Filling::RepeatPad => samples.repeat(times),
            Filling::Repeat => samples.repeat(times + 1),
            Filling::Pad => samples.to_vec(),
        };
        filled.resize(length, 0.0);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_defaults_of_the_class() {
        let read = |text: &str| ClapSettings::from_fields(&serde_json::from_str(text).unwrap());
        let settings = read("{}").unwrap();
        assert_eq!((settings.frames(), settings.fusion, settings.longest()), (1001, true, 3600.0));
        let cut =
            read(r#"{"truncation": "rand_trunc", "top_db": null, "frequency_min": 50, "padding": "pad"}"#).unwrap();
        assert_eq!((cut.fusion, cut.longest(), cut.lowest, cut.filling), (false, 10.0, 50.0, Filling::Pad));
        for (text, name) in [
            (r#"{"truncation": "middle"}"#, "`truncation`"),
            (r#"{"padding": true}"#, "`padding`"),
            (r#"{"padding": "mirror"}"#, "`padding`"),
            (r#"{"frequency_max": 40000}"#, "`highest`"),
            (r#"{"frequency_min": 14000}"#, "`lowest`"),
            (r#"{"hop_length": 0}"#, "`hop`"),
            (r#"{"fft_window_size": 1023}"#, "`window`"),
            (r#"{"feature_size": 0}"#, "`mel_bins`"),
            (r#"{"max_length_s": 0.001}"#, "`seconds`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn short_sounds_are_repeated() {
        let settings = |filling| ClapSettings {
            sample_rate: 1_000,
            seconds: 0.008,
            mel_bins: 4,
            window: 4,
            hop: 2,
            lowest: 0.0,
            highest: 500.0,
            filling,
            fusion: false,
        };
        let filled = |filling| settings(filling).filled(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(filled(Filling::RepeatPad), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
        assert_eq!(filled(Filling::Repeat), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
        assert_eq!(filled(Filling::Pad), [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(settings(Filling::Repeat).filled(&[1.0; 9]).unwrap().len(), 9);
        assert!(settings(Filling::Repeat).filled(&[]).is_err());
    }
}
