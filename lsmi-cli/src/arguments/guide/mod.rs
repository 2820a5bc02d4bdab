//! Options of `lsmi guide`: what interactions are used for in training.

mod distill;

use clap::{Args, Subcommand};

pub(crate) use distill::{Distill, Export, RuleName};

pub(super) const GUIDE_EXAMPLES: &str = "\
Examples:
  lsmi guide distill features.npz --out comparison";

/// `lsmi guide`.
#[derive(Debug, Args)]
pub(crate) struct Guide {
    /// What to guide.
    #[command(subcommand)]
    pub(crate) action: GuideAction,
}

/// What to guide.
#[derive(Debug, Subcommand)]
pub(crate) enum GuideAction {
    /// Does distillation that is guided by interactions help on these data? Compare policies, seed by seed
    #[command(after_help = distill::DISTILL_EXAMPLES)]
    Distill(Distill),
}
