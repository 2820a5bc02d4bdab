//! Settings of PID-Batch.

use super::sinkhorn::Rule;
use crate::error::{EstimatorError, Result};

/// Settings of PID-Batch; the default is [published](Self::published).
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Units of each hidden layer of the discriminators. Published: 32.
    pub discriminator_hidden: usize,
    /// Hidden layers of the discriminators after the first. Published: 3.
    pub discriminator_layers: usize,
    /// Passes over the training rows by the discriminators. Published: 40.
    pub discriminator_epochs: usize,
    /// Units of each hidden layer of the alignment networks. Published: 32.
    pub alignment_hidden: usize,
    /// Hidden layers of the alignment networks after the first. Published: 3.
    pub alignment_layers: usize,
    /// Passes over the training rows by the alignment networks. Published: 10.
    pub alignment_epochs: usize,
    /// The number of columns of the embedding of a sample and a class, at least 2. Published: 10.
    pub embedding: usize,
    /// Adam's step size, of all networks. Published: 0.001.
    pub rate: f64,
    /// The number of rows of a batch, in training and in evaluation. Published: 256.
    pub batch: usize,
    /// The largest number of Sinkhorn iterations of a class. Published: 500.
    pub sinkhorn_iterations: usize,
    /// The difference from the posteriors below which Sinkhorn's iteration stops. Published: 0.01.
    pub sinkhorn_tolerance: f64,
    /// Whether means below 0 are reported as 0, as the authors' notebook does. Published function: no.
    pub clamp: bool,
    /// Threads; 0: as many as the machine has processors. The result does not depend on them. Default: 0.
    pub threads: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self::published()
    }
}

impl Params {
    /// Returns the settings of the authors' released code.
    pub fn published() -> Self {
        Self {
            discriminator_hidden: 32,
            discriminator_layers: 3,
            discriminator_epochs: 40,
            alignment_hidden: 32,
            alignment_layers: 3,
            alignment_epochs: 10,
            embedding: 10,
            rate: 1e-3,
            batch: 256,
            sinkhorn_iterations: 500,
            sinkhorn_tolerance: 0.01,
            clamp: false,
            threads: 0,
        }
    }

    pub(super) fn rule(&self) -> Rule {
        Rule { iterations: self.sinkhorn_iterations, tolerance: self.sinkhorn_tolerance }
    }

    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("discriminator hidden units", self.discriminator_hidden, 1),
            ("discriminator epochs", self.discriminator_epochs, 1),
            ("alignment hidden units", self.alignment_hidden, 1),
            ("alignment epochs", self.alignment_epochs, 1),
            ("embedding", self.embedding, 2),
            ("batch", self.batch, 2),
            ("Sinkhorn iterations", self.sinkhorn_iterations, 1),
        ];
        for (name, found, least) in counts {
            if found < least {
                let expected = format!("at least {least}");
                return Err(EstimatorError::Setting { name, found: found.to_string(), expected });
            }
        }
        for (name, found) in [("rate", self.rate), ("Sinkhorn tolerance", self.sinkhorn_tolerance)] {
            if !(found > 0.0 && found.is_finite()) {
                let expected = "positive and finite".to_owned();
                return Err(EstimatorError::Setting { name, found: found.to_string(), expected });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(Params::published().check().is_ok());
        for (params, expected) in [
            (Params { embedding: 1, ..Params::published() }, "embedding"),
            (Params { batch: 1, ..Params::published() }, "batch"),
            (Params { rate: f64::NAN, ..Params::published() }, "rate"),
            (Params { sinkhorn_tolerance: 0.0, ..Params::published() }, "Sinkhorn tolerance"),
        ] {
            assert!(matches!(params.check(), Err(EstimatorError::Setting { name, .. }) if name == expected));
        }
    }
}
