//! The manifests there are: those of `models/`, which are part of the program, and those of a user's folder.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use super::{Manifest, ModelError};

/// The manifests of `models/`, by their names.
const BUILT_IN: &[(&str, &str)] = {
    macro_rules! built_in {
        ($($name:literal),* $(,)?) => {
            &[$(($name, include_str!(concat!("../../../../models/", $name, ".toml")))),*]
        };
    }
    built_in![
        "albert-base-v2",
        "all-mpnet-base-v2",
        "ast-audioset",
        "bert-base-uncased",
        "bge-base-en-v1.5",
        "clap-htsat-fused-audio",
        "clap-htsat-fused-text",
        "clap-htsat-unfused-audio",
        "clap-htsat-unfused-text",
        "clip-vit-b32-image",
        "clip-vit-b32-text",
        "convnext-tiny",
        "convnextv2-tiny",
        "dinov2-small",
        "dinov2-with-registers-small",
        "dinov3-convnext-tiny",
        "dinov3-vits16",
        "distilbert-base-uncased",
        "e5-base-v2",
        "efficientnet-lite0",
        "eva02-base-patch14-224",
        "gte-base-en-v1.5",
        "gte-multilingual-base",
        "imagebind-huge-audio",
        "imagebind-huge-image",
        "imagebind-huge-text",
        "imagebind-huge-video",
        "minilm-l6-v2",
        "modernbert-base",
        "multilingual-e5-base",
        "multilingual-minilm-l12-v2",
        "nomic-embed-text-v1.5",
        "qwen3-embedding-0.6b",
        "resnet-152",
        "resnet-18",
        "resnet-50",
        "roberta-base",
        "siglip-base-image",
        "siglip-base-text",
        "siglip2-base-patch16-224-image",
        "siglip2-base-patch16-224-text",
        "siglip2-base-patch16-naflex-image",
        "snowflake-arctic-embed-m-v2",
        "swin-tiny",
        "t5-base",
        "videomae-base",
        "vit-base-in21k",
        "vit-base-patch16-224-augreg",
        "wav2vec2-base-960h",
        "whisper-large-v3",
        "whisper-large-v3-turbo",
        "whisper-tiny",
        "whisper-tiny-en",
        "xlm-roberta-base",
    ]
};

/// Manifests by their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry(BTreeMap<String, Manifest>);

impl Registry {
    /// Reads the built-in manifests.
    ///
    /// # Errors
    /// None that a release has: every manifest is read in a test.
    pub fn built_in() -> Result<Self, ModelError> {
        let read = |(name, text): &(&str, &str)| {
            Ok(((*name).to_owned(), Manifest::parse(text, &format!("models/{name}.toml"))?))
        };
        BUILT_IN.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the built-in manifests and those of the folder that the environment variable `LSMI_MODELS` names, if it does.
    ///
    /// # Errors
    /// As [`with_folder`](Self::with_folder).
    pub fn from_environment() -> Result<Self, ModelError> {
        match env::var_os("LSMI_MODELS").filter(|folder| !folder.is_empty()) {
            Some(folder) => Self::with_folder(Path::new(&folder)),
            None => Self::built_in(),
        }
    }

    /// Reads the built-in manifests and all `.toml` files of a folder; these win where a name is the same.
    ///
    /// # Errors
    /// If the folder cannot be read, or one of its manifests is wrong.
    pub fn with_folder(folder: &Path) -> Result<Self, ModelError> {
        let Self(mut manifests) = Self::built_in()?;
        let failed = |source| ModelError::Read { file: folder.display().to_string(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        // Of several that are wrong the same one is always named.
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
            let manifest = Manifest::read(path)?;
            manifests.insert(manifest.name.clone(), manifest);
        }
        Ok(Self(manifests))
    }

    /// Returns the manifest of a name.
    pub fn get(&self, name: &str) -> Option<&Manifest> {
        self.0.get(name)
    }

    /// Iterates over all manifests, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Manifest> {
        self.0.values()
    }

    /// Lists all names, for messages.
    pub fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
