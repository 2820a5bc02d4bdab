//! What `check` writes and prints as JSON.

use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::gates::{Gate, Verdict};
use serde::Serialize;

/// Version of the layout.
const SCHEMA: u32 = 1;

/// All that `check` found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CheckSummary {
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
    pub(crate) gates: Vec<Gate>,
}

/// Columns of the features.
#[derive(Debug, Clone, Copy, Serialize)]
struct Columns {
    x1: usize,
    x2: usize,
}

impl CheckSummary {
    /// The gates about training rows.
    pub(crate) fn new(train: &FeatureSet, classes: &Classes, seed: u64, gates: Vec<Gate>) -> Self {
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
