//! The description of an estimator of several modalities.

use lsmi_core::Measure;
use serde::{Deserialize, Serialize};

use crate::densities::gauge::GaugeKind;
use crate::estimator::Grouping;
use crate::features::Classes;

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
    /// The grouping of the training rows; `None` if every row is a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Notes for the user about the fit.
    pub notes: Vec<String>,
}
