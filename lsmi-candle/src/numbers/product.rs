//! Products of matrices of which the right one is laid out once, for all products with it.
//!
//! A general product copies both matrices into the order in which the processor reads them, every time. The weights of an
//! encoder stay the same and the keys of a head meet all queries, so here the copying of the right matrix is a step of its own
//! ([`Packed`]). Blocks and loops are those of Goto and van de Geijn (2008): a tile of sums stays in registers while it goes
//! along the inner axis, strips of the right matrix stay in the first cache and panels of the left one in the second.
//!
//! Everything runs on the thread that calls it. Sums are in an order that depends on the inner length alone, and so is a row of
//! the result: it does not change with the other rows.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// Vectors in a row of a tile.
const VECTORS: usize = 2;
/// Rows of a tile where the processor has 32 vector registers, and where it has fewer.
const MOST_ROWS: usize = 12;
const FEW_ROWS: usize = 6;
/// Inner positions of a block: a strip of them fills two thirds of the first cache.
const INNER_BLOCK: usize = 256;
/// Rows of a block: its panels fill half of a small second cache.
const ROW_BLOCK: usize = 480;

/// A matrix `[inner, columns]` in strips of as many columns as a tile has, the last filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    values: Vec<f32>,
    inner: usize,
    columns: usize,
    strip: usize,
}

impl Packed {
    /// An empty matrix, to be filled by [`Packed::fill`] or [`Packed::fill_transposed`].
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), inner: 0, columns: 0, strip: VECTORS * Arch::new().dispatch(Lanes) }
    }

    /// Lays out the matrix whose columns are given as rows, `[columns, inner]`, as PyTorch stores the weights of a layer.
    pub(crate) fn transposed(rows: &[f32], inner: usize, columns: usize) -> Self {
        let mut packed = Self::new();
        packed.fill_transposed(rows, inner, columns, inner);
        packed
    }

    /// Replaces it by the matrix whose columns are given as rows of `inner` numbers, each `stride` after the last.
    pub(crate) fn fill_transposed(&mut self, rows: &[f32], inner: usize, columns: usize, stride: usize) {
        self.resize(inner, columns);
        for (number, strip) in self.values.chunks_exact_mut((inner * self.strip).max(1)).enumerate() {
            let first = number * self.strip;
            for column in first..columns.min(first + self.strip) {
                for (position, value) in rows[column * stride..][..inner].iter().enumerate() {
                    strip[position * self.strip + column - first] = *value;
                }
            }
        }
    }

    /// Replaces it by the matrix of `inner` rows of `columns` numbers, each `stride` after the last.
    pub(crate) fn fill(&mut self, rows: &[f32], inner: usize, columns: usize, stride: usize) {
        self.resize(inner, columns);
        for (number, strip) in self.values.chunks_exact_mut((inner * self.strip).max(1)).enumerate() {
            let first = number * self.strip;
            let count = self.strip.min(columns - first);
            for (position, part) in strip.chunks_exact_mut(self.strip).enumerate() {
                part[..count].copy_from_slice(&rows[position * stride + first..][..count]);
            }
        }
    }

    fn resize(&mut self, inner: usize, columns: usize) {
        (self.inner, self.columns) = (inner, columns);
        self.values.clear();
        self.values.resize(inner * columns.div_ceil(self.strip) * self.strip, 0.0);
    }

    /// Columns of the matrix.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of the matrix.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Columns of a strip.
    pub(crate) fn strip(&self) -> usize {
        self.strip
    }
}

/// Rows of a matrix, each `stride` numbers after the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

/// Where the product goes: rows of numbers, each `stride` after the last.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
}

/// Writes the product of `left` `[count, inner]` and the whole of `right` `[inner, columns]`.
pub(crate) fn multiply(left: Rows<'_>, right: &Packed, target: Target<'_>) {
    struct Whole<'a>(Rows<'a>, &'a Packed, Target<'a>);
    impl WithSimd for Whole<'_> {
        type Output = ();

        #[inline(always)]
        #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(left, right, target) = self;
            multiply_part(simd, left, right, 0..right.columns, 0..right.inner, target, &mut Vec::new());
        }
    }
    Arch::new().dispatch(Whole(left, right, target));
}

/// Writes the product of `left` `[count, inner]` and the `inner` rows and the `columns` of `right`; these must begin with a
/// strip. `panels` is memory to work in.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
pub(crate) fn multiply_part<S: Simd>(
    simd: S,
    left: Rows<'_>,
    right: &Packed,
    columns: Range<usize>,
    inner: Range<usize>,
    target: Target<'_>,
    panels: &mut Vec<f32>,
) {
    // What was laid out for other vectors cannot be read by these; the processor does not change while the program runs.
    assert_eq!(right.strip, VECTORS * S::F32_LANES);
    if S::REGISTER_COUNT >= 32 {
        blocks::<S, MOST_ROWS>(simd, left, right, columns, inner, target, panels);
    } else {
        blocks::<S, FEW_ROWS>(simd, left, right, columns, inner, target, panels);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn blocks<S: Simd, const ROWS: usize>(
    simd: S,
    left: Rows<'_>,
    right: &Packed,
    columns: Range<usize>,
    inner: Range<usize>,
    target: Target<'_>,
    panels: &mut Vec<f32>,
) {
    let Target { values: out, stride } = target;
    let strips = columns.start / right.strip..columns.end.div_ceil(right.strip);
    for first_row in (0..left.count).step_by(ROW_BLOCK) {
        let rows = ROW_BLOCK.min(left.count - first_row);
        for position in (0..inner.len()).step_by(INNER_BLOCK) {
            let length = INNER_BLOCK.min(inner.len() - position);
            pack_panels::<ROWS>(left, first_row..first_row + rows, position, length, panels);
            for number in strips.clone() {
                let begin = (number * right.inner + inner.start + position) * right.strip;
                let strip = &right.values[begin..][..length * right.strip];
                let column = number * right.strip - columns.start;
                let width = right.strip.min(columns.len() - column);
                for (panel, row) in panels.chunks_exact(length * ROWS).zip((first_row..).step_by(ROWS)) {
                    let rows = ROWS.min(left.count - row);
                    let begin = row * stride + column;
                    let place = Place { stride, rows, width, is_first: position == 0 };
                    tile::<S, ROWS>(simd, panel, strip, &mut out[begin..], place);
                }
            }
        }
    }
}

/// Lays out some rows in panels of `ROWS`, the last filled up with zeros: `[panels, length, ROWS]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn pack_panels<const ROWS: usize>(
    left: Rows<'_>,
    rows: Range<usize>,
    position: usize,
    length: usize,
    panels: &mut Vec<f32>,
) {
    panels.resize(rows.len().div_ceil(ROWS) * ROWS * length, 0.0);
    for (panel, first) in panels.chunks_exact_mut(length * ROWS).zip(rows.clone().step_by(ROWS)) {
        for row in 0..ROWS {
            let places = panel[row..].iter_mut().step_by(ROWS);
            if first + row < rows.end {
                let values = &left.values[(first + row) * left.stride + position..][..length];
                places.zip(values).for_each(|(place, value)| *place = *value);
            } else {
                places.for_each(|place| *place = 0.0);
            }
        }
    }
}

/// Where a tile goes.
#[derive(Clone, Copy)]
struct Place {
    stride: usize,
    rows: usize,
    width: usize,
    /// Whether nothing is there that it is to be added to.
    is_first: bool,
}

/// The product of a panel `[length, ROWS]` and a strip `[length, columns]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn tile<S: Simd, const ROWS: usize>(simd: S, panel: &[f32], strip: &[f32], out: &mut [f32], place: Place) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let (panel, _) = panel.as_chunks::<ROWS>();
    let (strip, _) = S::as_simd_f32s(strip);
    let (strip, _) = strip.as_chunks::<VECTORS>();
    for (left, right) in panel.iter().zip(strip) {
        for (sums, left) in sums.iter_mut().zip(left) {
            let left = simd.splat_f32s(*left);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_f32s(left, *right, *sum);
            }
        }
    }
    // All places of the sums are known when this is compiled, so that they stay in registers.
    for (row, sums) in sums.into_iter().enumerate() {
        if row < place.rows {
            let out = &mut out[row * place.stride..][..place.width];
            if place.width == VECTORS * S::F32_LANES {
                let (out, _) = S::as_mut_simd_f32s(out);
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = if place.is_first { sum } else { simd.add_f32s(*out, sum) };
                }
            } else {
                let sums: &[f32] = bytemuck::cast_slice(&sums);
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = if place.is_first { *sum } else { *out + sum };
                }
            }
        }
    }
}

/// Asks how many f32 a vector of the processor has.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|index| (index as f32 * step).sin()).collect()
    }

    /// Sizes below, at and beside those of tiles, strips and blocks; rows that do not lie together.
    #[test]
    fn products_are_those_of_f64() {
        for (rows, inner, columns) in
            [(1, 1, 1), (5, 7, 3), (12, 256, 32), (13, 257, 33), (30, 300, 70), (485, 17, 40), (2, 600, 31)]
        {
            let (stride, out_stride) = (inner + 3, columns + 5);
            let (left, right) = (numbers(rows * stride, 0.37), numbers(columns * inner, 0.11));
            let packed = Packed::transposed(&right, inner, columns);
            let mut found = vec![9.0; rows * out_stride];
            let target = Target { values: &mut found, stride: out_stride };
            multiply(Rows { values: &left, stride, count: rows }, &packed, target);
            for row in 0..rows {
                for column in 0..columns {
                    let pairs = left[row * stride..][..inner].iter().zip(&right[column * inner..][..inner]);
                    let expected: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    let found = f64::from(found[row * out_stride + column]);
                    assert!((found - expected).abs() < 1e-6 * inner as f64 + 1e-6, "{rows} {inner} {columns}");
                }
                assert!(found[row * out_stride..][columns..out_stride].iter().all(|value| *value == 9.0));
            }
        }
    }

    /// A part of a product: from the tenth inner position and the third strip on.
    struct Part<'a>(&'a [f32], &'a Packed, &'a mut [f32]);
    impl WithSimd for Part<'_> {
        type Output = ();

        #[inline(always)]
        #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
        fn with_simd<S: Simd>(self, simd: S) {
            let left = Rows { values: &self.0[10..], stride: 40, count: 7 };
            let target = Target { values: self.2, stride: 20 };
            multiply_part(simd, left, self.1, 64..84, 10..40, target, &mut Vec::new());
        }
    }

    #[test]
    fn a_part_is_that_of_the_whole() {
        let (rows, inner, columns) = (7, 40, 96);
        let (left, right) = (numbers(rows * inner, 0.3), numbers(inner * columns, 0.2));
        let mut packed = Packed::new();
        packed.fill(&right, inner, columns, columns);
        let mut found = vec![0.0; rows * 20];
        Arch::new().dispatch(Part(&left, &packed, &mut found));
        for row in 0..rows {
            for column in 0..20 {
                let terms = (10..40).map(|k| left[row * inner + k] * right[k * columns + 64 + column]);
                assert!((found[row * 20 + column] - terms.sum::<f32>()).abs() < 1e-4);
            }
        }
    }
}
