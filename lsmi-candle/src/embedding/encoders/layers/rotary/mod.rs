//! Rotary positions (Su et al., 2021): pairs of a head's coordinates are turned by an angle that grows with the position.

mod grid;

pub(crate) use grid::{GridRotary, Pairs};

use candle_core::{DType, Device, Tensor};
use candle_nn::rotary_emb::rope;

use crate::embedding::encoders::error::Result;

/// Cosines and sines of the angles `position * frequency` of heads of width `d`, where coordinate `i` is paired with
/// `i + d / 2`.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    cosines: Tensor,
    sines: Tensor,
}

impl Rotary {
    /// The frequencies `base^(-2 i / d)` of the pairs of a head's coordinates.
    pub(crate) fn frequencies(head_width: usize, base: f64) -> Vec<f64> {
        (0..head_width / 2).map(|pair| base.powf(-2.0 * pair as f64 / head_width as f64)).collect()
    }

    /// The angles of positions 0 to `length - 1`.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn new(length: usize, head_width: usize, base: f64, dtype: DType, device: &Device) -> Result<Self> {
        Self::of(&Self::frequencies(head_width, base), length, dtype, device)
    }

    /// The angles of positions 0 to `length - 1`, by which the pairs are turned at frequencies of their own.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn of(frequencies: &[f64], length: usize, dtype: DType, device: &Device) -> Result<Self> {
        let angles = |position: usize| frequencies.iter().map(move |frequency| position as f64 * frequency);
        let table = |function: fn(f64) -> f64| -> Result<Tensor> {
            let values: Vec<f64> = (0..length).flat_map(angles).map(function).collect();
            let table = Tensor::from_vec(values, (length, frequencies.len()), &Device::Cpu)?;
            Ok(table.to_dtype(dtype)?.to_device(device)?)
        };
        Ok(Self { cosines: table(f64::cos)?, sines: table(f64::sin)? })
    }

    /// The angles of these positions, in their order.
    ///
    /// # Errors
    /// A candle error where a position is beyond the length.
    pub(crate) fn at(&self, positions: &[u32]) -> Result<Self> {
        let positions = Tensor::from_slice(positions, positions.len(), self.cosines.device())?;
        let of = |table: &Tensor| table.index_select(&positions, 0);
        Ok(Self { cosines: of(&self.cosines)?, sines: of(&self.sines)? })
    }

    /// Turns queries or keys `[B, heads, T, d]`.
    pub(crate) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        let length = x.dim(2)?;
        Ok(rope(&x.contiguous()?, &self.cosines.narrow(0, 0, length)?, &self.sines.narrow(0, 0, length)?)?)
    }
}
