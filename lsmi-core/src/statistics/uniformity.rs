//! How far values are from uniform on 0 to 1: whether predictive distributions are calibrated, by their probability integral
//! transforms (Dawid 1984; Gneiting, Balabdaoui, Raftery 2007).

use serde::{Deserialize, Serialize};

/// Bins of the histogram.
const BINS: usize = 10;

/// The distance of values from the uniform distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Uniformity {
    /// The Kolmogorov-Smirnov distance, `max |F(z) - z|` of the empirical distribution function F.
    pub distance: f64,
    /// The probability of a distance at least as large for independent uniform values.
    pub p_value: f64,
    /// The share of values in each tenth: high at both ends for distributions that are too narrow, in the middle for ones
    /// that are too wide.
    pub shares: Vec<f64>,
}

/// Measures how far values are from uniform on 0 to 1; `None` without values, or if some are not between 0 and 1.
///
/// The p-value is Kolmogorov's limit, `2 sum_k (-1)^(k-1) exp(-2 k^2 t^2)`, at `t = (sqrt(n) + .12 + .11 / sqrt(n)) D`
/// (Stephens 1970), good to two digits from five values on.
///
/// ```
/// use lsmi_core::statistics::uniformity;
///
/// let even: Vec<f64> = (0..100).map(|place| (f64::from(place) + 0.5) / 100.0).collect();
/// let found = uniformity(&even).unwrap();
/// assert!((found.distance - 0.005).abs() < 1e-12 && found.p_value > 0.999);
/// let low: Vec<f64> = even.iter().map(|value| value * value).collect();
/// assert!(uniformity(&low).unwrap().p_value < 1e-3);
/// ```
pub fn uniformity(values: &[f64]) -> Option<Uniformity> {
    if values.is_empty() || !values.iter().all(|value| (0.0..=1.0).contains(value)) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let distance = sorted.iter().enumerate().fold(0.0f64, |largest, (place, value)| {
        let (below, upto) = (place as f64 / count, (place as f64 + 1.0) / count);
        largest.max(value - below).max(upto - value)
    });
    let mut shares = vec![0.0; BINS];
    for value in &sorted {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a value between 0 and 1")]
        let bin = ((value * BINS as f64) as usize).min(BINS - 1);
        shares[bin] += count.recip();
    }
    let root = count.sqrt();
    Some(Uniformity { distance, p_value: kolmogorov((root + 0.12 + 0.11 / root) * distance), shares })
}

/// Returns the probability that the Kolmogorov statistic exceeds `t`.
fn kolmogorov(t: f64) -> f64 {
    if t < 0.2 {
        // The alternating series no longer converges, and the probability of less is below 1e-12.
        return 1.0;
    }
    let term = |k: i32| {
        let k = f64::from(k);
        (-2.0 * k * k * t * t).exp()
    };
    let series: f64 = (1..=100).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum();
    (2.0 * series).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_kolmogorov_are_those_of_the_table() {
        for (t, expected) in [(1.2238, 0.1), (1.3581, 0.05), (1.6276, 0.01)] {
            assert!((kolmogorov(t) - expected).abs() < 1e-4, "{t}");
        }
    }

    #[test]
    fn values_outside_have_no_distance() {
        assert!(uniformity(&[]).is_none() && uniformity(&[0.5, 1.5]).is_none() && uniformity(&[f64::NAN]).is_none());
        let found = uniformity(&[0.0, 1.0]).unwrap();
        assert!((found.distance - 0.5).abs() < 1e-12 && found.shares[0] == 0.5 && found.shares[9] == 0.5);
    }
}
