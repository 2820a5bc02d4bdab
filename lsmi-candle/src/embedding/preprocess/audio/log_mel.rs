//! The log-mel spectrogram of Whisper (Radford et al., ICML 2023), as its own feature extractor computes it.
//!
//! The sound is reflected at both ends, so that frame t has sample t * hop in its centre; a periodic Hann window, the
//! power of the Fourier transform, and a bank of triangles on Slaney's mel scale, each of one area. Of the logarithm to
//! base 10 whatever lies more than 8 below the greatest value is raised to there, and the result is `(x + 4) / 4`.
//! All sums are f64.

use std::f64::consts::PI;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::bank::{Triangle, transform};
use super::settings::Settings;
use crate::embedding::preprocess::{PreprocessError, Result};

/// The power below which nothing is told apart.
const LEAST_POWER: f64 = 1e-10;
/// How far below the greatest value the least may lie, in powers of ten.
const RANGE: f64 = 8.0;

/// What makes log-mel spectrograms of one kind.
pub struct LogMel {
    window: Vec<f64>,
    hop: usize,
    transform: Arc<dyn RealToComplex<f64>>,
    bank: Vec<Triangle>,
}

impl fmt::Debug for LogMel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("LogMel");
        fields.field("window", &self.window.len()).field("hop", &self.hop).field("mel_bins", &self.bank.len());
        fields.finish_non_exhaustive()
    }
}

impl LogMel {
    /// Prepares window, transform and filter bank.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for settings outside their ranges.
    pub fn new(settings: &Settings) -> Result<Self> {
        settings.check()?;
        let length = settings.window;
        let hann = |index: usize| 0.5 - 0.5 * libm::cos(2.0 * PI * index as f64 / length as f64);
        Ok(Self {
            window: (0..length).map(hann).collect(),
            hop: settings.hop,
            transform: RealFftPlanner::new().plan_fft_forward(length),
            bank: triangles(settings.sample_rate, settings.mel_bins, length),
        })
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
        let least = (self.window.len() / 2 + 1).max(self.hop);
        if samples.len() < least {
            return Err(PreprocessError::TooShort { found: samples.len(), least });
        }
        let frames = self.frames(samples.len());
        let mut values = vec![0.0; self.bank.len() * frames];
        let mut windowed = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = vec![0.0; spectrum.len()];
        for frame in 0..frames {
            self.cut(samples, frame, &mut windowed);
            transform(self.transform.as_ref(), &mut windowed, &mut spectrum, &mut scratch);
            for (power, value) in power.iter_mut().zip(&spectrum) {
                *power = value.norm_sqr();
            }
            for (bin, triangle) in self.bank.iter().enumerate() {
                values[bin * frames + frame] = libm::log10(triangle.of(&power).max(LEAST_POWER));
            }
        }
        let floor = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - RANGE;
        Ok(values.iter().map(|value| ((value.max(floor) + 4.0) / 4.0) as f32).collect())
    }

    /// The samples around the centre of a frame, reflected at the ends, times the window.
    fn cut(&self, samples: &[f32], frame: usize, windowed: &mut [f64]) {
        let half = self.window.len() / 2;
        let centre = frame * self.hop;
        let last = samples.len() - 1;
        for (index, (value, weight)) in windowed.iter_mut().zip(&self.window).enumerate() {
            let place = (centre + index).abs_diff(half);
            let place = if place > last { 2 * last - place } else { place };
            *value = f64::from(samples[place]) * weight;
        }
    }
}

/// Triangles whose corners are evenly spaced in mel from 0 to half the rate, each of area one.
fn triangles(rate: u32, bins: usize, window: usize) -> Vec<Triangle> {
    let highest = f64::from(rate / 2);
    let frequencies = window / 2 + 1;
    let frequency = |index: usize| highest * index as f64 / (frequencies - 1) as f64;
    let top = mel(highest);
    let corner = |index: usize| hertz(top * index as f64 / (bins + 1) as f64);
    let triangle = |bin: usize| {
        let (left, centre, right) = (corner(bin), corner(bin + 1), corner(bin + 2));
        let height = 2.0 / (right - left);
        let weight = |index: usize| {
            let at = frequency(index);
            ((at - left) / (centre - left)).min((right - at) / (right - centre)).max(0.0) * height
        };
        let inside: Range<usize> = first_from(frequencies, |index| frequency(index) > left)
            ..first_from(frequencies, |index| frequency(index) >= right);
        Triangle { start: inside.start, weights: inside.map(weight).collect() }
    };
    (0..bins).map(triangle).collect()
}

fn first_from(length: usize, condition: impl Fn(usize) -> bool) -> usize {
    (0..length).find(|&index| condition(index)).unwrap_or(length)
}

/// Slaney's mel scale (Auditory Toolbox, 1998): linear up to 1000 Hz, logarithmic above, 27 mel to a factor of 6.4.
fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 { hertz * 3.0 / 200.0 } else { 15.0 + libm::log(hertz / 1000.0) * 27.0 / libm::log(6.4) }
}

fn hertz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * libm::exp((mel - 15.0) * libm::log(6.4) / 27.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_undo_each_other() {
        for at in [0.0, 40.0, 999.0, 1000.0, 7999.0] {
            assert!((hertz(mel(at)) - at).abs() < 1e-9);
        }
        assert_eq!((mel(1000.0), mel(200.0)), (15.0, 3.0));
    }

    #[test]
    fn triangles_have_one_area() {
        // Wide ones, so that the sum over frequencies is near the integral.
        for triangle in triangles(16_000, 8, 4000) {
            let area = triangle.weights.iter().sum::<f64>() * 4.0;
            assert!((area - 1.0).abs() < 0.01, "{area}");
        }
    }
}
