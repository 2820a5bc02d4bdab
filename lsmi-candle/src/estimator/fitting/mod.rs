//! Fits estimators to samples in memory ([`cross_fit`]) and to files larger than memory ([`fit_stream`]), and tests
//! fits against the null.

mod cross_fit;
mod given_logits;
mod models;
mod notes;
mod null;
mod partial;
mod progress;
mod settings;
mod shared;
mod stream;

pub use cross_fit::{CrossFit, cross_fit};
pub(super) use cross_fit::{Fitting, fit_densities, numbers_of, prior_name};
pub(super) use models::Fit;
pub(super) use notes::{few_rows_note, gauge_notes, notes_on_coordinates, prior_note};
pub use null::{Null, Test, Tests};
pub use partial::cross_fit_partial;
pub use progress::Progress;
pub(crate) use progress::Reporter;
pub use settings::Settings;
pub use shared::{SharedFit, fit_shared};
pub use stream::{StreamFit, fit_stream};
