//! What is read of a sound that is longer than its encoder takes.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::decode::Audio;

/// Seconds of a sound that are decoded beyond what is read, to know of longer ones.
const BEYOND: f64 = 1.0;
/// The longest sound whose windows are all read, in seconds.
const LONGEST: f64 = 3600.0;
/// Windows in a second below whose length the last is left out beside others.
const SHORTEST: usize = 10;

/// What is read of a sound that is longer than its encoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Windows {
    /// The first window of the model's length; the rest is cut off.
    #[default]
    First,
    /// All windows, one after the other, of up to an hour. Each is encoded by itself, and the vectors are averaged, each with
    /// the weight of its length of sound. The last may be shorter; beside others it is left out where it is shorter than a
    /// tenth of a second.
    Mean,
}

impl fmt::Display for Windows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::First => "first",
            Self::Mean => "mean",
        })
    }
}

impl Windows {
    /// The most seconds that are read of a sound, with windows of so many.
    fn longest(self, seconds: f64) -> f64 {
        match self {
            Self::First => seconds,
            Self::Mean => LONGEST,
        }
    }

    /// Returns the seconds of a sound to decode for it, with windows of so many.
    pub fn decoded(self, seconds: f64) -> f64 {
        self.longest(seconds) + BEYOND
    }

    /// Whether a sound is longer than what is read of it.
    pub fn cuts_off(self, audio: &Audio, seconds: f64) -> bool {
        audio.samples().len() as f64 > self.longest(seconds) * f64::from(audio.rate())
    }

    /// Where the windows of `length` samples of a sound of `samples` begin and end; at least one.
    pub(super) fn of(self, samples: usize, length: usize, rate: u32) -> Vec<Range<usize>> {
        let longest = super::fields::samples(LONGEST, rate);
        let ends = match self {
            Self::First => length,
            Self::Mean => longest,
        };
        let samples = samples.min(ends);
        // A window of no samples would never end.
        let length = length.max(1);
        let mut windows: Vec<_> = (0..samples).step_by(length).map(|from| from..(from + length).min(samples)).collect();
        if windows.len() > 1 && windows.last().is_some_and(|last| last.len() * SHORTEST < rate as usize) {
            windows.pop();
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_each_other() {
        let of = |windows: Windows, samples| {
            let windows = windows.of(samples, 2_000, 1_000).into_iter();
            windows.map(|window| (window.start, window.end)).collect::<Vec<_>>()
        };
        assert_eq!(of(Windows::First, 5_000), [(0, 2_000)]);
        assert_eq!(of(Windows::Mean, 5_000), [(0, 2_000), (2_000, 4_000), (4_000, 5_000)]);
        assert_eq!(of(Windows::Mean, 4_100), [(0, 2_000), (2_000, 4_000), (4_000, 4_100)]);
        assert_eq!(of(Windows::Mean, 4_099), [(0, 2_000), (2_000, 4_000)]);
        for windows in [Windows::First, Windows::Mean] {
            assert_eq!(of(windows, 50), [(0, 50)]);
            assert_eq!(of(windows, 2_000), [(0, 2_000)]);
        }
        assert_eq!(of(Windows::Mean, 4_000_000).len(), 1_800);
    }
}
