//! `lsmi models show`: a manifest as TOML, and its files in the cache as comments.

use lsmi_candle::embedding::manifests::{Manifest, ModelRef};
use serde::Serialize;

use super::of_hub;
use crate::arguments::ShowModel;
use crate::process::console;
use crate::process::failure::Failure;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// The commit that is used, if one is known.
    commit: Option<String>,
    /// Files that are in the cache.
    cached: Vec<&'a str>,
}

pub(super) fn run(arguments: &ShowModel) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    let ModelRef::Manifest(manifest) = of_hub(&arguments.name, &registry)? else {
        return Err(Failure::usage(format!(
            "there is no manifest of {}: only models that have one can be shown (lsmi models list)",
            arguments.name
        )));
    };
    let repository = manifest.repository()?;
    let commit = hub.known_commit(&repository, manifest.revision.as_deref())?;
    let cached = match &commit {
        Some(commit) => {
            let files = manifest.file_requests(&repository, commit).filter(|file| hub.is_cached(file));
            files.map(|file| file.path.to_owned()).collect()
        }
        None => Vec::new(),
    };
    let cached = cached.iter().map(String::as_str).collect::<Vec<_>>();
    if arguments.place.json {
        return console::print_json(&Shown { manifest, commit, cached });
    }
    let text = toml::to_string_pretty(manifest).map_err(Failure::failed)?;
    let commit = commit.as_deref().unwrap_or("not known yet");
    let cached = if cached.is_empty() { "nothing".to_owned() } else { cached.join(", ") };
    console::print(&format!("{text}\n# commit: {commit}\n# in the cache: {cached}\n"))
}
