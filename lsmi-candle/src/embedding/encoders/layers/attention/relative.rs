//! Multi-head attention to whose scores something is added that depends on the distance of two positions.
//!
//! The bias of T5 (Raffel et al., JMLR 2020) and MPNet is one number for a head and a bucket of distances. It is laid out
//! once for a batch, as all layers share it.

use std::ops::Range;

use candle_core::{D, DType, Device, Tensor};

use super::{Bias, Mask, biased_attention, split};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::layers::{Linear, passes};
use crate::embedding::encoders::weights::Weights;

/// What is added to the scores of padding: far below any score, but finite.
const HIDDEN: f64 = -1e30;

/// The most scores that are computed at a time.
const MOST_SCORES: usize = 1 << 24;

/// What hides padding, f32 `[B, 1, 1, T]`: `keep` is `[B, T]`, 1 at tokens and 0 at padding. None where nothing is padded.
///
/// # Errors
/// A candle error where the device fails.
pub(crate) fn hidden(keep: &Tensor) -> Result<Option<Tensor>> {
    let hidden = keep.to_dtype(DType::F32)?.affine(-HIDDEN, HIDDEN)?;
    if hidden.min_all()?.to_scalar::<f32>()? == 0.0 {
        return Ok(None);
    }
    Ok(Some(hidden.unsqueeze(1)?.unsqueeze(1)?))
}

/// Classes of distances: half of them for what comes after, half for what comes before; in each half small distances have
/// one of their own, and greater ones share those of a range that grows with the distance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buckets {
    /// How many there are, at least 4.
    pub(crate) count: usize,
    /// The distance from which all share the last one; greater than a quarter of the number.
    pub(crate) greatest: usize,
}

impl Buckets {
    /// The bucket of a position that comes so many after another one, or before it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the logarithm is of a ratio above 1")]
    fn of(&self, distance: usize, is_after: bool) -> u32 {
        let half = self.count / 2;
        let exact = half / 2;
        let bucket = if distance < exact {
            distance
        } else {
            // In f32 and in this order, as the models were trained: a number just below a whole one is cut off.
            let logarithm = (distance as f32 / exact as f32).ln();
            let share = logarithm / (self.greatest as f64 / exact as f64).ln() as f32;
            (exact + (share * (half - exact) as f32) as usize).min(half - 1)
        };
        (bucket + if is_after { half } else { 0 }) as u32
    }
}

/// A bias of every head for every bucket.
#[derive(Debug, Clone)]
pub(crate) struct DistanceBias {
    /// f32 `[heads, buckets]`.
    table: Tensor,
    buckets: Buckets,
}

impl DistanceBias {
    /// Loads the table `name`, `[buckets, heads]`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, buckets: Buckets, heads: usize) -> Result<Self> {
        let table = weights.get(name, &[buckets.count, heads])?;
        Ok(Self { table: table.t()?.to_dtype(DType::F32)?.contiguous()?, buckets })
    }

    /// Lays it out for texts of a length.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn of(&self, length: usize) -> Result<Distances> {
        let before = (1..length).rev().map(|distance| self.buckets.of(distance, false));
        let after = (0..length).map(|distance| self.buckets.of(distance, distance > 0));
        let buckets = Tensor::from_iter(before.chain(after), self.table.device())?;
        let by_distance = self.table.index_select(&buckets, 1)?.unsqueeze(1)?.unsqueeze(0)?;
        Ok(Distances { by_distance, length })
    }
}

/// The bias of texts of a length.
#[derive(Debug, Clone)]
pub(crate) struct Distances {
    /// f32 `[1, heads, 1, 2 T - 1]`, from the distance `1 - T` to `T - 1`.
    pub(super) by_distance: Tensor,
    length: usize,
}

impl Distances {
    /// The bias of some positions that look at all, `[1, heads, rows, T]`.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Result<Tensor> {
        let shape = (1, self.by_distance.dim(1)?, rows.len(), self.length);
        let place = |from: usize, to: usize| self.length - 1 + to - from;
        let places = pairs(rows, self.length, place, self.by_distance.device())?;
        Ok(self.by_distance.index_select(&places, 3)?.reshape(shape)?)
    }
}

/// A number for every pair of one of some positions and one of all, in this order.
///
/// # Errors
/// A candle error where the device fails.
#[expect(clippy::cast_possible_wrap, reason = "they are places in tensors, which are in memory")]
pub(crate) fn pairs(
    rows: Range<usize>,
    length: usize,
    number: impl Fn(usize, usize) -> usize,
    device: &Device,
) -> Result<Tensor> {
    let mut numbers = Vec::with_capacity(rows.len() * length);
    for from in rows {
        numbers.extend((0..length).map(|to| number(from, to) as i64));
    }
    let count = numbers.len();
    Ok(Tensor::from_vec(numbers, count, device)?)
}

/// Sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelativeShape {
    /// Width of the states.
    pub(crate) width: usize,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Width of a head.
    pub(crate) head_width: usize,
    /// Whether the layers have biases.
    pub(crate) bias: bool,
    /// What scores are multiplied by.
    pub(crate) scale: f64,
}

/// Multi-head attention: the weights of queries, keys and values one above the other, and the layer after the heads. The
/// scale is in the weights of the queries.
#[derive(Debug, Clone)]
pub(crate) struct RelativeAttention {
    packed: Linear,
    output: Linear,
    heads: usize,
    head_width: usize,
}

impl RelativeAttention {
    /// Loads layers of the given names: queries, keys, values and output.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, names: [&str; 4], shape: &RelativeShape) -> Result<Self> {
        let RelativeShape { width, heads, head_width, bias, scale } = *shape;
        let inner = heads * head_width;
        let [query, key, value, output] = names;
        let all = |part: &str, dims: &[usize]| -> Result<Tensor> {
            let [query, key, value] = [query, key, value].map(|name| weights.get(&format!("{name}.{part}"), dims));
            Ok(Tensor::cat(&[(query? * scale)?, key?, value?], 0)?)
        };
        let biases = if bias { Some(all("bias", &[inner])?) } else { None };
        Ok(Self {
            packed: Linear::new(all("weight", &[inner, width])?, biases)?,
            output: Linear::load(weights, output, inner, width, bias)?,
            heads,
            head_width,
        })
    }

    /// Attention of the states `[B, T, d]` to themselves, with a bias that depends on the distance alone.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Mask>, distances: &Distances) -> Result<Tensor> {
        let [queries, keys, values] = split(&self.packed.forward(x)?, self.heads)?;
        let heads = biased_attention(&queries, &keys, &values, mask, Some(Bias::Distances(distances)))?;
        let (batch, _, length, _) = heads.dims4()?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, ()))?)
    }

    /// Attention of the states `[B, T, d]` to themselves. `added` gives what is added to the scores of some positions,
    /// `[B or 1, heads, rows, T]`, from their scaled queries `[B, heads, rows, d]`, the keys `[B, heads, T, d]` and the
    /// range of the positions, where `B` may be fewer sequences than those of the states.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward_added(
        &self,
        x: &Tensor,
        hidden: Option<&Tensor>,
        added: impl Fn(&Tensor, &Tensor, Range<usize>) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let packed = self.packed.forward(x)?.reshape((batch, length, 3, self.heads, self.head_width))?;
        let part =
            |index| -> Result<Tensor> { Ok(packed.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?) };
        let heads = attend(&part(0)?, &part(1)?, &part(2)?, hidden, MOST_SCORES, added)?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, ()))?)
    }
}

/// `softmax(Q K' + added + hidden) V`: at once where there are no more than so many scores, else sequence by sequence and
/// some positions at a time.
fn attend(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    hidden: Option<&Tensor>,
    most: usize,
    added: impl Fn(&Tensor, &Tensor, Range<usize>) -> Result<Tensor>,
) -> Result<Tensor> {
    let (batch, heads, length, _) = queries.dims4()?;
    let attend = |queries: &Tensor, keys: &Tensor, values: &Tensor, hidden: Option<&Tensor>, rows| -> Result<Tensor> {
        let scores = queries.matmul(&keys.transpose(D::Minus2, D::Minus1)?)?.to_dtype(DType::F32)?;
        let scores = scores.broadcast_add(&added(queries, keys, rows)?.to_dtype(DType::F32)?)?;
        Ok(softmax(scores, hidden)?.to_dtype(values.dtype())?.matmul(values)?)
    };
    if batch * heads * length * length <= most {
        return attend(queries, keys, values, hidden, 0..length);
    }
    let at_a_time = (most / (heads * length)).max(1);
    let of_sequence = |sequence| -> Result<Tensor> {
        let one = |all: &Tensor| all.narrow(0, sequence, 1);
        let (queries, keys, values) = (one(queries)?, one(keys)?, one(values)?);
        let hidden = hidden.map(one).transpose()?;
        let rows = (0..length).step_by(at_a_time).map(|first| first..(first + at_a_time).min(length));
        let of_rows = |rows: Range<usize>| {
            let queries = queries.narrow(2, rows.start, rows.len())?.contiguous()?;
            attend(&queries, &keys, &values, hidden.as_ref(), rows)
        };
        Ok(Tensor::cat(&rows.map(of_rows).collect::<Result<Vec<_>>>()?, 2)?)
    };
    Ok(Tensor::cat(&(0..batch).map(of_sequence).collect::<Result<Vec<_>>>()?, 0)?)
}

/// Softmax of scores that nobody else sees, `[B, heads, T, S]`.
fn softmax(scores: Tensor, hidden: Option<&Tensor>) -> Result<Tensor> {
    let scores = match hidden {
        None => scores,
        Some(hidden) => scores.broadcast_add(hidden)?,
    };
    passes::shares(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distances at which a bucket begins, as the library of the models has them.
    #[test]
    fn buckets_begin_where_they_should() {
        let begins = |count, greatest| {
            let buckets = Buckets { count, greatest };
            let all: Vec<u32> = (0..700).map(|distance| buckets.of(distance, false)).collect();
            assert!(
                (1..700)
                    .all(|distance| buckets.of(distance, true) == all[distance] + u32::try_from(count / 2).unwrap())
            );
            (0..700).filter(|&distance| distance == 0 || all[distance] != all[distance - 1]).collect::<Vec<_>>()
        };
        assert_eq!(begins(32, 128), [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]);
        assert_eq!(begins(32, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 18, 23, 30, 39, 50]);
        assert_eq!(begins(16, 64), [0, 1, 2, 3, 4, 8, 16, 32]);
        assert_eq!(begins(8, 20), [0, 1, 2, 7]);
        assert_eq!(begins(7, 30), [0, 1, 6]);
    }

    #[test]
    fn parts_are_as_the_whole() {
        let random = |shape: &[usize]| Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap();
        let [queries, keys, values] = std::array::from_fn(|_| random(&[2, 3, 5, 4]));
        let bias = DistanceBias { table: random(&[3, 8]), buckets: Buckets { count: 8, greatest: 4 } }.of(5).unwrap();
        let keep = Tensor::from_vec(vec![1u32, 1, 1, 1, 1, 1, 1, 1, 0, 0], (2, 5), &Device::Cpu).unwrap();
        for hidden in [None, hidden(&keep).unwrap()] {
            let [whole, pairs_of_rows, rows] = [MOST_SCORES, 30, 1].map(|most| {
                let attended = attend(&queries, &keys, &values, hidden.as_ref(), most, |_, _, rows| bias.rows(rows));
                attended.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
            });
            for part in [&pairs_of_rows, &rows] {
                assert!(whole.iter().zip(part).all(|(whole, part)| (whole - part).abs() < 1e-6));
            }
            // In blocks of queries, where only kept positions count.
            let mask = hidden.is_some().then(|| Mask::padding(&keep).unwrap()).flatten();
            let blocks = biased_attention(&queries, &keys, &values, mask.as_ref(), Some(Bias::Distances(&bias)));
            let kept = if hidden.is_some() { keep.clone() } else { keep.ones_like().unwrap() };
            let kept = kept.to_dtype(DType::F32).unwrap().reshape((2, 1, 5, 1)).unwrap();
            let whole = Tensor::from_vec(whole, (2, 3, 5, 4), &Device::Cpu).unwrap();
            let error = (blocks.unwrap() - whole).unwrap().broadcast_mul(&kept).unwrap().abs().unwrap();
            assert!(error.max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-6);
        }
    }
}
