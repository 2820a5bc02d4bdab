//! Adam with decoupled weight decay, its state by parameter name.
//!
//! `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
//! `p = p - rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + e) + decay p)`
//! (Kingma, Ba 2015, algorithm 1; Loshchilov, Hutter 2019, algorithm 2, with the decay scaled by the rate as in PyTorch).
//!
//! Here for tensors on any device; in `host` for arrays.

pub(crate) mod host;

use std::collections::BTreeMap;

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use crate::error::Result;
use crate::training::parameters::ParameterStore;

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Adam's state.
#[derive(Debug, Clone)]
pub struct Adam {
    /// The step size.
    pub rate: f64,
    /// Decoupled weight decay, of every parameter.
    pub decay: f64,
    steps: i32,
    moments: BTreeMap<String, (Tensor, Tensor)>,
}

impl Adam {
    /// Creates the state before the first step: moments of 0.
    pub fn new(rate: f64, decay: f64) -> Self {
        Self { rate, decay, steps: 0, moments: BTreeMap::new() }
    }

    /// Restores the state after `steps` steps: the first and second moments of every parameter by name.
    pub fn resumed(rate: f64, decay: f64, steps: i32, moments: BTreeMap<String, (Tensor, Tensor)>) -> Self {
        Self { rate, decay, steps, moments }
    }

    /// Returns the number of steps.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Returns the first and second moments of every parameter that has been stepped, by name.
    pub fn moments(&self) -> &BTreeMap<String, (Tensor, Tensor)> {
        &self.moments
    }

    /// Makes one step down the gradient.
    ///
    /// # Errors
    /// [`crate::EstimatorError::NoGradient`] where a parameter has no gradient: a loss that is off should reach its
    /// parameters with a weight of 0. A candle error where the device fails.
    pub fn step(&mut self, store: &ParameterStore, gradients: &GradStore) -> Result<()> {
        store.assert_all_gradients(gradients)?;
        self.steps += 1;
        let first_scale = 1.0 / (1.0 - FIRST_DECAY.powi(self.steps));
        let second_scale = 1.0 / (1.0 - SECOND_DECAY.powi(self.steps));
        for (name, variable) in store.iter() {
            let Some(gradient) = gradients.get(variable.as_tensor()) else { continue };
            let gradient = gradient.detach();
            let (first, second) = match self.moments.get(name) {
                Some((first, second)) => (
                    ((first * FIRST_DECAY)? + (&gradient * (1.0 - FIRST_DECAY))?)?,
                    ((second * SECOND_DECAY)? + (gradient.sqr()? * (1.0 - SECOND_DECAY))?)?,
                ),
                None => ((&gradient * (1.0 - FIRST_DECAY))?, (gradient.sqr()? * (1.0 - SECOND_DECAY))?),
            };
            let direction = ((&first * first_scale)? / ((&second * second_scale)?.sqrt()? + EPSILON)?)?;
            let value = variable.as_detached_tensor();
            variable.set(&((&value * (1.0 - self.rate * self.decay))? - (direction * self.rate)?)?)?;
            self.moments.insert(name.to_owned(), (first, second));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn two_steps_follow_the_published_formula() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let parameter = store.normal("p", 1, 1.0).unwrap();
        let mut expected = f64::from(parameter.to_vec1::<f32>().unwrap()[0]);
        let (mut first, mut second) = (0.0, 0.0);
        let mut adam = Adam::new(0.1, 0.01);
        for step in 1..=2 {
            let gradient = 2.0 * expected;
            first = 0.9 * first + 0.1 * gradient;
            second = 0.999 * second + 0.001 * gradient * gradient;
            let corrected = (first / (1.0 - 0.9f64.powi(step)), second / (1.0 - 0.999f64.powi(step)));
            expected -= 0.1 * (corrected.0 / (corrected.1.sqrt() + 1e-8) + 0.01 * expected);
            let gradients = parameter.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            adam.step(&store, &gradients).unwrap();
            let value = f64::from(parameter.to_vec1::<f32>().unwrap()[0]);
            assert!((value - expected).abs() < 1e-6, "step {step}: {value} against {expected}");
        }
    }

    #[test]
    fn a_quadratic_is_minimised() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let parameter = store.normal("p", 3, 1.0).unwrap();
        let mut adam = Adam::new(0.05, 0.0);
        for _ in 0..500 {
            let loss = (parameter.affine(1.0, -2.0)).unwrap().sqr().unwrap().sum_all().unwrap();
            adam.step(&store, &loss.backward().unwrap()).unwrap();
        }
        assert!(parameter.to_vec1::<f32>().unwrap().iter().all(|value| (value - 2.0).abs() < 1e-2));
    }
}
