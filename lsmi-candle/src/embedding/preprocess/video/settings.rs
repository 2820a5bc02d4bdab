//! Which frames of a video an encoder reads, and how they are prepared.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clip::Clip;
use crate::embedding::preprocess::image::{Pixels, Settings as ImageSettings};
use crate::embedding::preprocess::{PreprocessError, Result};

/// Frames that are read of a video at most.
const MOST_FRAMES: usize = 4096;
/// Numbers that the frames read of a video have at most: 1 GiB.
const MOST_NUMBERS: usize = 1 << 28;

/// Which frames of a video an encoder reads, and how each is prepared: the table `[preprocessing]` of a video encoder's
/// manifest, which has the fields of pictures' and these.
///
/// Without `seconds`, the video is cut into as many equal parts as there are frames to read, `clips * frames`, and of each
/// part the frame in the middle is read; the first `frames` of them are the first clip. With `seconds`, and where the rate
/// is known, clips are that long: the first one begins with the video and the last one ends with it, those between begin at
/// equal distances, and the frames of a clip are spread evenly from its first to its last. A video shorter than that is one
/// such clip, several times. Where the rate is not known, as of a folder of pictures, `seconds` says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Settings {
    /// Clips of a video, whose vectors are averaged.
    pub clips: usize,
    /// Frames of a clip.
    pub frames: usize,
    /// The length of a clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How each frame is prepared.
    #[serde(flatten)]
    pub of_frames: ImageSettings,
}

/// The fields that pictures do not have.
#[derive(Deserialize)]
struct Table {
    #[serde(default = "one")]
    clips: usize,
    frames: usize,
    seconds: Option<f64>,
}

fn one() -> usize {
    1
}

impl TryFrom<Map<String, Value>> for Settings {
    type Error = String;

    fn try_from(mut of_frames: Map<String, Value>) -> Result<Self, String> {
        let own = ["clips", "frames", "seconds"].map(|name| (name.to_owned(), of_frames.remove(name)));
        let own: Map<String, Value> = own.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let said = |error: serde_json::Error| error.to_string();
        let Table { clips, frames, seconds } = serde_json::from_value(Value::Object(own)).map_err(said)?;
        let of_frames = serde_json::from_value(Value::Object(of_frames)).map_err(said)?;
        let settings = Self { clips, frames, seconds, of_frames };
        settings.check().map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

impl Settings {
    /// Checks that numbers are ones that a video can have.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] naming the one that is not.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        self.of_frames.check()?;
        if !(1..=MOST_FRAMES).contains(&self.clips) {
            return wrong("clips", self.clips.to_string(), "1 to 4096");
        }
        let side = self.of_frames.size;
        let is_held = self.clips.checked_mul(self.frames).is_some_and(|frames| {
            frames <= MOST_FRAMES && (side * side * 3).checked_mul(frames).is_some_and(|all| all <= MOST_NUMBERS)
        });
        if self.frames == 0 || !is_held {
            return wrong("frames", self.frames.to_string(), "at least 1, and with all clips at most 4096 and 1 GiB");
        }
        if self.seconds.is_some_and(|seconds| !(seconds > 0.0 && seconds <= 3600.0)) {
            let found = self.seconds.unwrap_or_default().to_string();
            return wrong("seconds", found, "more than 0 and at most an hour");
        }
        Ok(())
    }

    /// Returns the places of the frames of each clip in a video of `length` frames, `rate` of them a second where it is known.
    pub fn places(&self, length: usize, rate: Option<f64>) -> Vec<Vec<usize>> {
        let last = length.saturating_sub(1);
        let of_clip = |clip: usize| match self.seconds.zip(rate) {
            None => {
                let all = 2 * self.clips * self.frames;
                let place = |frame: usize| ((2 * (clip * self.frames + frame) + 1) * length / all).min(last);
                (0..self.frames).map(place).collect()
            }
            Some((seconds, rate)) => {
                let window = seconds * rate;
                let room = (length as f64 - window).max(0.0);
                let begin = room * clip as f64 / self.clips.saturating_sub(1).max(1) as f64;
                let first = whole(begin.ceil()).min(last);
                // The last frame that begins before the end of the clip.
                let end = whole((begin + window).ceil() - 1.0).clamp(first, last);
                let steps = self.frames.saturating_sub(1).max(1);
                (0..self.frames).map(|frame| first + (end - first) * frame / steps).collect()
            }
        };
        (0..self.clips).map(of_clip).collect()
    }

    /// Prepares the frames of the clips of a video.
    ///
    /// # Errors
    /// [`PreprocessError`] naming the setting outside its range, or the frame that cannot be decoded.
    pub fn prepare(&self, video: &mut Clip) -> Result<Vec<Vec<Pixels>>> {
        self.check()?;
        let places = self.places(video.len(), video.rate());
        let frames = video.read(&places.concat(), |image| self.of_frames.prepare(image))?;
        Ok(frames.chunks(self.frames).map(<[Pixels]>::to_vec).collect())
    }
}

/// A number of frames; anything below is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as it should")]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"clips":5,"frames":2,"seconds":2.0,"resize":"shortest_edge","resize_to":224,
        "filter":"bilinear","size":224,"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}"#;

    fn settings(clips: usize, frames: usize, seconds: Option<f64>) -> Settings {
        Settings { clips, frames, seconds, ..serde_json::from_str(TABLE).unwrap() }
    }

    #[test]
    fn a_table_is_read_and_written() {
        let read: Settings = serde_json::from_str(TABLE).unwrap();
        assert_eq!((read.clips, read.frames, read.seconds, read.of_frames.size), (5, 2, Some(2.0), 224));
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, TABLE.replace("\n        ", ""));
        let short: Settings = serde_json::from_str(&TABLE.replace(r#""clips":5,"#, "")).unwrap();
        assert_eq!(short.clips, 1);
        for (right, wrong, said) in [
            (r#""frames":2"#, r#""frames":0"#, "`frames`"),
            (r#""frames":2"#, r#""frames":4000"#, "`frames`"),
            (r#""frames":2,"#, "", "frames"),
            (r#""clips":5"#, r#""clips":18446744073709551615"#, "`clips`"),
            ("2.0", "-1", "`seconds`"),
            (r#""size":224"#, r#""size":500"#, "`size`"),
            (r#""size""#, r#""speed":1,"size""#, "speed"),
        ] {
            let error = serde_json::from_str::<Settings>(&TABLE.replace(right, wrong)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn frames_are_spread_evenly() {
        assert_eq!(settings(1, 4, None).places(4, Some(25.0)), [[0, 1, 2, 3]]);
        assert_eq!(settings(1, 4, None).places(8, None), [[1, 3, 5, 7]]);
        assert_eq!(settings(2, 2, None).places(100, None), [[12, 37], [62, 87]]);
        // Those of a short video are read several times.
        assert_eq!(settings(1, 4, None).places(2, None), [[0, 0, 1, 1]]);
        assert_eq!(settings(1, 3, Some(2.0)).places(1, Some(25.0)), [[0, 0, 0]]);
        assert_eq!(settings(2, 2, Some(2.0)).places(8, None), settings(2, 2, None).places(8, None));
    }

    #[test]
    fn clips_of_seconds_reach_from_begin_to_end() {
        // Ten seconds: clips begin at 0, 2, 4, 6 and 8.
        let found = settings(5, 2, Some(2.0)).places(100, Some(10.0));
        assert_eq!(found, [[0, 19], [20, 39], [40, 59], [60, 79], [80, 99]]);
        assert_eq!(settings(1, 3, Some(1.0)).places(100, Some(10.0)), [[0, 4, 9]]);
        // A video shorter than a clip, and one of a fraction of a frame to a clip.
        assert_eq!(settings(3, 2, Some(2.0)).places(7, Some(25.0)), [[0, 6], [0, 6], [0, 6]]);
        assert_eq!(settings(2, 2, Some(2.0)).places(7, Some(0.1)), [[0, 0], [6, 6]]);
        assert_eq!(settings(2, 2, Some(3600.0)).places(7, Some(1e300)), [[0, 6], [0, 6]]);
        // ImageBind's 29.97 frames a second.
        let found = settings(5, 2, Some(2.0)).places(300, Some(29.97));
        assert_eq!(found[1], [61, 119]);
        assert_eq!(found[4], [241, 299]);
    }
}
