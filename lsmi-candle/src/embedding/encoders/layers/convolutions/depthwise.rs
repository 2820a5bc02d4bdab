//! Convolutions of each channel with a kernel of its own.
//!
//! On the processor each output is summed in registers, some channels at once; candle makes a convolution of every
//! channel. On other devices there is one product and one sum for each pixel of the window.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Shape, Tensor};

use super::batch_norm::BatchNorm;
use super::convolution::seen;
use super::rectifier::{Rectifier, floats};
use super::window::{Side, Window};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::layers::passes;
use crate::embedding::encoders::weights::Weights;
use crate::numbers::simd_math::vectorised;

/// A convolution of each channel with its own kernel, the bias and the rectifier after it.
#[derive(Debug, Clone)]
pub(crate) struct Depthwise {
    window: Window,
    /// `[kernel * kernel, channels]`.
    kernel: Tensor,
    bias: Tensor,
    rectifier: Rectifier,
}

impl Depthwise {
    /// Loads `weight` `[channels, 1, kernel, kernel]` and `bias` under `name`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, channels: usize, window: Window) -> Result<Self> {
        let weights = weights.under(name);
        let kernel = weights.get("weight", &[channels, 1, window.kernel, window.kernel])?;
        Self::new(&kernel, &weights.get("bias", &[channels])?, window, Rectifier::None)
    }

    /// Loads one without bias and the batch norm after it.
    ///
    /// # Errors
    /// As [`Depthwise::load`].
    pub(crate) fn load_normed(
        weights: &Weights,
        [name, norm]: [&str; 2],
        channels: usize,
        window: Window,
        eps: f64,
        rectifier: Rectifier,
    ) -> Result<Self> {
        let kernel = weights.under(name).get("weight", &[channels, 1, window.kernel, window.kernel])?;
        let (kernel, bias) = BatchNorm::load(weights, norm, channels, eps)?.fold(&kernel)?;
        Self::new(&kernel, &bias, window, rectifier)
    }

    fn new(kernel: &Tensor, bias: &Tensor, window: Window, rectifier: Rectifier) -> Result<Self> {
        // On the processor sums are f32 whatever the number type is.
        let computed = if kernel.device().is_cpu() { DType::F32 } else { kernel.dtype() };
        let kernel = kernel.flatten_from(1)?.t()?.to_dtype(computed)?.contiguous()?;
        Ok(Self { window, kernel, bias: bias.to_dtype(computed)?, rectifier })
    }

    /// Applies it to a map `[B, height, width, channels]`.
    ///
    /// # Errors
    /// [`EncoderError::Input`](crate::embedding::encoders::EncoderError::Input) where the map is smaller than the window, a candle
    /// error where its channels do not fit.
    pub(crate) fn forward(&self, map: &Tensor) -> Result<Tensor> {
        if !map.device().is_cpu() || map.dim(3)? != self.bias.dim(0)? {
            return self.by_views(map);
        }
        let sides = self.window.sides(map)?;
        let sum = Sum { window: self.window, sides, bounds: self.rectifier.bounds() };
        passes::refuse_gradient(map, "depthwise convolution")?;
        let sums = map.to_dtype(DType::F32)?.contiguous()?.apply_op3_no_bwd(&self.kernel, &self.bias, &sum)?;
        Ok(sums.to_dtype(map.dtype())?)
    }

    fn by_views(&self, map: &Tensor) -> Result<Tensor> {
        let mut sum = None;
        for (index, view) in self.window.views(map)?.into_iter().enumerate() {
            let product = view.broadcast_mul(&self.kernel.get(index)?)?;
            sum = Some(match sum {
                None => product,
                Some(sum) => (product + sum)?,
            });
        }
        let sum = sum.unwrap_or(map.clone());
        self.rectifier.forward_biased(sum.contiguous()?, &self.bias)
    }
}

struct Sum {
    window: Window,
    sides: [Side; 2],
    bounds: [f32; 2],
}

impl CustomOp3 for Sum {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(
        &self,
        map: &CpuStorage,
        map_at: &Layout,
        kernel: &CpuStorage,
        kernel_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, _, _, channels) = map_at.shape().dims4()?;
        let (map, kernel, bias) = (floats(map, map_at)?, floats(kernel, kernel_at)?, floats(bias, bias_at)?);
        let [height, width] = self.sides;
        let mut output = vec![0.0; batch * height.outputs * width.outputs * channels];
        output.chunks_exact_mut(width.outputs * channels).enumerate().for_each(|(index, row)| {
            let (image, place) = (index / height.outputs, index % height.outputs);
            let image = &map[image * height.pixels * width.pixels * channels..];
            vectorised(
                #[inline(always)]
                || self.row(image, kernel, bias, place, row),
            );
        });
        Ok((CpuStorage::F32(output), (batch, height.outputs, width.outputs, channels).into()))
    }
}

impl Sum {
    /// One row of outputs.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep the loops from being vectorised")]
    fn row(&self, image: &[f32], kernel: &[f32], bias: &[f32], place: usize, row: &mut [f32]) {
        let [height, width] = self.sides;
        let channels = bias.len();
        let top = place * self.window.stride;
        let rows = seen(height, top, self.window.kernel);
        for (column, output) in row.chunks_exact_mut(channels).enumerate() {
            let left = column * self.window.stride;
            let columns = seen(width, left, self.window.kernel);
            // Where the window's pixels begin in the picture and in the kernel, and how many there are. Where it lies in
            // the padding, there are none, and the beginning may be anywhere.
            let first = ((top + rows.0 - height.before) * width.pixels + left + columns.0 - width.before) * channels;
            let seen = Seen {
                pixels: image.get(first..).unwrap_or_default(),
                kernel: kernel.get((rows.0 * self.window.kernel + columns.0) * channels..).unwrap_or_default(),
                rows: rows.1 - rows.0,
                columns: columns.1 - columns.0,
                steps: [width.pixels * channels, self.window.kernel * channels],
                channels,
            };
            let mut done = 0;
            while done + 32 <= channels {
                seen.sum::<32>(done, bias, self.bounds, output);
                done += 32;
            }
            while done + 8 <= channels {
                seen.sum::<8>(done, bias, self.bounds, output);
                done += 8;
            }
            while done < channels {
                seen.sum::<1>(done, bias, self.bounds, output);
                done += 1;
            }
        }
    }
}

/// The part of a window at one place that lies on the map.
struct Seen<'data> {
    pixels: &'data [f32],
    kernel: &'data [f32],
    rows: usize,
    columns: usize,
    /// From one row to the next, of the picture and of the kernel.
    steps: [usize; 2],
    channels: usize,
}

impl Seen<'_> {
    /// The outputs of `N` channels from `first` on.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep the loops from being vectorised")]
    fn sum<const N: usize>(&self, first: usize, bias: &[f32], bounds: [f32; 2], output: &mut [f32]) {
        let mut sums = [0.0; N];
        sums.copy_from_slice(&bias[first..first + N]);
        for row in 0..self.rows {
            for column in 0..self.columns {
                let at = row * self.steps[0] + column * self.channels + first;
                let pixels = &self.pixels[at..at + N];
                let at = row * self.steps[1] + column * self.channels + first;
                let kernel = &self.kernel[at..at + N];
                for index in 0..N {
                    sums[index] += pixels[index] * kernel[index];
                }
            }
        }
        for (output, sum) in output[first..first + N].iter_mut().zip(sums) {
            *output = Rectifier::bounded(bounds, sum);
        }
    }
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
        // 32 + 8 + 3 channels: every width of the inner loop.
        let map = tensor(&[2, 9, 6, 43]);
        for padding in [Padding::Even(0), Padding::Even(3), Padding::Same] {
            for (kernel, stride) in [(3, 1), (3, 2), (5, 2), (5, 1)] {
                let window = Window { kernel, stride, padding };
                let layer = Depthwise::new(&tensor(&[43, 1, kernel, kernel]), &tensor(&[43]), window, Rectifier::Relu6)
                    .unwrap();
                let (fast, slow) = (layer.forward(&map).unwrap(), layer.by_views(&map).unwrap());
                assert_eq!(fast.dims(), slow.dims());
                let off = (fast - slow).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(off < 1e-5, "{window:?}: {off}");
            }
        }
    }
}
