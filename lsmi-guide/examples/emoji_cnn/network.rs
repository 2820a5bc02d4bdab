//! The student: a CNN of the picture beside a network of the name, and a fusion of both.
//!
//! ```text
//! f_1 = relu(mean over pixels of relu(conv(relu(conv(relu(conv(picture)))))) A_1 + a_1)
//! f_2 = relu(trigrams A_2 + a_2)
//! fused = relu([f_1, f_2] B + b)      logits = fused C + c      logits_m = f_m D_m + d_m
//! ```

use candle_core::Tensor;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_guide::GuideError;
use lsmi_guide::train::student::{Model, Outputs};
use serde_json::{Value, json};

use crate::data::{Emoji, TRIGRAMS};

/// Features of both together.
pub(crate) const FUSED: usize = 32;
/// Features of each modality.
const FEATURES: usize = 16;
/// Channels before each convolution and after the last.
const CHANNELS: [usize; 4] = [3, 8, 16, 32];

type Result<T> = std::result::Result<T, GuideError>;

/// The network with its training samples.
#[derive(Debug)]
pub(crate) struct PictureAndName {
    kernels: Vec<Tensor>,
    encoders: [Linear; 2],
    fusion: Linear,
    output: Linear,
    auxiliary: [Linear; 2],
    pictures: Tensor,
    names: Tensor,
    identity: Value,
}

#[derive(Debug)]
struct Linear {
    weights: Tensor,
    biases: Tensor,
}

impl Linear {
    fn new(store: &mut ParameterStore, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let weights = store.normal(&format!("{name}.weight"), (inputs, outputs), (2.0 / inputs as f64).sqrt())?;
        Ok(Self { weights, biases: store.zeros(&format!("{name}.bias"), outputs)? })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weights)?.broadcast_add(&self.biases)?)
    }
}

impl PictureAndName {
    /// A network whose parameters are added to `store`.
    pub(crate) fn new(store: &mut ParameterStore, train: &Emoji, classes: usize) -> Result<Self> {
        let mut kernels = Vec::new();
        for (layer, channels) in CHANNELS.windows(2).enumerate() {
            let deviation = (2.0 / (9 * channels[0]) as f64).sqrt();
            kernels.push(store.normal(&format!("kernel{layer}"), (channels[1], channels[0], 3, 3), deviation)?);
        }
        Ok(Self {
            kernels,
            encoders: [
                Linear::new(store, "picture", CHANNELS[3], FEATURES)?,
                Linear::new(store, "name", TRIGRAMS, FEATURES)?,
            ],
            fusion: Linear::new(store, "fusion", 2 * FEATURES, FUSED)?,
            output: Linear::new(store, "output", FUSED, classes)?,
            auxiliary: [
                Linear::new(store, "auxiliary1", FEATURES, classes)?,
                Linear::new(store, "auxiliary2", FEATURES, classes)?,
            ],
            pictures: train.pictures.clone(),
            names: train.names.clone(),
            identity: json!({ "channels": CHANNELS, "features": FEATURES, "samples": train.ids.len() }),
        })
    }

    /// Computes what the network makes of other samples.
    pub(crate) fn outputs(&self, of: &Emoji) -> Result<Outputs> {
        self.outputs_of(&of.pictures, &of.names)
    }

    fn outputs_of(&self, pictures: &Tensor, names: &Tensor) -> Result<Outputs> {
        let mut x = pictures.clone();
        for kernel in &self.kernels {
            x = x.conv2d(kernel, 1, 2, 1, 1)?.relu()?;
        }
        let pooled = x.mean(3)?.mean(2)?;
        let features = [self.encoders[0].forward(&pooled)?.relu()?, self.encoders[1].forward(names)?.relu()?];
        let fused = self.fusion.forward(&Tensor::cat(&features, 1)?)?.relu()?;
        let auxiliary = [self.auxiliary[0].forward(&features[0])?, self.auxiliary[1].forward(&features[1])?];
        Ok(Outputs { logits: self.output.forward(&fused)?, features, fused, auxiliary: Some(auxiliary) })
    }
}

impl Model for PictureAndName {
    fn forward(&self, rows: &[usize]) -> Result<Outputs> {
        let rows = Tensor::from_iter(rows.iter().map(|row| *row as u32), self.pictures.device())?;
        self.outputs_of(&self.pictures.index_select(&rows, 0)?, &self.names.index_select(&rows, 0)?)
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }
}
