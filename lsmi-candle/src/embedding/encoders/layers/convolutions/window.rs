//! Which pixels each output of a convolution sees.
//!
//! Maps of pixels are `[B, height, width, channels]` throughout: channels are neighbours in memory, so that a 1 x 1
//! convolution is a product of matrices, a window's row is one run of numbers, and a layer norm needs no transposition.

use candle_core::Tensor;

use crate::embedding::encoders::error::{EncoderError, Result};

/// Zeros around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// As many on every side.
    Even(usize),
    /// As many as give `ceil(n / stride)` outputs; an odd one lies right or below. TensorFlow's "SAME".
    Same,
}

/// A square window that moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Pixels of either side.
    pub(crate) kernel: usize,
    /// Pixels from one place to the next.
    pub(crate) stride: usize,
    /// Zeros around the map.
    pub(crate) padding: Padding,
}

/// A side of a map under a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    /// Pixels.
    pub(crate) pixels: usize,
    /// Zeros before them.
    pub(crate) before: usize,
    /// Zeros behind them.
    pub(crate) after: usize,
    /// Places of the window.
    pub(crate) outputs: usize,
}

impl Window {
    /// A window of one pixel.
    pub(crate) const PIXEL: Self = Self { kernel: 1, stride: 1, padding: Padding::Even(0) };

    /// A window whose places touch and do not overlap.
    pub(crate) const fn tile(kernel: usize) -> Self {
        Self { kernel, stride: kernel, padding: Padding::Even(0) }
    }

    /// Height and width of a map `[B, height, width, channels]` under the window.
    pub(crate) fn sides(&self, map: &Tensor) -> Result<[Side; 2]> {
        let (_, height, width, _) = map.dims4()?;
        Ok([self.side(height)?, self.side(width)?])
    }

    fn side(&self, pixels: usize) -> Result<Side> {
        let (before, after) = match self.padding {
            Padding::Even(zeros) => (zeros, zeros),
            Padding::Same => {
                let reach = (pixels.div_ceil(self.stride).saturating_sub(1)) * self.stride + self.kernel;
                let zeros = reach.saturating_sub(pixels);
                (zeros / 2, zeros - zeros / 2)
            }
        };
        let room = (pixels + before + after).checked_sub(self.kernel).ok_or_else(|| EncoderError::Input {
            what: "the side of the picture, or of what is left of it in a later layer,",
            expected: format!("at least {} pixels", self.kernel.saturating_sub(before + after)),
            found: pixels.to_string(),
        })?;
        Ok(Side { pixels, before, after, outputs: room / self.stride + 1 })
    }

    /// What each pixel of the window sees at all its places: `kernel^2` maps `[B, rows, columns, channels]`, row by row.
    /// On any device, at the price of a copy for each.
    pub(crate) fn views(&self, map: &Tensor) -> Result<Vec<Tensor>> {
        let [height, width] = self.sides(map)?;
        let padded =
            map.pad_with_zeros(1, height.before, height.after)?.pad_with_zeros(2, width.before, width.after)?;
        let mut views = Vec::with_capacity(self.kernel * self.kernel);
        for row in 0..self.kernel {
            let rows = self.every(&padded, 1, row, height.outputs)?;
            for column in 0..self.kernel {
                views.push(self.every(&rows, 2, column, width.outputs)?);
            }
        }
        Ok(views)
    }

    /// The greatest number of each channel under the window at all its places; zeros around the map count.
    pub(crate) fn maximum(&self, map: &Tensor) -> Result<Tensor> {
        let views = self.views(map)?;
        let (first, others) = views.split_at(1);
        Ok(others.iter().try_fold(first[0].clone(), |greatest, view| greatest.maximum(view))?)
    }

    fn every(&self, map: &Tensor, axis: usize, first: usize, count: usize) -> Result<Tensor> {
        if self.stride == 1 {
            return Ok(map.narrow(axis, first, count)?);
        }
        let index = (0..count).map(|place| u32::try_from(first + place * self.stride).unwrap_or(u32::MAX));
        Ok(map.index_select(&Tensor::from_iter(index, map.device())?, axis)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_zero_lies_behind() {
        let window = Window { kernel: 3, stride: 2, padding: Padding::Same };
        assert_eq!(window.side(224).unwrap(), Side { pixels: 224, before: 0, after: 1, outputs: 112 });
        assert_eq!(window.side(7).unwrap(), Side { pixels: 7, before: 1, after: 1, outputs: 4 });
        assert!(Window::tile(8).side(7).is_err());
    }
}
