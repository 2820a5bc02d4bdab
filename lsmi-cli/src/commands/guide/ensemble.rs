//! `lsmi guide ensemble`: ensembles with weights for every sample against those with weights for every member.

use std::io::Write;
use std::path::Path;

use lsmi_candle::estimator;
use lsmi_candle::features::{FeatureFile, FeatureSet, Split, read_model_logits, read_with_keys};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_guide::experiments::distill::Progress;
use lsmi_guide::experiments::ensemble::{self, Data, Settings, compare};

use super::{partial, register, remove, say_files};
use crate::arguments::{Ensemble, ModelFile};
use crate::commands::analyze::say_notes;
use crate::output::weights;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_directory, check_file};
use crate::tables::ensemble::ensemble_table;

/// What the directory holds in the end.
const RESULT: &str = "ensemble.json";

pub(super) fn run(arguments: &Ensemble) -> Result<(), Failure> {
    let (path, common) = (arguments.data.as_path(), &arguments.common);
    let inputs: Vec<&Path> =
        std::iter::once(path).chain(arguments.models.iter().map(|model| model.path.as_path())).collect();
    check_directory(&arguments.out, common.force, &[RESULT], &inputs)?;
    if let Some(export) = &arguments.export {
        check_file(export.path(), common.force, &inputs)?;
    }
    let file = read_with_keys(path, &arguments.arrays.keys())?;
    say_notes(&file.notes, None);
    let samples = file.pooled().map_err(|error| Failure::data(error).about(path))?;
    let models = members(&arguments.models, &file)?;
    let data = Data { samples: &samples, classes: &file.classes, models: &models };
    let settings = settings(arguments);

    let partial = partial(&arguments.out);
    let kept = || register(&partial, "seeds", settings.seeds);
    let result = progress::steps(common.quiet, kept, |tell| {
        compare(data, &settings, Some(&partial), &mut |done, total| {
            tell(Progress {
                done,
                total,
                what: format!("members and ensembles of seed {} of {total}", (done + 1).min(total)),
            });
        })
    });
    let result = result.map_err(|error| Failure::from(error).about(path))?;
    let mut staging = Staging::default();
    staging.write(&arguments.out.join(RESULT), |file| Ok(file.write_all(console::as_json(&result)?.as_bytes())?))?;
    if let Some(export) = &arguments.export {
        let found = ensemble::weights(data, &settings).map_err(|error| Failure::from(error).about(path))?;
        let of_members: Vec<Vec<f64>> = (0..found.members.len()).map(|member| found.of_member(member)).collect();
        let columns: Vec<_> = found.members.iter().cloned().zip(of_members.iter().map(Vec::as_slice)).collect();
        staging.write(export.path(), |file| weights::write(export, &found.ids, &columns, file))?;
    }
    staging.commit(&[])?;
    remove(&partial)?;
    if !common.quiet {
        let export = arguments.export.iter().map(|export| export.path().as_path()).collect::<Vec<_>>();
        console::say(&ensemble_table(&result));
        say_files(&[&[arguments.out.join(RESULT).as_path()], export.as_slice()].concat());
    }
    if common.json { console::print_json(&result) } else { Ok(()) }
}

fn settings(arguments: &Ensemble) -> Settings {
    let common = &arguments.common;
    Settings {
        seeds: usize::from(arguments.seeds),
        seed: common.seed,
        evaluated: arguments.evaluated,
        estimator: estimator::Settings {
            folds: usize::from(arguments.folds),
            measure: arguments.measure,
            threads: common.threads.map_or(0, usize::from),
            device: common.device,
            ..estimator::Settings::default()
        },
        ..Settings::default()
    }
}

/// The members that are the user's models, with logits for the pooled samples of a file.
fn members(models: &[ModelFile], file: &FeatureFile) -> Result<Vec<(String, Matrix)>, Failure> {
    let splits: Vec<&Split> = file.splits.iter().collect();
    let mut members = Vec::new();
    for model in models {
        let found = read_model_logits(&model.path, &file.classes, &splits)?;
        if let Some(missing) = splits.iter().find(|split| found.iter().all(|found| found.name != split.name)) {
            return Err(Failure::data(format!(
                "has no logits of the split `{}`; give those of all splits, as {}",
                missing.name,
                splits.iter().map(|split| format!("logits12_{}", split.name)).collect::<Vec<_>>().join(", ")
            ))
            .about(&model.path));
        }
        let pooled = FeatureFile { splits: found, ..file.clone() }.pooled().map_err(Failure::data)?;
        members.extend(of_model(&model.name, pooled));
    }
    Ok(members)
}

/// The members of one file: by the model's name, and those of single modalities by the modality's as well.
fn of_model(name: &str, samples: FeatureSet) -> impl Iterator<Item = (String, Matrix)> {
    let names = [format!("{name} x1"), format!("{name} x2"), name.to_owned()];
    names.into_iter().zip(samples.logits).filter_map(|(name, logits)| Some((name, logits?)))
}
