//! What `lsmi discrete` reads, reports and shows.

mod csv;
mod distribution;
mod json;
mod read;
pub(crate) mod report;
pub(crate) mod table;

pub(crate) use distribution::{Distribution, Given, Read};
pub(crate) use read::read;
