//! Kaldi's log filter bank (Povey et al., ASRU 2011), as `torchaudio.compliance.kaldi.fbank` computes it without
//! dither and energy.
//!
//! Frames lie wholly within the sound. Of each its mean is taken, then `preemphasis` times the sample before; a
//! symmetric window, zeros up to a power of two, the power of the Fourier transform, and triangles that are straight
//! in mel rather than in hertz, with height one. The result is the natural logarithm. All sums are f64.

mod settings;

pub use settings::FilterBankSettings;

use std::f64::consts::PI;

use realfft::RealFftPlanner;

use super::bank::{Triangle, transform};
use crate::embedding::preprocess::{PreprocessError, Result};

/// The power below which nothing is told apart: the precision of single precision.
const LEAST_POWER: f64 = f32::EPSILON as f64;

/// The shape of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowShape {
    /// Hann's: half a period of a squared sine.
    Hann,
    /// Povey's: the same to the power of 0.85.
    Povey,
}

/// A filter bank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilterBank {
    /// Samples a second.
    pub sample_rate: u32,
    /// Triangles.
    pub mel_bins: usize,
    /// Samples of a frame.
    pub window: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// The shape of the window.
    pub shape: WindowShape,
    /// Where the first triangle begins, in hertz; the last one ends at half the rate.
    pub lowest: f64,
    /// How much of the sample before is taken from each.
    pub preemphasis: f64,
}

impl FilterBank {
    /// The bank of networks that were trained on `AudioSet`: 16 kHz, 128 triangles from 20 Hz on, frames of 25 ms
    /// every 10 ms.
    pub const AUDIOSET: Self = Self {
        sample_rate: 16_000,
        mel_bins: 128,
        window: 400,
        hop: 160,
        shape: WindowShape::Hann,
        lowest: 20.0,
        preemphasis: 0.97,
    };

    /// Returns the number of frames of so many samples.
    pub fn frames(&self, samples: usize) -> usize {
        samples.checked_sub(self.window).map_or(0, |rest| rest / self.hop.max(1) + 1)
    }

    /// Computes the bank `[frames, mel_bins]` in row-major order, of samples at its rate.
    ///
    /// # Errors
    /// [`PreprocessError::TooShort`] for less than one frame, [`PreprocessError::Setting`] for fields outside their
    /// ranges.
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    pub fn of(&self, samples: &[f32]) -> Result<Vec<f32>> {
        self.check()?;
        let frames = self.frames(samples.len());
        if frames == 0 {
            return Err(PreprocessError::TooShort { found: samples.len(), least: self.window });
        }
        let window = self.window_function();
        let plan = RealFftPlanner::new().plan_fft_forward(self.window.next_power_of_two());
        let triangles = self.triangles(plan.len());
        let mut frame = plan.make_input_vec();
        let mut spectrum = plan.make_output_vec();
        let mut scratch = plan.make_scratch_vec();
        let mut values = Vec::with_capacity(frames * self.mel_bins);
        for start in (0..frames).map(|index| index * self.hop) {
            // The transform leaves what it likes in its input.
            frame.fill(0.0);
            self.cut(&samples[start..start + self.window], &window, &mut frame);
            transform(plan.as_ref(), &mut frame, &mut spectrum, &mut scratch);
            let power: Vec<f64> = spectrum.iter().map(realfft::num_complex::Complex::norm_sqr).collect();
            values.extend(triangles.iter().map(|triangle| libm::log(triangle.of(&power).max(LEAST_POWER)) as f32));
        }
        Ok(values)
    }

    /// Checks that the bank can be made.
    pub(in crate::embedding::preprocess::audio) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        if !(1_000..=768_000).contains(&self.sample_rate) {
            return wrong("sample_rate", self.sample_rate.to_string(), "1,000 to 768,000 hertz");
        }
        if !(2..=1 << 16).contains(&self.window) {
            return wrong("window", self.window.to_string(), "2 to 65,536 samples");
        }
        if !(1..=1 << 16).contains(&self.hop) {
            return wrong("hop", self.hop.to_string(), "1 to 65,536 samples");
        }
        if !(4..=1024).contains(&self.mel_bins) {
            return wrong("mel_bins", self.mel_bins.to_string(), "4 to 1024");
        }
        if !(self.lowest >= 0.0 && self.lowest < f64::from(self.sample_rate) / 2.0) {
            return wrong("lowest", self.lowest.to_string(), "at least 0 and below half the sampling rate");
        }
        if !(0.0..=1.0).contains(&self.preemphasis) {
            return wrong("preemphasis", self.preemphasis.to_string(), "0 to 1");
        }
        Ok(())
    }

    fn window_function(&self) -> Vec<f64> {
        let hann = |index: usize| 0.5 - 0.5 * libm::cos(2.0 * PI * index as f64 / (self.window - 1) as f64);
        let shaped = |value: f64| match self.shape {
            WindowShape::Hann => value,
            WindowShape::Povey => libm::pow(value, 0.85),
        };
        (0..self.window).map(hann).map(shaped).collect()
    }

    /// One frame, prepared for the transform; the zeros behind it stay.
    fn cut(&self, samples: &[f32], window: &[f64], frame: &mut [f64]) {
        let mean = samples.iter().copied().map(f64::from).sum::<f64>() / samples.len() as f64;
        // The first sample has itself before it.
        let mut before = f64::from(samples[0]) - mean;
        for ((value, sample), weight) in frame.iter_mut().zip(samples).zip(window) {
            let sample = f64::from(*sample) - mean;
            *value = (sample - self.preemphasis * before) * weight;
            before = sample;
        }
    }

    /// Triangles over the frequencies of a transform of `length` samples. The greatest frequency is in none.
    fn triangles(&self, length: usize) -> Vec<Triangle> {
        let step = f64::from(self.sample_rate) / length as f64;
        let (bottom, top) = (mel(self.lowest), mel(f64::from(self.sample_rate) / 2.0));
        let between = (top - bottom) / (self.mel_bins + 1) as f64;
        let places: Vec<f64> = (0..length / 2).map(|index| mel(step * index as f64)).collect();
        let triangle = |bin: usize| {
            let centre = bottom + (bin + 1) as f64 * between;
            Triangle::of_weights(places.iter().map(|place| (1.0 - (place - centre).abs() / between).max(0.0)))
        };
        (0..self.mel_bins).map(triangle).collect()
    }
}

/// Kaldi's mel scale, which is HTK's.
fn mel(hertz: f64) -> f64 {
    1127.0 * libm::log(1.0 + hertz / 700.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let bank = FilterBank::AUDIOSET;
        assert_eq!((bank.frames(399), bank.frames(400), bank.frames(720)), (0, 1, 3));
        assert!(matches!(bank.of(&[0.0; 399]), Err(PreprocessError::TooShort { found: 399, least: 400 })));
        for wrong in [
            FilterBank { window: 1, ..bank },
            FilterBank { hop: 0, ..bank },
            FilterBank { mel_bins: 3, ..bank },
            FilterBank { lowest: 8_000.0, ..bank },
            FilterBank { lowest: f64::NAN, ..bank },
            FilterBank { preemphasis: 1.5, ..bank },
            FilterBank { sample_rate: 0, ..bank },
        ] {
            assert!(matches!(wrong.of(&[0.0; 400]), Err(PreprocessError::Setting { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn silence_is_the_least_power() {
        let silence = FilterBank::AUDIOSET.of(&[0.25; 560]).unwrap();
        assert_eq!(silence, vec![f32::EPSILON.ln(); 2 * 128]);
    }
}
