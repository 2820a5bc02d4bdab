//! Three fusion networks that differ in nothing but the stage at which the modalities meet.
//!
//! Either modality can be missing: it is then all zeros, and a flag says so. Networks are trained with each modality
//! missing now and then (Neverova and others, 2015), so that what they say of one modality alone is something
//! they were taught, and so their logits of x1, of x2 and of both can be told apart.

use std::error::Error;

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, loss};
use lsmi_candle::Matrix;
use lsmi_candle::features::FeatureSet;
use lsmi_core::random::{ChaCha8Rng, stream};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

const HIDDEN: usize = 64;
const BATCH: usize = 128;
const EPOCHS: usize = 60;
/// The share of samples that miss x1 in a batch, and as many miss x2.
const MISSING: f64 = 0.25;

/// Where the modalities meet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// Features are joined: one network sees both.
    Early,
    /// Each modality has a hidden layer of its own; hidden units are joined.
    Middle,
    /// Each modality has a network of its own; logits are added.
    Late,
}

impl Stage {
    pub(crate) const ALL: [(&'static str, Self); 3] =
        [("early", Self::Early), ("middle", Self::Middle), ("late", Self::Late)];
}

/// Which modalities a network is shown.
type Present = [bool; 2];

/// A fully connected layer.
struct Layer {
    weights: Var,
    biases: Var,
}

impl Layer {
    fn new(inputs: usize, outputs: usize, random: &mut ChaCha8Rng) -> Result<Self, Box<dyn Error>> {
        let scale = (2.0 / inputs as f64).sqrt();
        let mut normal = || -> f32 {
            let value: f64 = StandardNormal.sample(random);
            (scale * value) as f32
        };
        let weights: Vec<f32> = (0..inputs * outputs).map(|_| normal()).collect();
        let weights = Var::from_vec(weights, (inputs, outputs), &Device::Cpu)?;
        Ok(Self { weights, biases: Var::zeros(outputs, DType::F32, &Device::Cpu)? })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.matmul(&self.weights)?.broadcast_add(&self.biases)
    }
}

/// A fusion network.
pub(crate) struct Network {
    stage: Stage,
    layers: Vec<Layer>,
    columns: [usize; 2],
}

impl Network {
    /// Trains a network on samples whose columns are standardised.
    pub(crate) fn train(stage: Stage, samples: &FeatureSet, classes: usize, seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut random = stream(seed, &format!("fusion network {stage:?}"));
        let columns = [samples.x1.columns(), samples.x2.columns()];
        let network = Self::new(stage, columns, classes, &mut random)?;
        let variables = network.layers.iter().flat_map(|layer| [layer.weights.clone(), layer.biases.clone()]).collect();
        let mut optimizer =
            AdamW::new(variables, ParamsAdamW { lr: 2e-3, weight_decay: 0.05, ..ParamsAdamW::default() })?;
        let mut order: Vec<usize> = (0..samples.rows()).collect();
        for epoch in 0..EPOCHS {
            // The last third of the epochs settles.
            optimizer.set_learning_rate(if epoch < 2 * EPOCHS / 3 { 2e-3 } else { 4e-4 });
            order.shuffle(&mut random);
            for rows in order.chunks(BATCH) {
                let present: Vec<Present> = rows.iter().map(|_| draw_present(&mut random)).collect();
                let labels: Vec<u32> = rows.iter().map(|row| samples.labels[*row]).collect();
                let labels = Tensor::new(labels, &Device::Cpu)?;
                let logits = network.forward(samples, rows, &present)?;
                optimizer.backward_step(&loss::cross_entropy(&logits, &labels)?)?;
            }
        }
        Ok(network)
    }

    fn new(
        stage: Stage,
        [d1, d2]: [usize; 2],
        classes: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Box<dyn Error>> {
        // A modality has one more input: whether it is there.
        let shapes: &[(usize, usize)] = match stage {
            Stage::Early => &[(d1 + d2 + 2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, classes)],
            Stage::Middle => &[(d1 + 1, HIDDEN), (d2 + 1, HIDDEN), (2 * HIDDEN, HIDDEN), (HIDDEN, classes)],
            Stage::Late => &[
                (d1 + 1, HIDDEN),
                (d2 + 1, HIDDEN),
                (HIDDEN, HIDDEN),
                (HIDDEN, HIDDEN),
                (HIDDEN, classes),
                (HIDDEN, classes),
            ],
        };
        let layers =
            shapes.iter().map(|(inputs, outputs)| Layer::new(*inputs, *outputs, random)).collect::<Result<_, _>>()?;
        Ok(Self { stage, layers, columns: [d1, d2] })
    }

    /// The logits of x1 alone, x2 alone and both.
    pub(crate) fn logits(&self, samples: &FeatureSet) -> Result<[Option<Matrix>; 3], Box<dyn Error>> {
        let rows: Vec<usize> = (0..samples.rows()).collect();
        let of = |present: Present| -> Result<Option<Matrix>, Box<dyn Error>> {
            let logits = self.forward(samples, &rows, &vec![present; rows.len()])?.to_dtype(DType::F64)?;
            Ok(Some(Matrix::new(rows.len(), logits.dim(1)?, logits.flatten_all()?.to_vec1()?)?))
        };
        Ok([of([true, false])?, of([false, true])?, of([true, true])?])
    }

    fn forward(&self, samples: &FeatureSet, rows: &[usize], present: &[Present]) -> Result<Tensor, Box<dyn Error>> {
        let input = |modality: usize, x: &Matrix| {
            let values: Vec<f32> = rows
                .iter()
                .zip(present)
                .flat_map(|(row, present)| {
                    let is_present = f32::from(u8::from(present[modality]));
                    x.row(*row).iter().map(move |value| is_present * *value as f32).chain([is_present])
                })
                .collect();
            Tensor::from_vec(values, (rows.len(), self.columns[modality] + 1), &Device::Cpu)
        };
        let (x1, x2) = (input(0, &samples.x1)?, input(1, &samples.x2)?);
        let hidden = |layer: usize, x: &Tensor| self.layers[layer].forward(x)?.relu();
        Ok(match self.stage {
            Stage::Early => {
                let joined = Tensor::cat(&[&x1, &x2], D::Minus1)?;
                self.layers[2].forward(&hidden(1, &hidden(0, &joined)?)?)?
            }
            Stage::Middle => {
                let joined = Tensor::cat(&[&hidden(0, &x1)?, &hidden(1, &x2)?], D::Minus1)?;
                self.layers[3].forward(&hidden(2, &joined)?)?
            }
            Stage::Late => {
                let one = self.layers[4].forward(&hidden(2, &hidden(0, &x1)?)?)?;
                let two = self.layers[5].forward(&hidden(3, &hidden(1, &x2)?)?)?;
                (one + two)?
            }
        })
    }
}

fn draw_present(random: &mut ChaCha8Rng) -> Present {
    match random.random::<f64>() {
        share if share < MISSING => [false, true],
        share if share < 2.0 * MISSING => [true, false],
        _ => [true, true],
    }
}
