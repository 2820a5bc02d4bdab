//! Adam's step on the host: one pass over an array of parameters, its gradients and moments.

use crate::numbers::simd_math::vectorised;

/// The decays of [`super`] in the precision of the parameters.
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
const FIRST_DECAY: f32 = super::FIRST_DECAY as f32;
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
const SECOND_DECAY: f32 = super::SECOND_DECAY as f32;
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
const EPSILON: f32 = super::EPSILON as f32;
/// The value below which numbers are taken for 0: those near the least that f32 holds slow processors down a
/// hundredfold.
const NEGLIGIBLE: f32 = 1e-30;

/// Adam's moments of an array of parameters.
pub(crate) struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// The sizes of a step.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    rate: f32,
    /// The factor by which decay multiplies a parameter.
    kept: f32,
    first_scale: f32,
    second_scale: f32,
}

impl Step {
    /// Returns the step of that number, from 1 on.
    #[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
    pub(crate) fn new(number: i32, rate: f64, decay: f64) -> Self {
        Self {
            rate: rate as f32,
            kept: (1.0 - rate * decay) as f32,
            first_scale: (1.0 - f64::from(FIRST_DECAY).powi(number)).recip() as f32,
            second_scale: (1.0 - f64::from(SECOND_DECAY).powi(number)).recip() as f32,
        }
    }
}

impl Moments {
    /// Moments of 0.
    pub(crate) fn new(length: usize) -> Self {
        Self { first: vec![0.0; length], second: vec![0.0; length] }
    }

    /// Steps the parameters from `start` on down their gradients.
    pub(crate) fn step(
        &mut self,
        start: usize,
        parameters: &mut [f32],
        gradients: impl Iterator<Item = f32>,
        step: Step,
    ) {
        let moments = self.first[start..].iter_mut().zip(&mut self.second[start..]);
        vectorised(
            #[inline(always)]
            || {
                for ((parameter, (first, second)), gradient) in parameters.iter_mut().zip(moments).zip(gradients) {
                    *first = unless_negligible(FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * gradient);
                    *second = unless_negligible(SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * gradient * gradient);
                    let deviation = (*second * step.second_scale).sqrt() + EPSILON;
                    *parameter = *parameter * step.kept - step.rate * (*first * step.first_scale) / deviation;
                }
            },
        );
    }

    /// Returns the gradients of a first step, from the first moments that it left.
    #[cfg(test)]
    pub(crate) fn first_gradients(&self) -> impl Iterator<Item = f32> {
        self.first.iter().map(|first| first / (1.0 - FIRST_DECAY))
    }
}

/// Returns the value, or 0 where it is so small that it would only cost time.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn unless_negligible(value: f32) -> f32 {
    if value.abs() < NEGLIGIBLE { 0.0 } else { value }
}
