//! `--model NAME=FILE`: what each of several models has learned, beside what the data hold.

use lsmi_candle::estimator::CrossFit;
use lsmi_candle::features::{Classes, Split, read_model_logits};
use lsmi_core::Measure;

use crate::arguments::{ModelFile, Models};
use crate::output::models::ModelSummary;
use crate::process::failure::Failure;
use crate::scored::ScoredSplit;

/// A model's logits for the splits that its file is about.
pub(super) struct Model<'a> {
    file: &'a ModelFile,
    splits: Vec<Split>,
}

impl Model<'_> {
    fn training_rows(&self) -> Option<&Split> {
        self.splits.iter().find(|split| split.name == "train")
    }
}

/// Reads the logits of every model for the samples of `splits`.
pub(super) fn read_models<'a>(
    models: &'a Models,
    classes: &Classes,
    splits: &[&Split],
    scale: bool,
) -> Result<Vec<Model<'a>>, Failure> {
    let mut read: Vec<Model<'a>> = Vec::new();
    for file in &models.files {
        if read.iter().any(|other| other.file.name == file.name) {
            return Err(Failure::usage(format!("--model names `{}` twice; give every model its own name", file.name)));
        }
        let model = Model { file, splits: read_model_logits(&file.path, classes, splits)? };
        if scale && model.training_rows().is_none() {
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

/// The decomposition of every model: densities of the fit, and posteriors of the model where it has any.
pub(super) fn summarise(
    models: &[Model<'_>],
    fit: &CrossFit,
    scale: bool,
    measures: &[Measure],
) -> Result<Vec<(String, ModelSummary)>, Failure> {
    models.iter().map(|model| Ok((model.file.name.clone(), of_model(model, fit, scale, measures)?))).collect()
}

fn of_model(model: &Model<'_>, fit: &CrossFit, scale: bool, measures: &[Measure]) -> Result<ModelSummary, Failure> {
    let about = |failure: Failure| failure.about(&model.file.path);
    let mut scored = Vec::new();
    let estimator = match (model.training_rows(), model.splits.first()) {
        (Some(train), _) => {
            let of_model = fit.with_logits(&train.features, scale).map_err(|error| about(error.into()))?;
            let (split, estimator) =
                ScoredSplit::of_training(&train.features, of_model.scores, of_model.estimator, measures)?;
            scored.push(split);
            estimator
        }
        (None, Some(split)) => fit.estimator.with_given_heads(&split.features),
        // Reading finds at least one split.
        (None, None) => fit.estimator.clone(),
    };
    for split in model.splits.iter().filter(|split| split.name != "train") {
        scored.push(ScoredSplit::score(&split.name, &split.features, &estimator, measures, &model.file.path)?);
    }
    Ok(ModelSummary::new(&estimator, &scored)?)
}
