//! What spectrograms on mel scales share: the power of the Fourier transform of frames, summed under triangles.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::embedding::preprocess::{PreprocessError, Result};

/// The weights of one bin, from the frequency `start` on.
#[derive(Debug, Clone)]
pub(super) struct Triangle {
    start: usize,
    weights: Vec<f64>,
}

impl Triangle {
    /// The triangle of weights that are zero outside one run.
    pub(super) fn of_weights(weights: impl Iterator<Item = f64>) -> Self {
        let weights: Vec<f64> = weights.collect();
        let start = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
        let end = weights.iter().rposition(|weight| *weight > 0.0).map_or(start, |last| last + 1);
        Self { start, weights: weights[start..end].to_vec() }
    }

    /// The weighted sum of the power of all frequencies.
    pub(super) fn of(&self, power: &[f64]) -> f64 {
        self.weights.iter().zip(&power[self.start..]).map(|(weight, power)| weight * power).sum()
    }
}

/// Transforms buffers that the plan made.
#[expect(clippy::expect_used, reason = "the buffers were made by the same plan, so their lengths agree")]
pub(super) fn transform(
    plan: &dyn RealToComplex<f64>,
    input: &mut [f64],
    output: &mut [Complex<f64>],
    scratch: &mut [Complex<f64>],
) {
    plan.process_with_scratch(input, output, scratch).expect("buffers of the plan's own lengths");
}

/// The power under triangles of frames whose centre is every `hop`-th sample: a periodic Hann window, and the sound
/// reflected at both ends. All sums are f64.
pub(super) struct MelPower {
    window: Vec<f64>,
    hop: usize,
    transform: Arc<dyn RealToComplex<f64>>,
    bank: Vec<Triangle>,
}

impl fmt::Debug for MelPower {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("MelPower");
        fields.field("window", &self.window.len()).field("hop", &self.hop).field("mel_bins", &self.bank.len());
        fields.finish_non_exhaustive()
    }
}

impl MelPower {
    /// Prepares the transform of `window` samples, at least 2.
    pub(super) fn new(window: usize, hop: usize, bank: Vec<Triangle>) -> Self {
        let hann = |index: usize| 0.5 - 0.5 * libm::cos(2.0 * PI * index as f64 / window as f64);
        Self {
            window: (0..window).map(hann).collect(),
            hop,
            transform: RealFftPlanner::new().plan_fft_forward(window),
            bank,
        }
    }

    /// Computes the first `frames` frames, `[bins, frames]` in row-major order; their centres must be within the
    /// sound or at its end.
    ///
    /// # Errors
    /// [`PreprocessError::TooShort`] for fewer samples than can be reflected.
    pub(super) fn of(&self, samples: &[f32], frames: usize) -> Result<Vec<f64>> {
        let least = (self.window.len() / 2 + 1).max(frames.saturating_sub(1) * self.hop);
        if samples.len() < least {
            return Err(PreprocessError::TooShort { found: samples.len(), least });
        }
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
                values[bin * frames + frame] = triangle.of(&power);
            }
        }
        Ok(values)
    }

    /// The samples around the centre of a frame, reflected at the ends, times the window.
    fn cut(&self, samples: &[f32], frame: usize, windowed: &mut [f64]) {
        let half = self.window.len() / 2;
        let centre = frame * self.hop;
        let last = samples.len() - 1;
        for (index, (value, weight)) in windowed.iter_mut().zip(&self.window).enumerate() {
            let place = (centre + index).abs_diff(half);
            let place = if place > last { (2 * last).saturating_sub(place) } else { place };
            *value = f64::from(samples[place]) * weight;
        }
    }
}

/// A mel scale, and the triangles that are usual with it: straight in hertz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Slaney's (Auditory Toolbox, 1998): linear up to 1000 Hz, logarithmic above, 27 mel to a factor of 6.4.
    /// Triangles have area one.
    Slaney,
    /// HTK's, `2595 log10(1 + f / 700)`. Triangles have height one.
    Htk,
}

impl Scale {
    fn mel(self, hertz: f64) -> f64 {
        match self {
            Self::Slaney if hertz < 1000.0 => hertz * 3.0 / 200.0,
            Self::Slaney => 15.0 + libm::log(hertz / 1000.0) * 27.0 / libm::log(6.4),
            Self::Htk => 2595.0 * libm::log10(1.0 + hertz / 700.0),
        }
    }

    fn hertz(self, mel: f64) -> f64 {
        match self {
            Self::Slaney if mel < 15.0 => mel * 200.0 / 3.0,
            Self::Slaney => 1000.0 * libm::exp((mel - 15.0) * libm::log(6.4) / 27.0),
            Self::Htk => 700.0 * (libm::pow(10.0, mel / 2595.0) - 1.0),
        }
    }

    /// Triangles over the frequencies of a transform of `window` samples at a rate, whose corners are evenly spaced
    /// in mel from `lowest` to `highest` hertz.
    pub(super) fn triangles(self, rate: u32, bins: usize, window: usize, [lowest, highest]: [f64; 2]) -> Vec<Triangle> {
        let frequencies = window / 2 + 1;
        let frequency = |index: usize| f64::from(rate / 2) * index as f64 / (frequencies - 1) as f64;
        let (bottom, top) = (self.mel(lowest), self.mel(highest));
        let corner = |index: usize| self.hertz(bottom + (top - bottom) * index as f64 / (bins + 1) as f64);
        let triangle = |bin: usize| {
            let (left, centre, right) = (corner(bin), corner(bin + 1), corner(bin + 2));
            let height = if self == Self::Slaney { 2.0 / (right - left) } else { 1.0 };
            Triangle::of_weights(
                (0..frequencies)
                    .map(frequency)
                    .map(|at| ((at - left) / (centre - left)).min((right - at) / (right - centre)).max(0.0) * height),
            )
        };
        (0..bins).map(triangle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_undo_each_other() {
        for scale in [Scale::Slaney, Scale::Htk] {
            for at in [0.0, 40.0, 999.0, 1000.0, 7999.0] {
                assert!((scale.hertz(scale.mel(at)) - at).abs() < 1e-9);
            }
        }
        assert_eq!((Scale::Slaney.mel(1000.0), Scale::Slaney.mel(200.0)), (15.0, 3.0));
        assert!((Scale::Htk.mel(1000.0) - 1000.0).abs() < 0.02);
    }

    #[test]
    fn triangles_have_one_area_or_height() {
        // Wide ones, so that the sum over frequencies is near the integral.
        for triangle in Scale::Slaney.triangles(16_000, 8, 4000, [0.0, 8000.0]) {
            let area = triangle.weights.iter().sum::<f64>() * 4.0;
            assert!((area - 1.0).abs() < 0.01, "{area}");
        }
        for triangle in Scale::Htk.triangles(16_000, 8, 4000, [50.0, 7000.0]) {
            let height = triangle.weights.iter().copied().fold(0.0, f64::max);
            assert!((height - 1.0).abs() < 0.05, "{height}");
        }
    }
}
