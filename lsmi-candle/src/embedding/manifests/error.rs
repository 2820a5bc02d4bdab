//! Why a manifest or a model's own description cannot be used, and what to do.

use std::fmt;

use thiserror::Error;

use crate::embedding::encoders::EncoderError;
use crate::embedding::hub::HubError;

/// Why a model cannot be found or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No manifest, directory or repository has this name.
    #[error("there is no model `{name}`: {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is instead.
        hint: String,
    },

    /// A file cannot be read.
    #[error("{file}: cannot be read; check that it is there, and its permissions")]
    Read {
        /// The file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A manifest is not TOML of the right form.
    #[error("{file}: not a manifest of an encoder: {reason}")]
    Parse {
        /// The manifest.
        file: String,
        /// What is wrong, with the line.
        reason: String,
    },

    /// A field of a manifest or a configuration cannot be used.
    #[error("{file}: `{field}` is {found}, but {expected}")]
    Field {
        /// The file.
        file: String,
        /// The field.
        field: String,
        /// What was found.
        found: String,
        /// What is needed.
        expected: String,
    },

    /// A configuration of the model is no JSON.
    #[error("{file}: not valid JSON; get the file again")]
    Json {
        /// The file.
        file: String,
        /// What is wrong.
        source: serde_json::Error,
    },

    /// The architecture is none that there is code for.
    #[error(transparent)]
    Architecture(#[from] EncoderError),

    /// A model as `open_clip` has it.
    #[error(
        "{file}: models of open_clip are not read; take the same as transformers or timm have it, such as \
         openai/clip-vit-base-patch32, laion/CLIP-ViT-B-32-laion2B-s34B-b79K or, of the pictures' tower alone, \
         timm/vit_base_patch16_clip_224.openai"
    )]
    OpenClip {
        /// The file that says so.
        file: String,
    },

    /// What a model asks for that is not built in.
    #[error("{file}: {what} is not built in")]
    Unsupported {
        /// The file that asks for it.
        file: String,
        /// What it is.
        what: String,
    },

    /// How inputs are prepared is not understood, or not built in.
    #[error("{file}: {reason}")]
    Preparation {
        /// The file that says it.
        file: String,
        /// What is wrong.
        reason: String,
    },

    /// The model reads something else.
    #[error("{name}: embeds {found}, but is to embed {wanted}; choose another model")]
    Modality {
        /// The model.
        name: String,
        /// What it reads.
        found: String,
        /// What is to be read.
        wanted: String,
    },

    /// A file that the model needs is not among its files.
    #[error("{model}: there is no {file}; {hint}")]
    MissingFile {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// What to do.
        hint: String,
    },

    /// An error that a caller can do something about.
    #[error("{error}; {remedy}")]
    Remediable {
        /// What is wrong.
        error: Box<ModelError>,
        /// What to do.
        remedy: Remedy,
    },

    /// A name that may have been meant for a directory, which there is none of, and the hub does not know either.
    #[error("{error}; nor is there a directory {name} here")]
    NoDirectory {
        /// The name.
        name: String,
        /// What the hub says.
        error: Box<HubError>,
    },

    /// What the hub, the cache or the lock say.
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl ModelError {
    pub(super) fn with(self, remedy: Remedy) -> Self {
        Self::Remediable { error: Box::new(self), remedy }
    }
}

/// What a caller can do about a model that cannot be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// To [choose a pooling](super::Asked::pooling_is_chosen): then nothing else of the model's own modules is needed.
    ChoosePooling,
    /// To let the hub be asked for the file.
    AskHub,
    /// Either of the two.
    AskHubOrChoosePooling,
}

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::ChoosePooling => "choose a pooling of your own, or another model",
            Self::AskHub => "let the hub be asked for it once",
            Self::AskHubOrChoosePooling => "let the hub be asked for it once, or choose a pooling of your own",
        })
    }
}
