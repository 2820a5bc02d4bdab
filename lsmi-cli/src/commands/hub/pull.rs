//! `lsmi models pull`: downloads what is missing, checks everything, and pins it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lsmi_candle::embedding::hub::{FileRequest, Hub, Lock, Repository, Transfer};
use lsmi_candle::embedding::manifests::{Asked, ModelRef, Origin, Registry, pull_repository, resolve};
use serde::Serialize;

use super::of_hub;
use crate::arguments::PullModels;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;

#[derive(Debug, Serialize)]
struct Pulled {
    name: String,
    repository: String,
    commit: String,
    files: BTreeMap<String, PathBuf>,
}

pub(super) fn run(arguments: &PullModels) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    // All names before the first download: a wrong one shall not show up after an hour.
    for name in &arguments.names {
        of_hub(name, &registry)?;
    }
    if arguments.again && hub.config().offline {
        return Err(Failure::usage("--again downloads anew, which is not possible offline; leave one of them out"));
    }
    let mut all = Vec::new();
    for name in &arguments.names {
        let mut show = progress::transfers(arguments.place.quiet);
        let pulled = pull(name, arguments.again, &registry, &hub, &mut show)?;
        drop(show);
        if !arguments.place.quiet {
            let Pulled { name, repository, commit, files } = &pulled;
            let files = files.len();
            console::say(&format!("{name}: {files} files of {repository} at {commit} are there and checked"));
        }
        all.push(pulled);
    }
    if arguments.place.json { console::print_json(&all) } else { Ok(()) }
}

fn pull(
    name: &str,
    again: bool,
    registry: &Registry,
    hub: &Hub,
    progress: &mut dyn FnMut(Transfer<'_>),
) -> Result<Pulled, Failure> {
    let (repository, commit, files) = match of_hub(name, registry)? {
        ModelRef::Repository(repository, revision) => {
            if again {
                forget(hub, &repository, revision.as_deref(), &[])?;
            }
            let (commit, files) = pull_repository(&repository, revision.as_deref(), hub, progress)?;
            (repository, commit, files)
        }
        model_ref => {
            if let (ModelRef::Manifest(manifest), true) = (&model_ref, again) {
                let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
                forget(hub, &manifest.repository()?, manifest.revision.as_deref(), &paths)?;
            }
            let resolved = resolve(name, Asked::default(), registry, hub, progress)?;
            match resolved.origin {
                Origin::Hub { repository, commit } => (repository, commit, resolved.files),
                Origin::Directory(_) => return Err(Failure::failed("a manifest names a repository")),
            }
        }
    };
    Ok(Pulled { name: name.to_owned(), repository: repository.to_string(), commit, files })
}

/// Forgets the commit, these files of it, and all that are pinned.
fn forget(hub: &Hub, repository: &Repository, revision: Option<&str>, paths: &[&str]) -> Result<(), Failure> {
    let Some(commit) = hub.known_commit(repository, revision)? else { return Ok(()) };
    let lock = Lock::read(&hub.config().lock)?;
    let pinned = lock.pinned().into_iter().filter(|(other, at, _)| other == repository && *at == commit);
    // A manifest names its files; without one they are those that were used.
    let of_lock = pinned.map(|(_, _, path)| path).filter(|_| paths.is_empty());
    for path in paths.iter().copied().chain(of_lock) {
        hub.forget(&FileRequest::new(repository, &commit, path))?;
    }
    Ok(hub.forget_commit(repository, revision)?)
}
