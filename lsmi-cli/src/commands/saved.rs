//! Estimators that `fit` and `analyze` saved, read back.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::Estimator;

use crate::process::failure::Failure;

/// Reads the estimator in the file `path`.
pub(super) fn read_estimator(path: &Path, device: DeviceChoice) -> Result<Estimator, Failure> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::data("no such file; give an estimator saved by `fit` or `analyze`").about(path),
        _ => Failure::data(error).about(path),
    })?;
    Ok(Estimator::from_bytes(&name, &bytes, device)?)
}
