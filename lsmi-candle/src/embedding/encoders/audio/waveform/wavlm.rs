//! The blocks of `WavLM` (Chen et al., IEEE JSTSP 2022): those of wav2vec 2.0, with a summand for each distance between two
//! frames in the scores of each head, which a gate scales by what the frame that looks holds.
//!
//! Near distances have a summand each, further ones share it in ranges that grow (as in T5, Raffel et al., JMLR 2020). The
//! table is in the first block and serves all.

use candle_core::{D, DType, Tensor};

use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear, Names, Shape, biased_attention};
use crate::embedding::encoders::{Config, EncoderError, Result, Weights};

/// Outputs of the layer of the gate: four for each of its two halves, which are summed.
const GATE: usize = 8;

/// The blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    all: Vec<Block>,
    /// `[buckets, heads]`.
    table: Tensor,
    buckets: Buckets,
}

#[derive(Debug)]
struct Block {
    /// Queries, which are scaled, keys, values, and the layer after the heads.
    attention: [Linear; 4],
    /// From a head to the two halves of its gate.
    gate: Linear,
    /// `[1, heads, 1]`.
    constant: Tensor,
    norms: [LayerNorm; 2],
    perceptron: [Linear; 2],
    heads: usize,
    activation: Activation,
    norm_first: bool,
}

/// How distances share summands.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    /// Summands for each direction.
    each: usize,
    /// From this distance on they are all one.
    furthest: usize,
}

impl Buckets {
    fn load(config: &Config) -> Result<Self> {
        let count = config.count(&["num_buckets"], 320)?;
        let furthest = config.count(&["max_bucket_distance"], 800)?;
        if count < 4 {
            return Err(config.wrong("num_buckets", "at least 4", Some(&count.into())));
        }
        if furthest <= count / 4 {
            let expected = "greater than a quarter of `num_buckets`";
            return Err(config.wrong("max_bucket_distance", expected, Some(&furthest.into())));
        }
        Ok(Self { each: count / 2, furthest })
    }

    /// The summand for looking `distance` frames ahead, or back where `ahead` is not.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of buckets")]
    fn of(self, distance: usize, ahead: bool) -> usize {
        let near = self.each / 2;
        let bucket = if distance < near {
            distance
        } else {
            let ratio = (distance as f32 / near as f32).ln() / (self.furthest as f32 / near as f32).ln();
            (near + (ratio * (self.each - near) as f32) as usize).min(self.each - 1)
        };
        if ahead { self.each + bucket } else { bucket }
    }
}

impl Blocks {
    /// Loads `encoder.layers`.
    pub(super) fn load(config: &Config, weights: &Weights, count: usize, shape: &Shape) -> Result<Self> {
        let buckets = Buckets::load(config)?;
        let load = |index| Block::load(&weights.under(&format!("encoder.layers.{index}")), shape);
        let all = (0..count).map(load).collect::<Result<_>>()?;
        let rows = config.count(&["num_buckets"], 320)?;
        let table = weights.get("encoder.layers.0.attention.rel_attn_embed.weight", &[rows, shape.heads])?;
        Ok(Self { all, table: table.to_dtype(DType::F32)?, buckets })
    }

    /// Applies them to the states `[B, T, d]`.
    pub(super) fn forward(&self, x: Tensor) -> Result<Tensor> {
        let summands = self.summands(x.dim(1)?)?;
        self.all.iter().try_fold(x, |x, block| block.forward(&x, &summands))
    }

    /// What is added to the scores, `[T, T]` for each head.
    fn summands(&self, length: usize) -> Result<Vec<Tensor>> {
        let bucket = |position: usize, other: usize| {
            u32::try_from(self.buckets.of(position.abs_diff(other), other > position)).unwrap_or(u32::MAX)
        };
        let pairs = (0..length).flat_map(|position| (0..length).map(move |other| (position, other)));
        let index = Tensor::from_iter(pairs.map(|(position, other)| bucket(position, other)), self.table.device())?;
        let of_head = |head| {
            let column = self.table.narrow(1, head, 1)?.contiguous()?;
            Ok(column.index_select(&index, 0)?.reshape((length, length))?)
        };
        (0..self.table.dim(1)?).map(of_head).collect()
    }
}

impl Block {
    fn load(weights: &Weights, shape: &Shape) -> Result<Self> {
        let Shape { width, heads, inner, eps, .. } = *shape;
        if heads == 0 || width % heads != 0 {
            return Err(EncoderError::Input {
                what: "the number of attention heads",
                expected: format!("a divisor of the width {width}"),
                found: heads.to_string(),
            });
        }
        let names = Names::WAV2VEC2;
        let linear = |name: &str, scale: f64| -> Result<Linear> {
            let weights = weights.under(name);
            let weight = (weights.get("weight", &[width, width])? * scale)?;
            Ok(Linear::new(weight, Some((weights.get("bias", &[width])? * scale)?)))
        };
        let [queries, keys, values, output] = names.attention;
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let halves = |tensor: Tensor| -> Result<Tensor> {
            let dtype = tensor.dtype();
            let tensor = tensor.to_dtype(DType::F32)?.reshape((2, GATE / 2, ()))?;
            Ok(tensor.sum(1)?.to_dtype(dtype)?)
        };
        let gate = weights.under("attention.gru_rel_pos_linear");
        let bias = halves(gate.get("bias", &[GATE])?)?.flatten_all()?;
        let constant = weights.get("attention.gru_rel_pos_const", &[1, heads, 1, 1])?;
        let norm = |name| LayerNorm::load(weights, name, width, eps);
        let [up, down] = names.perceptron;
        Ok(Self {
            attention: [linear(queries, scale)?, linear(keys, 1.0)?, linear(values, 1.0)?, linear(output, 1.0)?],
            gate: Linear::new(halves(gate.get("weight", &[GATE, width / heads])?)?, Some(bias)),
            constant: constant.to_dtype(DType::F32)?.reshape((1, 1, heads))?,
            norms: [norm(names.norms[0])?, norm(names.norms[1])?],
            perceptron: [
                Linear::load(weights, up, width, inner, true)?,
                Linear::load(weights, down, inner, width, true)?,
            ],
            heads,
            activation: shape.activation,
            norm_first: shape.norm_first,
        })
    }

    fn forward(&self, x: &Tensor, summands: &[Tensor]) -> Result<Tensor> {
        let [up, down] = &self.perceptron;
        let perceive = |x: &Tensor| down.forward(&up.activated(x, self.activation)?);
        let [first, second] = &self.norms;
        if self.norm_first {
            let x = (x + self.attend(&first.forward(x)?, summands)?)?;
            return Ok((&x + perceive(&second.forward(&x)?)?)?);
        }
        let x = first.forward(&(x + self.attend(x, summands)?)?)?;
        second.forward(&(&x + perceive(&x)?)?)
    }

    fn attend(&self, x: &Tensor, summands: &[Tensor]) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let [queries, keys, values, output] = &self.attention;
        let split = |linear: &Linear| -> Result<Tensor> {
            let x = linear.forward(x)?.reshape((batch, length, self.heads, width / self.heads))?;
            Ok(x.transpose(1, 2)?.contiguous()?)
        };
        // `[B, T, heads]`: between 1 and 2 plus the constant of the head.
        let halves = self.gate.forward(&x.reshape((batch, length, self.heads, ()))?)?.to_dtype(DType::F32)?;
        let halves = Activation::Sigmoid.forward(&halves)?;
        let [first, second] = [0, 1].map(|half| halves.narrow(D::Minus1, half, 1)?.squeeze(D::Minus1));
        let gates = ((first? * (second?.broadcast_mul(&self.constant)? - 1.0)?)? + 2.0)?;
        let bias = |head: usize| Ok(gates.narrow(2, head, 1)?.broadcast_mul(&summands[head])?);
        let heads = biased_attention(&split(queries)?, &split(keys)?, &split(values)?, bias)?;
        output.forward(&heads.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_share_summands() {
        let buckets = Buckets { each: 160, furthest: 800 };
        let back = [0, 1, 79, 80, 82, 83, 253, 799, 800, 5000].map(|distance| buckets.of(distance, false));
        assert_eq!(back, [0, 1, 79, 80, 80, 81, 120, 159, 159, 159]);
        assert_eq!(buckets.of(3, true), 163);
    }
}
