//! The label loss: the surprisal of the label under the student.

use candle_core::{D, Tensor};

use super::log_softmax;
use crate::error::Result;

/// Computes `-log p(y|x)` of each sample, in nats.
///
/// # Shapes
/// `logits`: `[n, classes]`; `labels`: `[n]`, `u32`, below `classes`. Result: `[n]`.
///
/// # Errors
/// A candle error where the shapes do not fit.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let logits = Tensor::new(&[[0.0f32, 0.0], [0.0, 100.0]], &Device::Cpu)?;
/// let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
/// let losses = lsmi_guide::train::loss::label::surprisal(&logits, &labels)?.to_vec1::<f32>()?;
/// assert_eq!(losses, [2f32.ln(), 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn surprisal(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Ok(log_softmax(logits)?.gather(&labels.unsqueeze(D::Minus1)?, D::Minus1)?.squeeze(D::Minus1)?.neg()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::loss::tests::{check_gradient, random};
    use crate::train::loss::weighted_mean;
    use candle_core::Device;

    #[test]
    fn gradients_match_differences() {
        let labels = Tensor::new(&[2u32, 0, 1], &Device::Cpu).unwrap();
        check_gradient(&random("logits", 3, 4), |logits| {
            weighted_mean(&surprisal(logits, &labels).unwrap(), &[1.0, 0.5, 1.5]).unwrap()
        });
    }
}
