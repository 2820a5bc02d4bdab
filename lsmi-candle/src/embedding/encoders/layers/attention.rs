//! Multi-head attention.
//!
//! Queries, keys and values come from one product where they come from the same states, and the scale 1 / sqrt(width of
//! a head) is in the weights of the queries.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops;

use super::{Linear, Rotary, passes};
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::weights::Weights;

/// What is added to the scores of positions that must not be looked at: far below any score, but finite, so that a row
/// with nothing to look at stays a number.
const HIDDEN: f32 = -1e30;

/// The most scores that are computed at a time. Beyond it, memory would grow with the square of the length of texts times the
/// heads and texts of a batch.
const MOST_SCORES: usize = 1 << 24;

/// What is added to attention scores: f32, 0 where a position may be looked at, shape `[B or 1, 1, T or 1, T]`.
#[derive(Debug, Clone)]
pub(crate) struct Mask(Tensor);

impl Mask {
    /// Hides padding: `keep` is `[B, T]`, any number type, 1 at tokens and 0 at padding. None where nothing is padded.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn padding(keep: &Tensor) -> Result<Option<Self>> {
        let hidden = keep.to_dtype(DType::F32)?.affine(-f64::from(HIDDEN), f64::from(HIDDEN))?;
        if hidden.min_all()?.to_scalar::<f32>()? == 0.0 {
            return Ok(None);
        }
        Ok(Some(Self(hidden.unsqueeze(1)?.unsqueeze(1)?)))
    }

    /// Lets position `i` look at `j` where `look(i, j)`, for every sequence of `length` positions.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn positions(length: usize, look: impl Fn(usize, usize) -> bool, device: &Device) -> Result<Self> {
        let pairs = (0..length).flat_map(|i| (0..length).map(move |j| (i, j)));
        let values: Vec<f32> = pairs.map(|(i, j)| if look(i, j) { 0.0 } else { HIDDEN }).collect();
        Ok(Self(Tensor::from_vec(values, (1, 1, length, length), device)?))
    }

    /// The mask of one sequence of a batch.
    fn of(&self, sequence: usize) -> Result<Self> {
        let sequence = sequence.min(self.0.dim(0)? - 1);
        Ok(Self(self.0.narrow(0, sequence, 1)?))
    }

    /// What both masks let be looked at.
    ///
    /// # Errors
    /// A candle error where the lengths differ.
    pub(crate) fn and(&self, other: Option<&Self>) -> Result<Self> {
        match other {
            None => Ok(self.clone()),
            // The sum of two stays finite.
            Some(other) => Ok(Self(self.0.broadcast_add(&other.0)?)),
        }
    }
}

/// Which of queries, keys and values have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Biases {
    /// All three.
    All,
    /// Queries and values, as in Whisper.
    NotKeys,
    /// None.
    None,
}

/// Multi-head attention: the weights of queries, keys and values one above the other, and the layer after the heads.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    packed: Linear,
    queries: Linear,
    keys_values: Linear,
    output: Linear,
    heads: usize,
}

impl Attention {
    /// From the weights `[3 d, d]` and biases `[3 d]` of queries, keys and values, in this order.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the heads do not divide the width.
    pub(crate) fn new(weight: &Tensor, bias: Option<&Tensor>, output: Linear, heads: usize) -> Result<Self> {
        let width = weight.dim(1)?;
        if heads == 0 || width % heads != 0 {
            return Err(EncoderError::Input {
                what: "the number of attention heads",
                expected: format!("a divisor of the width {width}"),
                found: heads.to_string(),
            });
        }
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let scaled = |rows: &Tensor| -> Result<Tensor> {
            Ok(Tensor::cat(&[(rows.narrow(0, 0, width)? * scale)?, rows.narrow(0, width, 2 * width)?], 0)?)
        };
        let weight = scaled(weight)?;
        let bias = bias.map(scaled).transpose()?;
        let part = |first, rows| -> Result<Linear> {
            let bias = bias.as_ref().map(|bias| bias.narrow(0, first, rows)).transpose()?;
            Ok(Linear::new(weight.narrow(0, first, rows)?, bias))
        };
        Ok(Self {
            queries: part(0, width)?,
            keys_values: part(width, 2 * width)?,
            packed: part(0, 3 * width)?,
            output,
            heads,
        })
    }

    /// Loads layers of the given names: queries, keys, values and output. the last always has a bias.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing or of another shape.
    pub(crate) fn load(
        weights: &Weights,
        [query, key, value, output]: [&str; 4],
        width: usize,
        heads: usize,
        biases: Biases,
    ) -> Result<Self> {
        let names = [query, key, value];
        let rows = names.map(|name| weights.get(&format!("{name}.weight"), &[width, width]));
        let weight = Tensor::cat(&rows.into_iter().collect::<Result<Vec<_>>>()?, 0)?;
        let bias_of = |name: &&str| {
            if *name == key && biases == Biases::NotKeys {
                Ok(Tensor::zeros(width, weights.dtype(), weights.device())?)
            } else {
                weights.get(&format!("{name}.bias"), &[width])
            }
        };
        let bias = match biases {
            Biases::None => None,
            _ => Some(Tensor::cat(&names.iter().map(bias_of).collect::<Result<Vec<_>>>()?, 0)?),
        };
        Self::new(&weight, bias.as_ref(), Linear::load(weights, output, width, width, true)?, heads)
    }

    /// Attention of the states `[B, T, d]` to themselves.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let packed = self.split(&self.packed.forward(x)?, 3)?;
        self.attend(&packed[0], &packed[1], &packed[2], mask)
    }

    /// Attention of the states to themselves, queries and keys turned by their positions.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward_rotated(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let packed = self.split(&self.packed.forward(x)?, 3)?;
        self.attend(&rotary.turn(&packed[0])?, &rotary.turn(&packed[1])?, &packed[2], mask)
    }

    /// Attention of `x` `[B, S, d]` to the states `context` `[B, T, d]`.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn cross(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let queries = self.split(&self.queries.forward(x)?, 1)?;
        let context = self.split(&self.keys_values.forward(context)?, 2)?;
        self.attend(&queries[0], &context[0], &context[1], None)
    }

    /// `[B, T, parts d]` as `parts` tensors `[B, heads, T, d / heads]`.
    fn split(&self, x: &Tensor, parts: usize) -> Result<Vec<Tensor>> {
        let (batch, length, width) = x.dims3()?;
        let x = x.reshape((batch, length, parts, self.heads, width / parts / self.heads))?;
        let part = |index| Ok(x.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?);
        (0..parts).map(part).collect()
    }

    fn attend(&self, queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let heads = attention(queries, keys, values, mask)?;
        let (batch, _, length, _) = heads.dims4()?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, ()))?)
    }
}

/// `softmax(Q K' + mask) V` of scaled queries, all `[B, heads, T, width of a head]`.
pub(crate) fn attention(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
    attention_in_parts(queries, keys, values, mask, MOST_SCORES)
}

/// The same, head by head and sequence by sequence where there are more than so many scores; each is computed as before.
fn attention_in_parts(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Mask>,
    most: usize,
) -> Result<Tensor> {
    let (batch, heads, length, _) = queries.dims4()?;
    if batch * heads * length * keys.dim(2)? <= most {
        return attend(queries, keys, values, mask);
    }
    let of_sequence = |sequence| {
        let mask = mask.map(|mask| mask.of(sequence)).transpose()?;
        let of_head = |head| {
            let [queries, keys, values] =
                [queries, keys, values].map(|all| all.narrow(0, sequence, 1)?.narrow(1, head, 1));
            attend(&queries?, &keys?, &values?, mask.as_ref())
        };
        let heads = (0..heads).map(of_head).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&heads, 1)?)
    };
    let sequences = (0..batch).map(of_sequence).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::cat(&sequences, 0)?)
}

fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
    // Masks and softmax are f32 whatever the states are.
    let scores = queries.matmul(&keys.transpose(D::Minus2, D::Minus1)?)?.to_dtype(DType::F32)?;
    let shares = softmax(scores, mask)?.to_dtype(values.dtype())?;
    Ok(shares.matmul(values)?)
}

/// Softmax of scores that nobody else sees, `[B, heads, T, S]`.
fn softmax(scores: Tensor, mask: Option<&Mask>) -> Result<Tensor> {
    if passes::suits(&scores) && mask.is_none_or(|mask| passes::suits(&mask.0)) {
        match mask {
            None => scores.inplace_op1(&passes::Softmax)?,
            Some(mask) => scores.inplace_op2(&mask.0, &passes::Softmax)?,
        }
        return Ok(scores);
    }
    let scores = match mask {
        None => scores,
        Some(mask) => scores.broadcast_add(&mask.0)?,
    };
    Ok(ops::softmax_last_dim(&scores)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_the_whole() {
        let random = || Tensor::randn(0f32, 1f32, (2, 3, 5, 4), &Device::Cpu).unwrap();
        let (queries, keys, values) = (random(), random(), random());
        let keep = Tensor::from_vec(vec![1u32, 1, 1, 1, 1, 1, 1, 1, 0, 0], (2, 5), &Device::Cpu).unwrap();
        let near = Mask::positions(5, |i, j| i.abs_diff(j) < 3, &Device::Cpu).unwrap();
        let padding = Mask::padding(&keep).unwrap();
        let both = near.and(padding.as_ref()).unwrap();
        for mask in [None, padding.as_ref(), Some(&near), Some(&both)] {
            let [whole, parts] = [MOST_SCORES, 1].map(|most| {
                let attended = attention_in_parts(&queries, &keys, &values, mask, most).unwrap();
                attended.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            });
            assert_eq!(whole, parts);
        }
    }
}
