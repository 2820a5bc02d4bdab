//! Five groups of samples, each of one kind, to test which measure finds the kind of a single sample.

use super::{
    Draw, Family,
    mixture::{Cell, Mixture, check_positive},
};
use crate::{
    error::{Error, Result},
    kind::Kind,
    random::ChaCha8Rng,
    terms::Terms,
};

/// The family `groups`.
///
/// A sample is of one of five groups, each as probable as any other; b1 and b2 are fair bits, and y is
///
/// ```text
/// group 0, redundant:    b1, with b2 = b1
/// group 1, unique1:      b1
/// group 2, unique2:      b2
/// group 3, synergistic:  b1 xor b2
/// group 4, none:         a fair bit of its own
/// ```
///
/// Which group a sample is of shows in both modalities. With orthonormal directions `q_m` and N standard normal,
///
/// ```text
/// x_m = 2 * amplitude * q_m[group] + amplitude * (2 b_m - 1) * q_m[5] + sigma * N
/// ```
///
/// Where bits and groups show clearly, a measure that tells kinds apart gives every sample of the first four groups log
/// 2 nats in its group's own component and 0 in all others. Draws say which group every sample is of ([`Draw::groups`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// A group's number is half that of the centres of its cells, rounded down.
    mixture: Mixture,
}

impl Groups {
    /// The kind of the samples of each group; group g is of the kind `KINDS[g]`.
    pub const KINDS: [Kind; 5] = [Kind::Redundant, Kind::Unique1, Kind::Unique2, Kind::Synergistic, Kind::None];

    /// Returns the family with these directions of the modalities, each six orthonormal vectors: one for every group
    /// and one for the bit.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `amplitude` or `sigma` is not above 0 and finite, or the directions of a modality are
    /// not of one length, empty or not finite.
    ///
    /// ```
    /// use lsmi_core::{Family, families::Groups, random::stream};
    ///
    /// let axis = |k: usize| (0..6).map(|place| f64::from(u8::from(place == k))).collect::<Vec<_>>();
    /// let q = [0, 1, 2, 3, 4, 5].map(axis);
    /// let draw = Groups::new(&q, &q, 3.0, 1.0)?.sample(3, &mut stream(0, "example"));
    /// assert_eq!(draw.groups.map(|groups| groups.len()), Some(3));
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(q1: &[Vec<f64>; 6], q2: &[Vec<f64>; 6], amplitude: f64, sigma: f64) -> Result<Self> {
        check_positive("amplitude", amplitude)?;
        for (name, q) in [("q1", q1), ("q2", q2)] {
            let lengths: Vec<usize> = q.iter().map(Vec::len).collect();
            if lengths.iter().any(|&length| length != lengths[0]) {
                let found = format!("vectors of the lengths {lengths:?}");
                return Err(Error::parameter(name, "six vectors of one length", &found));
            }
        }
        let mixture = Mixture::new(centres(q1, amplitude), centres(q2, amplitude), sigma, cells())?;
        Ok(Self { mixture })
    }
}

impl Family for Groups {
    fn dims(&self) -> (usize, usize) {
        self.mixture.dims()
    }

    fn classes(&self) -> usize {
        self.mixture.classes()
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are five groups")]
    fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Draw {
        let mut groups = Vec::with_capacity(n);
        let draw = self.mixture.sample_cells(n, rng, |cell| groups.push((cell.centre1 / 2) as u32));
        Draw { groups: Some(groups), ..draw }
    }

    fn terms(&self, draw: &Draw) -> Result<Terms> {
        self.mixture.terms(draw)
    }
}

/// Returns the centres of a modality; that of the group g and the bit b has the number 2 g + b.
fn centres(q: &[Vec<f64>; 6], amplitude: f64) -> Vec<Vec<f64>> {
    let [groups @ .., bit] = q;
    let centre = |group: &[f64], side: f64| {
        group.iter().zip(bit).map(|(group, bit)| 2.0 * amplitude * group + side * amplitude * bit).collect()
    };
    groups.iter().flat_map(|group| [centre(group, -1.0), centre(group, 1.0)]).collect()
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (group, kind) in Groups::KINDS.into_iter().enumerate() {
        for (b1, b2) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            for label in [0, 1] {
                let shares = |is: bool, eighths: f64| if is { eighths / 8.0 } else { 0.0 };
                let share = match kind {
                    Kind::Redundant => shares(b1 == b2 && label == b1, 4.0),
                    Kind::Unique1 => shares(label == b1, 2.0),
                    Kind::Unique2 => shares(label == b2, 2.0),
                    Kind::Synergistic => shares(label == b1 ^ b2, 2.0),
                    Kind::None | Kind::Conflicting | Kind::Hard => shares(true, 1.0),
                };
                let centre = |bit: u32| 2 * group + bit as usize;
                let probability = share / Groups::KINDS.len() as f64;
                cells.push(Cell { centre1: centre(b1), centre2: centre(b2), label, probability });
            }
        }
    }
    cells
}
