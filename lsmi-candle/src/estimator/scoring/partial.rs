//! Computes the terms of rows that lack a modality: those of the one they have.

use std::ops::Range;

use lsmi_core::SampleIds;

use super::model_inputs::ModelInputs;
use super::predict::{HEADS, Predictions, most_probable, rows_at_a_time};
use super::score::{check_finite, filled_up, score_blocks};
use crate::error::{EstimatorError, Result};
use crate::estimator::checks::check_partial_rows;
use crate::estimator::{Estimator, FoldModels};
use crate::features::{LOGITS, OneModality, PartialRows};
use crate::heads::HeadModel;

/// The terms of rows that lack a modality.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialScores {
    /// The terms of the rows that have x1 alone, and of those that have x2 alone.
    pub only: [OneModalityScores; 2],
    /// The number of rows of the split, complete ones among them.
    pub rows: usize,
}

/// The terms of rows that have one modality, in the order of the rows, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct OneModalityScores {
    /// The ids of the rows.
    pub ids: SampleIds,
    /// The place of each row among all rows of the split.
    pub places: Vec<usize>,
    /// The surprisal of the modality.
    pub surprisal: Vec<f64>,
    /// The pointwise information of the modality about the label or, of rows without labels, its expectation
    /// `sum_y p(y|x) i(y)` under the head of the modality.
    pub information: Vec<f64>,
    /// The class that the head of the modality finds most probable.
    pub predictions: Vec<u32>,
    /// The class index of each row; empty of rows without labels.
    pub labels: Vec<u32>,
    /// The fold that held each row out (in the first repeat), of training rows.
    pub folds: Option<Vec<u32>>,
}

impl Estimator {
    /// Returns the terms of rows that lack a modality, by the models of all folds together.
    ///
    /// # Errors
    /// As [`Estimator::score`]; [`EstimatorError::MissingLogits`] where the user's own model is in the place of a head.
    pub fn score_partial(&self, rows: &PartialRows) -> Result<PartialScores> {
        check_partial_rows(rows, self.description.dims, Some(self.classes().len()))?;
        self.score_one_modality(rows, None)
    }

    /// Returns the terms that can be expected of rows without labels that lack a modality.
    ///
    /// # Errors
    /// As [`score_partial`](Self::score_partial).
    pub fn expect_partial(&self, rows: &PartialRows) -> Result<PartialScores> {
        check_partial_rows(rows, self.description.dims, None)?;
        let [first, second] = [0, 1].map(|modality| self.expect_one(&rows.only[modality], modality));
        Ok(PartialScores { only: [first?, second?], rows: rows.rows })
    }

    /// Scores rows by all folds together or, where `assignments` has the folds of each repeat for the rows of either kind, each
    /// row by its own folds.
    pub(in crate::estimator) fn score_one_modality(
        &self,
        rows: &PartialRows,
        assignments: Option<&[Vec<Vec<u32>>; 2]>,
    ) -> Result<PartialScores> {
        let score = |modality: usize| {
            let assignments = assignments.map(|assignments| assignments[modality].as_slice());
            self.score_one(&rows.only[modality], modality, assignments)
        };
        Ok(PartialScores { only: [score(0)?, score(1)?], rows: rows.rows })
    }

    fn score_one(
        &self,
        rows: &OneModality,
        modality: usize,
        assignments: Option<&[Vec<u32>]>,
    ) -> Result<OneModalityScores> {
        let predict = |indices: &[usize], range: Range<usize>| {
            self.predict_one(rows, modality, indices, |repeat| {
                assignments.map(|assignments| &assignments[repeat][range.clone()])
            })
        };
        let (mut columns, _) = score_blocks(&rows.labels, &self.prior, assignments.is_some(), &predict)?;
        OneModalityScores {
            ids: rows.ids.clone(),
            places: rows.places.clone(),
            // Nothing is there of no rows.
            surprisal: columns.surprisal.pop().unwrap_or_default(),
            information: columns.information.pop().unwrap_or_default(),
            predictions: columns.predictions.pop().unwrap_or_default(),
            labels: rows.labels.clone(),
            folds: assignments.map(|assignments| assignments[0].clone()),
        }
        .checked(modality)
    }

    fn expect_one(&self, rows: &OneModality, modality: usize) -> Result<OneModalityScores> {
        let (classes, log_prior) = (self.classes().len(), self.prior.log_probabilities());
        let (mut surprisal, mut information, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
        let step = rows_at_a_time(classes);
        for start in (0..rows.rows()).step_by(step) {
            let range = start..rows.rows().min(start + step);
            let predicted = self.predict_one(rows, modality, &filled_up(range.clone()), |_| None)?;
            let Predictions { log_densities, log_posteriors } = Predictions::mean(predicted);
            surprisal.extend(log_densities[0][..range.len()].iter().map(|value| -value));
            for posteriors in log_posteriors[0][..range.len() * classes].chunks_exact(classes) {
                let terms = posteriors.iter().zip(log_prior);
                information.push(terms.map(|(posterior, prior)| posterior.exp() * (posterior - prior)).sum());
                predictions.push(most_probable(posteriors));
            }
        }
        let (ids, places, labels) = (rows.ids.clone(), rows.places.clone(), Vec::new());
        OneModalityScores { ids, places, surprisal, information, predictions, labels, folds: None }.checked(modality)
    }

    /// Predicts the given rows by the models of one modality, in each repeat by all folds or by those of an assignment.
    fn predict_one<'a>(
        &self,
        rows: &OneModality,
        modality: usize,
        indices: &[usize],
        assignment: impl Fn(usize) -> Option<&'a [u32]>,
    ) -> Result<Vec<Predictions>> {
        let inputs = ModelInputs::of_one(&self.gauge, modality, &rows.x.select(indices));
        let coordinates = self.gauge.coordinates(modality);
        let predict = |models: &FoldModels, rows: &[usize]| {
            let HeadModel::Pool(head) = &models.heads[modality] else {
                return Err(EstimatorError::MissingLogits { name: LOGITS[modality] });
            };
            let density = inputs.log_density(&[(0, coordinates)], &models.densities[modality], rows, &self.device)?;
            let posteriors = head.log_posteriors(&inputs.features(HEADS[0]), rows, &[], &self.device)?;
            Ok(Predictions { log_densities: vec![density], log_posteriors: vec![posteriors] })
        };
        let repeats = self.repeats.iter().enumerate();
        repeats
            .map(|(repeat, folds)| Predictions::by_folds(folds, indices.len(), assignment(repeat), predict))
            .collect()
    }
}

impl PartialScores {
    /// Returns the terms of none of `rows` rows.
    pub fn none(rows: usize) -> Self {
        let none = || OneModalityScores {
            ids: SampleIds::rows(0),
            places: Vec::new(),
            surprisal: Vec::new(),
            information: Vec::new(),
            predictions: Vec::new(),
            labels: Vec::new(),
            folds: None,
        };
        Self { only: [none(), none()], rows }
    }
}

impl OneModalityScores {
    /// Checks that all terms are finite.
    fn checked(self, modality: usize) -> Result<Self> {
        let (surprisal, information) = [("h1", "i1"), ("h2", "i2")][modality];
        check_finite(&self.ids, 1, &[(surprisal, &self.surprisal), (information, &self.information)])?;
        Ok(self)
    }
}
