//! Computes terms and predictions of rows with labels.

use std::ops::Range;

use lsmi_core::{ClassPrior, SampleIds, Terms};

use super::model_inputs::ModelInputs;
use super::predict::{Predictions, most_probable, rows_at_a_time};
use crate::error::{EstimatorError, Result};
use crate::estimator::Estimator;
use crate::features::{FeatureSet, Groups};

/// Terms and predictions of rows, in the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The terms h1, h2, i1, i2, i12, in nats, by id: from the probabilities averaged over all repeats.
    pub terms: Terms,
    /// The terms from each repeat alone; empty if there is one repeat.
    pub repeats: Vec<Terms>,
    /// The fold that held each row out (in the first repeat), for training rows; rows scored by all folds together have
    /// none.
    pub folds: Option<Vec<u32>>,
    /// The number of each row's group, where some belong together.
    pub groups: Option<Vec<u32>>,
    /// The class index of each row.
    pub labels: Vec<u32>,
    /// The class that each head finds most probable: x1, x2, both joined.
    pub predictions: [Vec<u32>; 3],
    /// The posterior probability of that class: how sure each head is.
    pub confidences: [Vec<f64>; 3],
}

impl Scores {
    /// Returns the terms of no rows.
    pub fn none() -> Self {
        Self {
            terms: Terms::none(),
            repeats: Vec::new(),
            folds: None,
            groups: None,
            labels: Vec::new(),
            predictions: Default::default(),
            confidences: Default::default(),
        }
    }

    /// Returns the share of rows whose class each head finds most probable: x1, x2, both joined.
    pub fn accuracy(&self) -> [f64; 3] {
        let share = |predictions: &Vec<u32>| {
            let right = predictions.iter().zip(&self.labels).filter(|(prediction, label)| prediction == label).count();
            right as f64 / self.labels.len() as f64
        };
        [share(&self.predictions[0]), share(&self.predictions[1]), share(&self.predictions[2])]
    }

    /// Returns the mean negative log posterior of the label under each head, in nats: x1, x2, both joined.
    pub fn negative_log_likelihood(&self, prior: &ClassPrior) -> [f64; 3] {
        let mean = |information: &[f64]| {
            let losses: Vec<f64> = information
                .iter()
                .zip(&self.labels)
                .map(|(information, label)| -information - prior.log_probability(*label as usize))
                .collect();
            lsmi_core::statistics::mean(&losses)
        };
        [mean(&self.terms.i1), mean(&self.terms.i2), mean(&self.terms.i12)]
    }
}

/// Rows are filled up to a multiple of this many with their last one.
///
/// Products of few rows are summed in another order than those of many. Models go through rows in blocks of this size, so
/// that a row has the same terms, to the last bit, however many are scored with it.
pub(super) const ROWS_OF_A_BLOCK: usize = 256;

/// Returns the indices of rows, filled up.
pub(in crate::estimator) fn filled_up(rows: Range<usize>) -> Vec<usize> {
    let last = rows.end.saturating_sub(1);
    let missing = rows.len().next_multiple_of(ROWS_OF_A_BLOCK) - rows.len();
    rows.chain(std::iter::repeat_n(last, missing)).collect()
}

/// Predicts blocks of rows, by each repeat: called with the rows of the block filled up, and those that count.
pub(in crate::estimator) type PredictBlock<'a> = &'a dyn Fn(&[usize], Range<usize>) -> Result<Vec<Predictions>>;

/// Scores labelled rows block by block. Returns the columns of the mean over repeats, and those of each repeat where there
/// are several. Rows that are scored by all folds are filled up to whole blocks, training rows are not.
pub(in crate::estimator) fn score_blocks(
    labels: &[u32],
    prior: &ClassPrior,
    are_training: bool,
    predict: PredictBlock<'_>,
) -> Result<(Columns, Vec<Columns>)> {
    let (mut whole, mut repeats) = (Columns::default(), Vec::new());
    let step = rows_at_a_time(prior.classes());
    for start in (0..labels.len()).step_by(step) {
        let range = start..labels.len().min(start + step);
        let indices = if are_training { range.clone().collect() } else { filled_up(range.clone()) };
        let labels = &labels[range.clone()];
        let predictions = predict(&indices, range)?;
        if predictions.len() > 1 {
            repeats.resize_with(predictions.len(), Columns::default);
        }
        for (columns, predictions) in repeats.iter_mut().zip(&predictions) {
            columns.extend(prior, predictions, labels);
        }
        whole.extend(prior, &Predictions::mean(predictions), labels);
    }
    Ok((whole, repeats))
}

impl Estimator {
    /// Scores rows by all folds together or, where `assignments` has the folds of each repeat, each row by its own folds.
    pub(in crate::estimator) fn score_rows(
        &self,
        rows: &FeatureSet,
        assignments: Option<&[Vec<u32>]>,
    ) -> Result<Scores> {
        let predict = |indices: &[usize], range: Range<usize>| {
            let part = rows.select(indices);
            let inputs = ModelInputs::new(&self.gauge, &part.inputs(), self.description.given_heads);
            let repeats = self.repeats.iter().enumerate().map(|(repeat, folds)| {
                let assignment = assignments.map(|assignments| &assignments[repeat][range.clone()]);
                self.predict(folds, &inputs, assignment)
            });
            repeats.collect()
        };
        let (whole, repeats) = score_blocks(&rows.labels, &self.prior, assignments.is_some(), &predict)?;
        let (predictions, confidences) = (three(whole.predictions.clone()), three(whole.confidences.clone()));
        Ok(Scores {
            terms: whole.into_terms(&rows.ids)?,
            repeats: repeats.into_iter().map(|columns| columns.into_terms(&rows.ids)).collect::<Result<_>>()?,
            folds: assignments.map(|assignments| assignments[0].clone()),
            groups: rows.groups.as_ref().filter(|groups| !groups.are_single_rows()).map(Groups::numbers),
            labels: rows.labels.clone(),
            predictions,
            confidences,
        })
    }
}

/// Returns what is known of the heads of two modalities: x1, x2 and both.
fn three<Values>(heads: Vec<Values>) -> [Values; 3] {
    <[Values; 3]>::try_from(heads).unwrap_or_else(|_| unreachable!("two modalities have three heads"))
}

/// Terms before they are tied to ids, in the order of the densities and heads that gave them.
#[derive(Default)]
pub(in crate::estimator) struct Columns {
    pub(in crate::estimator) surprisal: Vec<Vec<f64>>,
    pub(in crate::estimator) information: Vec<Vec<f64>>,
    pub(in crate::estimator) predictions: Vec<Vec<u32>>,
    pub(in crate::estimator) confidences: Vec<Vec<f64>>,
}

impl Columns {
    /// Appends the terms of the first rows, as many as there are labels.
    fn extend(&mut self, prior: &ClassPrior, rows: &Predictions, labels: &[u32]) {
        let heads = rows.log_posteriors.len();
        self.surprisal.resize(rows.log_densities.len(), Vec::new());
        self.information.resize(heads, Vec::new());
        self.predictions.resize(heads, Vec::new());
        self.confidences.resize(heads, Vec::new());
        for (surprisal, density) in self.surprisal.iter_mut().zip(&rows.log_densities) {
            surprisal.extend(density.iter().take(labels.len()).map(|value| -value));
        }
        for head in 0..heads {
            for (row, label) in rows.log_posteriors[head].chunks_exact(prior.classes()).zip(labels) {
                let (label, prediction) = (*label as usize, most_probable(row));
                self.information[head].push(row[label] - prior.log_probability(label));
                self.predictions[head].push(prediction);
                self.confidences[head].push(row[prediction as usize].exp());
            }
        }
    }

    fn into_terms(self, ids: &SampleIds) -> Result<Terms> {
        let [i1, i2, i12] = three(self.information);
        let [h1, h2] = <[Vec<f64>; 2]>::try_from(self.surprisal)
            .unwrap_or_else(|_| unreachable!("two modalities have two densities"));
        check_finite(ids, 1, &[("h1", &h1), ("h2", &h2), ("i1", &i1), ("i2", &i2), ("i12", &i12)])?;
        Ok(Terms::new(ids.clone(), h1, h2, i1, i2, i12)?)
    }
}

/// Checks that terms are finite; every row has `values_of_row` values.
pub(in crate::estimator) fn check_finite(
    ids: &SampleIds,
    values_of_row: usize,
    terms: &[(&'static str, &Vec<f64>)],
) -> Result<()> {
    for (term, values) in terms {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let id = ids.get(index / values_of_row).into_owned();
            return Err(EstimatorError::NotFinite { term, id, value: values[index] });
        }
    }
    Ok(())
}
