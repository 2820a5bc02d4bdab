//! Scoring of more rows than memory holds: rows are read, scored and written in groups, and what is finished is kept.
//!
//! [`plan`] says which rows are a group, [`pipeline`] reads, scores and encodes several groups at once, in order,
//! [`partial`] keeps what is finished beside the output and [`manifest`] says of which job that is. [`sums`] are what the
//! summary needs of all rows.

pub(crate) mod encode;
pub(crate) mod manifest;
pub(crate) mod partial;
pub(crate) mod pipeline;
pub(crate) mod plan;
