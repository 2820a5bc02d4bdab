//! Redundancy by shared exclusions, `I_sx`, in its form for densities.
//!
//! ```text
//! r = log( w1 exp(i_1) + w2 exp(i_2) ),   w_m = p(x_m) / (p(x1) + p(x2))
//!   = lse(i_1 - h_1, i_2 - h_2) - lse(-h_1, -h_2),   lse(a, b) = log(exp(a) + exp(b))
//! ```
//!
//! For events it is the information that the label has in common with "x1 or x2 was observed": Makkeh, Gutknecht and
//! Wibral, "Introducing a differentiable measure of pointwise shared information" (Physical Review E 103, 032149,
//! 2021). Between densities the probability of both at once vanishes: Ehrlich, Schick-Poland, Makkeh, Lanfermann, Wollstadt
//! and Wibral, "Partial information decomposition for continuous variables based on shared exclusions" (Physical Review
//! E 110, 014115, 2024).
//!
//! It is [`pm`](super::pm) with smooth maxima, differs from it by at most log 2, and depends on the coordinates just as
//! `pm` does.

/// Returns the redundancy of one sample, in nats.
///
/// Computed from h1 - h2, so that the digits of r survive however large both surprisals are.
///
/// ```
/// use lsmi_core::measure::sx::redundancy;
///
/// // Equal densities: the mean of exp(i_m).
/// let r = redundancy(700.0, 700.0, 2.0_f64.ln(), 4.0_f64.ln());
/// assert!((r - 3.0_f64.ln()).abs() < 1e-15);
/// ```
#[inline]
pub fn redundancy(h1: f64, h2: f64, i1: f64, i2: f64) -> f64 {
    // Seen from the modality of the higher density, the weight of the other one is exp of something negative.
    if h1 <= h2 { seen_from(i1, i2, h1 - h2) } else { seen_from(i2, i1, h2 - h1) }
}

/// Returns `log((exp(near) + exp(difference + far)) / (1 + exp(difference)))` for a difference of at most 0.
fn seen_from(near: f64, far: f64, difference: f64) -> f64 {
    near + softplus(difference + (far - near)) - softplus(difference)
}

/// Returns `log(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::log_add_exp;

    #[test]
    fn it_is_the_formula_of_the_paper() {
        for (h1, h2, i1, i2) in
            [(1.0, 2.0, 0.5, -3.0), (2.0, -1.0, 0.25, 0.75), (0.0, 0.0, -40.0, 2.0), (-5.0, 5.0, 1.0, 12.0)]
        {
            let expected = log_add_exp(i1 - h1, i2 - h2) - log_add_exp(-h1, -h2);
            assert!((redundancy(h1, h2, i1, i2) - expected).abs() < 1e-13);
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "far apart, one modality is all there is")]
    fn far_apart_densities_leave_one_modality() {
        assert_eq!(redundancy(-1e5, 1e5, 0.125, 3.0), 0.125);
        assert_eq!(redundancy(1e5, -1e5, 0.125, 3.0), 3.0);
    }
}
