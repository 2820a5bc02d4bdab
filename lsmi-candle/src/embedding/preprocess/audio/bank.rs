//! What filter banks share: triangles over the power of a Fourier transform.

use realfft::RealToComplex;
use realfft::num_complex::Complex;

/// The weights of one bin, from the frequency `start` on.
pub(super) struct Triangle {
    pub(super) start: usize,
    pub(super) weights: Vec<f64>,
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
