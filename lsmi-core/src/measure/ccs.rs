//! Redundancy as common change in surprisal, `I_ccs`, in a pointwise form.
//!
//! ```text
//! c = i_1 + i_2 - i_12
//! r = c   where i_1, i_2, i_12 and c are all positive or all negative
//! r = 0   elsewhere
//! ```
//!
//! c is the pointwise co-information, what is told twice; it is taken for redundancy only where both modalities and
//! their union change the surprisal of the label in one direction. Ince, "Measuring Multivariate Redundant Information
//! with Pointwise Common Change in Surprisal" (Entropy 19(7), 318, 2017).
//!
//! Ince averages over the distribution of maximum entropy that has the pairwise marginals of the data. **That step is
//! left out here**: every sample is judged by its own terms, and means are over the data as they are, so that means can
//! differ from Ince's. No surprisal enters, hence no choice of coordinates does.

/// The redundancy of one sample, in nats.
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
