//! Root-mean-square normalisation (Zhang and Sennrich, 2019): `x / sqrt(mean(x^2) + eps) * weight` over the last
//! axis, without a mean taken off and without a bias.

use candle_core::{CpuStorage, CustomOp2, D, DType, Layout, Shape, Tensor};

use super::passes;
use super::passes::values;
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;
use crate::numbers::simd_math::vectorised;

/// A root-mean-square norm; its weight is f32 whatever the states are.
#[derive(Debug, Clone)]
pub(crate) struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    /// Loads `weight` under `name`. What stands there counts from `offset`: 0, or 1 where a weight of 0 changes nothing
    /// (Gemma).
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, width: usize, eps: f64, offset: f64) -> Result<Self> {
        let weight = weights.under(name).get("weight", &[width])?.to_dtype(DType::F32)?;
        Ok(Self { weight: (weight + offset)?, eps })
    }

    /// The norm with everything that it gives multiplied by a factor.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn scaled(self, factor: f64) -> Result<Self> {
        Ok(Self { weight: (self.weight * factor)?, ..self })
    }

    /// Applies it along the last axis.
    ///
    /// # Errors
    /// A candle error where the widths differ.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let width = x.dim(D::Minus1)?;
        if passes::suits(x) && passes::suits(&self.weight) && self.weight.dims() == [width] {
            return Ok(x.apply_op2_no_bwd(&self.weight, &Pass(self.eps))?);
        }
        let wide = x.to_dtype(DType::F32)?;
        let mean = (wide.sqr()?.sum_keepdim(D::Minus1)? / width as f64)?;
        let unit = wide.broadcast_div(&(mean + self.eps)?.sqrt()?)?;
        Ok(unit.broadcast_mul(&self.weight)?.to_dtype(x.dtype())?)
    }
}

/// The norm on the processor, in one pass; with its epsilon.
struct Pass(f64);

impl CustomOp2 for Pass {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (x, weight) = (values(x, layout)?, values(weight, weight_layout)?);
        #[expect(clippy::cast_possible_truncation, reason = "an epsilon that f32 cannot hold counts as 0")]
        let eps = self.0 as f32;
        let mut result = vec![0.0; x.len()];
        vectorised(
            #[inline(always)]
            || {
                for (x, result) in x.chunks_exact(weight.len()).zip(result.chunks_exact_mut(weight.len())) {
                    let mean = passes::lanes(x, |x| x * x) / x.len() as f32;
                    let scale = 1.0 / (mean + eps).sqrt();
                    for ((result, x), weight) in result.iter_mut().zip(x).zip(weight) {
                        *result = x * scale * weight;
                    }
                }
            },
        );
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn both_ways_agree() {
        for width in [5, 16, 37] {
            let x = Tensor::randn(0f32, 3f32, (4, width), &Device::Cpu).unwrap();
            let weight = Tensor::randn(0f32, 1f32, width, &Device::Cpu).unwrap();
            let fast = RmsNorm { weight: weight.clone(), eps: 1e-6 }.forward(&x).unwrap();
            let wide = RmsNorm { weight, eps: 1e-6 }.forward(&x.to_dtype(DType::F64).unwrap()).unwrap();
            let difference = (fast.to_dtype(DType::F64).unwrap() - wide).unwrap().abs().unwrap().max_all().unwrap();
            assert!(difference.to_scalar::<f64>().unwrap() < 2e-6);
        }
    }
}
