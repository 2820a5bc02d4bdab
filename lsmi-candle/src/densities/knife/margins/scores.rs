//! Normal scores: the places of the order statistics of a normal sample.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Returns the density of the normal distribution.
pub(super) fn density(score: f64) -> f64 {
    (-0.5 * score * score).exp() / TAU.sqrt()
}

/// Returns the value below which a share in (0, 1/2] of a normal distribution lies: formula 26.2.22 of Abramowitz and
/// Stegun (1964), then Halley's steps.
fn lower_quantile(share: f64) -> f64 {
    let root = (-2.0 * share.ln()).sqrt();
    let mut score = (2.30753 + 0.27061 * root) / (1.0 + 0.99229 * root + 0.04481 * root * root) - root;
    for _ in 0..3 {
        let step = (0.5 * libm::erfc(-score * FRAC_1_SQRT_2) - share) / density(score);
        score -= step / (1.0 + 0.5 * score * step);
    }
    score
}

/// Returns the value below which a share in (0, 1) of a normal distribution lies.
pub(super) fn quantile(share: f64) -> f64 {
    if share <= 0.5 { lower_quantile(share) } else { -lower_quantile(1.0 - share) }
}

/// Returns the scores of `count` values in rising order: quantiles at `(i + 1/2) / count` (Hazen 1914).
pub(super) fn scores(count: usize) -> Vec<f64> {
    let half: Vec<f64> = (0..count / 2).map(|rank| lower_quantile((rank as f64 + 0.5) / count as f64)).collect();
    let middle = (count % 2 == 1).then_some(0.0);
    half.iter().copied().chain(middle).chain(half.iter().rev().map(|score| -score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (share, expected) in
            [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.01, -2.326_347_874_040_841), (1e-9, -5.997_807_015_007_7)]
        {
            assert!((quantile(share) - expected).abs() < 1e-12, "{share}");
        }
    }

    #[test]
    fn scores_rise_and_are_symmetric() {
        for count in [1, 2, 7, 100] {
            let scores = scores(count);
            assert_eq!(scores.len(), count);
            assert!(scores.is_sorted());
            assert!(scores.iter().zip(scores.iter().rev()).all(|(low, high)| low + high == 0.0));
        }
    }
}
