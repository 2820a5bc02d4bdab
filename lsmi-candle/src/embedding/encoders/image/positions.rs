//! A table of positions for another number of patches, by the interpolations of PyTorch.

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::Result;
use crate::embedding::preprocess::image::{Filter, cubic, weights};

/// Keys' cubic's slope at distance 1, as PyTorch has it. Pillow has -0.5: the two differ visibly.
const SLOPE: f64 = -0.75;

/// The table `[1, leading + rows * columns, d]` made for the patches of another picture by bicubic interpolation with
/// a = -0.75, indices clamped at the border, and the filter not widened where the table shrinks. The leading rows,
/// such as that of the class token, stay.
pub(crate) fn resize(table: &Tensor, from: [usize; 2], to: [usize; 2]) -> Result<Tensor> {
    resize_with(table, from, to, |from, to| matrix(from, to, &mut cubic_row))
}

/// The same by a filter that is widened where the table shrinks, and cut off at the border ("antialias").
pub(crate) fn resize_smoothly(table: &Tensor, from: [usize; 2], to: [usize; 2], filter: Filter) -> Result<Tensor> {
    let mut row = |from, to, place, row: &mut [f64]| {
        let (start, weights) = weights(from, to, place, filter);
        row[start..start + weights.len()].copy_from_slice(&weights);
    };
    resize_with(table, from, to, |from, to| matrix(from, to, &mut row))
}

fn resize_with(
    table: &Tensor,
    from: [usize; 2],
    to: [usize; 2],
    mut matrix: impl FnMut(usize, usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let (_, length, width) = table.dims3()?;
    let host = table.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let leading = length.saturating_sub(from[0] * from[1]);
    let patches = host.narrow(1, leading, from[0] * from[1])?;
    // Along the rows, then along the columns: each a product with the matrix of the weights.
    let rows = matrix(from[0], to[0])?.matmul(&patches.reshape((from[0], ()))?)?;
    let rows = rows.reshape((to[0], from[1], width))?.transpose(0, 1)?.contiguous()?;
    let both = matrix(from[1], to[1])?.matmul(&rows.reshape((from[1], ()))?)?;
    let both = both.reshape((to[1], to[0], width))?.transpose(0, 1)?.contiguous()?;
    let all = Tensor::cat(&[host.narrow(1, 0, leading)?, both.reshape((1, to[0] * to[1], width))?], 1)?;
    Ok(all.to_dtype(table.dtype())?.to_device(table.device())?)
}

/// The weights `[to, from]` of the old positions in the new ones.
fn matrix(from: usize, to: usize, row_of: &mut impl FnMut(usize, usize, usize, &mut [f64])) -> Result<Tensor> {
    let mut weights = vec![0.0; from * to];
    for (new, row) in weights.chunks_exact_mut(from).enumerate() {
        row_of(from, to, new, row);
    }
    Ok(Tensor::from_vec(weights, (to, from), &Device::Cpu)?)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table")]
fn cubic_row(from: usize, to: usize, new: usize, row: &mut [f64]) {
    let scale = from as f64 / to as f64;
    let place = (new as f64 + 0.5) * scale - 0.5;
    for tap in -1..=2 {
        let old = place.floor() + f64::from(tap);
        let index = old.clamp(0.0, (from - 1) as f64) as usize;
        row[index] += cubic((place - old).abs(), SLOPE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_position_has_weights_of_sum_one() {
        for (from, to) in [(7, 4), (7, 9), (3, 3), (1, 5)] {
            let sums = matrix(from, to, &mut cubic_row).unwrap().sum(1).unwrap().to_vec1::<f64>().unwrap();
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{from} to {to}: {sums:?}");
        }
    }

    #[test]
    fn the_same_grid_is_left_alone() {
        let table = Tensor::arange(0f32, 2.0 * 7.0, &Device::Cpu).unwrap().reshape((1, 7, 2)).unwrap();
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            let same = resize_smoothly(&table, [2, 3], [2, 3], filter).unwrap();
            assert_eq!(same.to_vec3::<f32>().unwrap(), table.to_vec3::<f32>().unwrap());
        }
    }
}
