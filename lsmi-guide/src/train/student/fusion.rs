//! A small network of two modalities to begin with: an encoder for each, a fusion of both, and a classifier.
//!
//! ```text
//! f_m = relu(x_m A_m + a_m)      fused = relu([f_1, f_2] B + b)      logits = fused C + c      logits_m = f_m D_m + d_m
//! ```

use candle_core::{D, Device, Tensor};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::training::parameters::ParameterStore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Model, Outputs, TensorStudent};
use crate::error::{GuideError, Result};
use crate::train::distiller::{self, Distiller, Teacher};

/// How large a fusion network is and how it is regularised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Units of each encoder and of the fusion; 32.
    pub hidden: usize,
    /// Decoupled weight decay; 0.01.
    pub decay: f64,
    /// The seed of the parameters; 0.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hidden: 32, decay: 0.01, seed: 0 }
    }
}

impl Settings {
    /// Checks the width.
    ///
    /// # Errors
    /// [`GuideError::Setting`] where there is no hidden unit.
    pub fn check(&self) -> Result<()> {
        match self.hidden {
            0 => {
                let expected = "at least 1".to_owned();
                Err(GuideError::Setting { name: "hidden units", found: "0".to_owned(), expected })
            }
            _ => Ok(()),
        }
    }
}

/// Makes a student of a new fusion network on `samples`, whose columns should be standardised, with labels below `classes`;
/// it learns from labels alone or from a teacher too.
///
/// # Errors
/// [`GuideError::Setting`] for a setting out of range, those of [`Distiller::new`], a candle error where `device` fails.
pub fn student(
    samples: &FeatureSet,
    classes: usize,
    settings: &Settings,
    teaching: Option<(Teacher, distiller::Settings)>,
    device: &Device,
) -> Result<TensorStudent<Fusion>> {
    settings.check()?;
    let mut store = ParameterStore::new(settings.seed, device);
    let columns = [samples.x1.columns(), samples.x2.columns()];
    let has_auxiliary = teaching.as_ref().is_some_and(|(_, settings)| settings.auxiliary > 0.0);
    let network = Network::new(&mut store, columns, settings.hidden, classes, has_auxiliary)?;
    let distiller = teaching
        .map(|(teacher, of_distiller)| Distiller::new(teacher, of_distiller, &mut store, classes, settings.hidden))
        .transpose()?;
    let inputs = [tensor(&samples.x1, device)?, tensor(&samples.x2, device)?];
    let identity = json!({ "settings": settings, "data": samples.hash() });
    let model = Fusion { network, inputs, identity };
    let (ids, labels) = (samples.ids.clone(), samples.labels.clone());
    TensorStudent::new(model, store, ids, labels, distiller, settings.decay, device)
}

/// A fusion network with its training samples.
#[derive(Debug, Clone)]
pub struct Fusion {
    network: Network,
    inputs: [Tensor; 2],
    identity: Value,
}

impl Fusion {
    /// Computes what the network makes of other samples.
    ///
    /// # Errors
    /// A candle error where the columns differ.
    pub fn outputs(&self, samples: &FeatureSet) -> Result<Outputs> {
        let device = self.inputs[0].device();
        self.network.forward(&tensor(&samples.x1, device)?, &tensor(&samples.x2, device)?)
    }
}

impl Model for Fusion {
    fn forward(&self, rows: &[usize]) -> Result<Outputs> {
        #[expect(clippy::cast_possible_truncation, reason = "candle indexes rows by u32")]
        let indices = Tensor::from_iter(rows.iter().map(|row| *row as u32), self.inputs[0].device())?;
        let [x1, x2] = self.inputs.each_ref().map(|input| input.index_select(&indices, 0));
        self.network.forward(&x1?, &x2?)
    }

    fn identity(&self) -> Value {
        self.identity.clone()
    }
}

fn tensor(matrix: &Matrix, device: &Device) -> Result<Tensor> {
    #[expect(clippy::cast_possible_truncation, reason = "networks are of f32")]
    let values: Vec<f32> = matrix.values().iter().map(|value| *value as f32).collect();
    Ok(Tensor::from_vec(values, (matrix.rows(), matrix.columns()), device)?)
}

/// A fusion network.
#[derive(Debug, Clone)]
pub struct Network {
    encoders: [Layer; 2],
    fusion: Layer,
    output: Layer,
    auxiliary: Option<[Layer; 2]>,
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
    /// Makes a network whose parameters are in `store`; with heads of single modalities if their losses are used.
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

    /// Computes what the network makes of `x1` `[n, d1]` and `x2` `[n, d2]`.
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
