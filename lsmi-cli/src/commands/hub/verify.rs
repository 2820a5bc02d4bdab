//! `lsmi models verify`: holds what is in the cache against manifests, the lock and the hub's hashes; asks nobody.

use std::collections::BTreeSet;

use lsmi_candle::embedding::hub::{Check, FileRequest, Hub, Lock, Repository};
use lsmi_candle::embedding::manifests::{Manifest, ModelRef};
use serde::Serialize;

use super::{Cached, of_hub};
use crate::arguments::VerifyModels;
use crate::process::console;
use crate::process::failure::{Failure, Status, hub_hint};
use crate::tables::cells::table;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Right,
    /// There, but nobody says what it should be.
    Unpinned,
    Missing,
    Wrong,
}

#[derive(Debug, Serialize)]
struct Verified {
    model: String,
    file: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) fn run(arguments: &VerifyModels) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    let lock = Lock::read(&hub.config().lock)?;
    let mut found = Vec::new();
    if arguments.names.is_empty() {
        let mut seen = BTreeSet::new();
        for manifest in registry.iter() {
            if Cached::of(manifest, &hub)? != Cached::No {
                found.extend(of_manifest(manifest, &hub)?);
                seen.insert(manifest.repository()?);
            }
        }
        found.extend(pinned(&lock, &hub, |repository, _| !seen.contains(repository)));
    }
    for name in &arguments.names {
        match of_hub(name, &registry)? {
            ModelRef::Manifest(manifest) => found.extend(of_manifest(manifest, &hub)?),
            ModelRef::Repository(repository, revision) => {
                let commit = hub.known_commit(&repository, revision.as_deref())?;
                let of_it = pinned(&lock, &hub, |other, at| *other == repository && Some(at) == commit.as_deref());
                if of_it.is_empty() {
                    return Err(Failure::failed(format!("{name} was never used; get it with lsmi models pull {name}")));
                }
                found.extend(of_it);
            }
            ModelRef::Directory(_) => {}
        }
    }
    tell(arguments, &found)?;
    let wrong: Vec<&str> = found.iter().filter_map(|verified| verified.reason.as_deref()).collect();
    if let Some(first) = wrong.first() {
        let others = wrong.len() - 1;
        let more = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        return Err(Failure::new(Status::Data, format!("{first}{more}")));
    }
    match found.iter().find(|verified| verified.state == State::Missing) {
        Some(Verified { model, file, .. }) if !arguments.names.is_empty() => {
            Err(Failure::failed(format!("{file} of {model} is not in the cache; get it with lsmi models pull {model}")))
        }
        _ => Ok(()),
    }
}

fn tell(arguments: &VerifyModels, found: &[Verified]) -> Result<(), Failure> {
    if arguments.place.json {
        return console::print_json(&found);
    }
    if found.is_empty() {
        if !arguments.place.quiet {
            console::say("no model is in the cache");
        }
        return Ok(());
    }
    let mut table = table(&["model", "file", "state"]);
    for Verified { model, file, state, .. } in found {
        let state = match state {
            State::Right => "right",
            State::Unpinned => "not pinned yet",
            State::Missing => "missing",
            State::Wrong => "wrong",
        };
        table.add_row([model.as_str(), file.as_str(), state]);
    }
    console::print(&format!("{table}\n"))
}

fn of_manifest(manifest: &Manifest, hub: &Hub) -> Result<Vec<Verified>, Failure> {
    let repository = manifest.repository()?;
    let Some(commit) = hub.known_commit(&repository, manifest.revision.as_deref())? else {
        let missing = |file: &str| Verified {
            model: manifest.name.clone(),
            file: file.to_owned(),
            state: State::Missing,
            reason: None,
        };
        return Ok(manifest.files.iter().map(|file| missing(&file.path)).collect());
    };
    Ok(manifest.file_requests(&repository, &commit).map(|file| verify(&manifest.name, &file, hub)).collect())
}

/// The pinned files of the repositories and commits that are chosen.
fn pinned(lock: &Lock, hub: &Hub, is_chosen: impl Fn(&Repository, &str) -> bool) -> Vec<Verified> {
    let chosen = lock.pinned().into_iter().filter(|(repository, commit, _)| is_chosen(repository, commit));
    let of_file = |(repository, commit, path): (Repository, &str, &str)| {
        verify(repository.as_str(), &FileRequest::new(&repository, commit, path), hub)
    };
    chosen.map(of_file).collect()
}

fn verify(model: &str, wanted: &FileRequest<'_>, hub: &Hub) -> Verified {
    let (state, reason) = match hub.check(wanted) {
        Check::Right => (State::Right, None),
        Check::Unpinned => (State::Unpinned, None),
        Check::Missing => (State::Missing, None),
        Check::Wrong(error) => {
            let hint = hub_hint(&error).map(|hint| format!("; {hint}")).unwrap_or_default();
            (State::Wrong, Some(format!("{error}{hint}")))
        }
    };
    Verified { model: model.to_owned(), file: wanted.path.to_owned(), state, reason }
}
