//! What parts are compared on, and how.

use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::Interaction;
use serde_json::{Value, json};

use super::unfrozen::Unfrozen;
use crate::error::{GuideError, Result};
use crate::experiments::{estimation, store};
use crate::identity::{Identity, sha256};

/// Samples to compare parts on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The samples that parts are taken from.
    pub samples: &'a FeatureSet,
    /// Samples to evaluate on; otherwise a share of the others, other ones for each seed.
    pub test: Option<&'a FeatureSet>,
    /// The classes that labels index.
    pub classes: &'a Classes,
    /// The encoders of both modalities where their last blocks are trained too, with the inputs of all samples.
    pub unfrozen: Option<&'a Unfrozen>,
}

/// How parts are compared.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The interactions that parts are taken by. Default: r alone.
    pub by: Vec<Interaction>,
    /// The share of the training rows in each part, above 0 and at most 0.5. Default: a third.
    pub fraction: f64,
    /// Number of seeds. Default: 20.
    pub seeds: usize,
    /// The first seed; the others follow. Default: 0.
    pub seed: u64,
    /// Ways to set rows aside, each with interactions of its own; seeds take them in turn. Default: 5.
    pub splits: usize,
    /// The share of the rows set aside to evaluate on, where there are none for that. Default: 0.3.
    pub evaluated: f64,
    /// Passes over the rows of a part. Default: 20.
    pub epochs: usize,
    /// Columns of the shared space. Default: 64.
    pub width: usize,
    /// Units of a hidden layer of each head; 0: the heads are linear. Default: 0.
    pub hidden: usize,
    /// Rows of a batch at most: each is told from the others. Default: 128.
    pub batch: usize,
    /// The step size of Adam at the start, from which it falls to nothing. Default: 0.003.
    pub rate: f64,
    /// The same for the weights of encoders that are trained, which have no weight decay. Default: 0.0001.
    pub encoder_rate: f64,
    /// Decoupled weight decay. Default: 0.1.
    pub decay: f64,
    /// How interactions are estimated, and the device of the heads; the seed of each split is its own.
    pub estimator: estimator::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            by: vec![Interaction::Redundancy],
            fraction: 1.0 / 3.0,
            seeds: 20,
            seed: 0,
            splits: 5,
            evaluated: 0.3,
            epochs: 20,
            width: 64,
            hidden: 0,
            batch: 128,
            rate: 3e-3,
            encoder_rate: 1e-4,
            decay: 0.1,
            estimator: estimator::Settings::default(),
        }
    }
}

impl Settings {
    /// Checks the settings, without a look at data.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        if self.by.is_empty() {
            return wrong("by", "nothing".to_owned(), "at least one interaction");
        }
        if let Some(twice) = self.by.iter().enumerate().find(|(place, by)| self.by[..*place].contains(by)) {
            return wrong("by", format!("{} twice", twice.1), "different interactions");
        }
        let counts = [
            ("seeds", self.seeds, 1),
            ("splits", self.splits, 1),
            ("epochs", self.epochs, 1),
            ("width", self.width, 1),
            ("batch", self.batch, 2),
        ];
        for (name, found, least) in counts {
            if found < least {
                return wrong(name, found.to_string(), &format!("at least {least}"));
            }
        }
        if !(self.fraction > 0.0 && self.fraction <= 0.5) {
            return wrong("fraction", self.fraction.to_string(), "above 0 and at most 0.5");
        }
        if !(self.evaluated > 0.0 && self.evaluated < 1.0) {
            return wrong("evaluated", self.evaluated.to_string(), "above 0 and below 1");
        }
        for (name, rate) in [("rate", self.rate), ("encoder_rate", self.encoder_rate)] {
            if !(rate > 0.0 && rate.is_finite()) {
                return wrong(name, rate.to_string(), "above 0");
            }
        }
        if !(self.decay >= 0.0 && self.decay.is_finite()) {
            return wrong("decay", self.decay.to_string(), "at least 0");
        }
        Ok(())
    }
}

impl Data<'_> {
    /// What tells comparisons apart.
    pub(super) fn identity(&self, settings: &Settings) -> Identity {
        let Settings {
            by,
            fraction,
            seeds,
            seed,
            splits,
            evaluated,
            epochs,
            width,
            hidden,
            batch,
            rate,
            encoder_rate,
            decay,
            estimator,
        } = settings;
        let mut settings = json!({
            "by": by,
            "fraction": fraction,
            "seeds": seeds,
            "seed": seed,
            "splits": splits,
            "evaluated": evaluated,
            "epochs": epochs,
            "width": width,
            "hidden": hidden,
            "batch": batch,
            "rate": rate,
            "decay": decay,
            "estimator": estimation::identity(estimator),
        });
        if let (Some(unfrozen), Value::Object(settings)) = (self.unfrozen, &mut settings) {
            settings.insert("unfreeze".to_owned(), json!(unfrozen.blocks()));
            settings.insert("encoder_rate".to_owned(), json!(encoder_rate));
        }
        let mut parts = vec![self.samples.hash()];
        parts.extend(self.unfrozen.map(Unfrozen::sha256));
        parts.extend(self.test.map(FeatureSet::hash));
        parts.extend_from_slice(self.classes.names());
        store::identity(settings, sha256(parts.iter().map(String::as_bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let usual = Settings::default;
        usual().check().unwrap();
        let wrong = [
            ("by", Settings { by: Vec::new(), ..usual() }),
            ("by", Settings { by: vec![Interaction::Synergy, Interaction::Synergy], ..usual() }),
            ("seeds", Settings { seeds: 0, ..usual() }),
            ("splits", Settings { splits: 0, ..usual() }),
            ("epochs", Settings { epochs: 0, ..usual() }),
            ("width", Settings { width: 0, ..usual() }),
            ("batch", Settings { batch: 1, ..usual() }),
            ("fraction", Settings { fraction: 0.6, ..usual() }),
            ("fraction", Settings { fraction: f64::NAN, ..usual() }),
            ("evaluated", Settings { evaluated: 1.0, ..usual() }),
            ("rate", Settings { rate: 0.0, ..usual() }),
            ("encoder_rate", Settings { encoder_rate: f64::INFINITY, ..usual() }),
            ("decay", Settings { decay: -1.0, ..usual() }),
        ];
        for (expected, settings) in wrong {
            let error = settings.check().unwrap_err();
            assert!(matches!(error, GuideError::Setting { name, .. } if name == expected), "{error}");
        }
    }
}
