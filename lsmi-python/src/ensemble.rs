//! A guided ensemble: the weight of every member for every sample.

use lsmi_candle::features::Groups;
use lsmi_core::{Decomposition, SampleIds};
use lsmi_guide::experiments::ensemble::{EnsembleError, Guidance, GuidedSettings, GuidedWeights, Members};
use numpy::{IntoPyArray, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Class, Raised, failed, usage};
use crate::guide::{class_indices, numbers};

/// Fitted weights of an ensemble's members.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Ensemble(GuidedWeights);

#[pymethods]
impl Ensemble {
    /// Fits weights to samples that the members have not learned from.
    ///
    /// `members` has the logits or log-probabilities of each, float64 `[n, K]` by name; `interactions` has `r`, `u1`, `u2` and
    /// `s`, float64 `[n]`, expected without the label.
    #[staticmethod]
    #[pyo3(signature = (members, interactions, labels, groups=None, folds=5, seed=0))]
    fn fit(
        py: Python<'_>,
        members: &Bound<'_, PyDict>,
        interactions: &Bound<'_, PyDict>,
        labels: PyReadonlyArray1<'_, i64>,
        groups: Option<Vec<String>>,
        folds: usize,
        seed: u64,
    ) -> PyResult<Self> {
        let members = self::members(members)?;
        let interactions = decomposition(interactions, members.rows())?;
        let labels = class_indices(&labels)?;
        let groups = groups.map(Groups::of_values);
        let settings = GuidedSettings { folds, seed, ..GuidedSettings::default() };
        let fitted = py.detach(|| GuidedWeights::fit(&members, &interactions, &labels, groups.as_ref(), &settings));
        Ok(Self(fitted.map_err(raised)?))
    }

    /// Returns the weight of every member for every sample, `[n, M]`, in the order of the members.
    fn weights<'py>(
        &self,
        py: Python<'py>,
        members: &Bound<'py, PyDict>,
        interactions: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let members = self::members(members)?;
        let interactions = decomposition(interactions, members.rows())?;
        let guided = self.0.predict(&members, &interactions).map_err(raised)?;
        Ok(guided.weights.into_pyarray(py).reshape([members.rows(), members.len()])?.into_any())
    }

    /// The penalty that cross-validation chose; None where weights are those of stacking, the same for all samples.
    #[getter]
    fn penalty(&self) -> Option<f64> {
        match self.0.guidance() {
            Guidance::Penalty(penalty) => Some(penalty),
            Guidance::Stacking => None,
        }
    }

    /// The fitted weights as JSON.
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&self.0).map_err(|error| failed(&error))
    }

    /// Reads fitted weights from JSON.
    #[staticmethod]
    fn of_json(text: &str) -> PyResult<Self> {
        let read = serde_json::from_str(text).map(Self);
        read.map_err(|error| usage(format!("this is no state of an ensemble: {error}")))
    }
}

fn members(of: &Bound<'_, PyDict>) -> PyResult<Members> {
    let mut members: Option<Members> = None;
    for (name, logits) in of {
        let (name, logits): (String, PyReadonlyArray2<'_, f64>) = (name.extract()?, logits.extract()?);
        let [rows, classes] = [logits.shape()[0], logits.shape()[1]];
        let values = logits.as_array().iter().copied().collect();
        members.get_or_insert_with(|| Members::new(rows, classes)).push(&name, values).map_err(raised)?;
    }
    members.ok_or_else(|| usage("there are no members; give the log-probabilities of one at least"))
}

fn decomposition(of: &Bound<'_, PyDict>, rows: usize) -> PyResult<Decomposition> {
    let column = |name: &str| numbers(of, name);
    Ok(Decomposition {
        ids: SampleIds::rows(rows),
        r: column("r")?,
        u1: column("u1")?,
        u2: column("u2")?,
        s: column("s")?,
    })
}

fn raised(error: EnsembleError) -> PyErr {
    Raised::new(Class::Data, &error).into()
}
