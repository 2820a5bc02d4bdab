//! What commands print: a table or a few sentences for each result.

pub(crate) mod align;
pub(crate) mod cells;
pub(crate) mod clean;
pub(crate) mod closing;
pub(crate) mod compare;
pub(crate) mod diff;
pub(crate) mod distill;
pub(crate) mod ensemble;
pub(crate) mod gates;
pub(crate) mod gauge_sentence;
pub(crate) mod label_free;
pub(crate) mod labels;
pub(crate) mod lags;
pub(crate) mod models;
pub(crate) mod null;
pub(crate) mod ratings;
pub(crate) mod seed_stats;
pub(crate) mod sentence;
pub(crate) mod several;
pub(crate) mod streamed;
pub(crate) mod targets;
