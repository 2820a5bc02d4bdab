//! What a model is by its own files, where no manifest says it: one reader, wherever the files lie.

use super::configuration::Configuration;
use super::files::{Files, within};
use super::manifest::{Manifest, Preprocessing};
use super::sentence::{self, Modules, Prompts, Step, Vectors};
use super::{ModelError, Remedy, preparation, text};
use crate::embedding::encoders::tokens::TextSettings;
use crate::embedding::encoders::{Architecture, Modality, NetworkName, Poolings};

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

impl Description {
    /// The description of a model for what is asked of it: a picture model encodes videos frame by frame.
    #[must_use]
    pub(super) fn asked(mut self, asked: Asked) -> Self {
        if let (Some(Modality::Video), Some(Preprocessing::Image(of_frames))) = (asked.modality, &self.preprocessing) {
            let settings = preparation::of_videos(self.architecture, None, of_frames.clone());
            self.modality = Modality::Video;
            self.preprocessing = Some(Preprocessing::Video(settings));
        }
        self
    }
}

impl From<&Manifest> for Description {
    fn from(manifest: &Manifest) -> Self {
        let (max_tokens, lower_case) = match &manifest.preprocessing {
            Preprocessing::Text(text) => (Some(text.max_tokens), text.lower_case),
            _ => (None, false),
        };
        Self {
            name: manifest.name.clone(),
            architecture: manifest.architecture,
            modality: manifest.modality,
            folder: String::new(),
            embedding_width: Some(manifest.embedding_width),
            pooling: Some(manifest.pooling.clone()),
            steps: Some(if manifest.normalize { vec![Step::Normalize] } else { Vec::new() }),
            prompts: Prompts {
                texts: manifest.prompts.clone(),
                default: manifest.default_prompt.clone(),
                left_out: false,
            },
            text: TextSettings { max_tokens, lower_case, ..TextSettings::default() },
            preprocessing: max_tokens.is_none().then(|| manifest.preprocessing.clone()),
            notes: Vec::new(),
        }
    }
}

/// Reads what the files of a model say of it, the architecture first: nothing else is had of one that is not built in.
pub(super) fn describe(name: &str, files: &mut dyn Files, asked: Asked) -> Result<Description, ModelError> {
    let modules = Modules::read(files, asked)?;
    let folder = modules.folder.clone();
    let config = network(files, name, &folder)?;
    let (architecture, reads) = architecture(&config)?;
    let modality = match (reads, asked.modality) {
        ([only], None) => *only,
        (_, Some(modality)) if reads.contains(&modality) => modality,
        // Frame by frame.
        (_, Some(Modality::Video)) if reads.contains(&Modality::Image) => Modality::Video,
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
        notes.push(
            "no modules.json says how a vector is made: the pooling that is usual for the network is taken".to_owned(),
        );
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
        // No file of a repository says how depth is prepared, so that a manifest must.
        Modality::Depth => {}
        Modality::Image => {
            let settings = preparation::of_images(files, name, &folder, architecture)?;
            preprocessing = Some(Preprocessing::Image(settings));
        }
        Modality::Video => {
            let of_frames = preparation::of_images(files, name, &folder, architecture)?;
            let settings = preparation::of_videos(architecture, config.size("num_frames")?, of_frames);
            preprocessing = Some(Preprocessing::Video(settings));
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

/// The `config.json` of the network, which the model must have. That the model is one of `open_clip` is said where it
/// has none.
pub(super) fn network(files: &mut dyn Files, model: &str, folder: &str) -> Result<Configuration, ModelError> {
    let hint = "add it, or a manifest.toml that says what the model is";
    let found = Configuration::of(files, &within(folder, "config.json"))?;
    if found.is_none() {
        refuse_open_clip(&files.top(), model)?;
    }
    let missing = || ModelError::MissingFile {
        model: model.to_owned(),
        file: within(folder, "config.json"),
        hint: hint.to_owned(),
    };
    found.ok_or_else(missing)
}

/// Refuses a model that has files of `open_clip` and none of other libraries.
pub(super) fn refuse_open_clip(top: &[String], model: &str) -> Result<(), ModelError> {
    if top.iter().any(|name| name == OPEN_CLIP) {
        return Err(ModelError::OpenClip { file: format!("{model}: {OPEN_CLIP}") });
    }
    Ok(())
}

/// The configuration of `open_clip`.
const OPEN_CLIP: &str = "open_clip_config.json";

/// The network that a `config.json` names, and what it reads.
pub(super) fn architecture(config: &Configuration) -> Result<(Architecture, &'static [Modality]), ModelError> {
    let fields = config.fields()?;
    let name = NetworkName::of(fields).map_err(|(field, found)| {
        // Under another name it is the same file.
        if fields.contains_key("model_cfg") {
            return ModelError::OpenClip { file: config.file().to_owned() };
        }
        let found = found.map_or_else(|| "missing".to_owned(), ToString::to_string);
        config.wrong(field, &found, "must name the architecture")
    })?;
    name.network().ok_or_else(|| name.refused(config.file(), None).into())
}
