//! How pictures and sounds are prepared: `processor_config.json` of newer libraries, else `preprocessor_config.json`.

use super::ModelError;
use super::configuration::Configuration;
use super::files::{Files, within};
use crate::embedding::encoders::Architecture;
use crate::embedding::preprocess::PreprocessError;
use crate::embedding::preprocess::{audio, image};

const OLD: &str = "preprocessor_config.json";
const NEW: &str = "processor_config.json";

/// Reads how pictures are prepared.
pub(super) fn of_images(
    files: &mut dyn Files,
    model: &str,
    folder: &str,
    architecture: Architecture,
) -> Result<image::Settings, ModelError> {
    let Some(config) = find(files, folder, "image_processor")? else {
        return Err(ModelError::MissingFile {
            model: model.to_owned(),
            file: within(folder, OLD),
            hint: "it says how pictures are prepared: add it, or a manifest.toml".to_owned(),
        });
    };
    let mut fields = config.fields()?.clone();
    // Without a word of it, the class of the processor is that of the architecture.
    if !["image_processor_type", "feature_extractor_type"].iter().any(|field| fields.contains_key(*field)) {
        let usual = match architecture {
            Architecture::Clip => "CLIPImageProcessor",
            Architecture::Siglip => "SiglipImageProcessor",
            Architecture::Dinov2 => "BitImageProcessor",
            Architecture::ConvNext | Architecture::ConvNextV2 | Architecture::ResNet => "ConvNextImageProcessor",
            _ => "ViTImageProcessor",
        };
        fields.insert("image_processor_type".to_owned(), usual.into());
    }
    image::Settings::from_fields(&fields).map_err(about(&config))
}

/// Reads how sounds are prepared, where the model says it.
pub(super) fn of_audio(files: &mut dyn Files, folder: &str) -> Result<Option<audio::Settings>, ModelError> {
    let Some(config) = find(files, folder, "feature_extractor")? else { return Ok(None) };
    audio::Settings::from_fields(config.fields()?).map(Some).map_err(about(&config))
}

/// The part of the newer file, else the older file.
fn find(files: &mut dyn Files, folder: &str, part: &str) -> Result<Option<Configuration>, ModelError> {
    let new = Configuration::of(files, &within(folder, NEW))?.and_then(|config| config.part(part));
    match new {
        Some(part) => Ok(Some(part)),
        None => Configuration::of(files, &within(folder, OLD)),
    }
}

fn about(config: &Configuration) -> impl FnOnce(PreprocessError) -> ModelError {
    let file = config.file().to_owned();
    move |error| ModelError::Preparation { file, reason: error.to_string() }
}
