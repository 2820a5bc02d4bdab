//! What a model is by its own files, where no manifest says it: one reader, wherever the files lie.

use super::configuration::Configuration;
use super::files::{Files, within};
use super::manifest::{Manifest, Preprocessing};
use super::sentence::{self, Modules, Prompts, Step, Vectors};
use super::{ModelError, Remedy, preparation, text};
use crate::embedding::encoders::tokens::TextSettings;
use crate::embedding::encoders::{Architecture, Modality, Poolings};

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// What it shall read; needed where a model has towers for two.
    pub modality: Option<Modality>,
    /// Whether the user says how a vector is made of hidden states, so that nothing in the files needs to.
    pub pooling_is_chosen: bool,
}

impl Asked {
    /// Asks for a model that reads a modality.
    pub fn of(modality: Modality) -> Self {
        Self { modality: Some(modality), pooling_is_chosen: false }
    }
}

/// What a model is and how it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// As it was asked for.
    pub name: String,
    /// The kind of network.
    pub architecture: Architecture,
    /// What it reads.
    pub modality: Modality,
    /// The folder of the network's files inside the model; usually empty.
    pub folder: String,
    /// Length of the vector, where a manifest says it.
    pub embedding_width: Option<usize>,
    /// How one vector is made of what comes out; None where it is as is usual for the architecture.
    pub pooling: Option<Poolings>,
    /// What is done to the vector then; None where it is as is usual for the architecture.
    pub steps: Option<Vec<Step>>,
    /// What is put before every text.
    pub prompts: Prompts,
    /// How texts are made into tokens.
    pub text: TextSettings,
    /// How pictures and sounds are prepared; None for texts, and where it is as is usual for the architecture.
    pub preprocessing: Option<Preprocessing>,
    /// What no file said, so that the usual was taken.
    pub notes: Vec<String>,
}

impl From<&Manifest> for Description {
    fn from(manifest: &Manifest) -> Self {
        let max_tokens = match &manifest.preprocessing {
            Preprocessing::Text(text) => Some(text.max_tokens),
            Preprocessing::Image(_) | Preprocessing::Audio(_) => None,
        };
        Self {
            name: manifest.name.clone(),
            architecture: manifest.architecture,
            modality: manifest.modality,
            folder: String::new(),
            embedding_width: Some(manifest.embedding_width),
            pooling: Some(manifest.pooling.clone()),
            steps: Some(if manifest.normalize { vec![Step::Normalize] } else { Vec::new() }),
            prompts: Prompts::default(),
            text: TextSettings { max_tokens, ..TextSettings::default() },
            preprocessing: max_tokens.is_none().then(|| manifest.preprocessing.clone()),
            notes: Vec::new(),
        }
    }
}

/// Reads what the files of a model say of it, the architecture first: nothing else is had of one that is not built in.
pub(super) fn describe(name: &str, files: &mut dyn Files, asked: Asked) -> Result<Description, ModelError> {
    let modules = Modules::read(files, asked)?;
    let folder = modules.folder.clone();
    let hint = "add it, or a manifest.toml that says what the model is";
    let config = Configuration::needed(files, name, &within(&folder, "config.json"), hint)?;
    let (architecture, reads) = architecture(&config)?;
    let modality = match (reads, asked.modality) {
        ([only], None) => *only,
        (_, Some(modality)) if reads.contains(&modality) => modality,
        (_, wanted) => {
            let found = reads.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            let wanted = wanted.map_or("one of them: say which".to_owned(), |modality| modality.to_string());
            return Err(ModelError::Modality { name: name.to_owned(), found, wanted });
        }
    };
    let mut notes = Vec::new();
    let is_sentence_encoder = modality == Modality::Text && architecture.modalities().len() == 1;
    if is_sentence_encoder && !modules.are_there && !asked.pooling_is_chosen {
        sentence::refuse_parts(files, name)?;
        notes.push("no modules.json says how a vector is made: the mean over all tokens is taken".to_owned());
    }
    let Vectors { pooling, steps, leaves_prompt_out } = modules.vectors(files, name, asked)?;
    if let Some(pooling) = pooling.as_ref().filter(|_| !is_sentence_encoder) {
        return Err(ModelError::Unsupported {
            file: config.file().to_owned(),
            what: format!("the pooling {pooling} of sentence-transformers for {architecture}"),
        }
        .with(Remedy::ChoosePooling));
    }
    let (mut prompts, mut text, mut preprocessing) = (Prompts::default(), TextSettings::default(), None);
    match modality {
        Modality::Text => {
            text = text::settings(files, name, &modules, architecture, asked)?;
            prompts = Prompts { left_out: leaves_prompt_out, ..sentence::prompts(files, name, &modules)? };
            let tokenizer = within(&folder, "tokenizer.json");
            if files.get(&tokenizer)?.is_none() {
                let hint = "it says how texts are cut into tokens: add it".to_owned();
                return Err(ModelError::MissingFile { model: name.to_owned(), file: tokenizer, hint });
            }
        }
        Modality::Image => {
            let settings = preparation::of_images(files, name, &folder, architecture)?;
            preprocessing = Some(Preprocessing::Image(settings));
        }
        Modality::Audio => {
            preprocessing = preparation::of_audio(files, &folder, architecture)?.map(Preprocessing::Audio);
        }
    }
    Ok(Description {
        name: name.to_owned(),
        architecture,
        modality,
        folder,
        embedding_width: None,
        pooling,
        steps,
        prompts,
        text,
        preprocessing,
        notes,
    })
}

/// The network that a `config.json` names, and what it reads.
pub(super) fn architecture(config: &Configuration) -> Result<(Architecture, &'static [Modality]), ModelError> {
    let Some(found) = config.text("model_type")? else {
        return Err(config.wrong("model_type", "missing", "must name the architecture"));
    };
    Architecture::of_model_type(found).ok_or_else(|| ModelError::UnknownArchitecture {
        file: config.file().to_owned(),
        found: found.to_owned(),
        known: Architecture::names(),
    })
}
