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

/// Returns the redundancy of any number of sets of modalities, given by their places in `h` and `i`: the same sums over all
/// of them. That of two is [`redundancy`] to the bit.
#[inline]
pub(crate) fn redundancy_of_sets(sets: &[usize], h: &[f64], i: &[f64]) -> f64 {
    let Some((&first, others)) = sets.split_first() else { return 0.0 };
    let near = others.iter().fold(first, |near, &set| if h[set] < h[near] { set } else { near });
    let others = || sets.iter().filter(|&&set| set != near).map(|&set| (set, h[near] - h[set]));
    let seen = others().map(|(set, difference)| difference + (i[set] - i[near]));
    i[near] + softplus_of(seen) - softplus_of(others().map(|(_, difference)| difference))
}

/// Returns `log(1 + exp(x) + exp(y) + ...)`.
fn softplus_of(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (mut largest, mut place) = (0.0, None);
    for (at, value) in values.clone().enumerate() {
        if value > largest {
            (largest, place) = (value, Some(at));
        }
    }
    // 1 or, where it is not the largest, what is: that is left out of the sum, and added by the logarithm.
    let one = if place.is_some() { (-largest).exp() } else { 0.0 };
    let rest = values.enumerate().filter(|(at, _)| Some(*at) != place).map(|(_, value)| (value - largest).exp());
    largest + (one + rest.sum::<f64>()).ln_1p()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{
        random::stream,
        statistics::{log_add_exp, log_sum_exp},
    };

    #[test]
    fn two_sets_are_two_modalities() {
        let mut random = stream(0, "sx test");
        for _ in 0..1000 {
            let h = [random.random_range(-50.0..50.0), random.random_range(-50.0..50.0)];
            let i = [random.random_range(-9.0..3.0), random.random_range(-9.0..3.0)];
            assert_eq!(redundancy_of_sets(&[0, 1], &h, &i), redundancy(h[0], h[1], i[0], i[1]));
            assert_eq!(redundancy_of_sets(&[1], &h, &i), i[1]);
        }
    }

    #[test]
    fn many_sets_are_the_formula_of_many() {
        let mut random = stream(0, "sx test");
        for count in 2..=8 {
            let h: Vec<f64> = (0..count).map(|_| random.random_range(-9.0..9.0)).collect();
            let i: Vec<f64> = (0..count).map(|_| random.random_range(-9.0..9.0)).collect();
            let sets: Vec<usize> = (0..count).collect();
            let sum = |given: f64| log_sum_exp(&h.iter().zip(&i).map(|(h, i)| given * i - h).collect::<Vec<_>>());
            assert!((redundancy_of_sets(&sets, &h, &i) - (sum(1.0) - sum(0.0))).abs() < 1e-13);
        }
    }

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
