//! What `lsmi discrete` reads, reports and shows.

mod csv;
mod json;
mod read;
pub(crate) mod report;
pub(crate) mod table;

pub(crate) use read::{Distribution, Given, Read, read};
