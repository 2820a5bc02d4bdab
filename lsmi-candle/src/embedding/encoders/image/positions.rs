//! A table of positions for another number of patches: bicubic interpolation as PyTorch's, with a = -0.75, indices
//! clamped at the border, and the filter not widened where the table shrinks.

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::Result;
use crate::embedding::preprocess::image::cubic;

/// Keys' cubic's slope at distance 1, as PyTorch has it. Pillow has -0.5: the two differ visibly.
const SLOPE: f64 = -0.75;

/// The table `[1, 1 + rows * columns, d]` made for the patches of another picture; the row of the class token stays.
pub(crate) fn resize(table: &Tensor, from: [usize; 2], to: [usize; 2]) -> Result<Tensor> {
    let width = table.dim(2)?;
    let host = table.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let patches = host.narrow(1, 1, from[0] * from[1])?;
    // Along the rows, then along the columns: each a product with the matrix of the weights.
    let rows = matrix(from[0], to[0])?.matmul(&patches.reshape((from[0], ()))?)?;
    let rows = rows.reshape((to[0], from[1], width))?.transpose(0, 1)?.contiguous()?;
    let both = matrix(from[1], to[1])?.matmul(&rows.reshape((from[1], ()))?)?;
    let both = both.reshape((to[1], to[0], width))?.transpose(0, 1)?.contiguous()?;
    let all = Tensor::cat(&[host.narrow(1, 0, 1)?, both.reshape((1, to[0] * to[1], width))?], 1)?;
    Ok(all.to_dtype(table.dtype())?.to_device(table.device())?)
}

/// The weights `[to, from]` of the old positions in the new ones.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table")]
fn matrix(from: usize, to: usize) -> Result<Tensor> {
    let scale = from as f64 / to as f64;
    let mut weights = vec![0.0; from * to];
    for (new, row) in weights.chunks_exact_mut(from).enumerate() {
        let place = (new as f64 + 0.5) * scale - 0.5;
        for tap in -1..=2 {
            let old = place.floor() + f64::from(tap);
            let index = old.clamp(0.0, (from - 1) as f64) as usize;
            row[index] += cubic((place - old).abs(), SLOPE);
        }
    }
    Ok(Tensor::from_vec(weights, (to, from), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_position_has_weights_of_sum_one() {
        for (from, to) in [(7, 4), (7, 9), (3, 3), (1, 5)] {
            let sums = matrix(from, to).unwrap().sum(1).unwrap().to_vec1::<f64>().unwrap();
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{from} to {to}: {sums:?}");
        }
    }
}
