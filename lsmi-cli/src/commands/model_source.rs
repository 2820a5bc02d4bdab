//! The model that an option names: a directory.

use std::path::Path;

use lsmi_candle::embedder::ModelSource;

use crate::arguments::{Chosen, Embed};
use crate::failure::Failure;

/// The files of a model.
pub(super) fn find(_arguments: &Embed, chosen: &Chosen) -> Result<ModelSource, Failure> {
    let directory = Path::new(&chosen.model);
    if directory.is_dir() {
        return Ok(ModelSource::of_directory(directory)?);
    }
    Err(Failure::usage(format!("`{}` is no directory of a model", chosen.model)))
}
