//! Trainable parameters by name, in the order of their names, drawn on the host from seeded streams.
//!
//! candle's own store iterates in an order that changes from run to run and its initialisation cannot be seeded on the
//! CPU; this one gives the same bytes for the same seed, and the same start on every device.
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use lsmi_candle::training::adam::Adam;
//! use lsmi_candle::training::parameters::ParameterStore;
//!
//! let mut store = ParameterStore::new(0, &Device::Cpu);
//! let slope = store.normal("slope", 1, 1.0)?;
//! let x = Tensor::new(&[1.0f32, 2.0, 3.0], &Device::Cpu)?;
//! let mut adam = Adam::new(0.05, 0.0);
//! for _ in 0..500 {
//!     let loss = (x.broadcast_mul(&slope)? - (&x * 2.0)?)?.sqr()?.mean_all()?;
//!     adam.step(&store, &loss.backward()?)?;
//! }
//! assert!((slope.to_vec1::<f32>()?[0] - 2.0).abs() < 1e-3);
//! # Ok::<(), lsmi_candle::EstimatorError>(())
//! ```

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Shape, Tensor, Var};
use lsmi_core::random::stream;
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::error::{EstimatorError, Result};

/// Trainable parameters by name.
#[derive(Debug, Clone)]
pub struct ParameterStore {
    variables: BTreeMap<String, Var>,
    seed: u64,
    device: Device,
}

impl ParameterStore {
    /// Creates an empty store whose draws come from `seed`.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self { variables: BTreeMap::new(), seed, device: device.clone() }
    }

    /// Adds a parameter of independent normal values; each name has a random stream of its own.
    ///
    /// # Errors
    /// A candle error where the device cannot hold it.
    pub fn normal(&mut self, name: &str, shape: impl Into<Shape>, deviation: f64) -> Result<Tensor> {
        self.draw(name, shape.into(), deviation, &StandardNormal)
    }

    /// Adds a parameter of independent values, uniform between `-bound` and `bound`; each name has a stream of its own.
    ///
    /// # Errors
    /// A candle error where the device cannot hold it.
    pub fn uniform(&mut self, name: &str, shape: impl Into<Shape>, bound: f64) -> Result<Tensor> {
        let unit = Uniform::new(-1.0, 1.0).map_err(|error| candle_core::Error::Msg(error.to_string()))?;
        self.draw(name, shape.into(), bound, &unit)
    }

    fn draw(&mut self, name: &str, shape: Shape, scale: f64, distribution: &impl Distribution<f64>) -> Result<Tensor> {
        let mut random = stream(self.seed, name);
        let values = (0..shape.elem_count()).map(|_| {
            #[expect(clippy::cast_possible_truncation, reason = "tensors are f32 by design")]
            {
                (scale * distribution.sample(&mut random)) as f32
            }
        });
        let value = Tensor::from_vec(values.collect(), shape, &self.device)?;
        self.insert(name, &value)
    }

    /// Adds a parameter of zeros.
    ///
    /// # Errors
    /// A candle error where the device cannot hold it.
    pub fn zeros(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        let zeros = Tensor::zeros(shape, candle_core::DType::F32, &self.device)?;
        self.insert(name, &zeros)
    }

    fn insert(&mut self, name: &str, value: &Tensor) -> Result<Tensor> {
        let variable = Var::from_tensor(value)?;
        let tensor = variable.as_tensor().clone();
        self.variables.insert(name.to_owned(), variable);
        Ok(tensor)
    }

    /// Adds a parameter that is at hand, such as a weight of a checkpoint.
    pub fn add(&mut self, name: &str, variable: &Var) {
        self.variables.insert(name.to_owned(), variable.clone());
    }

    /// Sets the value of an existing parameter.
    ///
    /// # Errors
    /// A candle error where there is no parameter of that name, or one of another shape.
    pub fn set(&self, name: &str, value: &Tensor) -> Result<()> {
        match self.variables.get(name) {
            Some(variable) => Ok(variable.set(value)?),
            None => Err(candle_core::Error::Msg(format!("there is no parameter `{name}`")).into()),
        }
    }

    /// Returns the parameters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// Checks that a loss reached every parameter: candle drops gradients silently where an operation has none.
    ///
    /// # Errors
    /// [`EstimatorError::NoGradient`] naming the parameters that were not reached.
    pub fn assert_all_gradients(&self, gradients: &GradStore) -> Result<()> {
        let missing = |(_, variable): &(&str, &Var)| gradients.get(variable.as_tensor()).is_none();
        let names: Vec<String> = self.iter().filter(missing).map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() { Ok(()) } else { Err(EstimatorError::NoGradient { names }) }
    }
}

/// Compares the gradients of `loss` with central differences in every coordinate of every parameter.
#[cfg(test)]
pub(crate) fn assert_gradients_match_differences(
    store: &ParameterStore,
    step: f32,
    tolerance: f32,
    loss: impl Fn() -> Tensor,
) {
    let gradients = loss().backward().unwrap();
    store.assert_all_gradients(&gradients).unwrap();
    for (name, variable) in store.iter() {
        let analytic = gradients.get(variable.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let start = variable.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(analytic.iter().any(|value| *value != 0.0), "the gradient of {name} is all zero");
        for (index, expected) in analytic.iter().enumerate() {
            let at = |offset: f32| {
                let mut moved = start.clone();
                moved[index] += offset;
                variable.set(&Tensor::from_vec(moved, variable.shape(), variable.device()).unwrap()).unwrap();
                loss().to_scalar::<f32>().unwrap()
            };
            let difference = (at(step) - at(-step)) / (2.0 * step);
            assert!((difference - expected).abs() < tolerance, "{name}[{index}]: {difference} against {expected}");
        }
        variable.set(&Tensor::from_vec(start, variable.shape(), variable.device()).unwrap()).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_and_name_alone() {
        let draw = |seed, name: &str, other: Option<&str>| {
            let mut store = ParameterStore::new(seed, &Device::Cpu);
            if let Some(other) = other {
                store.normal(other, 3, 1.0).unwrap();
            }
            store.normal(name, 4, 0.5).unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(draw(1, "weight", None), draw(1, "weight", Some("bias")));
        assert_ne!(draw(1, "weight", None), draw(2, "weight", None));
        assert_ne!(draw(1, "weight", None), draw(1, "bias", None));
    }

    #[test]
    fn a_parameter_out_of_reach_is_named() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let reached = store.normal("reached", 2, 1.0).unwrap();
        store.normal("forgotten", 2, 1.0).unwrap();
        let gradients = reached.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let error = store.assert_all_gradients(&gradients).unwrap_err();
        assert!(matches!(error, EstimatorError::NoGradient { names } if names == ["forgotten"]));
    }
}
