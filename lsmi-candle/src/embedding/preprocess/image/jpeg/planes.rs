//! From coefficients to levels: the inverse transform, planes of the picture's size, and red, green and blue.

use std::sync::Arc;

use super::{Colours, Component, Frame};
use crate::numbers::simd_math::vectorised;

/// Bits behind the point of the transform's factors.
const POINT: u32 = 13;
/// Bits that are kept behind the point between its two passes.
const KEPT: u32 = 2;

/// A plane of samples.
struct Plane {
    size: [usize; 2],
    /// From one row to the next.
    stride: usize,
    samples: Vec<u8>,
}

impl Frame {
    /// Red, green and blue of every pixel, `[height, width, 3]`.
    pub(in super::super) fn levels(self) -> Vec<u8> {
        let most = self.most_sampling();
        let (width, height, colours) = (self.width, self.height, self.colours);
        let planes: Vec<(Plane, [usize; 2])> = self
            .components
            .into_iter()
            .map(|component| {
                let times = [0, 1].map(|axis| most[axis] / component.sampling[axis]);
                (Plane::of(component), times)
            })
            .collect();
        let mut levels = vec![0; width * height * 3];
        // A row of each component; one more sample than a row of an odd number of pixels has.
        let mut rows = vec![vec![0; width + 2 * super::MOST_SAMPLING]; planes.len()];
        let mut sums = Vec::new();
        for (y, pixels) in levels.chunks_exact_mut(width * 3).enumerate() {
            vectorised(
                #[inline(always)]
                || {
                    for ((plane, times), row) in planes.iter().zip(&mut rows) {
                        plane.row(y, *times, row, &mut sums);
                    }
                    convert(colours, &mut rows, pixels);
                },
            );
        }
        levels
    }
}

impl Plane {
    fn of(component: Component) -> Self {
        let [across, down] = component.stored;
        let stride = across * 8;
        let mut samples = vec![0; stride * down * 8];
        // A component without a table has been refused.
        let steps = component.steps.unwrap_or_else(|| Arc::new([0; 64]));
        vectorised(
            #[inline(always)]
            || {
                for (index, block) in component.coefficients.chunks_exact(64).enumerate() {
                    let start = index / across * 8 * stride + index % across * 8;
                    transform(block, &steps, &mut samples[start..], stride);
                }
            },
        );
        Self { size: component.size, stride, samples }
    }

    fn samples(&self, row: usize) -> &[u8] {
        let start = row.min(self.size[1] - 1) * self.stride;
        &self.samples[start..start + self.size[0]]
    }

    /// Row `y` of the picture, each sample that many times across and down.
    ///
    /// Where it is twice, three quarters come from the sample that the pixel lies in and one from its neighbour; the
    /// rounding goes up and down in turn.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn row(&self, y: usize, times: [usize; 2], row: &mut [u8], sums: &mut Vec<u16>) {
        let near = self.samples(y / times[1]);
        // Of the two rows that a sample covers, the upper is near the one above it.
        let far = if y.is_multiple_of(2) { self.samples((y / 2).saturating_sub(1)) } else { self.samples(y / 2 + 1) };
        let weighed = |(near, far): (&u8, &u8)| 3 * u16::from(*near) + u16::from(*far);
        match times {
            [1, 1] => row[..near.len()].copy_from_slice(near),
            [1, 2] => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                for (level, sum) in row.iter_mut().zip(near.iter().zip(far).map(weighed)) {
                    *level = narrow((sum + bias) >> 2);
                }
            }
            // The filter needs three samples, as libjpeg has it.
            [2, 1] if near.len() > 2 => {
                sums.clear();
                sums.extend(near.iter().map(|sample| u16::from(*sample)));
                double(sums, [1, 2], 2, row);
            }
            [2, 2] if near.len() > 2 => {
                sums.clear();
                sums.extend(near.iter().zip(far).map(weighed));
                double(sums, [8, 7], 4, row);
            }
            [across, _] => {
                for (levels, sample) in row.chunks_mut(across).zip(near) {
                    levels.fill(*sample);
                }
            }
        }
    }
}

/// Twice as many, of three at least: a quarter of each comes from the neighbour. `shift` divides by four times what the
/// samples are multiplied by.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn double(samples: &[u16], biases: [u16; 2], shift: u32, row: &mut [u8]) {
    let pair = |before: u16, sample: u16, behind: u16| {
        let three = 3 * sample;
        [narrow((three + before + biases[0]) >> shift), narrow((three + behind + biases[1]) >> shift)]
    };
    let last = samples.len() - 1;
    row[..2].copy_from_slice(&pair(samples[0], samples[0], samples[1]));
    for (levels, three) in row[2..].chunks_exact_mut(2).zip(samples.windows(3)) {
        levels.copy_from_slice(&pair(three[0], three[1], three[2]));
    }
    row[2 * last..2 * last + 2].copy_from_slice(&pair(samples[last - 1], samples[last], samples[last]));
}

/// Levels of at most 255.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn narrow(level: u16) -> u8 {
    level.min(255) as u8
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
#[expect(clippy::cast_sign_loss, reason = "of 0 to 255")]
fn clamped(level: i32) -> u8 {
    level.clamp(0, 255) as u8
}

/// One row of pixels from the rows of the components, which are written over.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn convert(colours: Colours, rows: &mut [Vec<u8>], pixels: &mut [u8]) {
    if let (Colours::Ycc | Colours::Ycck, [first, second, third, ..]) = (colours, &mut *rows) {
        for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
            [*a, *b, *c] = rgb(*a, *b, *c);
        }
    }
    if let [first, second, third, light] = rows {
        for row in [first, second, third] {
            for (level, light) in row.iter_mut().zip(light.iter()) {
                // Files hold the light that ink leaves, as Pillow reads them.
                let ink = if colours == Colours::Cmyk { 255 - *level } else { *level };
                *level = printed(ink, *light);
            }
        }
    }
    let pixels = pixels.chunks_exact_mut(3);
    match rows {
        [first, second, third, ..] => {
            for (((pixel, a), b), c) in pixels.zip(first).zip(second).zip(third) {
                pixel.copy_from_slice(&[*a, *b, *c]);
            }
        }
        [grey, ..] => pixels.zip(grey).for_each(|(pixel, level)| pixel.fill(*level)),
        [] => {}
    }
}

/// Red, green and blue of luminance and two differences (ITU-R BT.601), in 16 bits behind the point.
#[inline(always)]
fn rgb(luminance: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let [luminance, blue, red] = [i32::from(luminance), i32::from(blue) - 128, i32::from(red) - 128];
    [
        clamped(luminance + ((91_881 * red + HALF) >> 16)),
        clamped(luminance + ((-22_554 * blue - 46_802 * red + HALF) >> 16)),
        clamped(luminance + ((116_130 * blue + HALF) >> 16)),
    ]
}

/// The light that is left of what black ink leaves.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn printed(ink: u8, light: u8) -> u8 {
    // The product by 255, rounded.
    let product = u32::from(ink) * u32::from(light) + 128;
    light.saturating_sub(u8::try_from(((product >> 8) + product) >> 8).unwrap_or(u8::MAX))
}

/// Eight numbers that are computed with at once.
type Lanes = [i32; 8];

/// The samples of a block: the inverse of the cosine transform by Loeffler, Ligtenberg and Moschytz (1989).
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn transform(block: &[i16], steps: &[u16; 64], samples: &mut [u8], stride: usize) {
    if block[1..].iter().all(|coefficient| *coefficient == 0) {
        let value = i32::from(block[0]).wrapping_mul(i32::from(steps[0]));
        let level = clamped((value.wrapping_add(4) >> 3).saturating_add(128));
        for row in samples.chunks_mut(stride).take(8) {
            row[..8].fill(level);
        }
        return;
    }
    let mut rows = [[0; 8]; 8];
    for ((row, coefficients), steps) in rows.iter_mut().zip(block.chunks_exact(8)).zip(steps.chunks_exact(8)) {
        for index in 0..8 {
            row[index] = i32::from(coefficients[index]).wrapping_mul(i32::from(steps[index]));
        }
    }
    // All columns at once, then all rows.
    let columns = pass(rows).map(|lanes| rounded(lanes, POINT - KEPT));
    let columns = pass(transposed(columns)).map(|lanes| rounded(lanes, POINT + KEPT + 3));
    for (values, row) in transposed(columns).into_iter().zip(samples.chunks_mut(stride)) {
        for (sample, value) in row.iter_mut().zip(values) {
            *sample = clamped(value.saturating_add(128));
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn transposed(rows: [Lanes; 8]) -> [Lanes; 8] {
    let mut columns = [[0; 8]; 8];
    for (index, row) in rows.iter().enumerate() {
        for (column, value) in columns.iter_mut().zip(row) {
            column[index] = *value;
        }
    }
    columns
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn rounded(lanes: Lanes, bits: u32) -> Lanes {
    lanes.map(|sum| sum.wrapping_add(1 << (bits - 1)) >> bits)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn both(a: Lanes, b: Lanes, work: impl Fn(i32, i32) -> i32) -> Lanes {
    let mut lanes = [0; 8];
    for index in 0..8 {
        lanes[index] = work(a[index], b[index]);
    }
    lanes
}

/// The transform of eight numbers, in every lane, with 13 more bits behind the point. Factors are sums of cosines; a damaged
/// file may hold numbers of any size.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn pass(x: [Lanes; 8]) -> [Lanes; 8] {
    let add = |a, b| both(a, b, i32::wrapping_add);
    let subtract = |a, b| both(a, b, i32::wrapping_sub);
    let times = |a: Lanes, factor: i32| a.map(|value| value.wrapping_mul(factor));
    let shifted = |a: Lanes| a.map(|value| value << POINT);

    let turned = times(add(x[2], x[6]), 4_433);
    let [two, six] = [add(turned, times(x[2], 6_270)), add(turned, times(x[6], -15_137))];
    let [sum, difference] = [shifted(add(x[0], x[4])), shifted(subtract(x[0], x[4]))];
    let even = [add(sum, two), add(difference, six), subtract(difference, six), subtract(sum, two)];

    let all = times(add(add(x[7], x[3]), add(x[5], x[1])), 9_633);
    let [outer, inner] = [times(add(x[7], x[1]), -7_373), times(add(x[5], x[3]), -20_995)];
    let [first, second] = [add(all, times(add(x[7], x[3]), -16_069)), add(all, times(add(x[5], x[1]), -3_196))];
    let odd = [
        add(times(x[1], 12_299), add(outer, second)),
        add(times(x[3], 25_172), add(inner, first)),
        add(times(x[5], 16_819), add(inner, second)),
        add(times(x[7], 2_446), add(outer, first)),
    ];
    let mut sums = [[0; 8]; 8];
    for index in 0..4 {
        sums[index] = add(even[index], odd[index]);
        sums[7 - index] = subtract(even[index], odd[index]);
    }
    sums
}
