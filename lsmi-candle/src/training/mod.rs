//! Trains networks of candle's tensors repeatably: parameters from a named stream, and Adam.
//!
//! `lsmi-guide` trains its students with these.

pub mod adam;
pub mod parameters;
