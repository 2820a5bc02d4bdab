//! `lsmi models list`.

use lsmi_candle::embedding::manifests::{Architecture, Modality};
use serde::Serialize;

use super::Cached;
use crate::arguments::ListModels;
use crate::process::console;
use crate::process::failure::Failure;
use crate::tables::cells::table;

#[derive(Debug, Serialize)]
struct Listed<'a> {
    name: &'a str,
    modality: Modality,
    architecture: Architecture,
    embedding_width: usize,
    licence: &'a str,
    repository: &'a str,
    cached: Cached,
}

pub(super) fn run(arguments: &ListModels) -> Result<(), Failure> {
    let (registry, hub) = (arguments.place.registry()?, arguments.place.hub()?);
    let mut models = Vec::new();
    for manifest in registry.iter() {
        models.push(Listed {
            name: &manifest.name,
            modality: manifest.modality,
            architecture: manifest.architecture,
            embedding_width: manifest.embedding_width,
            licence: &manifest.licence,
            repository: &manifest.repository,
            cached: Cached::of(manifest, &hub)?,
        });
    }
    if arguments.place.json {
        return console::print_json(&models);
    }
    let mut table = table(&["model", "embeds", "architecture", "width", "licence", "repository", "cached"]);
    for model in &models {
        table.add_row([
            model.name.to_owned(),
            model.modality.to_string(),
            model.architecture.to_string(),
            model.embedding_width.to_string(),
            model.licence.to_owned(),
            model.repository.to_owned(),
            model.cached.name().to_owned(),
        ]);
    }
    console::print(&format!("{table}\n"))
}
