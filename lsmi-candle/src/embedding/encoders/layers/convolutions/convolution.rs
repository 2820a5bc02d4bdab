//! Convolutions of maps `[B, height, width, channels]`.
//!
//! On the processor the pixels under every place of the window are laid side by side, and one product with the kernel does
//! the rest, in f32 whatever the number type is. Elsewhere candle's own convolution is used.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};

use super::super::Linear;
use super::batch_norm::BatchNorm;
use super::rectifier::{Rectifier, floats};
use super::window::{Side, Window};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::layers::passes;
use crate::embedding::encoders::weights::Weights;

/// A convolution, the bias and the rectifier after it.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    window: Window,
    kernel: Kernel,
    bias: Tensor,
    rectifier: Rectifier,
    dtype: DType,
}

#[derive(Debug, Clone)]
enum Kernel {
    /// `[outputs, kernel * kernel * inputs]`, in the order of pixels laid side by side.
    Rows(Linear),
    /// `[outputs, inputs, kernel, kernel]`, as it is stored.
    Planes(Tensor),
}

impl Convolution {
    /// Loads `weight` `[outputs, inputs, kernel, kernel]` and, where there is to be one, `bias` under `name`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        [inputs, outputs]: [usize; 2],
        window: Window,
        bias: bool,
    ) -> Result<Self> {
        let weights = weights.under(name);
        let kernel = weights.get("weight", &[outputs, inputs, window.kernel, window.kernel])?;
        let bias = if bias {
            weights.get("bias", &[outputs])?
        } else {
            Tensor::zeros(outputs, weights.dtype(), weights.device())?
        };
        Self::new(&kernel, bias, window, Rectifier::None)
    }

    /// Loads a convolution without bias and the batch norm after it.
    ///
    /// # Errors
    /// As [`Convolution::load`].
    pub(crate) fn load_normed(
        weights: &Weights,
        [name, norm]: [&str; 2],
        [inputs, outputs]: [usize; 2],
        window: Window,
        eps: f64,
        rectifier: Rectifier,
    ) -> Result<Self> {
        let kernel = weights.under(name).get("weight", &[outputs, inputs, window.kernel, window.kernel])?;
        let (kernel, bias) = BatchNorm::load(weights, norm, outputs, eps)?.fold(&kernel)?;
        Self::new(&kernel, bias, window, rectifier)
    }

    /// A convolution from its kernel `[outputs, inputs, kernel, kernel]` and its bias `[outputs]`.
    ///
    /// # Errors
    /// A candle error where the kernel is of another shape.
    pub(crate) fn new(kernel: &Tensor, bias: Tensor, window: Window, rectifier: Rectifier) -> Result<Self> {
        let dtype = kernel.dtype();
        if !kernel.device().is_cpu() {
            return Ok(Self { window, kernel: Kernel::Planes(kernel.clone()), bias, rectifier, dtype });
        }
        let rows = kernel.to_dtype(DType::F32)?.permute((0, 2, 3, 1))?.reshape((kernel.dim(0)?, ()))?;
        let bias = bias.to_dtype(DType::F32)?;
        Ok(Self { window, kernel: Kernel::Rows(Linear::new(rows, None)?), bias, rectifier, dtype })
    }

    /// The number type of the maps that it takes and gives.
    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Applies it to a map `[B, height, width, inputs]`.
    ///
    /// # Errors
    /// [`EncoderError::Input`](crate::embedding::encoders::EncoderError::Input) where the map is smaller than the window, a candle
    /// error where its channels do not fit.
    pub(crate) fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let sides = self.window.sides(map)?;
        let y = match &self.kernel {
            Kernel::Rows(kernel) => self.by_product(&map.to_dtype(DType::F32)?, kernel, sides)?,
            Kernel::Planes(kernel) => {
                let [height, width] = sides;
                let map = map.permute((0, 3, 1, 2))?.pad_with_zeros(2, height.before, height.after)?;
                let map = map.pad_with_zeros(3, width.before, width.after)?.contiguous()?;
                map.conv2d(kernel, 0, self.window.stride, 1, 1)?.permute((0, 2, 3, 1))?.contiguous()?
            }
        };
        Ok(self.rectifier.forward_biased(y, &self.bias)?.to_dtype(self.dtype)?)
    }

    fn by_product(&self, map: &Tensor, kernel: &Linear, sides: [Side; 2]) -> Result<Tensor> {
        if self.window == Window::PIXEL {
            return kernel.forward(map);
        }
        passes::refuse_gradient(map, "convolution")?;
        let patches = map.contiguous()?.apply_op1_no_bwd(&Patches { window: self.window, sides })?;
        kernel.forward(&patches)
    }
}

/// Lays the pixels under every place of a window side by side: `[B, rows, columns, kernel * kernel * channels]`.
struct Patches {
    window: Window,
    sides: [Side; 2],
}

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, _, _, channels) = layout.shape().dims4()?;
        let map = floats(storage, layout)?;
        let [height, width] = self.sides;
        let kernel = self.window.kernel;
        let length = kernel * kernel * channels;
        let mut patches = vec![0.0; batch * height.outputs * width.outputs * length];
        patches.chunks_exact_mut(width.outputs * length).enumerate().for_each(|(index, row)| {
            let (image, place) = (index / height.outputs, index % height.outputs);
            for (column, patch) in row.chunks_exact_mut(length).enumerate() {
                // Of every row of the window one run of pixels is copied; what lies in the padding stays 0.
                let left = column * self.window.stride;
                let (skipped, end) = seen(width, left, kernel);
                let run = (end - skipped) * channels;
                if run == 0 {
                    continue;
                }
                let (first, last) = seen(height, place * self.window.stride, kernel);
                for line in first..last {
                    let y = image * height.pixels + place * self.window.stride + line - height.before;
                    let from = (y * width.pixels + left + skipped - width.before) * channels;
                    let to = (line * kernel + skipped) * channels;
                    patch[to..to + run].copy_from_slice(&map[from..from + run]);
                }
            }
        });
        Ok((CpuStorage::F32(patches), (batch, height.outputs, width.outputs, length).into()))
    }
}

/// The part of a window at `place` that lies on the map rather than in the padding.
pub(super) fn seen(side: Side, place: usize, kernel: usize) -> (usize, usize) {
    let first = side.before.saturating_sub(place).min(kernel);
    let last = (side.pixels + side.before).saturating_sub(place).min(kernel);
    (first, last.max(first))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::window::Padding;
    use super::*;

    #[test]
    fn both_ways_agree() {
        let number = |index: usize| (index * 7919 % 101) as f32 / 50.0 - 1.0;
        let tensor = |shape: &[usize]| {
            let values: Vec<f32> = (0..shape.iter().product()).map(number).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        let map = tensor(&[2, 9, 6, 5]);
        for padding in [Padding::Even(0), Padding::Even(1), Padding::Same] {
            for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (5, 2), (2, 2)] {
                let window = Window { kernel, stride, padding };
                let planes = tensor(&[4, 5, kernel, kernel]);
                let fast = Convolution::new(&planes, tensor(&[4]), window, Rectifier::Relu).unwrap();
                let slow = Convolution { kernel: Kernel::Planes(planes), ..fast.clone() };
                let [fast, slow] = [fast, slow].map(|layer| layer.forward(&map).unwrap());
                assert_eq!(fast.dims(), slow.dims());
                let off = (fast - slow).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(off < 1e-5, "{window:?}: {off}");
            }
        }
    }
}
