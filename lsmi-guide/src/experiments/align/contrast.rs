//! The symmetric contrastive loss of CLIP (Radford et al., ICML 2021; `InfoNCE` of van den Oord et al., 2018).
//!
//! For a batch of B pairs of unit vectors a and b, and with the logarithm t of the scale (the inverse of the temperature):
//!
//! ```text
//! l_ij = exp(t) a_i . b_j
//! loss = 1/2B sum_i (log sum_j exp l_ij - l_ii) + 1/2B sum_j (log sum_i exp l_ij - l_jj)
//! ```
//!
//! Every pair is to be told from all others of its batch, in either direction. Pairs that are equal are told apart, too: what is
//! the same counts as wrong here, unlike in recall.

use candle_core::{D, Tensor};

use crate::error::Result;

/// The loss of a batch, a scalar: `a` and `b` are `[B, width]`, `log_scale` is a scalar or `[1]`.
pub(super) fn symmetric(a: &Tensor, b: &Tensor, log_scale: &Tensor) -> Result<Tensor> {
    let scale = log_scale.exp()?.reshape((1, 1))?;
    Ok(((one_way(a, b, &scale)? + one_way(b, a, &scale)?)? * 0.5)?)
}

/// The mean of `log sum_j exp l_ij - l_ii`.
fn one_way(queries: &Tensor, candidates: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let logits = queries.matmul(&candidates.t()?)?.broadcast_mul(scale)?;
    let right = (queries * candidates)?.sum_keepdim(D::Minus1)?.broadcast_mul(scale)?;
    // Without its gradient, which cancels.
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let sums = logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    Ok((sums.log()? + largest - right)?.mean_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    fn rows(values: &[[f32; 3]]) -> Tensor {
        Tensor::from_vec(values.concat(), (values.len(), 3), &Device::Cpu).unwrap()
    }

    fn loss(a: &Tensor, b: &Tensor, scale: f32) -> f32 {
        symmetric(a, b, &Tensor::new(scale.ln(), &Device::Cpu).unwrap()).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn known_batches_have_their_known_losses() {
        let apart = rows(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        // Each is told from two of similarity 0: log(e^4 + 2) - 4.
        assert!((loss(&apart, &apart, 4.0) - (2.0 * (-4.0f32).exp()).ln_1p()).abs() < 1e-6);
        // Nothing is told apart: log 3, whatever the scale.
        let same = rows(&[[0.6, 0.8, 0.0]; 3]);
        assert!((loss(&same, &same, 30.0) - 3.0f32.ln()).abs() < 1e-5);
        // Each is taken for another: log(e^4 + 2) - 0.
        let shifted = rows(&[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
        assert!((loss(&apart, &shifted, 4.0) - (4.0 + (2.0 * (-4.0f32).exp()).ln_1p())).abs() < 1e-5);
        // One direction alone fails: two of a have the same answer.
        let (a, b) = (rows(&[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), rows(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
        // From a: log(e + 1) - 1 and log(e + 1); from b: log(2e) - 1 and log(1 + 1).
        let e = std::f32::consts::E;
        let expected = (2.0 * (e + 1.0).ln() - 1.0 + 2.0 * 2.0f32.ln()) / 4.0;
        assert!((loss(&a, &b, 1.0) - expected).abs() < 1e-6);
        // A scale at which sums of exponentials would overflow.
        assert_eq!(loss(&apart, &apart, 100.0), 0.0);
        assert!((loss(&apart, &shifted, 100.0) - 100.0).abs() < 1e-4);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let a = [[0.5f32, -0.2, 0.8], [0.1, 0.9, -0.3], [-0.7, 0.4, 0.2], [0.3, 0.3, 0.3]];
        let b = [[0.2f32, 0.1, 0.9], [-0.4, 0.8, 0.1], [0.6, 0.6, -0.5], [-0.2, 0.7, 0.4]];
        let variables = [rows(&a), rows(&b), Tensor::new(&[1.1f32], &Device::Cpu).unwrap()];
        let variables = variables.map(|tensor| Var::from_tensor(&tensor).unwrap());
        let of = || symmetric(variables[0].as_tensor(), variables[1].as_tensor(), variables[2].as_tensor()).unwrap();
        let gradients = of().backward().unwrap();
        for variable in &variables {
            let expected =
                gradients.get(variable.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let start = variable.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (index, expected) in expected.iter().enumerate() {
                let at = |offset: f32| {
                    let mut moved = start.clone();
                    moved[index] += offset;
                    variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap()).unwrap();
                    of().to_scalar::<f32>().unwrap()
                };
                // In single precision a step of 1e-2 leaves about four digits.
                let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((difference - expected).abs() < 5e-4, "{index}: {difference} against {expected}");
            }
            variable.set(&Tensor::from_vec(start, variable.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
}
