//! Samples whose label everything contradicts, and all others.

use serde::{Deserialize, Serialize};

use crate::experiments::clean::{contradictions, descending};
use crate::experiments::ensemble::{EnsembleError, Members};

/// The positions of samples by whether their labels are in conflict with what is known of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflicts {
    /// Samples whose label every member contradicts, the most contradicted first.
    pub conflicting: Vec<usize>,
    /// All others, in their order.
    pub others: Vec<usize>,
}

/// Parts samples into those whose label every held-out member contradicts, as in [`crate::experiments::clean`], and all others.
///
/// # Errors
/// Those of [`contradictions`].
///
/// ```
/// use lsmi_guide::{conflicts, ensemble::Members};
///
/// let mut members = Members::new(3, 2);
/// members.push("x1", vec![2.0, 0.0, 0.0, 2.0, 2.0, 0.0])?;
/// members.push("x2", vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0])?;
/// let parts = conflicts(&members, &[0, 1, 1])?;
/// assert_eq!((parts.conflicting, parts.others), (vec![2], vec![0, 1]));
/// # Ok::<(), lsmi_guide::experiments::ensemble::EnsembleError>(())
/// ```
pub fn conflicts(members: &Members, labels: &[u32]) -> Result<Conflicts, EnsembleError> {
    let found = contradictions(members, labels)?;
    let scores: Vec<f64> = found.iter().map(|sample| sample.score).collect();
    let conflicting = descending(&scores).into_iter().filter(|row| found[*row].by_all).collect();
    Ok(Conflicts { conflicting, others: (0..found.len()).filter(|row| !found[*row].by_all).collect() })
}
