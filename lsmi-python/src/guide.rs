//! The hook of a training loop: a policy with interactions that are fixed or tracked.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor};
use lsmi_candle::features::Groups;
use lsmi_core::{ClassPrior, Measure, Modality, Reference, SampleIds, Terms};
use lsmi_guide::decide::policy::{self, Options, Rule};
use lsmi_guide::train::tracker::{self, Mode, Samples};
use lsmi_guide::{GuideError, Hook, Interactions, Pacing, Policy, Tracker, Weights};
use numpy::ndarray::Dimension;
use numpy::{
    Element, IntoPyArray, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::{Class, Raised, failed, usage};
use crate::settings::{option, parsed};

/// A guide of `lsmi-guide`, asked for weights and told what a student makes of its batches.
#[pyclass(module = "lsmi._lsmi")]
pub(crate) struct Guide {
    guide: lsmi_guide::Guide,
    /// The measure that interactions are shown by.
    measure: Measure,
    warm_up: usize,
    /// Whether the policy plans this epoch.
    is_planned: bool,
}

#[pymethods]
impl Guide {
    /// Makes a guide by interactions that stay as they are.
    ///
    /// `samples` has `ids` (list of str), `labels` (int64), `prior` (float64 `[K]`), `h1`, `h2`, `i1`, `i2`, `i12` (float64),
    /// `confidence` (float64 or None) and `reference` (list of 1 or 2, of all samples and then of each class, or None);
    /// `options` has `rule`, `measure`, `seed`, `warm_up` and `smoothing`.
    #[staticmethod]
    fn fixed(policy: &str, samples: &Bound<'_, PyDict>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let column = |name: &str| numbers(samples, name);
        let ids = ids(&option::<Vec<String>>(samples, "ids")?)?;
        let terms = Terms::new(ids, column("h1")?, column("h2")?, column("i1")?, column("i2")?, column("i12")?);
        let prior = ClassPrior::given(&column("prior")?).map_err(Raised::from)?;
        let interactions = Interactions::new(terms.map_err(Raised::from)?, labels(samples)?, prior);
        let mut interactions = interactions.map_err(raised)?;
        if let Some(confidence) = optional_numbers(samples, "confidence")? {
            interactions = interactions.with_confidence(confidence).map_err(raised)?;
        }
        if let Some(weaker) = option::<Option<Vec<u8>>>(samples, "reference")? {
            interactions = interactions.with_reference(reference(&weaker)?);
        }
        let guide = lsmi_guide::Guide::fixed(named(policy, options)?, interactions, pacing(options)?);
        Self::new(guide, options)
    }

    /// Makes a guide by interactions that are estimated in the student while it learns.
    ///
    /// `samples` has `ids`, `labels`, `classes` (int), `groups` (list of str or None) and `confidence`; `options` those of
    /// [`Self::fixed`] and `mode`, `capacity`, `share`, `every`, `folds`, `kernels` and `rounds`.
    #[staticmethod]
    fn tracked(policy: &str, samples: &Bound<'_, PyDict>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let groups: Option<Vec<String>> = option(samples, "groups")?;
        let of = Samples {
            ids: ids(&option::<Vec<String>>(samples, "ids")?)?,
            labels: labels(samples)?,
            classes: option(samples, "classes")?,
            groups: groups.map(Groups::of_values),
            confidence: optional_numbers(samples, "confidence")?,
        };
        let settings = tracker::Settings {
            mode: mode(options)?,
            every: option(options, "every")?,
            folds: option(options, "folds")?,
            kernels: option(options, "kernels")?,
            rounds: option(options, "rounds")?,
            measure: parsed(&option::<String>(options, "measure")?)?,
            seed: option(options, "seed")?,
            ..tracker::Settings::default()
        };
        let tracker = Tracker::new(of, settings).map_err(raised)?;
        let guide = lsmi_guide::Guide::tracked(named(policy, options)?, tracker, pacing(options)?);
        Self::new(guide, options)
    }

    /// Describes policy and settings as JSON, so that a state is not restored into another guide.
    fn identity(&self) -> String {
        self.guide.identity().to_string()
    }

    /// Prepares for the batches of an epoch, counted from 0.
    fn start_epoch(&mut self, py: Python<'_>, epoch: usize) -> PyResult<()> {
        let guide = &mut self.guide;
        py.detach(|| guide.on_epoch_start(epoch)).map_err(raised)?;
        self.is_planned = epoch >= self.warm_up && self.guide.interactions().is_some();
        Ok(())
    }

    /// Ends an epoch; a synchronous tracker estimates here.
    fn end_epoch(&mut self, py: Python<'_>, epoch: usize) -> PyResult<()> {
        let guide = &mut self.guide;
        py.detach(|| guide.on_epoch_end(epoch)).map_err(raised)
    }

    /// Returns the weights of a batch by the name of the loss, in the order of the ids, which may repeat.
    ///
    /// Columns have a mean of one over the batch, or over all samples where `per_batch` is false.
    fn weights<'py>(&mut self, py: Python<'py>, ids: Vec<String>, per_batch: bool) -> PyResult<Bound<'py, PyDict>> {
        let batch = Distinct::of(&ids);
        // Asked even where only shares are wanted: the first call begins an epoch where none has begun.
        let mut weights = self.guide.weights(&batch.ids()?).map_err(raised)?;
        let repeats = batch.firsts.len() < ids.len();
        if let Some(plan) = self.guide.plan().filter(|_| repeats || !per_batch) {
            weights = plan.share(&batch.ids()?).map_err(raised)?;
        }
        columns(py, &weights, |column| {
            let values: Vec<f64> = batch.places.iter().map(|place| column[*place]).collect();
            if repeats && per_batch { mean_one(values) } else { values }
        })
    }

    /// Whether [`Self::observe`] looks at anything.
    #[getter]
    fn is_observing(&self) -> bool {
        self.guide.is_observing()
    }

    /// Takes what the student made of a batch: float32 features of x1 and x2, `[n, d1]` and `[n, d2]`, and joint logits
    /// `[n, K]`. Of a sample that comes twice the last row counts.
    #[pyo3(signature = (ids, x1, x2, logits=None))]
    fn observe(
        &mut self,
        ids: Vec<String>,
        x1: PyReadonlyArray2<'_, f32>,
        x2: PyReadonlyArray2<'_, f32>,
        logits: Option<PyReadonlyArray2<'_, f32>>,
    ) -> PyResult<()> {
        let batch = Distinct::of(&ids);
        let rows = |what: &str, array: &PyReadonlyArray2<'_, f32>| -> PyResult<Tensor> {
            let tensor = tensor(what, array)?;
            if tensor.dims()[0] != ids.len() || batch.lasts.len() == ids.len() {
                return Ok(tensor);
            }
            // Rows of a batch are few.
            let lasts: Vec<i64> = batch.lasts.iter().filter_map(|row| i64::try_from(*row).ok()).collect();
            let lasts = Tensor::from_slice(&lasts, lasts.len(), &Device::Cpu);
            lasts.and_then(|lasts| tensor.index_select(&lasts, 0)).map_err(|error| failed(&error))
        };
        let (x1, x2) = (rows("features of x1", &x1)?, rows("features of x2", &x2)?);
        let logits = logits.map(|logits| rows("joint logits", &logits)).transpose()?;
        self.guide.observe(&batch.ids()?, [&x1, &x2], logits.as_ref()).map_err(raised)
    }

    /// Returns the weights of all samples in this epoch, with their `ids`; None before the first epoch.
    fn plan<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(plan) = self.guide.plan() else { return Ok(None) };
        let all = columns(py, plan.weights(), <[f64]>::to_vec)?;
        all.set_item("ids", names(py, plan.ids())?)?;
        Ok(Some(all))
    }

    /// Returns the interactions that the policy goes by: `ids`, `labels`, terms, and r, u1, u2 and s by the measure, raw and in
    /// nats; None where there are none yet.
    fn interactions<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(interactions) = self.guide.interactions() else { return Ok(None) };
        let parts = interactions.decompose(self.measure);
        let terms = interactions.terms();
        let all = PyDict::new(py);
        all.set_item("ids", names(py, interactions.ids())?)?;
        let labels: Vec<i64> = interactions.labels().iter().map(|label| i64::from(*label)).collect();
        all.set_item("labels", labels.into_pyarray(py))?;
        let of_terms =
            [("h1", &terms.h1), ("h2", &terms.h2), ("i1", &terms.i1), ("i2", &terms.i2), ("i12", &terms.i12)];
        let of_parts = [("r", &parts.r), ("u1", &parts.u1), ("u2", &parts.u2), ("s", &parts.s)];
        for (name, values) in of_terms.into_iter().chain(of_parts) {
            all.set_item(name, values.clone().into_pyarray(py))?;
        }
        Ok(Some(all))
    }

    /// Returns what must be kept to go on after a checkpoint: arrays of float32 and float64 by name.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        for (name, tensor) in self.guide.state().map_err(raised)? {
            state.set_item(name, array(py, &tensor)?)?;
        }
        Ok(state)
    }

    /// Goes on from what [`Self::state`] gave.
    fn restore(&mut self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut tensors = BTreeMap::new();
        for (name, value) in state {
            let name: String = name.extract()?;
            let tensor = match value.extract::<PyReadonlyArrayDyn<'_, f32>>() {
                Ok(values) => tensor(&name, &values)?,
                Err(_) => tensor(&name, &value.extract::<PyReadonlyArrayDyn<'_, f64>>()?)?,
            };
            tensors.insert(name, tensor);
        }
        self.guide.restore(&tensors).map_err(raised)
    }

    /// Returns what to plot, by name: means of r, u1, u2 and s in nats, shares, and counts.
    fn logged(&self) -> BTreeMap<&'static str, f64> {
        let mut logged = BTreeMap::from([("planned", f64::from(u8::from(self.is_planned)))]);
        if let Some(interactions) = self.guide.interactions() {
            let means = interactions.decompose(self.measure).means();
            logged.extend([("r", means.r), ("u1", means.u1), ("u2", means.u2), ("s", means.s)]);
        }
        if let Some(tracker) = self.guide.tracker() {
            let known = self.guide.interactions().map_or(0, Interactions::len);
            let report = tracker.report();
            logged.insert("known", known as f64 / tracker.ids().len() as f64);
            let counts = [("dropped", report.dropped), ("overtaken", report.overtaken), ("spoiled", report.spoiled)];
            logged.extend(counts.map(|(name, count)| (name, count as f64)));
        }
        logged
    }

    /// Returns what happened beside the estimations of a tracker; None where there is no tracker.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(tracker) = self.guide.tracker() else { return Ok(None) };
        let report = tracker.report();
        let all = PyDict::new(py);
        all.set_item("dropped", report.dropped)?;
        all.set_item("overtaken", report.overtaken)?;
        all.set_item("spoiled", report.spoiled)?;
        all.set_item("first_spoiled", report.first_spoiled)?;
        all.set_item("failure", report.failure)?;
        Ok(Some(all))
    }

    /// Returns what each estimation of a tracker found, in their order.
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let entries = self.guide.tracker().map(Tracker::history).unwrap_or_default();
        let entry = |entry: tracker::Entry| -> PyResult<Bound<'py, PyDict>> {
            let all = PyDict::new(py);
            all.set_item("epoch", entry.epoch)?;
            all.set_item("samples", entry.samples)?;
            let parts = entry.parts;
            for (name, mean) in [("r", parts.r), ("u1", parts.u1), ("u2", parts.u2), ("s", parts.s)] {
                all.set_item(name, mean)?;
            }
            Ok(all)
        };
        entries.into_iter().map(entry).collect()
    }
}

impl Guide {
    fn new(guide: Result<lsmi_guide::Guide, GuideError>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let measure = parsed(&option::<String>(options, "measure")?)?;
        let warm_up = option(options, "warm_up")?;
        Ok(Self { guide: guide.map_err(raised)?, measure, warm_up, is_planned: false })
    }
}

/// The different ids of a batch, in which samples may come more than once, as where they are drawn with replacement.
struct Distinct<'a> {
    /// Each id, in the order in which they first come.
    firsts: Vec<&'a str>,
    /// The last row of each.
    lasts: Vec<usize>,
    /// The place of each row's id among these.
    places: Vec<usize>,
}

impl<'a> Distinct<'a> {
    fn of(ids: &'a [String]) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
        let (mut firsts, mut lasts, mut places) = (Vec::new(), Vec::new(), Vec::with_capacity(ids.len()));
        for (row, id) in ids.iter().enumerate() {
            let place = *known.entry(id).or_insert(firsts.len());
            if place == firsts.len() {
                firsts.push(id.as_str());
                lasts.push(row);
            }
            lasts[place] = row;
            places.push(place);
        }
        Self { firsts, lasts, places }
    }

    fn ids(&self) -> PyResult<SampleIds> {
        ids(&self.firsts)
    }
}

fn ids<Name: AsRef<str>>(names: &[Name]) -> PyResult<SampleIds> {
    SampleIds::from_names(names).map_err(|error| Raised::from(error).into())
}

fn mean_one(mut values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        let scale = values.len() as f64 / sum;
        values.iter_mut().for_each(|value| *value *= scale);
    }
    values
}

fn columns<'py>(py: Python<'py>, weights: &Weights, of: impl Fn(&[f64]) -> Vec<f64>) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (name, column) in weights.columns() {
        all.set_item(name, of(column).into_pyarray(py))?;
    }
    Ok(all)
}

fn names<'py>(py: Python<'py>, ids: &SampleIds) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, ids.iter().map(std::borrow::Cow::into_owned))
}

/// A column of numbers of a dictionary.
pub(crate) fn numbers(samples: &Bound<'_, PyDict>, name: &str) -> PyResult<Vec<f64>> {
    Ok(option::<PyReadonlyArray1<'_, f64>>(samples, name)?.as_array().to_vec())
}

fn optional_numbers(samples: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<Vec<f64>>> {
    Ok(option::<Option<PyReadonlyArray1<'_, f64>>>(samples, name)?.map(|values| values.as_array().to_vec()))
}

/// The column `labels`, of int64.
pub(crate) fn labels(samples: &Bound<'_, PyDict>) -> PyResult<Vec<u32>> {
    class_indices(&option::<PyReadonlyArray1<'_, i64>>(samples, "labels")?)
}

/// Takes the indices of classes.
pub(crate) fn class_indices(labels: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<u32>> {
    let label = |(row, label): (usize, &i64)| {
        u32::try_from(*label).map_err(|_| usage(format!("label {label} of row {row} is no index of a class")))
    };
    labels.as_array().iter().enumerate().map(label).collect()
}

fn reference(weaker: &[u8]) -> PyResult<Reference> {
    let modality = |number: &u8| match number {
        1 => Ok(Modality::One),
        2 => Ok(Modality::Two),
        _ => Err(usage(format!("reference={weaker:?}: give the number of the weaker modality, 1 or 2"))),
    };
    let Some((first, of_classes)) = weaker.split_first() else {
        return Err(usage(
            "reference=[]: give the number of the weaker modality, of all samples and then of each class",
        ));
    };
    Ok(Reference {
        weaker: modality(first)?,
        weaker_of_class: of_classes.iter().map(modality).collect::<PyResult<_>>()?,
    })
}

fn named(name: &str, options: &Bound<'_, PyDict>) -> PyResult<Box<dyn Policy>> {
    let rule: String = option(options, "rule")?;
    let rule = match rule.as_str() {
        "sources" => Rule::Sources,
        "dominant" => Rule::Dominant,
        other => return Err(usage(format!("rule={other:?}: use \"sources\" or \"dominant\""))),
    };
    let measure = parsed(&option::<String>(options, "measure")?)?;
    policy::named(name, &Options { rule, measure, seed: option(options, "seed")? }).map_err(raised)
}

fn pacing(options: &Bound<'_, PyDict>) -> PyResult<Pacing> {
    Ok(Pacing { warm_up: option(options, "warm_up")?, smoothing: option(options, "smoothing")? })
}

fn mode(options: &Bound<'_, PyDict>) -> PyResult<Mode> {
    match option::<String>(options, "mode")?.as_str() {
        "background" => {
            Ok(Mode::Background { capacity: option(options, "capacity")?, share: option(options, "share")? })
        }
        "synchronous" => Ok(Mode::Synchronous),
        other => Err(usage(format!("mode={other:?}: use \"background\" or \"synchronous\""))),
    }
}

/// Copies an array to a tensor.
fn tensor<T, D>(what: &str, array: &PyReadonlyArray<'_, T, D>) -> PyResult<Tensor>
where
    T: Element + candle_core::WithDType,
    D: Dimension,
{
    let values = array.as_slice().map_err(|_| usage(format!("`{what}` is not in C order")))?;
    Tensor::from_slice(values, array.shape(), &Device::Cpu).map_err(|error| failed(&error))
}

/// Copies a tensor to an array.
fn array<'py>(py: Python<'py>, tensor: &Tensor) -> PyResult<Bound<'py, PyAny>> {
    let shape = tensor.dims().to_vec();
    let values = tensor.flatten_all().map_err(|error| failed(&error))?;
    if tensor.dtype() == DType::F64 {
        let values = values.to_vec1::<f64>().map_err(|error| failed(&error))?.into_pyarray(py);
        return Ok(values.reshape(shape)?.into_any());
    }
    let values = values.to_vec1::<f32>().map_err(|error| failed(&error))?.into_pyarray(py);
    Ok(values.reshape(shape)?.into_any())
}

/// An error in the words of Python's arguments.
fn raised(error: GuideError) -> PyErr {
    let is_unknown_name = matches!(error, GuideError::UnknownName { .. });
    let hint = match error {
        GuideError::NoConfidence { .. } => Some("give the teacher's confidence in every sample with confidence="),
        GuideError::FewSamples { .. } => Some("set the number of folds with folds=, or estimate later with every="),
        GuideError::UnknownId { .. } => Some("a guide knows the samples of its split; choose another with split="),
        _ => None,
    };
    let mut raised = Raised::from(error);
    if is_unknown_name {
        raised.class = Class::Usage;
    }
    raised.hint = raised.hint.or(hint.map(str::to_owned));
    raised.into()
}
