//! Redundancy by pointwise specificity and ambiguity, `I_pm`: the measure of the paper and the default.
//!
//! ```text
//! r = min(h_1, h_2) - min(h_1|y, h_2|y),   h_m|y = h_m - i_m
//! ```
//!
//! The first minimum is the specificity, the surprise that the two modalities share; the second is the ambiguity, what
//! of it is left when the label is known. Finn and Lizier, "Pointwise Partial Information Decomposition Using the
//! Specificity and Ambiguity Lattices" (Entropy 20(4), 297, 2018); used sample by sample by Yang, Wang and Hu (ICML
//! 2025).
//!
//! # The gauge
//!
//! Between densities, r depends on the coordinates of the two modalities: to measure modality 2 in units e times
//! smaller adds its dimension to every h2 and changes no i, yet moves r. Only h2 - h1 matters. Where it is much larger
//! than every i, r is the i of the modality with the lower h for every sample, and the uniqueness of that modality is 0
//! for all. Coordinates must therefore be chosen on purpose, the same for all samples that are compared.

/// Returns the redundancy of one sample, in nats.
///
/// Computed from h2 - h1, so that the digits of r survive however large both surprisals are:
/// `r = max(i1, i2 - (h2 - h1))` where h1 is the lower surprisal, and the mirror image where h2 is.
///
/// ```
/// use lsmi_core::measure::pm::redundancy;
///
/// // min(1, 2) - min(1 - 0.25, 2 - 1.5)
/// assert_eq!(redundancy(1.0, 2.0, 0.25, 1.5), 0.5);
/// assert_eq!(redundancy(1e9, 2e9, 0.25, 1.5), 0.25);
/// ```
#[inline]
pub fn redundancy(h1: f64, h2: f64, i1: f64, i2: f64) -> f64 {
    if h1 <= h2 { i1.max(i2 - (h2 - h1)) } else { i2.max(i1 - (h1 - h2)) }
}

/// Returns the redundancy of any number of sets of modalities, given by their places in `h` and `i`: the same minima over
/// all of them. That of two is [`redundancy`] to the bit.
#[inline]
pub(crate) fn redundancy_of_sets(sets: &[usize], h: &[f64], i: &[f64]) -> f64 {
    let lowest = sets.iter().map(|&set| h[set]).fold(f64::INFINITY, f64::min);
    sets.iter().map(|&set| i[set] - (h[set] - lowest)).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::random::stream;

    #[test]
    fn two_sets_are_two_modalities() {
        let mut random = stream(0, "pm test");
        for _ in 0..1000 {
            let h = [random.random_range(-50.0..50.0), random.random_range(-50.0..50.0)];
            let i = [random.random_range(-9.0..3.0), random.random_range(-9.0..3.0)];
            assert_eq!(redundancy_of_sets(&[0, 1], &h, &i), redundancy(h[0], h[1], i[0], i[1]));
            assert_eq!(redundancy_of_sets(&[1], &h, &i), i[1]);
        }
    }

    #[test]
    fn three_sets_have_the_minima_of_three() {
        // min(3, 1, 2) - min(3 - 0.5, 1 + 1, 2 - 0.25)
        assert_eq!(redundancy_of_sets(&[0, 1, 2], &[3.0, 1.0, 2.0], &[0.5, -1.0, 0.25]), -0.75);
    }
}
