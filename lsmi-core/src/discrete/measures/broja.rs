//! Redundancy as the information that is left once the union information is subtracted, `I_broja`.
//!
//! Union information and certificate are those of [`broja`]; there are no values of single
//! outcomes.

use super::{JointDecomposition, means_of};
use crate::discrete::{
    broja::{Settings, union_information},
    error::{Result, check_cells},
    joint::Joint,
};

/// The largest number of entries in each of the two tables of a source and the target.
const TABLE_LIMIT: u128 = 1 << 26;

/// Decomposes a distribution.
pub(super) fn decompose(joint: &Joint) -> Result<JointDecomposition> {
    let (states, classes) = (&joint.states().sources, joint.states().target.len());
    let mut tables = Vec::new();
    for source in 0..2 {
        let cells = states[source].len() as u128 * classes as u128;
        check_cells("the table of a source and y that `broja` needs", cells, size_of::<f64>(), TABLE_LIMIT)?;
        let mut table = vec![0.0; states[source].len() * classes];
        for (outcome, probability) in joint.outcomes().iter().zip(joint.probabilities()) {
            table[outcome.sources[source] as usize * classes + outcome.target as usize] += probability;
        }
        tables.push(table);
    }
    let certificate = union_information(&tables[0], &tables[1], classes, &Settings::default())?;
    let information = joint.information();
    let r = information.i1 + information.i2 - certificate.union_information;
    Ok(JointDecomposition {
        means: means_of(r, information),
        pointwise: None,
        convergence: None,
        certificate: Some(certificate),
    })
}
