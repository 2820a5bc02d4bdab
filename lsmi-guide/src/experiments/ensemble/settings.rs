//! What ensembles are compared on, and how.

use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use serde_json::json;

use super::members::HEADS;
use super::methods::WEAK_MEMBER;
use super::{EnsembleError, GuidedSettings};
use crate::error::CheckpointError;
use crate::experiments::{estimation, store};
use crate::identity::{Identity, described, sha256};

/// Samples to compare ensembles on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The samples; where a file has splits, all of them together.
    pub samples: &'a FeatureSet,
    /// The classes that labels index.
    pub classes: &'a Classes,
    /// Further members: name and logits `[n, K]` of models that have not seen the labels of the samples.
    pub models: &'a [(String, Matrix)],
}

/// How ensembles are compared.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Number of seeds. Default: 20.
    pub seeds: usize,
    /// The first seed; the others follow. Default: 0.
    pub seed: u64,
    /// The share of the rows set aside for evaluation. Default: 0.3.
    pub evaluated: f64,
    /// How estimators are fitted; the seed is that of each split.
    pub estimator: estimator::Settings,
    /// How the guided ensemble is fitted; its seed is that of each split.
    pub guided: GuidedSettings,
}

impl Settings {
    /// Checks the settings, without a look at data.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] for no seeds or too few folds, [`EnsembleError::Share`] for a share outside (0, 1).
    pub fn check(&self) -> Result<(), EnsembleError> {
        if self.seeds == 0 {
            return Err(EnsembleError::TooFew { what: "seeds", found: 0, expected: "at least 1".to_owned() });
        }
        if !(self.evaluated > 0.0 && self.evaluated < 1.0) {
            return Err(EnsembleError::Share { found: self.evaluated });
        }
        self.guided.check()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seeds: 20,
            seed: 0,
            evaluated: 0.3,
            estimator: estimator::Settings::default(),
            guided: GuidedSettings::default(),
        }
    }
}

impl Data<'_> {
    /// Checks that every model has a name of its own and logits for every sample.
    pub(super) fn check(&self) -> Result<(), EnsembleError> {
        let expected = self.samples.rows();
        let mut taken: Vec<&str> = HEADS.iter().copied().chain([WEAK_MEMBER]).collect();
        for (name, logits) in self.models {
            if taken.contains(&name.as_str()) {
                return Err(EnsembleError::DuplicateMember { member: name.clone() });
            }
            if logits.rows() != expected {
                return Err(EnsembleError::Rows { what: "a model's logits", expected, found: logits.rows() });
            }
            taken.push(name);
        }
        Ok(())
    }

    /// What tells comparisons apart.
    pub(super) fn identity(&self, settings: &Settings) -> Result<Identity, CheckpointError> {
        let Settings { seeds, seed, evaluated, estimator, guided } = settings;
        let settings = json!({
            "seeds": seeds,
            "seed": seed,
            "evaluated": evaluated,
            "estimator": estimation::identity(estimator),
            "guided": described(guided)?,
        });
        let mut parts = vec![self.samples.hash()];
        parts.extend_from_slice(self.classes.names());
        for (name, logits) in self.models {
            let with_logits = FeatureSet { logits: [None, None, Some(logits.clone())], ..self.samples.clone() };
            parts.extend([name.clone(), with_logits.hash()]);
        }
        Ok(store::identity(settings, sha256(parts.iter().map(String::as_bytes))))
    }
}
