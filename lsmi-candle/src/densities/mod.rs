//! The densities p(x1) and p(x2): the coordinates that they are measured in, and the mixtures that are fitted there.

pub(crate) mod conditional;
pub mod gauge;
pub mod knife;
pub mod mixture;
pub mod points;
