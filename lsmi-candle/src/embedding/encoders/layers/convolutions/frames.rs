//! Convolutions along time, of frames `[B, T, channels]`, with as many zeros on both sides as lie beside the middle of the window.
//!
//! On the processor in f32, what a place of the window sees is one run of the padded frames: a row of a product, which is read
//! where it lies. Elsewhere candle's own convolution is used.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::super::linear::OnHost;
use super::super::{Activation, Linear, passes};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;
use crate::numbers::product::{Panels, Rows};

/// A convolution along time and the activation after it.
#[derive(Debug, Clone)]
pub(crate) struct FrameConvolution {
    kernel: Kernel,
    width: usize,
    stride: usize,
    activation: Activation,
}

#[derive(Debug, Clone)]
enum Kernel {
    /// `[outputs, width * inputs]`.
    Rows(Arc<OnHost>),
    /// `[outputs, inputs, width]`, as it is stored, and `[1, outputs, 1]`.
    Planes(Tensor, Tensor),
}

impl FrameConvolution {
    /// Loads `weight` `[outputs, inputs, width]`, of an odd width, and `bias`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(
        weights: &Weights,
        [inputs, outputs]: [usize; 2],
        width: usize,
        stride: usize,
        activation: Activation,
    ) -> Result<Self> {
        let (kernel, bias) = (weights.get("weight", &[outputs, inputs, width])?, weights.get("bias", &[outputs])?);
        Self::new(&kernel, &bias, stride, activation)
    }

    fn new(kernel: &Tensor, bias: &Tensor, stride: usize, activation: Activation) -> Result<Self> {
        let (outputs, _, width) = kernel.dims3()?;
        let rows = kernel.transpose(1, 2)?.reshape((outputs, ()))?;
        let kernel = match Linear::new(rows, Some(bias.clone()))? {
            Linear::OnHost(layer) => Kernel::Rows(layer),
            Linear::Tensors(..) => Kernel::Planes(kernel.clone(), bias.reshape((1, outputs, 1))?),
        };
        Ok(Self { kernel, width, stride, activation })
    }

    /// `[B, T, inputs]` to `[B, places, outputs]`.
    ///
    /// # Errors
    /// A candle error where the channels do not fit.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.kernel {
            Kernel::Planes(kernel, bias) => {
                let y = x.transpose(1, 2)?.contiguous()?.conv1d(kernel, self.width / 2, self.stride, 1, 1)?;
                self.activation.forward(&y.broadcast_add(bias)?.transpose(1, 2)?.contiguous()?)
            }
            Kernel::Rows(layer) => Ok(x.contiguous()?.apply_op1_no_bwd(&Runs { convolution: self, layer })?),
        }
    }
}

/// A convolution on the processor.
struct Runs<'a> {
    convolution: &'a FrameConvolution,
    layer: &'a OnHost,
}

impl CustomOp1 for Runs<'_> {
    fn name(&self) -> &'static str {
        "frame-convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let Self { convolution: FrameConvolution { width, stride, activation, .. }, layer } = *self;
        let (batch, frames, channels) = layout.shape().dims3()?;
        if channels * width != layer.inputs() || frames == 0 {
            candle_core::bail!("a convolution of {} numbers was given {:?}", layer.inputs(), layout.dims())
        }
        let zeros = width / 2 * channels;
        let places = (frames - 1) / stride + 1;
        let mut padded = vec![0.0; frames * channels + 2 * zeros];
        let mut y = vec![0.0; batch * places * layer.outputs()];
        let mut panels = Panels::default();
        let x = passes::values(x, layout)?;
        for (x, y) in x.chunks_exact(frames * channels).zip(y.chunks_exact_mut(places * layer.outputs())) {
            padded[zeros..][..x.len()].copy_from_slice(x);
            let rows = Rows { values: &padded, stride: stride * channels, count: places };
            layer.multiply(rows, y, false, Some(*activation), &mut panels);
        }
        Ok((CpuStorage::F32(y), (batch, places, layer.outputs()).into()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn both_ways_agree() {
        let random = |shape: &[usize]| Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap();
        for (frames, width, stride) in [(9, 3, 1), (10, 3, 2), (11, 5, 2), (1, 3, 2)] {
            let (x, kernel, bias) = (random(&[2, frames, 6]), random(&[7, 6, width]), random(&[7]));
            let fast = FrameConvolution::new(&kernel, &bias, stride, Activation::Gelu).unwrap();
            let planes = Kernel::Planes(kernel, bias.reshape((1, 7, 1)).unwrap());
            let slow = FrameConvolution { kernel: planes, ..fast.clone() };
            let [fast, slow] = [fast, slow].map(|layer| layer.forward(&x).unwrap());
            assert_eq!(fast.dims(), slow.dims());
            let off = (fast - slow).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(off < 1e-5, "{frames} {width} {stride}: {off}");
        }
    }
}
