//! Dropout: hidden units that a step of training leaves out.
//!
//! Each unit of each row is left out with a given probability, and the others are scaled up so that means stay (Srivastava,
//! Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, section 10).

use lsmi_core::random::{ChaCha8Rng, stream};
use rand::RngCore;

use crate::numbers::simd_math::vectorised;

/// The number of values of a byte.
const VALUES: f32 = 256.0;

/// Leaves out hidden units at random.
pub(super) struct Dropout {
    random: ChaCha8Rng,
    bytes: Vec<u8>,
    /// Units whose byte is below are left out.
    threshold: u8,
}

impl Dropout {
    /// Creates the dropout of a share of the units below 1, to the nearest 256th.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    pub(super) fn new(share: f64, seed: u64) -> Self {
        let threshold = (share * f64::from(VALUES)).round().clamp(0.0, 255.0) as u8;
        Self { random: stream(seed, "network dropout"), bytes: Vec::new(), threshold }
    }

    /// Returns whether any units are left out.
    pub(super) fn is_on(&self) -> bool {
        self.threshold > 0
    }

    /// Returns the factor of the units that stay.
    pub(super) fn scale(&self) -> f32 {
        VALUES / (VALUES - f32::from(self.threshold))
    }

    /// Puts 0 in the place of units that are left out, and scales the others.
    pub(super) fn apply(&mut self, units: &mut [f32]) {
        if !self.is_on() {
            return;
        }
        self.bytes.resize(units.len(), 0);
        self.random.fill_bytes(&mut self.bytes);
        let (bytes, threshold, scale) = (&self.bytes, self.threshold, self.scale());
        vectorised(
            #[inline(always)]
            move || {
                for (unit, byte) in units.iter_mut().zip(bytes) {
                    *unit = if *byte < threshold { 0.0 } else { *unit * scale };
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_units_is_left_out_and_the_mean_stays() {
        let mut units = vec![1.0; 100_000];
        Dropout::new(0.25, 0).apply(&mut units);
        let out = units.iter().filter(|unit| **unit == 0.0).count();
        // The deviation of the count is sqrt(100,000 * .25 * .75) = 137.
        assert!(out.abs_diff(25_000) < 600, "{out}");
        assert!(units.iter().all(|unit| *unit == 0.0 || *unit == 4.0 / 3.0));
    }

    #[test]
    fn every_draw_is_another_and_the_same_seed_gives_the_same() {
        let draws = |seed| {
            let mut dropout = Dropout::new(0.5, seed);
            [(); 2].map(|()| {
                let mut units = vec![1.0; 64];
                dropout.apply(&mut units);
                units
            })
        };
        let [first, second] = draws(0);
        assert_ne!(first, second);
        assert_eq!(draws(0), [first, second]);
        assert_ne!(draws(0), draws(1));
    }

    #[test]
    fn without_a_share_all_stay_as_they_are() {
        let mut units = vec![0.1, 0.2];
        Dropout::new(0.0, 0).apply(&mut units);
        assert_eq!(units, [0.1, 0.2]);
    }
}
