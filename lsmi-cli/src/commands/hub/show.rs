//! `lsmi models show`: what is known of a model, as TOML. Of a manifest that is the manifest itself, and its files in the
//! cache as comments.

use std::collections::BTreeMap;
use std::path::Path;

use lsmi_candle::embedding::hub::Hub;
use lsmi_candle::embedding::manifests::{
    Architecture, Dense, Known, KnownFile, Manifest, Modality, ModelRef, Origin, Preprocessing, Step, Use, known,
    known_in_cache, model_ref,
};
use serde::Serialize;

use super::in_cache;
use crate::arguments::ShowModel;
use crate::process::console;
use crate::process::failure::Failure;

/// A manifest.
#[derive(Debug, Serialize)]
struct OfManifest<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// The commit that is used, if one is known.
    commit: Option<String>,
    /// Files that are in the cache.
    cached: Vec<&'a str>,
    /// Their sizes.
    sizes: BTreeMap<&'a str, u64>,
}

/// A model without a manifest, or with one of its own.
#[derive(Debug, Serialize)]
struct OfFiles<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<Architecture>,
    /// Why the architecture is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    citation: &'a [String],
    uses: Vec<OfUse<'a>>,
    files: Vec<OfFile<'a>>,
}

/// How it is used for a modality. What is left out is as is usual for the architecture.
#[derive(Debug, Serialize)]
struct OfUse<'a> {
    modality: Modality,
    /// Why it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_width: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pooling: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<String>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    default_prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preprocessing: Option<OfPreprocessing<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OfPreprocessing<'a> {
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        max_tokens: Option<usize>,
        lower_case: bool,
    },
    Other(&'a Preprocessing),
}

#[derive(Debug, Serialize)]
struct OfFile<'a> {
    path: &'a str,
    bytes: u64,
}

pub(super) fn run(arguments: &ShowModel) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    let (name, as_json) = (arguments.name.as_str(), arguments.place.json);
    match model_ref(name, &registry)? {
        ModelRef::Manifest(manifest) => show_manifest(manifest, &hub, as_json),
        ModelRef::Directory(directory) => show_files(name, &known(&directory), as_json),
        ModelRef::Repository(repository, revision) => {
            let commit = in_cache(name, &repository, revision.as_deref(), &hub)?;
            show_files(name, &known_in_cache(&repository, &commit, &hub), as_json)
        }
    }
}

fn show_manifest(manifest: &Manifest, hub: &Hub, as_json: bool) -> Result<(), Failure> {
    let repository = manifest.repository()?;
    let commit = hub.known_commit(&repository, manifest.revision.as_deref())?;
    let mut sizes = BTreeMap::new();
    let mut cached = Vec::new();
    for (file, request) in
        manifest.files.iter().zip(manifest.file_requests(&repository, commit.as_deref().unwrap_or_default()))
    {
        if hub.is_cached(&request) {
            let here = hub.cached_files(request.repository, request.commit);
            cached.push(file.path.as_str());
            sizes.extend(
                here.iter().find(|(path, _)| *path == file.path).map(|(_, bytes)| (file.path.as_str(), *bytes)),
            );
        }
    }
    if as_json {
        return console::print_json(&OfManifest { manifest, commit, cached, sizes });
    }
    let text = toml::to_string_pretty(manifest).map_err(Failure::failed)?;
    let commit = commit.as_deref().unwrap_or("not known yet");
    let sized = |path: &&str| match sizes.get(path) {
        Some(bytes) => format!("{path} ({bytes} bytes)"),
        None => (*path).to_owned(),
    };
    let cached = match &cached[..] {
        [] => "nothing".to_owned(),
        cached => cached.iter().map(sized).collect::<Vec<_>>().join(", "),
    };
    console::print(&format!("{text}\n# commit: {commit}\n# in the cache: {cached}\n"))
}

fn show_files(name: &str, known: &Known, as_json: bool) -> Result<(), Failure> {
    let (repository, commit, directory) = match &known.origin {
        Origin::Hub { repository, commit } => (Some(repository.as_str()), Some(commit.as_str()), None),
        Origin::Directory(directory) => (None, None, Some(directory.as_path())),
    };
    let manifest = known.manifest.as_ref();
    let shown = OfFiles {
        name: manifest.map_or(name, |manifest| &manifest.name),
        repository: repository.or(manifest.map(|manifest| manifest.repository.as_str())),
        commit: commit.or(manifest.and_then(|manifest| manifest.revision.as_deref())),
        directory,
        architecture: known.architecture.as_ref().ok().copied(),
        unknown: known.architecture.as_ref().err().map(ToString::to_string),
        licence: manifest.map(|manifest| manifest.licence.as_str()),
        citation: manifest.map_or(&[], |manifest| &manifest.citation),
        uses: known.uses.iter().map(of_use).collect(),
        files: known.files.iter().map(|KnownFile { path, bytes }| OfFile { path, bytes: *bytes }).collect(),
    };
    if as_json {
        return console::print_json(&shown);
    }
    console::print(&toml::to_string_pretty(&shown).map_err(Failure::failed)?)
}

fn of_use((modality, described): &(Modality, Result<Use, impl std::fmt::Display>)) -> OfUse<'_> {
    let mut shown = OfUse {
        modality: *modality,
        refused: described.as_ref().err().map(ToString::to_string),
        embedding_width: None,
        pooling: None,
        steps: None,
        notes: &[],
        default_prompt: None,
        prompts: None,
        preprocessing: None,
    };
    if let Ok(Use { description, embedding_width }) = described {
        shown.embedding_width = *embedding_width;
        shown.pooling = description.pooling.as_ref().map(ToString::to_string);
        shown.steps = description.steps.as_ref().map(|steps| steps.iter().map(in_words).collect());
        shown.notes = &description.notes;
        shown.default_prompt = description.prompts.default.as_deref();
        shown.prompts = Some(&description.prompts.texts).filter(|prompts| !prompts.is_empty());
        shown.preprocessing = match (&description.preprocessing, modality) {
            (Some(other), _) => Some(OfPreprocessing::Other(other)),
            (None, Modality::Text) => Some(OfPreprocessing::Text {
                max_tokens: description.text.max_tokens,
                lower_case: description.text.lower_case,
            }),
            (None, _) => None,
        };
    }
    shown
}

fn in_words(step: &Step) -> String {
    match step {
        Step::Normalize => "normalize".to_owned(),
        Step::Dense(Dense { folder, inputs, outputs, activation, .. }) => {
            format!("{folder}: {inputs} to {outputs}, {}", format!("{activation:?}").to_lowercase())
        }
    }
}
