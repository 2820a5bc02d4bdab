//! Scores rows by fitted models, with labels ([`Scores`]) and without ([`Candidates`]).

mod candidates;
mod model_inputs;
mod partial;
mod predict;
mod score;

pub use candidates::{Candidates, Expected};
pub(super) use model_inputs::{Columns, ModelInputs};
pub use partial::{OneModalityScores, PartialScores};
pub(super) use predict::{HEADS, Predictions, ROWS_AT_A_TIME, log_mean, log_posteriors};
pub use score::Scores;
pub(super) use score::{Columns as TermColumns, check_finite, filled_up, score_blocks};
