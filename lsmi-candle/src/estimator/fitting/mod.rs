//! Fits estimators to samples in memory ([`cross_fit`]) and to files larger than memory ([`fit_stream`]), and tests
//! fits against the null.

mod cross_fit;
mod given_logits;
mod models;
mod notes;
mod null;
mod progress;
mod settings;
mod stream;

pub use cross_fit::{CrossFit, cross_fit};
pub(super) use cross_fit::{LEAST_GROUPS, fit_densities};
pub(super) use models::Fit;
pub(super) use notes::gauge_notes;
pub use null::{Null, Test, Tests};
pub use progress::Progress;
pub(crate) use progress::Reporter;
pub use settings::Settings;
pub use stream::{StreamFit, fit_stream};
