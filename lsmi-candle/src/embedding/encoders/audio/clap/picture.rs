//! A spectrogram laid out as a square picture: stretched in time to a whole number of rows of the picture, which
//! follow each other from top to bottom.

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::layers::BatchNorm;
use crate::embedding::encoders::{Result, Weights};
use crate::embedding::preprocess::image::cubic;

/// Epsilon of the batch norm.
const EPS: f64 = 1e-5;
/// Keys' cubic's slope at distance 1, as PyTorch has it.
const SLOPE: f64 = -0.75;

/// What makes pictures of spectrograms.
#[derive(Debug)]
pub(super) struct Picture {
    /// A factor and a shift of every bin, both `[bins, 1]`: f32 whatever the weights are, as decibels are large
    /// numbers.
    factor: Tensor,
    shift: Tensor,
    bins: usize,
    side: usize,
}

impl Picture {
    /// Loads the norm of the bins; pictures have a `side` that is a multiple of them.
    pub(super) fn load(weights: &Weights, bins: usize, side: usize) -> Result<Self> {
        let (factor, shift) = BatchNorm::load(weights, "batch_norm", bins, EPS)?.factor_and_shift();
        let column = |values: Tensor| -> Result<Tensor> {
            Ok(values.reshape((bins, 1))?.to_dtype(DType::F32)?.to_device(weights.device())?)
        };
        Ok(Self { factor: column(factor)?, shift: column(shift)?, bins, side })
    }

    /// Bins of a spectrogram.
    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    /// Frames that a picture holds.
    pub(super) fn most_frames(&self) -> usize {
        self.side * self.rows()
    }

    /// Stretches of time that lie one below the other.
    fn rows(&self) -> usize {
        self.side / self.bins
    }

    /// Pictures `[B, planes, side, side]` of spectrograms `[B, planes, bins, frames]`, both f32, of no more frames
    /// than a picture holds.
    pub(super) fn of(&self, spectrograms: &Tensor) -> Result<Tensor> {
        let (batch, planes, bins, frames) = spectrograms.dims4()?;
        let normed = spectrograms.broadcast_mul(&self.factor)?.broadcast_add(&self.shift)?;
        let normed = if frames == self.most_frames() { normed } else { self.stretched(&normed)? };
        let rows = normed.reshape((batch * planes, bins, self.rows(), self.side))?.transpose(1, 2)?;
        Ok(rows.contiguous()?.reshape((batch, planes, self.side, self.side))?)
    }

    fn stretched(&self, spectrograms: &Tensor) -> Result<Tensor> {
        let (batch, planes, bins, frames) = spectrograms.dims4()?;
        let most = self.most_frames();
        let matrix = matrix(frames, most, spectrograms.device())?;
        let flat = spectrograms.reshape((batch * planes * bins, frames))?;
        Ok(flat.matmul(&matrix)?.reshape((batch, planes, bins, most))?)
    }
}

/// The weights `[from, to]` of the old frames in the new ones, the first and the last of which are the same: bicubic,
/// places beyond the ends being those of the ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the frames")]
fn matrix(from: usize, to: usize, device: &Device) -> Result<Tensor> {
    let scale = if to > 1 { (from - 1) as f64 / (to - 1) as f64 } else { 0.0 };
    let mut weights = vec![0f32; from * to];
    for new in 0..to {
        let place = new as f64 * scale;
        for tap in -1..=2 {
            let old = place.floor() + f64::from(tap);
            let index = old.clamp(0.0, (from - 1) as f64) as usize;
            weights[index * to + new] += cubic((place - old).abs(), SLOPE) as f32;
        }
    }
    Ok(Tensor::from_vec(weights, (from, to), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_stay() {
        let matrix = matrix(3, 5, &Device::Cpu).unwrap().t().unwrap().to_vec2::<f32>().unwrap();
        assert_eq!((&matrix[0][..], &matrix[4][..]), (&[1.0, 0.0, 0.0][..], &[0.0, 0.0, 1.0][..]));
        assert_eq!(matrix[2], [0.0, 1.0, 0.0]);
        assert!(matrix.iter().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    }
}
