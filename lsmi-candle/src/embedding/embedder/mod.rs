//! From a text, a picture file or a sound file to a vector: preprocessing, encoder, pooling.
//!
//! [`Embedder::prepare_text`] and [`Embedder::prepare_file`] make one input what the encoder takes: tokens, pixels or a
//! spectrogram.
//! [`Embedder::embed`] makes vectors of several at once. Both can be called from several threads; candle should be kept
//! from starting its own inside them (`RAYON_NUM_THREADS` and `CANDLE_NUM_THREADS` at 1).
//!
//! A vector does not depend on what else is in its batch but for the last digits: padding is masked.

mod error;
mod load;

pub use error::{EmbedError, Result};

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, DeviceLocation, Tensor};
use serde::Serialize;

use crate::embedding::encoders::layers::Linear;
use crate::embedding::encoders::tokens::{Tokenizer, Tokens};
use crate::embedding::encoders::{
    Activation, AudioEncoder, Encoder, ImageEncoder, Poolings, TextEncoder, l2_normalise,
};
use crate::embedding::manifests::{Origin, Resolved};
use crate::embedding::preprocess::audio::{Audio, LogMel, Settings as AudioSettings};
use crate::embedding::preprocess::image::{Image, Pixels, Settings as ImageSettings};

/// What may be chosen otherwise than a model's authors did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// How one vector is made of hidden states. Then no layers follow; only a normalisation at the end stays.
    pub pooling: Option<Poolings>,
    /// Whether vectors are divided by their Euclidean length at last.
    pub normalize: Option<bool>,
    /// What is put before every text.
    pub prompt: Prompt,
    /// The precision of the computation.
    pub precision: Precision,
}

/// What is put before every text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Prompt {
    /// What the model's authors put there unless they are asked for something else.
    #[default]
    Authors,
    /// Nothing.
    None,
    /// The prompt of this name, or, where the model has none of it, this text.
    Given(String),
}

/// The precision of the computation; vectors are f32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit numbers.
    #[default]
    F32,
    /// 16-bit numbers of the standard's kind.
    F16,
    /// 16-bit numbers with the exponent of 32-bit ones.
    Bf16,
}

impl Precision {
    fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }
}

/// A model with everything that comes before and after it.
pub struct Embedder {
    stages: Stages,
    poolings: Poolings,
    steps: Vec<Applied>,
    width: usize,
    device: Device,
    provenance: Provenance,
}

/// What a vector is of: enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// The model, as it was named.
    pub model: String,
    /// Its repository on the hub, where it has one.
    pub repository: Option<String>,
    /// The commit, where it is of the hub.
    pub revision: Option<String>,
    /// SHA-256 of the weights.
    pub weights: String,
    /// The architecture.
    pub architecture: String,
    /// How one vector is made of hidden states.
    pub pooling: String,
    /// Layers that the vector goes through then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// Whether vectors are divided by their length at last.
    pub normalize: bool,
    /// The precision of the computation.
    pub precision: String,
    /// What is done to an input.
    pub preprocessing: Preprocessing,
}

/// What is done to an input before it is encoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Preprocessing {
    /// A text is cut.
    Text {
        /// Most tokens of a text.
        max_tokens: usize,
        /// Whether it is made lower-case before anything else.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        lower_case: bool,
        /// What is put before it.
        #[serde(skip_serializing_if = "Option::is_none")]
        prompt: Option<String>,
        /// Whether the pooling leaves out the tokens of what is put before it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        prompt_left_out: bool,
    },
    /// A picture is resized, cut and normalised.
    Image(ImageSettings),
    /// A sound becomes a spectrogram.
    Audio {
        /// How.
        #[serde(flatten)]
        settings: AudioSettings,
        /// Whether the vector leaves out the padding behind the sound.
        padding_left_out: bool,
    },
}

enum Stages {
    /// `prompt` is put before every text; so many `leading` tokens of it are left out of poolings.
    Text {
        encoder: Box<dyn TextEncoder>,
        tokenizer: Box<Tokenizer>,
        prompt: String,
        leading: usize,
    },
    Image {
        encoder: Box<dyn ImageEncoder>,
        settings: ImageSettings,
    },
    Audio {
        encoder: Box<dyn AudioEncoder>,
        settings: AudioSettings,
        log_mel: LogMel,
    },
}

impl Stages {
    fn encoder(&self) -> &dyn Encoder {
        match self {
            Self::Text { encoder, .. } => encoder.as_ref(),
            Self::Image { encoder, .. } => encoder.as_ref(),
            Self::Audio { encoder, .. } => encoder.as_ref(),
        }
    }
}

/// What is done to a vector after the pooling.
enum Applied {
    /// A linear layer; where it is `residual`, what it takes is added, put through `around` where that is of another length.
    Dense { linear: Linear, activation: Activation, residual: bool, around: Option<Linear> },
    /// It is divided by its length.
    Normalize,
}

impl Applied {
    fn forward(&self, vectors: &Tensor) -> Result<Tensor> {
        match self {
            Self::Normalize => Ok(l2_normalise(vectors)?),
            Self::Dense { linear, activation, residual, around } => {
                let made = linear.activated(vectors, *activation)?;
                match around {
                    Some(around) => Ok((made + around.forward(vectors)?)?),
                    None if *residual => Ok((made + vectors)?),
                    None => Ok(made),
                }
            }
        }
    }
}

/// An input as an encoder takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// Tokens of a text.
    Text(Tokens),
    /// A picture.
    Image {
        /// Its pixels, `[3, height, width]`.
        values: Vec<f32>,
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels from left to right.
        width: usize,
    },
    /// A sound.
    Audio {
        /// Its spectrogram, `[bins, frames]`.
        spectrogram: Vec<f32>,
        /// The frames that are of the sound rather than of padding.
        frames: usize,
        /// Whether it was longer than the model takes.
        truncated: bool,
    },
}

impl Prepared {
    /// Returns how much there is to encode, for batches of inputs of equal length.
    pub fn length(&self) -> usize {
        match self {
            Self::Text(tokens) => tokens.ids.len(),
            Self::Image { height, width, .. } => height * width,
            Self::Audio { spectrogram, .. } => spectrogram.len(),
        }
    }

    /// Whether a text or sound was longer than its model takes.
    pub fn is_truncated(&self) -> bool {
        match self {
            Self::Text(tokens) => tokens.truncated,
            Self::Image { .. } => false,
            Self::Audio { truncated, .. } => *truncated,
        }
    }
}

/// Seconds of a sound that are decoded beyond what the model takes, to know of longer ones.
const BEYOND: f64 = 1.0;

impl Embedder {
    /// Loads a model for the modality that it is described for.
    ///
    /// # Errors
    /// [`EmbedError`] naming the file that is missing or not understood, the architecture that is not built in, or the tensor
    /// that is missing, unknown or of another shape.
    pub fn load(model: &Resolved, options: &Options, device: &Device) -> Result<Self> {
        let description = &model.description;
        let precision = options.precision.dtype();
        let (stages, preprocessing) = load::stages(model, options, precision, device)?;
        let poolings = load::poolings(description, options, stages.encoder().pooling());
        let pooled = stages.encoder().width_of_all(&poolings)?;
        let (steps, layers): (Vec<Applied>, Vec<Option<String>>) =
            load::steps(model, options, &poolings, pooled, device)?.into_iter().unzip();
        let outputs = |step: &Applied| match step {
            Applied::Dense { linear, .. } => Some(linear.outputs()),
            Applied::Normalize => None,
        };
        let width = steps.iter().rev().find_map(outputs).unwrap_or(pooled);
        if let Some(expected) = description
            .embedding_width
            .filter(|expected| description.pooling.as_ref() == Some(&poolings) && *expected != width)
        {
            return Err(EmbedError::File {
                file: description.name.clone(),
                reason: format!(
                    "makes vectors of {width} numbers, but its manifest says {expected}; correct the manifest"
                ),
            });
        }
        let (repository, revision) = match &model.origin {
            Origin::Hub { repository, commit } => (Some(repository.to_string()), Some(commit.clone())),
            Origin::Directory(_) => (None, None),
        };
        let provenance = Provenance {
            model: description.name.clone(),
            repository,
            revision,
            weights: load::hash(&model.weights())?,
            architecture: description.architecture.to_string(),
            pooling: poolings.to_string(),
            layers: layers.into_iter().flatten().collect(),
            normalize: matches!(steps.last(), Some(Applied::Normalize)),
            precision: precision.as_str().to_owned(),
            preprocessing,
        };
        Ok(Self { stages, poolings, steps, width, device: device.clone(), provenance })
    }

    /// Returns the number of values of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the name of the device that it computes on: `cpu`, `cuda:N` or `metal:N`.
    pub fn device(&self) -> String {
        match self.device.location() {
            DeviceLocation::Cpu => "cpu".to_owned(),
            DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
            DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
        }
    }

    /// Returns what the vectors were made by and from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Prepares a text for the encoder.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where the tokenizer cannot cut it, or the model is not one of texts.
    pub fn prepare_text(&self, text: &str) -> Result<Prepared> {
        match &self.stages {
            Stages::Text { tokenizer, prompt, .. } if prompt.is_empty() => Ok(Prepared::Text(tokenizer.tokens(text)?)),
            Stages::Text { tokenizer, prompt, .. } => Ok(Prepared::Text(tokenizer.tokens(&format!("{prompt}{text}"))?)),
            _ => Err(self.other("a text")),
        }
    }

    /// Prepares the picture or sound in a file for the encoder.
    ///
    /// # Errors
    /// [`EmbedError::Read`] where the file cannot be read, [`EmbedError::Preprocess`] where it is no picture or sound.
    pub fn prepare_file(&self, path: &Path) -> Result<Prepared> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| EmbedError::Read { file: name.clone(), source })?;
        self.prepare_bytes(&name, bytes)
    }

    /// Prepares the bytes of such a file for the encoder; `name` stands in errors.
    ///
    /// # Errors
    /// [`EmbedError::Preprocess`] where they are no picture or sound.
    pub fn prepare_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<Prepared> {
        match &self.stages {
            Stages::Image { settings, .. } => {
                let Pixels { values, height, width } = settings.prepare(&Image::decode(name, &bytes)?)?;
                Ok(Prepared::Image { values, height, width })
            }
            Stages::Audio { settings, log_mel, .. } => {
                let audio = Audio::decode(name, bytes, settings.seconds + BEYOND)?;
                let truncated = audio.samples().len() as f64 > settings.seconds * f64::from(audio.rate());
                let frames = settings.frames_of(&audio);
                Ok(Prepared::Audio { spectrogram: settings.prepare_with(log_mel, &audio)?, frames, truncated })
            }
            Stages::Text { .. } => Err(self.other("a file")),
        }
    }

    fn other(&self, found: &str) -> EmbedError {
        let reason = format!("is a model of another modality than {found}; name one that fits");
        EmbedError::File { file: self.provenance.model.clone(), reason }
    }

    /// Makes the vectors of inputs, `[inputs, width]` in row-major order. All must have been prepared by this embedder.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where the device fails, [`EmbedError::NotFinite`] where a vector has no numbers.
    pub fn embed(&self, inputs: &[&Prepared]) -> Result<Vec<f32>> {
        let by_size = by_size(inputs);
        if by_size.len() > 1 {
            let mut vectors = vec![0.0; inputs.len() * self.width];
            for places in by_size.values() {
                let of_size: Vec<&Prepared> = places.iter().map(|place| inputs[*place]).collect();
                for (place, vector) in places.iter().zip(self.embed(&of_size)?.chunks_exact(self.width)) {
                    vectors[place * self.width..][..self.width].copy_from_slice(vector);
                }
            }
            return Ok(vectors);
        }
        let Some(size) = by_size.keys().next() else { return Ok(Vec::new()) };
        let hidden = match &self.stages {
            Stages::Text { encoder, tokenizer, leading, .. } => {
                let tokens: Vec<&Tokens> = inputs
                    .iter()
                    .map(|input| if let Prepared::Text(tokens) = input { Ok(tokens) } else { Err(self.other("this")) })
                    .collect::<Result<_>>()?;
                let batch = tokenizer.batch(&tokens, &self.device)?;
                let mut hidden = encoder.encode(&batch.ids, &batch.mask, batch.types.as_ref())?;
                hidden.leading = *leading;
                hidden
            }
            Stages::Image { encoder, .. } => encoder.encode(&self.values(inputs, &[3, size[0], size[1]])?)?,
            Stages::Audio { encoder, settings, .. } => {
                let frames = |input: &&Prepared| match input {
                    Prepared::Audio { frames, .. } => *frames,
                    Prepared::Text(_) | Prepared::Image { .. } => settings.frames(),
                };
                let frames: Vec<usize> = inputs.iter().map(frames).collect();
                encoder.encode(&self.values(inputs, &[settings.mel_bins, settings.frames()])?, Some(&frames))?
            }
        };
        let mut vectors = hidden.pool_all(&self.poolings)?;
        for step in &self.steps {
            vectors = step.forward(&vectors)?;
        }
        let values: Vec<f32> = vectors.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(found) => Err(EmbedError::NotFinite { found: *found }),
            None => Ok(values),
        }
    }

    /// Pixels or spectrograms as one tensor.
    fn values(&self, inputs: &[&Prepared], shape: &[usize]) -> Result<Tensor> {
        let mut values = Vec::with_capacity(inputs.len() * shape.iter().product::<usize>());
        for input in inputs {
            match input {
                Prepared::Image { values: of_input, .. } | Prepared::Audio { spectrogram: of_input, .. } => {
                    values.extend_from_slice(of_input);
                }
                Prepared::Text(_) => return Err(self.other("a text")),
            }
        }
        let shape: Vec<usize> = std::iter::once(inputs.len()).chain(shape.iter().copied()).collect();
        Ok(Tensor::from_vec(values, shape, &self.device)?)
    }
}

/// The places of the inputs of each height and width, as a batch has one size; of what is no picture all together.
fn by_size(inputs: &[&Prepared]) -> BTreeMap<[usize; 2], Vec<usize>> {
    let mut places = BTreeMap::<_, Vec<usize>>::new();
    for (place, input) in inputs.iter().enumerate() {
        let size = if let Prepared::Image { height, width, .. } = input { [*height, *width] } else { [0, 0] };
        places.entry(size).or_default().push(place);
    }
    places
}
