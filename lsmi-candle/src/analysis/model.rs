//! What each of several trained models has learned, beside what the data hold.

use std::path::{Path, PathBuf};

use lsmi_core::Measure;

use super::AnalysisError;
use super::summary::ModelSummary;
use crate::estimator::CrossFit;
use crate::features::{Classes, FeatureError, Split, read_model_logits};
use crate::samples::ScoredSplit;

/// A model's logits for the splits that its file is about.
#[derive(Debug, Clone)]
pub struct Model {
    name: String,
    path: PathBuf,
    splits: Vec<Split>,
}

impl Model {
    /// Reads the logits of a model for the samples of `splits`.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_model_logits`].
    pub fn read(name: &str, path: &Path, classes: &Classes, splits: &[&Split]) -> Result<Self, FeatureError> {
        Ok(Self { name: name.to_owned(), path: path.to_owned(), splits: read_model_logits(path, classes, splits)? })
    }

    /// Returns whether there are logits of the training rows, which temperatures are fitted to.
    pub fn has_training_rows(&self) -> bool {
        self.training_rows().is_some()
    }

    fn training_rows(&self) -> Option<&Split> {
        self.splits.iter().find(|split| split.name == "train")
    }

    /// Decomposes with the densities of a fit, and the posteriors of the model where it has any.
    pub(super) fn summary(
        &self,
        fit: &CrossFit,
        scale: bool,
        measures: &[Measure],
    ) -> Result<(String, ModelSummary), AnalysisError> {
        let about = AnalysisError::about(&self.path.display().to_string());
        let mut scored = Vec::new();
        let estimator = match (self.training_rows(), self.splits.first()) {
            (Some(train), _) => {
                let refit = fit.with_logits(&train.features, scale).map_err(&about)?;
                let (split, estimator) =
                    ScoredSplit::of_training(&train.features, refit.scores, refit.estimator, measures)?;
                scored.push(split);
                estimator
            }
            (None, Some(split)) => fit.estimator.with_given_heads(&split.features),
            // Reading finds at least one split.
            (None, None) => fit.estimator.clone(),
        };
        for split in self.splits.iter().filter(|split| split.name != "train") {
            scored.push(ScoredSplit::score(&split.name, &split.features, &estimator, measures).map_err(&about)?);
        }
        Ok((self.name.clone(), ModelSummary::new(&estimator, &scored)?))
    }
}
