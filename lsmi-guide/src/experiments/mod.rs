//! Whether guidance helps on a data set: alignment, distillation, ensembles and label cleaning, compared over seeds.
//!
//! All four keep what is finished in one kind of folder, from which a comparison that was stopped goes on to the same bytes,
//! and compare methods pair by pair over the same seeds.

pub mod align;
pub mod clean;
pub mod distill;
pub mod ensemble;

pub(crate) mod estimation;
pub(crate) mod metrics;
pub(crate) mod paired;
pub(crate) mod parallel;
pub(crate) mod scaling;
pub(crate) mod store;
pub(crate) mod whole_groups;
