//! Analyses of several labels of the same samples.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::analysis::labels::{self, LabelsSettings};
use lsmi_candle::samples::Format;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::analysis::Analysis;
use crate::arrow;
use crate::background;
use crate::error::{failed, usage};
use crate::samples;
use crate::settings::{self, option, parsed};
use crate::table::{Samples, Table, misread};

/// Analyses of several labels, with a summary of all.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct LabelsAnalysis(Arc<labels::LabelsAnalysis>);

/// Analyses a table of several labels.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn analyze_labels(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<LabelsAnalysis> {
    let (analysis, rare) = (settings::analysis(options)?, settings::rare(options)?);
    let settings = LabelsSettings { analysis, rare, least: option(options, "rare_below")? };
    let samples = Arc::clone(&table.samples);
    let analysis = background::run(py, listener, move |progress| {
        let Samples::Labels(file) = &*samples else { return Err(misread()) };
        Ok(labels::analyze_labels(file, &settings, Some(progress))?)
    })?;
    Ok(LabelsAnalysis(Arc::new(analysis)))
}

#[pymethods]
impl LabelsAnalysis {
    /// The content of `summary.json`.
    fn summary(&self) -> PyResult<String> {
        serde_json::to_string(self.0.summary()).map_err(|error| failed(&error))
    }

    /// The names of the labels, in the order of the columns.
    fn labels(&self) -> Vec<String> {
        self.0.analyses().iter().map(|(label, _)| label.clone()).collect()
    }

    /// The analysis of the label at a place.
    fn analysis(&self, place: usize) -> PyResult<Analysis> {
        let of_label = Analysis::of_label(&self.0, place);
        of_label.ok_or_else(|| usage(format!("there is no label {place}, only {}", self.0.analyses().len())))
    }

    /// The samples of all labels as a dictionary of NumPy arrays and lists.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        arrow::dictionary(py, &self.0.samples().map_err(|error| failed(&error))?)
    }

    /// The samples of all labels as a stream of Arrow's C interface.
    fn arrow_stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(arrow::stream(py, self.0.samples().map_err(|error| failed(&error))?)?.into_any())
    }

    /// Writes the samples of all labels to a file.
    fn write_samples(&self, py: Python<'_>, path: PathBuf, format: &str) -> PyResult<()> {
        let format: Format = parsed(format)?;
        py.detach(|| samples::write(&path, |output| self.0.write_samples(output, format)))
    }

    /// Writes samples, summary and the estimator of each label to a directory, as `lsmi analyze` does.
    fn write(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(directory)).map_err(|error| failed(&error))
    }
}
