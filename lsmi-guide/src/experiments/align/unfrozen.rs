//! Two encoders whose last blocks are trained with the heads, on the samples of a comparison.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use candle_core::{Device, Tensor, Var};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

use super::features::Features;
use crate::error::{GuideError, Result};
use crate::experiments::parallel;
use crate::experiments::scaling::scale;
use crate::identity::sha256;

/// Inputs that go through the last blocks at a time, where nothing is trained.
const AT_A_TIME: usize = 64;

/// Why an encoder failed.
type EncoderFailure = Box<dyn Error + Send + Sync>;

/// An encoder whose last blocks are trained, and the inputs of some samples.
pub trait Encoder: Send + Sync {
    /// Returns its name.
    fn name(&self) -> &str;

    /// Returns the SHA-256 of the weights that trainings begin with.
    fn weights(&self) -> &str;

    /// Returns the number of blocks that are trained, the last ones.
    fn blocks(&self) -> usize;

    /// Returns the number of inputs.
    fn inputs(&self) -> usize;

    /// Begins a training, with weights of its own.
    ///
    /// # Errors
    /// Where the weights cannot be read.
    fn begin(&self) -> Result<Box<dyn Training + '_>, EncoderFailure>;
}

/// An encoder in training.
pub trait Training: Send + Sync {
    /// Makes the vectors of inputs, counted from 0: f32 `[rows, width]`, with gradients.
    ///
    /// # Errors
    /// Where the device fails.
    fn embed(&self, rows: &[usize]) -> Result<Tensor, EncoderFailure>;

    /// Returns the weights that are trained by name, all of which the vectors depend on.
    fn variables(&self) -> &BTreeMap<String, Var>;
}

/// Two encoders whose last blocks are trained, with the inputs of samples by their ids.
pub struct Unfrozen {
    encoders: [Box<dyn Encoder>; 2],
    ids: SampleIds,
    /// The vectors of all inputs before any training.
    start: [Matrix; 2],
}

/// What was trained of the encoders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedEncoders {
    /// The last blocks of either encoder that were trained.
    pub blocks: [usize; 2],
    /// The step size of their weights at the start.
    pub rate: f64,
    /// The encoders of x1 and x2.
    pub models: [TrainedModel; 2],
}

/// An encoder that was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedModel {
    /// Its name.
    pub model: String,
    /// SHA-256 of the weights that trainings began with.
    pub weights: String,
    /// Number of its parameters that were trained.
    pub parameters: usize,
    /// By how much a feature of the samples is off the vector that the encoder made before training, at most and in units of
    /// the largest value; none where there are not as many columns.
    pub difference: Option<f64>,
}

impl fmt::Debug for Unfrozen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.encoders.each_ref().map(|encoder| encoder.name().to_owned());
        formatter.debug_struct("Unfrozen").field("encoders", &names).finish_non_exhaustive()
    }
}

impl Unfrozen {
    /// Creates them from the encoders of x1 and x2, whose inputs are those of the samples `ids`, in this order; `threads`
    /// threads make their vectors, 0 for as many as there are processors.
    ///
    /// # Errors
    /// [`GuideError::Length`] where there is not one input for each id, [`GuideError::Encoder`] where an encoder fails.
    pub fn new(encoders: [Box<dyn Encoder>; 2], ids: SampleIds, threads: usize) -> Result<Self> {
        for encoder in &encoders {
            if encoder.inputs() != ids.len() {
                return Err(GuideError::Length { what: "inputs", expected: ids.len(), found: encoder.inputs() });
            }
        }
        let [first, second] = encoders.each_ref().map(|encoder| vectors(encoder.as_ref(), threads));
        let start = [first?, second?];
        Ok(Self { encoders, ids, start })
    }

    /// Which inputs those of samples are.
    pub(super) fn rows(&self, ids: &SampleIds) -> Result<Vec<usize>> {
        let index = self.ids.index();
        let unknown = |id: &str| GuideError::UnknownId { what: "inputs", id: id.to_owned() };
        ids.iter().map(|id| index.position(&id).ok_or_else(|| unknown(&id))).collect()
    }

    /// The vectors of inputs of a modality before any training.
    pub(super) fn start(&self, modality: usize, rows: &[usize]) -> Matrix {
        self.start[modality].select(rows)
    }

    /// Tells vectors before training apart: of what model, pooling and inputs they are.
    pub(super) fn sha256(&self) -> String {
        let bytes = |matrix: &Matrix| matrix.values().iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        sha256(self.start.each_ref().map(bytes).iter().map(Vec::as_slice))
    }

    /// The numbers of blocks that are trained.
    pub(super) fn blocks(&self) -> [usize; 2] {
        self.encoders.each_ref().map(|encoder| encoder.blocks())
    }

    /// What is trained of the encoders, and whether they made these features of the samples `ids`.
    pub(super) fn described(&self, rate: f64, features: [&Matrix; 2], ids: &SampleIds) -> Result<TrainedEncoders> {
        let rows = self.rows(ids)?;
        let model = |modality: usize| -> Result<TrainedModel> {
            let encoder = &self.encoders[modality];
            let training = encoder.begin().map_err(GuideError::Encoder)?;
            Ok(TrainedModel {
                model: encoder.name().to_owned(),
                weights: encoder.weights().to_owned(),
                parameters: training.variables().values().map(|variable| variable.elem_count()).sum(),
                difference: difference(features[modality], &self.start(modality, &rows)),
            })
        };
        Ok(TrainedEncoders { blocks: self.blocks(), rate, models: [model(0)?, model(1)?] })
    }

    /// Begins a training of both encoders, whose weights are in one store.
    pub(super) fn begin(&self, device: &Device) -> Result<([Box<dyn Training + '_>; 2], ParameterStore)> {
        let [first, second] = self.encoders.each_ref().map(|encoder| encoder.begin().map_err(GuideError::Encoder));
        let trainings = [first?, second?];
        // Nothing is drawn from it.
        let mut store = ParameterStore::new(0, device);
        for (modality, training) in ["x1", "x2"].into_iter().zip(&trainings) {
            for (name, variable) in training.variables() {
                store.add(&format!("{modality} {name}"), variable);
            }
        }
        Ok((trainings, store))
    }
}

/// Rows whose features an encoder makes that is trained, scaled as its vectors were before training.
pub(super) struct Encoded<'a> {
    pub(super) training: &'a dyn Training,
    /// Which of the inputs the rows are.
    pub(super) inputs: &'a [usize],
    pub(super) scales: &'a Scales,
}

impl Encoded<'_> {
    /// Those of both modalities.
    pub(super) fn both(rows: &[Self; 2]) -> [&dyn Features; 2] {
        [&rows[0], &rows[1]]
    }
}

/// What features are less, and divided by: `[1, columns]` each.
#[derive(Debug)]
pub(super) struct Scales {
    means: Tensor,
    deviations: Tensor,
}

impl Scales {
    /// The means and deviations of columns.
    pub(super) fn of(matrix: &Matrix, device: &Device) -> Result<Self> {
        let (means, deviations) = scale(matrix.values(), matrix.columns());
        let row = |values: Vec<f64>| {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            Tensor::from_vec(values, (1, matrix.columns()), device)
        };
        Ok(Self { means: row(means)?, deviations: row(deviations)? })
    }
}

impl Features for Encoded<'_> {
    fn rows(&self, rows: &[u32]) -> Result<Tensor> {
        let inputs: Vec<usize> = rows.iter().map(|row| self.inputs[*row as usize]).collect();
        let vectors = self.training.embed(&inputs).map_err(GuideError::Encoder)?;
        // A device that was opened twice counts as two.
        let vectors = vectors.to_device(self.scales.means.device())?;
        Ok(vectors.broadcast_sub(&self.scales.means)?.broadcast_div(&self.scales.deviations)?)
    }

    fn all(&self) -> Result<Tensor> {
        let rows: Vec<u32> = (0..self.inputs.len() as u32).collect();
        // Without gradients, whose memory would grow with the rows.
        let parts = rows.chunks(AT_A_TIME).map(|rows| Ok(self.rows(rows)?.detach())).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&parts, 0)?)
    }
}

/// The vectors of all inputs before any training.
fn vectors(encoder: &dyn Encoder, threads: usize) -> Result<Matrix> {
    let training = encoder.begin().map_err(GuideError::Encoder)?;
    let rows: Vec<usize> = (0..encoder.inputs()).collect();
    let parts: Vec<&[usize]> = rows.chunks(AT_A_TIME).collect();
    let values = parallel::map(&parts, threads, |part| -> Result<Vec<f32>> {
        Ok(training.embed(part).map_err(GuideError::Encoder)?.flatten_all()?.to_vec1()?)
    })?;
    let values: Vec<f64> = values.into_iter().flatten().map(f64::from).collect();
    let columns = values.len() / rows.len().max(1);
    Matrix::new(rows.len(), columns, values).map_err(|error| GuideError::Data { reason: error.to_string() })
}

/// The largest difference of two matrices, by the largest value of the first; none where they are of several shapes.
fn difference(a: &Matrix, b: &Matrix) -> Option<f64> {
    if (a.rows(), a.columns()) != (b.rows(), b.columns()) {
        return None;
    }
    let largest = a.values().iter().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let pairs = a.values().iter().zip(b.values());
    Some(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest)
}
