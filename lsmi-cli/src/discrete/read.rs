//! Reading a joint distribution: which kind of file it is, and how many sources it has.

use std::path::Path;

use lsmi_candle::features::Missing;

use super::distribution::{Read, ReadError};
use super::{csv, json};
use crate::process::failure::Failure;

/// Reads a joint distribution; of samples, rows in which a state is missing are treated so.
pub(crate) fn read(path: &Path, missing: Missing) -> Result<Read, Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let result = match extension.to_ascii_lowercase().as_str() {
        "json" => json::read(path, missing).map(|distribution| Read { distribution, notes: Vec::new() }),
        "csv" => csv::read(path, missing),
        _ => Err(ReadError::Extension { found: extension.to_owned() }),
    };
    result.map_err(|error| Failure::data(error).about(path))
}
