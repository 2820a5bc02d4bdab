//! The log-mel spectrogram of Whisper (Radford et al., ICML 2023), as its own feature extractor computes it.
//!
//! The sound is reflected at both ends, so that frame t has sample t * hop in its centre; a periodic Hann window, the
//! power of the Fourier transform, and a bank of triangles on Slaney's mel scale, each of one area. Of the logarithm to
//! base 10 whatever lies more than 8 below the greatest value is raised to there, and the result is `(x + 4) / 4`.
//! All sums are f64.

mod settings;

pub use settings::LogMelSettings;

use super::bank::{MelPower, Scale};
use crate::embedding::preprocess::{PreprocessError, Result};

/// The power below which nothing is told apart.
const LEAST_POWER: f64 = 1e-10;
/// How far below the greatest value the least may lie, in powers of ten.
const RANGE: f64 = 8.0;

/// What makes log-mel spectrograms of one kind.
#[derive(Debug)]
pub struct LogMel {
    power: MelPower,
    window: usize,
    hop: usize,
}

impl LogMel {
    /// Prepares window, transform and filter bank.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for settings outside their ranges.
    pub fn new(settings: &LogMelSettings) -> Result<Self> {
        settings.check()?;
        let LogMelSettings { sample_rate, mel_bins, window, hop, .. } = *settings;
        let bank = Scale::Slaney.triangles(sample_rate, mel_bins, window, [0.0, f64::from(sample_rate / 2)]);
        Ok(Self { power: MelPower::new(window, hop, bank), window, hop })
    }

    /// Returns the number of frames in the spectrogram of `samples` samples.
    pub fn frames(&self, samples: usize) -> usize {
        samples / self.hop
    }

    /// Computes the spectrogram `[mel_bins, samples / hop]` in row-major order, of samples at the rate of the settings.
    ///
    /// # Errors
    /// [`PreprocessError::TooShort`] for fewer samples than can be reflected, or than one hop.
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    pub fn spectrogram(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let least = (self.window / 2 + 1).max(self.hop);
        if samples.len() < least {
            return Err(PreprocessError::TooShort { found: samples.len(), least });
        }
        let mut values = self.power.of(samples, self.frames(samples.len()))?;
        for value in &mut values {
            *value = libm::log10(value.max(LEAST_POWER));
        }
        let floor = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - RANGE;
        Ok(values.iter().map(|value| ((value.max(floor) + 4.0) / 4.0) as f32).collect())
    }
}
