//! Samples of an analysis as columns, and the files that hold them.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use lsmi_candle::files::AtomicFile;
use lsmi_candle::samples::{Format, table};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrow;
use crate::error::{failed, failed_at};
use crate::settings::parsed;

/// Samples whose columns depend on what was analysed.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct SampleTable(pub(crate) table::SampleTable);

#[pymethods]
impl SampleTable {
    /// The samples as a dictionary of NumPy arrays and lists.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        arrow::dictionary(py, &self.0.record_batch().map_err(|error| failed(&error))?)
    }

    /// The samples as a stream of Arrow's C interface.
    fn arrow_stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(arrow::stream(py, self.0.record_batch().map_err(|error| failed(&error))?)?.into_any())
    }

    /// Writes the samples to a file.
    fn write_samples(&self, py: Python<'_>, path: PathBuf, format: &str) -> PyResult<()> {
        let format: Format = parsed(format)?;
        py.detach(|| write(&path, |output| self.0.write(output, format)))
    }
}

/// Writes a file that is there whole or not at all.
pub(crate) fn write(
    path: &Path,
    rows: impl FnOnce(&mut BufWriter<&File>) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> PyResult<()> {
    let file = AtomicFile::create(path).map_err(|error| failed_at(path, &error))?;
    let mut output = BufWriter::new(file.file());
    rows(&mut output).and_then(|()| Ok(output.flush()?)).map_err(|error| failed_at(path, &*error))?;
    drop(output);
    file.persist().map_err(|error| failed_at(path, &error))
}
