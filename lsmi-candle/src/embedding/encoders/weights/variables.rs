//! The weights of a checkpoint that are trained, by the names that they have there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Tensor, Var};

use super::super::error::Result;
use super::super::pooling::{Pooling, Poolings};

/// The weights that are trained, by name; filled while layers are loaded with [`Weights::trained`](super::Weights::trained).
#[derive(Debug, Clone, Default)]
pub struct Variables {
    all: Arc<Mutex<BTreeMap<String, Variable>>>,
    /// What the names of those that are added begin with.
    prefix: String,
}

#[derive(Debug)]
struct Variable {
    value: Var,
    /// The poolings that read the layer; none where all do.
    read_by: Option<&'static [Pooling]>,
}

impl Variables {
    /// Returns the weights that the vectors of these poolings depend on, in the order of their names.
    pub fn read_by(&self, poolings: &Poolings) -> BTreeMap<String, Var> {
        let variables = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let is_read = |variable: &Variable| {
            variable.read_by.is_none_or(|readers| poolings.iter().any(|pooling| readers.contains(&pooling)))
        };
        let read = variables.iter().filter(|(_, variable)| is_read(variable));
        read.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }

    /// Returns the same, in which the names of weights begin with that of a folder.
    #[must_use]
    pub(in crate::embedding) fn within(&self, folder: &str) -> Self {
        Self { all: Arc::clone(&self.all), prefix: format!("{folder}/") }
    }

    /// The tensor of a weight, which is from now on trained. One that is asked for again is the same.
    pub(super) fn trained(&self, name: &str, value: &Tensor, read_by: Option<&'static [Pooling]>) -> Result<Tensor> {
        let mut variables = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{}{name}", self.prefix);
        if let Some(variable) = variables.get(&name) {
            return Ok(variable.value.as_tensor().clone());
        }
        let variable = Variable { value: Var::from_tensor(value)?, read_by };
        let tensor = variable.value.as_tensor().clone();
        variables.insert(name, variable);
        Ok(tensor)
    }
}
