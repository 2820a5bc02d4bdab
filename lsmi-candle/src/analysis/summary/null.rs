//! `null` of a split in `summary.json`: its means against those under permuted labels, overall and by class.

use crate::estimator::{Null, Tests};
use serde::{Deserialize, Serialize};

use super::Summary;
use crate::analysis::ordered_map::{as_map, from_map};

/// The tests of a split's means.
///
/// Each quantity (`i1`, `i2`, `i12`, `r`, `u1`, `u2`, `s`, `s_minus_r`) has `observed` and, over permutations, `mean`,
/// `standard_deviation` and `quantile_95`, and the p-value `p`; those of a class also `q`, adjusted for the classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullSummary {
    /// How often the labels were permuted.
    pub permutations: usize,
    /// Means over all samples.
    #[serde(flatten)]
    pub overall: Tests,
    /// Means over the samples of each class, by its name, in the order of the classes.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub by_class: Vec<(String, Tests)>,
}

impl NullSummary {
    /// The tests with the names of the classes.
    pub fn new(null: Null, classes: &[String]) -> Self {
        Self {
            permutations: null.permutations,
            overall: null.overall,
            by_class: classes.iter().cloned().zip(null.by_class).collect(),
        }
    }
}

/// How to read the null where heads are the user's own models.
const GIVEN_HEADS: &str = "given logits cannot be fitted again to permuted labels, and a confident model has much negative \
     information by chance: p of I1, I2 and I12 says whether logits and labels belong together, but p of R, U1, U2, S and \
     S - R is no evidence of an interaction";

impl Summary {
    /// The same with the test of the means of the first split, the one that the estimator was fitted on. `given_heads` says
    /// whether some heads are the user's own models.
    #[must_use]
    pub fn with_null(mut self, null: Option<NullSummary>, given_heads: bool) -> Self {
        if null.is_some() && given_heads {
            self.notes.push(GIVEN_HEADS.to_owned());
        }
        if let Some((_, train)) = self.splits.first_mut() {
            train.null = null;
        }
        self
    }
}
