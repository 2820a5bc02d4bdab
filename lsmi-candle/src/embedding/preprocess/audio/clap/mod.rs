//! The log-mel spectrograms of CLAP (Wu et al., ICASSP 2023), as its own feature extractor computes them, in decibels.
//!
//! Short sounds are repeated. Of sounds that are longer than a window the extractor takes parts by chance; here it is
//! always the same ones. Without fusion a window is a sound of its own: the first one, or all of them one after the
//! other. With fusion there are four spectrograms: the whole sound shrunk to the length of a window, and three chunks
//! of that length, each from the middle of a third of the places where a chunk may begin. A sound that is not longer
//! is the same four times.

mod settings;

pub use settings::{ClapSettings, Filling};

use super::bank::{MelPower, Scale};
use crate::embedding::preprocess::Result;

/// The power below which nothing is told apart.
const LEAST_POWER: f64 = 1e-10;

/// What makes spectrograms of one kind.
#[derive(Debug)]
pub struct Clap {
    settings: ClapSettings,
    power: MelPower,
}

impl Clap {
    /// Prepares window, transform and filter bank.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`](crate::embedding::preprocess::PreprocessError::Setting) for settings outside
    /// their ranges.
    pub fn new(settings: &ClapSettings) -> Result<Self> {
        settings.check()?;
        let ClapSettings { sample_rate, mel_bins, window, hop, lowest, highest, fusion, .. } = *settings;
        // The models were trained with the filters of two libraries.
        let scale = if fusion { Scale::Htk } else { Scale::Slaney };
        let bank = scale.triangles(sample_rate, mel_bins, window, [lowest, highest]);
        Ok(Self { settings: settings.clone(), power: MelPower::new(window, hop, bank) })
    }

    /// Computes what the encoder reads of samples at the rate of the settings, in row-major order: `[mel_bins,
    /// frames]`, or `[4, mel_bins, frames]` with fusion; and the frames of the sound, more than that where it is
    /// longer than a window.
    ///
    /// # Errors
    /// [`PreprocessError::TooShort`](crate::embedding::preprocess::PreprocessError::TooShort) where there are no
    /// samples.
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    pub fn values(&self, samples: &[f32]) -> Result<(Vec<f32>, usize)> {
        let settings = &self.settings;
        let (frames, bins) = (settings.frames(), settings.mel_bins);
        let filled = settings.filled(samples)?;
        let samples = if settings.fusion { &filled[..] } else { &filled[..filled.len().min(settings.samples())] };
        // Every frame whose centre is within the sound, or at its end.
        let total = samples.len() / settings.hop + 1;
        let decibels: Vec<f64> =
            self.power.of(samples, total)?.iter().map(|power| 10.0 * libm::log10(power.max(LEAST_POWER))).collect();
        if !settings.fusion {
            return Ok((decibels.iter().map(|value| *value as f32).collect(), total));
        }
        let mut values = Vec::with_capacity(4 * bins * frames);
        let rows = || decibels.chunks_exact(total);
        for row in rows() {
            values.extend(shrunk(row, frames).map(|value| value as f32));
        }
        for start in starts(total - frames + 1) {
            values.extend(rows().flat_map(|row| &row[start..start + frames]).map(|value| *value as f32));
        }
        Ok((values, total))
    }
}

/// Where the three chunks begin, of so many places where they may: the middle of each third, the first thirds being
/// larger where they are unequal. Where a third is empty its chunk is the first one.
fn starts(places: usize) -> [usize; 3] {
    let mut first = 0;
    [0, 1, 2].map(|third| {
        let count = places / 3 + usize::from(third < places % 3);
        let middle = if count == 0 { 0 } else { first + count / 2 };
        first += count;
        middle
    })
}

/// A row of a spectrogram at another length, interpolated between its frames.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places in the row")]
fn shrunk(row: &[f64], length: usize) -> impl Iterator<Item = f64> {
    let scale = row.len() as f64 / length as f64;
    (0..length).map(move |index| {
        let place = ((index as f64 + 0.5) * scale - 0.5).max(0.0);
        let left = (place as usize).min(row.len() - 1);
        let right = (left + 1).min(row.len() - 1);
        let share = place - left as f64;
        row[left] * (1.0 - share) + row[right] * share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_begin_in_the_middle_of_thirds() {
        assert_eq!(starts(1), [0, 0, 0]);
        assert_eq!(starts(2), [0, 1, 0]);
        assert_eq!(starts(3), [0, 1, 2]);
        // 0 to 3, 4 to 6, 7 to 9.
        assert_eq!(starts(10), [2, 5, 8]);
    }

    #[test]
    fn a_row_of_the_same_length_stays() {
        let row = [1.0, 4.0, 2.0];
        assert_eq!(shrunk(&row, 3).collect::<Vec<_>>(), row);
        assert_eq!(shrunk(&[1.0, 3.0, 5.0, 7.0], 2).collect::<Vec<_>>(), [2.0, 6.0]);
    }
}
