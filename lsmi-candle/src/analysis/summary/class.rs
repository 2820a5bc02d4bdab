//! `by_class` of a split: the means over the samples of each class, and how sure they are.

use crate::estimator::Estimator;
use lsmi_core::Means;
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::intervals::Intervals;
use super::quantities::{Columns, Heads, Information, Quantities};
use crate::samples::ScoredSplit;

/// Means over the samples of one class of a split; the fields mean what they mean of a split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassSummary {
    /// Samples of the class.
    pub n: usize,
    /// Mean pointwise mutual information of the modalities with the label.
    pub information: Information,
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// Share of samples for which each head predicts the class.
    pub accuracy: Heads,
    /// Intervals of the means.
    pub intervals: Intervals,
    /// Quantiles and trimmed mean of each quantity.
    pub distribution: Quantities<Distribution>,
}

/// The summary of every class that has samples in the split, in the order of the classes.
pub(super) fn by_class(split: &ScoredSplit, estimator: &Estimator) -> lsmi_core::Result<Vec<(String, ClassSummary)>> {
    let classes = estimator.classes().names();
    let rows_of_class = split.rows_by_class(classes.len());
    let with_samples = (0..).zip(classes.iter().zip(&rows_of_class)).filter(|(_, (_, rows))| !rows.is_empty());
    with_samples
        .map(|(class, (name, rows))| Ok((name.clone(), ClassSummary::new(split, (class, name), rows, estimator)?)))
        .collect()
}

impl ClassSummary {
    fn new(
        split: &ScoredSplit,
        (class, name): (u32, &str),
        rows: &[usize],
        estimator: &Estimator,
    ) -> lsmi_core::Result<Self> {
        let (seed, most) = (estimator.description().seed, -estimator.prior().log_probability(class as usize));
        let short = estimator.description().shortfall.as_ref();
        let short = short.and_then(|of| of.by_class.get(class as usize).copied()).unwrap_or([0.0; 7]);
        let columns = Columns::new(split, rows, short);
        let Quantities { information, parts } = columns.means();
        let right = |head: &Vec<u32>| rows.iter().filter(|row| head[**row] == class).count() as f64;
        Ok(Self {
            n: rows.len(),
            information,
            raw: parts.into(),
            accuracy: split.scores.predictions.each_ref().map(|head| right(head) / rows.len() as f64).into(),
            intervals: Intervals::new(&columns, seed, &format!("class {name} of {}", split.name), most)?,
            distribution: Distribution::of_columns(&columns),
        })
    }
}
