//! `lsmi guide align`: projection heads, and the last blocks of encoders, trained on parts of the rows, compared seed by seed.

use std::io::Write;

use lsmi_candle::estimator;
use lsmi_candle::features::read_with_keys;
use lsmi_guide::experiments::align::{Data, Settings, compare};
use lsmi_guide::experiments::distill::Progress;

use super::unfrozen::{say_other_features, unfrozen};
use super::{partial, register, remove, say_files};
use crate::arguments::Align;
use crate::commands::analyze::{say_notes, training_rows};
use crate::output::align;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_directory};
use crate::tables::align::align_table;

const RUNS: &str = "align.csv";
const RESULT: &str = "align.json";

pub(super) fn run(arguments: &Align) -> Result<(), Failure> {
    let (path, common) = (arguments.data.as_path(), &arguments.common);
    check_directory(&arguments.out, common.force, &[RUNS, RESULT], &[path])?;
    let file = read_with_keys(path, &arguments.arrays.keys())?;
    say_notes(&file.notes, None);
    let samples = training_rows(&file)?;
    let test = file.split("test");
    let sets: Vec<_> = std::iter::once(samples).chain(test).collect();
    let unfrozen = unfrozen(arguments, &file, &sets)?;
    let data = Data { samples, test, classes: &file.classes, unfrozen: unfrozen.as_ref() };
    let settings = settings(arguments);

    let partial = partial(&arguments.out);
    let kept = || register(&partial, "seeds", settings.seeds);
    let result = progress::steps(common.quiet, kept, |tell| {
        compare(data, &settings, Some(&partial), &mut |done, total| {
            tell(Progress { done, total, what: format!("heads of seed {} of {total}", (done + 1).min(total)) });
        })
    });
    let result = result.map_err(|error| Failure::from(error).about(path))?;
    let mut staging = Staging::default();
    staging.write(&arguments.out.join(RUNS), |file| align::write(&result.runs, file))?;
    staging.write(&arguments.out.join(RESULT), |file| Ok(file.write_all(console::as_json(&result)?.as_bytes())?))?;
    staging.commit(&[])?;
    remove(&partial)?;
    if !common.quiet {
        if let Some(encoders) = &result.unfrozen {
            say_other_features(encoders.models.each_ref().map(|model| model.difference));
        }
        console::say(&align_table(&result));
        say_files(&[&arguments.out.join(RUNS), &arguments.out.join(RESULT)]);
    }
    if common.json { console::print_json(&result) } else { Ok(()) }
}

fn settings(arguments: &Align) -> Settings {
    let (usual, common) = (Settings::default(), &arguments.common);
    Settings {
        by: arguments.by.0.clone(),
        fraction: arguments.fraction.unwrap_or(usual.fraction),
        seeds: usize::from(arguments.seeds),
        seed: common.seed,
        splits: usize::from(arguments.splits),
        evaluated: arguments.evaluated,
        epochs: usize::from(arguments.epochs),
        width: usize::from(arguments.width),
        hidden: usize::from(arguments.hidden),
        batch: usize::from(arguments.batch),
        encoder_rate: arguments.unfreeze.encoder_rate.unwrap_or(usual.encoder_rate),
        estimator: estimator::Settings {
            folds: usize::from(arguments.folds),
            measure: arguments.measure,
            threads: common.threads.map_or(0, usize::from),
            device: common.device,
            ..estimator::Settings::default()
        },
        ..usual
    }
}
