//! Layers and heads as plain arrays in the host's memory.

/// A layer `x W + b`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer {
    /// `W`, `[inputs, outputs]`, row-major.
    pub(crate) weights: Vec<f32>,
    /// `b`, `[outputs]`.
    pub(crate) biases: Vec<f32>,
    pub(crate) inputs: usize,
}

impl Layer {
    pub(crate) fn outputs(&self) -> usize {
        self.biases.len()
    }
}

/// A trained linear softmax or network, in the host's memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NetworkHead {
    /// The layers, at least one; all but the last are followed by a rectifier.
    pub(crate) layers: Vec<Layer>,
}

impl NetworkHead {
    /// Returns a linear softmax of one layer.
    pub(crate) fn linear(layer: Layer) -> Self {
        Self { layers: vec![layer] }
    }

    /// Returns the number of columns of a row.
    pub(super) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Returns the number of classes.
    pub(super) fn classes(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }
}
