//! Ensembles whose weights follow the interactions of each sample.
//!
//! Several models of the same data, the [`Members`], err on different samples. Stacking gives each one weight for all
//! samples; a guided ensemble gives each sample weights of its own, by what the sample's label-free interactions say of
//! where its information lies: in both modalities alike, in one of them, or only in both together.
//!
//! 1. [`Members`] are models of any kind: the heads of an estimator, their late fusion, the user's own logits.
//! 2. [`GlobalWeights`] are the ensembles to beat: best single member, uniform, by accuracy, stacking.
//! 3. [`GuidedWeights`] are fitted to rows that the members have not seen, and penalised towards stacking.
//! 4. [`compare()`] says over seeds whether they help on these data, and [`weights()`] gives them for every sample.

mod compare;
mod description;
mod error;
mod guided;
mod members;
mod methods;
mod newton;
mod settings;
mod stacking;
mod table;
mod weights;

pub use compare::{compare, weights};
pub use error::EnsembleError;
pub use guided::{Choice, Guidance, Guided, GuidedSettings, GuidedWeights};
pub use members::Members;
pub use methods::WEAK_MEMBER;
pub use settings::{Data, Settings};
pub use stacking::{GlobalWeights, Pool};
pub use table::{Chosen, Comparison, Difference, Effect, MethodRow};
pub use weights::SampleWeights;

pub use crate::experiments::metrics::{CALIBRATION_BINS, Metrics};
