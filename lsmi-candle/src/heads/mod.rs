//! Heads: classifiers that give the posterior p(y|x) of a label.
//!
//! Many kinds compete ([`families`](self)): discriminants, softmax regression on principal components, on kernel features
//! and on products of the modalities, mixtures, networks, boosted trees. Inner cross-fitting says of each how well it knows
//! rows that it has not seen ([`selection`](self)); each is calibrated, and those that unseen rows find worth it are pooled
//! (a stack) and fitted again to all rows. The pool of both modalities has the pools of either among its members, so that
//! what one modality tells by itself is not lost. Posteriors are kept as logarithms throughout.

mod absent;
mod calibration;
mod classifiers;
mod families;
mod given;
mod maps;
mod pool;
mod quick;
mod rows;
mod selection;
mod stack;
mod view;

pub(crate) use calibration::Calibration;
pub(crate) use classifiers::GenerativeHead;
pub(crate) use classifiers::network::Layer;
pub(crate) use classifiers::network::{NetworkHead, NetworkParams};
pub(crate) use classifiers::trees::{BoostedTrees, TreeParts};
pub(crate) use families::Classifier;
pub(crate) use given::GivenHead;
pub(crate) use maps::kernel::KernelFeatures;
pub(crate) use maps::{Directions, FeatureMap, Products};
pub(crate) use pool::{HeadPool, Member};
pub(crate) use selection::{Contest, Nested, Outcome, Unit};
pub(crate) use stack::{Combination, Stack, linear_weights};
pub(crate) use view::Features;
pub(crate) use view::View;

use crate::densities::points::Points;
use crate::error::Result;

/// A classifier: log posteriors from the rows that it takes.
#[derive(Debug, Clone)]
pub(crate) enum Head {
    /// A discriminant or a mixture with a distribution over classes in each component.
    Generative(GenerativeHead),
    /// A softmax regression or a network.
    Network(NetworkHead),
    /// Boosted trees.
    Trees(BoostedTrees),
}

/// A head with its calibration.
#[derive(Debug, Clone)]
pub struct CalibratedHead {
    /// The classifier.
    pub(crate) head: Head,
    /// The calibration on its held-out rows.
    pub(crate) calibration: Calibration,
}

/// The source of the posteriors of a modality or of both: heads fitted here, or the user's own models.
#[derive(Debug, Clone)]
pub(crate) enum HeadModel {
    /// Heads fitted to features.
    Pool(HeadPool),
    /// Logits that come with the samples.
    Given(GivenHead),
}

impl Head {
    /// Returns `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub(crate) fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        match self {
            Self::Generative(head) => head.log_posteriors(rows),
            Self::Network(head) => head.log_posteriors(rows),
            Self::Trees(trees) => Ok(trees.log_posteriors(rows.values())),
        }
    }
}

impl CalibratedHead {
    /// Returns calibrated `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        let mut posteriors = self.head.log_posteriors(rows)?;
        self.calibration.apply(&mut posteriors);
        Ok(posteriors)
    }
}
