//! Student's t: tail probabilities and quantiles for whole degrees of freedom.

/// Computes the probability that Student's t with `freedom` degrees of freedom, at least 1, is farther from 0 than `t`.
///
/// The finite series for whole degrees of freedom: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.3
/// and 26.7.4.
pub fn outside_of_t(t: f64, freedom: usize) -> f64 {
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    // The terms are powers of the cosine, each times the next k / (k + 1).
    let (mut term, mut k): (f64, f64) = if is_odd { (cosine, 2.0) } else { (1.0, 1.0) };
    let mut series = 0.0;
    for _ in 0..freedom / 2 {
        series += term;
        term *= k / (k + 1.0) * cosine * cosine;
        k += 2.0;
    }
    let inside = if is_odd { (angle + sine * series) * std::f64::consts::FRAC_2_PI } else { sine * series };
    (1.0 - inside).clamp(0.0, 1.0)
}

/// Computes the quantile of Student's t with `freedom` degrees of freedom, at least 1, at a share above one half, by bisection.
///
/// ```
/// use lsmi_core::statistics::quantile_of_t;
///
/// assert!((quantile_of_t(0.975, 4) - 2.776_45).abs() < 1e-5);
/// ```
pub fn quantile_of_t(share: f64, freedom: usize) -> f64 {
    let tails = 2.0 * (1.0 - share);
    let (mut low, mut high) = (0.0, 1.0);
    while outside_of_t(high, freedom) > tails {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if outside_of_t(middle, freedom) > tails { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_table() {
        for (freedom, expected) in [(1, 12.706_2), (2, 4.302_65), (3, 3.182_45), (10, 2.228_14), (19, 2.093_02)] {
            assert!((quantile_of_t(0.975, freedom) - expected).abs() < 1e-4, "{freedom}");
        }
        assert!((outside_of_t(1.0, 1) - 0.5).abs() < 1e-12, "a quarter of the Cauchy distribution lies above 1");
        assert_eq!(outside_of_t(0.0, 7), 1.0);
    }
}
