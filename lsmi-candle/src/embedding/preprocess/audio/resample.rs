//! Samples at one rate made into samples at another.
//!
//! The ratio of two rates is a fraction L/M in lowest terms, and output i lies at i M/L of the input. So there are L
//! sets of weights, each a sinc under a Kaiser window (Smith, "Digital Audio Resampling"), and outputs that share a set
//! are computed together: no table is kept, whatever the rates.

use std::f64::consts::PI;

/// Zeros of the sinc to either side of its centre.
const ZEROS: f64 = 64.0;
/// Where the filter begins to cut, as a part of what the lower rate can hold.
const ROLLOFF: f64 = 0.95;
/// The Kaiser window's shape: the stop band is about 120 dB down, and falls within what the rolloff leaves.
const BETA: f64 = 12.0;

/// Resamples from one rate to another; as many samples as begin within the sound.
pub(super) fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    let divisor = greatest_common_divisor(from, to);
    let (up, down) = ((to / divisor) as usize, (from / divisor) as usize);
    if up == down {
        return samples.to_vec();
    }
    let cutoff = ROLLOFF * (up as f64 / down as f64).min(1.0);
    let mut output = vec![0.0; (samples.len() * up).div_ceil(down)];
    for phase in 0..up.min(output.len()) {
        let (start, remainder) = (phase * down / up, phase * down % up);
        let kernel = Kernel::new(cutoff, remainder as f64 / up as f64);
        // Outputs of one phase are `up` apart, which is `down` samples of the input.
        for (step, index) in (phase..output.len()).step_by(up).enumerate() {
            output[index] = kernel.at(samples, start + step * down);
        }
    }
    output
}

/// Weights of the samples from `reach` before a place on.
struct Kernel {
    reach: usize,
    weights: Vec<f64>,
}

impl Kernel {
    /// The weights at `fraction` behind a sample, with a sum of one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands at most")]
    fn new(cutoff: f64, fraction: f64) -> Self {
        let half = ZEROS / cutoff;
        let reach = half.ceil() as usize;
        let weight = |index: usize| {
            let distance = index as f64 - reach as f64 - fraction;
            sinc(cutoff * distance) * kaiser(distance / half)
        };
        let mut weights: Vec<f64> = (0..=2 * reach + 1).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        Self { reach, weights }
    }

    /// The weighted sum around the sample `centre`; there is silence before and behind the sound.
    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    fn at(&self, samples: &[f32], centre: usize) -> f32 {
        let first = centre.saturating_sub(self.reach);
        let skipped = first + self.reach - centre;
        let pairs = samples[first.min(samples.len())..].iter().zip(&self.weights[skipped..]);
        pairs.map(|(&sample, &weight)| f64::from(sample) * weight).sum::<f64>() as f32
    }
}

fn sinc(at: f64) -> f64 {
    if at == 0.0 { 1.0 } else { libm::sin(PI * at) / (PI * at) }
}

/// The Kaiser window, of -1 to 1; not divided by its value at 0, as the weights are scaled afterwards.
fn kaiser(at: f64) -> f64 {
    let inside = 1.0 - at * at;
    if inside <= 0.0 { 0.0 } else { bessel(BETA * inside.sqrt()) }
}

/// The modified Bessel function of order zero, by its power series: `sum ((x / 2)^k / k!)^2`.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut order) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (order * order);
        sum += term;
        order += 1.0;
    }
    sum
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation)]
    fn sine(hertz: f64, rate: u32, length: usize) -> Vec<f32> {
        (0..length).map(|index| (2.0 * PI * hertz * index as f64 / f64::from(rate)).sin() as f32).collect()
    }

    /// The largest difference away from the ends, where the sine is cut off and rings.
    fn difference(left: &[f32], right: &[f32]) -> f32 {
        assert_eq!(left.len(), right.len());
        let inner = 400..left.len() - 400;
        inner.map(|index| (left[index] - right[index]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_sine_stays_a_sine() {
        for (from, to) in [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 16_000), (16_001, 16_000)] {
            let length = from as usize / 2;
            let expected = sine(440.0, to, (length * to as usize).div_ceil(from as usize));
            let error = difference(&resample(&sine(440.0, from, length), from, to), &expected);
            // The window leaves ripples 120 dB down, 1e-6; single precision adds 1e-7.
            assert!(error < 2e-6, "{from} to {to}: {error}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_taken_out() {
        let resampled = resample(&sine(9_000.0, 44_100, 22_050), 44_100, 16_000);
        let error = difference(&resampled, &vec![0.0; resampled.len()]);
        assert!(error < 1e-5, "{error}");
    }

    #[test]
    fn the_same_rate_changes_nothing_and_one_sample_is_enough() {
        let samples = sine(440.0, 16_000, 50);
        assert_eq!(resample(&samples, 16_000, 16_000), samples);
        assert_eq!(resample(&[1.0], 44_100, 16_000).len(), 1);
    }
}
