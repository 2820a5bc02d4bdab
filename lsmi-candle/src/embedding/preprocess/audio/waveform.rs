//! Samples as they are, or of mean zero and variance one: what encoders on convolutions over the wave itself read, as
//! `Wav2Vec2FeatureExtractor` prepares it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields;
use crate::embedding::preprocess::{PreprocessError, Result};

/// What is added to the variance before samples are divided by its root.
const LEAST_VARIANCE: f64 = 1e-7;

/// How a sound becomes the samples that an encoder reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct WaveformSettings {
    /// Samples a second; sound at another rate is resampled.
    pub sample_rate: u32,
    /// Longer sound is cut into windows of this length; shorter sound stays as it is.
    pub seconds: f64,
    /// Whether the samples of a window are brought to mean zero and variance one.
    pub normalize: bool,
}

/// The fields as they are written, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, rename = "kind")]
    _kind: Option<Kind>,
    sample_rate: u32,
    #[serde(default = "usual_seconds")]
    seconds: f64,
    normalize: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Waveform,
}

/// The models take any length, but what attention costs grows with its square.
fn usual_seconds() -> f64 {
    30.0
}

impl TryFrom<Table> for WaveformSettings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { sample_rate, seconds, normalize, .. } = table;
        let settings = Self { sample_rate, seconds, normalize };
        settings.check()?;
        Ok(settings)
    }
}

impl WaveformSettings {
    /// Reads the settings in the fields of a `Wav2Vec2FeatureExtractor`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for a field outside its range, or of a value that is not built in.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        // Sounds are never padded, so the other fields of padding say nothing.
        fields::expect_zero(config, "padding_value", "0: silence")?;
        let channels = fields::whole(config, "feature_size", Some(1))?;
        if channels != 1 {
            let expected = "1: a sample is one number";
            return Err(PreprocessError::Setting { name: "feature_size", found: channels.to_string(), expected });
        }
        Table {
            _kind: None,
            sample_rate: fields::whole(config, "sampling_rate", Some(16_000))?,
            seconds: usual_seconds(),
            normalize: fields::flag(config, "do_normalize", true)?,
        }
        .try_into()
    }

    /// Checks that sounds can be prepared so.
    pub(super) fn check(&self) -> Result<()> {
        fields::check_rate(self.sample_rate)?;
        // Attention over five minutes is as much as memory holds.
        if !(0.1..=300.0).contains(&self.seconds) {
            let expected = "0.1 to 300";
            return Err(PreprocessError::Setting { name: "seconds", found: self.seconds.to_string(), expected });
        }
        Ok(())
    }

    /// Prepares the samples of a window.
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    pub fn values(&self, samples: &[f32]) -> Vec<f32> {
        if !self.normalize || samples.is_empty() {
            return samples.to_vec();
        }
        let count = samples.len() as f64;
        let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / count;
        let variance = samples.iter().map(|&sample| (f64::from(sample) - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + LEAST_VARIANCE).sqrt();
        samples.iter().map(|&sample| ((f64::from(sample) - mean) / deviation) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_defaults_of_the_class() {
        let read = |text: &str| WaveformSettings::from_fields(&serde_json::from_str(text).unwrap());
        let expected = WaveformSettings { sample_rate: 16_000, seconds: 30.0, normalize: true };
        assert_eq!(read("{}").unwrap(), expected);
        assert!(!read(r#"{"do_normalize": false, "padding_value": 0, "feature_size": 1}"#).unwrap().normalize);
        for (text, name) in [
            (r#"{"feature_size": 80}"#, "`feature_size`"),
            (r#"{"padding_value": 1.0}"#, "`padding_value`"),
            (r#"{"sampling_rate": 10}"#, "`sample_rate`"),
            (r#"{"do_normalize": "yes"}"#, "`do_normalize`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn silence_stays_silence() {
        let settings = WaveformSettings { sample_rate: 16_000, seconds: 30.0, normalize: true };
        assert_eq!(settings.values(&[0.0; 8]), [0.0; 8]);
        let values = settings.values(&[1.0, -1.0, 3.0, 1.0]);
        assert!((values[2] - 2f32.sqrt()).abs() < 1e-6 && values[0] == 0.0, "{values:?}");
    }
}
