//! Two bits and a label that depends on them, each bit in a modality of its own.

use super::mixture::{Cell, Mixture, check_positive};
use crate::error::Result;

/// The parameters of a family of bits.
///
/// (b1, b2, y) is drawn from `pmf`, then
///
/// ```text
/// x_m = amplitude * (2 b_m - 1) * w_m + sigma * N
/// ```
///
/// with N standard normal. The probabilities of the bits are exact, so every term is a short log-sum-exp.
///
/// ```
/// use lsmi_core::{Family, families::Gate};
///
/// let gate = Gate { pmf: Gate::OR, w1: vec![1.0], w2: vec![0.6, 0.8], amplitude: 3.0, sigma: 1.0 };
/// assert_eq!(gate.mixture()?.dims(), (1, 2));
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// P(b1, b2, y) as `pmf[b1][b2][y]`; both classes of y must occur.
    pub pmf: [[[f64; 2]; 2]; 2],
    /// The direction of the bit in modality 1, a unit vector; its length is the dimension of the modality.
    pub w1: Vec<f64>,
    /// The direction of the bit in modality 2, a unit vector of any dimension.
    pub w2: Vec<f64>,
    /// The distance from the origin at which a bit puts its modality, above 0.
    pub amplitude: f64,
    /// The standard deviation of the noise, above 0.
    pub sigma: f64,
}

impl Gate {
    /// y = b1 xor b2 of fair bits.
    pub const XOR: [[[f64; 2]; 2]; 2] = [[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]];
    /// y = b1 or b2 of fair bits.
    pub const OR: [[[f64; 2]; 2]; 2] = [[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.0, 0.25]]];
    /// y = b1 and b2 of fair bits.
    pub const AND: [[[f64; 2]; 2]; 2] = [[[0.25, 0.0], [0.25, 0.0]], [[0.25, 0.0], [0.0, 0.25]]];
    /// y = b1 of fair bits.
    pub const COPY1: [[[f64; 2]; 2]; 2] = [[[0.25, 0.0], [0.25, 0.0]], [[0.0, 0.25], [0.0, 0.25]]];
    /// y = b1 = b2, a fair bit.
    pub const RDN: [[[f64; 2]; 2]; 2] = [[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.5]]];

    /// Creates the family with these parameters.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) if `amplitude` or `sigma` is not above 0 and finite, if a direction
    /// is empty or not finite, or a probability negative; otherwise those of [`Mixture::new`].
    pub fn mixture(&self) -> Result<Mixture> {
        check_positive("amplitude", self.amplitude)?;
        let centres = |w: &[f64]| {
            let at = |side: f64| w.iter().map(|value| side * self.amplitude * value).collect();
            vec![at(-1.0), at(1.0)]
        };
        let mut cells = Vec::new();
        for (centre1, rest) in self.pmf.iter().enumerate() {
            for (centre2, labels) in rest.iter().enumerate() {
                for (label, &probability) in (0..).zip(labels) {
                    cells.push(Cell { centre1, centre2, label, probability });
                }
            }
        }
        Mixture::new(centres(&self.w1), centres(&self.w2), self.sigma, cells)
    }
}
