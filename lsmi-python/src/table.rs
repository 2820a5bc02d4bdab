//! Samples that were read and checked, from arrays or from a file.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::features::{
    Arrays, Classes, Data, FeatureError, FeatureFile, GroupKey, Keys, LabelsFile, Lags, Missing, MissingModality,
    Pooling, SequenceFile, SeveralFile, TargetFile, UnlabelledFile,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{held, table};
use crate::error::{Class, Place, Raised, usage};
use crate::settings::{option, parsed};

/// Checked samples: for training, or to be scored by an estimator, with labels or without.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Table {
    pub(crate) samples: Arc<Samples>,
    pub(crate) encoders: [Option<String>; 2],
    /// How sequences were pooled, if there were any.
    pub(crate) pooling: Option<Pooling>,
}

pub(crate) enum Samples {
    Labelled(FeatureFile),
    Unlabelled(UnlabelledFile),
    Several(SeveralFile),
    Targets(TargetFile),
    Labels(LabelsFile),
    Sequences(SequenceFile),
}

/// What the rows are for.
pub(crate) enum Use<'a> {
    /// Training on two modalities and classes.
    Training,
    /// Training on the modalities of these names.
    Several(Vec<String>),
    /// Training on targets that are numbers.
    Targets,
    /// Training on several labels a row.
    Labels,
    /// Training on the steps of sequences.
    Lags(Lags),
    Scoring(&'a Classes),
    LabelFree(&'a Classes),
}

/// Where samples are.
pub(crate) enum Source<'py> {
    /// Arrays by name, and texts of metadata by key.
    Arrays {
        arrays: Bound<'py, PyDict>,
        metadata: Vec<(&'static str, String)>,
    },
    File(PathBuf),
}

/// Samples that were read for something else: a defect of the sources in Python.
pub(crate) fn misread() -> Raised {
    let message = "the samples were read for another kind of analysis: a defect; please report it".to_owned();
    Raised { class: Class::Failed, message, place: Place::default(), hint: None }
}

/// Reads names of arrays and what to do with rows that have no label.
pub(crate) fn keys(names: Option<&str>, groups: Option<&str>, missing: &str) -> PyResult<Keys> {
    let mut keys: Keys = match names {
        Some(names) => names.parse().map_err(|error| Raised::new(crate::error::Class::Usage, &error))?,
        None => Keys::default(),
    };
    keys.missing = missing.parse::<Missing>().map_err(|error| usage(error.to_string()))?;
    if let Some(groups) = groups {
        keys.groups = match groups.parse::<GroupKey>() {
            Ok(groups) => groups,
            Err(never) => match never {},
        };
    }
    Ok(keys)
}

impl Table {
    /// Reads samples for a use. Rows of two modalities and classes may lack one of these.
    pub(crate) fn read(source: &Source<'_>, keys: &Keys, of: &Use<'_>) -> PyResult<Self> {
        let missing_modality = match of {
            Use::Training | Use::Scoring(_) | Use::LabelFree(_) => MissingModality::Keep,
            Use::Several(_) | Use::Targets | Use::Labels | Use::Lags(_) => MissingModality::Refuse,
        };
        let keys = &Keys { missing_modality, ..keys.clone() };
        match source {
            Source::Arrays { arrays, metadata } => {
                let held = held(arrays)?;
                let mut arrays = table("arrays", &held, metadata)?;
                let pooling = pooling_of(keys, of, |keys| arrays.pooling(keys));
                // The lock stays: nobody else may write the arrays while they are read.
                let samples = read_arrays(arrays, keys, of).map_err(Raised::from)?;
                Ok(Self { samples: Arc::new(samples), encoders: [None, None], pooling })
            }
            Source::File(path) => {
                let data = Data::from(path);
                // A large file takes a while.
                let read = || {
                    let samples = read_file(&data, keys, of)?;
                    let pooling = pooling_of(keys, of, |keys| data.pooling(keys));
                    Ok::<_, FeatureError>((samples, data.encoders(keys), pooling))
                };
                let (samples, encoders, pooling) = Python::attach(|py| py.detach(read)).map_err(Raised::from)?;
                Ok(Self { samples: Arc::new(samples), encoders, pooling })
            }
        }
    }

    /// Reads samples for training: `options` may have `keys`, `groups`, `missing`, `pool`, the `target` (`classes`, `continuous`
    /// or `labels`), `modalities`, `lags`, and `pool_below`, the rows below which classes are pooled to one.
    fn for_training(source: &Source<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (names, groups): (Option<String>, Option<String>) = (given(options, "keys")?, given(options, "groups")?);
        let missing: Option<String> = given(options, "missing")?;
        let mut keys = keys(names.as_deref(), groups.as_deref(), missing.as_deref().unwrap_or("refuse"))?;
        keys.pool = given::<String>(options, "pool")?.map(|pool| parsed(&pool)).transpose()?;
        let target: Option<String> = given(options, "target")?;
        let of = match (given(options, "modalities")?, given::<String>(options, "lags")?, target.as_deref()) {
            (Some(modalities), _, _) => Use::Several(modalities),
            (_, Some(lags), _) => Use::Lags(parsed(&lags)?),
            (_, _, Some("continuous")) => Use::Targets,
            (_, _, Some("labels")) => Use::Labels,
            _ => Use::Training,
        };
        let read = Self::read(source, &keys, &of)?;
        match given(options, "pool_below")? {
            Some(least) => read.with_rare_pooled(least),
            None => Ok(read),
        }
    }

    fn with_rare_pooled(self, least: usize) -> PyResult<Self> {
        let samples = match Arc::into_inner(self.samples) {
            Some(Samples::Labelled(file)) => Samples::Labelled(file.with_rare_pooled(least).map_err(Raised::from)?),
            _ => return Err(misread().into()),
        };
        Ok(Self { samples: Arc::new(samples), ..self })
    }
}

/// Takes an option that need not be there.
fn given<'py, T>(options: Option<&Bound<'py, PyDict>>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    match options {
        Some(options) if options.contains(name)? => option::<Option<T>>(options, name),
        _ => Ok(None),
    }
}

/// Returns how the sequences were pooled, if any modality is made of such; `find` tells it of two.
fn pooling_of(keys: &Keys, of: &Use<'_>, mut find: impl FnMut(&Keys) -> Option<Pooling>) -> Option<Pooling> {
    let Use::Several(names) = of else { return find(keys) };
    names.windows(2).find_map(|pair| find(&Keys { x1: pair[0].clone(), x2: pair[1].clone(), ..keys.clone() }))
}

fn read_arrays(arrays: Arrays<'_>, keys: &Keys, of: &Use<'_>) -> Result<Samples, FeatureError> {
    match of {
        Use::Training => arrays.read(keys).map(Samples::Labelled),
        Use::Several(names) => arrays.read_several(names, keys).map(Samples::Several),
        Use::Targets => arrays.read_targets(keys, true).map(Samples::Targets),
        Use::Labels => arrays.read_several_labels(keys, None).map(Samples::Labels),
        Use::Lags(lags) => arrays.read_sequences(keys, lags).map(Samples::Sequences),
        Use::Scoring(classes) => arrays.read_with_classes(keys, classes).map(Samples::Labelled),
        Use::LabelFree(classes) => arrays.read_unlabelled(keys, classes).map(Samples::Unlabelled),
    }
}

fn read_file(data: &Data, keys: &Keys, of: &Use<'_>) -> Result<Samples, FeatureError> {
    match of {
        Use::Training => data.read(keys).map(Samples::Labelled),
        Use::Several(names) => data.read_several(names, keys).map(Samples::Several),
        Use::Targets => data.read_targets(keys, true).map(Samples::Targets),
        Use::Labels => data.read_several_labels(keys, None).map(Samples::Labels),
        Use::Lags(lags) => data.read_sequences(keys, lags).map(Samples::Sequences),
        Use::Scoring(classes) => data.read_with_classes(keys, classes).map(Samples::Labelled),
        Use::LabelFree(classes) => data.read_unlabelled(keys, classes).map(Samples::Unlabelled),
    }
}

#[pymethods]
impl Table {
    /// Reads arrays for training; `classes` and `labels` are their names, as JSON.
    #[staticmethod]
    #[pyo3(signature = (arrays, options=None))]
    fn of_arrays(arrays: Bound<'_, PyDict>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut metadata = Vec::new();
        for key in ["classes", "labels"] {
            metadata.extend(given(options, key)?.map(|names: String| (key, names)));
        }
        Self::for_training(&Source::Arrays { arrays, metadata }, options)
    }

    /// Reads a feature file for training.
    #[staticmethod]
    #[pyo3(signature = (path, options=None))]
    fn of_file(path: PathBuf, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Self::for_training(&Source::File(path), options)
    }

    /// The names of the classes, in the order of their indices; empty where there are none.
    #[getter]
    fn classes(&self) -> Vec<String> {
        let classes = match &*self.samples {
            Samples::Labelled(file) => &file.classes,
            Samples::Several(file) => &file.classes,
            Samples::Sequences(file) => &file.classes,
            Samples::Targets(_) | Samples::Labels(_) | Samples::Unlabelled(_) => return Vec::new(),
        };
        classes.names().to_vec()
    }

    /// What is to be known of the data, in sentences.
    #[getter]
    fn notes(&self) -> Vec<String> {
        match &*self.samples {
            Samples::Labelled(file) => file.notes.clone(),
            Samples::Several(file) => file.notes.clone(),
            Samples::Targets(file) => file.notes.clone(),
            Samples::Labels(file) => file.table.notes.clone(),
            Samples::Sequences(file) => file.notes.clone(),
            Samples::Unlabelled(_) => Vec::new(),
        }
    }

    /// The ids of a split of two modalities with classes or without labels.
    #[pyo3(signature = (split="train"))]
    fn ids(&self, split: &str) -> Option<Vec<String>> {
        let ids = match &*self.samples {
            Samples::Labelled(file) => &file.split(split)?.ids,
            Samples::Unlabelled(file) => &file.split(split)?.ids,
            _ => return None,
        };
        Some(ids.iter().map(std::borrow::Cow::into_owned).collect())
    }
}
