//! A student of candle's tensors: any model, with losses by the [`Distiller`] and Adam's steps.

use std::collections::BTreeMap;
use std::fmt;

use candle_core::{Device, Tensor};
use lsmi_candle::training::adam::Adam;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::SampleIds;
use serde_json::{Value, json};

use super::{Batch, Learned, Observed, Outputs, Student};
use crate::decide::interactions::check_length;
use crate::error::{GuideError, Result};
use crate::train::distiller::{Distiller, NonFinite, Step, not_finite};
use crate::train::hook::{stored, whole};
use crate::train::loss;

/// A network of two modalities that holds its training samples.
///
/// Its parameters are in the [`ParameterStore`] that its [`TensorStudent`] is made with.
pub trait Model {
    /// Computes what the model makes of rows of its training samples, with its graph.
    ///
    /// # Errors
    /// A candle error where the device fails.
    fn forward(&self, rows: &[usize]) -> Result<Outputs>;

    /// Describes the model and its samples, such as by its widths and a hash of the samples, so that a checkpoint is not
    /// resumed by another.
    fn identity(&self) -> Value;
}

/// A model that learns by gradients of tensors: from labels alone, or from a teacher too.
pub struct TensorStudent<M> {
    model: M,
    store: ParameterStore,
    adam: Adam,
    ids: SampleIds,
    labels: Vec<u32>,
    distiller: Option<Distiller>,
    device: Device,
    observed: Option<Observed>,
}

impl<M: Model> TensorStudent<M> {
    /// Takes a model whose parameters are in `store`, its training samples' ids and labels, and the decoupled weight decay
    /// of Adam; with a distiller if there is a teacher.
    ///
    /// # Errors
    /// [`GuideError::Length`] if there is not one label a sample, [`GuideError::Setting`] for a decay that is negative or not
    /// finite.
    pub fn new(
        model: M,
        store: ParameterStore,
        ids: SampleIds,
        labels: Vec<u32>,
        distiller: Option<Distiller>,
        decay: f64,
        device: &Device,
    ) -> Result<Self> {
        check_length("labels", ids.len(), labels.len())?;
        if !(decay >= 0.0 && decay.is_finite()) {
            let expected = "at least 0".to_owned();
            return Err(GuideError::Setting { name: "decay", found: decay.to_string(), expected });
        }
        let adam = Adam::new(0.0, decay);
        Ok(Self { model, store, adam, ids, labels, distiller, device: device.clone(), observed: None })
    }

    /// Returns the model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Returns the parameters by name.
    pub fn parameters(&self) -> &ParameterStore {
        &self.store
    }

    fn skips(&self) -> bool {
        self.distiller.as_ref().is_some_and(|distiller| distiller.settings().non_finite == NonFinite::Skip)
    }
}

impl<M: Model> Student for TensorStudent<M> {
    fn ids(&self) -> &SampleIds {
        &self.ids
    }

    fn learn(&mut self, batch: &Batch<'_>) -> Result<Learned> {
        let &Batch { step, rows, ids, weights, rate } = batch;
        self.observed = None;
        let labels = Tensor::from_iter(rows.iter().map(|row| self.labels[*row]), &self.device)?;
        let outputs = self.model.forward(rows)?;
        for (what, features) in ["features of x1", "features of x2"].into_iter().zip(&outputs.features) {
            if let Some(error) = not_finite(what, step, ids, features)? {
                return if self.skips() { Ok(Learned::Skipped(error)) } else { Err(error) };
            }
        }
        let (total, parts) = match &self.distiller {
            None => {
                let total = loss::label::surprisal(&outputs.logits, &labels)?.mean_all()?;
                let value = total.to_scalar::<f32>()?;
                (total, vec![("label", value)])
            }
            Some(distiller) => match distiller.step(step, ids, &outputs, &labels, weights)? {
                Step::Losses(losses) => (losses.total, losses.parts),
                Step::Skipped(reason) => return Ok(Learned::Skipped(reason)),
            },
        };
        self.adam.rate = f64::from(rate);
        self.adam.step(&self.store, &total.backward()?)?;
        let Outputs { features, logits, .. } = outputs;
        self.observed =
            Some(Observed { features: features.map(|features| features.detach()), logits: logits.detach() });
        Ok(Learned::Stepped(parts))
    }

    fn observed(&self) -> Result<Option<Observed>> {
        Ok(self.observed.clone())
    }

    fn identity(&self) -> BTreeMap<String, Value> {
        let distillation = self.distiller.as_ref().map_or(Value::Null, |distiller| {
            let (settings, teacher) = (distiller.settings(), distiller.teacher().hash());
            json!({ "settings": settings, "teacher": teacher })
        });
        BTreeMap::from([
            ("the model".to_owned(), json!({ "model": self.model.identity(), "decay": self.adam.decay })),
            ("the distillation".to_owned(), distillation),
        ])
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for (name, variable) in self.store.iter() {
            state.insert(format!("parameter.{name}"), variable.as_detached_tensor());
        }
        for (name, (first, second)) in self.adam.moments() {
            state.insert(format!("first.{name}"), first.clone());
            state.insert(format!("second.{name}"), second.clone());
        }
        state.insert("adam_steps".to_owned(), Tensor::new(&[f64::from(self.adam.steps())], &Device::Cpu)?);
        Ok(state)
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let take = |name: String, like: &Tensor| -> Result<Tensor> {
            let tensor = stored(state, &name)?;
            if tensor.dims() == like.dims() {
                return Ok(tensor.to_device(&self.device)?);
            }
            let expected = format!("{:?}", like.dims());
            Err(GuideError::Shape { what: "a parameter of the checkpoint", expected, found: tensor.dims().to_vec() })
        };
        let steps = stored(state, "adam_steps")?.to_vec1::<f64>()?.first().copied().map_or(0, whole);
        let (mut moments, mut values) = (BTreeMap::new(), Vec::new());
        for (name, variable) in self.store.iter() {
            values.push((name, take(format!("parameter.{name}"), variable)?));
            if steps > 0 {
                let pair = (take(format!("first.{name}"), variable)?, take(format!("second.{name}"), variable)?);
                moments.insert(name.to_owned(), pair);
            }
        }
        // Nothing changes before all of it is known to fit.
        for (name, value) in values {
            self.store.set(name, &value)?;
        }
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        self.adam = Adam::resumed(self.adam.rate, self.adam.decay, steps, moments);
        Ok(())
    }
}

impl<M: fmt::Debug> fmt::Debug for TensorStudent<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("TensorStudent");
        debug.field("model", &self.model).field("samples", &self.ids.len()).finish_non_exhaustive()
    }
}
