//! The names of the methods of a comparison.

/// The name of the member that guesses.
pub const WEAK_MEMBER: &str = "weak";

pub(super) const BEST_SINGLE: &str = "best single";
pub(super) const UNIFORM: &str = "uniform";
pub(super) const BY_ACCURACY: &str = "accuracy-weighted";
pub(super) const STACKING: &str = "stacking";
pub(super) const LOG_LINEAR: &str = "stacking, log-linear";
pub(super) const GUIDED: &str = "guided";
pub(super) const LOG_LINEAR_WITH_WEAK: &str = "stacking, log-linear, with a weak member";
pub(super) const GUIDED_WITH_WEAK: &str = "guided, with a weak member";
pub(super) const ORACLE: &str = "oracle";
