//! What commands other than `analyze` write and print as JSON.

pub(crate) mod align;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod exact;
pub(crate) mod made;
pub(crate) mod weights;
