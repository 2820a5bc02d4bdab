//! Exchanges the heads of a fit for the user's own models and leaves everything else as it is.
//!
//! Models of the same data are compared by their decompositions. They differ in their posteriors; gauge and densities
//! do not depend on a model and are fitted once for all of them.

use super::cross_fit::CrossFit;
use super::notes::given_heads_notes;
use crate::error::Result;
use crate::estimator::{Estimator, FoldModels, Scores};
use crate::features::FeatureSet;
use crate::heads::{GivenHead, HeadModel};

impl CrossFit {
    /// Returns the fit with the logits of `train` in the place of heads, as a fit to `train` would have it; heads
    /// without logits stay. `train` has the same samples that were fitted, in their order.
    ///
    /// With `scale`, logits are divided by a temperature fitted to the training rows outside each fold.
    ///
    /// # Errors
    /// [`crate::EstimatorError::Samples`] if `train` has other samples, [`crate::EstimatorError::NotFinite`] for logits
    /// that rule the label out, a candle error where the device fails.
    pub fn with_logits(&self, train: &FeatureSet, scale: bool) -> Result<Self> {
        self.check_same_samples(train)?;
        let folds = self.assignments();
        let mut estimator = self.estimator.with_given_heads(train);
        if scale {
            for (folds, models) in folds.iter().zip(&mut estimator.repeats) {
                for (fold, models) in (0..).zip(models) {
                    scale_heads(train, folds, fold, models);
                }
            }
        }
        let groups = self.scores.groups.clone();
        let scores = Scores { groups, ..estimator.score_rows(train, Some(&folds))? };
        let classes = estimator.classes().len();
        estimator.description.reference = estimator.measure().reference(&scores.terms, &train.labels, classes);
        Ok(Self { estimator, scores, given_folds: self.given_folds.clone() })
    }
}

impl Estimator {
    /// Returns the estimator with heads that take the logits of `samples`; heads without logits stay.
    ///
    /// The reference of the measure stays that of the former heads.
    #[must_use]
    pub fn with_given_heads(&self, samples: &FeatureSet) -> Self {
        let are_given = samples.logits.each_ref().map(Option::is_some);
        let mut estimator = self.clone();
        for models in estimator.repeats.iter_mut().flatten() {
            for (index, is_given) in are_given.into_iter().enumerate() {
                if !is_given {
                    continue;
                }
                let before = std::mem::replace(&mut models.heads[index], HeadModel::Given(GivenHead::default()));
                // The joint pool may build on the one that goes.
                if let (HeadModel::Pool(pool), Some(part)) = (before, models.parts.get_mut(index)) {
                    *part = Some(pool);
                }
            }
            let HeadModel::Pool(joint) = &models.heads[2] else {
                models.parts = [None, None];
                continue;
            };
            for (modality, part) in models.parts.iter_mut().enumerate() {
                if !joint.needs_part(modality) {
                    *part = None;
                }
            }
        }
        let before = given_heads_notes(self.description.given_heads);
        let description = &mut estimator.description;
        for (given, is_given) in description.given_heads.iter_mut().zip(are_given) {
            *given |= is_given;
        }
        description.notes.retain(|note| !before.contains(note));
        description.notes.extend(given_heads_notes(description.given_heads));
        estimator
    }
}

/// Fits the temperatures of the given heads to the rows outside a fold.
fn scale_heads(train: &FeatureSet, folds: &[u32], fold: u32, models: &mut FoldModels) {
    let rows: Vec<usize> = (0..folds.len()).filter(|row| folds[*row] != fold).collect();
    let labels: Vec<u32> = rows.iter().map(|row| train.labels[*row]).collect();
    for (head, logits) in models.heads.iter_mut().zip(&train.logits) {
        if let Some(logits) = logits {
            *head = HeadModel::Given(GivenHead::scaled(logits.select(&rows).values(), &labels));
        }
    }
}
