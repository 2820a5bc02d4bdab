//! A model whose last blocks are trained, together with what follows them: norms, pooling layers, projections.
//!
//! What comes before them stays as it is, so that an input goes through it once ([`Trainable::enter`]). Each training has
//! weights of its own, which begin as the checkpoint has them ([`Trainable::tail`]); its vectors ([`TrainedTail::embed`])
//! have gradients, and before the first step are those of the [`Embedder`] but for the last digits.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};

use super::error::{EmbedError, Result};
use super::{Applied, Embedder, Options, Part, Precision, Prepared, Stages, load};
use crate::embedding::encoders::{Config, Entered, Entry, Modality, Poolings, Tail, Variables, Weights, image, text};
use crate::embedding::manifests::Resolved;

/// A model of texts or pictures whose last blocks are trained.
pub struct Trainable {
    model: Resolved,
    options: Options,
    embedder: Arc<Embedder>,
    config: Config,
    weights: Weights,
    blocks: usize,
}

/// The last blocks of a model and what follows them, with weights that are trained.
pub struct TrainedTail {
    tail: Box<dyn Tail>,
    /// Positions of a prompt that poolings leave out.
    leading: usize,
    poolings: Poolings,
    steps: Vec<Applied>,
    variables: BTreeMap<String, Var>,
}

impl Trainable {
    /// Loads a model whose last `blocks` blocks are trained. The precision is that of f32.
    ///
    /// # Errors
    /// [`EmbedError::File`] where it reads neither texts nor pictures, `EncoderError::NotTrainable` naming the
    /// architectures whose blocks can be trained, `EncoderError::Blocks` where it has fewer blocks, and as [`Embedder::load`].
    pub fn load(model: &Resolved, options: &Options, blocks: usize, device: &Device) -> Result<Self> {
        let options = Options { precision: Precision::F32, ..options.clone() };
        let config = load::configuration(model)?;
        let weights = Weights::read_files(&model.weights(), DType::F32, device)?;
        // Before the rest is read.
        tail(model, &config, &weights, blocks)?;
        let embedder = Arc::new(Embedder::load(model, &options, device)?);
        Ok(Self { model: model.clone(), options, embedder, config, weights, blocks })
    }

    /// Returns the model as it is before it is trained: it prepares inputs, and says what vectors are of.
    pub fn embedder(&self) -> &Arc<Embedder> {
        &self.embedder
    }

    /// Returns the number of blocks that are trained.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Makes the states that enter the first block that is trained, of inputs that its [embedder](Self::embedder) has prepared.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where an input does not suit the model, or the device fails.
    pub fn enter(&self, inputs: &[&Prepared]) -> Result<Vec<Entry>> {
        let advance = |tail: &dyn Tail, entered| tail.advance(entered, tail.blocks().saturating_sub(self.blocks));
        match &self.embedder.stages {
            Stages::Text { encoder, tokenizer, .. } if let Some(stages) = encoder.stages() => {
                let batch = tokenizer.batch(&self.embedder.tokens(inputs)?, &self.embedder.device)?;
                let entered = stages.enter(&batch.ids, &batch.mask, batch.types.as_ref())?;
                Ok(advance(stages.tail(), entered)?.rows()?)
            }
            Stages::Image { encoder, .. } if let Some(stages) = encoder.stages() => {
                let mut entries = Vec::with_capacity(inputs.len());
                for part in inputs.iter().flat_map(|input| input.parts()) {
                    let pixels = part.tensor(&self.embedder.device)?;
                    entries.extend(advance(stages.tail(), stages.enter(&pixels)?)?.rows()?);
                }
                Ok(entries)
            }
            // Refused when it was loaded.
            _ => Err(untrainable(&self.model)),
        }
    }

    /// Begins a training: the last blocks and what follows, with the weights of the checkpoint.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where the weights cannot be read any more, or the device fails.
    pub fn tail(&self) -> Result<TrainedTail> {
        let variables = Variables::default();
        let tail = tail(&self.model, &self.config, &self.weights.trained(&variables), self.blocks)?;
        let Embedder { stages, poolings, device, .. } = &*self.embedder;
        let width = stages.encoder().width_of_all(poolings)?;
        let steps = load::steps(&self.model, &self.options, poolings, width, device, Some(&variables))?;
        Ok(TrainedTail {
            tail,
            leading: if let Stages::Text { leading, .. } = stages { *leading } else { 0 },
            poolings: poolings.clone(),
            steps: steps.into_iter().map(|(step, _)| step).collect(),
            variables: variables.read_by(poolings),
        })
    }
}

impl TrainedTail {
    /// Makes the vectors of inputs, `[inputs, width]`, with gradients.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where there are no inputs, or the device fails.
    pub fn embed(&self, entries: &[&Entry]) -> Result<Tensor> {
        let mut hidden = self.tail.finish(&Entered::of_rows(entries)?)?;
        hidden.leading = self.leading;
        let vectors = hidden.pool_all(&self.poolings)?;
        self.steps.iter().try_fold(vectors, |vectors, step| step.forward(&vectors))
    }

    /// Returns the weights that are trained, by the names that they have in the checkpoint.
    pub fn variables(&self) -> &BTreeMap<String, Var> {
        &self.variables
    }

    /// Returns the number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.variables.values().map(|variable| variable.elem_count()).sum()
    }
}

impl Part {
    /// A batch of itself alone.
    fn tensor(&self, device: &Device) -> Result<Tensor> {
        let shape: Vec<usize> = std::iter::once(1).chain(self.shape.iter().copied()).collect();
        Ok(Tensor::from_slice(&self.values, shape, device)?)
    }
}

fn tail(model: &Resolved, config: &Config, weights: &Weights, blocks: usize) -> Result<Box<dyn Tail>> {
    match model.description.modality {
        Modality::Text => Ok(text::load_tail(config, weights, blocks)?),
        Modality::Image => Ok(image::load_tail(config, weights, blocks)?),
        _ => Err(untrainable(model)),
    }
}

fn untrainable(model: &Resolved) -> EmbedError {
    let inputs = model.description.modality.inputs();
    let reason = format!("encodes {inputs}, but blocks can be trained of models of texts and of pictures alone");
    EmbedError::File { file: model.description.name.clone(), reason }
}
