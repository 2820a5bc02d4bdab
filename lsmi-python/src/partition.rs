//! Samples high, middle and low in one value.

use lsmi_guide::{PartitionError, Rule, Tie};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Class, Raised, usage};

/// Splits samples by a value a sample, in each class by itself where there are labels: the highest and lowest `fraction`, or
/// those beyond `threshold`, `(low, high)`. Returns the rows `high`, `middle` and `low`, their `bounds`, and `ties`.
#[pyfunction]
#[pyo3(signature = (values, labels=None, fraction=None, threshold=None))]
pub(crate) fn partition<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    labels: Option<PyReadonlyArray1<'py, u32>>,
    fraction: Option<f64>,
    threshold: Option<(f64, f64)>,
) -> PyResult<Bound<'py, PyDict>> {
    let rule = match (fraction, threshold) {
        (Some(fraction), None) => Rule::Fraction(fraction),
        (None, Some((low, high))) => Rule::Threshold { low, high },
        _ => return Err(usage("give either fraction= or threshold=(low, high)")),
    };
    let values = values.as_array().to_vec();
    let labels = labels.map(|labels| labels.as_array().to_vec());
    let parts = lsmi_guide::partition(&values, labels.as_deref(), &rule).map_err(raised)?;
    let all = PyDict::new(py);
    for (name, rows) in [("high", parts.high), ("middle", parts.middle), ("low", parts.low)] {
        let rows: Vec<i64> = rows.into_iter().filter_map(|row| i64::try_from(row).ok()).collect();
        all.set_item(name, rows.into_pyarray(py))?;
    }
    all.set_item("bounds", parts.bounds)?;
    let tie = |tie: Option<Tie>| tie.map(|tie| (tie.samples, tie.taken));
    all.set_item("ties", (tie(parts.ties.high), tie(parts.ties.low)))?;
    Ok(all)
}

fn raised(error: PartitionError) -> PyErr {
    let class = match error {
        PartitionError::Fraction { .. } | PartitionError::Thresholds { .. } => Class::Usage,
        _ => Class::Data,
    };
    Raised::new(class, &error).into()
}
