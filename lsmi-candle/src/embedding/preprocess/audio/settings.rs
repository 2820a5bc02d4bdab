//! How a sound becomes what one encoder reads: one of several kinds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clap::ClapSettings;
use super::clips::{self, ClipsSettings};
use super::fields;
use super::filter_bank::FilterBankSettings;
use super::log_mel::LogMelSettings;
use super::waveform::WaveformSettings;
use crate::embedding::preprocess::{PreprocessError, Result};

/// How a sound becomes what one encoder reads: the table `[preprocessing]` of a sound encoder's manifest.
///
/// The field `kind` says which it is; a table without it is Whisper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Settings {
    /// Its samples.
    Waveform(WaveformSettings),
    /// Kaldi's filter bank.
    FilterBank(FilterBankSettings),
    /// Kaldi's filter bank of some clips of a sound.
    Clips(ClipsSettings),
    /// The log-mel spectrograms of CLAP.
    Clap(ClapSettings),
    /// The log-mel spectrogram of Whisper.
    #[serde(untagged)]
    LogMel(LogMelSettings),
}

impl TryFrom<Map<String, Value>> for Settings {
    type Error = String;

    fn try_from(mut table: Map<String, Value>) -> Result<Self, String> {
        let kind = table.remove("kind").unwrap_or_else(|| "log-mel".into());
        let table = Value::Object(table);
        let read = match kind.as_str() {
            Some("log-mel") => serde_json::from_value(table).map(Self::LogMel),
            Some("waveform") => serde_json::from_value(table).map(Self::Waveform),
            Some("filter-bank") => serde_json::from_value(table).map(Self::FilterBank),
            Some("clips") => serde_json::from_value(table).map(Self::Clips),
            Some("clap") => serde_json::from_value(table).map(Self::Clap),
            _ => {
                let kinds = "log-mel, waveform, filter-bank, clips or clap";
                return Err(format!("the preprocessing setting `kind` is {kind}, but must be {kinds}"));
            }
        };
        read.map_err(|error| error.to_string())
    }
}

impl Settings {
    /// Reads the settings in the text of a sound encoder's `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`PreprocessError::Configuration`] for text that is not a JSON object, [`PreprocessError::Setting`] for a field
    /// that is missing or outside its range.
    pub fn from_config(text: &str) -> Result<Self> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|source| PreprocessError::Configuration { source })?;
        Self::from_fields(&fields)
    }

    /// Reads the settings in the fields of a feature extractor, from whatever file. `feature_extractor_type` says which it
    /// is; without it, it is Whisper's.
    ///
    /// # Errors
    /// As [`Settings::from_config`], but for the text.
    pub fn from_fields(config: &Map<String, Value>) -> Result<Self> {
        let name = "feature_extractor_type";
        let found = config.get(name).filter(|value| !value.is_null());
        match found.map_or(Some("WhisperFeatureExtractor"), Value::as_str) {
            Some("WhisperFeatureExtractor") => LogMelSettings::from_fields(config).map(Self::LogMel),
            Some("Wav2Vec2FeatureExtractor") => WaveformSettings::from_fields(config).map(Self::Waveform),
            Some("ASTFeatureExtractor") => FilterBankSettings::from_fields(config).map(Self::FilterBank),
            Some("ClapFeatureExtractor") => ClapSettings::from_fields(config).map(Self::Clap),
            _ => {
                let found = found.map_or_else(String::new, Value::to_string);
                let expected =
                    "the name of Whisper's, Wav2Vec2's, AST's or Clap's FeatureExtractor: others are not built in";
                Err(PreprocessError::Setting { name, found, expected })
            }
        }
    }

    /// Checks that sounds can be prepared so.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Waveform(settings) => settings.check(),
            Self::LogMel(settings) => settings.check(),
            Self::FilterBank(settings) => settings.check(),
            Self::Clips(settings) => settings.check(),
            Self::Clap(settings) => settings.check(),
        }
    }

    /// Returns the samples a second that the encoder reads.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Waveform(settings) => settings.sample_rate,
            Self::LogMel(settings) => settings.sample_rate,
            Self::FilterBank(settings) => settings.sample_rate,
            Self::Clips(settings) => settings.of_clips.sample_rate,
            Self::Clap(settings) => settings.sample_rate,
        }
    }

    /// Returns the length of the windows that longer sounds are cut into.
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Waveform(settings) => settings.seconds,
            Self::LogMel(settings) => settings.seconds,
            Self::FilterBank(settings) => settings.seconds(),
            Self::Clips(_) => clips::LONGEST,
            Self::Clap(settings) => settings.longest(),
        }
    }

    /// Samples of a window.
    pub(super) fn samples(&self) -> usize {
        fields::samples(self.seconds(), self.sample_rate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read() {
        let text = r#"{"feature_size": 128, "sampling_rate": 16000, "chunk_length": 30, "n_fft": 400, "hop_length": 160,
            "nb_max_frames": 3000, "padding_value": 0.0}"#;
        let Settings::LogMel(settings) = Settings::from_config(text).unwrap() else { panic!("another kind") };
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
        let text = r#"{"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000}"#;
        assert!(matches!(Settings::from_config(text), Ok(Settings::Waveform(_))));
        let text = r#"{"feature_extractor_type": "ASTFeatureExtractor"}"#;
        assert!(matches!(Settings::from_config(text), Ok(Settings::FilterBank(_))));
        let text = r#"{"feature_extractor_type": "ClapFeatureExtractor"}"#;
        assert!(matches!(Settings::from_config(text), Ok(Settings::Clap(_))));
    }

    #[test]
    fn a_table_says_its_kind_but_for_the_first() {
        let whisper = r#"{"sample_rate":16000,"seconds":30.0,"mel_bins":80,"window":400,"hop":160}"#;
        let waveform = r#"{"kind":"waveform","sample_rate":16000,"seconds":30.0,"normalize":true}"#;
        let bank = r#"{"kind":"filter-bank","sample_rate":16000,"mel_bins":128,"frames":1024,"mean":-4.25,"std":9.0}"#;
        let clap = r#"{"kind":"clap","sample_rate":48000,"seconds":10.0,"mel_bins":64,"window":1024,"hop":480,"lowest":50.0,"highest":14000.0,"filling":"repeat-pad","fusion":false}"#;
        for (text, samples) in [(whisper, 480_000), (waveform, 480_000), (bank, 164_080), (clap, 480_000)] {
            let settings: Settings = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&settings).unwrap(), text);
            assert_eq!(settings.samples(), samples);
        }
        let named = whisper.replacen('{', r#"{"kind":"log-mel","#, 1);
        assert!(matches!(serde_json::from_str(&named), Ok(Settings::LogMel(_))));
        for (wrong, said) in [
            (waveform.replace("waveform", "wave"), "`kind`"),
            (waveform.replace("normalize", "centre"), "centre"),
            (waveform.replace("30.0", "0.01"), "`seconds`"),
            (whisper.replace("80", "0"), "`mel_bins`"),
            (bank.replace("1024", "0"), "`frames`"),
            (clap.replace("480,", "0,"), "`hop`"),
            (clap.replace("repeat-pad", "mirror"), "mirror"),
        ] {
            let error = serde_json::from_str::<Settings>(&wrong).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
