//! The description of an estimator of several modalities.

use std::collections::BTreeMap;

use lsmi_core::{Measure, Reference, Subset};
use serde::{Deserialize, Serialize};

use crate::densities::gauge::GaugeKind;
use crate::estimator::{Grouping, Shortfall};
use crate::features::{Classes, Pooling};

/// The description of an estimator of several modalities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeveralDescription {
    /// Version of the crate that fitted it.
    pub version: String,
    /// The names of the modalities, as the arrays are called.
    pub modalities: Vec<String>,
    /// The coordinates that surprisals are measured in.
    pub gauge: GaugeKind,
    /// Dimensions of those coordinates, by modality.
    pub gauge_dims: Vec<usize>,
    /// Columns of the features, by modality.
    pub dims: Vec<usize>,
    /// The classes.
    pub classes: Classes,
    /// The choice of the class prior: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The definition of redundancy.
    pub measure: Measure,
    /// The seed of every random stream.
    pub seed: u64,
    /// Number of folds.
    pub folds: usize,
    /// Number of repeats.
    pub repeats: usize,
    /// Number of training rows.
    pub rows: usize,
    /// SHA-256 of the training rows.
    pub data_hash: String,
    /// The pooling of the sequences that it was fitted on; `None` if there were none, or if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// What is known of every pair of modalities.
    pub pairs: BTreeMap<Subset, PairDescription>,
    /// The grouping of the training rows; `None` if every row is a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Notes for the user about the fit.
    pub notes: Vec<String>,
}

/// What is known of two of the modalities, beside what all sets of them share: what [`SeveralEstimator::pair`] needs to be the
/// estimator of a fit to these two.
///
/// [`SeveralEstimator::pair`]: super::SeveralEstimator::pair
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairDescription {
    /// The values of the training rows that a measure of two modalities depends on.
    pub reference: Reference,
    /// SHA-256 of the training rows of the two.
    pub data_hash: String,
    /// The estimated shortfall of means over rows that are scored; `None` if it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
    /// Notes for the user about a fit to the two.
    pub notes: Vec<String>,
}
