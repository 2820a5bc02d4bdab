//! A model of a manifest or of the hub as the embedder takes it.

use super::ModelSource;
use crate::encoders::{self, Pooling};
use crate::models::{self, AudioPreprocessing, ImagePreprocessing, ModelError, Origin, Preprocessing, Resolved};
use crate::preprocess::picture::{Filter, Resize, Settings as PictureSettings};
use crate::preprocess::sound::Settings as SoundSettings;

const SHARDS: &str = "model.safetensors.index.json";

impl ModelSource {
    /// The files of a resolved model, and what its manifest or its own configurations say.
    ///
    /// # Errors
    /// [`ModelError`] if it has no weights.
    pub fn of_resolved(model: &Resolved) -> Result<Self, ModelError> {
        let description = &model.description;
        let weights = match model.file(SHARDS) {
            Ok(index) => index,
            Err(_) => model.file("model.safetensors")?,
        };
        let optional = |path: &str| model.file(path).ok().map(std::path::Path::to_path_buf);
        let (repository, revision) = match &model.origin {
            Origin::Hub { repository, commit } => (Some(repository.to_string()), Some(commit.clone())),
            Origin::Directory(_) => (None, None),
        };
        let mut source = Self {
            name: description.name.clone(),
            repository,
            revision,
            config: optional("config.json"),
            weights: weights.to_path_buf(),
            tokenizer: optional("tokenizer.json"),
            architecture: Some(description.architecture.to_string()),
            pooling: Some(pooling(description.pooling)),
            normalize: Some(description.normalize),
            width: Some(description.embedding_width),
            ..Self::default()
        };
        match description.preprocessing {
            Preprocessing::Text(text) => source.max_tokens = Some(text.max_tokens),
            Preprocessing::Image(image) => source.picture = Some(picture(&image)),
            Preprocessing::Audio(audio) => source.sound = Some(sound(audio)),
        }
        Ok(source)
    }
}

impl From<encoders::Modality> for models::Modality {
    fn from(modality: encoders::Modality) -> Self {
        match modality {
            encoders::Modality::Text => Self::Text,
            encoders::Modality::Picture => Self::Image,
            encoders::Modality::Sound => Self::Audio,
        }
    }
}

fn pooling(pooling: models::Pooling) -> Pooling {
    match pooling {
        models::Pooling::Cls => Pooling::Cls,
        models::Pooling::Mean => Pooling::Mean,
        models::Pooling::Pooler => Pooling::Pooler,
        models::Pooling::Projection => Pooling::Projection,
    }
}

fn picture(image: &ImagePreprocessing) -> PictureSettings {
    PictureSettings {
        resize: match image.resize {
            models::Resize::ShortestEdge => Resize::ShortestEdge,
            models::Resize::Exact => Resize::Exact,
            models::Resize::Pad => Resize::Pad,
        },
        resize_to: image.resize_to as usize,
        filter: match image.filter {
            models::Filter::Bilinear => Filter::Bilinear,
            models::Filter::Bicubic => Filter::Bicubic,
            models::Filter::Lanczos => Filter::Lanczos,
        },
        size: image.size as usize,
        mean: image.mean.map(f64::from),
        std: image.std.map(f64::from),
    }
}

fn sound(audio: AudioPreprocessing) -> SoundSettings {
    let AudioPreprocessing { sample_rate, seconds, mel_bins, window, hop } = audio;
    SoundSettings { sample_rate, seconds: f64::from(seconds), mel_bins, window, hop }
}
