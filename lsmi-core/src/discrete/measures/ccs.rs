//! Redundancy as common change in surprisal, `I_ccs`, as defined by Ince.
//!
//! ```text
//! q = the distribution of maximum entropy with p(x1, x2), p(x1, y) and p(x2, y)
//! R = sum over outcomes of q c where i_1, i_2, i_12 and c = i_1 + i_2 - i_12 have one sign, i_12 under q
//! ```
//!
//! Ince, "Measuring Multivariate Redundant Information with Pointwise Common Change in Surprisal" (Entropy 19(7), 318,
//! 2017). [`crate::measure::ccs`] is the same without the step of maximum entropy.
//!
//! The sign of a term that is 0 but for rounding decides whether c counts. Terms within 1e-9 of 0 are therefore 0.

use super::{JointDecomposition, Pointwise, means_of};
use crate::{
    discrete::{error::Result, joint::Joint, maximum_entropy::maximum_entropy},
    measure::ccs,
};

/// Terms this close to 0 have no sign.
const SIGNLESS: f64 = 1e-9;

/// Decomposes a distribution.
pub(super) fn decompose(joint: &Joint) -> Result<JointDecomposition> {
    let (found, convergence) = maximum_entropy(joint)?;
    let terms = found.terms();
    let signed = |value: f64| if value.abs() <= SIGNLESS { 0.0 } else { value };
    let pointwise: Vec<Pointwise> = (0..terms.len())
        .map(|row| {
            let informations = [&terms.i1, &terms.i2, &terms.i12].map(|term| term[row]);
            let [i1, i2, i12] = informations.map(signed);
            let r = signed(ccs::redundancy(i1, i2, i12));
            Pointwise::new(found.outcomes()[row], found.probabilities()[row], r, informations)
        })
        .collect();
    let r = found.mean(pointwise.iter().map(|outcome| outcome.r));
    Ok(JointDecomposition {
        means: means_of(r, joint.information()),
        pointwise: Some(pointwise),
        convergence: Some(convergence),
        certificate: None,
    })
}
