//! From a text, or the file of a picture, a sound or a video, to a vector: preprocessing, encoder, pooling.
//!
//! [`Embedder::prepare_text`] and [`Embedder::prepare_file`] make one input what the encoder takes: tokens, pixels, or
//! the samples or spectrograms of windows of a sound; [`Embedder::prepare_clip`] the frames of a video.
//! [`Embedder::embed`] makes vectors of several at once. Both can be called from several threads; candle should be kept
//! from starting its own inside them (`RAYON_NUM_THREADS` and `CANDLE_NUM_THREADS` at 1).
//!
//! A vector does not depend on what else is in its batch but for the last digits: padding is masked.

mod error;
mod load;
mod parts;
mod trainable;

pub use error::{EmbedError, Result};
pub use trainable::{Trainable, TrainedTail};

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, DeviceLocation, Tensor};
use serde::Serialize;

use crate::embedding::encoders::layers::Linear;
use crate::embedding::encoders::tokens::{Tokenizer, Tokens};
use crate::embedding::encoders::{
    Activation, AudioEncoder, Encoder, ImageEncoder, Poolings, TextEncoder, VideoEncoder, l2_normalise,
};
use crate::embedding::manifests::{Origin, Resolved};
use crate::embedding::preprocess::PreprocessError;
use crate::embedding::preprocess::audio::{Audio, Form, Preparation, Settings as AudioSettings, Window, Windows};
use crate::embedding::preprocess::image::{DepthSettings, Image, Pixels, Settings as ImageSettings};
use crate::embedding::preprocess::video::{Clip, Settings as VideoSettings};

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
    /// What is read of a sound that is longer than the model takes.
    pub windows: Windows,
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
    /// A picture of depth is resized, cut and normalised.
    Depth(DepthSettings),
    /// Some frames of a video are prepared as pictures.
    Video(VideoSettings),
    /// A sound is resampled, cut into windows, and made into what the model reads.
    Audio {
        /// How.
        #[serde(flatten)]
        settings: AudioSettings,
        /// Whether the vector leaves out the padding behind the sound.
        padding_left_out: bool,
        /// What is read of a sound that is longer than a window.
        windows: Windows,
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
    Depth {
        encoder: Box<dyn ImageEncoder>,
        settings: DepthSettings,
    },
    Video {
        encoder: FrameEncoder,
        settings: VideoSettings,
    },
    Audio {
        encoder: Box<dyn AudioEncoder>,
        preparation: Box<Preparation>,
        windows: Windows,
    },
}

/// What encodes the frames of videos.
enum FrameEncoder {
    /// Some at a time.
    Clips(Box<dyn VideoEncoder>),
    /// Each by itself.
    Pictures(Box<dyn ImageEncoder>),
}

impl Stages {
    fn encoder(&self) -> &dyn Encoder {
        match self {
            Self::Text { encoder, .. } => encoder.as_ref(),
            Self::Image { encoder, .. }
            | Self::Depth { encoder, .. }
            | Self::Video { encoder: FrameEncoder::Pictures(encoder), .. } => encoder.as_ref(),
            Self::Video { encoder: FrameEncoder::Clips(encoder), .. } => encoder.as_ref(),
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
    /// What else is embedded: the pixels of a picture, the windows of a sound, the clips or frames of a video. The vector of an
    /// input is the mean of those of its parts.
    Parts {
        /// At least one.
        parts: Vec<Part>,
        /// Whether the input was longer than what is read of it.
        truncated: bool,
    },
}

/// A part of an input that is encoded by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The numbers, in row-major order.
    pub values: Vec<f32>,
    /// Their shape.
    pub shape: Vec<usize>,
    /// Of a sound: the frames (of waveforms: samples) that are of it rather than of padding.
    pub frames: usize,
    /// What its vector counts among those of the other parts.
    pub weight: f32,
}

impl Prepared {
    /// Returns how much there is to encode, for batches of inputs of equal length.
    pub fn length(&self) -> usize {
        match self {
            Self::Text(tokens) => tokens.ids.len(),
            Self::Parts { parts, .. } => parts.iter().map(|part| part.values.len()).sum(),
        }
    }

    /// Its parts; none of a text.
    fn parts(&self) -> &[Part] {
        match self {
            Self::Text(_) => &[],
            Self::Parts { parts, .. } => parts,
        }
    }

    /// Whether it was longer than what is read of it.
    pub fn is_truncated(&self) -> bool {
        match self {
            Self::Text(tokens) => tokens.truncated,
            Self::Parts { truncated, .. } => *truncated,
        }
    }
}

impl From<Pixels> for Part {
    fn from(Pixels { values, height, width }: Pixels) -> Self {
        let channels = values.len() / (height * width).max(1);
        Self { values, shape: vec![channels, height, width], frames: 0, weight: 1.0 }
    }
}

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
            load::steps(model, options, &poolings, pooled, device, None)?.into_iter().unzip();
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

    /// Prepares the picture or sound in a file, or the video in a file or a folder of pictures, for the encoder.
    ///
    /// # Errors
    /// [`EmbedError::Read`] where the file cannot be read, [`EmbedError::Preprocess`] where it is no picture, sound or video.
    pub fn prepare_file(&self, path: &Path) -> Result<Prepared> {
        if matches!(self.stages, Stages::Video { .. }) {
            return self.prepare_clip(&mut Clip::open(path)?);
        }
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| EmbedError::Read { file: name.clone(), source })?;
        self.prepare_bytes(&name, bytes)
    }

    /// Prepares the bytes of such a file for the encoder; `name` stands in errors.
    ///
    /// # Errors
    /// [`EmbedError::Preprocess`] where they are no picture, sound or video.
    pub fn prepare_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<Prepared> {
        match &self.stages {
            Stages::Image { settings, .. } => {
                let part = Part::from(settings.prepare(&Image::decode(name, &bytes)?)?);
                Ok(Prepared::Parts { parts: vec![part], truncated: false })
            }
            Stages::Audio { encoder, preparation, windows: rule } => {
                let seconds = preparation.settings().seconds();
                let audio = Audio::decode(name, bytes, rule.decoded(seconds))?;
                let truncated = rule.cuts_off(&audio, seconds);
                let mut windows = preparation.windows(&audio, *rule)?;
                let found = windows.iter().map(|window| window.frames).max().unwrap_or(0);
                let least = encoder.least_frames();
                windows.retain(|window| window.frames >= least);
                if windows.is_empty() {
                    return Err(PreprocessError::TooFewFrames { name: name.to_owned(), found, least }.into());
                }
                let form = preparation.form();
                let part = |Window { values, frames, weight }: Window| {
                    let shape = match &form {
                        Form::Fixed(shape) => shape.clone(),
                        Form::Free => vec![values.len()],
                    };
                    Part { values, shape, frames, weight }
                };
                Ok(Prepared::Parts { parts: windows.into_iter().map(part).collect(), truncated })
            }
            Stages::Depth { settings, .. } => {
                let part = Part::from(settings.prepare(name, &bytes)?);
                Ok(Prepared::Parts { parts: vec![part], truncated: false })
            }
            Stages::Video { .. } => self.prepare_clip(&mut Clip::from_bytes(name, bytes)?),
            Stages::Text { .. } => Err(self.other("a file")),
        }
    }

    /// Prepares a video for the encoder: those of its frames that are read.
    ///
    /// # Errors
    /// [`EmbedError::Preprocess`] naming the frame that cannot be decoded.
    pub fn prepare_clip(&self, video: &mut Clip) -> Result<Prepared> {
        match &self.stages {
            Stages::Video { encoder, settings } => {
                let clips = settings.prepare(video)?;
                let parts = match encoder {
                    FrameEncoder::Pictures(_) => clips.into_iter().flatten().map(Part::from).collect(),
                    FrameEncoder::Clips(_) => clips.into_iter().map(clip).collect(),
                };
                Ok(Prepared::Parts { parts, truncated: false })
            }
            _ => Err(self.other("a video")),
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
        // No more parts at a time than inputs were given: these fit into memory.
        self.embed_in_parts(inputs, inputs.len())
    }

    /// Returns what an input adds to its batch: the tokens that a text is filled up to in a batch of its length, or the parts.
    pub(crate) fn size(&self, input: &Prepared) -> usize {
        match (&self.stages, input) {
            (Stages::Text { tokenizer, .. }, Prepared::Text(tokens)) => tokenizer.padded(tokens.ids.len()),
            (_, Prepared::Text(tokens)) => tokens.ids.len(),
            (_, Prepared::Parts { parts, .. }) => parts.len(),
        }
    }

    /// Does what [`embed`](Self::embed) does, with so many parts of inputs at a time.
    pub(crate) fn embed_in_parts(&self, inputs: &[&Prepared], at_a_time: usize) -> Result<Vec<f32>> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let mut vectors = self.pooled(inputs, at_a_time)?;
        for step in &self.steps {
            vectors = step.forward(&vectors)?;
        }
        let values: Vec<f32> = vectors.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(found) => Err(EmbedError::NotFinite { found: *found }),
            None => Ok(values),
        }
    }

    /// The vectors of inputs after the pooling, `[inputs, d]`.
    fn pooled(&self, inputs: &[&Prepared], at_a_time: usize) -> Result<Tensor> {
        let Stages::Text { encoder, tokenizer, leading, .. } = &self.stages else {
            return self.pooled_parts(inputs, at_a_time);
        };
        let batch = tokenizer.batch(&self.tokens(inputs)?, &self.device)?;
        let mut hidden = encoder.encode(&batch.ids, &batch.mask, batch.types.as_ref())?;
        hidden.leading = *leading;
        Ok(hidden.pool_all(&self.poolings)?)
    }

    /// The tokens of texts.
    fn tokens<'t>(&self, inputs: &[&'t Prepared]) -> Result<Vec<&'t Tokens>> {
        let of_text = |input: &&'t Prepared| match input {
            Prepared::Text(tokens) => Ok(tokens),
            Prepared::Parts { .. } => Err(self.other("this")),
        };
        inputs.iter().map(of_text).collect()
    }

    /// The same of inputs of parts: each is encoded beside others of its shape, and their vectors are averaged.
    fn pooled_parts(&self, inputs: &[&Prepared], at_a_time: usize) -> Result<Tensor> {
        let of_input = |input: &&'_ Prepared| match input {
            Prepared::Parts { parts, .. } => Ok(parts.len()),
            Prepared::Text(_) => Err(self.other("a text")),
        };
        let counts = inputs.iter().map(of_input).collect::<Result<Vec<_>>>()?;
        let parts: Vec<&Part> = inputs.iter().flat_map(|input| input.parts()).collect();
        let mut by_shape = BTreeMap::<&[usize], Vec<usize>>::new();
        for (place, part) in parts.iter().enumerate() {
            by_shape.entry(&part.shape).or_default().push(place);
        }
        let (mut vectors, mut order) = (Vec::new(), Vec::with_capacity(parts.len()));
        for places in by_shape.values() {
            for places in places.chunks(at_a_time.max(1)) {
                let some: Vec<&Part> = places.iter().map(|place| parts[*place]).collect();
                vectors.push(self.encode(&some)?);
                order.extend_from_slice(places);
            }
        }
        let vectors = parts::in_order(&vectors, &order)?;
        // Where vectors are directions, all parts count alike.
        let has_several = counts.iter().any(|count| *count > 1);
        let vectors = if has_several && matches!(self.steps[..], [Applied::Normalize]) && !self.is_sound_in_windows() {
            l2_normalise(&vectors)?
        } else {
            vectors
        };
        let mut weights = parts.iter().map(|part| part.weight);
        let weights: Vec<Vec<f32>> = counts.iter().map(|count| weights.by_ref().take(*count).collect()).collect();
        parts::averaged(&vectors, &weights)
    }

    /// Whether the parts of an input are windows of a sound, whose vectors count by their lengths and not as directions.
    fn is_sound_in_windows(&self) -> bool {
        match &self.stages {
            Stages::Audio { preparation, .. } => !matches!(preparation.settings(), AudioSettings::Clips(_)),
            _ => false,
        }
    }

    /// The vectors of parts of one shape after the pooling, `[parts, d]`.
    fn encode(&self, parts: &[&Part]) -> Result<Tensor> {
        let mut shape = vec![parts.len()];
        shape.extend(parts.iter().take(1).flat_map(|part| &part.shape));
        let mut values = Vec::with_capacity(shape.iter().product());
        for part in parts {
            values.extend_from_slice(&part.values);
        }
        let values = Tensor::from_vec(values, shape, &self.device)?;
        let hidden = match &self.stages {
            Stages::Image { encoder, .. }
            | Stages::Depth { encoder, .. }
            | Stages::Video { encoder: FrameEncoder::Pictures(encoder), .. } => encoder.encode(&values)?,
            Stages::Video { encoder: FrameEncoder::Clips(encoder), .. } => encoder.encode(&values)?,
            Stages::Audio { encoder, .. } => {
                let frames: Vec<usize> = parts.iter().map(|part| part.frames).collect();
                encoder.encode(&values, Some(&frames))?
            }
            Stages::Text { .. } => return Err(self.other("this")),
        };
        Ok(hidden.pool_all(&self.poolings)?)
    }
}

/// The frames of a clip, at least one, as one part `[frames, 3, height, width]`; all were cut to one size.
fn clip(frames: Vec<Pixels>) -> Part {
    let (count, height, width) = (frames.len(), frames[0].height, frames[0].width);
    let values = frames.into_iter().flat_map(|frame| frame.values).collect();
    Part { values, shape: vec![count, 3, height, width], frames: 0, weight: 1.0 }
}
