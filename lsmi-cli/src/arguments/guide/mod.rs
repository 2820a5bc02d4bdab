//! Options of `lsmi guide`: what interactions are used for in training.

mod align;
mod clean;
mod distill;
mod ensemble;
mod unfreeze;

use clap::{Args, Subcommand};

pub(crate) use align::Align;
pub(crate) use clean::{Clean, NoiseName};
pub(crate) use distill::{Distill, Export, RuleName, SourceName};
pub(crate) use ensemble::Ensemble;

pub(super) const GUIDE_EXAMPLES: &str = "\
Examples:
  lsmi guide distill features.npz --out comparison
  lsmi guide ensemble features.npz --out comparison
  lsmi guide clean features.npz --out suspects
  lsmi guide align features.npz --out comparison";

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
    /// Do weights that follow the interactions of each sample make a better ensemble? Compare with stacking, seed by seed
    #[command(after_help = ensemble::ENSEMBLE_EXAMPLES)]
    Ensemble(Ensemble),
    /// Which labels does everything speak against? Rank them, and measure how well that finds wrong ones
    #[command(after_help = clean::CLEAN_EXAMPLES)]
    Clean(Clean),
    /// Which samples align two encoders best? Train heads by contrast on parts chosen by an interaction, seed by seed
    #[command(after_help = align::ALIGN_EXAMPLES)]
    Align(Align),
}

/// A share that leaves something on either side.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a share above 0 and below 1, as in 0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_leaves_something_on_either_side() {
        assert_eq!(share("0.25"), Ok(0.25));
        for wrong in ["0", "1", "nan", "-0.1", "half"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
