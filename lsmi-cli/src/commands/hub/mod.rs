//! `lsmi models`: which encoders there are, their download, and whether they still are what they were.

mod list;
mod pull;
mod show;
mod verify;

use lsmi_candle::embedding::hub::{Hub, Repository};
use lsmi_candle::embedding::manifests::{Manifest, ModelError, ModelRef, Registry, model_ref};
use serde::Serialize;

use crate::arguments::{HubAction, HubCommand};
use crate::process::failure::Failure;

pub(super) fn run(arguments: &HubCommand) -> Result<(), Failure> {
    match &arguments.action {
        HubAction::List(arguments) => list::run(arguments),
        HubAction::Show(arguments) => show::run(arguments),
        HubAction::Pull(arguments) => pull::run(arguments),
        HubAction::Verify(arguments) => verify::run(arguments),
    }
}

/// How much of a model is in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Cached {
    Yes,
    Partly,
    No,
}

impl Cached {
    fn of(manifest: &Manifest, hub: &Hub) -> Result<Self, ModelError> {
        let repository = manifest.repository()?;
        let Some(commit) = hub.known_commit(&repository, manifest.revision.as_deref())? else { return Ok(Self::No) };
        let there = manifest.file_requests(&repository, &commit).filter(|file| hub.is_cached(file)).count();
        Ok(match there {
            0 => Self::No,
            all if all == manifest.files.len() => Self::Yes,
            _ => Self::Partly,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }
}

/// What a name means, where it must mean something on the hub.
fn of_hub<'a>(name: &str, registry: &'a Registry) -> Result<ModelRef<'a>, Failure> {
    match model_ref(name, registry)? {
        ModelRef::Directory(_) => Err(Failure::usage(format!(
            "{name} is a directory, whose files are used as they are; name a manifest or organisation/model"
        ))),
        model_ref => Ok(model_ref),
    }
}

/// The commit of a repository whose files are in the cache.
fn in_cache(name: &str, repository: &Repository, revision: Option<&str>, hub: &Hub) -> Result<String, Failure> {
    if let Some(commit) = hub.cached_commit(repository, revision)? {
        return Ok(commit);
    }
    let others: Vec<String> =
        hub.cached_commits(repository).iter().map(|commit| format!("{repository}@{commit}")).collect();
    let there_are = if others.is_empty() { String::new() } else { format!("; there are {}", others.join(", ")) };
    let message = format!("{name} is not in the cache{there_are}, nor is it a directory or a manifest's name");
    Err(Failure::failed(message).with_hint(format!("get it with lsmi models pull {name}")))
}
