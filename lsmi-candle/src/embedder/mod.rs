//! From a text, a picture file or a sound file to a vector: preprocessing, encoder, pooling.
//!
//! [`Embedder::prepare_text`] and [`Embedder::prepare_file`] make one input what the encoder takes: tokens, pixels or a
//! spectrogram.
//! [`Embedder::embed`] makes vectors of several at once. Both can be called from several threads; candle should be kept
//! from starting its own inside them (`RAYON_NUM_THREADS` and `CANDLE_NUM_THREADS` at 1).
//!
//! A vector does not depend on what else is in its batch but for the last digits: padding is masked.

mod error;
mod resolved;
mod source;

pub use error::{EmbedError, Result};
pub use source::ModelSource;

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::Serialize;

use crate::encoders::tokens::{Tokenizer, Tokens};
use crate::encoders::{Config, Modality, PictureEncoder, Pooling, SoundEncoder, TextEncoder, Weights, l2_normalise};
use crate::encoders::{picture, sound, text};
use crate::hub::Digest;
use crate::preprocess::picture::{Filter, Picture, Resize, Settings as PictureSettings};
use crate::preprocess::sound::{LogMel, Settings as SoundSettings, Sound};

/// What may be chosen otherwise than a model's authors did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// How one vector is made of hidden states.
    pub pooling: Option<Pooling>,
    /// Whether vectors are divided by their Euclidean length.
    pub normalize: Option<bool>,
    /// The precision of the computation.
    pub precision: Precision,
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
    pooling: Pooling,
    normalize: bool,
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
    /// Whether vectors are divided by their length.
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
    },
    /// A picture is resized, cut and normalised.
    Picture(PictureSettings),
    /// A sound becomes a spectrogram.
    Sound(SoundSettings),
}

enum Stages {
    Text { encoder: Box<dyn TextEncoder>, tokenizer: Box<Tokenizer> },
    Picture { encoder: Box<dyn PictureEncoder>, settings: PictureSettings },
    Sound { encoder: Box<dyn SoundEncoder>, settings: SoundSettings, log_mel: LogMel },
}

/// An input as an encoder takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// Tokens of a text.
    Text(Tokens),
    /// Pixels of a picture, `[3, size, size]`.
    Picture(Vec<f32>),
    /// A sound.
    Sound {
        /// Its spectrogram, `[bins, frames]`.
        spectrogram: Vec<f32>,
        /// Whether it was longer than the model takes.
        truncated: bool,
    },
}

impl Prepared {
    /// How much there is to encode, for batches of alike.
    pub fn length(&self) -> usize {
        match self {
            Self::Text(tokens) => tokens.ids.len(),
            Self::Picture(values) | Self::Sound { spectrogram: values, .. } => values.len(),
        }
    }

    /// Whether a text or sound was longer than its model takes.
    pub fn is_truncated(&self) -> bool {
        match self {
            Self::Text(tokens) => tokens.truncated,
            Self::Picture(_) => false,
            Self::Sound { truncated, .. } => *truncated,
        }
    }
}

/// What a model without a configuration is: the network whose repositories have none.
const UNCONFIGURED: &str = "efficientnet-lite0";
/// Seconds of a sound that are decoded beyond what the model takes, to know of longer ones.
const BEYOND: f64 = 1.0;

impl Embedder {
    /// Loads a model for a modality.
    ///
    /// # Errors
    /// [`EmbedError`] naming the file that is missing or not understood, the architecture that is not built in, or the tensor
    /// that is missing, unknown or of another shape.
    pub fn load(source: &ModelSource, modality: Modality, options: Options, device: &Device) -> Result<Self> {
        let precision = options.precision.dtype();
        let weights = Weights::read(&source.weights, precision, device)?;
        let config = configuration(source)?;
        let architecture = config.architecture()?.to_owned();
        let stages = match modality {
            Modality::Text => text_stages(source, &config, &weights)?,
            Modality::Picture => picture_stages(source, &config, &weights)?,
            Modality::Sound => sound_stages(source, &config, &weights)?,
        };
        let (intended, preprocessing) = match &stages {
            Stages::Text { encoder, tokenizer } => {
                (encoder.pooling(), Preprocessing::Text { max_tokens: tokenizer.max_tokens() })
            }
            Stages::Picture { encoder, settings } => (encoder.pooling(), Preprocessing::Picture(settings.clone())),
            Stages::Sound { encoder, settings, .. } => (encoder.pooling(), Preprocessing::Sound(settings.clone())),
        };
        let pooling = options.pooling.or(source.pooling).unwrap_or(intended);
        let width = match &stages {
            Stages::Text { encoder, .. } => encoder.width(pooling)?,
            Stages::Picture { encoder, .. } => encoder.width(pooling)?,
            Stages::Sound { encoder, .. } => encoder.width(pooling)?,
        };
        if let Some(expected) = source.width.filter(|expected| source.pooling == Some(pooling) && *expected != width) {
            return Err(EmbedError::File {
                file: source.name.clone(),
                reason: format!(
                    "makes vectors of {width} numbers, but its manifest says {expected}; correct the manifest"
                ),
            });
        }
        let normalize = options.normalize.or(source.normalize).unwrap_or(false);
        let hash = Digest::of_file(&source.weights)
            .map_err(|error| EmbedError::Read { file: source.weights.display().to_string(), source: error })?;
        let provenance = Provenance {
            model: source.name.clone(),
            repository: source.repository.clone(),
            revision: source.revision.clone(),
            weights: hash.sha256,
            architecture,
            pooling: pooling.to_string(),
            normalize,
            precision: precision.as_str().to_owned(),
            preprocessing,
        };
        Ok(Self { stages, pooling, normalize, width, device: device.clone(), provenance })
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What the vectors are of.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// A text as the encoder takes it.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where the tokenizer cannot cut it, or the model is not one of texts.
    pub fn prepare_text(&self, text: &str) -> Result<Prepared> {
        match &self.stages {
            Stages::Text { tokenizer, .. } => Ok(Prepared::Text(tokenizer.tokens(text)?)),
            _ => Err(self.other("a text")),
        }
    }

    /// The picture or sound in a file as the encoder takes it.
    ///
    /// # Errors
    /// [`EmbedError::Read`] where the file cannot be read, [`EmbedError::Preprocess`] where it is no picture or sound.
    pub fn prepare_file(&self, path: &Path) -> Result<Prepared> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| EmbedError::Read { file: name.clone(), source })?;
        self.prepare_bytes(&name, bytes)
    }

    /// The same of the bytes of such a file; `name` stands in errors.
    ///
    /// # Errors
    /// [`EmbedError::Preprocess`] where they are no picture or sound.
    pub fn prepare_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<Prepared> {
        match &self.stages {
            Stages::Picture { settings, .. } => {
                Ok(Prepared::Picture(settings.prepare(&Picture::decode(name, &bytes)?)?))
            }
            Stages::Sound { settings, log_mel, .. } => {
                let sound = Sound::decode(name, bytes, settings.seconds + BEYOND)?;
                let truncated = sound.samples().len() as f64 > settings.seconds * f64::from(sound.rate());
                Ok(Prepared::Sound { spectrogram: settings.prepare_with(log_mel, &sound)?, truncated })
            }
            Stages::Text { .. } => Err(self.other("a file")),
        }
    }

    fn other(&self, found: &str) -> EmbedError {
        let reason = format!("is a model of another modality than {found}; name one that fits");
        EmbedError::File { file: self.provenance.model.clone(), reason }
    }

    /// The vectors of inputs, `[inputs, width]` in row-major order. All must be of this embedder.
    ///
    /// # Errors
    /// [`EmbedError::Encoder`] where the device fails, [`EmbedError::NotFinite`] where a vector has no numbers.
    pub fn embed(&self, inputs: &[&Prepared]) -> Result<Vec<f32>> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let hidden = match &self.stages {
            Stages::Text { encoder, tokenizer } => {
                let tokens: Vec<&Tokens> = inputs
                    .iter()
                    .map(|input| if let Prepared::Text(tokens) = input { Ok(tokens) } else { Err(self.other("this")) })
                    .collect::<Result<_>>()?;
                let batch = tokenizer.batch(&tokens, &self.device)?;
                encoder.encode(&batch.ids, &batch.mask, batch.types.as_ref())?
            }
            Stages::Picture { encoder, settings } => {
                encoder.encode(&self.values(inputs, &[3, settings.size, settings.size])?)?
            }
            Stages::Sound { encoder, settings, .. } => {
                encoder.encode(&self.values(inputs, &[settings.mel_bins, settings.frames()])?)?
            }
        };
        let mut vectors = hidden.pool(self.pooling)?;
        if self.normalize {
            vectors = l2_normalise(&vectors)?;
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
                Prepared::Picture(of_input) | Prepared::Sound { spectrogram: of_input, .. } => {
                    values.extend_from_slice(of_input);
                }
                Prepared::Text(_) => return Err(self.other("a text")),
            }
        }
        let shape: Vec<usize> = std::iter::once(inputs.len()).chain(shape.iter().copied()).collect();
        Ok(Tensor::from_vec(values, shape, &self.device)?)
    }
}

/// The configuration, or one that names nothing but the architecture.
fn configuration(source: &ModelSource) -> Result<Config> {
    if let Some(path) = &source.config {
        return Ok(Config::read(path)?);
    }
    let architecture = source.architecture.as_deref().unwrap_or(UNCONFIGURED);
    let text = serde_json::json!({ "model_type": architecture }).to_string();
    Ok(Config::parse(&source.weights.display().to_string(), &text)?)
}

fn text_stages(source: &ModelSource, config: &Config, weights: &Weights) -> Result<Stages> {
    let encoder = text::load(config, weights)?;
    let path = source.tokenizer.as_ref().ok_or_else(|| missing(source, "tokenizer.json", Modality::Text))?;
    let tokenizer = Tokenizer::read(path, source.max_tokens.unwrap_or(encoder.max_tokens()), encoder.as_ref())?;
    Ok(Stages::Text { encoder, tokenizer: Box::new(tokenizer) })
}

fn picture_stages(source: &ModelSource, config: &Config, weights: &Weights) -> Result<Stages> {
    let encoder = picture::load(config, weights)?;
    let settings = match &source.picture {
        Some(settings) => settings.clone(),
        // Where there is no configuration either, it is that one network.
        None if source.config.is_none() => efficientnet_lite0(),
        None => return Err(missing(source, "preprocessor_config.json", Modality::Picture)),
    };
    Ok(Stages::Picture { encoder, settings })
}

fn sound_stages(source: &ModelSource, config: &Config, weights: &Weights) -> Result<Stages> {
    let encoder = sound::load(config, weights)?;
    // Whisper's, of which only the number of bins and the length differ between models.
    let whisper = || -> Result<SoundSettings> {
        let frames = 2 * config.count(&["max_source_positions"], 1500)?;
        let mel_bins = config.count(&["num_mel_bins"], 80)?;
        Ok(SoundSettings { sample_rate: 16_000, seconds: frames as f64 / 100.0, mel_bins, window: 400, hop: 160 })
    };
    let settings = source.sound.clone().map_or_else(whisper, Ok)?;
    let log_mel = LogMel::new(&settings)?;
    Ok(Stages::Sound { encoder, settings, log_mel })
}

fn efficientnet_lite0() -> PictureSettings {
    PictureSettings {
        resize: Resize::Pad,
        resize_to: 224,
        filter: Filter::Bicubic,
        size: 224,
        mean: [127.0 / 255.0; 3],
        std: [128.0 / 255.0; 3],
    }
}

fn missing(source: &ModelSource, file: &'static str, modality: Modality) -> EmbedError {
    let directory = source.weights.parent().unwrap_or(Path::new(".")).display().to_string();
    EmbedError::MissingFile { directory, file, modality }
}
