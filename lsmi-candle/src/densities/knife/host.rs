//! The loss of KNIFE's kernels, its gradient and Adam's step on the host, as a few matrix products.
//!
//! With `W_k = (I + strict_lower(T_k)) L_k`, `L_k = diag(exp(tanh a_k))`, rows `X [n, d]` and responsibilities `r [n, K]`,
//!
//! ```text
//! Y_k = X W_k' - 1 (W_k m_k)'              loss = - mean_n logsumexp_k [ log w_k + sum_j tanh a_kj - |y_nk|^2 / 2 ] + d/2 log(2 pi)
//! G_k = diag(r_k) Y_k / n                  dW_k = G_k' X - (G_k' 1) m_k'         dm_k = -W_k' G_k' 1
//! dT_kij = dW_kij L_kj                     da_kj = (sum_i dW_kij W_kij - mean_n r_nk) (1 - tanh(a_kj)^2)
//! ```
//!
//! so that a step is two products of `n d^2` multiplications a kernel, halved as W is triangular, and a pass over what they
//! leave. Everything else of a step is one pass over the parameters, which takes Adam's step and forms the next W. No memory
//! is allocated but at the start. It is the same loss as [`super::gradient`]'s on tensors, which a test holds it against.

use candle_core::Result as CandleResult;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use lsmi_core::statistics::log_sum_exp;

use crate::densities::mixture::{Covariance, Mixture};
use crate::training::adam::host::{Moments, Step, unless_negligible};

/// Parameters of kernels, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    /// `m`, `[K, d]`.
    pub(super) means: Vec<f32>,
    /// `a`, `[K, d]`.
    pub(super) scales: Vec<f32>,
    /// `T`, `[K, d, d]`, of which only the part below the diagonal counts.
    pub(super) off_diagonals: Vec<f32>,
    /// `w` before the softmax, `[K]`.
    pub(super) weights: Vec<f32>,
}

/// Kernels in training: parameters, moments and all that a step writes to.
pub(super) struct Training {
    dims: usize,
    parameters: Parameters,
    moments: [Moments; 4],
    steps: i32,
    /// The diagonals of `L`, `[K, d]`.
    inverses: Vec<f32>,
    /// `W`, `[K, d, d]`.
    factors: Vec<f32>,
    /// `W_k m_k`, `[K, d]`.
    centres: Vec<f32>,
    /// `log w_k + sum_j tanh a_kj - d/2 log(2 pi)`, `[K]`.
    log_constants: Vec<f64>,
    /// `Y`, then `G`, `[K, batch, d]`.
    whitened: Vec<f32>,
    /// `|y|^2`, then responsibilities, `[batch, K]`.
    responsibilities: Vec<f64>,
    /// `dW`, `[K, d, d]`, below and on the diagonal.
    factor_gradients: Vec<f32>,
    /// `G_k' 1`, `[d]`, of one kernel at a time.
    sums: Vec<f32>,
    /// Derivatives of `log L_k`, `[d]`, of one kernel at a time.
    scale_gradients: Vec<f32>,
    /// Derivatives of `m_k`, `[d]`, of one kernel at a time.
    mean_gradients: Vec<f32>,
    /// Mean responsibilities, then derivatives of the weights, `[K]`.
    shares: Vec<f32>,
}

impl Training {
    /// Starts to train parameters in batches of at most `batch` rows.
    pub(super) fn new(parameters: Parameters, batch: usize) -> Self {
        let components = parameters.weights.len();
        let dims = parameters.means.len() / components;
        let square = components * dims * dims;
        let moments = [components * dims, components * dims, square, components].map(Moments::new);
        let mut training = Self {
            dims,
            parameters,
            moments,
            steps: 0,
            inverses: vec![0.0; components * dims],
            factors: vec![0.0; square],
            centres: vec![0.0; components * dims],
            log_constants: vec![0.0; components],
            whitened: vec![0.0; components * batch * dims],
            responsibilities: vec![0.0; components * batch],
            factor_gradients: vec![0.0; square],
            sums: vec![0.0; dims],
            scale_gradients: vec![0.0; dims],
            mean_gradients: vec![0.0; dims],
            shares: vec![0.0; components],
        };
        training.form_factors();
        training
    }

    fn components(&self) -> usize {
        self.parameters.weights.len()
    }

    /// Returns the mixture that the parameters describe.
    ///
    /// # Errors
    /// A candle error where the parameters are not finite.
    pub(super) fn mixture(&self) -> CandleResult<Mixture> {
        let weights: Vec<f64> = self.parameters.weights.iter().map(|weight| f64::from(*weight)).collect();
        let normaliser = log_sum_exp(&weights);
        let log_weights = weights.into_iter().map(|weight| weight - normaliser).collect();
        Mixture::new(Covariance::Full, log_weights, self.parameters.means.clone(), self.factors.clone())
    }

    /// Returns the mean surprisal of rows `[n, d]` in nats, and one step of Adam down its gradient.
    pub(super) fn step(&mut self, rows: &[f32], rate: f64) -> f64 {
        let loss = self.forward(rows);
        self.backward(rows);
        self.steps += 1;
        self.update(rows.len() / self.dims, Step::new(self.steps, rate, 0.0));
        self.form_factors();
        loss
    }

    /// Computes `W`, `W m` and the part of the density that does not depend on the row.
    fn form_factors(&mut self) {
        let (dims, components) = (self.dims, self.components());
        let largest = self.parameters.weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = self.parameters.weights.iter().map(|weight| f64::from(weight - largest).exp()).sum();
        for component in 0..components {
            let scales = &self.parameters.scales[component * dims..][..dims];
            let inverses = &mut self.inverses[component * dims..][..dims];
            for (inverse, scale) in inverses.iter_mut().zip(scales) {
                *inverse = scale.tanh().exp();
            }
            let log_determinant: f64 = scales.iter().map(|scale| f64::from(scale.tanh())).sum();
            self.log_constants[component] = f64::from(self.parameters.weights[component] - largest) - total.ln()
                + log_determinant
                - 0.5 * dims as f64 * std::f64::consts::TAU.ln();
            let means = &self.parameters.means[component * dims..][..dims];
            for row in 0..dims {
                let start = (component * dims + row) * dims;
                let factor = &mut self.factors[start..][..=row];
                let lower = &self.parameters.off_diagonals[start..][..row];
                for ((value, off_diagonal), inverse) in factor.iter_mut().zip(lower).zip(&*inverses) {
                    *value = off_diagonal * inverse;
                }
                factor[row] = inverses[row];
                self.centres[component * dims + row] = dot(factor, &means[..=row]);
            }
        }
    }

    /// Returns the loss; leaves `Y` and the responsibilities.
    fn forward(&mut self, rows: &[f32]) -> f64 {
        let (dims, components) = (self.dims, self.components());
        let count = rows.len() / dims;
        for component in 0..components {
            let whitened = &mut self.whitened[component * count * dims..][..count * dims];
            let factor =
                MatRef::from_row_major_slice(&self.factors[component * dims * dims..][..dims * dims], dims, dims);
            triangular::matmul(
                MatMut::from_row_major_slice_mut(whitened, count, dims),
                BlockStructure::Rectangular,
                Accum::Replace,
                MatRef::from_row_major_slice(rows, count, dims),
                BlockStructure::Rectangular,
                factor.transpose(),
                BlockStructure::TriangularUpper,
                1.0,
                Par::Seq,
            );
            let centre = &self.centres[component * dims..][..dims];
            for (row, whitened) in whitened.chunks_exact_mut(dims).enumerate() {
                for (value, centre) in whitened.iter_mut().zip(centre) {
                    *value -= centre;
                }
                self.responsibilities[row * components + component] = f64::from(dot(whitened, whitened));
            }
        }
        let mut total = 0.0;
        for row in self.responsibilities[..count * components].chunks_exact_mut(components) {
            let mut largest = f64::NEG_INFINITY;
            for (value, constant) in row.iter_mut().zip(&self.log_constants) {
                *value = constant - 0.5 * *value;
                largest = largest.max(*value);
            }
            let mut sum = 0.0;
            for value in &mut *row {
                *value = (*value - largest).exp();
                sum += *value;
            }
            for value in row {
                *value /= sum;
            }
            total -= largest + sum.ln();
        }
        total / count as f64
    }

    /// Computes `G` in the place of `Y`, and `dW` without the part of the means.
    fn backward(&mut self, rows: &[f32]) {
        let (dims, components) = (self.dims, self.components());
        let count = rows.len() / dims;
        for component in 0..components {
            let whitened = &mut self.whitened[component * count * dims..][..count * dims];
            for (row, whitened) in whitened.chunks_exact_mut(dims).enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "gradients are f32 by design")]
                let share =
                    unless_negligible((self.responsibilities[row * components + component] / count as f64) as f32);
                for value in whitened {
                    *value *= share;
                }
            }
            let gradient = &mut self.factor_gradients[component * dims * dims..][..dims * dims];
            triangular::matmul(
                MatMut::from_row_major_slice_mut(gradient, dims, dims),
                BlockStructure::TriangularLower,
                Accum::Replace,
                MatRef::from_row_major_slice(whitened, count, dims).transpose(),
                BlockStructure::Rectangular,
                MatRef::from_row_major_slice(rows, count, dims),
                BlockStructure::Rectangular,
                1.0,
                Par::Seq,
            );
        }
    }

    /// Completes the gradients of each kernel and steps down them.
    fn update(&mut self, count: usize, step: Step) {
        let (dims, components) = (self.dims, self.components());
        let [mean_moments, scale_moments, off_diagonal_moments, weight_moments] = &mut self.moments;
        let Parameters { means, scales, off_diagonals, weights } = &mut self.parameters;
        for component in 0..components {
            let range = component * dims..(component + 1) * dims;
            let (means, inverses) = (&mut means[range.clone()], &self.inverses[range.clone()]);
            self.shares[component] =
                mean_of_column(&self.responsibilities[..count * components], components, component);
            self.sums.fill(0.0);
            let kernel_range = component * count * dims..(component + 1) * count * dims;
            for row in self.whitened[kernel_range].chunks_exact(dims) {
                for (sum, value) in self.sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            self.scale_gradients.fill(-self.shares[component]);
            self.mean_gradients.fill(0.0);
            for (row, sum) in self.sums.iter().enumerate() {
                let start = (component * dims + row) * dims;
                let factor = &self.factors[start..=start + row];
                let gradient = &mut self.factor_gradients[start..=start + row];
                let sums = self.scale_gradients.iter_mut().zip(&mut self.mean_gradients);
                for (((value, mean), factor), (of_scale, of_mean)) in
                    gradient.iter_mut().zip(&*means).zip(factor).zip(sums)
                {
                    *value -= sum * mean;
                    *of_scale += *value * factor;
                    *of_mean -= sum * factor;
                }
                let gradients = gradient.iter().zip(inverses).map(|(value, inverse)| value * inverse);
                off_diagonal_moments.step(start, &mut off_diagonals[start..start + row], gradients, step);
            }
            mean_moments.step(range.start, means, self.mean_gradients.iter().copied(), step);
            // The derivative of tanh is 1 - tanh^2, and tanh a = log L.
            let gradients = self.scale_gradients.iter().zip(inverses).map(|(value, inverse)| {
                let bounded = inverse.ln();
                value * (1.0 - bounded * bounded)
            });
            scale_moments.step(range.start, &mut scales[range], gradients, step);
        }
        let largest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let normaliser: f32 = weights.iter().map(|weight| (weight - largest).exp()).sum();
        for (share, weight) in self.shares.iter_mut().zip(&*weights) {
            *share = (weight - largest).exp() / normaliser - *share;
        }
        weight_moments.step(0, weights, self.shares.iter().copied(), step);
    }
}

/// Returns the mean of a column of a row-major matrix.
#[expect(clippy::cast_possible_truncation, reason = "gradients are f32 by design")]
fn mean_of_column(values: &[f64], columns: usize, column: usize) -> f32 {
    let rows = values.len() / columns;
    (values.iter().skip(column).step_by(columns).sum::<f64>() / rows as f64) as f32
}

/// Returns the dot product, in eight sums side by side.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (left, right) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(left, right)| left * right).sum();
    for (left, right) in left.zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::knife::gradient::{GradientParams, Kernels};
    use crate::training::adam::Adam;
    use crate::training::parameters::ParameterStore;
    use candle_core::{Device, Tensor};
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const DIMS: usize = 11;

    fn kernels() -> Kernels {
        let params = GradientParams { components: 3, start_deviation: 0.5, ..Default::default() };
        Kernels::new(DIMS, &params, 1, &Device::Cpu).unwrap()
    }

    fn rows(count: usize) -> (Vec<f32>, Tensor) {
        let mut random = stream(0, "rows");
        let values: Vec<f32> = (0..count * DIMS).map(|_| StandardNormal.sample(&mut random)).collect();
        let tensor = Tensor::from_vec(values.clone(), (count, DIMS), &Device::Cpu).unwrap();
        (values, tensor)
    }

    /// The names of [`ParameterStore`] in the order of [`Training::moments`].
    const NAMES: [&str; 4] = ["knife means", "knife scales", "knife off-diagonals", "knife weights"];

    fn values(store: &ParameterStore, name: &str) -> Tensor {
        store.iter().find(|(found, _)| *found == name).unwrap().1.as_tensor().clone()
    }

    #[test]
    fn loss_and_gradients_are_those_of_automatic_differentiation() {
        let kernels = kernels();
        let (values_of_rows, tensor) = rows(37);
        let loss = kernels.loss(&tensor).unwrap();
        let gradients = loss.backward().unwrap();
        let mut training = Training::new(kernels.parameters().unwrap(), 50);
        let found = training.step(&values_of_rows, 1e-3);
        assert!((found - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-4, "{found} against {loss}");
        for (name, moments) in NAMES.into_iter().zip(&training.moments) {
            let expected = gradients.get(&values(&kernels.store, name)).unwrap();
            let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            assert!(largest > 1e-3, "{name} has a gradient");
            for (index, (expected, gradient)) in expected.iter().zip(moments.first_gradients()).enumerate() {
                assert!(
                    (gradient - expected).abs() < 1e-5 * largest.max(1.0),
                    "{name}[{index}]: {gradient} {expected}"
                );
            }
        }
    }

    #[test]
    fn steps_are_those_of_automatic_differentiation() {
        let kernels = kernels();
        let (values_of_rows, tensor) = rows(40);
        let mut training = Training::new(kernels.parameters().unwrap(), 40);
        let mut adam = Adam::new(0.01, 0.0);
        for _ in 0..5 {
            adam.step(&kernels.store, &kernels.loss(&tensor).unwrap().backward().unwrap()).unwrap();
            training.step(&values_of_rows, 0.01);
        }
        let Parameters { means, scales, off_diagonals, weights } = &training.parameters;
        for (name, found) in NAMES.into_iter().zip([means, scales, off_diagonals, weights]) {
            let expected = values(&kernels.store, name).flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (found, expected) in found.iter().zip(expected) {
                // Where a gradient is near 0, Adam's first steps are of its sign: rounding may take some of a step's .01.
                assert!((found - expected).abs() < 2e-3, "{name}: {found} against {expected}");
            }
        }
    }

    #[test]
    fn a_dot_product_of_any_length() {
        for length in [0, 1, 7, 8, 9, 23] {
            let values: Vec<f32> = (0..length).map(|value| value as f32).collect();
            let expected: f32 = values.iter().map(|value| value * value).sum();
            assert_eq!(dot(&values, &values), expected);
        }
    }
}
