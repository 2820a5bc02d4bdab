//! `models` of `summary.json`: what each of several trained models has learned.

use crate::estimator::Estimator;
use serde::{Deserialize, Serialize};

use super::{SplitSummary, Summary};
use crate::analysis::ordered_map::{as_map, from_map};
use crate::samples::ScoredSplit;

/// What a model has learned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Which posteriors are the model's own; the others are the fit's.
    pub logits: Vec<String>,
    /// What has to be known of the model's logits first.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// The splits that there are logits for.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub splits: Vec<(String, SplitSummary)>,
}

impl ModelSummary {
    /// Summarises the splits scored with a model's posteriors.
    ///
    /// # Errors
    /// None but those of values that are not finite, which scores never are.
    pub fn new(estimator: &Estimator, splits: &[ScoredSplit]) -> lsmi_core::Result<Self> {
        let are_given = estimator.description().given_heads;
        let logits = ["logits1", "logits2", "logits12"].into_iter().zip(are_given);
        let Summary { splits, warnings, .. } = Summary::new(estimator, splits)?;
        Ok(Self {
            logits: logits.filter(|(_, is_given)| *is_given).map(|(name, _)| name.to_owned()).collect(),
            warnings,
            splits,
        })
    }
}

impl Summary {
    /// The same with what models have learned.
    #[must_use]
    pub fn with_models(mut self, models: Vec<(String, ModelSummary)>) -> Self {
        for (name, model) in &models {
            self.warnings.extend(model.warnings.iter().map(|warning| format!("model {name}: {warning}")));
        }
        self.models = models;
        self
    }
}
