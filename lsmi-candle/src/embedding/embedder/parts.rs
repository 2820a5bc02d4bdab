//! Inputs of several parts, as long sounds of windows: each part is encoded by itself, and their vectors are averaged.

use candle_core::{Device, Tensor};

use super::error::Result;

/// Joins the vectors `[some, d]` of parts that were encoded in another order: that of the n-th is that of the part `order[n]`.
pub(super) fn in_order(vectors: &[Tensor], order: &[usize]) -> Result<Tensor> {
    let joined = match vectors {
        [only] => only.clone(),
        several => Tensor::cat(several, 0)?,
    };
    if order.is_sorted() {
        return Ok(joined);
    }
    let mut places = vec![0_u32; order.len()];
    for (place, part) in (0..).zip(order) {
        places[*part] = place;
    }
    Ok(joined.index_select(&Tensor::from_vec(places, order.len(), joined.device())?, 0)?)
}

/// The means `[inputs, d]` of the vectors `[parts, d]` of the parts of each input, one input's after the other's, with the
/// weights of its parts. The vector of a single part stays as it is.
pub(super) fn averaged(vectors: &Tensor, weights: &[Vec<f32>]) -> Result<Tensor> {
    if weights.iter().all(|weights| weights.len() == 1) {
        return Ok(vectors.clone());
    }
    let mut means = Vec::with_capacity(weights.len());
    let mut first = 0;
    for weights in weights {
        let count = weights.len();
        let of_input = vectors.narrow(0, first, count)?;
        first += count;
        if count == 1 {
            means.push(of_input);
            continue;
        }
        let sum: f32 = weights.iter().sum();
        let shares: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
        let shares = Tensor::from_vec(shares, (count, 1), &Device::Cpu)?.to_device(vectors.device())?;
        means.push(of_input.broadcast_mul(&shares)?.sum_keepdim(0)?);
    }
    Ok(Tensor::cat(&means, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_by_their_weights() {
        let vectors = Tensor::new(&[[1f32, 2.0], [5.0, 6.0], [9.0, 2.0], [f32::NAN, 0.0]], &Device::Cpu).unwrap();
        let means = averaged(&vectors, &[vec![7.0], vec![3.0, 1.0], vec![1.0]]).unwrap();
        assert_eq!(means.narrow(0, 0, 2).unwrap().to_vec2::<f32>().unwrap(), [[1.0, 2.0], [6.0, 5.0]]);
        assert_eq!(means.dims(), [3, 2]);
        let alone = vectors.narrow(0, 0, 2).unwrap();
        let means = averaged(&alone, &[vec![7.0], vec![0.0]]).unwrap();
        assert_eq!(means.to_vec2::<f32>().unwrap(), alone.to_vec2::<f32>().unwrap());
    }

    #[test]
    fn parts_come_back_in_their_order() {
        let [some, others] = [[[2f32], [0.0]], [[3.0], [1.0]]].map(|rows| Tensor::new(&rows, &Device::Cpu).unwrap());
        let all = in_order(&[some, others], &[2, 0, 3, 1]).unwrap();
        assert_eq!(all.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 1.0, 2.0, 3.0]);
    }
}
