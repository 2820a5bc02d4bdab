//! From what a user writes to files and a description: the name of a manifest, a directory, or `organisation/model`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::describe::{Description, describe};
use super::{Manifest, Modality, ModelError, Registry};
use crate::hub::{Hub, Repository, Transfer, Wanted, check_path};

const WEIGHTS: &str = "model.safetensors";
const SHARDS: &str = "model.safetensors.index.json";
/// Files that say how a model is to be used, as far as it has them.
const DESCRIBING: [&str; 9] = [
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    SHARDS,
];
const MANIFEST: &str = "manifest.toml";

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
    /// A file by its path inside the repository, such as `config.json`.
    ///
    /// # Errors
    /// If the model has none.
    pub fn file(&self, path: &str) -> Result<&Path, ModelError> {
        self.files.get(path).map(PathBuf::as_path).ok_or_else(|| ModelError::MissingFile {
            model: self.description.name.clone(),
            file: path.to_owned(),
            mend: "list it in the manifest, or put it into the directory".to_owned(),
        })
    }

    /// The files of the weights, sorted; usually one.
    pub fn weights(&self) -> Vec<&Path> {
        let weights = self.files.iter().filter(|(path, _)| path.ends_with(".safetensors"));
        weights.map(|(_, file)| file.as_path()).collect()
    }
}

/// What a user may mean by a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant<'a> {
    /// A manifest.
    Manifest(&'a Manifest),
    /// A directory with a model.
    Directory(PathBuf),
    /// `organisation/model` or `organisation/model@revision`.
    Repository(Repository, Option<String>),
}

/// What a user means: a manifest of this name, else a directory there is, else a repository.
///
/// # Errors
/// If it is none of these.
pub fn meant<'a>(name: &str, registry: &'a Registry) -> Result<Meant<'a>, ModelError> {
    if let Some(manifest) = registry.get(name) {
        return Ok(Meant::Manifest(manifest));
    }
    if Path::new(name).is_dir() {
        return Ok(Meant::Directory(name.into()));
    }
    if name.starts_with(['.', '/']) {
        return Err(ModelError::Unknown {
            name: name.to_owned(),
            hint: "there is no such directory; check the path".into(),
        });
    }
    let (repository, revision) = match name.split_once('@') {
        Some((repository, revision)) => (repository, Some(revision.to_owned())),
        None => (name, None),
    };
    let hint = || format!("name one of {}; or a directory, or organisation/model of the hub", registry.names());
    match repository.parse() {
        Ok(repository) => Ok(Meant::Repository(repository, revision)),
        Err(_) => Err(ModelError::Unknown { name: name.to_owned(), hint: hint() }),
    }
}

/// Gets the files of a model, from the cache or the hub, and says what it is.
///
/// `modality` is what it shall read; it must be given where a model has towers for two. `progress` is told of downloads.
///
/// # Errors
/// If there is no such model, its files cannot be had or are not what they should be, or nobody says what it is.
pub fn resolve(
    name: &str,
    modality: Option<Modality>,
    registry: &Registry,
    hub: &Hub,
    progress: &mut dyn FnMut(Transfer<'_>),
) -> Result<Resolved, ModelError> {
    let check = |found: Modality| match modality {
        Some(wanted) if wanted != found => {
            Err(ModelError::Modality { name: name.to_owned(), found: found.to_string(), wanted: wanted.to_string() })
        }
        _ => Ok(()),
    };
    let resolved = match meant(name, registry)? {
        Meant::Manifest(manifest) => {
            // Before anything is downloaded.
            check(manifest.modality)?;
            of_manifest(manifest, hub, progress)?
        }
        Meant::Directory(directory) => of_directory(name, &directory, modality)?,
        Meant::Repository(repository, revision) => {
            let (commit, files) = pull_repository(&repository, revision.as_deref(), hub, progress)?;
            let description = describe(name, &files, modality)?;
            Resolved { description, origin: Origin::Hub { repository, commit }, files }
        }
    };
    check(resolved.description.modality)?;
    Ok(resolved)
}

/// Gets the files of a manifest.
fn of_manifest(manifest: &Manifest, hub: &Hub, progress: &mut dyn FnMut(Transfer<'_>)) -> Result<Resolved, ModelError> {
    let repository = manifest.repository()?;
    let commit = hub.commit(&repository, manifest.revision.as_deref())?;
    let mut files = BTreeMap::new();
    for file in manifest.wanted(&repository, &commit) {
        files.insert(file.path.to_owned(), hub.file(&file, progress)?);
    }
    Ok(Resolved { description: manifest.into(), origin: Origin::Hub { repository, commit }, files })
}

/// Gets the files of a repository that no manifest describes; gives its commit too.
///
/// # Errors
/// If they cannot be had, or there are no weights among them that can be read.
pub fn pull_repository(
    repository: &Repository,
    revision: Option<&str>,
    hub: &Hub,
    progress: &mut dyn FnMut(Transfer<'_>),
) -> Result<(String, BTreeMap<String, PathBuf>), ModelError> {
    let commit = hub.commit(repository, revision)?;
    let list = hub.list(repository, &commit)?;
    let mut files = BTreeMap::new();
    let mut get = |path: &str, files: &mut BTreeMap<String, PathBuf>| -> Result<(), ModelError> {
        files.insert(path.to_owned(), hub.file(&Wanted::new(repository, &commit, path), progress)?);
        Ok(())
    };
    let has = |path: &str| list.iter().any(|listed| listed == path);
    // Without the configuration it could only turn out later that the weights are of no use.
    for path in DESCRIBING.into_iter().filter(|path| *path == "config.json" || has(path)) {
        get(path, &mut files)?;
    }
    let weights = match files.get(SHARDS) {
        _ if has(WEIGHTS) => vec![WEIGHTS.to_owned()],
        Some(index) => shards(index)?,
        None => {
            return Err(ModelError::MissingFile {
                model: repository.to_string(),
                file: WEIGHTS.to_owned(),
                mend: format!(
                    "only weights of this format are read: choose a revision that has them, as in \
                     {repository}@refs/pr/1, or convert them and name the directory"
                ),
            });
        }
    };
    for path in weights {
        get(&path, &mut files)?;
    }
    Ok((commit, files))
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

/// The files of a directory, described by a `manifest.toml` in it, or else by its configurations.
fn of_directory(name: &str, directory: &Path, modality: Option<Modality>) -> Result<Resolved, ModelError> {
    let place =
        |path: &str| (path.to_owned(), path.split('/').fold(directory.to_owned(), |place, part| place.join(part)));
    let missing = |file: &str, mend: &str| ModelError::MissingFile {
        model: name.to_owned(),
        file: file.to_owned(),
        mend: mend.to_owned(),
    };
    let origin = Origin::Directory(directory.to_owned());
    let manifest = directory.join(MANIFEST);
    if manifest.is_file() {
        let manifest = Manifest::read_unnamed(&manifest)?;
        let files: BTreeMap<String, PathBuf> = manifest.files.iter().map(|file| place(&file.path)).collect();
        if let Some((path, _)) = files.iter().find(|(_, file)| !file.is_file()) {
            return Err(missing(path, "put it into the directory, or take it out of manifest.toml"));
        }
        manifest.check_files(directory)?;
        return Ok(Resolved { description: (&manifest).into(), origin, files });
    }
    let mut files: BTreeMap<String, PathBuf> =
        DESCRIBING.into_iter().map(place).filter(|(_, file)| file.is_file()).collect();
    let weights = match files.get(SHARDS) {
        _ if directory.join(WEIGHTS).is_file() => vec![WEIGHTS.to_owned()],
        Some(index) => shards(index)?,
        None => return Err(missing(WEIGHTS, "put the weights into the directory, in this format")),
    };
    files.extend(weights.iter().map(|path| place(path)));
    if let Some((path, _)) = files.iter().find(|(_, file)| !file.is_file()) {
        return Err(missing(path, "put it into the directory"));
    }
    Ok(Resolved { description: describe(name, &files, modality)?, origin, files })
}
