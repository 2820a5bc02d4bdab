//! The command line: every command, every option, and the help that goes with them.
//!
//! What concerns one or a few commands is in a file of its own.
//! Options may also stand in a file given with `--config`; see [`crate::arguments::configuration`].

mod analysis;
mod check;
mod compare;
pub(crate) mod configuration;
mod data;
mod diff;
mod discrete;
pub(crate) mod effective;
mod embed;
mod estimation;
mod generate;
mod guide;
mod hub;
mod join;
mod models;
mod partition;
mod report;
mod sequences;
mod several;
mod simulate;
mod stream;
mod target;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::features::{GroupKey, Keys, Missing, MissingModality};

pub(crate) use analysis::{Analyze, Demo, Fit, Score};
pub(crate) use check::{Check, CheckToo};
pub(crate) use compare::Compare;
pub(crate) use data::DataFiles;
pub(crate) use diff::{Diff, Splits};
pub(crate) use discrete::Discrete;
pub(crate) use embed::{Chosen, ColumnNames, Embed, Encoders, OnError, Precision};
pub(crate) use estimation::{Estimation, Measures, NullTest};
pub(crate) use generate::{Completions, Man};
pub(crate) use guide::{Align, Clean, Distill, Ensemble, Export, Guide, GuideAction, NoiseName, RuleName, SourceName};
pub(crate) use hub::{HubAction, HubCommand, ListModels, ModelOrigin, PullModels, ShowModel, VerifyModels};
pub(crate) use join::Join;
pub(crate) use models::{ModelFile, Models};
pub(crate) use partition::{By, Partition};
pub(crate) use report::{Report, ReportToo};
pub(crate) use sequences::{Lagged, Sequences};
pub(crate) use several::{Modalities, Several};
pub(crate) use simulate::Simulate;
pub(crate) use stream::Streaming;
pub(crate) use target::{RareOptions, Target, TargetOptions};

/// How much of what two modalities tell about a label is redundant, unique and synergistic, sample by sample.
#[derive(Debug, Parser)]
#[command(name = "lsmi", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
All values are in nats. Data goes to stdout, everything else to stderr.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 the data cannot be used, 130 stopped by Ctrl-C.

Start here:
  lsmi demo";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole path on built-in data: what picture and name of an emoji tell about its category.
    #[command(after_help = analysis::DEMO_EXAMPLES)]
    Demo(Demo),
    /// Cross-fit an estimator, decompose every sample, summarise and save.
    #[command(after_help = analysis::ANALYZE_EXAMPLES)]
    Analyze(Analyze),
    /// Fit an estimator and save it, nothing else.
    #[command(after_help = analysis::FIT_EXAMPLES)]
    Fit(Fit),
    /// Decompose new samples with a saved estimator.
    #[command(after_help = analysis::SCORE_EXAMPLES)]
    Score(Score),
    /// Draw samples from a known density, with their exact terms and r, u1, u2, s.
    #[command(after_help = simulate::SIMULATE_EXAMPLES)]
    Simulate(Simulate),
    /// Decompose a joint distribution of discrete variables exactly, or samples of one.
    #[command(after_help = discrete::DISCRETE_EXAMPLES)]
    Discrete(Discrete),
    /// Ask whether the data can support conclusions, before or without an analysis.
    #[command(after_help = check::CHECK_EXAMPLES)]
    Check(Check),
    /// Hold LSMI against PID-Batch and PID-CVX on the same data, and against the exact answer where there is one.
    #[command(after_help = compare::COMPARE_EXAMPLES)]
    Compare(Compare),
    /// Hold two analyses against each other, sample by sample and class by class.
    #[command(after_help = diff::DIFF_EXAMPLES)]
    Diff(Diff),
    /// Turn pictures, sentences, sounds and videos into features with pretrained encoders.
    #[command(after_help = embed::EMBED_EXAMPLES)]
    Embed(Embed),
    /// Put the files of all shards of `embed` or `score` together to the file of the whole.
    #[command(after_help = join::JOIN_EXAMPLES)]
    Join(Join),
    /// Split samples into high, middle and low by r, u1, u2 or s.
    #[command(after_help = partition::PARTITION_EXAMPLES)]
    Partition(Partition),
    /// Write the page about an analysis: report.html, and its figures as SVG.
    #[command(after_help = report::REPORT_EXAMPLES)]
    Report(Report),
    /// Use interactions in training.
    #[command(after_help = guide::GUIDE_EXAMPLES)]
    Guide(Guide),
    /// Encoders of text, pictures and sound: list, show, download and verify them.
    #[command(after_help = hub::MODELS_EXAMPLES)]
    Models(HubCommand),
    /// Write the completions of a shell to stdout.
    #[command(after_help = generate::COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Write manual pages.
    #[command(after_help = generate::MAN_EXAMPLES)]
    Man(Man),
}

/// Which arrays to read.
#[derive(Debug, Args)]
pub(crate) struct Arrays {
    /// Names of the arrays in the file [default: x1,x2,y and, where there is one, id]
    #[arg(long, value_name = "X1,X2,LABEL[,ID]")]
    keys: Option<Keys>,
    /// Keep rows of equal values in an array or column together (pictures of several captions, speakers) in folds, permutations
    /// and intervals; `none`: not even rows that are equal [default: rows that are equal, or nearly]
    #[arg(long, value_name = "COLUMN|none")]
    groups: Option<GroupKey>,
    /// What becomes of rows whose label is missing (nothing, NaN, NA, null, None): refuse, drop (they are left out and
    /// counted) or keep (these texts are names like others)
    #[arg(long, default_value_t)]
    missing: Missing,
    #[command(flatten)]
    sequences: Sequences,
}

impl Arrays {
    /// The names given, or the usual ones.
    pub(crate) fn keys(&self) -> Keys {
        let (keys, groups) = (self.keys.clone().unwrap_or_default(), self.groups.clone().unwrap_or_default());
        Keys { missing: self.missing, groups, pool: self.sequences.pool, ..keys }
    }

    /// The same where rows that lack a modality are used.
    pub(crate) fn keys_with_partial(&self) -> Keys {
        Keys { missing_modality: MissingModality::Keep, ..self.keys() }
    }
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Models fitted, or row groups scored, at the same time; changes no result [default: one per processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Device: auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// File of options, by the same names; options on the command line win
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON to stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no table
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Overwrite existing output
    #[arg(long)]
    pub(crate) force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// All commands, those below `models` too.
    fn all() -> Vec<clap::Command> {
        fn add(command: &clap::Command, all: &mut Vec<clap::Command>) {
            for command in command.get_subcommands() {
                all.push(command.clone());
                add(command, all);
            }
        }
        let mut all_of_them = Vec::new();
        add(&Arguments::command(), &mut all_of_them);
        all_of_them
    }

    #[test]
    fn the_help_of_every_command_has_examples() {
        for command in all() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
            let name = command.get_name();
            assert!(
                ["", "models ", "guide "].iter().any(|group| examples.contains(&format!("  lsmi {group}{name}"))),
                "{name}: {help}"
            );
        }
    }

    #[test]
    fn every_command_that_says_anything_can_be_quiet_and_speak_json() {
        let leaves = all().into_iter().filter(|command| !command.has_subcommands());
        for command in leaves.filter(|command| !["completions", "man"].contains(&command.get_name())) {
            let has =
                |long: &str| command.get_opts().chain(command.get_arguments()).any(|arg| arg.get_long() == Some(long));
            assert!(has("json") && has("quiet"), "{}", command.get_name());
        }
    }
}
