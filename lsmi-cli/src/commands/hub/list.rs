//! `lsmi models list`.

use std::collections::BTreeSet;

use lsmi_candle::embedding::hub::{Hub, Repository};
use lsmi_candle::embedding::manifests::{Architecture, Known, Registry, known_in_cache};
use serde::Serialize;

use super::Cached;
use crate::arguments::ListModels;
use crate::process::console;
use crate::process::failure::Failure;
use crate::tables::cells::table;

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    /// Whether there is a manifest of it; what stands in no manifest is null of others, where their files do not say it.
    manifest: bool,
    modality: Option<String>,
    architecture: Option<Architecture>,
    embedding_width: Option<usize>,
    licence: Option<String>,
    repository: String,
    commit: Option<String>,
    cached: Cached,
    /// The size of what is in the cache.
    bytes: u64,
}

pub(super) fn run(arguments: &ListModels) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    let mut models = Vec::new();
    // Of manifests: what others list is not of the cache alone.
    let mut seen = BTreeSet::new();
    for manifest in registry.iter() {
        let repository = manifest.repository()?;
        let commit = hub.known_commit(&repository, manifest.revision.as_deref())?;
        let mut bytes = 0;
        if let Some(commit) = &commit {
            let of_manifest = manifest.file_requests(&repository, commit).filter(|file| hub.is_cached(file));
            for file in of_manifest {
                let here = hub.cached_files(file.repository, file.commit);
                bytes += here.iter().find(|(path, _)| path == file.path).map_or(0, |(_, bytes)| *bytes);
                seen.insert((file.repository.clone(), file.commit.to_owned()));
            }
        }
        models.push(Listed {
            name: manifest.name.clone(),
            manifest: true,
            modality: Some(manifest.modality.to_string()),
            architecture: Some(manifest.architecture),
            embedding_width: Some(manifest.embedding_width),
            licence: Some(manifest.licence.clone()),
            repository: manifest.repository.clone(),
            commit,
            cached: Cached::of(manifest, &hub)?,
            bytes,
        });
    }
    models.extend(without_manifest(&hub, &seen)?);
    if arguments.place.json {
        return console::print_json(&models);
    }
    tell(&models, &registry)
}

/// The commits that are in the cache and of which no manifest lists a file.
fn without_manifest(hub: &Hub, seen: &BTreeSet<(Repository, String)>) -> Result<Vec<Listed>, Failure> {
    let mut models = Vec::new();
    for repository in hub.cached_repositories() {
        let usual = hub.cached_commit(&repository, None)?;
        for commit in hub.cached_commits(&repository) {
            if seen.contains(&(repository.clone(), commit.clone())) {
                continue;
            }
            let Known { architecture, uses, files, .. } = known_in_cache(&repository, &commit, hub);
            let modalities = uses.iter().map(|(modality, _)| modality.to_string()).collect::<Vec<_>>();
            let widths: BTreeSet<_> = uses
                .iter()
                .map(|(_, described)| described.as_ref().ok().and_then(|described| described.embedding_width))
                .collect();
            models.push(Listed {
                name: if usual.as_ref() == Some(&commit) {
                    repository.to_string()
                } else {
                    format!("{repository}@{commit}")
                },
                manifest: false,
                modality: (!modalities.is_empty()).then(|| modalities.join(", ")),
                architecture: architecture.ok(),
                // Of two towers that agree.
                embedding_width: widths.first().copied().flatten().filter(|_| widths.len() == 1),
                licence: None,
                repository: repository.to_string(),
                commit: Some(commit),
                cached: Cached::Yes,
                bytes: files.iter().map(|file| file.bytes).sum(),
            });
        }
    }
    Ok(models)
}

fn tell(models: &[Listed], registry: &Registry) -> Result<(), Failure> {
    let unknown = || "-".to_owned();
    let of_manifests = &models[..registry.iter().count()];
    let mut shown = table(&["model", "embeds", "architecture", "width", "licence", "repository", "cached"]);
    for model in of_manifests {
        shown.add_row([
            model.name.clone(),
            model.modality.clone().unwrap_or_default(),
            model.architecture.map_or_else(unknown, |architecture| architecture.to_string()),
            model.embedding_width.map_or_else(unknown, |width| width.to_string()),
            model.licence.clone().unwrap_or_default(),
            model.repository.clone(),
            model.cached.name().to_owned(),
        ]);
    }
    let others = &models[of_manifests.len()..];
    let mut text = format!("{shown}\n");
    if !others.is_empty() {
        let mut shown =
            table(&["in the cache, without a manifest", "embeds", "architecture", "width", "commit", "size"]);
        for model in others {
            let commit = model.commit.as_deref().unwrap_or_default();
            shown.add_row([
                model.name.clone(),
                model.modality.clone().unwrap_or_else(unknown),
                model.architecture.map_or_else(unknown, |architecture| architecture.to_string()),
                model.embedding_width.map_or_else(unknown, |width| width.to_string()),
                commit.get(..12).unwrap_or(commit).to_owned(),
                size(model.bytes),
            ]);
        }
        text = format!("{text}\n{shown}\n");
    }
    console::print(&text)
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (bytes, expected) in
            [(0, "0 B"), (999, "999 B"), (1_234, "1.2 kB"), (90_868_376, "90.9 MB"), (2_500_000_000, "2.5 GB")]
        {
            assert_eq!(size(bytes), expected);
        }
    }
}
