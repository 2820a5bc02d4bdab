//! What an estimator says of itself, which its bundle stores as JSON.

use lsmi_core::{Measure, Reference};
use serde::{Deserialize, Serialize};

use super::grouping::Grouping;
use crate::densities::gauge::GaugeKind;
use crate::features::Classes;

/// What an estimator is, in words and numbers; stored as JSON in the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the bundle's layout, [`SCHEMA`].
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
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The definition of redundancy.
    pub measure: Measure,
    /// What that definition needs of the training rows.
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
    /// What made the features of each modality, in the words of the file that they were read from; None where it does not
    /// say, see [`Data::encoders`](crate::features::Data::encoders).
    #[serde(default, skip_serializing_if = "are_unknown")]
    pub encoders: [Option<String>; 2],
    /// What means over rows that it scores are believed to fall short of; None where nobody worked it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
    /// How training rows were grouped; None where every row is by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// What a user should know of the fit.
    pub notes: Vec<String>,
}

/// What means of i1, i2, i12, r, u1, u2 and s, in this order, are believed to fall short of those of the distribution, in
/// nats.
///
/// Models have not found all that there is to find in so many rows, and find as much too much in the rows that they saw
/// (Akaike 1973; Efron 1986): half of what the means of the training rows gain in sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// Of means over all rows.
    pub overall: [f64; 7],
    /// Of means over the rows of each class, in the order of the class indices.
    pub by_class: Vec<[f64; 7]>,
}

fn are_unknown(encoders: &[Option<String>; 2]) -> bool {
    encoders.iter().all(Option::is_none)
}
