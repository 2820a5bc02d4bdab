//! Two analyses held against each other: [`side`] reads one of them, [`comparable`] says whether their values can be
//! compared, [`join`] which samples are in both. What comes of it is in [`crate::output::diff`].

pub(crate) mod comparable;
pub(crate) mod fits;
pub(crate) mod join;
pub(crate) mod side;
