//! From what a user writes to files and a description: the name of a manifest, a directory, or `organisation/model`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::describe::{Asked, Description, architecture, describe, network, refuse_open_clip};
use super::files::{Commit, Directory, Files, place, within};
use super::named::{ModelRef, model_ref};
use super::sentence::{Modules, Step};
use super::{Manifest, Modality, ModelError, Registry, text};
use crate::embedding::hub::{Hub, HubError, Repository, Transfer, check_path};
use crate::files::{Digest, sha256};

const WEIGHTS: &str = "model.safetensors";
const SHARDS: &str = "model.safetensors.index.json";
const CONFIG: &str = "config.json";
pub(super) const MANIFEST: &str = "manifest.toml";
/// Files of the network that say how it is to be used, as far as it has them.
const DESCRIBING: [&str; 4] =
    ["processor_config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"];
/// The manifest of the network whose checkpoints have no configuration.
const UNCONFIGURED: &str = "efficientnet-lite0";

/// Where the files of a model come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A repository of the hub, at a commit.
    Hub {
        /// The repository.
        repository: Repository,
        /// The commit.
        commit: String,
    },
    /// A directory.
    Directory(PathBuf),
}

/// A model whose files are on this machine, checked as far as there is something to check them by.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What the model is.
    pub description: Description,
    /// Where it comes from.
    pub origin: Origin,
    /// Its files by their paths inside the repository.
    pub files: BTreeMap<String, PathBuf>,
}

impl Resolved {
    /// Returns a file of the network by its name, such as `config.json`.
    ///
    /// # Errors
    /// If the model has none.
    pub fn file(&self, name: &str) -> Result<&Path, ModelError> {
        let path = within(&self.description.folder, name);
        self.files.get(&path).map(PathBuf::as_path).ok_or_else(|| ModelError::MissingFile {
            model: self.description.name.clone(),
            file: path,
            hint: "list it in the manifest, or put it into the directory".to_owned(),
        })
    }

    /// Returns the SHA-256 of all files with their paths inside the repository: equal where the models are.
    ///
    /// # Errors
    /// [`ModelError::Read`] naming the file that cannot be read.
    pub fn sha256(&self) -> Result<String, ModelError> {
        let mut lines = String::new();
        for (path, file) in &self.files {
            let read = |source| ModelError::Read { file: file.display().to_string(), source };
            let digest = Digest::of_file(file).map_err(read)?;
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{} {path}", digest.sha256);
        }
        Ok(sha256(lines))
    }

    /// Lists the files of the network's weights, sorted; usually one.
    pub fn weights(&self) -> Vec<PathBuf> {
        let is_of_network = |path: &str| match path.rsplit_once('/') {
            Some((folder, _)) => folder == self.description.folder,
            None => self.description.folder.is_empty(),
        };
        let weights = self.files.iter().filter(|(path, _)| path.ends_with(".safetensors") && is_of_network(path));
        weights.map(|(_, file)| file.clone()).collect()
    }
}

/// Gets the files of a model, from the cache or the hub, and says what it is. `progress` is told of downloads.
///
/// # Errors
/// If there is no such model, its files cannot be had or are not what they should be, or nobody says what it is.
pub fn resolve(
    name: &str,
    asked: Asked,
    registry: &Registry,
    hub: &Hub,
    progress: &mut dyn FnMut(Transfer<'_>),
) -> Result<Resolved, ModelError> {
    match model_ref(name, registry)? {
        ModelRef::Manifest(manifest) => {
            // Before anything is downloaded.
            check(name, asked, manifest.modality)?;
            let Resolved { description, origin, files } = of_manifest(manifest, hub, progress)?;
            Ok(Resolved { description: description.asked(asked), origin, files })
        }
        ModelRef::Directory(directory) => of_directory(&directory, asked),
        ModelRef::Repository(repository, revision) => {
            let (commit, mut files) = commit_of(&repository, revision.as_deref(), hub, progress)?;
            let description = describe(name, &mut files, asked)?;
            get_weights(&repository.to_string(), &mut files, &description.folder, &of_hub(&repository))?;
            get_weights_of_steps(name, &mut files, &description)?;
            let files = files.found();
            Ok(Resolved { description, origin: Origin::Hub { repository, commit }, files })
        }
    }
}

/// Says what the model in a directory is: by a `manifest.toml` in it, or else by its configurations.
///
/// # Errors
/// If a file is missing or is not what it should be, or nobody says what the model is.
pub fn of_directory(directory: &Path, asked: Asked) -> Result<Resolved, ModelError> {
    let shown = directory.display().to_string();
    let name = directory.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| shown.clone());
    let origin = Origin::Directory(directory.to_owned());
    let manifest = directory.join(MANIFEST);
    if manifest.is_file() {
        let manifest = Manifest::read_unnamed(&manifest)?;
        check(&shown, asked, manifest.modality)?;
        let placed = |path: &String| (path.clone(), place(directory, path));
        let files: BTreeMap<String, PathBuf> = manifest.files.iter().map(|file| placed(&file.path)).collect();
        if let Some((path, _)) = files.iter().find(|(_, file)| !file.is_file()) {
            return Err(missing(&shown, path, "put it into the directory, or take it out of manifest.toml"));
        }
        manifest.check_files(directory)?;
        return Ok(Resolved { description: Description::from(&manifest).asked(asked), origin, files });
    }
    let mut files = Directory::new(directory);
    let top = files.top();
    let has = |name: &str| top.iter().any(|entry| entry == name);
    if !has(CONFIG) {
        refuse_open_clip(&top, &shown)?;
    }
    if !has(WEIGHTS) && !has(SHARDS) && !has("modules.json") {
        return Err(missing(&shown, WEIGHTS, IN_DIRECTORY));
    }
    let is_unconfigured = !has(CONFIG) && !has("modules.json") && asked.modality == Some(Modality::Image);
    let description = match Registry::built_in()?.get(UNCONFIGURED) {
        // Tensors of another network are refused when they are loaded.
        Some(manifest) if is_unconfigured => Description { name, ..manifest.into() },
        _ => Description { name, ..describe(&shown, &mut files, asked)? },
    };
    get_weights(&shown, &mut files, &description.folder, IN_DIRECTORY)?;
    get_weights_of_steps(&shown, &mut files, &description)?;
    Ok(Resolved { description, origin, files: files.found() })
}

const IN_DIRECTORY: &str = "put the weights into the directory, in this format";

fn of_hub(repository: &Repository) -> String {
    format!(
        "only weights of this format are read: choose a revision that has them, as in {repository}@refs/pr/1, or \
         convert them and name the directory"
    )
}

fn missing(model: &str, file: &str, hint: &str) -> ModelError {
    ModelError::MissingFile { model: model.to_owned(), file: file.to_owned(), hint: hint.to_owned() }
}

fn check(name: &str, asked: Asked, found: Modality) -> Result<(), ModelError> {
    match asked.modality {
        Some(Modality::Video) if found == Modality::Image => Ok(()),
        Some(wanted) if wanted != found => {
            Err(ModelError::Modality { name: name.to_owned(), found: found.to_string(), wanted: wanted.to_string() })
        }
        _ => Ok(()),
    }
}

/// Gets the files of a manifest.
fn of_manifest(manifest: &Manifest, hub: &Hub, progress: &mut dyn FnMut(Transfer<'_>)) -> Result<Resolved, ModelError> {
    let repository = manifest.repository()?;
    let commit = hub.commit(&repository, manifest.revision.as_deref())?;
    let mut files = BTreeMap::new();
    for file in manifest.file_requests(&repository, &commit) {
        files.insert(file.path.to_owned(), hub.file(&file, progress)?);
    }
    Ok(Resolved { description: manifest.into(), origin: Origin::Hub { repository, commit }, files })
}

/// Finds the commit and its files. Where there is no such repository, a directory may have been meant.
fn commit_of<'a>(
    repository: &'a Repository,
    revision: Option<&str>,
    hub: &'a Hub,
    progress: &'a mut dyn FnMut(Transfer<'_>),
) -> Result<(String, Commit<'a>), ModelError> {
    let no_directory = |error| match error {
        HubError::NotFound { .. } | HubError::Refused { gated: false, .. } | HubError::Unreachable { .. } => {
            ModelError::NoDirectory { name: repository.to_string(), error: Box::new(error) }
        }
        error => error.into(),
    };
    let commit = hub.commit(repository, revision).map_err(no_directory)?;
    let list = hub.list(repository, &commit).map_err(no_directory)?;
    Ok((commit.clone(), Commit::new(hub, repository, commit, list, progress)))
}

/// Gets all files of a repository that may be needed, whatever is asked of it; gives its commit too.
///
/// # Errors
/// If they cannot be had, the architecture is not built in, or there are no weights among them that can be read.
pub fn pull_repository(
    repository: &Repository,
    revision: Option<&str>,
    hub: &Hub,
    progress: &mut dyn FnMut(Transfer<'_>),
) -> Result<(String, BTreeMap<String, PathBuf>), ModelError> {
    let (commit, mut files) = commit_of(repository, revision, hub, progress)?;
    let asked = Asked { pooling_is_chosen: true, ..Asked::default() };
    let Modules { folder, .. } = Modules::read(&mut files, asked)?;
    architecture(&network(&mut files, repository.as_str(), &folder)?)?;
    for name in DESCRIBING.into_iter().chain(text::SENTENCE) {
        files.get(&within(&folder, name))?;
    }
    let is_of_modules = |path: &&String| {
        let number = path.split_once('_').map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<u8>().is_ok())
            && (path.ends_with("/config.json") || path.ends_with("_Dense/model.safetensors"))
    };
    for path in files.list().iter().filter(is_of_modules).cloned().collect::<Vec<_>>() {
        files.get(&path)?;
    }
    files.get("config_sentence_transformers.json")?;
    get_weights(repository.as_str(), &mut files, &folder, &of_hub(repository))?;
    let files = files.found();
    Ok((commit, files))
}

/// Gets the weights of the network: one file, or else those that an index names.
fn get_weights(model: &str, files: &mut dyn Files, folder: &str, hint: &str) -> Result<(), ModelError> {
    // An index beside the one file is a left-over.
    if files.get(&within(folder, WEIGHTS))?.is_some() {
        return Ok(());
    }
    let Some(index) = files.get(&within(folder, SHARDS))? else {
        return Err(missing(model, &within(folder, WEIGHTS), hint));
    };
    for shard in shards(&index)? {
        let path = within(folder, &shard);
        files.get(&path)?.ok_or_else(|| missing(model, &path, "the index of the weights names it: get it"))?;
    }
    Ok(())
}

/// Gets the weights of what is done to the vector.
fn get_weights_of_steps(model: &str, files: &mut dyn Files, description: &Description) -> Result<(), ModelError> {
    for step in description.steps.iter().flatten() {
        if let Step::Dense(dense) = step {
            let path = within(&dense.folder, WEIGHTS);
            files
                .get(&path)?
                .ok_or_else(|| missing(model, &path, "only weights of this format are read: convert them"))?;
        }
    }
    Ok(())
}

/// The files that the weights are spread over.
fn shards(index: &Path) -> Result<Vec<String>, ModelError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let file = index.display().to_string();
    let text = std::fs::read_to_string(index).map_err(|source| ModelError::Read { file: file.clone(), source })?;
    let Index { weight_map } = serde_json::from_str(&text).map_err(|source| ModelError::Json { file, source })?;
    let mut paths: Vec<String> = weight_map.into_values().collect();
    paths.sort();
    paths.dedup();
    paths.iter().try_for_each(|path| check_path(path))?;
    Ok(paths)
}
