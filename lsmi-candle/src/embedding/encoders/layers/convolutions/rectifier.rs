//! A bias and a rectifier in one pass.

use candle_core::{CpuStorage, DType, Error, InplaceOp2, Layout, Tensor};

use crate::embedding::encoders::error::Result;
use crate::numbers::simd_math::vectorised;

/// What bounds the numbers that a convolution gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectifier {
    /// Nothing.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

impl Rectifier {
    /// The least and the greatest number, for [`Rectifier::bounded`].
    pub(crate) fn bounds(self) -> [f32; 2] {
        match self {
            Self::None => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }

    /// The number within the bounds; what is not a number stays so.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    pub(crate) fn bounded([least, most]: [f32; 2], x: f32) -> f32 {
        let x = if x < least { least } else { x };
        if x > most { most } else { x }
    }

    /// The numbers of any tensor within the bounds.
    pub(crate) fn forward(self, x: Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::None => x,
            Self::Relu => x.relu()?,
            Self::Relu6 => x.clamp(0f32, 6f32)?,
        })
    }

    /// Adds a bias `[channels]` to `[..., channels]`, which nobody else holds, and bounds the sums.
    pub(crate) fn forward_biased(self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() && x.dtype() == DType::F32 && x.is_contiguous() && !x.track_op() {
            x.inplace_op2(bias, &Biased(self.bounds()))?;
            return Ok(x);
        }
        self.forward(x.broadcast_add(bias)?)
    }
}

struct Biased([f32; 2]);

impl InplaceOp2 for Biased {
    fn name(&self) -> &'static str {
        "bias-and-rectifier"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, at: &Layout, bias: &CpuStorage, bias_at: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(x), Some((from, to))) = (x, at.contiguous_offsets()) else {
            return Err(Error::RequiresContiguous { op: "bias-and-rectifier" });
        };
        let bias = floats(bias, bias_at)?;
        vectorised(
            #[inline(always)]
            || {
                for row in x[from..to].chunks_exact_mut(bias.len()) {
                    for (x, bias) in row.iter_mut().zip(bias) {
                        *x = Rectifier::bounded(self.0, *x + bias);
                    }
                }
            },
        );
        Ok(())
    }
}

/// The numbers of a contiguous f32 tensor on the host.
pub(super) fn floats<'storage>(storage: &'storage CpuStorage, layout: &Layout) -> candle_core::Result<&'storage [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((from, to))) => Ok(&values[from..to]),
        _ => Err(Error::RequiresContiguous { op: "a layer of a convolutional network" }),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn both_ways_agree() {
        let values: Vec<f32> = (0..60_u8).map(|index| f32::from(index) / 4.0 - 7.0).collect();
        let bias = Tensor::new(&[0f32, 1.0, -2.0], &Device::Cpu).unwrap();
        for rectifier in [Rectifier::None, Rectifier::Relu, Rectifier::Relu6] {
            let x = || Tensor::from_vec(values.clone(), (5, 4, 3), &Device::Cpu).unwrap();
            let fast = rectifier.forward_biased(x(), &bias).unwrap();
            let slow = rectifier.forward(x().broadcast_add(&bias).unwrap()).unwrap();
            assert_eq!(fast.to_vec3::<f32>().unwrap(), slow.to_vec3::<f32>().unwrap());
        }
    }
}
