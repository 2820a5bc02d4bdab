//! `lsmi guide clean`: labels that everything speaks against, and how well that finds wrong ones.

use std::io::Write;

use lsmi_candle::estimator;
use lsmi_candle::features::read_with_keys;
use lsmi_guide::experiments::clean::{Noise, PlantedSettings, find_planted, find_suspects};
use lsmi_guide::experiments::distill::Progress;
use lsmi_guide::experiments::ensemble::EnsembleError;

use super::{partial, register, remove, say_files};
use crate::arguments::{Clean, NoiseName};
use crate::commands::analyze::say_notes;
use crate::output::clean::{self, CleanSummary};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_directory};
use crate::tables::clean::clean_table;

const SUSPECTS: &str = "suspects.csv";
const RESULT: &str = "clean.json";

pub(super) fn run(arguments: &Clean) -> Result<(), Failure> {
    let (path, common) = (arguments.data.as_path(), &arguments.common);
    check_directory(&arguments.out, common.force, &[SUSPECTS, RESULT], &[path])?;
    let file = read_with_keys(path, &arguments.arrays.keys())?;
    say_notes(&file.notes, None);
    let samples = file.pooled().map_err(|error| Failure::data(error).about(path))?;
    let estimator = estimator::Settings {
        seed: common.seed,
        folds: usize::from(arguments.folds),
        threads: common.threads.map_or(0, usize::from),
        device: common.device,
        ..estimator::Settings::default()
    };
    let partial = partial(&arguments.out);
    let kept = || register(&partial, "seeds", usize::from(arguments.seeds));
    let (ranked, planted) = progress::steps(common.quiet, kept, |tell| -> Result<_, EnsembleError> {
        let total = 1 + usize::from(arguments.seeds);
        tell(Progress { done: 0, total, what: "suspects".to_owned() });
        let ranked = find_suspects(&samples, &file.classes, &estimator)?;
        if arguments.seeds == 0 {
            return Ok((ranked, None));
        }
        let settings = PlantedSettings {
            rate: arguments.planted,
            noise: match arguments.noise {
                NoiseName::Uniform => Noise::Uniform,
                NoiseName::ByClassShare => Noise::ByClassShare,
            },
            seeds: usize::from(arguments.seeds),
            seed: common.seed,
            estimator,
        };
        let mut tell_seed = |done: usize, seeds: usize| {
            tell(Progress {
                done: 1 + done,
                total,
                what: format!("planted labels of seed {} of {seeds}", (done + 1).min(seeds)),
            });
        };
        let planted = find_planted(&samples, &file.classes, &settings, Some(&partial), &mut tell_seed)?;
        Ok((ranked, Some(planted)))
    })
    .map_err(|error| Failure::from(error).about(path))?;

    let classes = file.classes.names();
    let summary = CleanSummary::new(&ranked, classes, planted);
    let mut staging = Staging::default();
    staging.write(&arguments.out.join(SUSPECTS), |file| clean::write(&ranked, classes, file))?;
    staging.write(&arguments.out.join(RESULT), |file| Ok(file.write_all(console::as_json(&summary)?.as_bytes())?))?;
    staging.commit(&[])?;
    if summary.planted.is_some() {
        remove(&partial)?;
    }
    if !common.quiet {
        console::say(&clean_table(&summary, &ranked[..ranked.len().min(usize::from(arguments.top))], classes));
        say_files(&[&arguments.out.join(SUSPECTS), &arguments.out.join(RESULT)]);
    }
    if common.json { console::print_json(&summary) } else { Ok(()) }
}
