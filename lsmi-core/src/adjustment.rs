//! The mean shift of the paper, which makes the means of a decomposition non-negative where one constant can.
//!
//! Yang, Wang and Hu (ICML 2025) add one constant to the redundancy and synergy of every sample and take it from both
//! uniquenesses, chosen from the means R, U1, U2 and S:
//!
//! ```text
//! if R < 0 or S < 0          a = -min(R, S)     the first branch
//! else if U1 < 0 or U2 < 0   a = min(U1, U2)    the second branch
//! else                       a = 0
//! adjusted = R + a, U1 - a, U2 - a, S + a
//! ```
//!
//! The shift keeps S - R, both R + `U_m` and the total. It leaves little of the densities: after the second
//! branch, by far the most usual one, R = min(I1, I2), the smaller U is 0 and S = I12 - max(I1, I2), which is the minimum
//! mutual information decomposition whatever the surprisals were; after the first one either R or S is 0. Only where no
//! branch was taken do the surprisals matter to the means. Hence raw means are always reported beside adjusted ones,
//! and tests of surprisals look at raw values.
//!
//! The branches exclude each other, so the first can leave a uniqueness negative, and the second a redundancy or a
//! synergy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decomposition::Means;

/// The branch of the adjustment that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Branch {
    /// No shift: no mean was negative.
    None,
    /// The first: the mean redundancy or the mean synergy was negative.
    First,
    /// The second branch: a mean uniqueness was negative, and neither the mean redundancy nor the mean synergy was.
    Second,
}

impl fmt::Display for Branch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::None => "none",
            Self::First => "first",
            Self::Second => "second",
        })
    }
}

/// The means of a decomposition after the shift, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adjusted {
    /// Mean redundancy after the shift.
    pub r: f64,
    /// Mean uniqueness of modality 1 after the shift.
    pub u1: f64,
    /// Mean uniqueness of modality 2 after the shift.
    pub u2: f64,
    /// Mean synergy after the shift.
    pub s: f64,
    /// The constant a that was added to R and S and taken from U1 and U2.
    pub shift: f64,
    /// The branch that chose the constant.
    pub branch: Branch,
}

/// Adjusts the means as the [module](self) says.
///
/// ```
/// use lsmi_core::{Branch, Means, adjust};
///
/// // The raw means of OR, in bits; I1 = I2 = 0.311 and I12 = 0.811.
/// let adjusted = adjust(&Means { r: 0.561, u1: -0.25, u2: -0.25, s: 0.75 });
/// assert_eq!(adjusted.branch, Branch::Second);
/// assert_eq!(adjusted.shift, -0.25);
/// assert!((adjusted.r - 0.311).abs() < 1e-12 && adjusted.u1 == 0.0);
/// ```
pub fn adjust(means: &Means) -> Adjusted {
    let &Means { r, u1, u2, s } = means;
    let (shift, branch) = if r < 0.0 || s < 0.0 {
        (-r.min(s), Branch::First)
    } else if u1 < 0.0 || u2 < 0.0 {
        (u1.min(u2), Branch::Second)
    } else {
        (0.0, Branch::None)
    };
    Adjusted { r: r + shift, u1: u1 - shift, u2: u2 - shift, s: s + shift, shift, branch }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjusted(r: f64, u1: f64, u2: f64, s: f64) -> [f64; 4] {
        let adjusted = adjust(&Means { r, u1, u2, s });
        [adjusted.r, adjusted.u1, adjusted.u2, adjusted.s]
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the values are sums of powers of two")]
    fn each_branch() {
        assert_eq!(adjusted(0.5, 0.25, 0.0, 1.0), [0.5, 0.25, 0.0, 1.0]);
        // R below 0 and below S: R becomes 0.
        assert_eq!(adjusted(-0.5, 0.75, 1.0, -0.25), [0.0, 0.25, 0.5, 0.25]);
        // S below 0 and below R: S becomes 0.
        assert_eq!(adjusted(0.5, 0.75, 1.0, -0.25), [0.75, 0.5, 0.75, 0.0]);
        // A U below 0: the smaller one becomes 0.
        assert_eq!(adjusted(1.0, -0.5, -0.25, 0.75), [0.5, 0.0, 0.25, 0.25]);
        // The first branch goes first and leaves the other negativity.
        assert_eq!(adjusted(-0.5, -0.25, 1.0, 1.0), [0.0, -0.75, 0.5, 1.5]);
    }

    #[test]
    fn branches_are_written_in_lower_case() {
        for (branch, name) in [(Branch::None, "none"), (Branch::First, "first"), (Branch::Second, "second")] {
            assert_eq!(branch.to_string(), name);
            assert_eq!(serde_json::to_string(&branch).unwrap(), format!("\"{name}\""));
        }
    }
}
