//! Heads: classifiers that give the posterior p(y|x) of a label.
//!
//! Several kinds compete: linear and quadratic discriminant analysis (closed form), shrunken centroids where classes are
//! many, a mixture whose components each hold a distribution over classes, a linear softmax, and a network with one hidden
//! layer. Each is calibrated on held-out rows, and those that these rows find most likely together are pooled and fitted
//! again to all rows. Posteriors are kept as logarithms throughout.

mod calibration;
mod centroids;
mod generative;
mod given;
mod network;
mod pool;
mod quick;
mod rows;
mod select;

pub use calibration::Calibration;
pub use generative::GenerativeHead;
pub use given::GivenHead;
pub(crate) use network::Layer;
pub use network::{NetworkHead, NetworkParams};
pub(crate) use select::{Data, fit};

use lsmi_core::statistics::log_add_exp;

use crate::error::Result;
use crate::points::Points;

/// A classifier: log posteriors from standardised features.
#[derive(Debug, Clone)]
pub enum Head {
    /// Linear discriminant analysis or a mixture with a distribution over classes in each component.
    Generative(GenerativeHead),
    /// A linear softmax or a network with one hidden layer.
    Network(NetworkHead),
}

/// A head with its calibration.
#[derive(Debug, Clone)]
pub struct CalibratedHead {
    /// The classifier.
    pub head: Head,
    /// What its held-out rows say of its confidence.
    pub calibration: Calibration,
}

/// Calibrated heads whose posteriors are averaged: `p(y|x) = sum_k w_k p_k(y|x)`.
#[derive(Debug, Clone)]
pub struct HeadPool {
    /// The weight of each head, above 0 with sum 1, and the head.
    pub members: Vec<(f64, CalibratedHead)>,
}

/// What gives the posteriors of a modality or of both: heads fitted here, or the user's own models.
#[derive(Debug, Clone)]
pub enum HeadModel {
    /// Heads fitted to features.
    Pool(HeadPool),
    /// Logits that come with the samples.
    Given(GivenHead),
}

impl Head {
    /// `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        match self {
            Self::Generative(head) => head.log_posteriors(rows),
            Self::Network(head) => head.log_posteriors(rows),
        }
    }
}

impl CalibratedHead {
    /// Calibrated `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        let mut posteriors = self.head.log_posteriors(rows)?;
        self.calibration.apply(&mut posteriors);
        Ok(posteriors)
    }
}

impl HeadPool {
    /// Pooled `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        let mut pooled: Option<Vec<f64>> = None;
        for (weight, head) in &self.members {
            let log_weight = weight.ln();
            let posteriors = head.log_posteriors(rows)?;
            match &mut pooled {
                None => pooled = Some(posteriors.into_iter().map(|value| value + log_weight).collect()),
                Some(pooled) => {
                    for (sum, value) in pooled.iter_mut().zip(posteriors) {
                        *sum = log_add_exp(*sum, value + log_weight);
                    }
                }
            }
        }
        Ok(pooled.unwrap_or_default())
    }
}
