//! The commands, one a file: each checks where its output goes, does its work, writes, and tells.

mod analyze;
mod check;
mod compare;
mod demo;
mod discrete;
mod embed;
mod finish;
mod fit;
mod gates;
mod hub;
mod label_free;
mod model_source;
mod models;
mod null;
mod partition;
mod report;
mod saved;
mod score;
mod score_stream;
mod settings;
mod simulate;

use crate::arguments::Command;
use crate::failure::Failure;

/// Does what the command line asks for.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Analyze(arguments) => analyze::run(arguments),
        Command::Fit(arguments) => fit::run(arguments),
        Command::Score(arguments) => score::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Discrete(arguments) => discrete::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Embed(arguments) => embed::run(arguments),
        Command::Partition(arguments) => partition::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Models(arguments) => hub::run(arguments),
    }
}
