//! Mutual informations of two sources and a target.

use serde::{Deserialize, Serialize};

/// The mutual informations of two sources and a target, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// I(X1;Y).
    pub i1: f64,
    /// I(X2;Y).
    pub i2: f64,
    /// I(X1,X2;Y).
    pub i12: f64,
}
