//! Multi-head attention.
//!
//! Queries, keys and values come from one product where they come from the same states, and the scale 1 / sqrt(width of
//! a head) is in the weights of the queries. Where they are trained, they stay apart and as they are in the checkpoint:
//! what is learned should not depend on how it is laid out here.

mod attend;
mod by_heads;
mod grouped;
mod mask;
mod packing;
mod relative;

pub(super) use attend::attend_packed;
pub(crate) use by_heads::attention_by_heads;
pub(crate) use grouped::{GroupedAttention, GroupedShape, HeadNorms};
pub(super) use mask::Sequence;
pub(crate) use mask::{Band, Mask};
pub(crate) use packing::packed;
pub(crate) use relative::{Buckets, DistanceBias, Distances, RelativeAttention, RelativeShape, hidden, pairs};

use candle_core::{D, DType, Tensor};

use self::attend::Attend;
use super::linear::OnHost;
use super::{Linear, Rotary, passes};
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::weights::Weights;

/// The most scores that are computed at a time on devices that take whole batches. Beyond it, memory would grow with the square of
/// the length of texts times the heads and texts of a batch.
const MOST_SCORES: usize = 1 << 24;

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

/// Multi-head attention: the layers of queries, keys and values, and the one after the heads.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    inputs: Inputs,
    output: Linear,
    heads: usize,
}

/// The layers of queries, keys and values.
#[derive(Debug, Clone)]
enum Inputs {
    /// One above the other, those of queries scaled.
    Packed(Linear),
    /// Each by itself, as they are in the checkpoint: they are trained.
    Apart([Linear; 3]),
}

impl Attention {
    /// From the weights `[3 d, d]` and biases `[3 d]` of queries, keys and values, in this order.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the heads do not divide the width.
    pub(crate) fn new(weight: &Tensor, bias: Option<&Tensor>, output: Linear, heads: usize) -> Result<Self> {
        let (weight, bias) = scaled(weight, bias, heads)?;
        Ok(Self { inputs: Inputs::Packed(Linear::new(weight, bias)?), output, heads })
    }

    /// Loads layers of the given names: queries, keys, values and output. The last always has a bias.
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
        if weights.is_trained() {
            check_heads(width, heads)?;
            let has_bias = |name| biases == Biases::All || biases == Biases::NotKeys && name != key;
            let [queries, keys, values] = names.map(|name| Linear::load(weights, name, width, width, has_bias(name)));
            let inputs = Inputs::Apart([queries?, keys?, values?]);
            return Ok(Self { inputs, output: Linear::load(weights, output, width, width, true)?, heads });
        }
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
        let [queries, keys, values] = self.split(x)?;
        self.attend(&queries, &keys, &values, mask)
    }

    /// Attention of the states to themselves, queries and keys turned by their positions.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward_rotated(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let [queries, keys, values] = self.split(x)?;
        self.attend(&rotary.turn(&queries)?, &rotary.turn(&keys)?, &values, mask)
    }

    /// The layer of queries, keys and values and the one after the heads where they are on the processor in f32, and the heads.
    pub(super) fn on_host(&self) -> Option<([&OnHost; 2], usize)> {
        match &self.inputs {
            Inputs::Packed(layer) => Some(([layer.on_host()?, self.output.on_host()?], self.heads)),
            Inputs::Apart(_) => None,
        }
    }

    fn split(&self, x: &Tensor) -> Result<[Tensor; 3]> {
        match &self.inputs {
            Inputs::Packed(layer) => split(&layer.forward(x)?, self.heads),
            Inputs::Apart([queries, keys, values]) => {
                let scale = scale(x.dim(D::Minus1)?, self.heads);
                let queries = (queries.forward(x)? * scale)?;
                let [[queries], [keys], [values]] = [
                    split(&queries, self.heads)?,
                    split(&keys.forward(x)?, self.heads)?,
                    split(&values.forward(x)?, self.heads)?,
                ];
                Ok([queries, keys, values])
            }
        }
    }

    fn attend(&self, queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let heads = attention(queries, keys, values, mask)?;
        let (batch, _, length, _) = heads.dims4()?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, ()))?)
    }
}

/// Multi-head attention of states to other ones.
#[derive(Debug, Clone)]
pub(crate) struct CrossAttention {
    queries: Linear,
    keys_values: Linear,
    output: Linear,
    heads: usize,
}

impl CrossAttention {
    /// From the weights and biases of queries, keys and values, as [`Attention::new`].
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the heads do not divide the width.
    pub(crate) fn new(weight: &Tensor, bias: Option<&Tensor>, output: Linear, heads: usize) -> Result<Self> {
        let (weight, bias) = scaled(weight, bias, heads)?;
        let width = weight.dim(1)?;
        let part = |first, rows| -> Result<Linear> {
            let bias = bias.as_ref().map(|bias| bias.narrow(0, first, rows)).transpose()?;
            Linear::new(weight.narrow(0, first, rows)?, bias)
        };
        Ok(Self { queries: part(0, width)?, keys_values: part(width, 2 * width)?, output, heads })
    }

    /// Attention of `x` `[B, S, d]` to the states `context` `[B, T, d]`.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let [queries] = split(&self.queries.forward(x)?, self.heads)?;
        let [keys, values] = split(&self.keys_values.forward(context)?, self.heads)?;
        let heads = attention(&queries, &keys, &values, None)?;
        let (batch, _, length, _) = heads.dims4()?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, ()))?)
    }
}

fn check_heads(width: usize, heads: usize) -> Result<()> {
    if heads > 0 && width.is_multiple_of(heads) {
        return Ok(());
    }
    Err(EncoderError::Input {
        what: "the number of attention heads",
        expected: format!("a divisor of the width {width}"),
        found: heads.to_string(),
    })
}

/// What queries are multiplied by: 1 / sqrt(width of a head).
fn scale(width: usize, heads: usize) -> f64 {
    1.0 / ((width / heads) as f64).sqrt()
}

/// The weights and biases of queries, keys and values, those of queries times 1 / sqrt(width of a head).
fn scaled(weight: &Tensor, bias: Option<&Tensor>, heads: usize) -> Result<(Tensor, Option<Tensor>)> {
    let width = weight.dim(1)?;
    check_heads(width, heads)?;
    let scale = scale(width, heads);
    let scaled = |rows: &Tensor| -> Result<Tensor> {
        let others = rows.dim(0)? - width;
        Ok(Tensor::cat(&[(rows.narrow(0, 0, width)? * scale)?, rows.narrow(0, width, others)?], 0)?)
    };
    Ok((scaled(weight)?, bias.map(scaled).transpose()?))
}

/// `[B, T, parts d]` as `parts` views `[B, heads, T, d / heads]`.
pub(super) fn split<const PARTS: usize>(x: &Tensor, heads: usize) -> Result<[Tensor; PARTS]> {
    let (batch, length, width) = x.dims3()?;
    let x = x.reshape((batch, length, PARTS, heads, width / PARTS / heads))?;
    let mut parts = [(); PARTS].map(|()| x.clone());
    for (index, part) in parts.iter_mut().enumerate() {
        *part = x.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?;
    }
    Ok(parts)
}

/// `softmax(Q K' + mask) V` of scaled queries `[B, heads, T, width of a head]`; there may be fewer heads of keys and values,
/// each for as many heads of queries.
pub(crate) fn attention(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
    biased_attention(queries, keys, values, mask, None)
}

/// What is added to the scores of attention.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bias<'a> {
    /// f32 `[rows, heads or 1, T, S]`, by the places in the rows of the batch: its rows take turns.
    Matrix(&'a Tensor),
    /// By the distance of two positions of a sequence.
    Distances(&'a Distances),
}

impl<'a> Bias<'a> {
    fn tensor(self) -> &'a Tensor {
        match self {
            Self::Matrix(matrix) => matrix,
            Self::Distances(distances) => &distances.by_distance,
        }
    }
}

/// The same, with a bias added to the scores.
pub(crate) fn biased_attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Mask>,
    bias: Option<Bias<'_>>,
) -> Result<Tensor> {
    let (batch, heads, length, _) = queries.dims4()?;
    let (_, groups, all_keys, _) = keys.dims4()?;
    if groups == 0 || heads % groups != 0 || values.dims4()?.1 != groups {
        return Err(EncoderError::Input {
            what: "the number of heads of keys and values",
            expected: format!("a divisor of {heads}, the heads of queries"),
            found: groups.to_string(),
        });
    }
    let is_on_host = |x: &Tensor| x.device().is_cpu() && x.dtype() == DType::F32 && !x.track_op();
    if [queries, keys, values].into_iter().chain(bias.map(Bias::tensor)).all(is_on_host)
        && let Some(sequences) = Mask::sequences(mask, batch, length)
    {
        let band = mask.map_or(Band::ALL, Mask::reach);
        let operation = Attend { sequences: &sequences, band, bias };
        let [queries, keys, values] = [queries, keys, values].map(together);
        return Ok(queries?.apply_op3_no_bwd(&keys?, &values?, &operation)?.transpose(1, 2)?);
    }
    let scores = mask.map(|mask| mask.scores(all_keys, queries.device())).transpose()?.flatten();
    let bias = match bias {
        None => None,
        Some(Bias::Matrix(matrix)) => {
            let rows = matrix.dim(0)?;
            let turns = if rows > 1 { batch / rows } else { 1 };
            Some(matrix.to_dtype(DType::F32)?.repeat((turns, 1, 1, 1))?)
        }
        Some(Bias::Distances(distances)) => Some(distances.rows(0..length)?),
    };
    let added = match (scores, bias) {
        (Some(scores), Some(bias)) => Some(bias.broadcast_add(&scores)?),
        (scores, bias) => scores.or(bias),
    };
    let each = |x: &Tensor| -> Result<Tensor> {
        let (batch, groups, length, width) = x.dims4()?;
        let shape = (batch, groups, heads / groups, length, width);
        Ok(x.unsqueeze(2)?.expand(shape)?.reshape((batch, heads, length, width))?.contiguous()?)
    };
    attention_in_parts(&queries.contiguous()?, &each(keys)?, &each(values)?, added.as_ref(), MOST_SCORES)
}

/// A tensor whose last axis lies together.
fn together(x: &Tensor) -> Result<Tensor> {
    if x.stride().last() == Some(&1) { Ok(x.clone()) } else { Ok(x.contiguous()?) }
}

/// Head by head and sequence by sequence where there are more than so many scores; each is computed as before.
fn attention_in_parts(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    added: Option<&Tensor>,
    most: usize,
) -> Result<Tensor> {
    let (batch, heads, length, _) = queries.dims4()?;
    if batch * heads * length * keys.dim(2)? <= most {
        return attend(queries, keys, values, added);
    }
    let part = |x: &Tensor, axis: usize, index: usize| x.narrow(axis, index.min(x.dim(axis)? - 1), 1);
    let of_sequence = |sequence| {
        let of_head = |head| {
            let one = |x: &Tensor| part(&part(x, 0, sequence)?, 1, head);
            attend(&one(queries)?, &one(keys)?, &one(values)?, added.map(one).transpose()?.as_ref())
        };
        let heads = (0..heads).map(of_head).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&heads, 1)?)
    };
    let sequences = (0..batch).map(of_sequence).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::cat(&sequences, 0)?)
}

fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor, added: Option<&Tensor>) -> Result<Tensor> {
    // Masks and softmax are f32 at least, whatever the states are.
    let dtype = if queries.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let scores = queries.matmul(&keys.transpose(D::Minus2, D::Minus1)?)?.to_dtype(dtype)?;
    let scores = match added {
        None => scores,
        Some(added) => scores.broadcast_add(&added.to_dtype(dtype)?)?,
    };
    Ok(passes::shares(scores)?.to_dtype(values.dtype())?.matmul(values)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn random(dims: [usize; 4]) -> Tensor {
        Tensor::randn(0f32, 1f32, &dims[..], &Device::Cpu).unwrap()
    }

    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    /// Lengths below and above a block of queries and a strip of keys; heads that share keys; biases of all shapes.
    #[test]
    fn blocks_are_as_whole_matrices() {
        for (length, heads, groups, width) in [(5, 3, 3, 4), (70, 4, 2, 24), (130, 2, 1, 64)] {
            let queries = random([2, heads, length, width]);
            let (keys, values) = (random([2, groups, length, width]), random([2, groups, length, width]));
            let keep: Vec<Vec<u32>> =
                vec![vec![1; length], (0..length).map(|position| u32::from(position + 3 < length)).collect()];
            let keep = Tensor::new(keep, &Device::Cpu).unwrap();
            let padding = Mask::padding(&keep).unwrap();
            let kept = keep.to_dtype(DType::F32).unwrap().reshape((2, 1, length, 1)).unwrap();
            for band in [Band::ALL, Band::CAUSAL, Band::window(2), Band::window(40)] {
                for mask in [Some(Mask::band(band)), padding.as_ref().map(|mask| mask.within(band))] {
                    for bias in [None, Some([1, heads]), Some([2, 1]), Some([2, heads])] {
                        let bias = bias.map(|[rows, heads]| random([rows, heads, length, length]));
                        let found =
                            biased_attention(&queries, &keys, &values, mask.as_ref(), bias.as_ref().map(Bias::Matrix))
                                .unwrap();
                        let scores = mask.as_ref().and_then(|mask| mask.scores(length, &Device::Cpu).unwrap());
                        let added = match (scores, &bias) {
                            (Some(scores), Some(bias)) => Some(bias.broadcast_add(&scores).unwrap()),
                            (scores, bias) => scores.or(bias.clone()),
                        };
                        let each = |x: &Tensor| {
                            let x = x.unsqueeze(2).unwrap().expand((2, groups, heads / groups, length, width));
                            x.unwrap().reshape((2, heads, length, width)).unwrap()
                        };
                        let expected = attend(&queries, &each(&keys), &each(&values), added.as_ref()).unwrap();
                        // What stands at padding is nobody's.
                        let [found, expected] = [found, expected].map(|x| x.broadcast_mul(&kept).unwrap());
                        assert!(difference(&found, &expected) < 3e-6, "{length} {band:?} {bias:?}");
                    }
                }
            }
        }
    }

    /// Sequences in one row, one after the other, are as each by itself.
    #[test]
    fn packed_sequences_do_not_see_each_other() {
        let (queries, keys, values) = (random([1, 2, 60, 8]), random([1, 2, 60, 8]), random([1, 2, 60, 8]));
        let mask = Mask::packed([7, 0, 50, 3]).within(Band::window(20));
        let all = attention(&queries, &keys, &values, Some(&mask)).unwrap();
        for (begin, length) in [(0, 7), (7, 50), (57, 3)] {
            let [all, queries, keys, values] =
                [&all, &queries, &keys, &values].map(|x| x.narrow(2, begin, length).unwrap());
            let alone = attention(&queries, &keys, &values, Some(&Mask::band(Band::window(20)))).unwrap();
            assert_eq!(difference(&all, &alone), 0.0);
        }
    }

    #[test]
    fn parts_are_as_the_whole() {
        let (queries, keys, values) = (random([2, 3, 5, 4]), random([2, 3, 5, 4]), random([2, 3, 5, 4]));
        for added in [None, Some(random([2, 1, 1, 5])), Some(random([1, 3, 5, 5]))] {
            let [whole, parts] = [MOST_SCORES, 1]
                .map(|most| attention_in_parts(&queries, &keys, &values, added.as_ref(), most).unwrap());
            assert_eq!(difference(&whole, &parts), 0.0);
        }
    }
}
