//! The files of a model, and what its authors say of it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{EmbedError, Result};
use crate::encoders::Pooling;
use crate::preprocess::picture::Settings as PictureSettings;
use crate::preprocess::sound::Settings as SoundSettings;

/// The files of a model and how it is to be used. What is not said follows from the architecture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelSource {
    /// What the model is called.
    pub name: String,
    /// Its repository on the hub, where it has one.
    pub repository: Option<String>,
    /// The commit, where it is of the hub.
    pub revision: Option<String>,
    /// `config.json`; none for an architecture that has no such file.
    pub config: Option<PathBuf>,
    /// The weights: a `.safetensors` file, or the index of several.
    pub weights: PathBuf,
    /// `tokenizer.json`, of models of texts.
    pub tokenizer: Option<PathBuf>,
    /// The architecture, where there is no configuration.
    pub architecture: Option<String>,
    /// How one vector is made of hidden states.
    pub pooling: Option<Pooling>,
    /// Whether vectors are divided by their length.
    pub normalize: Option<bool>,
    /// Numbers of a vector, by the pooling above.
    pub width: Option<usize>,
    /// Most tokens of a text.
    pub max_tokens: Option<usize>,
    /// How pictures are prepared.
    pub picture: Option<PictureSettings>,
    /// How sounds are prepared.
    pub sound: Option<SoundSettings>,
}

/// Where weights may stand, the first that is there.
const WEIGHTS: [&str; 2] = ["model.safetensors", "model.safetensors.index.json"];

impl ModelSource {
    /// The model in a directory: `model.safetensors` (or its index), `config.json`, and where they are there
    /// `tokenizer.json`, `preprocessor_config.json`, and the files of sentence encoders (`modules.json`,
    /// `1_Pooling/config.json`, `sentence_bert_config.json`).
    ///
    /// # Errors
    /// [`EmbedError::File`] where there are no weights, or a file is not understood.
    pub fn of_directory(directory: &Path) -> Result<Self> {
        let shown = directory.display().to_string();
        let existing = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
        let weights = WEIGHTS.iter().find_map(|name| existing(name)).ok_or_else(|| EmbedError::File {
            file: shown.clone(),
            reason: format!("is no directory of a model: there is neither {} nor {}", WEIGHTS[0], WEIGHTS[1]),
        })?;
        let name =
            directory.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let mut source = Self {
            name: name.unwrap_or(shown),
            config: existing("config.json"),
            tokenizer: existing("tokenizer.json"),
            weights,
            ..Self::default()
        };
        source.read_sentence_encoder(directory)?;
        source.read_preprocessor(directory)?;
        Ok(source)
    }

    /// What the files of a sentence encoder say.
    fn read_sentence_encoder(&mut self, directory: &Path) -> Result<()> {
        if let Some(pooling) = json(&directory.join("1_Pooling/config.json"))? {
            let is = |name: &str| pooling[name].as_bool() == Some(true);
            self.pooling = [
                ("pooling_mode_mean_tokens", Pooling::Mean),
                ("pooling_mode_cls_token", Pooling::Cls),
                ("pooling_mode_lasttoken", Pooling::Last),
            ]
            .into_iter()
            .find_map(|(name, pooling)| is(name).then_some(pooling));
        }
        if let Some(modules) = json(&directory.join("modules.json"))? {
            let types = modules.as_array().into_iter().flatten().filter_map(|module| module["type"].as_str());
            self.normalize = Some(types.into_iter().any(|kind| kind.ends_with("Normalize")));
        }
        if let Some(sentence) = json(&directory.join("sentence_bert_config.json"))? {
            self.max_tokens = sentence["max_seq_length"].as_u64().and_then(|most| usize::try_from(most).ok());
        }
        Ok(())
    }

    /// What the preprocessor's configuration says of pictures or sounds.
    fn read_preprocessor(&mut self, directory: &Path) -> Result<()> {
        let path = directory.join("preprocessor_config.json");
        let Some(text) = text(&path)? else { return Ok(()) };
        let understood = |error: crate::preprocess::PreprocessError| EmbedError::File {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        let is_sound = json(&path)?.is_some_and(|config| config.get("sampling_rate").is_some());
        if is_sound {
            self.sound = Some(SoundSettings::from_config(&text).map_err(understood)?);
        } else {
            self.picture = Some(PictureSettings::from_config(&text).map_err(understood)?);
        }
        Ok(())
    }
}

/// The text of a file, if it is there.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => Ok(None),
        Err(source) => Err(EmbedError::Read { file: path.display().to_string(), source }),
    }
}

/// A file of JSON, if it is there.
fn json(path: &Path) -> Result<Option<Value>> {
    let Some(text) = text(path)? else { return Ok(None) };
    let value = serde_json::from_str(&text).map_err(|error| EmbedError::File {
        file: path.display().to_string(),
        reason: format!("is no JSON ({error}); get it again"),
    })?;
    Ok(Some(value))
}
