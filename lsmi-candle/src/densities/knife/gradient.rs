//! The published fit: gradient steps on the kernels' parameters.
//!
//! Parameters are means `m [K, d]`, scales `a [K, d]`, off-diagonals `T [K, d, d]` and weights `w [K]`;
//! `y_k = (I + strict_lower(T_k)) L_k (x - m_k)` with `L_k = diag(exp(tanh a_k))`, and
//! `log p(x) = logsumexp_k [ log_softmax(w)_k + sum_j log L_kj - 1/2 |y_k|^2 ] - d/2 log(2 pi)`
//! (Pichler et al. 2022, section 3, with the bound of the released code).
//!
//! On the CPU the steps are those of [`super::host`]; on other devices they are tensor operations with automatic
//! differentiation.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops::log_softmax;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::host::{Parameters, Training};
use super::{Fitted, Knife};
use crate::densities::mixture::{Covariance, Mixture, Sample};
use crate::densities::points::Points;
use crate::error::{EstimatorError, Result};
use crate::training::adam::Adam;
use crate::training::parameters::ParameterStore;

/// Settings of the gradient fit; the default is the published one.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientParams {
    /// Number of kernels. Default: 5.
    pub components: usize,
    /// Standard deviation of the random start of means, scales, off-diagonals and weights. Default: 1.
    pub start_deviation: f64,
    /// Passes over the rows. Default: 30.
    pub epochs: usize,
    /// Rows a step. Default: 32.
    pub batch: usize,
    /// Adam's first step size. Default: 0.001.
    pub rate: f64,
    /// Epochs after which the step size is divided by ten. Default: 20.
    pub epochs_a_rate: usize,
}

impl Default for GradientParams {
    fn default() -> Self {
        Self { components: 5, start_deviation: 1.0, epochs: 30, batch: 32, rate: 1e-3, epochs_a_rate: 20 }
    }
}

impl GradientParams {
    fn check(&self) -> Result<()> {
        let positive = [
            ("knife components", self.components),
            ("knife batch", self.batch),
            ("knife epochs", self.epochs),
            ("knife rate epochs", self.epochs_a_rate),
        ];
        for (name, found) in [("knife rate", self.rate), ("knife start deviation", self.start_deviation)] {
            if !(found > 0.0 && found.is_finite()) {
                return Err(EstimatorError::Setting {
                    name,
                    found: found.to_string(),
                    expected: "positive and finite".to_owned(),
                });
            }
        }
        for (name, found) in positive {
            if found == 0 {
                return Err(EstimatorError::Setting { name, found: "0".to_owned(), expected: "at least 1".to_owned() });
            }
        }
        Ok(())
    }
}

/// The kernels' parameters as tensors.
pub(super) struct Kernels {
    pub(super) store: ParameterStore,
    means: Tensor,
    scales: Tensor,
    off_diagonals: Tensor,
    weights: Tensor,
    strict_lower: Tensor,
}

impl Kernels {
    pub(super) fn new(dims: usize, params: &GradientParams, seed: u64, device: &candle_core::Device) -> Result<Self> {
        let (components, deviation) = (params.components, params.start_deviation);
        let mut store = ParameterStore::new(seed, device);
        let means = store.normal("knife means", (components, dims), deviation)?;
        let scales = store.normal("knife scales", (components, dims), deviation)?;
        let off_diagonals = store.normal("knife off-diagonals", (components, dims, dims), deviation)?;
        let weights = store.normal("knife weights", components, deviation)?;
        let lower = Tensor::tril2(dims, DType::F32, device)?;
        let strict_lower = (lower - Tensor::eye(dims, DType::F32, device)?)?;
        Ok(Self { store, means, scales, off_diagonals, weights, strict_lower })
    }

    /// Returns the mean surprisal of rows `[n, d]`.
    pub(super) fn loss(&self, rows: &Tensor) -> Result<Tensor> {
        let dims = rows.dim(1)?;
        let log_scales = self.scales.tanh()?;
        let centred = rows.unsqueeze(0)?.broadcast_sub(&self.means.unsqueeze(1)?)?;
        let scaled = centred.broadcast_mul(&log_scales.exp()?.unsqueeze(1)?)?;
        let mixing = self.off_diagonals.broadcast_mul(&self.strict_lower)?.transpose(1, 2)?.contiguous()?;
        let whitened = (&scaled + scaled.matmul(&mixing)?)?;
        let distances = whitened.sqr()?.sum(D::Minus1)?;
        let constants = (log_softmax(&self.weights, 0)? + log_scales.sum(D::Minus1)?)?;
        let joint = (distances * -0.5)?.broadcast_add(&constants.unsqueeze(1)?)?.t()?.contiguous()?;
        let largest = joint.max_keepdim(D::Minus1)?.detach();
        let sums = joint.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
        let log_densities = (sums.log()? + largest)?;
        Ok((log_densities.mean_all()?.neg()? + 0.5 * dims as f64 * std::f64::consts::TAU.ln())?)
    }

    /// Returns the parameters on the host.
    pub(super) fn parameters(&self) -> Result<Parameters> {
        let host = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        Ok(Parameters {
            means: host(&self.means)?,
            scales: host(&self.scales)?,
            off_diagonals: host(&self.off_diagonals)?,
            weights: host(&self.weights)?,
        })
    }

    /// Returns the mixture that the parameters describe: `W = (I + strict_lower(T)) L`.
    fn mixture(&self) -> Result<Mixture> {
        let dims = self.means.dim(1)?;
        let device = self.means.device();
        let unit = Tensor::eye(dims, DType::F32, device)?.unsqueeze(0)?;
        let lower = self.off_diagonals.broadcast_mul(&self.strict_lower)?.broadcast_add(&unit)?;
        let factors = lower.broadcast_mul(&self.scales.tanh()?.exp()?.unsqueeze(1)?)?;
        let log_weights = log_softmax(&self.weights, 0)?.to_vec1::<f32>()?.into_iter().map(f64::from).collect();
        let host = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        Ok(Mixture::new(Covariance::Full, log_weights, host(&self.means)?, host(&factors)?)?)
    }
}

pub(super) fn fit(
    sample: &Sample,
    params: &GradientParams,
    seed: u64,
    report: &dyn Fn(String, f64) -> Result<()>,
) -> Result<Fitted> {
    params.check()?;
    let points = &sample.points;
    let schedule = Schedule { params, seed, report };
    let Some(tensor) = points.on_device() else {
        let kernels = Kernels::new(points.columns(), params, seed, &Device::Cpu)?;
        return fit_on_host(points, &kernels, &schedule);
    };
    let kernels = Kernels::new(points.columns(), params, seed, tensor.device())?;
    let mut adam = Adam::new(params.rate, 0.0);
    let loss = schedule.run(points.rows(), |batch, rate| {
        adam.rate = rate;
        let rows = tensor.index_select(&Tensor::new(batch, tensor.device())?, 0)?;
        let loss = kernels.loss(&rows)?;
        adam.step(&kernels.store, &loss.backward()?)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    })?;
    Ok(Fitted { knife: Knife::from_mixture(kernels.mixture()?), loss })
}

fn fit_on_host(points: &Points, kernels: &Kernels, schedule: &Schedule<'_>) -> Result<Fitted> {
    let (dims, batch, values) = (points.columns(), schedule.params.batch.min(points.rows()), points.values());
    let mut training = Training::new(kernels.parameters()?, batch);
    let mut rows = Vec::with_capacity(batch * dims);
    let loss = schedule.run(points.rows(), |batch, rate| {
        rows.clear();
        for row in batch {
            rows.extend_from_slice(&values[*row as usize * dims..][..dims]);
        }
        Ok(training.step(&rows, rate))
    })?;
    Ok(Fitted { knife: Knife::from_mixture(training.mixture()?), loss })
}

/// The batches of a fit and the sizes of its steps.
struct Schedule<'a> {
    params: &'a GradientParams,
    seed: u64,
    report: &'a dyn Fn(String, f64) -> Result<()>,
}

impl Schedule<'_> {
    /// Takes all steps: calls `step` with the rows and the size of each, and gets the batch's loss from it. Returns the
    /// last epoch's mean loss.
    fn run(&self, rows: usize, mut step: impl FnMut(&[u32], f64) -> Result<f64>) -> Result<f64> {
        let params = self.params;
        let mut random = stream(self.seed, "knife batches");
        let mut order: Vec<u32> = (0..).take(rows).collect();
        let mut loss = f64::NAN;
        for epoch in 0..params.epochs {
            #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a few dozen epochs")]
            let decays = (epoch / params.epochs_a_rate) as i32;
            let rate = params.rate * 0.1f64.powi(decays);
            order.shuffle(&mut random);
            let mut total = 0.0;
            for batch in order.chunks(params.batch) {
                total += step(batch, rate)? * batch.len() as f64;
            }
            loss = total / rows as f64;
            (self.report)(format!("density, epoch {} of {}", epoch + 1, params.epochs), loss)?;
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::parameters::assert_gradients_match_differences;
    use rand_distr::{Distribution, StandardNormal};

    fn rows(count: usize, dims: usize) -> Sample {
        let mut random = stream(0, "rows");
        let values = (0..count * dims).map(|_| StandardNormal.sample(&mut random)).collect();
        Sample::new(values, dims, &Device::Cpu).unwrap()
    }

    fn tensor(sample: &Sample) -> Tensor {
        let points = &sample.points;
        Tensor::from_slice(points.values(), (points.rows(), points.columns()), &Device::Cpu).unwrap()
    }

    fn kernels() -> Kernels {
        let params = GradientParams { components: 3, start_deviation: 0.5, ..Default::default() };
        Kernels::new(4, &params, 1, &Device::Cpu).unwrap()
    }

    #[test]
    fn every_parameter_has_a_gradient() {
        let kernels = kernels();
        let gradients = kernels.loss(&tensor(&rows(20, 4))).unwrap().backward().unwrap();
        kernels.store.assert_all_gradients(&gradients).unwrap();
    }

    #[test]
    fn gradients_match_finite_differences() {
        let (kernels, sample) = (kernels(), rows(20, 4));
        // Central differences of an f32 loss near 6 with steps of .01 are good to about 1e-7 * 6 / .02 = 3e-5 and the
        // curvature's error of about 1e-4.
        assert_gradients_match_differences(&kernels.store, 1e-2, 2e-3, || kernels.loss(&tensor(&sample)).unwrap());
    }

    #[test]
    fn the_mixture_is_the_density_that_was_trained() {
        let (kernels, sample) = (kernels(), rows(50, 4));
        let loss = f64::from(kernels.loss(&tensor(&sample)).unwrap().to_scalar::<f32>().unwrap());
        let densities = kernels.mixture().unwrap().log_density(&sample.points).unwrap();
        assert!((loss + densities.iter().sum::<f64>() / 50.0).abs() < 1e-4);
    }

    #[test]
    fn training_lowers_the_loss_and_repeats_to_the_bit() {
        let sample = rows(200, 2);
        let params = GradientParams { epochs: 3, ..Default::default() };
        let losses = std::cell::RefCell::new(Vec::new());
        let first = fit(&sample, &params, 5, &|_, loss| {
            losses.borrow_mut().push(loss);
            Ok(())
        })
        .unwrap()
        .knife;
        let second = fit(&sample, &params, 5, &|_, _| Ok(())).unwrap().knife;
        assert!(losses.borrow().last() < losses.borrow().first());
        let densities = |knife: &Knife| knife.log_density(&sample.points).unwrap();
        assert_eq!(densities(&first), densities(&second));
    }
}
