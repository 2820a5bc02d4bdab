//! Settings of a fit, given by keyword.

use std::str::FromStr;
use std::sync::Arc;

use lsmi_candle::analysis::names::Names;
use lsmi_candle::analysis::{self, Gates};
use lsmi_candle::densities::knife;
use lsmi_candle::estimator;
use lsmi_candle::features::Rare;
use lsmi_core::{ClassPrior, Measure, PriorChoice};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::analysis::Estimator;
use crate::error::{Class, Raised, usage};

/// Reads the settings of an analysis from a dictionary that has all of them.
pub(crate) fn analysis(options: &Bound<'_, PyDict>) -> PyResult<analysis::Settings> {
    let measures: Vec<String> = option(options, "measures")?;
    let check: bool = option(options, "check")?;
    let gates = Gates { strength: option(options, "strength")?, rows: option(options, "rows")? };
    Ok(analysis::Settings {
        fit: fit(options)?,
        repeats: option(options, "repeats")?,
        measures: measures.iter().map(|measure| parsed(measure)).collect::<PyResult<Vec<Measure>>>()?,
        permutations: option(options, "null")?,
        gates: check.then_some(gates),
        names: names(options)?,
        label: option(options, "label")?,
    })
}

/// Reads what the modalities are called.
pub(crate) fn names(options: &Bound<'_, PyDict>) -> PyResult<Names> {
    let [x1, x2]: [String; 2] = option(options, "names")?;
    parsed(&format!("{x1},{x2}"))
}

/// Reads the settings of a fit.
pub(crate) fn fit(options: &Bound<'_, PyDict>) -> PyResult<estimator::Settings> {
    let densities: Option<Py<Estimator>> = option(options, "densities")?;
    let published: bool = option(options, "published_knife")?;
    Ok(estimator::Settings {
        seed: option(options, "seed")?,
        folds: option(options, "folds")?,
        repeats: option::<Option<usize>>(options, "repeats")?.unwrap_or(1),
        gauge: parsed(&option::<String>(options, "gauge")?)?,
        dims: parsed(&option::<String>(options, "dims")?)?,
        prior: prior(options)?,
        measure: parsed(&option::<String>(options, "measure")?)?,
        knife: if published { knife::Params::published() } else { knife::Params::default() },
        densities: densities.map(|estimator| Arc::clone(&estimator.get().0)),
        folds_of_rows: None,
        prototypes: rare(options)? == Rare::Prototypes,
        scale_logits: option(options, "scale_logits")?,
        threads: option(options, "threads")?,
        device: parsed(&option::<String>(options, "device")?)?,
    })
}

/// Reads what becomes of rare classes.
pub(crate) fn rare(options: &Bound<'_, PyDict>) -> PyResult<Rare> {
    parsed(&option::<String>(options, "rare")?)
}

/// Takes an option, which Python has filled in.
pub(crate) fn option<'py, T>(options: &Bound<'py, PyDict>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let value = options.get_item(name)?.ok_or_else(|| usage(format!("{name}= is missing")))?;
    value.extract().map_err(|error: T::Error| {
        let error: PyErr = error.into();
        usage(format!("{name}={}: {error}", shown(&value)))
    })
}

fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "?".to_owned(), |repr| repr.to_string())
}

/// Reads a word that has a type of its own.
pub(crate) fn parsed<T: FromStr<Err: std::error::Error>>(text: &str) -> PyResult<T> {
    text.parse().map_err(|error: T::Err| Raised::new(Class::Usage, &error).into())
}

/// `empirical`, `uniform`, or one probability a class.
fn prior(options: &Bound<'_, PyDict>) -> PyResult<PriorChoice> {
    if let Ok(given) = option::<Vec<f64>>(options, "prior") {
        ClassPrior::given(&given).map_err(|error| Raised::new(Class::Usage, &error))?;
        return Ok(PriorChoice::Given(given));
    }
    match option::<String>(options, "prior")?.as_str() {
        "empirical" => Ok(PriorChoice::Empirical),
        "uniform" => Ok(PriorChoice::Uniform),
        other => Err(usage(format!("prior={other:?}: use \"empirical\", \"uniform\" or one probability a class"))),
    }
}
