//! The cross-fitted estimator of continuous targets: i = log p(y|x) - log p(y) by conditional densities.
//!
//! [`cross_fit_targets`] does for targets what [`cross_fit`](super::cross_fit) does for classes: one gauge, folds, densities
//! of x1 and x2, and for every fold conditional densities p(y|x1), p(y|x2) and p(y|x1, x2) (see
//! `densities::conditional`) and the density p(y), all fitted to the rows outside it. Several targets are analysed
//! one by one, sharing the gauge and the densities of x, or jointly, by the chain rule
//!
//! `log p(y_1, ..., y_L | x) = sum_l log p(y_l | x, y_1, ..., y_(l-1))`
//!
//! in which the targets before one are features beside x. New rows are scored by all folds together: densities are averaged,
//! as probabilities.

mod answers;
mod chain;
mod cross_fit;
mod scores;
mod settings;

pub(super) use chain::{Chain, Link};
pub use cross_fit::{ContinuousFit, cross_fit_targets};
pub use scores::ContinuousScores;
pub use settings::{TargetSettings, Targets};

use candle_core::Device;
use lsmi_core::{Measure, Reference};
use serde::{Deserialize, Serialize};

use self::answers::Answers;
use super::grouping::Grouping;
use super::scoring::{ModelInputs, ROWS_AT_A_TIME, filled_up};
use crate::densities::gauge::{Gauge, GaugeKind};
use crate::densities::knife::Knife;
use crate::error::{EstimatorError, Result};
use crate::features::{Pooling, TargetSet};

/// The description of an estimator of continuous targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDescription {
    /// Version of the crate that fitted it.
    pub version: String,
    /// The coordinates that surprisals are measured in.
    pub gauge: GaugeKind,
    /// Dimensions of those coordinates, modality 1 and 2.
    pub gauge_dims: [usize; 2],
    /// Columns of the features, modality 1 and 2.
    pub dims: [usize; 2],
    /// Mean and deviation of every target over the training rows.
    pub targets: Vec<[f64; 2]>,
    /// Whether targets are analysed one by one or jointly.
    pub analysed: Targets,
    /// The definition of redundancy.
    pub measure: Measure,
    /// The values of the training rows that the measure depends on, for every decomposition.
    pub references: Vec<Reference>,
    /// The seed of every random stream.
    pub seed: u64,
    /// Number of folds.
    pub folds: usize,
    /// Number of repeats.
    pub repeats: usize,
    /// Number of training rows.
    pub rows: usize,
    /// SHA-256 of the training rows.
    pub data_hash: String,
    /// The pooling of the sequences that it was fitted on; `None` if there were none, or if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// The grouping of the training rows; `None` if every row is a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Notes for the user about the fit.
    pub notes: Vec<String>,
}

/// A fitted gauge, densities and conditional densities, which give the terms of new rows.
#[derive(Debug, Clone)]
pub struct ContinuousEstimator {
    pub(super) description: TargetDescription,
    pub(super) gauge: Gauge,
    /// Densities of x1 and x2 of every fold, for each repeat.
    pub(super) densities: Vec<Vec<[Knife; 2]>>,
    /// The targets that are decomposed together.
    pub(super) decomposed: Vec<Decomposed>,
    pub(super) device: Device,
}

/// The conditional densities of the targets of one decomposition.
#[derive(Debug, Clone)]
pub(super) struct Decomposed {
    /// The columns of the targets.
    pub(super) columns: Vec<usize>,
    /// The chain of every fold, for each repeat.
    pub(super) repeats: Vec<Vec<Chain>>,
}

impl ContinuousEstimator {
    /// Returns the description of the estimator.
    pub fn description(&self) -> &TargetDescription {
        &self.description
    }

    /// Returns the definition of redundancy.
    pub fn measure(&self) -> Measure {
        self.description.measure
    }

    /// Returns the estimator with the pooling of the sequences that it was fitted on, see
    /// [`Data::pooling`](crate::features::Data::pooling).
    #[must_use]
    pub fn with_pooling(mut self, pooling: Option<Pooling>) -> Self {
        self.description.pooling = pooling;
        self
    }

    /// Returns the notes for the user about the fit, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.description.notes
    }

    /// Returns the terms and predictions of new rows, by the models of all folds together: one result for every target or,
    /// jointly, one for all.
    ///
    /// # Errors
    /// [`EstimatorError::Samples`] for samples that do not fit together or have another number of targets,
    /// [`EstimatorError::Dimensions`] for features of other widths, [`EstimatorError::NotFinite`] for rows too far from the
    /// training rows, a candle error where the device fails.
    pub fn score(&self, samples: &TargetSet) -> Result<Vec<ContinuousScores>> {
        settings::check_samples(samples)?;
        for ((modality, expected), x) in
            ["x1", "x2"].into_iter().zip(self.description.dims).zip([samples.inputs().x1, samples.inputs().x2])
        {
            if expected != x.columns() {
                return Err(EstimatorError::Dimensions { modality, expected, found: x.columns() });
            }
        }
        let (expected, found) = (self.description.targets.len(), samples.targets().columns());
        if expected != found {
            let (what, found) = ("the number of targets", found.to_string());
            return Err(EstimatorError::Samples { what, found, expected: format!("that of the fit, {expected}") });
        }
        self.score_rows(samples, None)
    }

    /// Scores rows by all folds together or, where `assignments` has the folds of each repeat, each row by its own folds.
    fn score_rows(&self, samples: &TargetSet, assignments: Option<&[Vec<u32>]>) -> Result<Vec<ContinuousScores>> {
        let repeats = self.densities.len();
        let mut all: Vec<Vec<Answers>> = self.decomposed.iter().map(|_| vec![Answers::default(); repeats]).collect();
        for start in (0..samples.rows()).step_by(ROWS_AT_A_TIME) {
            let range = start..samples.rows().min(start + ROWS_AT_A_TIME);
            let indices = if assignments.is_some() { range.clone().collect() } else { filled_up(range.clone()) };
            let part = samples.select(&indices);
            let inputs = ModelInputs::new(&self.gauge, &part.inputs(), [false; 3]);
            let targets = self.standardised(&part);
            for repeat in 0..repeats {
                let assignment = assignments.map(|assignments| &assignments[repeat][range.clone()]);
                for (place, answers) in all.iter_mut().enumerate() {
                    answers[repeat].extend(self.answers(place, repeat, &inputs, &targets, assignment)?, range.len());
                }
            }
        }
        let of = |(place, answers): (usize, Vec<Answers>)| {
            let scales: Vec<[f64; 2]> =
                self.decomposed[place].columns.iter().map(|column| self.description.targets[*column]).collect();
            ContinuousScores::new(samples, &self.decomposed[place].columns, &scales, &answers, assignments)
        };
        all.into_iter().enumerate().map(of).collect()
    }

    /// Returns what the models of a repeat say of rows: those of each row's fold, or all together.
    fn answers(
        &self,
        place: usize,
        repeat: usize,
        inputs: &ModelInputs,
        targets: &[Vec<f64>],
        assignment: Option<&[u32]>,
    ) -> Result<Answers> {
        let Decomposed { columns, repeats } = &self.decomposed[place];
        let targets: Vec<&[f64]> = columns.iter().map(|column| targets[*column].as_slice()).collect();
        let by_fold = |fold: usize, rows: &[usize]| -> Result<Answers> {
            let mut answers = repeats[repeat][fold].at(inputs, &targets, rows)?;
            for (modality, knife) in self.densities[repeat][fold].iter().enumerate() {
                let coordinates = self.gauge.coordinates(modality);
                answers.log_densities[modality] =
                    inputs.log_density(&[(modality, coordinates)], knife, rows, &self.device)?;
            }
            Ok(answers)
        };
        let folds = 0..repeats[repeat].len();
        let Some(assignment) = assignment else {
            let rows: Vec<usize> = (0..inputs.rows()).collect();
            return Ok(Answers::averaged(&folds.map(|fold| by_fold(fold, &rows)).collect::<Result<Vec<_>>>()?));
        };
        let mut whole = Answers::zeros(assignment.len(), columns.len());
        for fold in folds {
            let rows: Vec<usize> = (0..assignment.len()).filter(|row| assignment[*row] as usize == fold).collect();
            if !rows.is_empty() {
                whole.scatter(&rows, &by_fold(fold, &rows)?);
            }
        }
        Ok(whole)
    }

    /// Returns every target's standardised values.
    fn standardised(&self, samples: &TargetSet) -> Vec<Vec<f64>> {
        settings::standardised(samples, &self.description.targets)
    }
}
