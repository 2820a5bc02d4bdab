//! Fitted weights and biases of a softmax regression.

use crate::heads::{Layer, NetworkHead};

/// A linear softmax: `softmax(x W + b)`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::heads) struct Linear {
    /// `[columns, classes]`, row-major.
    pub(in crate::heads) weights: Vec<f32>,
    /// The bias of each class.
    pub(in crate::heads) biases: Vec<f32>,
}

impl From<Linear> for NetworkHead {
    fn from(Linear { weights, biases }: Linear) -> Self {
        Self::linear(Layer { inputs: weights.len() / biases.len().max(1), weights, biases })
    }
}
