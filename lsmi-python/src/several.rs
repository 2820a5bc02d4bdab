//! Analyses of more than two modalities.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::analysis::several;
use lsmi_candle::estimator::several::SeveralSettings;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::background;
use crate::error::failed;
use crate::samples::SampleTable;
use crate::settings::{self, option};
use crate::table::{Samples, Table, misread};

/// Scored samples of more than two modalities, with their summary.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct SeveralAnalysis(Arc<several::SeveralAnalysis>);

/// Analyses a table of several modalities.
#[pyfunction]
#[pyo3(signature = (table, options, listener=None))]
pub(crate) fn analyze_several(
    py: Python<'_>,
    table: &Table,
    options: &Bound<'_, PyDict>,
    listener: Option<Py<PyAny>>,
) -> PyResult<SeveralAnalysis> {
    let settings = settings::analysis(options)?;
    let further = SeveralSettings { all_heads: option(options, "shapley")? };
    let (samples, pooling) = (Arc::clone(&table.samples), table.pooling);
    let analysis = background::run(py, listener, move |progress| {
        let Samples::Several(file) = &*samples else { return Err(misread()) };
        Ok(several::analyze_several(file, &settings, further, Some(progress))?.with_pooling(pooling))
    })?;
    Ok(SeveralAnalysis(Arc::new(analysis)))
}

#[pymethods]
impl SeveralAnalysis {
    /// The content of `summary.json`.
    fn summary(&self) -> PyResult<String> {
        serde_json::to_string(self.0.summary()).map_err(|error| failed(&error))
    }

    /// The lattice of a split in a sentence or two; None where there is no lattice.
    fn reading(&self, split: &str) -> Option<String> {
        let summary = self.0.summary();
        let (_, split) = summary.splits.iter().find(|(name, _)| name == split)?;
        summary.reading(split)
    }

    /// The samples of all splits.
    fn samples(&self) -> SampleTable {
        SampleTable(self.0.samples())
    }

    /// Writes samples, summary and estimator to a directory, as `lsmi analyze` does.
    fn write(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(directory)).map_err(|error| failed(&error))
    }
}
