//! Heads: classifiers that give the posterior p(y|x) of a label.
//!
//! Four kinds compete, and held-out log loss decides: linear discriminant analysis (closed form), a mixture whose
//! components each hold a distribution over classes, a linear softmax, and a network with one hidden layer. The winner is
//! calibrated on the rows that decided and fitted again to all rows. Posteriors are kept as logarithms throughout.

mod calibration;
mod generative;
mod network;
mod rows;
mod select;

pub use calibration::Calibration;
pub use generative::GenerativeHead;
pub use network::{NetworkHead, NetworkParams};
pub(crate) use select::fit;

use candle_core::Tensor;

use crate::error::Result;

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

impl Head {
    /// `log p(y|x)` of every class: `[n, classes]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Tensor) -> Result<Vec<f64>> {
        match self {
            Self::Generative(head) => head.log_posteriors(rows),
            Self::Network(head) => head.log_posteriors(rows),
        }
    }
}

impl CalibratedHead {
    /// Calibrated `log p(y|x)` of every class: `[n, classes]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Tensor) -> Result<Vec<f64>> {
        let mut posteriors = self.head.log_posteriors(rows)?;
        self.calibration.apply(&mut posteriors);
        Ok(posteriors)
    }
}
