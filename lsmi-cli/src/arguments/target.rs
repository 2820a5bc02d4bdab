//! Options of `analyze` for targets that are no classes.

use clap::Args;

/// What the target is, where it is not a class.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct TargetOptions {
    /// What y is: continuous, for numbers whose density is fitted; without it, classes
    #[arg(long, value_name = "continuous")]
    pub(crate) target: Option<TargetKind>,
    /// Analyse several continuous targets, y [n, L], jointly in place of one by one
    #[arg(long, requires = "target")]
    pub(crate) jointly: bool,
}

/// A kind of target that is not a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TargetKind {
    /// Numbers whose density is fitted.
    Continuous,
}
