//! How texts are made into tokens, beyond what `tokenizer.json` says: the greatest length, and lower-casing.

use super::configuration::Configuration;
use super::files::{Files, within};
use super::sentence::{Modules, refuse_unknown};
use super::{Asked, ModelError, Remedy};
use crate::embedding::encoders::Architecture;
use crate::embedding::encoders::tokens::{BertCasing, TextSettings};

/// The settings of the network of a sentence encoder, under the names of several years.
pub(super) const SENTENCE: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// Classes of tokenizers that take their lower-casing from `tokenizer_config.json`, whatever `tokenizer.json` says.
const BERT_TOKENIZERS: [&str; 3] = ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"];

/// Reads the settings in the folder of the network. Positions limit the length too, which the network knows itself.
pub(super) fn settings(
    files: &mut dyn Files,
    model: &str,
    modules: &Modules,
    architecture: Architecture,
    asked: Asked,
) -> Result<TextSettings, ModelError> {
    let folder = modules.folder.as_str();
    let mut settings = TextSettings::default();
    let mut is_told = false;
    for name in SENTENCE {
        let Some(config) = Configuration::of(files, &within(folder, name))? else { continue };
        is_told = true;
        settings.cut_at(config.limit("max_seq_length")?);
        settings.lower_case = config.flag("do_lower_case")?.unwrap_or(false);
        if !asked.pooling_is_chosen {
            usual_states(&config)?;
        }
        break;
    }
    if modules.are_there && !is_told {
        refuse_unknown(files, model, &within(folder, SENTENCE[0]))?;
    }
    if let Some(config) = Configuration::of(files, &within(folder, "tokenizer_config.json"))? {
        settings.cut_at(config.limit("model_max_length")?);
        if let Some(side) = config.text("truncation_side")?.filter(|side| *side != "right") {
            return Err(config.wrong("truncation_side", side, "must be right: texts are cut at their end"));
        }
        settings.bert = bert_casing(&config, architecture)?;
        settings.lower_case |= is_of_siglip_2(&config, architecture)?;
    }
    Ok(settings)
}

/// Refuses settings by which the network gives something else than its last hidden states.
fn usual_states(config: &Configuration) -> Result<(), ModelError> {
    let expect = |config: &Configuration, field: &str, expected: &str| match config.text(field)? {
        Some(found) if found != expected => {
            Err(config.wrong(field, found, &format!("must be {expected}")).with(Remedy::ChoosePooling))
        }
        _ => Ok(()),
    };
    expect(config, "transformer_task", "feature-extraction")?;
    expect(config, "module_output_name", "token_embeddings")?;
    if let Some(text) = config.part("modality_config").and_then(|modalities| modalities.part("text")) {
        expect(&text, "method", "forward")?;
        expect(&text, "method_output_name", "last_hidden_state")?;
    }
    for field in ["query_expansion", "query_length", "document_length"] {
        if let Some(found) = config.value(field) {
            return Err(config.wrong(field, &found.to_string(), "must be missing: it is not built in"));
        }
    }
    match config.value("processing_kwargs") {
        Some(found) if found.as_object().is_none_or(|fields| !fields.is_empty()) => {
            Err(config.wrong("processing_kwargs", &found.to_string(), "must be empty: others are not built in"))
        }
        _ => Ok(()),
    }
}

/// Whether a tokenizer is the one that SigLIP 2 has from Gemma, which minds letters: the model was trained on
/// lower-case texts, whether `do_lower_case` is there to say it or not.
fn is_of_siglip_2(config: &Configuration, architecture: Architecture) -> Result<bool, ModelError> {
    let class = config.text("tokenizer_class")?.unwrap_or_default();
    let has_it = class.starts_with("Gemma") || class.starts_with("Siglip2");
    let is_of_siglip = matches!(architecture, Architecture::Siglip | Architecture::Siglip2);
    Ok(is_of_siglip && (has_it || (architecture == Architecture::Siglip2 && class.is_empty())))
}

/// What the configuration of a tokenizer of BERT's kind says of letters, as both kinds of its library read it.
fn bert_casing(config: &Configuration, architecture: Architecture) -> Result<Option<BertCasing>, ModelError> {
    let lower_case = config.flag("do_lower_case")?;
    let is_of_bert = match config.text("tokenizer_class")? {
        Some(class) => BERT_TOKENIZERS.contains(&class.trim_end_matches("Fast")),
        None => lower_case.is_some() && matches!(architecture, Architecture::Bert | Architecture::DistilBert),
    };
    Ok(if is_of_bert {
        Some(BertCasing {
            lower_case: lower_case.unwrap_or(true),
            strip_accents: config.flag("strip_accents")?,
            chinese_apart: config.flag("tokenize_chinese_chars")?.unwrap_or(true),
        })
    } else {
        None
    })
}
