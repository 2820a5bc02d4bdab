//! Patches of spectrograms: a convolution of one channel whose window and steps have a side each in frequency and in
//! time.

use candle_core::Tensor;

use crate::embedding::encoders::layers::Linear;
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// A window over a spectrogram; the first number of each is in frequency, the second in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PatchWindow {
    /// Bins and frames.
    pub(super) kernel: [usize; 2],
    /// Bins and frames from one window to the next, none of them 0.
    pub(super) stride: [usize; 2],
    /// Zeros on either side.
    pub(super) padding: [usize; 2],
}

impl PatchWindow {
    /// Windows along both sides of a spectrogram; None where it is smaller than one.
    pub(super) fn counts(&self, sides: [usize; 2]) -> Option<[usize; 2]> {
        let count = |axis: usize| {
            let room = (sides[axis] + 2 * self.padding[axis]).checked_sub(self.kernel[axis])?;
            Some(room / self.stride[axis].max(1) + 1)
        };
        Some([count(0)?, count(1)?])
    }
}

/// The layer that makes a state of every patch.
#[derive(Debug, Clone)]
pub(super) struct Patches {
    window: PatchWindow,
    layer: Linear,
}

impl Patches {
    /// Loads `weight` `[width, 1, bins, frames]` and `bias` under `name`.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing or of another shape.
    pub(super) fn load(weights: &Weights, name: &str, width: usize, window: PatchWindow) -> Result<Self> {
        let weights = weights.under(name);
        let [bins, frames] = window.kernel;
        let weight = weights.get("weight", &[width, 1, bins, frames])?.reshape((width, ()))?;
        Ok(Self { window, layer: Linear::new(weight, Some(weights.get("bias", &[width])?))? })
    }

    /// The states `[B, rows, columns, width]` of spectrograms `[B, bins, frames]`, the first row at the lowest bin.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where a spectrogram is smaller than a patch, else a candle error.
    pub(super) fn forward(&self, spectrograms: &Tensor) -> Result<Tensor> {
        let (batch, bins, frames) = spectrograms.dims3()?;
        let PatchWindow { kernel: [height, width], stride, padding } = self.window;
        let [rows, columns] = self.window.counts([bins, frames]).ok_or_else(|| EncoderError::Input {
            what: "the size of the spectrograms",
            expected: format!("at least {height} bins and {width} frames"),
            found: format!("{bins} and {frames}"),
        })?;
        let x = spectrograms.pad_with_zeros(1, padding[0], padding[0])?.pad_with_zeros(2, padding[1], padding[1])?;
        let places = |count: usize, stride: usize, kernel: usize| {
            let all = (0..count).flat_map(move |place| (0..kernel).map(move |offset| place * stride + offset));
            Tensor::from_iter(all.map(|index| u32::try_from(index).unwrap_or(u32::MAX)), x.device())
        };
        let x = x.contiguous()?.index_select(&places(rows, stride[0], height)?, 1)?;
        let x = x.index_select(&places(columns, stride[1], width)?, 2)?;
        let x = x.reshape((batch, rows, height, columns, width))?.transpose(2, 3)?.contiguous()?;
        self.layer.forward(&x.reshape((batch, rows, columns, height * width))?)
    }
}
