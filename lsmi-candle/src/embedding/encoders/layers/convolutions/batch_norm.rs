//! Batch normalisation with its stored statistics, which is a factor and a shift of each channel: both go into the
//! weights of the convolution before it.

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// A batch norm's factor and shift, f64 on the host.
#[derive(Debug, Clone)]
pub(crate) struct BatchNorm {
    factor: Tensor,
    shift: Tensor,
}

impl BatchNorm {
    /// Loads `weight`, `bias`, `running_mean` and `running_var` under `name`.
    pub(crate) fn load(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Self> {
        let weights = weights.under(name);
        let get = |name| -> Result<Tensor> {
            Ok(weights.get(name, &[width])?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?)
        };
        let deviation = (get("running_var")? + eps)?.sqrt()?;
        let factor = get("weight")?.div(&deviation)?;
        let shift = (get("bias")? - (get("running_mean")? * &factor)?)?;
        Ok(Self { factor, shift })
    }

    /// The factor and the shift, both `[width]`.
    pub(crate) fn factor_and_shift(self) -> (Tensor, Tensor) {
        (self.factor, self.shift)
    }

    /// As [`BatchNorm::fold`], of a kernel that has a bias `[outputs]`.
    pub(crate) fn fold_with_bias(&self, kernel: &Tensor, bias: &Tensor) -> Result<(Tensor, Tensor)> {
        let (kernel, _) = self.fold(kernel)?;
        let host = bias.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let bias = ((host * &self.factor)? + &self.shift)?.to_dtype(bias.dtype())?.to_device(bias.device())?;
        Ok((kernel, bias))
    }

    /// A kernel `[outputs, ...]` without bias, and this norm after it, as one kernel and a bias.
    pub(crate) fn fold(&self, kernel: &Tensor) -> Result<(Tensor, Tensor)> {
        let (dtype, device) = (kernel.dtype(), kernel.device());
        let outputs = kernel.dim(0)?;
        let flat = kernel.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.reshape((outputs, ()))?;
        let scaled = flat.broadcast_mul(&self.factor.reshape((outputs, 1))?)?.reshape(kernel.shape())?;
        let back = |tensor: &Tensor| tensor.to_dtype(dtype)?.to_device(device);
        Ok((back(&scaled)?, back(&self.shift)?))
    }
}
