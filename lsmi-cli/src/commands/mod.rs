//! The commands, one a file: each checks where its output goes, does its work, writes, and tells.

mod analyze;
mod check;
mod compare;
mod demo;
mod diff;
mod discrete;
mod embed;
mod emoji;
mod fit;
mod generate;
mod guide;
mod hub;
mod join;

mod leftovers;
mod model_source;
mod models;
mod partition;
mod report;
mod saved;
mod score;
mod settings;
mod simulate;
mod write_analysis;

pub(crate) use self::demo::DATA as DEMO_DATA;

use crate::arguments::Command;
use crate::arguments::effective::Effective;
use crate::process::failure::Failure;

/// Does what the command line asks for; `effective` is written beside results in directories.
pub(crate) fn run(command: &Command, effective: &Effective) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, effective),
        Command::Analyze(arguments) => analyze::run(arguments, effective),
        Command::Fit(arguments) => fit::run(arguments),
        Command::Score(arguments) => score::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Discrete(arguments) => discrete::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Diff(arguments) => diff::run(arguments, effective),
        Command::Embed(arguments) => embed::run(arguments),
        Command::Join(arguments) => join::run(arguments),
        Command::Partition(arguments) => partition::run(arguments, effective),
        Command::Report(arguments) => report::run(arguments),
        Command::Guide(arguments) => guide::run(arguments),
        Command::Models(arguments) => hub::run(arguments),
        Command::Completions(arguments) => generate::completions(arguments),
        Command::Man(arguments) => generate::man(arguments),
    }
}
