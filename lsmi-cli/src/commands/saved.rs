//! Estimators that `fit` and `analyze` saved, read back.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Estimator, SavedEstimator};

use crate::process::failure::Failure;

/// Reads the estimator of two modalities and classes in the file `path`.
pub(super) fn read_estimator(path: &Path, device: DeviceChoice) -> Result<Estimator, Failure> {
    Ok(Estimator::from_bytes(&path.display().to_string(), &read_bytes(path)?, device)?)
}

/// Reads the estimator in the file `path`, of whatever kind.
pub(super) fn read_saved(path: &Path, device: DeviceChoice) -> Result<SavedEstimator, Failure> {
    Ok(SavedEstimator::from_bytes(&path.display().to_string(), &read_bytes(path)?, device)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::data("no such file; give an estimator saved by `fit` or `analyze`").about(path),
        _ => Failure::data(error).about(path),
    })
}
