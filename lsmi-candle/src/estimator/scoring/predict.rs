//! Computes log densities and log posteriors of rows under fitted models.

use candle_core::Device;
use lsmi_core::statistics::log_sum_exp;

use super::model_inputs::{Columns, ModelInputs};
use super::score::ROWS_OF_A_BLOCK;
use crate::densities::gauge::Coordinates;
use crate::densities::knife::Knife;
use crate::densities::points::Points;
use crate::error::{EstimatorError, Result};
use crate::estimator::{Estimator, FoldModels};
use crate::features::LOGITS;
use crate::heads::{HeadModel, HeadPool};

/// Rows predicted at a time: enough to fill the products, few enough to stay in memory.
pub(in crate::estimator) const ROWS_AT_A_TIME: usize = 8192;
/// Posteriors of a head predicted at a time, in all classes: with more than 1,024 classes, rows are fewer.
const POSTERIORS_AT_A_TIME: usize = ROWS_AT_A_TIME * 1024;

/// Returns the rows that are predicted at a time: a multiple of [`ROWS_OF_A_BLOCK`].
pub(in crate::estimator) fn rows_at_a_time(classes: usize) -> usize {
    let rows = ROWS_AT_A_TIME.min(POSTERIORS_AT_A_TIME / classes.max(1));
    (rows / ROWS_OF_A_BLOCK).max(1) * ROWS_OF_A_BLOCK
}

/// The modalities that the heads of x1, x2 and both see, counted from 0.
pub(in crate::estimator) const HEADS: [&[usize]; 3] = [&[0], &[1], &[0, 1]];

/// Log densities and log posteriors of rows.
#[derive(Clone)]
pub(in crate::estimator) struct Predictions {
    /// The log density of each part of the modalities that has one, in the gauge, `[n]`: log p(x1) and log p(x2) of two.
    pub(in crate::estimator) log_densities: Vec<Vec<f64>>,
    /// The log posteriors of each head, `[n, classes]`, row-major: log p(y|x1), log p(y|x2), log p(y|x1,x2) of two
    /// modalities.
    pub(in crate::estimator) log_posteriors: Vec<Vec<f64>>,
}

impl Estimator {
    /// Predicts rows by the models of all folds of one repeat together or, for training rows, by those of each row's fold.
    pub(in crate::estimator) fn predict(
        &self,
        folds: &[FoldModels],
        inputs: &ModelInputs,
        assignment: Option<&[u32]>,
    ) -> Result<Predictions> {
        Predictions::by_folds(folds, inputs.rows(), assignment, |models, rows| self.predict_by(models, inputs, rows))
    }

    fn predict_by(&self, models: &FoldModels, inputs: &ModelInputs, rows: &[usize]) -> Result<Predictions> {
        let density = |modality: usize| {
            let coordinates = self.gauge.coordinates(modality);
            inputs.log_density(&[(modality, coordinates)], &models.densities[modality], rows, &self.device)
        };
        let log_posteriors = log_posteriors(&models.heads, &models.parts, inputs, rows, &self.device)?;
        Ok(Predictions { log_densities: vec![density(0)?, density(1)?], log_posteriors: log_posteriors.into() })
    }
}

impl ModelInputs {
    /// Returns `log p(x)` of the given rows of a set of modalities, whose coordinates in the gauge these are.
    pub(in crate::estimator) fn log_density(
        &self,
        modalities: &[(usize, &Coordinates)],
        knife: &Knife,
        rows: &[usize],
        device: &Device,
    ) -> Result<Vec<f64>> {
        let places: Vec<usize> = modalities.iter().map(|(place, _)| *place).collect();
        let Columns { values, columns } = self.density(&places, rows);
        let mut density = knife.log_density(&Points::new(values, columns, device)?)?;
        // In the input's coordinates log p(x) = log p(z) + log |det A|, the sum over the modalities.
        let log_determinant: f64 = modalities.iter().map(|(_, coordinates)| coordinates.log_determinant()).sum();
        for value in &mut density {
            *value += log_determinant;
        }
        Ok(density)
    }
}

/// Returns `log p(y|x)` of every class under the heads of x1, x2 and both: `[rows, classes]` each, row-major. `parts`
/// are the pools that the joint one needs in the place of the user's own models.
pub(in crate::estimator) fn log_posteriors(
    heads: &[HeadModel; 3],
    parts: &[Option<HeadPool>; 2],
    inputs: &ModelInputs,
    rows: &[usize],
    device: &Device,
) -> Result<[Vec<f64>; 3]> {
    let posteriors = |head: usize, parts: &[&[f64]]| match (&heads[head], inputs.logits(head, rows)) {
        (HeadModel::Pool(pool), _) => pool.log_posteriors(&inputs.features(HEADS[head]), rows, parts, device),
        (HeadModel::Given(given), Some(logits)) => Ok(given.log_posteriors(&logits.values, logits.columns)),
        (HeadModel::Given(_), None) => Err(EstimatorError::MissingLogits { name: LOGITS[head] }),
    };
    let (first, second) = (posteriors(0, &[])?, posteriors(1, &[])?);
    let fitted = |modality: usize| {
        let pool = parts[modality].as_ref();
        pool.map(|pool| pool.log_posteriors(&inputs.features(HEADS[modality]), rows, &[], device)).transpose()
    };
    let (first_part, second_part) = (fitted(0)?, fitted(1)?);
    let joint = posteriors(2, &[first_part.as_ref().unwrap_or(&first), second_part.as_ref().unwrap_or(&second)])?;
    Ok([first, second, joint])
}

impl Predictions {
    /// Predicts rows by the models of all folds together or, for training rows, each by those of its fold in
    /// `assignment`.
    pub(in crate::estimator) fn by_folds<Models>(
        folds: &[Models],
        rows: usize,
        assignment: Option<&[u32]>,
        predict: impl Fn(&Models, &[usize]) -> Result<Self>,
    ) -> Result<Self> {
        let Some(assignment) = assignment else {
            let rows: Vec<usize> = (0..rows).collect();
            return Ok(Self::mean(folds.iter().map(|models| predict(models, &rows)).collect::<Result<Vec<_>>>()?));
        };
        let mut whole = Self { log_densities: Vec::new(), log_posteriors: Vec::new() };
        for (fold, models) in (0u32..).zip(folds) {
            let members: Vec<usize> = (0..assignment.len()).filter(|row| assignment[*row] == fold).collect();
            if !members.is_empty() {
                whole.scatter(&members, &predict(models, &members)?, assignment.len());
            }
        }
        Ok(whole)
    }

    /// Returns the mean of probabilities, over folds or repeats.
    pub(in crate::estimator) fn mean(mut all: Vec<Self>) -> Self {
        if all.len() == 1 {
            return all.remove(0);
        }
        let mean = |values: &dyn Fn(&Self) -> &Vec<f64>| log_mean(&all.iter().map(values).collect::<Vec<_>>());
        Self {
            log_densities: (0..all[0].log_densities.len()).map(|of| mean(&|one| &one.log_densities[of])).collect(),
            log_posteriors: (0..all[0].log_posteriors.len()).map(|of| mean(&|one| &one.log_posteriors[of])).collect(),
        }
    }

    /// Puts predictions of some of `count` rows in their places.
    fn scatter(&mut self, rows: &[usize], part: &Self, count: usize) {
        let put = |whole: &mut Vec<Vec<f64>>, part: &[Vec<f64>]| {
            whole.resize(part.len(), Vec::new());
            for (whole, part) in whole.iter_mut().zip(part) {
                let columns = part.len() / rows.len();
                whole.resize(count * columns, 0.0);
                for (row, values) in rows.iter().zip(part.chunks_exact(columns)) {
                    whole[row * columns..][..columns].copy_from_slice(values);
                }
            }
        };
        put(&mut self.log_densities, &part.log_densities);
        put(&mut self.log_posteriors, &part.log_posteriors);
    }
}

/// Returns the logarithm of the mean of values given by their logarithms.
pub(in crate::estimator) fn log_mean(arrays: &[&Vec<f64>]) -> Vec<f64> {
    let log_count = (arrays.len() as f64).ln();
    let mut values = vec![0.0; arrays.len()];
    let length = arrays.first().map_or(0, |array| array.len());
    (0..length)
        .map(|index| {
            for (value, array) in values.iter_mut().zip(arrays) {
                *value = array[index];
            }
            log_sum_exp(&values) - log_count
        })
        .collect()
}

/// Returns the class of the largest value, the first of equals.
pub(in crate::estimator) fn most_probable(row: &[f64]) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, value) in (0..).zip(row) {
        if *value > best.1 {
            best = (class, *value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_averaged_as_probabilities() {
        let mean = log_mean(&[&vec![0.2f64.ln(), -1e4], &vec![0.6f64.ln(), -1e4]]);
        assert!((mean[0] - 0.4f64.ln()).abs() < 1e-12);
        assert!((mean[1] + 1e4).abs() < 1e-9, "no underflow");
    }

    #[test]
    fn many_classes_are_predicted_fewer_rows_at_a_time() {
        assert_eq!([2, 1024, 1025, 10_000, 1_000_000].map(rows_at_a_time), [8192, 8192, 7936, 768, 256]);
    }

    #[test]
    fn the_first_of_equals_is_predicted() {
        assert_eq!(most_probable(&[-2.0, -1.0, -1.0]), 1);
    }
}
