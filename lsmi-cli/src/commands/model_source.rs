//! The model that an option names: a directory as it is, otherwise a manifest or a repository of the hub.

use lsmi_candle::embedding::manifests::{Asked, ModelRef, Resolved, model_ref, of_directory, resolve};

use crate::arguments::{Chosen, Embed};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;

/// The files of a model, downloaded where they are not there, and what it is.
pub(super) fn find(arguments: &Embed, chosen: &Chosen) -> Result<Resolved, Failure> {
    let registry = arguments.origin.registry()?;
    let asked = Asked { modality: Some(chosen.modality), pooling_is_chosen: arguments.pooling.is_some() };
    let model = if let ModelRef::Directory(directory) = model_ref(&chosen.model, &registry)? {
        of_directory(&directory, asked)?
    } else {
        let hub = arguments.origin.hub()?;
        let mut show = progress::transfers(arguments.common.quiet);
        resolve(&chosen.model, asked, &registry, &hub, &mut show)?
    };
    if !arguments.common.quiet {
        for note in &model.description.notes {
            console::say(&format!("note: {}: {note}", chosen.model));
        }
    }
    Ok(model)
}
