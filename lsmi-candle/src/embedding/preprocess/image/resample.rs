//! The resize of Pillow, level for level.
//!
//! Two passes, along the rows and then along the columns, with 8-bit levels in between. The filter is widened where the
//! picture shrinks, so that every pixel counts. Weights are integers, the fraction of one times 2^22, so that the result
//! is the same on every machine. Other programs keep floats between the passes, which differs by up to 24 levels at hard
//! edges, where a cubic overshoots.

use std::f64::consts::PI;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bits of the fraction of a weight. A level needs 8 bits and the sum of a filter's weights two more.
const PRECISION: u32 = 32 - 8 - 2;

/// The filter that weighs the pixels around a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// A triangle, of one pixel to either side.
    Bilinear,
    /// Keys' cubic with a = -0.5, of two pixels to either side.
    Bicubic,
    /// A sinc under a wider sinc, of three pixels to either side.
    Lanczos,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        let distance = at.abs();
        match self {
            Self::Bilinear => (1.0 - distance).max(0.0),
            Self::Bicubic => cubic(distance, -0.5),
            Self::Lanczos if (-3.0..3.0).contains(&at) => sinc(at) * sinc(at / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

/// Keys' piecewise cubic with the slope `a` at distance 1 (Keys 1981).
#[expect(clippy::suboptimal_flops, reason = "fused operations round differently from the reference")]
pub(crate) fn cubic(distance: f64, a: f64) -> f64 {
    let x = distance;
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

fn sinc(at: f64) -> f64 {
    if at == 0.0 { 1.0 } else { libm::sin(at * PI) / (at * PI) }
}

/// What one output pixel is made of: the input pixels from `start` on, and their weights times 2^22.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

/// The taps of the output pixels `window` where `from` pixels become `to`.
#[expect(clippy::cast_possible_truncation, reason = "a weight is of order 1")]
fn taps(from: usize, to: usize, window: Range<usize>, filter: Filter) -> Vec<Taps> {
    let taps_of = |output: usize| {
        let (start, weights) = weights(from, to, output, filter);
        let one = f64::from(1 << PRECISION);
        Taps { start, weights: weights.iter().map(|weight| (weight * one).round() as i32).collect() }
    };
    window.map(taps_of).collect()
}

/// The first of the `from` places that one of `to` places is made of, and the weights from there on, whose sum is 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the sides of a picture")]
pub(crate) fn weights(from: usize, to: usize, place: usize, filter: Filter) -> (usize, Vec<f64>) {
    let scale = from as f64 / to as f64;
    let widening = scale.max(1.0);
    let support = filter.support() * widening;
    let narrowing = 1.0 / widening;
    let centre = (place as f64 + 0.5) * scale;
    let start = ((centre - support + 0.5).max(0.0)) as usize;
    let end = ((centre + support + 0.5) as usize).min(from);
    let weights: Vec<f64> =
        (0..end - start).map(|index| filter.weight((index as f64 + start as f64 - centre + 0.5) * narrowing)).collect();
    let sum = weights.iter().sum::<f64>();
    (start, weights.iter().map(|weight| weight / sum).collect())
}

/// Resizes one number to a pixel, without rounding: `[height, width]` in row-major order, along the rows and then along
/// the columns.
pub(super) fn resample_floats(values: &[f32], width: &Side, height: &Side, filter: Filter) -> Vec<f32> {
    let of = |side: &Side| -> Vec<(usize, Vec<f64>)> {
        side.window.clone().map(|place| weights(side.from, side.to, place, filter)).collect()
    };
    let (across, down) = (of(width), of(height));
    // Of a picture that is cut, not all rows are seen.
    let first = down.iter().map(|(start, _)| *start).min().unwrap_or(0);
    let end = down.iter().map(|(start, weights)| start + weights.len()).max().unwrap_or(0);
    let rows: Vec<Vec<f64>> = values
        .chunks_exact(width.from)
        .take(end)
        .skip(first)
        .map(|row| {
            across
                .iter()
                .map(|(start, weights)| weighted(weights, row[*start..].iter().map(|x| f64::from(*x))))
                .collect()
        })
        .collect();
    let mut result = Vec::with_capacity(width.window.len() * height.window.len());
    for (start, weights) in &down {
        let column = |column: usize| weighted(weights, rows[start - first..].iter().map(|row| row[column]));
        #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
        result.extend((0..width.window.len()).map(|place| column(place) as f32));
    }
    result
}

fn weighted(weights: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

/// A sum of levels times weights, back to a level.
#[expect(clippy::cast_sign_loss, reason = "clamped to a level")]
fn level(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
}

/// How a side is resized, and the part of the result that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// Pixels before.
    pub(super) from: usize,
    /// Pixels after.
    pub(super) to: usize,
    /// The wanted ones of those.
    pub(super) window: Range<usize>,
}

/// Resizes levels `[height, width, 3]`; only the window is computed, which gives the levels that cutting it from the
/// whole would.
pub(super) fn resample(levels: &[u8], width: &Side, height: &Side, filter: Filter) -> Vec<u8> {
    let columns = taps(width.from, width.to, width.window.clone(), filter);
    let rows = taps(height.from, height.to, height.window.clone(), filter);
    let first = rows.first().map_or(0, |taps| taps.start);
    let end = rows.last().map_or(0, |taps| taps.start + taps.weights.len());
    let narrow = along_rows(&levels[first * width.from * 3..end * width.from * 3], width.from, &columns);
    along_columns(&narrow, columns.len() * 3, first, &rows)
}

fn along_rows(levels: &[u8], width: usize, columns: &[Taps]) -> Vec<u8> {
    let mut output = Vec::with_capacity(levels.len() / width * columns.len());
    for row in levels.chunks_exact(width * 3) {
        for taps in columns {
            let mut sums = [0_i32; 3];
            for (pixel, &weight) in row[taps.start * 3..].chunks_exact(3).zip(&taps.weights) {
                for (sum, &level) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(level) * weight;
                }
            }
            output.extend(sums.map(level));
        }
    }
    output
}

fn along_columns(levels: &[u8], stride: usize, first: usize, rows: &[Taps]) -> Vec<u8> {
    let mut output = Vec::with_capacity(rows.len() * stride);
    let mut sums = vec![0_i32; stride];
    for taps in rows {
        sums.fill(0);
        for (row, &weight) in levels[(taps.start - first) * stride..].chunks_exact(stride).zip(&taps.weights) {
            for (sum, &level) in sums.iter_mut().zip(row) {
                *sum += i32::from(level) * weight;
            }
        }
        output.extend(sums.iter().map(|&sum| level(sum)));
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(from: usize, to: usize) -> Side {
        Side { from, to, window: 0..to }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let levels: Vec<u8> = (0..=u8::MAX).cycle().take(7 * 5 * 3).collect();
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            assert_eq!(resample(&levels, &whole(7, 7), &whole(5, 5), filter), levels);
        }
    }

    #[test]
    fn one_colour_stays_one_colour() {
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            assert_eq!(resample(&[77; 90], &whole(6, 11), &whole(5, 3), filter), [77; 99]);
        }
    }

    #[test]
    fn a_window_is_the_part_of_the_whole() {
        let levels: Vec<u8> = (0..9 * 8 * 3_u32).map(|index| (index * 37 % 256).to_le_bytes()[0]).collect();
        let all = resample(&levels, &whole(9, 6), &whole(8, 13), Filter::Lanczos);
        let width = Side { window: 2..5, ..whole(9, 6) };
        let height = Side { window: 4..11, ..whole(8, 13) };
        let part = resample(&levels, &width, &height, Filter::Lanczos);
        let cut: Vec<u8> = (4..11).flat_map(|y| all[(y * 6 + 2) * 3..(y * 6 + 5) * 3].to_vec()).collect();
        assert_eq!(part, cut);
    }
}
