//! The model that an option names: a directory as it is, otherwise a manifest or a repository of the hub.

use std::path::Path;

use lsmi_candle::embedder::ModelSource;
use lsmi_candle::models::{Meant, meant, resolve};

use crate::arguments::{Chosen, Embed};
use crate::console;
use crate::failure::Failure;
use crate::progress;

/// The files of a model, downloaded where they are not there.
pub(super) fn find(arguments: &Embed, chosen: &Chosen) -> Result<ModelSource, Failure> {
    let registry = arguments.origin.registry()?;
    // What has a manifest of its own says more than its other files.
    if let Meant::Directory(directory) = meant(&chosen.model, &registry)?
        && !Path::new(&directory).join("manifest.toml").is_file()
    {
        return Ok(ModelSource::of_directory(&directory)?);
    }
    let hub = arguments.origin.hub()?;
    let mut show = progress::transfers(arguments.common.quiet);
    let model = resolve(&chosen.model, Some(chosen.modality.into()), &registry, &hub, &mut show)?;
    drop(show);
    if !arguments.common.quiet {
        for note in &model.description.notes {
            console::say(&format!("note: {}: {note}", chosen.model));
        }
    }
    Ok(ModelSource::of_resolved(&model)?)
}
