//! Computes log densities and log posteriors of rows under fitted models.

use candle_core::Device;
use lsmi_core::statistics::log_sum_exp;

use super::model_inputs::{Columns, ModelInputs};
use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::densities::points::Points;
use crate::error::{EstimatorError, Result};
use crate::estimator::{Estimator, FoldModels};
use crate::features::LOGITS;
use crate::heads::{HeadModel, HeadPool};

/// Rows predicted at a time: enough to fill the products, few enough to stay in memory.
pub(in crate::estimator) const ROWS_AT_A_TIME: usize = 8192;

/// Log densities and log posteriors of rows.
#[derive(Clone)]
pub(in crate::estimator) struct Predictions {
    /// log p(x1) and log p(x2) in the gauge, `[n]`.
    pub(in crate::estimator) log_densities: [Vec<f64>; 2],
    /// log p(y|x1), log p(y|x2), log p(y|x1,x2), `[n, classes]`, row-major.
    pub(in crate::estimator) log_posteriors: [Vec<f64>; 3],
}

impl Estimator {
    /// Predicts rows by the models of all folds of one repeat together or, for training rows, by those of each row's fold.
    pub(in crate::estimator) fn predict(
        &self,
        folds: &[FoldModels],
        inputs: &ModelInputs,
        assignment: Option<&[u32]>,
    ) -> Result<Predictions> {
        let Some(assignment) = assignment else {
            let rows: Vec<usize> = (0..inputs.rows()).collect();
            let all = folds.iter().map(|models| self.predict_by(models, inputs, &rows));
            return Ok(Predictions::mean(all.collect::<Result<Vec<_>>>()?));
        };
        let mut whole = Predictions::zeros(assignment.len(), self.classes().len());
        for (fold, models) in (0u32..).zip(folds) {
            let members: Vec<usize> = (0..assignment.len()).filter(|row| assignment[*row] == fold).collect();
            if !members.is_empty() {
                whole.scatter(&members, &self.predict_by(models, inputs, &members)?);
            }
        }
        Ok(whole)
    }

    fn predict_by(&self, models: &FoldModels, inputs: &ModelInputs, rows: &[usize]) -> Result<Predictions> {
        let density = |modality: usize| {
            inputs.log_density(&self.gauge, modality, &models.densities[modality], rows, &self.device)
        };
        let log_posteriors = log_posteriors(&models.heads, &models.parts, inputs, rows, &self.device)?;
        Ok(Predictions { log_densities: [density(0)?, density(1)?], log_posteriors })
    }
}

impl ModelInputs {
    /// Returns `log p(x)` of the given rows of modality 0 or 1 in the gauge.
    pub(in crate::estimator) fn log_density(
        &self,
        gauge: &Gauge,
        modality: usize,
        knife: &Knife,
        rows: &[usize],
        device: &Device,
    ) -> Result<Vec<f64>> {
        let Columns { values, columns } = self.density(modality, rows);
        let mut density = knife.log_density(&Points::new(values, columns, device)?)?;
        // In the input's coordinates log p(x) = log p(z) + log |det A|.
        let log_determinant = [&gauge.x1, &gauge.x2][modality].log_determinant();
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
    let posteriors = |head: usize, parts: [&[f64]; 2]| match (&heads[head], inputs.logits(head, rows)) {
        (HeadModel::Pool(pool), _) => pool.log_posteriors(&inputs.features(head), rows, parts, device),
        (HeadModel::Given(given), Some(logits)) => Ok(given.log_posteriors(&logits.values, logits.columns)),
        (HeadModel::Given(_), None) => Err(EstimatorError::MissingLogits { name: LOGITS[head] }),
    };
    let (first, second) = (posteriors(0, [&[]; 2])?, posteriors(1, [&[]; 2])?);
    let fitted = |modality: usize| {
        let pool = parts[modality].as_ref();
        pool.map(|pool| pool.log_posteriors(&inputs.features(modality), rows, [&[]; 2], device)).transpose()
    };
    let (first_part, second_part) = (fitted(0)?, fitted(1)?);
    let joint = posteriors(2, [first_part.as_ref().unwrap_or(&first), second_part.as_ref().unwrap_or(&second)])?;
    Ok([first, second, joint])
}

impl Predictions {
    fn zeros(rows: usize, classes: usize) -> Self {
        Self {
            log_densities: std::array::from_fn(|_| vec![0.0; rows]),
            log_posteriors: std::array::from_fn(|_| vec![0.0; rows * classes]),
        }
    }

    /// Returns the mean of probabilities, over folds or repeats.
    pub(in crate::estimator) fn mean(mut all: Vec<Self>) -> Self {
        if all.len() == 1 {
            return all.remove(0);
        }
        let mean = |values: &dyn Fn(&Self) -> &Vec<f64>| log_mean(&all.iter().map(values).collect::<Vec<_>>());
        Self {
            log_densities: std::array::from_fn(|modality| mean(&|of| &of.log_densities[modality])),
            log_posteriors: std::array::from_fn(|head| mean(&|of| &of.log_posteriors[head])),
        }
    }

    fn scatter(&mut self, rows: &[usize], part: &Self) {
        let put = |whole: &mut [f64], part: &[f64]| {
            let columns = part.len() / rows.len();
            for (row, values) in rows.iter().zip(part.chunks_exact(columns)) {
                whole[row * columns..][..columns].copy_from_slice(values);
            }
        };
        for (whole, part) in self.log_densities.iter_mut().zip(&part.log_densities) {
            put(whole, part);
        }
        for (whole, part) in self.log_posteriors.iter_mut().zip(&part.log_posteriors) {
            put(whole, part);
        }
    }
}

/// Returns the logarithm of the mean of values given by their logarithms.
fn log_mean(arrays: &[&Vec<f64>]) -> Vec<f64> {
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
    fn the_first_of_equals_is_predicted() {
        assert_eq!(most_probable(&[-2.0, -1.0, -1.0]), 1);
    }
}
