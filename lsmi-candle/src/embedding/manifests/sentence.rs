//! What sentence-transformers keeps beside a network: `modules.json` and the folders that it names, and prompts.
//!
//! A sentence encoder is a list of modules: the network, a pooling of its last hidden states, and what is then done to the
//! vector. What is not built in is refused by its name, unless the user chooses a pooling: then the vector is that pooling
//! alone, and only a normalisation at the end stays.

use std::collections::BTreeMap;

use serde_json::Value;

use super::configuration::Configuration;
use super::files::{Files, within};
use super::{Asked, ModelError, Remedy};
use crate::embedding::encoders::Activation;
use crate::embedding::encoders::{Pooling, Poolings};

const MODULES: &str = "modules.json";
const PROMPTS: &str = "config_sentence_transformers.json";

/// The modes of poolings, as a word and as the switch of older files, in the order in which such files join them.
const MODES: [(&str, &str, Pooling); 6] = [
    ("cls", "pooling_mode_cls_token", Pooling::Cls),
    ("max", "pooling_mode_max_tokens", Pooling::Max),
    ("mean", "pooling_mode_mean_tokens", Pooling::Mean),
    ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::MeanSqrt),
    ("weightedmean", "pooling_mode_weightedmean_tokens", Pooling::WeightedMean),
    ("lasttoken", "pooling_mode_lasttoken", Pooling::Last),
];

/// What is done to a vector after the pooling.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A linear layer.
    Dense(Dense),
    /// The vector is divided by its Euclidean norm.
    Normalize,
}

/// A linear layer with an activation, `a(W x + b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// The folder of its weights.
    pub folder: String,
    /// Length of the vectors that it takes.
    pub inputs: usize,
    /// Length of those that it gives.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// What is applied after it.
    pub activation: Activation,
    /// Whether what it takes is added, put through a layer of its own where the lengths differ.
    pub residual: bool,
}

/// Texts that are put before every input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompts {
    /// The texts by their names.
    pub texts: BTreeMap<String, String>,
    /// The name of the one that is put there unless another is asked for.
    pub default: Option<String>,
    /// Whether poolings leave its tokens out.
    pub left_out: bool,
}

/// The modules of a model.
#[derive(Default)]
pub(super) struct Modules {
    /// The folder of the network's files; usually empty.
    pub(super) folder: String,
    /// The rest of the list, each with its type's last word and its folder.
    rest: Vec<(String, String)>,
    file: String,
    pub(super) are_there: bool,
}

/// How vectors are made.
#[derive(Default)]
pub(super) struct Vectors {
    pub(super) pooling: Option<Poolings>,
    pub(super) steps: Option<Vec<Step>>,
    pub(super) leaves_prompt_out: bool,
}

impl Modules {
    /// Reads the list, where there is one.
    pub(super) fn read(files: &mut dyn Files, asked: Asked) -> Result<Self, ModelError> {
        let Some(list) = Configuration::of(files, MODULES)? else { return Ok(Self::default()) };
        let refused = |found: &str, expected: &str| Err(list.wrong("type", found, expected));
        let mut modules = Vec::new();
        for module in list.root().as_array().into_iter().flatten() {
            let kind = module["type"].as_str().unwrap_or_default();
            let path = module["path"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
            let known = kind.strip_prefix("sentence_transformers.").and_then(|kind| kind.rsplit('.').next());
            modules.push((known.unwrap_or(kind).to_owned(), path));
        }
        let folder = match modules.first() {
            Some((kind, path)) if kind == "Transformer" || kind == "CLIPModel" => path.clone(),
            _ if asked.pooling_is_chosen => String::new(),
            Some((kind, _)) => return refused(kind, "must be Transformer or CLIPModel: others are not built in"),
            None => return refused("missing", "must name modules"),
        };
        let rest = modules.into_iter().skip(1).collect();
        Ok(Self { folder, rest, file: list.file().to_owned(), are_there: true })
    }

    /// How vectors are made, as the modules after the network say.
    pub(super) fn vectors(&self, files: &mut dyn Files, model: &str, asked: Asked) -> Result<Vectors, ModelError> {
        if asked.pooling_is_chosen {
            let normalizes = self.rest.last().is_some_and(|(kind, _)| kind == "Normalize");
            let steps = self.are_there.then(|| if normalizes { vec![Step::Normalize] } else { Vec::new() });
            return Ok(Vectors { pooling: None, steps, leaves_prompt_out: false });
        }
        if !self.are_there {
            return Ok(Vectors::default());
        }
        let mut vectors = Vectors { steps: Some(Vec::new()), ..Vectors::default() };
        let steps = vectors.steps.get_or_insert_default();
        for (kind, path) in &self.rest {
            let refused = || {
                let what = format!("the module `{kind}` ({path}) in this place");
                ModelError::Unsupported { file: self.file.clone(), what }.with(Remedy::ChoosePooling)
            };
            let file = within(path, "config.json");
            match kind.as_str() {
                "Pooling" if vectors.pooling.is_none() && steps.is_empty() => {
                    let config = Configuration::needed(files, model, &file, "it says how a vector is made; get it")?;
                    vectors.pooling = Some(poolings(&config)?);
                    vectors.leaves_prompt_out = config.flag("include_prompt")? == Some(false);
                }
                "Normalize" => {
                    if let Some(config) = Configuration::of(files, &file)? {
                        of_vectors(&config)?;
                    }
                    steps.push(Step::Normalize);
                }
                "Dense" if vectors.pooling.is_some() => {
                    let config = Configuration::needed(files, model, &file, "it says what the module does; get it")?;
                    steps.push(Step::Dense(dense(&config, path)?));
                }
                // It does nothing but in training.
                "Dropout" => {}
                _ => return Err(refused()),
            }
        }
        Ok(vectors)
    }
}

/// Refuses to guess where files of a sentence encoder are there without the list that says how they belong together, or
/// where nobody knows whether there is one.
pub(super) fn refuse_parts(files: &dyn Files, model: &str) -> Result<(), ModelError> {
    let is_part = |name: &String| {
        let module = name.split_once('_').filter(|(number, _)| number.parse::<u8>().is_ok());
        module.is_some_and(|(_, kind)| ["Pooling", "Dense", "Normalize"].contains(&kind))
            || name == "sentence_bert_config.json"
            || name == PROMPTS
    };
    let why = match files.top().into_iter().find(is_part) {
        Some(part) => format!("{part} is part of a sentence encoder, and that file says how its vectors are made"),
        None if files.certainly_lacks(MODULES)? => return Ok(()),
        None => "that file says how vectors are made, and the repository may have it: the cache holds only what was \
                 asked for"
            .to_owned(),
    };
    Err(ModelError::MissingFile { model: model.to_owned(), file: MODULES.to_owned(), hint: why }
        .with(Remedy::AskHubOrChoosePooling))
}

/// Refuses to take the usual for what a file may say that is not among those of a sentence encoder, where nobody knows whether
/// there is one.
pub(super) fn refuse_unknown(files: &dyn Files, model: &str, name: &str) -> Result<(), ModelError> {
    if files.certainly_lacks(name)? {
        return Ok(());
    }
    Err(ModelError::MissingFile {
        model: model.to_owned(),
        file: name.to_owned(),
        hint: "the repository may have it, and says there how texts are taken".to_owned(),
    }
    .with(Remedy::AskHub))
}

/// The poolings of a `Pooling` module: a word or a list of words, or, in older files, a switch for each.
fn poolings(config: &Configuration) -> Result<Poolings, ModelError> {
    let words = MODES.map(|(word, ..)| word).join(", ");
    let wrong = |found: &str| {
        config.wrong("pooling_mode", found, &format!("must be some of {words}")).with(Remedy::ChoosePooling)
    };
    let of_word = |value: &Value| {
        let found = MODES.iter().find(|(word, ..)| value.as_str() == Some(word));
        found.map(|(_, _, pooling)| *pooling).ok_or_else(|| wrong(&value.to_string()))
    };
    if let Some(mode) = config.value("pooling_mode") {
        let several = mode.as_array().map_or_else(|| std::slice::from_ref(mode), Vec::as_slice);
        let found = several.iter().map(of_word).collect::<Result<Vec<_>, _>>()?;
        return Poolings::joined(found).ok_or_else(|| wrong(&mode.to_string()));
    }
    let fields = config.fields()?;
    let switches: Vec<&String> = fields.keys().filter(|name| name.starts_with("pooling_mode_")).collect();
    if let Some(unknown) = switches.iter().find(|name| !MODES.iter().any(|(_, switch, _)| name.as_str() == *switch)) {
        return Err(wrong(unknown));
    }
    if switches.is_empty() {
        return Err(wrong("missing"));
    }
    let mut found = Vec::new();
    for (_, switch, pooling) in MODES {
        if config.flag(switch)? == Some(true) {
            found.push(pooling);
        }
    }
    // Where all are off, it is the mean.
    Ok(Poolings::joined(found).unwrap_or(Pooling::Mean.into()))
}

/// Refuses a module that works on something else than vectors.
fn of_vectors(config: &Configuration) -> Result<(), ModelError> {
    for field in ["module_input_name", "module_output_name"] {
        if let Some(found) = config.text(field)?.filter(|name| *name != "sentence_embedding") {
            return Err(config.wrong(field, found, "must be sentence_embedding").with(Remedy::ChoosePooling));
        }
    }
    Ok(())
}

fn dense(config: &Configuration, folder: &str) -> Result<Dense, ModelError> {
    of_vectors(config)?;
    let name = config.text("activation_function")?.unwrap_or("torch.nn.modules.activation.Tanh");
    let activation = match name.strip_prefix("torch.nn.").and_then(|name| name.rsplit('.').next()) {
        Some("Identity") => Activation::Identity,
        Some("Tanh") => Activation::Tanh,
        Some("Sigmoid") => Activation::Sigmoid,
        Some("ReLU") => Activation::Relu,
        Some("GELU") => Activation::Gelu,
        Some("SiLU") => Activation::Silu,
        _ => {
            let expected = "must be one of torch.nn's Identity, Tanh, Sigmoid, ReLU, GELU and SiLU";
            return Err(config.wrong("activation_function", name, expected).with(Remedy::ChoosePooling));
        }
    };
    Ok(Dense {
        folder: folder.to_owned(),
        inputs: config.needed_size("in_features")?,
        outputs: config.needed_size("out_features")?,
        bias: config.flag("bias")?.unwrap_or(true),
        activation,
        residual: config.flag("use_residual")?.unwrap_or(false),
    })
}

/// The prompts of a model, where it has some.
pub(super) fn prompts(files: &mut dyn Files, model: &str, modules: &Modules) -> Result<Prompts, ModelError> {
    let Some(config) = Configuration::of(files, PROMPTS)? else {
        if modules.are_there {
            refuse_unknown(files, model, PROMPTS)?;
        }
        return Ok(Prompts::default());
    };
    let mut texts = BTreeMap::new();
    for (name, text) in config.value("prompts").and_then(Value::as_object).into_iter().flatten() {
        let text = match text {
            Value::Null => "",
            Value::String(text) => text,
            other => return Err(config.wrong(&format!("prompts.{name}"), &other.to_string(), "must be a string")),
        };
        texts.insert(name.clone(), text.to_owned());
    }
    let default = config.text("default_prompt_name")?.map(str::to_owned);
    // These two are known to the library, empty where the file says nothing of them.
    let is_known = |name: &String| texts.contains_key(name) || name == "query" || name == "document";
    if let Some(name) = default.as_ref().filter(|name| !is_known(name)) {
        return Err(config.wrong("default_prompt_name", name, "must be the name of one of the prompts"));
    }
    Ok(Prompts { texts, default, left_out: false })
}
