//! A mixture of experts (Shazeer et al., ICLR 2017): perceptrons of which each token takes the few that a router weighs
//! most.

use candle_core::{D, DType, Tensor};
use candle_nn::ops;

use crate::embedding::encoders::layers::{Activation, Linear};
use crate::embedding::encoders::{Result, Weights};

/// The perceptrons of a block, and what chooses among them.
#[derive(Debug)]
pub(super) struct Experts {
    router: Linear,
    /// The two layers of each.
    layers: Vec<[Linear; 2]>,
    bias: Tensor,
    activation: Activation,
    /// How many each token takes.
    chosen: usize,
}

impl Experts {
    /// Loads `count` perceptrons, of which each token takes `chosen`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(super) fn load(
        weights: &Weights,
        [width, inner]: [usize; 2],
        [count, chosen]: [usize; 2],
        activation: Activation,
    ) -> Result<Self> {
        let router = Linear::load(weights, "router.layer", width, count, false)?;
        let stacked = |name| weights.get(&format!("experts.mlp.{name}"), &[count * inner, width]);
        let (inward, outward) = (stacked("w1")?, stacked("w2")?);
        let expert = |index: usize| -> Result<[Linear; 2]> {
            let rows = |all: &Tensor| all.narrow(0, index * inner, inner);
            Ok([
                Linear::new(rows(&inward)?, None)?,
                // Stored with the inner numbers first.
                Linear::new(rows(&outward)?.t()?.contiguous()?, None)?,
            ])
        };
        let layers = (0..count).map(expert).collect::<Result<_>>()?;
        Ok(Self { router, layers, bias: weights.get("experts.bias", &[width])?, activation, chosen })
    }

    /// Applies it to the states `[B, T, d]`.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dims = x.dims().to_vec();
        let tokens = x.reshape(((), x.dim(D::Minus1)?))?;
        let shares = ops::softmax_last_dim(&self.router.forward(&tokens)?.to_dtype(DType::F32)?)?.to_vec2::<f32>()?;
        let mut taken: Vec<Vec<(u32, f32)>> = vec![Vec::new(); self.layers.len()];
        for (token, shares) in (0..).zip(&shares) {
            let mut order: Vec<usize> = (0..shares.len()).collect();
            order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
            for expert in order.into_iter().take(self.chosen) {
                taken[expert].push((token, shares[expert]));
            }
        }
        let mut sum = tokens.zeros_like()?;
        for ([inward, outward], taken) in self.layers.iter().zip(&taken) {
            if taken.is_empty() {
                continue;
            }
            let (rows, shares): (Vec<u32>, Vec<f32>) = taken.iter().copied().unzip();
            let count = rows.len();
            let rows = Tensor::from_vec(rows, count, x.device())?;
            let shares = Tensor::from_vec(shares, (count, 1), x.device())?.to_dtype(x.dtype())?;
            let of_expert = outward.forward(&inward.activated(&tokens.index_select(&rows, 0)?, self.activation)?)?;
            sum = sum.index_add(&rows, &of_expert.broadcast_mul(&shares)?, 0)?;
        }
        Ok(sum.broadcast_add(&self.bias)?.reshape(dims)?)
    }
}
