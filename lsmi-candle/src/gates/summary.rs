//! All that the gates found about a table, as `lsmi check` writes it.

use serde::Serialize;

use super::{Gate, Verdict};
use crate::features::{Classes, FeatureSet};

/// Version of the layout.
const SCHEMA: u32 = 1;

/// What the gates found, with what they were asked about.
#[derive(Debug, Clone, Serialize)]
pub struct CheckSummary {
    /// Version of this layout.
    schema: u32,
    /// Version of the program.
    version: &'static str,
    /// Always `nats`.
    units: &'static str,
    /// Seed of everything random.
    seed: u64,
    /// Rows of the split `train`, of which the gates may have used fewer.
    n: usize,
    /// Columns of the features.
    dims: Columns,
    /// Class names, in the order of the class indices.
    classes: Vec<String>,
    /// The worst verdict of any gate.
    verdict: Verdict,
    /// The gates, in the order in which they were asked.
    pub gates: Vec<Gate>,
}

/// Columns of the features.
#[derive(Debug, Clone, Copy, Serialize)]
struct Columns {
    x1: usize,
    x2: usize,
}

impl CheckSummary {
    /// Summarises what gates found about training rows.
    pub fn new(train: &FeatureSet, classes: &Classes, seed: u64, gates: Vec<Gate>) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            units: "nats",
            seed,
            n: train.rows(),
            dims: Columns { x1: train.x1.columns(), x2: train.x2.columns() },
            classes: classes.names().to_vec(),
            verdict: gates.iter().map(|gate| gate.verdict).max().unwrap_or(Verdict::Pass),
            gates,
        }
    }
}
