//! Terms and predictions of rows from fitted models.

use candle_core::Tensor;
use lsmi_core::statistics::log_sum_exp;
use lsmi_core::{ClassPrior, Terms};

use super::{Estimator, FoldModels};
use crate::error::{EstimatorError, Result};
use crate::features::FeatureSet;
use crate::gauge::Gauge;
use crate::mixture::tensor;

/// Rows scored at a time: enough to fill the products, few enough to stay in memory.
const ROWS_AT_A_TIME: usize = 8192;

/// Terms and predictions of rows, in the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The terms h1, h2, i1, i2, i12, in nats, by id.
    pub terms: Terms,
    /// The fold that held each row out, for training rows; rows scored by all folds together have none.
    pub folds: Option<Vec<u32>>,
    /// The class index of each row.
    pub labels: Vec<u32>,
    /// The class that each head finds most probable: x1, x2, both joined.
    pub predictions: [Vec<u32>; 3],
    /// The posterior probability of that class: how sure each head is.
    pub confidences: [Vec<f64>; 3],
}

impl Scores {
    /// The share of rows whose class each head finds most probable: x1, x2, both joined.
    pub fn accuracy(&self) -> [f64; 3] {
        let share = |predictions: &Vec<u32>| {
            let right = predictions.iter().zip(&self.labels).filter(|(prediction, label)| prediction == label).count();
            right as f64 / self.labels.len() as f64
        };
        [share(&self.predictions[0]), share(&self.predictions[1]), share(&self.predictions[2])]
    }

    /// Mean negative log posterior of the label under each head, in nats: x1, x2, both joined.
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

/// Rows in the coordinates that densities and heads take, row-major.
pub(super) struct Features {
    /// x1 and x2 in the gauge's coordinates, with their dimensions.
    coordinates: [(Vec<f64>, usize); 2],
    /// x1, x2 and both joined as heads take them, with their columns.
    inputs: [(Vec<f64>, usize); 3],
    /// From those to standardised columns, see [`Gauge::back`].
    pub(super) back: [Option<Vec<f64>>; 3],
}

impl Features {
    pub(super) fn new(gauge: &Gauge, rows: &FeatureSet) -> Self {
        let [(first, d1), (second, d2)] = gauge.head_inputs(&rows.x1, &rows.x2);
        let joint = first.chunks_exact(d1).zip(second.chunks_exact(d2));
        let joint = joint.flat_map(|(x1, x2)| x1.iter().chain(x2)).copied().collect();
        Self {
            coordinates: [(gauge.x1.apply(&rows.x1), gauge.x1.dims()), (gauge.x2.apply(&rows.x2), gauge.x2.dims())],
            inputs: [(first, d1), (second, d2), (joint, d1 + d2)],
            back: [gauge.back(0), gauge.back(1), gauge.back(2)],
        }
    }

    /// Values and dimensions of modality 0 or 1.
    pub(super) fn coordinates(&self, modality: usize) -> (&[f64], usize) {
        (&self.coordinates[modality].0, self.coordinates[modality].1)
    }

    /// Values and columns that head 0 (x1), 1 (x2) or 2 (both) takes.
    pub(super) fn inputs(&self, head: usize) -> (&[f64], usize) {
        (&self.inputs[head].0, self.inputs[head].1)
    }
}

/// Terms before they are tied to ids.
#[derive(Default)]
struct Columns {
    surprisal: [Vec<f64>; 2],
    information: [Vec<f64>; 3],
    predictions: [Vec<u32>; 3],
    confidences: [Vec<f64>; 3],
}

pub(super) fn score_all_folds(estimator: &Estimator, rows: &FeatureSet) -> Result<Scores> {
    let expected = estimator.description.dims;
    for (modality, expected, found) in [("x1", expected[0], rows.x1.columns()), ("x2", expected[1], rows.x2.columns())]
    {
        if expected != found {
            return Err(EstimatorError::Dimensions { modality, expected, found });
        }
    }
    let mut columns = Columns::default();
    for start in (0..rows.rows()).step_by(ROWS_AT_A_TIME) {
        let indices: Vec<usize> = (start..rows.rows().min(start + ROWS_AT_A_TIME)).collect();
        let part = rows.select(&indices);
        let features = Features::new(&estimator.gauge, &part);
        columns.extend(estimator, &estimator.folds, &features, &part.labels)?;
    }
    columns.into_scores(rows, None)
}

pub(super) fn score_by_fold(
    estimator: &Estimator,
    features: &Features,
    rows: &FeatureSet,
    assignment: Vec<u32>,
) -> Result<Scores> {
    let mut columns = Columns::of_length(rows.rows());
    for (fold, models) in (0u32..).zip(&estimator.folds) {
        let members: Vec<usize> = (0..rows.rows()).filter(|row| assignment[*row] == fold).collect();
        let labels: Vec<u32> = members.iter().map(|row| rows.labels[*row]).collect();
        let mut part = Columns::default();
        let features = features.select(&members);
        part.extend(estimator, std::slice::from_ref(models), &features, &labels)?;
        columns.scatter(&members, &part);
    }
    columns.into_scores(rows, Some(assignment))
}

impl Features {
    fn select(&self, rows: &[usize]) -> Self {
        let select = |(values, columns): &(Vec<f64>, usize)| {
            let values = rows.iter().flat_map(|row| &values[row * columns..][..*columns]).copied().collect();
            (values, *columns)
        };
        Self {
            coordinates: self.coordinates.each_ref().map(select),
            inputs: self.inputs.each_ref().map(select),
            back: self.back.clone(),
        }
    }
}

impl Columns {
    fn of_length(rows: usize) -> Self {
        Self {
            surprisal: std::array::from_fn(|_| vec![0.0; rows]),
            information: std::array::from_fn(|_| vec![0.0; rows]),
            predictions: std::array::from_fn(|_| vec![0; rows]),
            confidences: std::array::from_fn(|_| vec![0.0; rows]),
        }
    }

    /// Appends the terms of rows by the given folds' models together.
    fn extend(
        &mut self,
        estimator: &Estimator,
        folds: &[FoldModels],
        features: &Features,
        labels: &[u32],
    ) -> Result<()> {
        let part =
            |(values, columns): (&[f64], usize)| -> Result<Tensor> { Ok(tensor(values, columns, &estimator.device)?) };
        for (modality, coordinates) in [&estimator.gauge.x1, &estimator.gauge.x2].into_iter().enumerate() {
            let rows = part(features.coordinates(modality))?;
            let densities = folds.iter().map(|fold| fold.densities[modality].log_density(&rows));
            let density = log_mean(&densities.collect::<Result<Vec<_>>>()?);
            // In the input's coordinates log p(x) = log p(z) + log |det A|.
            self.surprisal[modality].extend(density.iter().map(|value| -(value + coordinates.log_determinant())));
        }
        let classes = estimator.classes().len();
        for head in 0..3 {
            let rows = part(features.inputs(head))?;
            let posteriors = folds.iter().map(|fold| fold.heads[head].log_posteriors(&rows));
            let posterior = log_mean(&posteriors.collect::<Result<Vec<_>>>()?);
            for (row, label) in posterior.chunks_exact(classes).zip(labels) {
                let label = *label as usize;
                self.information[head].push(row[label] - estimator.prior.log_probability(label));
                let prediction = most_probable(row);
                self.predictions[head].push(prediction);
                self.confidences[head].push(row[prediction as usize].exp());
            }
        }
        Ok(())
    }

    fn scatter(&mut self, rows: &[usize], part: &Self) {
        let values = self.surprisal.iter_mut().chain(&mut self.information).chain(&mut self.confidences);
        for (all, part) in values.zip(part.surprisal.iter().chain(&part.information).chain(&part.confidences)) {
            for (row, value) in rows.iter().zip(part) {
                all[*row] = *value;
            }
        }
        for (all, part) in self.predictions.iter_mut().zip(&part.predictions) {
            for (row, value) in rows.iter().zip(part) {
                all[*row] = *value;
            }
        }
    }

    fn into_scores(self, rows: &FeatureSet, folds: Option<Vec<u32>>) -> Result<Scores> {
        let [h1, h2] = self.surprisal;
        let [i1, i2, i12] = self.information;
        for (term, values) in [("h1", &h1), ("h2", &h2), ("i1", &i1), ("i2", &i2), ("i12", &i12)] {
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(EstimatorError::NotFinite { term, id: rows.ids.get(row).into_owned(), value: values[row] });
            }
        }
        Ok(Scores {
            terms: Terms::new(rows.ids.clone(), h1, h2, i1, i2, i12)?,
            folds,
            labels: rows.labels.clone(),
            predictions: self.predictions,
            confidences: self.confidences,
        })
    }
}

/// The logarithm of the mean over folds of what the folds give the logarithms of.
fn log_mean(folds: &[Vec<f64>]) -> Vec<f64> {
    if let [only] = folds {
        return only.clone();
    }
    let log_count = (folds.len() as f64).ln();
    let mut values = vec![0.0; folds.len()];
    let rows = folds.first().map_or(0, Vec::len);
    (0..rows)
        .map(|row| {
            for (value, fold) in values.iter_mut().zip(folds) {
                *value = fold[row];
            }
            log_sum_exp(&values) - log_count
        })
        .collect()
}

/// The class of the largest value, the first of equals.
fn most_probable(row: &[f64]) -> u32 {
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
        let mean = log_mean(&[vec![0.2f64.ln(), -1e4], vec![0.6f64.ln(), -1e4]]);
        assert!((mean[0] - 0.4f64.ln()).abs() < 1e-12);
        assert!((mean[1] + 1e4).abs() < 1e-9, "no underflow");
    }

    #[test]
    fn the_first_of_equals_is_predicted() {
        assert_eq!(most_probable(&[-2.0, -1.0, -1.0]), 1);
    }
}
