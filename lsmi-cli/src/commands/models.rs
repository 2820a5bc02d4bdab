//! `--model NAME=FILE`: reads the logits of every model.

use lsmi_candle::analysis::Model;
use lsmi_candle::features::{Classes, Split};

use crate::arguments::Models;
use crate::process::failure::Failure;

/// Reads the logits of every model for the samples of `splits`.
pub(super) fn read_models(
    models: &Models,
    classes: &Classes,
    splits: &[&Split],
    scale: bool,
) -> Result<Vec<Model>, Failure> {
    let mut read = Vec::new();
    for (place, file) in models.files.iter().enumerate() {
        if models.files[..place].iter().any(|other| other.name == file.name) {
            return Err(Failure::usage(format!("--model names `{}` twice; give every model its own name", file.name)));
        }
        let model = Model::read(&file.name, &file.path, classes, splits)?;
        if scale && !model.has_training_rows() {
            return Err(Failure::usage(format!(
                "--scale-logits fits temperatures to training rows, but {} has no logits of the split `train`: add \
                 them, or leave it out",
                file.path.display()
            )));
        }
        read.push(model);
    }
    Ok(read)
}
