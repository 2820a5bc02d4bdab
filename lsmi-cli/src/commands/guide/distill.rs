//! `lsmi guide distill`: policies of distillation, compared seed by seed.

use std::io::Write;

use lsmi_candle::features::read_with_keys;
use lsmi_guide::experiments::distill::{self, Data, Rule, Settings, Source, compare};
use lsmi_guide::train::distiller::NonFinite;

use super::{partial, register, remove, say_files};
use crate::arguments::{Distill, RuleName, SourceName};
use crate::commands::analyze::{say_notes, training_rows};
use crate::output::weights;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_directory, check_file};
use crate::tables::distill::distill_table;

/// What the directory holds in the end.
const RESULT: &str = "distill.json";

pub(super) fn run(arguments: &Distill) -> Result<(), Failure> {
    let (path, common) = (arguments.data.as_path(), &arguments.common);
    check_directory(&arguments.out, common.force, &[RESULT], &[path])?;
    if let Some(export) = &arguments.export {
        check_file(export.path(), common.force, &[path])?;
    }
    let file = read_with_keys(path, &arguments.arrays.keys())?;
    say_notes(&file.notes, None);
    let samples = training_rows(&file)?;
    let data = Data { samples, test: file.split("test"), classes: &file.classes, teacher_features: None };
    let settings = settings(arguments);

    let partial = partial(&arguments.out);
    let kept = || register(&partial, "runs", settings.runs());
    let result = progress::steps(common.quiet, kept, |tell| compare(data, &settings, Some(&partial), tell));
    let result = result.map_err(|error| Failure::from(error).about(path))?;
    let mut staging = Staging::default();
    staging.write(&arguments.out.join(RESULT), |file| Ok(file.write_all(console::as_json(&result)?.as_bytes())?))?;
    if let Some(export) = &arguments.export {
        let plan = distill::weights(data, &settings).map_err(|error| Failure::from(error).about(path))?;
        let columns = plan.weights().columns().map(|(name, column)| (name.to_owned(), column));
        staging.write(export.path(), |file| weights::write(export, plan.ids(), &columns, file))?;
    }
    staging.commit(&[])?;
    remove(&partial)?;
    if !common.quiet {
        let export = arguments.export.iter().map(|export| export.path().as_path()).collect::<Vec<_>>();
        console::say(&distill_table(&result));
        say_files(&[&[arguments.out.join(RESULT).as_path()], export.as_slice()].concat());
    }
    if common.json { console::print_json(&result) } else { Ok(()) }
}

fn settings(arguments: &Distill) -> Settings {
    let usual = Settings::default();
    let mut policies = arguments.policies.0.clone();
    if arguments.fusion {
        let missing = ["none", "modality", "auxiliary"]
            .into_iter()
            .filter(|name| !arguments.policies.0.iter().any(|p| p == name));
        policies.extend(missing.map(str::to_owned));
    }
    Settings {
        policies,
        rule: match arguments.rule {
            RuleName::Sources => Rule::Sources,
            RuleName::Dominant => Rule::Dominant,
        },
        measure: arguments.measure,
        interactions: match arguments.interactions {
            SourceName::Fixed => Source::Fixed,
            SourceName::Tracked => Source::Tracked,
        },
        seeds: usize::from(arguments.seeds),
        seed: arguments.common.seed,
        transfer: arguments.transfer,
        temperature: arguments.temperature,
        student: distill::Schedule { epochs: usize::from(arguments.epochs), ..usual.student },
        non_finite: if arguments.skip_non_finite { NonFinite::Skip } else { NonFinite::Stop },
        threads: arguments.common.threads.map_or(0, usize::from),
        ..usual
    }
}
