//! Analyses of targets that are numbers.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::analysis::continuous::{TargetAnalysis, TargetAnalysisSettings, analyze_targets};
use lsmi_candle::estimator::continuous::{TargetSettings, Targets};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::background;
use crate::error::{failed, usage};
use crate::samples::SampleTable;
use crate::settings::{self, option};
use crate::table::{Samples, Table, misread};

/// Scored samples with continuous targets, with their summary.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct ContinuousAnalysis(Arc<TargetAnalysis>);

/// Analyses a table with continuous targets.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn analyze_continuous(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<ContinuousAnalysis> {
    let targets = if option(options, "jointly")? { Targets::Jointly } else { Targets::Each };
    let fit = TargetSettings { estimation: settings::fit(options)?, targets };
    let settings =
        TargetAnalysisSettings { fit, repeats: option(options, "repeats")?, names: settings::names(options)? };
    let (samples, pooling) = (Arc::clone(&table.samples), table.pooling);
    let analysis = background::run(py, listener, move |progress| {
        let Samples::Targets(file) = &*samples else { return Err(misread()) };
        Ok(analyze_targets(file, &settings, Some(progress))?.with_pooling(pooling))
    })?;
    Ok(ContinuousAnalysis(Arc::new(analysis)))
}

#[pymethods]
impl ContinuousAnalysis {
    /// The content of `summary.json`.
    fn summary(&self) -> PyResult<String> {
        serde_json::to_string(self.0.summary()).map_err(|error| failed(&error))
    }

    /// The samples of all splits, of the decomposition at a place.
    fn samples(&self, decomposition: usize) -> PyResult<SampleTable> {
        if decomposition < self.0.len() {
            return Ok(SampleTable(self.0.samples(decomposition)));
        }
        Err(usage(format!("there is no decomposition {decomposition}, only {}", self.0.len())))
    }

    /// Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
    fn write(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(directory)).map_err(|error| failed(&error))
    }
}
