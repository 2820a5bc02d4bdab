//! Files of more than two modalities: found by their names, and read two at a time by the reader of two.

mod find;
mod read;
mod set;

pub(super) use find::unused_modalities;
pub use set::{SeveralFile, SeveralSet};
