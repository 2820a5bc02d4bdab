//! `lsmi compare`: several estimators on the same data, beside the exact answer where there is one.

use std::io::Write;
use std::path::Path;

use lsmi_candle::analysis::Evaluation;
use lsmi_candle::baselines::compare::{Data, Estimate, Method, Settings};
use lsmi_candle::baselines::{pid_batch, pid_cvx};
use lsmi_candle::estimator;
use lsmi_candle::features::{self, FeatureFile, FeatureSet};

use super::analyze::{read_evaluations, say_notes, training_rows};
use crate::arguments::Compare;
use crate::output::compare::Comparison;
use crate::output::exact::{Exact, of_simulated, of_states};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_file};
use crate::tables;

pub(super) fn run(arguments: &Compare) -> Result<(), Failure> {
    let (samples, common) = (arguments.data.data(), &arguments.common);
    let data = samples.path();
    if let Some(out) = &arguments.out {
        let inputs: Vec<&Path> = samples.paths().into_iter().chain(arguments.eval.as_deref()).collect();
        check_file(out, common.force, &inputs)?;
    }
    let keys = arguments.arrays.keys();
    let file = samples.read(&keys)?;
    say_notes(&file.notes, None);
    let evaluation = read_evaluations(arguments.eval.as_slice(), &keys, &file)?;
    let train = without_logits(training_rows(&file)?);
    let eval = rows_to_answer_for(&file, evaluation.first()).map(without_logits);
    let answered = arguments.eval.as_deref().map_or_else(|| samples.clone(), features::Data::from);
    let asked = Asked { arguments, source: &answered, rows: eval.as_ref().unwrap_or(&train) };
    let exact = asked.exact()?;

    let settings = settings(arguments);
    let given = Data { train: &train, eval: eval.as_ref(), classes: &file.classes };
    let mut runs: Vec<(Method, Vec<Estimate>)> = Vec::new();
    for method in &arguments.methods.0 {
        let estimates = (0..u64::from(arguments.seeds))
            .map(|run| {
                let seed = common.seed.wrapping_add(run);
                progress::shown(common.quiet, |sender| method.estimate(given, &settings, seed, sender))
                    .map_err(|error| Failure::from(error).about(data))
            })
            .collect::<Result<_, _>>()?;
        runs.push((*method, estimates));
    }

    let comparison = Comparison::new(common.seed, &train, &file.classes, exact, runs);
    if let Some(out) = &arguments.out {
        let mut staging = Staging::default();
        staging.write(out, |file| Ok(file.write_all(console::as_json(&comparison)?.as_bytes())?))?;
        staging.commit(&[])?;
    }
    if !common.quiet {
        console::say(&tables::compare::compare_table(&comparison));
    }
    if common.json { console::print_json(&comparison) } else { Ok(()) }
}

/// The rows that methods answer for, and where they are from.
struct Asked<'a> {
    arguments: &'a Compare,
    source: &'a features::Data,
    rows: &'a FeatureSet,
}

impl Asked<'_> {
    fn exact(&self) -> Result<Option<Exact>, Failure> {
        // What `lsmi simulate` writes is a file with metadata.
        if let features::Data::File(file) = self.source
            && let Some(exact) = of_simulated(file, self.rows, self.arguments.measure)?
        {
            return Ok(Some(exact));
        }
        if !self.arguments.exact {
            return Ok(None);
        }
        let exact = of_states(self.rows).map_err(|failure| failure.about(self.source.path()))?;
        exact.map(Some).ok_or_else(|| {
            Failure::data(
                "no exact answer is known: the file is not one of `lsmi simulate`, and its features have more than 256 \
                 different rows; leave out --exact",
            )
            .about(self.source.path())
        })
    }
}

/// The rows of `--eval`, or a split `test`.
fn rows_to_answer_for<'a>(file: &'a FeatureFile, evaluation: Option<&'a Evaluation>) -> Option<&'a FeatureSet> {
    evaluation.map(|evaluation| &evaluation.split().features).or_else(|| file.split("test"))
}

/// All methods look at features alone.
fn without_logits(rows: &FeatureSet) -> FeatureSet {
    FeatureSet { logits: [None, None, None], ..rows.clone() }
}

fn settings(arguments: &Compare) -> Settings {
    let common = &arguments.common;
    Settings {
        estimator: estimator::Settings {
            gauge: arguments.gauge,
            measure: arguments.measure,
            folds: usize::from(arguments.folds),
            threads: common.threads.map_or(0, usize::from),
            device: common.device,
            ..estimator::Settings::default()
        },
        pid_batch: pid_batch::Params { batch: arguments.batch as usize, ..pid_batch::Params::published() },
        pid_cvx: pid_cvx::Params {
            clusters: usize::from(arguments.clusters),
            components: usize::from(arguments.components),
            ..pid_cvx::Params::default()
        },
        ..Settings::default()
    }
}
