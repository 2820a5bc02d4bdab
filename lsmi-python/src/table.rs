//! Samples that were read and checked, from arrays or from a file.

use std::path::PathBuf;
use std::sync::Arc;

use lsmi_candle::features::{
    Classes, Data, FeatureError, FeatureFile, GroupKey, Keys, Missing, MissingModality, UnlabelledFile,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{held, table};
use crate::error::{Raised, usage};

/// Checked samples: for training, or to be scored by an estimator, with labels or without.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Table {
    pub(crate) samples: Arc<Samples>,
    pub(crate) encoders: [Option<String>; 2],
}

pub(crate) enum Samples {
    Labelled(FeatureFile),
    Unlabelled(UnlabelledFile),
}

/// What the rows are for.
pub(crate) enum Use<'a> {
    Training,
    Scoring(&'a Classes),
    LabelFree(&'a Classes),
}

/// Where samples are.
pub(crate) enum Source<'py> {
    Arrays { arrays: Bound<'py, PyDict>, classes: Option<String> },
    File(PathBuf),
}

/// Reads names of arrays and what to do with rows that have no label.
pub(crate) fn keys(names: Option<&str>, groups: Option<&str>, missing: &str) -> PyResult<Keys> {
    let mut keys: Keys = match names {
        Some(names) => names.parse().map_err(|error| Raised::new(crate::error::Class::Usage, &error))?,
        None => Keys::default(),
    };
    keys.missing_modality = MissingModality::Keep;
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
    pub(crate) fn read(source: &Source<'_>, keys: &Keys, of: &Use<'_>) -> PyResult<Self> {
        match source {
            Source::Arrays { arrays, classes } => {
                let held = held(arrays)?;
                let arrays = table("arrays", &held, classes.as_deref())?;
                // The lock stays: nobody else may write the arrays while they are read.
                let samples = match of {
                    Use::Training => arrays.read(keys).map(Samples::Labelled),
                    Use::Scoring(classes) => arrays.read_with_classes(keys, classes).map(Samples::Labelled),
                    Use::LabelFree(classes) => arrays.read_unlabelled(keys, classes).map(Samples::Unlabelled),
                };
                Ok(Self { samples: Arc::new(samples.map_err(Raised::from)?), encoders: [None, None] })
            }
            Source::File(path) => {
                let data = Data::from(path);
                // A large file takes a while.
                let read = || Ok::<_, FeatureError>((read_file(&data, keys, of)?, data.encoders(keys)));
                let (samples, encoders) = Python::attach(|py| py.detach(read)).map_err(Raised::from)?;
                Ok(Self { samples: Arc::new(samples), encoders })
            }
        }
    }
}

fn read_file(data: &Data, keys: &Keys, of: &Use<'_>) -> Result<Samples, FeatureError> {
    match of {
        Use::Training => data.read(keys).map(Samples::Labelled),
        Use::Scoring(classes) => data.read_with_classes(keys, classes).map(Samples::Labelled),
        Use::LabelFree(classes) => data.read_unlabelled(keys, classes).map(Samples::Unlabelled),
    }
}

#[pymethods]
impl Table {
    /// Reads arrays for training.
    #[staticmethod]
    #[pyo3(signature = (arrays, *, classes=None, keys=None, groups=None, missing="refuse"))]
    fn of_arrays(
        arrays: Bound<'_, PyDict>,
        classes: Option<String>,
        keys: Option<&str>,
        groups: Option<&str>,
        missing: &str,
    ) -> PyResult<Self> {
        let keys = self::keys(keys, groups, missing)?;
        Self::read(&Source::Arrays { arrays, classes }, &keys, &Use::Training)
    }

    /// Reads a feature file for training.
    #[staticmethod]
    #[pyo3(signature = (path, *, keys=None, groups=None, missing="refuse"))]
    fn of_file(path: PathBuf, keys: Option<&str>, groups: Option<&str>, missing: &str) -> PyResult<Self> {
        let keys = self::keys(keys, groups, missing)?;
        Self::read(&Source::File(path), &keys, &Use::Training)
    }

    /// The names of the classes, in the order of their indices.
    #[getter]
    fn classes(&self) -> Vec<String> {
        match &*self.samples {
            Samples::Labelled(file) => file.classes.names().to_vec(),
            Samples::Unlabelled(_) => Vec::new(),
        }
    }

    /// What is to be known of the data, in sentences.
    #[getter]
    fn notes(&self) -> Vec<String> {
        match &*self.samples {
            Samples::Labelled(file) => file.notes.clone(),
            Samples::Unlabelled(_) => Vec::new(),
        }
    }

    /// The ids of a split.
    #[pyo3(signature = (split="train"))]
    fn ids(&self, split: &str) -> Option<Vec<String>> {
        let ids = match &*self.samples {
            Samples::Labelled(file) => &file.split(split)?.ids,
            Samples::Unlabelled(file) => &file.split(split)?.ids,
        };
        Some(ids.iter().map(std::borrow::Cow::into_owned).collect())
    }
}
