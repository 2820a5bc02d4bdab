//! Redundancy as common change in surprisal, `I_ccs`, in a pointwise form.
//!
//! ```text
//! c = i_1 + i_2 - i_12
//! r = c   where i_1, i_2, i_12 and c are all positive or all negative
//! r = 0   elsewhere
//! ```
//!
//! The other components follow, and are written so that what is 0 by definition is exactly 0, where `i_12 - i_1 - i_2 + r`
//! leaves a rounding error of some 2e-16:
//!
//! ```text
//! where r = c:   u_1 = i_12 - i_2   u_2 = i_12 - i_1   s = 0
//! elsewhere:     u_1 = i_1          u_2 = i_2          s = i_12 - (i_1 + i_2) = -c
//! ```
//!
//! Values that are 0 are therefore equal, and are counted and ranked as equals.
//!
//! c is the pointwise co-information, which both carry; it counts as redundancy only where both modalities and
//! their union change the surprisal of the label in one direction. Ince, "Measuring Multivariate Redundant Information
//! with Pointwise Common Change in Surprisal" (Entropy 19(7), 318, 2017).
//!
//! Ince averages over the distribution of maximum entropy that has the pairwise marginals of the data. **That step is
//! left out here**: every sample is judged by its own terms, and means are over the data as they are, so that means can
//! differ from Ince's. No surprisal enters, hence no choice of coordinates does.

/// Returns the redundancy of one sample, in nats.
///
/// ```
/// use lsmi_core::measure::ccs::redundancy;
///
/// assert_eq!(redundancy(0.5, 0.75, 1.0), 0.25);
/// assert_eq!(redundancy(-0.5, -0.75, -1.0), -0.25);
/// assert_eq!(redundancy(0.5, -0.75, 0.25), 0.0); // the modalities contradict each other
/// assert_eq!(redundancy(0.25, 0.25, 1.0), 0.0); // together they tell more than in sum
/// ```
#[inline]
pub fn redundancy(i1: f64, i2: f64, i12: f64) -> f64 {
    let common = i1 + i2 - i12;
    let all = |agrees: fn(&f64) -> bool| [i1, i2, i12, common].iter().all(agrees);
    if all(|value| *value > 0.0) || all(|value| *value < 0.0) { common } else { 0.0 }
}

/// Returns redundancy, uniqueness of modality 1, uniqueness of modality 2 and synergy of one sample, in nats.
///
/// ```
/// use lsmi_core::measure::ccs::parts;
///
/// assert_eq!(parts(0.5, 0.75, 1.0), [0.25, 0.25, 0.5, 0.0]);
/// // Modality 2 adds nothing to modality 1, although 0.3 + 0.1 - 0.3 is not 0.1 in floating point.
/// assert_eq!(parts(0.3, 0.1, 0.3)[2..], [0.0, 0.0]);
/// ```
#[inline]
pub fn parts(i1: f64, i2: f64, i12: f64) -> [f64; 4] {
    let r = redundancy(i1, i2, i12);
    [r, uniqueness(i1, i2, i12, r), uniqueness(i2, i1, i12, r), synergy(i1, i2, i12, r)]
}

/// Returns the uniqueness of the modality with the information `own`, given the redundancy.
#[inline]
pub(super) fn uniqueness(own: f64, other: f64, i12: f64, r: f64) -> f64 {
    if r == 0.0 { own } else { i12 - other }
}

/// Returns the synergy, given the redundancy.
#[inline]
pub(super) fn synergy(i1: f64, i2: f64, i12: f64, r: f64) -> f64 {
    if r == 0.0 { i12 - (i1 + i2) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::random::stream;

    #[test]
    fn components_that_are_0_by_definition_are_exactly_0() {
        let mut random = stream(0, "ccs test");
        for _ in 0..10_000 {
            let (i1, i2): (f64, f64) = (random.random_range(-3.0..3.0), random.random_range(-3.0..3.0));
            let i12 = random.random_range(-3.0..3.0);
            let [r, u1, u2, s] = parts(i1, i2, i12);
            // What is redundant leaves no synergy, and what is not is all unique or synergistic.
            assert!(if r == 0.0 { (u1, u2) == (i1, i2) } else { s == 0.0 });
            for (found, expected) in [(r + u1, i1), (r + u2, i2), (r + u1 + u2 + s, i12)] {
                assert!((found - expected).abs() < 1e-14, "{found} {expected}");
            }
            // A modality that adds nothing to the other has no uniqueness; one that tells nothing adds nothing.
            let added_nothing = parts(i1, i2, i1);
            assert!(added_nothing[0] == 0.0 || (added_nothing[2], added_nothing[3]) == (0.0, 0.0));
            assert_eq!(parts(i1, 0.0, i1), [0.0, i1, 0.0, 0.0]);
            assert_eq!(parts(i1, i1, i1), [i1, 0.0, 0.0, 0.0]);
            // Independent modalities: all is unique.
            assert_eq!(parts(i1, i2, i1 + i2), [0.0, i1, i2, 0.0]);
        }
    }
}
