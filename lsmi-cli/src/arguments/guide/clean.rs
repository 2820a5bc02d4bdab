//! Options of `lsmi guide clean`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::share;
use crate::arguments::{Arrays, Common};

pub(super) const CLEAN_EXAMPLES: &str = "\
Which labels does everything speak against? suspects.csv lists all rows, the most suspicious first, with what x1, x2 and \
both say. The score is the log odds, in nats, of the best other class against the label, by cross-fitted heads of x1, x2 and \
both and their late fusion, in the log-linear pool that predicts held-out labels best: no row is judged by models that saw it.

Then the same is tried on labels made wrong on purpose, and held against the ranking by the loss of the joint head; \
--seeds 0 leaves that out. An experiment that is stopped goes on from DIR.partial when asked for again. The splits of \
DATA are pooled.

Examples:
  lsmi guide clean features.npz --out suspects
  lsmi guide clean features.npz --out suspects --seeds 0 --top 50
  lsmi guide clean features.npz --out suspects --planted 0.2 --noise by-class-share --json";

/// `lsmi guide clean`.
#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Feature file
    pub(crate) data: PathBuf,
    /// Directory for suspects.csv and clean.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Suspects in the table
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: u16,
    /// Repetitions of the experiment with planted labels, with seeds from --seed on; 0: leave it out
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(..=1000))]
    pub(crate) seeds: u16,
    /// Share of the labels that the experiment makes wrong
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share)]
    pub(crate) planted: f64,
    /// Which class a planted label names
    #[arg(long, value_enum, default_value_t = NoiseName::Uniform)]
    pub(crate) noise: NoiseName,
    /// Folds of the cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Which class a wrong label names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NoiseName {
    /// Each of the other classes as often as any other
    Uniform,
    /// Each of the other classes in proportion to its share of the labels
    ByClassShare,
}
