//! Losses, one value a sample, and their weighted mean.
//!
//! | loss | compares | weighs by |
//! |---|---|---|
//! | [`label`] | logits with the label | 1 |
//! | [`output`] | the student's and the teacher's logits at a temperature | the plan's `output` |
//! | [`feature`] | the student's and the teacher's features: by squares, by angles, or by distances between samples | the plan's `feature` |
//!
//! All are made of operations that candle differentiates; its fused softmax and normalisation layers are not among them,
//! for they cut gradients silently. Features and logits of a teacher enter as constants.

pub mod feature;
pub mod label;
pub mod output;

use candle_core::{D, Device, Tensor};

use crate::decide::interactions::check_length;
use crate::error::{GuideError, Result};

/// Computes `sum_i w_i l_i / n`, a scalar.
///
/// With weights of mean one it is as large as the mean of the losses would be.
///
/// # Shapes
/// `losses`: `[n]`; as many weights.
///
/// # Errors
/// [`GuideError::Length`] unless there is one weight a loss.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use lsmi_guide::train::loss::weighted_mean;
///
/// let losses = Tensor::new(&[1.0f32, 2.0, 6.0, 4.0], &Device::Cpu)?;
/// assert_eq!(weighted_mean(&losses, &[1.0, 2.0, 0.0, 1.0])?.to_scalar::<f32>()?, 9.0 / 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn weighted_mean(losses: &Tensor, weights: &[f64]) -> Result<Tensor> {
    check_length("weights", losses.elem_count(), weights.len())?;
    // Not every device knows double precision, so the host rounds.
    let weights = Tensor::from_slice(weights, weights.len(), &Device::Cpu)?.to_dtype(losses.dtype())?;
    Ok((losses * weights.to_device(losses.device())?)?.mean_all()?)
}

/// `log p` of every class, `[n, classes]`, from logits of the same shape.
pub(crate) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    // The largest cancels, so it need not be differentiated.
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    Ok(shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)?)
}

/// Checks that a tensor has two dimensions and the same shape as another.
pub(crate) fn check_shape(what: &'static str, tensor: &Tensor, like: &Tensor) -> Result<()> {
    if tensor.rank() == 2 && tensor.dims() == like.dims() {
        return Ok(());
    }
    let expected = format!("{:?}, as the student's", like.dims());
    Err(GuideError::Shape { what, expected, found: tensor.dims().to_vec() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use candle_core::Var;
    use lsmi_core::random::stream;
    use rand::Rng;

    /// `[rows, columns]` of values between -1 and 1.
    pub(crate) fn random(name: &str, rows: usize, columns: usize) -> Tensor {
        let mut random = stream(0, name);
        let values: Vec<f64> = (0..rows * columns).map(|_| random.random_range(-1.0..1.0)).collect();
        Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
    }

    /// Compares the gradient of a loss with central differences, in double precision: their error is about 1e-8.
    pub(crate) fn check_gradient(at: &Tensor, loss: impl Fn(&Tensor) -> Tensor) {
        const STEP: f64 = 1e-5;
        let variable = Var::from_tensor(at).unwrap();
        let gradients = loss(variable.as_tensor()).backward().unwrap();
        let gradient = gradients.get(variable.as_tensor()).expect("the loss reaches the input");
        let gradient = gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert!(gradient.iter().any(|value| *value != 0.0), "the gradient is zero throughout");
        let start = at.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (index, expected) in gradient.iter().enumerate() {
            let moved = |offset: f64| {
                let mut moved = start.clone();
                moved[index] += offset;
                let moved = Tensor::from_vec(moved, at.shape(), at.device()).unwrap();
                loss(&moved).to_scalar::<f64>().unwrap()
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            assert!((difference - expected).abs() < 1e-6, "[{index}]: {difference} against {expected}");
        }
    }

    #[test]
    fn probabilities_sum_to_one_even_of_large_logits() {
        let logits = Tensor::new(&[[1e4f64, 0.0, -1e4], [0.0, 0.0, 0.0]], &Device::Cpu).unwrap();
        let sums = log_softmax(&logits).unwrap().exp().unwrap().sum(1).unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(sums, [1.0, 1.0]);
    }

    #[test]
    fn a_weight_for_every_loss() {
        let losses = Tensor::new(&[1.0f32, 2.0], &Device::Cpu).unwrap();
        assert!(matches!(weighted_mean(&losses, &[1.0]), Err(GuideError::Length { expected: 2, found: 1, .. })));
    }
}
