//! A small network of two modalities: an encoder for each, a fusion of both, and a classifier.
//!
//! ```text
//! f_m = relu(x_m A_m + a_m)      fused = relu([f_1, f_2] B + b)      logits = fused C + c      logits_m = f_m D_m + d_m
//! ```

use candle_core::{D, Tensor};
use lsmi_candle::training::parameters::ParameterStore;

use crate::error::Result;

/// A fusion network.
#[derive(Debug, Clone)]
pub struct Network {
    encoders: [Layer; 2],
    fusion: Layer,
    output: Layer,
    auxiliary: Option<[Layer; 2]>,
}

/// What a network makes of a batch.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// The features of each modality, `[n, hidden]`.
    pub features: [Tensor; 2],
    /// The features of both together, `[n, hidden]`.
    pub fused: Tensor,
    /// The logits of both together, `[n, classes]`.
    pub logits: Tensor,
    /// The logits of each modality alone, `[n, classes]`, where the network has such heads.
    pub auxiliary: Option<[Tensor; 2]>,
}

#[derive(Debug, Clone)]
struct Layer {
    weights: Tensor,
    biases: Tensor,
}

impl Layer {
    /// Weights that keep the size of activations (He, Zhang, Ren and Sun 2015, eq. 10), biases of 0.
    fn new(store: &mut ParameterStore, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let weights = store.normal(&format!("{name}.weight"), (inputs, outputs), (2.0 / inputs as f64).sqrt())?;
        Ok(Self { weights, biases: store.zeros(&format!("{name}.bias"), outputs)? })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weights)?.broadcast_add(&self.biases)?)
    }
}

impl Network {
    /// A network whose parameters are in `store`; with heads of single modalities if their losses are used.
    ///
    /// # Errors
    /// A candle error where the device cannot hold it.
    pub fn new(
        store: &mut ParameterStore,
        columns: [usize; 2],
        hidden: usize,
        classes: usize,
        with_auxiliary: bool,
    ) -> Result<Self> {
        let encoders =
            [Layer::new(store, "encoder1", columns[0], hidden)?, Layer::new(store, "encoder2", columns[1], hidden)?];
        let fusion = Layer::new(store, "fusion", 2 * hidden, hidden)?;
        let output = Layer::new(store, "output", hidden, classes)?;
        let auxiliary = if with_auxiliary {
            Some([Layer::new(store, "auxiliary1", hidden, classes)?, Layer::new(store, "auxiliary2", hidden, classes)?])
        } else {
            None
        };
        Ok(Self { encoders, fusion, output, auxiliary })
    }

    /// What the network makes of `x1` `[n, d1]` and `x2` `[n, d2]`.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub fn forward(&self, x1: &Tensor, x2: &Tensor) -> Result<Outputs> {
        let features = [self.encoders[0].forward(x1)?.relu()?, self.encoders[1].forward(x2)?.relu()?];
        let fused = self.fusion.forward(&Tensor::cat(&features, D::Minus1)?)?.relu()?;
        let logits = self.output.forward(&fused)?;
        let auxiliary = match &self.auxiliary {
            Some([first, second]) => Some([first.forward(&features[0])?, second.forward(&features[1])?]),
            None => None,
        };
        Ok(Outputs { features, fused, logits, auxiliary })
    }
}
