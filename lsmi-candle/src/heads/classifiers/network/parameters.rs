//! Parameters of a network as named tensors: the start of training, and the network that parameters describe.

use std::collections::BTreeMap;

use candle_core::{Device, Result as CandleResult, Tensor};

use super::layer::{Layer, NetworkHead};
use super::params::NetworkParams;
use crate::error::Result;
use crate::training::parameters::ParameterStore;

impl NetworkHead {
    /// Returns the network that parameters describe.
    pub(super) fn from_parameters(parameters: &BTreeMap<&str, &Tensor>) -> CandleResult<Self> {
        let layer = |[weights, biases]: [&Tensor; 2]| {
            Ok(Layer { inputs: weights.dim(0)?, weights: values(weights)?, biases: values(biases)? })
        };
        Ok(Self { layers: layers(parameters).map(layer).collect::<CandleResult<_>>()? })
    }
}

/// Returns the names of a layer's weights and biases.
pub(super) fn names(layer: usize) -> [String; 2] {
    [format!("layer{layer}.weight"), format!("layer{layer}.bias")]
}

/// Returns trainable parameters by their names.
pub(super) fn parameters(store: &ParameterStore) -> BTreeMap<&str, &Tensor> {
    store.iter().map(|(name, value)| (name, value.as_tensor())).collect()
}

/// Returns the weights and biases of each layer, by their names.
pub(super) fn layers<'a>(parameters: &BTreeMap<&str, &'a Tensor>) -> impl Iterator<Item = [&'a Tensor; 2]> {
    (0..).map_while(|layer| {
        let [weights, biases] = names(layer).map(|name| parameters.get(name.as_str()).copied());
        Some([weights?, biases?])
    })
}

/// Creates the parameters that training starts from: the weights of hidden units random, so that these differ, and of a
/// size that keeps activations near 1 (He, Zhang, Ren, Sun 2015, eq. 10); those of a linear softmax 0.
pub(super) fn start(
    inputs: usize,
    classes: usize,
    params: NetworkParams,
    seed: u64,
    device: &Device,
) -> Result<ParameterStore> {
    let mut store = ParameterStore::new(seed, device);
    let mut layer_inputs = inputs;
    for (layer, units) in params.hidden.iter().enumerate() {
        let [weights, biases] = names(layer);
        store.normal(&weights, (layer_inputs, *units), (2.0 / layer_inputs as f64).sqrt())?;
        store.zeros(&biases, *units)?;
        layer_inputs = *units;
    }
    let [weights, biases] = names(params.hidden.len());
    if params.hidden.is_empty() {
        store.zeros(&weights, (inputs, classes))?;
    } else {
        store.normal(&weights, (layer_inputs, classes), (1.0 / layer_inputs as f64).sqrt())?;
    }
    store.zeros(&biases, classes)?;
    Ok(store)
}

/// Returns the values of an f32 tensor on the host, in row-major order.
fn values(tensor: &Tensor) -> CandleResult<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
