//! Whether guidance helps on a data set: distillation, ensembles and label cleaning, compared over seeds.

pub mod clean;
pub mod distill;
pub mod ensemble;

pub(crate) mod estimation;
pub(crate) mod paired;
pub(crate) mod store;
pub(crate) mod whole_groups;
