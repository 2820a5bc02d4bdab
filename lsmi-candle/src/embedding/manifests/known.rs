//! What is known of a model whose files are here, without a download: that of the one reader, for each modality it reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::configuration::Configuration;
use super::describe::{architecture, describe, network};
use super::files::{Directory, Files};
use super::resolve::MANIFEST;
use super::sentence::{Modules, Step};
use super::{Asked, Description, Manifest, ModelError, Origin};
use crate::embedding::encoders::{Architecture, Modality, Pooling};
use crate::embedding::hub::{Hub, Repository};

/// What is known of a model.
#[derive(Debug)]
pub struct Known {
    /// Where its files are.
    pub origin: Origin,
    /// The kind of network; why it cannot be said.
    pub architecture: Result<Architecture, ModelError>,
    /// How it is used, for each modality that it reads; why it cannot be.
    pub uses: Vec<(Modality, Result<Use, ModelError>)>,
    /// The manifest in its directory, where there is one.
    pub manifest: Option<Manifest>,
    /// Its files that are here.
    pub files: Vec<KnownFile>,
}

/// How a model is used for a modality.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// What its files say.
    pub description: Description,
    /// Length of the vector, where the files say it plainly.
    pub embedding_width: Option<usize>,
}

/// A file that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its path inside the model.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// Says what is known of the model in a directory.
pub fn known(directory: &Path) -> Known {
    let mut paths = Vec::new();
    collect(directory, "", &mut paths);
    let files = paths.into_iter().map(|(path, bytes)| KnownFile { path, bytes }).collect();
    let origin = Origin::Directory(directory.to_owned());
    let place = directory.join(MANIFEST);
    if place.is_file() {
        return of_manifest(origin, Manifest::read_unnamed(&place), files);
    }
    let mut reader = Directory::new(directory);
    of_files(origin, &directory.display().to_string(), &mut reader, files)
}

/// Says what is known of a commit of a repository in the cache; nothing is asked for, checked or pinned.
pub fn known_in_cache(repository: &Repository, commit: &str, hub: &Hub) -> Known {
    let files = hub.cached_files(repository, commit).into_iter();
    let files = files.map(|(path, bytes)| KnownFile { path, bytes }).collect();
    let origin = Origin::Hub { repository: repository.clone(), commit: commit.to_owned() };
    let directory = Directory::new(&hub.snapshot(repository, commit));
    let mut reader = Snapshot { directory, hub, repository, commit };
    of_files(origin, repository.as_str(), &mut reader, files)
}

fn of_manifest(origin: Origin, manifest: Result<Manifest, ModelError>, files: Vec<KnownFile>) -> Known {
    match manifest {
        Ok(manifest) => {
            let described = Use { description: (&manifest).into(), embedding_width: Some(manifest.embedding_width) };
            let (architecture, uses) = (Ok(manifest.architecture), vec![(manifest.modality, Ok(described))]);
            Known { origin, architecture, uses, manifest: Some(manifest), files }
        }
        Err(error) => Known { origin, architecture: Err(error), uses: Vec::new(), manifest: None, files },
    }
}

fn of_files(origin: Origin, name: &str, reader: &mut dyn Files, files: Vec<KnownFile>) -> Known {
    match network_of(name, reader) {
        Ok((architecture, reads, config)) => {
            let uses = reads.iter().map(|modality| {
                let described = describe(name, reader, Asked::of(*modality))
                    .map(|description| Use { embedding_width: width(&description, &config), description });
                (*modality, described)
            });
            let uses = uses.collect();
            Known { origin, architecture: Ok(architecture), uses, manifest: None, files }
        }
        Err(error) => Known { origin, architecture: Err(error), uses: Vec::new(), manifest: None, files },
    }
}

fn network_of(
    name: &str,
    reader: &mut dyn Files,
) -> Result<(Architecture, &'static [Modality], Configuration), ModelError> {
    let asked = Asked { pooling_is_chosen: true, ..Asked::default() };
    let folder = Modules::read(reader, asked)?.folder;
    let config = network(reader, name, &folder)?;
    let (architecture, reads) = architecture(&config)?;
    Ok((architecture, reads, config))
}

/// The length of the vector: of the last layer after the pooling, else of the joined hidden states, whose length most
/// configurations give one of these names.
fn width(description: &Description, config: &Configuration) -> Option<usize> {
    let mut layers = description.steps.iter().flatten().rev().filter_map(|step| match step {
        Step::Dense(dense) => Some(dense.outputs),
        Step::Normalize => None,
    });
    if let Some(width) = layers.next() {
        return Some(width);
    }
    if description.embedding_width.is_some() {
        return description.embedding_width;
    }
    let size = |names: &[&str]| names.iter().find_map(|name| config.size(name).ok().flatten());
    let of_projection = || size(&["projection_dim"]);
    match (&description.pooling, description.architecture) {
        // Towers of two modalities end in a space that they share.
        (None, Architecture::Clip | Architecture::Clap) => of_projection(),
        (Some(poolings), _) if poolings.iter().any(|pooling| pooling == Pooling::Projection) => of_projection(),
        (pooling, architecture) if matches!(architecture.modalities(), [_]) => {
            let joined = pooling.as_ref().map_or(1, |poolings| poolings.iter().count());
            size(&["hidden_size", "dim", "d_model", "n_embd", "num_features"])
                .and_then(|width| width.checked_mul(joined))
        }
        _ => None,
    }
}

/// The files of a directory and of the folders in it, as far as they can be those of a model.
fn collect(directory: &Path, prefix: &str, found: &mut Vec<(String, u64)>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, Ok(metadata)) = (entry.path(), std::fs::metadata(entry.path())) else { continue };
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
        let is_of_model = path
            .extension()
            .is_some_and(|extension| ["json", "safetensors", "toml", "txt"].iter().any(|known| extension == *known));
        if metadata.is_dir() && prefix.is_empty() {
            collect(&path, &format!("{name}/"), found);
        } else if metadata.is_file() && is_of_model {
            found.push((name, metadata.len()));
        }
    }
}

/// The files of a commit that are in the cache, which may lack some.
struct Snapshot<'a> {
    directory: Directory,
    hub: &'a Hub,
    repository: &'a Repository,
    commit: &'a str,
}

impl Files for Snapshot<'_> {
    fn get(&mut self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        self.directory.get(name)
    }

    fn top(&self) -> Vec<String> {
        self.directory.top()
    }

    fn certainly_lacks(&self, name: &str) -> Result<bool, ModelError> {
        Ok(self.hub.certainly_lacks(self.repository, self.commit, name)?)
    }

    fn found(self) -> BTreeMap<String, PathBuf> {
        self.directory.found()
    }
}
