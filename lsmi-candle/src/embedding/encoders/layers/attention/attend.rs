//! `softmax(Q K' + bias) V` on the processor in f32, in blocks of queries.
//!
//! Keys and values of a head are laid out once for all its queries; the scores of some queries are made, turned into exponentials and
//! used at once, so that memory grows with the number of positions and not with its square. Queries, keys and values are read where
//! they lie in the output of the layers before, and what comes out is written as the layer after needs it. Positions that a mask
//! hides are not computed. Everything runs on the thread that calls it.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Storage};
use pulp::{Arch, Simd, WithSimd};

use super::Bias;
use super::mask::{Band, Sequence};
use crate::embedding::encoders::layers::passes;
use crate::numbers::product::{Packed, Panels, Rows, Target, multiply_part};

/// Queries whose scores are made at a time.
const QUERIES: usize = 48;
/// f32 of a line of the caches.
const LINE: usize = 16;

/// Attention of scaled queries `[B, heads, T, width]` to keys `[B, groups, S, width]` and values `[B, groups, S, value width]`,
/// where the groups divide the heads: `[B, T, heads, value width]`. Positions outside of sequences get zeros.
pub(super) struct Attend<'a> {
    /// Where the sequences lie.
    pub(super) sequences: &'a [Sequence],
    /// How far positions look within them.
    pub(super) band: Band,
    /// What is added to scores.
    pub(super) bias: Option<Bias<'a>>,
}

/// Numbers of four axes, of which the last lies together.
#[derive(Clone, Copy)]
struct View<'a> {
    values: &'a [f32],
    dims: [usize; 4],
    strides: [usize; 4],
}

impl<'a> View<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<Self> {
        let (&[a, b, c, d], &[x, y, z, one]) = (layout.dims(), layout.stride()) else {
            candle_core::bail!("attention over {:?}, which should have four axes", layout.dims())
        };
        if one != 1 && d != 1 {
            candle_core::bail!("attention over heads whose numbers do not lie together")
        }
        let values = &storage.as_slice::<f32>()?[layout.start_offset()..];
        Ok(Self { values, dims: [a, b, c, d], strides: [x, y, z, 1] })
    }

    /// The positions of a head from one on.
    fn rows(&self, row: usize, head: usize, positions: Range<usize>) -> Rows<'a> {
        let begin = row * self.strides[0] + head * self.strides[1] + positions.start * self.strides[2];
        // Of no positions, none may be there to begin with.
        let values = self.values.get(begin..).unwrap_or_default();
        Rows { values, stride: self.strides[2], count: positions.len() }
    }
}

impl CustomOp3 for Attend<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        queries: &CpuStorage,
        queries_at: &Layout,
        keys: &CpuStorage,
        keys_at: &Layout,
        values: &CpuStorage,
        values_at: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let [queries, keys, values] =
            [View::new(queries, queries_at)?, View::new(keys, keys_at)?, View::new(values, values_at)?];
        let [batch, heads, length, _] = queries.dims;
        let width = values.dims[3];
        let mut out = vec![0.0; batch * length * heads * width];
        let bias = self.bias.map(|bias| (bias, bias.tensor().storage_and_layout()));
        let bias = match &bias {
            None => None,
            Some((bias, (storage, layout))) => match &**storage {
                Storage::Cpu(storage) => Some((matches!(bias, Bias::Distances(_)), View::new(storage, layout)?)),
                _ => candle_core::bail!("a bias that is not where the queries are"),
            },
        };
        let Self { sequences, band, .. } = *self;
        let work = Work { sequences, band, queries, keys, values, bias, out: &mut out };
        Arch::new().dispatch(work);
        Ok((CpuStorage::F32(out), Shape::from((batch, length, heads, width))))
    }
}

/// Attention of sequences to themselves, with queries, keys and values of each position side by side: `packed` is
/// `[rows, length, 3, heads, width]`, and `out` becomes `[rows, length, heads, width]`.
pub(in crate::embedding::encoders::layers) fn attend_packed(
    packed: &[f32],
    [rows, length, heads, width]: [usize; 4],
    sequences: &[Sequence],
    band: Band,
    out: &mut [f32],
) {
    let stride = heads * width;
    let part = |index: usize| View {
        values: packed.get(index * stride..).unwrap_or_default(),
        dims: [rows, heads, length, width],
        strides: [length * 3 * stride, width, 3 * stride, 1],
    };
    let [queries, keys, values] = [part(0), part(1), part(2)];
    Arch::new().dispatch(Work { sequences, band, queries, keys, values, bias: None, out });
}

struct Work<'a> {
    sequences: &'a [Sequence],
    band: Band,
    queries: View<'a>,
    keys: View<'a>,
    values: View<'a>,
    /// Whether it is by distances, and its numbers.
    bias: Option<(bool, View<'a>)>,
    out: &'a mut [f32],
}

impl WithSimd for Work<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sequences, band, queries, keys, values, bias, out } = self;
        let [_, heads, length, _] = queries.dims;
        let [_, groups, all_keys, inner] = keys.dims;
        let width = values.dims[3];
        let (mut packed_keys, mut packed_values) = (Packed::new(), Packed::new());
        let (mut scores, mut panels) = (Vec::new(), Panels::default());
        for Sequence { row, positions } in sequences {
            // Queries of one length may look at keys of another, all of them.
            let looked_at = if length == all_keys { positions.clone() } else { 0..all_keys };
            let count = looked_at.len();
            for head in 0..heads {
                let shared = heads / groups;
                if head % shared == 0 {
                    let rows = keys.rows(*row, head / shared, looked_at.clone());
                    packed_keys.fill_transposed(rows.values, inner, count, rows.stride);
                    let rows = values.rows(*row, head / shared, looked_at.clone());
                    packed_values.fill(rows.values, count, width, rows.stride);
                }
                for first in (0..positions.len()).step_by(QUERIES) {
                    let block = first..positions.len().min(first + QUERIES);
                    let seen = seen(band, &block, count, packed_keys.strip());
                    let span = seen.len();
                    // Rows a power of two apart would share few places of the first cache.
                    let stride = span.next_multiple_of(LINE) + LINE;
                    scores.resize(QUERIES * stride, 0.0);
                    let begin = positions.start + block.start;
                    let left = queries.rows(*row, head, begin..positions.start + block.end);
                    let target = Target { values: &mut scores, stride, adds: false };
                    multiply_part(simd, left, &packed_keys, seen.clone(), 0..inner, target, &mut panels, |_, _| {});
                    let mut shares = [0.0; QUERIES];
                    for ((place, query), share) in block.clone().enumerate().zip(&mut shares) {
                        let scores = &mut scores[place * stride..][..span];
                        let own = band.of(query, count);
                        let own = own.start.max(seen.start) - seen.start..own.end.max(seen.start) - seen.start;
                        if let Some((is_by_distance, bias)) = bias {
                            let [rows, of_heads, of_queries, of_keys] = bias.dims;
                            let (row, head) = (row % rows, head.min(of_heads - 1));
                            let (from, to) = if is_by_distance {
                                // The distance 0 is in the middle.
                                (0, of_keys / 2 - query + seen.start)
                            } else {
                                (begin + place, looked_at.start + seen.start)
                            };
                            let bias = bias.rows(row, head, from..of_queries);
                            let bias = &bias.values[to..][..span];
                            scores.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
                        }
                        scores[..own.start].fill(0.0);
                        scores[own.end..].fill(0.0);
                        *share = passes::exponentials(&mut scores[own]);
                    }
                    let left = Rows { values: &scores, stride, count: block.len() };
                    let begin = ((row * length + begin) * heads + head) * width;
                    let out = &mut out[begin..];
                    let target = Target { values: out, stride: heads * width, adds: false };
                    multiply_part(simd, left, &packed_values, 0..width, seen, target, &mut panels, |_, _| {});
                    // There are fewer numbers of a head than scores.
                    for (row, share) in out.chunks_mut(heads * width).zip(&shares[..block.len()]) {
                        row[..width].iter_mut().for_each(|x| *x *= share);
                    }
                }
            }
        }
    }
}

/// The keys that a block of queries looks at, from the beginning of a strip on.
fn seen(band: Band, queries: &Range<usize>, count: usize, strip: usize) -> Range<usize> {
    let first = band.of(queries.start, count).start.min(count);
    let last = band.of(queries.end - 1, count).end;
    first / strip * strip..last.max(first)
}
