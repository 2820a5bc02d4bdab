//! `lsmi models`: which encoders there are, their download, and whether they still are what they were.

mod list;
mod pull;
mod show;
mod verify;

use lsmi_candle::embedding::hub::Hub;
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
