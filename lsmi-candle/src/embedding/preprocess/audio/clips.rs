//! Filter banks of some clips spread evenly over a sound, as ImageBind's authors read sounds.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields;
use super::filter_bank::FilterBankSettings;
use crate::embedding::preprocess::{PreprocessError, Result};

/// Clips that are read of a sound at most.
const MOST_CLIPS: usize = 1024;
/// The longest sound that clips are spread over, in seconds.
pub(super) const LONGEST: f64 = 3600.0;

/// How a sound becomes the filter banks of clips: the first one begins with the sound and the last one ends with it, those
/// between begin at equal distances. A sound shorter than a clip is one, as often as there are clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct ClipsSettings {
    /// Clips of a sound, whose vectors are averaged.
    pub clips: usize,
    /// The length of a clip.
    pub seconds: f64,
    /// How each is prepared.
    #[serde(flatten)]
    pub of_clips: FilterBankSettings,
}

impl TryFrom<Map<String, Value>> for ClipsSettings {
    type Error = String;

    fn try_from(mut table: Map<String, Value>) -> Result<Self, String> {
        let said = |error: serde_json::Error| error.to_string();
        let mut own = |name: &str| table.remove(name).ok_or_else(|| format!("missing field `{name}`"));
        let (clips, seconds) = (own("clips")?, own("seconds")?);
        let settings = Self {
            clips: serde_json::from_value(clips).map_err(said)?,
            seconds: serde_json::from_value(seconds).map_err(said)?,
            of_clips: serde_json::from_value(Value::Object(table)).map_err(said)?,
        };
        settings.check().map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

impl ClipsSettings {
    /// Checks that sounds can be prepared so.
    pub(super) fn check(&self) -> Result<()> {
        self.of_clips.check()?;
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        if !(1..=MOST_CLIPS).contains(&self.clips) {
            return wrong("clips", self.clips.to_string(), "1 to 1024");
        }
        if !(self.seconds > 0.025 && self.seconds <= LONGEST) {
            return wrong("seconds", self.seconds.to_string(), "more than a frame and at most an hour");
        }
        Ok(())
    }

    /// Where the clips of a sound of so many samples begin and end.
    pub(super) fn places(&self, samples: usize) -> Vec<Range<usize>> {
        let length = fields::samples(self.seconds, self.of_clips.sample_rate).clamp(1, samples.max(1));
        let room = samples.saturating_sub(length);
        let between = self.clips.saturating_sub(1).max(1);
        let begin = |clip: usize| room * clip / between;
        (0..self.clips).map(|clip| begin(clip)..(begin(clip) + length).min(samples)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        r#"{"clips":3,"seconds":2.0,"sample_rate":16000,"mel_bins":128,"frames":204,"mean":-4.268,"std":9.138}"#;

    #[test]
    fn a_table_is_read_and_written() {
        let settings: ClipsSettings = serde_json::from_str(TABLE).unwrap();
        assert_eq!(serde_json::to_string(&settings).unwrap(), TABLE);
        for (right, wrong, said) in [
            (r#""clips":3"#, r#""clips":0"#, "`clips`"),
            ("2.0", "0.0", "`seconds`"),
            (r#""seconds":2.0,"#, "", "`seconds`"),
            ("204", "0", "`frames`"),
            (r#""std""#, r#""deviation""#, "deviation"),
        ] {
            let error = serde_json::from_str::<ClipsSettings>(&TABLE.replace(right, wrong)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn clips_reach_from_begin_to_end() {
        let settings: ClipsSettings = serde_json::from_str(TABLE).unwrap();
        assert_eq!(settings.places(160_000), [0..32_000, 64_000..96_000, 128_000..160_000]);
        assert_eq!(settings.places(32_003), [0..32_000, 1..32_001, 3..32_003]);
        assert_eq!(settings.places(500), vec![0..500; 3]);
        assert_eq!(settings.places(0), vec![0..0; 3]);
        assert_eq!(ClipsSettings { clips: 1, ..settings }.places(40_000), vec![0..32_000]);
    }
}
