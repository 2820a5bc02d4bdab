//! How pictures and sounds are prepared: `processor_config.json` of newer libraries, else `preprocessor_config.json`;
//! of models of the library timm `pretrained_cfg` in `config.json`.

use serde_json::Value;

use super::ModelError;
use super::configuration::Configuration;
use super::files::{Files, within};
use crate::embedding::encoders::{Architecture, NetworkName};
use crate::embedding::preprocess::PreprocessError;
use crate::embedding::preprocess::{audio, image, video};

const OLD: &str = "preprocessor_config.json";
const NEW: &str = "processor_config.json";

/// Reads how pictures are prepared.
pub(super) fn of_images(
    files: &mut dyn Files,
    model: &str,
    folder: &str,
    architecture: Architecture,
) -> Result<image::Settings, ModelError> {
    let found = find(files, folder, "image_processor")?;
    if let Some(config) = Configuration::of(files, &within(folder, "config.json"))?
        && matches!(NetworkName::of(config.fields()?), Ok(NetworkName::Timm(_)))
    {
        return of_timm(&config, found.as_ref());
    }
    let Some(config) = found else {
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
            Architecture::Siglip2 => "Siglip2ImageProcessor",
            Architecture::Dinov3 | Architecture::Dinov3ConvNext => "DINOv3ViTImageProcessor",
            Architecture::Dinov2 | Architecture::Dinov2WithRegisters => "BitImageProcessor",
            Architecture::ConvNext | Architecture::ConvNextV2 | Architecture::ResNet => "ConvNextImageProcessor",
            Architecture::VideoMae => "VideoMAEImageProcessor",
            _ => "ViTImageProcessor",
        };
        fields.insert("image_processor_type".to_owned(), usual.into());
    }
    image::Settings::from_fields(&fields).map_err(about(&config))
}

/// How timm prepares pictures. The wrapper of transformers around it repeats the fields in its own file.
fn of_timm(config: &Configuration, processor: Option<&Configuration>) -> Result<image::Settings, ModelError> {
    let of_processor = processor.and_then(|processor| processor.part("pretrained_cfg"));
    let part = of_processor.or_else(|| config.part("pretrained_cfg"));
    // Old files have the fields at the top.
    let mut fields = part.as_ref().unwrap_or(config).fields()?.clone();
    let size = config.part("model_args").and_then(|arguments| arguments.value("img_size").cloned());
    if let Some(size) = size.filter(|_| fields.get("fixed_input_size") == Some(&Value::Bool(true))) {
        let sides = if size.is_array() { size } else { vec![size.clone(), size].into() };
        let sides = sides.as_array().into_iter().flatten().cloned();
        fields.insert("input_size".to_owned(), std::iter::once(Value::from(3)).chain(sides).collect());
    }
    image::Settings::from_timm(&fields).map_err(about(config))
}

/// Frames that are read of a video where they are encoded one by one.
const FRAMES: usize = 8;

/// Which frames of a video are read: as the architecture was trained, else some to be encoded one by one.
pub(super) fn of_videos(
    architecture: Architecture,
    frames: Option<usize>,
    of_frames: image::Settings,
) -> video::Settings {
    let (clips, frames, seconds) = match architecture {
        Architecture::VideoMae => (1, frames.unwrap_or(16), None),
        Architecture::ImageBind => (5, 2, Some(2.0)),
        _ => (1, FRAMES, None),
    };
    video::Settings { clips, frames, seconds, of_frames }
}

/// Reads how sounds are prepared, where the model says it.
pub(super) fn of_audio(
    files: &mut dyn Files,
    folder: &str,
    architecture: Architecture,
) -> Result<Option<audio::Settings>, ModelError> {
    let Some(config) = find(files, folder, "feature_extractor")? else { return Ok(None) };
    let mut fields = config.fields()?.clone();
    // Without a word of it, the class of the extractor is that of the architecture.
    if fields.get("feature_extractor_type").is_none_or(Value::is_null) {
        let usual = match architecture {
            Architecture::Whisper => "WhisperFeatureExtractor",
            _ => "Wav2Vec2FeatureExtractor",
        };
        fields.insert("feature_extractor_type".to_owned(), usual.into());
    }
    audio::Settings::from_fields(&fields).map(Some).map_err(about(&config))
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
