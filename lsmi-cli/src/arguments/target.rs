//! What the label is, and what becomes of rare ones: `--target`, `--jointly`, `--rare` and `--rare-below`.

use clap::{Args, ValueEnum};
use lsmi_candle::features::Rare;

use crate::process::failure::Failure;

/// What the label of a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Target {
    /// One class.
    #[default]
    Classes,
    /// A number.
    Continuous,
    /// Several labels, each 0, 1 or missing: y [n, L].
    Labels,
}

/// What the label is, and how several numbers are analysed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct TargetOptions {
    /// What the label is: classes, continuous (a number) or labels (several, each 0, 1 or missing: y [n, L]) [default: classes]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(crate) target: Option<Target>,
    /// Analyse several continuous targets, y [n, L], jointly in place of one by one
    #[arg(long, requires = "target")]
    pub(crate) jointly: bool,
}

/// What becomes of rare classes, or labels.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RareOptions {
    /// What becomes of classes with fewer training rows than --rare-below: refuse, pool (they become one class, which is
    /// told) or prototypes (all classes stay, heads are distances from class means); with --target labels, of labels of
    /// which fewer rows have either value: refuse or pool [default: refuse]
    #[arg(long)]
    rare: Option<Rare>,
    /// Rows below which a class, or label, is rare; not fewer than there are folds [default: the number of folds]
    #[arg(long, value_name = "N", requires = "rare", value_parser = clap::value_parser!(u32).range(1..))]
    rare_below: Option<u32>,
}

impl RareOptions {
    /// Returns what becomes of rare classes.
    pub(crate) fn rare(self) -> Rare {
        self.rare.unwrap_or_default()
    }

    /// Returns the fewest rows that are enough, in a fit with so many folds.
    pub(crate) fn least(self, folds: u16) -> Result<usize, Failure> {
        match self.rare_below {
            Some(_) if self.rare() != Rare::Pool => {
                Err(Failure::usage("--rare-below says which classes are pooled: give it with --rare pool"))
            }
            Some(below) if below < u32::from(folds) => Err(Failure::usage(format!(
                "--rare-below {below} is less than the number of folds, {folds}, and classes of so few rows cannot be fitted"
            ))),
            below => Ok(below.unwrap_or(folds.into()) as usize),
        }
    }
}
