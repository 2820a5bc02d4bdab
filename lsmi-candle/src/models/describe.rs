//! What a model is by its own files, where no manifest says it: `config.json` and what lies beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::architecture::Architecture;
use super::configuration::Configuration;
use super::manifest::{AudioPreprocessing, Manifest, Modality, Pooling, Preprocessing, TextPreprocessing};
use super::{ModelError, image_processor};

/// What a model is and how it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// As it was asked for.
    pub name: String,
    /// The kind of network.
    pub architecture: Architecture,
    /// What it reads.
    pub modality: Modality,
    /// Length of the vector.
    pub embedding_width: usize,
    /// How one vector is made of what comes out.
    pub pooling: Pooling,
    /// Whether the vector is divided by its Euclidean norm.
    pub normalize: bool,
    /// What is done to the input.
    pub preprocessing: Preprocessing,
    /// What no file said, so that the usual was taken.
    pub notes: Vec<String>,
}

impl From<&Manifest> for Description {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            architecture: manifest.architecture,
            modality: manifest.modality,
            embedding_width: manifest.embedding_width,
            pooling: manifest.pooling,
            normalize: manifest.normalize,
            preprocessing: manifest.preprocessing,
            notes: Vec::new(),
        }
    }
}

/// Reads what the files of a model say of it.
pub(super) fn describe(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    modality: Option<Modality>,
) -> Result<Description, ModelError> {
    let Some(config) = Configuration::of(files, "config.json")? else {
        return Err(ModelError::MissingFile {
            model: name.to_owned(),
            file: "config.json".to_owned(),
            mend: "add it, or a manifest.toml that says what the model is".to_owned(),
        });
    };
    let architecture = architecture(&config)?;
    let modality = match (architecture.modalities(), modality) {
        ([only], None) => *only,
        (towers, Some(modality)) if towers.contains(&modality) => modality,
        (towers, _) => {
            let found = towers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            let wanted = modality.map_or("one of them: say which".to_owned(), |modality| modality.to_string());
            return Err(ModelError::Modality { name: name.to_owned(), found, wanted });
        }
    };
    let mut notes = Vec::new();
    let (pooling, normalize) = match modality {
        Modality::Text if architecture.modalities().len() == 1 => sentence_pooling(files, &mut notes)?,
        _ => usual_pooling(architecture),
    };
    let preprocessing = match modality {
        Modality::Text => Preprocessing::Text(text(&config, architecture, files)?),
        Modality::Image => match Configuration::of(files, "preprocessor_config.json")? {
            Some(processor) => Preprocessing::Image(image_processor::read(&processor)?),
            None => {
                return Err(ModelError::MissingFile {
                    model: name.to_owned(),
                    file: "preprocessor_config.json".to_owned(),
                    mend: "it says how pictures are prepared: add it, or a manifest.toml".to_owned(),
                });
            }
        },
        Modality::Audio => Preprocessing::Audio(audio(&config, files)?),
    };
    let embedding_width = width(&config, architecture, modality)?;
    Ok(Description {
        name: name.to_owned(),
        architecture,
        modality,
        embedding_width,
        pooling,
        normalize,
        preprocessing,
        notes,
    })
}

fn architecture(config: &Configuration) -> Result<Architecture, ModelError> {
    let Some(found) = config.text("model_type")? else {
        return Err(config.wrong("model_type", "missing", "must name the architecture"));
    };
    found.parse().map_err(|_| ModelError::UnknownArchitecture {
        file: config.file().to_owned(),
        found: found.to_owned(),
        known: Architecture::names(),
    })
}

fn width(config: &Configuration, architecture: Architecture, modality: Modality) -> Result<usize, ModelError> {
    // What nested configurations leave out is the class's default.
    match architecture {
        Architecture::DistilBert => config.needed_size("dim"),
        Architecture::Clip => Ok(config.size("projection_dim")?.unwrap_or(512)),
        Architecture::Siglip => {
            let tower = if modality == Modality::Text { "text_config" } else { "vision_config" };
            Ok(config.nested(tower).size("hidden_size")?.unwrap_or(768))
        }
        Architecture::ConvNext | Architecture::ResNet => {
            let last = config.value("hidden_sizes").and_then(|sizes| sizes.as_array()?.last()?.as_u64());
            let last = last.and_then(|last| usize::try_from(last).ok()).filter(|last| *last > 0);
            last.ok_or_else(|| config.wrong("hidden_sizes", "missing or empty", "must be a list of widths"))
        }
        Architecture::Whisper => config.needed_size("d_model"),
        _ => config.needed_size("hidden_size"),
    }
}

/// As the authors use these: see the manifests.
fn usual_pooling(architecture: Architecture) -> (Pooling, bool) {
    match architecture {
        Architecture::Clip => (Pooling::Projection, true),
        Architecture::Siglip => (Pooling::Pooler, true),
        Architecture::Whisper => (Pooling::Mean, false),
        Architecture::ConvNext | Architecture::ResNet | Architecture::EfficientNetLite0 => (Pooling::Pooler, false),
        _ => (Pooling::Cls, false),
    }
}

/// How sentence-transformers was told to pool, if it was.
fn sentence_pooling(files: &BTreeMap<String, PathBuf>, notes: &mut Vec<String>) -> Result<(Pooling, bool), ModelError> {
    let normalize = match Configuration::of(files, "modules.json")? {
        Some(modules) => normalizes(&modules)?,
        None => false,
    };
    let Some(pooling) = Configuration::of(files, "1_Pooling/config.json")? else {
        notes.push("no 1_Pooling/config.json says how a vector is made: the mean over all tokens is taken".to_owned());
        return Ok((Pooling::Mean, normalize));
    };
    // Newer files name the mode, older ones have a switch for each.
    let modes: Vec<&str> = if let Some(mode) = pooling.text("pooling_mode")? {
        vec![mode]
    } else {
        let object = pooling.root().as_object();
        let switches = object.into_iter().flatten().filter(|(_, value)| **value == Value::Bool(true));
        switches.filter_map(|(name, _)| name.strip_prefix("pooling_mode_")).collect()
    };
    match modes[..] {
        ["cls" | "cls_token"] => Ok((Pooling::Cls, normalize)),
        ["mean" | "mean_tokens"] => Ok((Pooling::Mean, normalize)),
        _ => Err(pooling.wrong("pooling_mode", &modes.join(", "), "must be cls or mean; others are not implemented")),
    }
}

/// Whether the list of modules ends in a normalisation; what changes vectors in other ways is refused.
fn normalizes(modules: &Configuration) -> Result<bool, ModelError> {
    let mut normalizes = false;
    for module in modules.root().as_array().into_iter().flatten() {
        let kind = module["type"].as_str().unwrap_or_default();
        match kind.rsplit('.').next().unwrap_or_default() {
            "Transformer" | "Pooling" => {}
            "Normalize" => normalizes = true,
            _ => return Err(modules.wrong("type", kind, "must be Transformer, Pooling or Normalize")),
        }
    }
    Ok(normalizes)
}

fn text(
    config: &Configuration,
    architecture: Architecture,
    files: &BTreeMap<String, PathBuf>,
) -> Result<TextPreprocessing, ModelError> {
    let positions = match architecture {
        Architecture::Clip => config.nested("text_config").size("max_position_embeddings")?.unwrap_or(77),
        Architecture::Siglip => config.nested("text_config").size("max_position_embeddings")?.unwrap_or(64),
        // Its positions start behind the padding's.
        Architecture::XlmRoberta => config.needed_size("max_position_embeddings")?.saturating_sub(2).max(1),
        _ => config.needed_size("max_position_embeddings")?,
    };
    let told = match Configuration::of(files, "sentence_bert_config.json")? {
        Some(sentence) => sentence.size("max_seq_length")?,
        None => None,
    };
    Ok(TextPreprocessing { max_tokens: told.map_or(positions, |told| told.min(positions)) })
}

fn audio(config: &Configuration, files: &BTreeMap<String, PathBuf>) -> Result<AudioPreprocessing, ModelError> {
    let processor = Configuration::of(files, "preprocessor_config.json")?;
    let given = |field: &str, usual: usize| match &processor {
        Some(processor) => Ok(processor.size(field)?.unwrap_or(usual)),
        None => Ok::<_, ModelError>(usual),
    };
    // All released Whisper models were trained with these.
    let (rate, seconds) = (given("sampling_rate", 16_000)?, given("chunk_length", 30)?);
    let small = |field: &str, value: usize| {
        let value = u16::try_from(value).ok();
        value.ok_or_else(|| config.wrong(field, "too large", "must be below 65,536"))
    };
    Ok(AudioPreprocessing {
        sample_rate: u32::from(small("sampling_rate", rate)?),
        seconds: f32::from(small("chunk_length", seconds)?),
        mel_bins: config.size("num_mel_bins")?.unwrap_or(80),
        window: given("n_fft", 400)?,
        hop: given("hop_length", 160)?,
    })
}
