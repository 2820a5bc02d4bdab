//! Redundancy as minimum mutual information, `I_mmi`, sample by sample.
//!
//! ```text
//! R = min(I_1, I_2),   r = i_m of the modality m with the lower mean I_m
//! ```
//!
//! The redundancy of a data set is the information of its weaker modality, so that nothing is unique to that one:
//! Barrett, "Exploration of synergistic and redundant information sharing in static and dynamical Gaussian systems"
//! (Physical Review E 91, 052802, 2015). The pointwise form takes the weaker modality's i for every sample, so that its
//! mean is R. No surprisal enters, hence no choice of coordinates does.
//!
//! Which modality is the weaker one is a fact about a data set, not about a sample: see
//! [`Reference`](super::Reference).

use super::Modality;

/// Returns the redundancy of one sample, in nats; `weaker` is the modality with less information on average.
#[inline]
pub fn redundancy(i1: f64, i2: f64, weaker: Modality) -> f64 {
    match weaker {
        Modality::One => i1,
        Modality::Two => i2,
    }
}
