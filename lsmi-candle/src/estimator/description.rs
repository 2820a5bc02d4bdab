//! The description of an estimator, which its bundle stores as JSON.

use lsmi_core::{Measure, Reference};
use serde::{Deserialize, Serialize};

use super::grouping::Grouping;
use crate::densities::gauge::GaugeKind;
use crate::features::{Classes, Pooling};

/// The description of an estimator; stored as JSON in the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the bundle's layout, [`SCHEMA`](super::SCHEMA).
    pub schema: u32,
    /// Version of the crate that fitted it.
    pub version: String,
    /// The coordinates that surprisals are measured in.
    pub gauge: GaugeKind,
    /// Dimensions of those coordinates, modality 1 and 2.
    pub gauge_dims: [usize; 2],
    /// Columns of the features, modality 1 and 2.
    pub dims: [usize; 2],
    /// The classes.
    pub classes: Classes,
    /// Which heads (x1, x2, both) are the user's own models, whose logits come with the samples.
    pub given_heads: [bool; 3],
    /// The choice of the class prior: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The definition of redundancy.
    pub measure: Measure,
    /// The values of the training rows that the measure depends on.
    pub reference: Reference,
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
    /// The encoder of each modality's features, as named in the file that they were read from; `None` if the file names
    /// none, see [`Data::encoders`](crate::features::Data::encoders).
    #[serde(default, skip_serializing_if = "are_unknown")]
    pub encoders: [Option<String>; 2],
    /// The pooling of the sequences that it was fitted on; `None` if there were none, or if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// The estimated shortfall of means over rows that it scores; `None` if it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
    /// The grouping of the training rows; `None` if every row is a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Notes for the user about the fit.
    pub notes: Vec<String>,
}

/// The estimated amounts by which means of i1, i2, i12, r, u1, u2 and s, in this order, fall short of those of the
/// distribution, in nats.
///
/// Models find less than there is in a limited number of rows, and as much too much in the rows that they saw
/// (Akaike 1973; Efron 1986): half of what the means of the training rows gain in sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// The shortfall of means over all rows.
    pub overall: [f64; 7],
    /// The shortfall of means over the rows of each class, in the order of the class indices.
    pub by_class: Vec<[f64; 7]>,
}

fn are_unknown(encoders: &[Option<String>; 2]) -> bool {
    encoders.iter().all(Option::is_none)
}
