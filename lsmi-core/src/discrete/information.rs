//! Mutual informations of two sources and a target, and the terms of every outcome.

use serde::{Deserialize, Serialize};

use super::joint::Joint;
use crate::{ids::SampleIds, terms::Terms};

/// What the sources tell about the target, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// I(X1;Y).
    pub i1: f64,
    /// I(X2;Y).
    pub i2: f64,
    /// I(X1,X2;Y).
    pub i12: f64,
}

/// The terms of every outcome, in the order of the outcomes; their ids are row numbers.
pub(super) fn terms(joint: &Joint) -> Terms {
    let marginals = joint.marginals();
    let n = joint.outcomes().len();
    let surprisals = |set| (0..n).map(|row| marginals.surprisal(set, row)).collect();
    let informations = |set| (0..n).map(|row| marginals.information(set, row)).collect();
    Terms {
        ids: SampleIds::rows(n),
        h1: surprisals(1),
        h2: surprisals(2),
        i1: informations(1),
        i2: informations(2),
        i12: informations(3),
    }
}
