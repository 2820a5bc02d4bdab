//! Analyses over lags of sequences.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::analysis::LagAnalyses;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::analysis::Analysis;
use crate::background;
use crate::error::{failed, usage};
use crate::settings;
use crate::table::{Samples, Table, misread};

/// Analyses of several lags, with a summary of all.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct LagsAnalysis(Arc<LagAnalyses>);

/// Analyses the samples of every lag of a table of sequences.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn analyze_lags(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<LagsAnalysis> {
    let settings = settings::analysis(options)?;
    let samples = Arc::clone(&table.samples);
    let analyses = background::run(py, listener, move |progress| {
        let Samples::Sequences(file) = &*samples else { return Err(misread()) };
        Ok(lsmi_candle::analysis::analyze_lags(file, &settings, Some(progress))?)
    })?;
    Ok(LagsAnalysis(Arc::new(analyses)))
}

#[pymethods]
impl LagsAnalysis {
    /// The content of `summary.json`.
    fn summary(&self) -> PyResult<String> {
        serde_json::to_string(&self.0.summary()).map_err(|error| failed(&error))
    }

    /// The lags, the smallest first, with the name of the directory of each.
    fn lags(&self) -> Vec<(usize, String)> {
        self.0.lags.iter().map(|(lag, _)| (*lag, LagAnalyses::directory_name(*lag))).collect()
    }

    /// The analysis of the lag at a place.
    fn analysis(&self, place: usize) -> PyResult<Analysis> {
        let of_lag = Analysis::of_lag(&self.0, place);
        of_lag.ok_or_else(|| usage(format!("there is no lag at {place}, only {}", self.0.lags.len())))
    }

    /// Writes the summary of all and the files of every lag to a directory, as `lsmi analyze` does.
    fn write(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(directory)).map_err(|error| failed(&error))
    }
}
