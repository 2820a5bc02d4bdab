//! Labels that every modality contradicts: where to look for wrong ones.
//!
//! [`suspects`] ranks samples by the [`contradictions`] of their labels, and [`find_suspects`] does so from end to end; [`find_planted`] makes labels wrong on purpose and
//! measures how well the ranking finds them, beside the ranking by plain loss.

mod experiment;
mod noise;
mod precision;
mod score;

pub use experiment::{Experiment, PlantedSettings, ScoreRow, find_planted};
pub use noise::{Noise, Planted};
use precision::descending;
pub use precision::{average_precision, precision_at, recall_at};
pub use score::{Contradiction, Suspect, contradictions, find_suspects, suspects};
