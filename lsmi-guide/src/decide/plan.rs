//! The plan: how much each loss of each sample weighs.
//!
//! A policy says what samples weigh against each other; a plan scales every column to a mean of one, over all samples and
//! again over each batch. A loss that is a weighted mean then keeps the size it would have without weights, so that learning
//! rates and the factors between losses mean the same under every policy.

use std::sync::Arc;

use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

use crate::decide::interactions::check_length;
use crate::decide::lookup::Lookup;
use crate::error::{GuideError, Result};

/// The losses beside that of the label, which a policy may weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Losses {
    /// The distillation of features.
    pub feature: bool,
    /// The distillation of outputs.
    pub output: bool,
    /// The auxiliary loss of each modality.
    pub auxiliary: bool,
}

/// Weights of samples, one a sample in every column; a column that is off has the weight 0 for all of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Of the distillation of features.
    pub feature: Vec<f64>,
    /// Of the distillation of outputs.
    pub output: Vec<f64>,
    /// Of the auxiliary loss of each modality.
    pub auxiliary: [Vec<f64>; 2],
}

impl Weights {
    /// Turns every column off.
    pub fn off(samples: usize) -> Self {
        Self::alike(samples, Losses::default())
    }

    /// Weighs all samples alike: 1 in the columns of those losses, 0 in the others.
    pub fn alike(samples: usize, losses: Losses) -> Self {
        let column = |is_on: bool| vec![f64::from(u8::from(is_on)); samples];
        let Losses { feature, output, auxiliary } = losses;
        Self { feature: column(feature), output: column(output), auxiliary: [column(auxiliary), column(auxiliary)] }
    }

    /// Counts the samples.
    pub fn len(&self) -> usize {
        self.feature.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// Names the columns: `feature`, `output`, `auxiliary1`, `auxiliary2`.
    pub fn columns(&self) -> [(&'static str, &[f64]); 4] {
        [
            ("feature", &self.feature),
            ("output", &self.output),
            ("auxiliary1", &self.auxiliary[0]),
            ("auxiliary2", &self.auxiliary[1]),
        ]
    }

    /// The weights of the given rows, in the order given.
    fn select(&self, rows: &[usize]) -> Self {
        self.map(|column| rows.iter().map(|row| column[*row]).collect())
    }

    /// Makes every column anew.
    fn map(&self, of: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        Self {
            feature: of(&self.feature),
            output: of(&self.output),
            auxiliary: self.auxiliary.each_ref().map(|column| of(column)),
        }
    }

    /// Scales every column to a mean of one, unless it is zero throughout.
    fn normalise(&mut self) {
        for column in [&mut self.feature, &mut self.output].into_iter().chain(&mut self.auxiliary) {
            let sum: f64 = column.iter().sum();
            if sum > 0.0 {
                let scale = column.len() as f64 / sum;
                for weight in column {
                    *weight *= scale;
                }
            }
        }
    }
}

/// What every sample weighs in every loss, by id; each column has a mean of one or is off.
///
/// ```
/// use lsmi_core::SampleIds;
/// use lsmi_guide::{Plan, Weights};
///
/// let weights = Weights { feature: vec![1.0, 1.0, 0.0, 0.0], output: vec![0.0, 0.0, 0.0, 1.0], ..Weights::off(4) };
/// let plan = Plan::new(SampleIds::rows(4), weights)?;
/// assert_eq!(plan.weights().feature, [2.0, 2.0, 0.0, 0.0]);
///
/// // Over a batch the mean is one again, but a column that no sample of the batch chose is off for that batch.
/// let batch = plan.batch(&SampleIds::rows(4).select(&[2, 0]))?;
/// assert_eq!(batch.feature, [0.0, 2.0]);
/// assert_eq!(batch.output, [0.0, 0.0]);
/// # Ok::<(), lsmi_guide::GuideError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    lookup: Arc<Lookup>,
    weights: Weights,
}

impl Plan {
    /// Makes a plan of what samples weigh against each other, column by column, in the order of the ids.
    ///
    /// # Errors
    /// [`GuideError::Length`] if a column has not one weight a sample, [`GuideError::Weight`] if a weight is negative or
    /// not finite, [`GuideError::Core`] if an id comes twice.
    pub fn new(ids: SampleIds, weights: Weights) -> Result<Self> {
        Self::by(Arc::new(Lookup::new(ids)?), weights)
    }

    /// As [`Self::new`], for samples whose index there is already.
    pub(crate) fn by(lookup: Arc<Lookup>, mut weights: Weights) -> Result<Self> {
        for (column, values) in weights.columns() {
            check_length("a column of the plan", lookup.len(), values.len())?;
            if let Some(row) = values.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
                return Err(GuideError::Weight { column, id: lookup.ids().get(row).into_owned(), found: values[row] });
            }
        }
        weights.normalise();
        Ok(Self { lookup, weights })
    }

    /// A plan whose weights were those of a plan, and so are not scaled again.
    pub(crate) fn restored(lookup: Arc<Lookup>, weights: Weights) -> Result<Self> {
        let checked = Self::by(lookup, weights.clone())?;
        Ok(Self { weights, ..checked })
    }

    /// The same plan over other samples: those that it does not know weigh one in every column that is on.
    pub(crate) fn over(&self, lookup: &Arc<Lookup>) -> Result<Self> {
        let rows: Vec<Option<usize>> = lookup.ids().iter().map(|id| self.row(&id)).collect();
        let weights = self.weights.map(|column| {
            let unknown = f64::from(u8::from(column.iter().any(|weight| *weight > 0.0)));
            rows.iter().map(|row| row.map_or(unknown, |row| column[row])).collect()
        });
        Self::by(Arc::clone(lookup), weights)
    }

    /// Returns the ids of the samples.
    pub fn ids(&self) -> &SampleIds {
        self.lookup.ids()
    }

    /// Returns the weights of all samples, in the order of the ids.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Finds the row of a sample, if the plan knows it.
    pub fn row(&self, id: &str) -> Option<usize> {
        self.lookup.row(id)
    }

    /// Selects the weights of a batch, in its order; every column scaled to a mean of one over the batch.
    ///
    /// Where no sample of the batch chose a column, the column stays off for that batch: its loss then adds nothing. A
    /// lone sample that chose a column carries the weight of its whole batch there. With very small batches or rare
    /// choices that makes for uneven steps; larger batches or a soft choice even them out, and so does
    /// [`Self::share`], which does not scale again.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`] naming a sample that the plan does not know, [`GuideError::Core`] naming an id that comes
    /// twice.
    pub fn batch(&self, batch: &SampleIds) -> Result<Weights> {
        Ok(self.of_rows(&self.lookup.rows_of(batch, "weights")?))
    }

    /// The weights of the batch of those rows.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Weights {
        let mut weights = self.weights.select(rows);
        weights.normalise();
        weights
    }

    /// Selects the weights of a batch as they are among all samples: a mean of one over the epoch, not over the batch.
    ///
    /// # Errors
    /// Those of [`Self::batch`].
    pub fn share(&self, batch: &SampleIds) -> Result<Weights> {
        Ok(self.weights.select(&self.lookup.rows_of(batch, "weights")?))
    }

    /// A plan in which the sample of row i has the weights of row `rows[i]`.
    pub(crate) fn permuted(&self, rows: &[usize]) -> Self {
        Self { lookup: Arc::clone(&self.lookup), weights: self.weights.select(rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_column_has_a_mean_of_one_or_is_off(
            values in proptest::collection::vec((0.0f64..10.0, 0u8..3), 1..40),
            first in 0usize..40,
            second in 0usize..40,
        ) {
            let n = values.len();
            let chosen = |column| values.iter().map(|(v, c)| if *c == column { *v } else { 0.0 }).collect::<Vec<_>>();
            let weights = Weights {
                feature: chosen(0),
                output: chosen(1),
                auxiliary: [chosen(2), vec![1.0; n]],
            };
            let plan = Plan::new(SampleIds::rows(n), weights).unwrap();
            let mut rows = vec![first % n, second % n];
            rows.dedup();
            let batch = plan.batch(&SampleIds::rows(n).select(&rows)).unwrap();
            for weights in [plan.weights(), &batch] {
                for (name, column) in weights.columns() {
                    let mean = column.iter().sum::<f64>() / column.len() as f64;
                    prop_assert!(column.iter().all(|w| *w == 0.0) || (mean - 1.0).abs() < 1e-12, "{name}: {mean}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_weight_is_named() {
        let weights = Weights { output: vec![0.0, -1.0], ..Weights::off(2) };
        let error = Plan::new(SampleIds::from_names(["a", "b"]).unwrap(), weights).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the weight `output` of the sample `b` is -1; it must be a finite number of at least 0"
        );
        let short = Weights { output: vec![1.0], ..Weights::off(2) };
        assert!(matches!(Plan::new(SampleIds::rows(2), short), Err(GuideError::Length { expected: 2, found: 1, .. })));
    }
}
