//! Rotary positions on a grid of patches (Fang et al., EVA-02, 2023; Siméoni et al., DINOv3, 2025): half of the
//! angles of a head grow with the row, the other half with the column. Tokens that are no patches are not turned.

use candle_core::{DType, Device, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};

use crate::embedding::encoders::error::Result;

/// Which coordinates of a head are turned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// Each with its neighbour.
    Neighbours,
    /// Each with the one half a head further.
    Halves,
}

/// The angles of a grid of patches.
#[derive(Debug, Clone)]
pub(crate) struct GridRotary {
    /// `[leading + rows * columns, width of a head / 2]`, as the sines.
    cosines: Tensor,
    sines: Tensor,
    pairs: Pairs,
}

impl GridRotary {
    /// The angles `coordinate * frequency` of every patch, those of the rows first, after so many tokens that are no
    /// patches. There are a quarter as many frequencies as a head is wide.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn new(
        leading: usize,
        [rows, columns]: [&[f64]; 2],
        frequencies: &[f64],
        pairs: Pairs,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let mut angles = vec![0.0; leading * 2 * frequencies.len()];
        for row in rows {
            for column in columns {
                angles.extend([row, column].into_iter().flat_map(|at| frequencies.iter().map(move |by| at * by)));
            }
        }
        let shape = (leading + rows.len() * columns.len(), 2 * frequencies.len());
        let table = |function: fn(f64) -> f64| -> Result<Tensor> {
            let values: Vec<f64> = angles.iter().map(|angle| function(*angle)).collect();
            Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?)
        };
        Ok(Self { cosines: table(f64::cos)?, sines: table(f64::sin)?, pairs })
    }

    /// Turns queries or keys `[B, heads, T, d]`.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        Ok(match self.pairs {
            Pairs::Neighbours => rope_i(x, &self.cosines, &self.sines)?,
            Pairs::Halves => rope(x, &self.cosines, &self.sines)?,
        })
    }
}
