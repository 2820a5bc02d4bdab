//! Inputs of several parts, as long sounds of windows: each part is encoded by itself, and their vectors are averaged.

use candle_core::{Device, Tensor};

use super::error::Result;

/// Encodes so many parts at a time, and joins their vectors: `[parts, d]`.
pub(super) fn in_turns<T>(parts: &[T], most: usize, encode: impl Fn(&[T]) -> Result<Tensor>) -> Result<Tensor> {
    let turns = parts.chunks(most.max(1)).map(encode).collect::<Result<Vec<_>>>()?;
    match &turns[..] {
        [only] => Ok(only.clone()),
        several => Ok(Tensor::cat(several, 0)?),
    }
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
    fn turns_keep_their_order() {
        let encode = |parts: &[f32]| Ok(Tensor::from_slice(parts, (parts.len(), 1), &Device::Cpu)?);
        let parts = [1f32, 2.0, 3.0, 4.0, 5.0];
        for most in [0, 1, 2, 5, 9] {
            let all = in_turns(&parts, most, encode).unwrap().flatten_all().unwrap();
            assert_eq!(all.to_vec1::<f32>().unwrap(), parts);
        }
    }
}
