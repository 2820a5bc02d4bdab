//! Redundancy as minimum specific information, `I_min`, sample by sample.
//!
//! ```text
//! I(y; X_m) = the mean of i_m over the samples of class y
//! R = sum over y of p(y) min(I(y; X_1), I(y; X_2))
//! r = i_m of the modality m with the lower I(y; X_m), y being the sample's own class
//! ```
//!
//! I(y; X) is the specific information about a class, and what both modalities tell redundantly about it is that of the
//! modality with less information: Williams and Beer, "Nonnegative Decomposition of Multivariate Information"
//! (arXiv:1004.2515, 2010). The pointwise form takes the i of the modality that is weaker for the sample's class, so that
//! its mean is R. It is [`mmi`] class by class, and its R is at most that of `mmi`. No surprisal enters, hence no choice
//! of coordinates does.
//!
//! `I_min` is often criticised for calling information redundant as soon as both modalities tell equally much about a
//! class, even where they tell different things: Harder, Salge and Polani, "Bivariate measure of redundant information"
//! (Physical Review E 87, 012130, 2013).
//!
//! Which modality is the weaker one for a class is a fact about a data set, not about a sample: see
//! [`Reference`](super::Reference).

use super::{Modality, mmi};
use crate::{statistics::Sum, terms::Terms};

/// Returns the redundancy of one sample, in nats; `weaker` is the modality with less information on average about its
/// class.
#[inline]
pub fn redundancy(i1: f64, i2: f64, weaker: Modality) -> f64 {
    mmi::redundancy(i1, i2, weaker)
}

/// Returns for every class the modality with the lower mean i over its samples; modality 1 if the means are equal,
/// `otherwise` if there are no samples.
///
/// # Panics
///
/// If a label is not below `classes`, or there is not one label a sample.
pub(super) fn weaker_of_class(terms: &Terms, labels: &[u32], classes: usize, otherwise: Modality) -> Vec<Modality> {
    let mut by_class = vec![(0_usize, Sum::default(), Sum::default()); classes];
    for ((&label, &value1), &value2) in labels.iter().zip(&terms.i1).zip(&terms.i2) {
        let (count, i1, i2) = &mut by_class[label as usize];
        *count += 1;
        *i1 = i1.with(value1);
        *i2 = i2.with(value2);
    }
    let weaker = |&(count, i1, i2): &(usize, Sum, Sum)| {
        let mean = |sum: Sum| sum.value() / count as f64;
        if count == 0 { otherwise } else { Modality::with_lower(mean(i1), mean(i2)) }
    };
    by_class.iter().map(weaker).collect()
}
