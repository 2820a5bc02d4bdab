//! `lsmi check`: the gates about a feature file, without an analysis of it.

use std::io::Write;
use std::path::Path;

use lsmi_candle::analysis::Evaluation;
use lsmi_candle::features::FeatureSet;
use lsmi_candle::gates::{CheckSummary, GateSettings, check};

use super::analyze::{read_evaluations, say_notes, training_rows};
use super::settings::{has_logits, settings};
use crate::arguments::Check;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_file};
use crate::tables;

pub(super) fn run(arguments: &Check) -> Result<(), Failure> {
    let (source, common) = (arguments.data.data(), &arguments.common);
    let data = source.path();
    if !arguments.estimation.measures.listed().is_empty() {
        return Err(Failure::usage("gates are about one measure, that of --measure: leave out --measures"));
    }
    if let Some(out) = &arguments.out {
        let inputs = source.paths().into_iter().chain(arguments.eval.iter().map(AsRef::as_ref));
        let inputs: Vec<&Path> = inputs.chain(arguments.estimation.knife_from.as_deref()).collect();
        check_file(out, common.force, &inputs)?;
    }
    let keys = arguments.arrays.keys();
    let file = source.read(&keys)?;
    say_notes(&file.notes, None);
    let evaluations = read_evaluations(&arguments.eval, &keys, &file)?;
    let train = training_rows(&file)?;
    let repeats = arguments.estimation.repeats_or_one();
    let settings = settings(&arguments.estimation, common, repeats, has_logits(train), &file.classes)?;
    let gates = arguments.gates;
    let settings = GateSettings { strength: gates.strength, rows: gates.rows as usize, estimator: settings };

    let others =
        file.splits.iter().filter(|split| split.name != "train").chain(evaluations.iter().map(Evaluation::split));
    let others: Vec<(&str, &FeatureSet)> = others.map(|split| (split.name.as_str(), &split.features)).collect();
    let gates = progress::shown(common.quiet, |sender| check(train, &file.classes, &others, &settings, sender))
        .map_err(|error| Failure::from(error).about(data))?;

    let summary = CheckSummary::new(train, &file.classes, common.seed, gates);
    if let Some(out) = &arguments.out {
        let mut staging = Staging::default();
        staging.write(out, |file| Ok(file.write_all(console::as_json(&summary)?.as_bytes())?))?;
        staging.commit(&[])?;
    }
    if !common.quiet {
        console::say(&tables::gates::gate_table(&summary.gates));
    }
    if common.json { console::print_json(&summary) } else { Ok(()) }
}
