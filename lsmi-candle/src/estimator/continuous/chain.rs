//! The chain rule: the densities of several targets as those of each given the ones before.

use super::answers::Answers;
use crate::densities::conditional::{Columns, DensityPool, Given, Marginal, Predicted};
use crate::densities::points::single;
use crate::error::Result;
use crate::estimator::scoring::{HEADS, ModelInputs};

/// The densities of one target.
#[derive(Debug, Clone)]
pub(in crate::estimator) struct Link {
    /// p(y).
    pub(in crate::estimator) marginal: Marginal,
    /// The density given the targets before, if there are any.
    pub(in crate::estimator) after: Option<DensityPool>,
    /// The densities given x1, x2 and both, and the targets before.
    pub(in crate::estimator) heads: [DensityPool; 3],
}

/// The densities of all targets of a decomposition, from the rows outside one fold.
#[derive(Debug, Clone)]
pub(in crate::estimator) struct Chain(pub(in crate::estimator) Vec<Link>);

impl Chain {
    /// Returns what the densities say of rows at their targets; those of x are left empty.
    pub(super) fn at(&self, inputs: &ModelInputs, targets: &[&[f64]], rows: &[usize]) -> Result<Answers> {
        let mut answers = Answers::zeros(rows.len(), self.0.len());
        for (place, link) in self.0.iter().enumerate() {
            let before = columns_before(&targets[..place]);
            let own: Vec<f64> = rows.iter().map(|row| targets[place][*row]).collect();
            let mut baseline = link.marginal.at(&own)?;
            if let Some(after) = &link.after {
                baseline = after.at(&Given { features: None, further: &before }, rows, &own, &baseline, &[]);
            }
            let mut parts: Vec<Predicted> = Vec::with_capacity(3);
            for (head, pool) in link.heads.iter().enumerate() {
                let given = Given { features: Some(inputs.features(HEADS[head])), further: &before };
                parts.push(pool.at(&given, rows, &own, &baseline, &parts));
            }
            for (sum, value) in answers.log_densities[2].iter_mut().zip(&baseline.log_densities) {
                *sum += value;
            }
            for (head, predicted) in parts.into_iter().enumerate() {
                for (sum, value) in answers.log_densities[3 + head].iter_mut().zip(predicted.log_densities) {
                    *sum += value;
                }
                let targets = self.0.len();
                for (row, (mean, transform)) in predicted.means.into_iter().zip(predicted.transforms).enumerate() {
                    answers.means[head][row * targets + place] = mean;
                    answers.transforms[head][row * targets + place] = transform;
                }
            }
        }
        Ok(answers)
    }
}

/// Returns targets side by side, as features of the ones that follow.
pub(super) fn columns_before(targets: &[&[f64]]) -> Columns {
    let rows = targets.first().map_or(0, |target| target.len());
    let values: Vec<f64> = (0..rows).flat_map(|row| targets.iter().map(move |target| target[row])).collect();
    Columns { values: single(&values), width: targets.len() }
}
