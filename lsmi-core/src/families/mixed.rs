//! Half synergy, half uniqueness: both modalities show which of the two a sample is.

use super::mixture::{Cell, Mixture, check_positive};
use crate::error::{Error, Result};

/// The parameters of the family `mixed`.
///
/// c, b1 and b2 are fair bits; y = b1 xor b2 where c = 0 and y = not b2 where c = 1; then
///
/// ```text
/// x_m = amplitude * (2 b_m - 1) * w_m + 2 * amplitude * (2 c - 1) * v_m + sigma * N
/// ```
///
/// with N standard normal.
///
/// ```
/// use lsmi_core::{Family, families::Mixed};
///
/// let (w, v) = (vec![1.0, 0.0], vec![0.0, 1.0]);
/// let mixed = Mixed { w1: w.clone(), v1: v.clone(), w2: w, v2: v, amplitude: 3.0, sigma: 1.0 };
/// assert_eq!(mixed.mixture()?.classes(), 2);
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// The direction of the bit b1 in modality 1, a unit vector; its length is the dimension of the modality.
    pub w1: Vec<f64>,
    /// The direction of the bit c in modality 1, a unit vector orthogonal to `w1`.
    pub v1: Vec<f64>,
    /// The direction of the bit b2 in modality 2, a unit vector of any dimension.
    pub w2: Vec<f64>,
    /// The direction of the bit c in modality 2, a unit vector orthogonal to `w2`.
    pub v2: Vec<f64>,
    /// The distance by which a bit `b_m` moves its modality from the middle, above 0; c moves it twice as far.
    pub amplitude: f64,
    /// The standard deviation of the noise, above 0.
    pub sigma: f64,
}

impl Mixed {
    /// Creates the family with these parameters.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the two directions of a modality differ in length, [`Error::Parameter`] if `amplitude` or
    /// `sigma` is not above 0 and finite, or a direction is empty or not finite.
    pub fn mixture(&self) -> Result<Mixture> {
        check_positive("amplitude", self.amplitude)?;
        for (array, w, v) in [("v1", &self.w1, &self.v1), ("v2", &self.w2, &self.v2)] {
            if w.len() != v.len() {
                return Err(Error::Length { array, expected: w.len(), found: v.len() });
            }
        }
        let sides = [-self.amplitude, self.amplitude];
        // The centre of the bits b and c has the number 2 c + b.
        let centres = |w: &[f64], v: &[f64]| {
            let at = |b: usize, c: usize| w.iter().zip(v).map(|(w, v)| sides[b] * w + 2.0 * sides[c] * v).collect();
            vec![at(0, 0), at(1, 0), at(0, 1), at(1, 1)]
        };
        let mut cells = Vec::new();
        for c in [0, 1] {
            for (b1, b2) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let label = u32::from(if c == 0 { b1 != b2 } else { b2 == 0 });
                cells.push(Cell { centre1: 2 * c + b1, centre2: 2 * c + b2, label, probability: 0.125 });
            }
        }
        Mixture::new(centres(&self.w1, &self.v1), centres(&self.w2, &self.v2), self.sigma, cells)
    }
}
