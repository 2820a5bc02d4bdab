//! The model that an option names: a directory as it is, otherwise a manifest or a repository of the hub.

use lsmi_candle::embedding::manifests::{Asked, ModelRef, Resolved, model_ref, of_directory, resolve};

use crate::arguments::{Chosen, ModelOrigin};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;

/// The files of a model, downloaded where they are not there, and what it is.
pub(super) fn find(
    origin: &ModelOrigin,
    chosen: &Chosen,
    pooling_is_chosen: bool,
    quiet: bool,
) -> Result<Resolved, Failure> {
    let registry = origin.registry()?;
    let asked = Asked { modality: Some(chosen.modality), pooling_is_chosen };
    let model = if let ModelRef::Directory(directory) = model_ref(&chosen.model, &registry)? {
        of_directory(&directory, asked)?
    } else {
        let hub = origin.hub()?;
        let mut show = progress::transfers(quiet);
        resolve(&chosen.model, asked, &registry, &hub, &mut show)?
    };
    if !quiet {
        for note in &model.description.notes {
            console::say(&format!("note: {}: {note}", chosen.model));
        }
    }
    Ok(model)
}
