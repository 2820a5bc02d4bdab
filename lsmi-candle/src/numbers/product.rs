//! Products of matrices of which the right one is laid out once, for all products with it.
//!
//! A general product copies both matrices into the order in which the processor reads them, every time. The weights of an
//! encoder stay the same and the keys of a head meet all queries, so here the copying of the right matrix is a step of its own
//! ([`Packed`]). Blocks and loops are those of Goto and van de Geijn (2008): a tile of sums stays in registers while it goes
//! along the inner axis, strips of the right matrix stay in the first caches and panels of the left one in the second.
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
/// Inner positions that a tile goes along at a time.
const INNER_BLOCK: usize = 384;
/// Rows of a block and the length of its panels, and the columns whose sums are finished before the next: together they fill
/// half of a second cache of 2 MB, so that sums of which a part is there are found again.
const ROW_BLOCK: usize = 240;
const PANEL_LENGTH: usize = 2 * INNER_BLOCK;
const COLUMN_BLOCK: usize = 256;
/// Columns up to which laying out rows would take longer than reading them as they lie.
const NARROW: usize = 128;
/// f32 of a line of the caches. Vectors that lie across two are read at half the rate.
const LINE: usize = 16;
/// Columns that are laid out at a time.
const TOGETHER: usize = 8;
/// Inner positions after which a tile asks for another line.
const LINE_EVERY: usize = 8;

/// A matrix `[inner, columns]` in strips of as many columns as a tile has, the last filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    values: Vec<f32>,
    /// Where they begin, so that strips begin with lines of the cache.
    begin: usize,
    inner: usize,
    columns: usize,
    strip: usize,
}

impl Packed {
    /// An empty matrix, to be filled by [`Packed::fill`] or [`Packed::fill_transposed`].
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), begin: 0, inner: 0, columns: 0, strip: VECTORS * Arch::new().dispatch(Lanes) }
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
        let row = |column: usize| &rows[column * stride..][..inner];
        for (number, strip) in self.values[self.begin..].chunks_exact_mut((inner * self.strip).max(1)).enumerate() {
            let first = number * self.strip;
            let count = self.strip.min(columns - first);
            // Some at a time, so that what is written lies together.
            for begin in (0..count).step_by(TOGETHER) {
                if begin + TOGETHER <= count {
                    let rows: [&[f32]; TOGETHER] = std::array::from_fn(|place| row(first + begin + place));
                    for (position, places) in strip.chunks_exact_mut(self.strip).enumerate() {
                        for (place, row) in places[begin..begin + TOGETHER].iter_mut().zip(rows) {
                            *place = row[position];
                        }
                    }
                } else {
                    for column in begin..count {
                        for (place, value) in strip[column..].iter_mut().step_by(self.strip).zip(row(first + column)) {
                            *place = *value;
                        }
                    }
                }
            }
        }
    }

    /// Replaces it by the matrix of `inner` rows of `columns` numbers, each `stride` after the last.
    pub(crate) fn fill(&mut self, rows: &[f32], inner: usize, columns: usize, stride: usize) {
        self.resize(inner, columns);
        for (number, strip) in self.values[self.begin..].chunks_exact_mut((inner * self.strip).max(1)).enumerate() {
            let first = number * self.strip;
            let count = self.strip.min(columns - first);
            for (position, part) in strip.chunks_exact_mut(self.strip).enumerate() {
                part[..count].copy_from_slice(&rows[position * stride + first..][..count]);
            }
        }
    }

    fn resize(&mut self, inner: usize, columns: usize) {
        (self.inner, self.columns) = (inner, columns);
        let length = inner * columns.div_ceil(self.strip) * self.strip;
        self.values.clear();
        self.values.resize(length + LINE, 0.0);
        self.begin = self.values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        self.values.truncate(self.begin + length);
    }

    fn values(&self) -> &[f32] {
        &self.values[self.begin..]
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

impl<'a> Rows<'a> {
    /// Some inner positions of as many rows from `first` on as a tile has; the last stands for those that there are not.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
    fn tile<const ROWS: usize>(&self, first: usize, inner: Range<usize>) -> [&'a [f32]; ROWS] {
        std::array::from_fn(|row| {
            let row = (first + row).min(self.count - 1);
            &self.values[row * self.stride + inner.start..][..inner.len()]
        })
    }
}

/// Where the product goes: rows of numbers, each `stride` after the last.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
    /// Whether the product is added to what is there.
    pub(crate) adds: bool,
}

/// Memory to work in, for one product after the other.
#[derive(Debug, Default)]
pub(crate) struct Panels(Vec<f32>);

/// Writes the product of `left` `[count, inner]` and the whole of `right` `[inner, columns]`. `finish` is called with every row, a
/// run of columns at a time, while the processor still has it at hand.
pub(crate) fn multiply(
    left: Rows<'_>,
    right: &Packed,
    target: Target<'_>,
    panels: &mut Panels,
    finish: impl Fn(&mut [f32], Range<usize>),
) {
    struct Whole<'a, F>(Rows<'a>, &'a Packed, Target<'a>, &'a mut Panels, F);
    impl<F: Fn(&mut [f32], Range<usize>)> WithSimd for Whole<'_, F> {
        type Output = ();

        #[inline(always)]
        #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(left, right, target, panels, finish) = self;
            multiply_part(simd, left, right, 0..right.columns, 0..right.inner, target, panels, finish);
        }
    }
    Arch::new().dispatch(Whole(left, right, target, panels, finish));
}

/// Writes the product of `left` `[count, inner]` and the `inner` rows and the `columns` of `right`; these must begin with a
/// strip.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
#[expect(clippy::too_many_arguments, reason = "each is a part of one product")]
pub(crate) fn multiply_part<S: Simd>(
    simd: S,
    left: Rows<'_>,
    right: &Packed,
    columns: Range<usize>,
    inner: Range<usize>,
    target: Target<'_>,
    panels: &mut Panels,
    finish: impl Fn(&mut [f32], Range<usize>),
) {
    // What was laid out for other vectors cannot be read by these; the processor does not change while the program runs.
    assert_eq!(right.strip, VECTORS * S::F32_LANES);
    if left.count == 0 || columns.is_empty() {
        return;
    }
    if S::REGISTER_COUNT >= 32 {
        blocks::<S, MOST_ROWS>(simd, left, right, columns, inner, target, panels, finish);
    } else {
        blocks::<S, FEW_ROWS>(simd, left, right, columns, inner, target, panels, finish);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
#[expect(clippy::too_many_arguments, reason = "each is a part of one product")]
fn blocks<S: Simd, const ROWS: usize>(
    simd: S,
    left: Rows<'_>,
    right: &Packed,
    columns: Range<usize>,
    inner: Range<usize>,
    target: Target<'_>,
    Panels(panels): &mut Panels,
    finish: impl Fn(&mut [f32], Range<usize>),
) {
    let Target { values: out, stride, adds } = target;
    let is_narrow = columns.len() <= NARROW;
    for rows in pieces(left.count, ROW_BLOCK) {
        for reach in pieces(inner.len(), PANEL_LENGTH) {
            if !is_narrow {
                pack_panels::<ROWS>(left, rows.clone(), reach.clone(), panels);
            }
            for group in pieces(columns.len(), COLUMN_BLOCK) {
                for part in pieces(reach.len(), INNER_BLOCK) {
                    let positions = reach.start + part.start..reach.start + part.end;
                    for column in group.clone().step_by(right.strip) {
                        let number = (columns.start + column) / right.strip;
                        let begin = (number * right.inner + inner.start + positions.start) * right.strip;
                        let strip = &right.values()[begin..][..part.len() * right.strip];
                        let after = right.values().get(begin + right.inner * right.strip..).unwrap_or_default();
                        let width = right.strip.min(columns.len() - column);
                        for (index, row) in rows.clone().step_by(ROWS).enumerate() {
                            let adds = adds || positions.start > 0;
                            let place = Place { stride, rows: ROWS.min(rows.end - row), width, adds };
                            let out = &mut out[row * stride + column..];
                            let sums = if is_narrow {
                                sums_of_rows::<S, ROWS>(simd, left.tile(row, positions.clone()), strip)
                            } else {
                                let panel = &panels[index * ROWS * reach.len()..][part.start * ROWS..part.end * ROWS];
                                sums_of_panel::<S, ROWS>(
                                    simd,
                                    panel,
                                    strip,
                                    Ahead::of(after, strip.len(), index, part.len()),
                                )
                            };
                            write(simd, sums, out, place);
                        }
                    }
                }
                if reach.end == inner.len() {
                    for row in rows.clone() {
                        finish(&mut out[row * stride..][group.clone()], group.clone());
                    }
                }
            }
        }
    }
}

/// Cuts `0..length` into pieces of at most `most`.
fn pieces(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(most).map(move |begin| begin..length.min(begin + most))
}

/// Lays out some rows in panels of `ROWS`, the last filled up: `[panels, length, ROWS]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn pack_panels<const ROWS: usize>(left: Rows<'_>, rows: Range<usize>, inner: Range<usize>, panels: &mut Vec<f32>) {
    let length = inner.len();
    panels.resize(rows.len().div_ceil(ROWS) * ROWS * length, 0.0);
    for (panel, first) in panels.chunks_exact_mut(length * ROWS).zip(rows.step_by(ROWS)) {
        let rows = left.tile::<ROWS>(first, inner.clone());
        let (panel, _) = panel.as_chunks_mut::<ROWS>();
        for (position, places) in panel.iter_mut().enumerate() {
            for (place, row) in places.iter_mut().zip(rows) {
                *place = row[position];
            }
        }
    }
}

/// What a tile asks for of the strip after its own, a line every `LINE_EVERY` inner positions: the processor by itself begins
/// anew with every page of memory, and then waits.
#[derive(Clone, Copy)]
struct Ahead<'a>(&'a [f32]);

impl<'a> Ahead<'a> {
    /// The part of the next strip for the panel of a number, of `length` inner positions; nothing once all was asked for.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
    fn of(after: &'a [f32], strip: usize, panel: usize, length: usize) -> Self {
        let asked = length / LINE_EVERY * LINE;
        let begin = panel * asked;
        if begin < strip { Self(after.get(begin..).unwrap_or_default()) } else { Self(&[]) }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
    fn ask(self, number: usize) {
        #[cfg(target_arch = "x86_64")]
        if let Some(value) = self.0.get(number * LINE)
            && let Some(processor) = pulp::core_arch::x86::Sse::try_new()
        {
            processor._mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(std::ptr::from_ref(value).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = number;
    }
}

/// Where a tile goes.
#[derive(Clone, Copy)]
struct Place {
    stride: usize,
    rows: usize,
    width: usize,
    /// Whether it is added to what is there.
    adds: bool,
}

/// The sums of a tile.
type Sums<S, const ROWS: usize> = [[<S as Simd>::f32s; VECTORS]; ROWS];

/// The product of a panel `[length, ROWS]` and a strip `[length, columns]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn sums_of_panel<S: Simd, const ROWS: usize>(simd: S, panel: &[f32], strip: &[f32], ahead: Ahead<'_>) -> Sums<S, ROWS> {
    let (panel, _) = panel.as_chunks::<ROWS>();
    let (strip, _) = S::as_simd_f32s(strip);
    let (strip, _) = strip.as_chunks::<VECTORS>();
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (number, (panel, strip)) in panel.chunks(LINE_EVERY).zip(strip.chunks(LINE_EVERY)).enumerate() {
        ahead.ask(number);
        for (left, right) in panel.iter().zip(strip) {
            for (sums, left) in sums.iter_mut().zip(left) {
                let left = simd.splat_f32s(*left);
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_f32s(left, *right, *sum);
                }
            }
        }
    }
    sums
}

/// The product of rows as they lie and a strip `[length, columns]`, in the same order.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn sums_of_rows<S: Simd, const ROWS: usize>(simd: S, rows: [&[f32]; ROWS], strip: &[f32]) -> Sums<S, ROWS> {
    let (strip, _) = S::as_simd_f32s(strip);
    let (strip, _) = strip.as_chunks::<VECTORS>();
    // Of lengths that are known to agree, positions are not checked one by one.
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &rows[row][..strip.len()]);
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (position, right) in strip.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let left = simd.splat_f32s(row[position]);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_f32s(left, *right, *sum);
            }
        }
    }
    sums
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be compiled for the least processor")]
fn write<S: Simd, const ROWS: usize>(simd: S, sums: Sums<S, ROWS>, out: &mut [f32], place: Place) {
    let full = VECTORS * S::F32_LANES;
    if place.rows == ROWS && place.width == full {
        // Written out, as sums stay in registers only where the place of each is known when this is compiled.
        macro_rules! rows {
            ($write:expr; $($row:literal)*) => {
                $(if let Some(sums) = sums.get($row) {
                    let (out, _) = S::as_mut_simd_f32s(&mut out[$row * place.stride..][..full]);
                    for (out, sum) in out.iter_mut().zip(sums) {
                        *out = $write(*out, *sum);
                    }
                })*
            };
        }
        if place.adds {
            rows!(|out, sum| simd.add_f32s(out, sum); 0 1 2 3 4 5 6 7 8 9 10 11);
        } else {
            rows!(|_, sum| sum; 0 1 2 3 4 5 6 7 8 9 10 11);
        }
        return;
    }
    for (row, sums) in sums.iter().enumerate().take(place.rows) {
        let sums: &[f32] = bytemuck::cast_slice(sums);
        for (out, sum) in out[row * place.stride..][..place.width].iter_mut().zip(sums) {
            *out = if place.adds { *out + sum } else { *sum };
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
            let target = Target { values: &mut found, stride: out_stride, adds: false };
            multiply(Rows { values: &left, stride, count: rows }, &packed, target, &mut Panels::default(), |_, _| {});
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
            let target = Target { values: self.2, stride: 20, adds: false };
            multiply_part(simd, left, self.1, 64..84, 10..40, target, &mut Panels::default(), |_, _| {});
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
