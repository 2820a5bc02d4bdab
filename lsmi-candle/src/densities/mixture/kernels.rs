//! Loops over blocks of rows that the compiler turns into vector instructions.
//!
//! A block is [`BLOCK`] rows, one column after the other, so that a row is a lane and nothing is ever summed across a
//! vector: `[columns][BLOCK]` of features, `[K][BLOCK]` of components. Loops run over arrays of known length by index, which
//! leaves nothing to be called; they are inlined into closures that [`crate::numbers::simd_math::vectorised`] compiles for what the
//! processor has.

use crate::numbers::simd_math::{exp, ln};

/// The number of rows of a block.
pub(crate) const BLOCK: usize = 256;
/// A value of every row of a block.
pub(crate) type Lanes<Value> = [Value; BLOCK];
/// The number of rows of a step, which are kept in registers.
const STEP: usize = 16;
/// The number of centres of a step.
const CENTRES: usize = 4;
/// The value below which numbers are taken for 0: those near the least that f32 holds slow processors down a
/// hundredfold.
const NEGLIGIBLE: f32 = 1e-30;

/// Transposes row-major rows `[count, columns]` into a block, with zeros after them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn transpose(rows: &[f32], columns: usize, block: &mut [Lanes<f32>]) {
    let count = rows.len() / columns;
    for (column, lanes) in block.iter_mut().enumerate() {
        for lane in 0..count {
            lanes[lane] = rows[lane * columns + column];
        }
        lanes[count..].fill(0.0);
    }
}

/// Computes squared distances `[K][BLOCK]` of the rows of a block from `centres` `[K, columns]`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(crate) fn squared_distances(block: &[Lanes<f32>], centres: &[f32], distances: &mut [Lanes<f32>]) {
    let columns = block.len();
    let whole = distances.len() / CENTRES * CENTRES;
    let (first, rest) = distances.split_at_mut(whole);
    for (group, distances) in first.chunks_exact_mut(CENTRES).enumerate() {
        distances_from::<CENTRES>(block, &centres[group * CENTRES * columns..], distances);
    }
    for (centre, distances) in rest.chunks_exact_mut(1).enumerate() {
        distances_from::<1>(block, &centres[(whole + centre) * columns..], distances);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn distances_from<const K: usize>(block: &[Lanes<f32>], centres: &[f32], distances: &mut [Lanes<f32>]) {
    let columns = block.len();
    for step in 0..BLOCK / STEP {
        let mut sums = [[0.0f32; STEP]; K];
        for (column, lanes) in block.iter().enumerate() {
            let values = &lanes.as_chunks::<STEP>().0[step];
            for k in 0..K {
                let centre = centres[k * columns + column];
                for lane in 0..STEP {
                    let difference = values[lane] - centre;
                    sums[k][lane] += difference * difference;
                }
            }
        }
        for k in 0..K {
            distances[k].as_chunks_mut::<STEP>().0[step] = sums[k];
        }
    }
}

/// Computes squared distances of the rows of a block from one centre, each column scaled first.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn scaled_squared_distances(block: &[Lanes<f32>], centre: &[f32], scales: &[f32], sums: &mut Lanes<f32>) {
    sums.fill(0.0);
    for (column, values) in block.iter().enumerate() {
        let (centre, scale) = (centre[column], scales[column]);
        for lane in 0..BLOCK {
            let difference = (values[lane] - centre) * scale;
            sums[lane] += difference * difference;
        }
    }
}

/// Computes the sums of the squares of a block's columns.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn sum_squares(block: &[Lanes<f32>], sums: &mut Lanes<f32>) {
    sums.fill(0.0);
    for values in block {
        for lane in 0..BLOCK {
            sums[lane] += values[lane] * values[lane];
        }
    }
}

/// Computes the index of the least of the `[K][BLOCK]` values of each row, the first of equals.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn nearest(distances: &[Lanes<f32>], index: &mut Lanes<u32>) {
    let mut least = [f32::INFINITY; BLOCK];
    index.fill(0);
    for (cluster, distances) in (0..).zip(distances) {
        for lane in 0..BLOCK {
            let is_nearer = distances[lane] < least[lane];
            least[lane] = if is_nearer { distances[lane] } else { least[lane] };
            index[lane] = if is_nearer { cluster } else { index[lane] };
        }
    }
}

/// Computes `constant - distance / 2` of every component and row, for normal components.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn normal_joint(distances: &[Lanes<f32>], constants: &[f64], joint: &mut [Lanes<f64>]) {
    for ((distances, joint), constant) in distances.iter().zip(joint).zip(constants) {
        for lane in 0..BLOCK {
            joint[lane] = constant - 0.5 * f64::from(distances[lane]);
        }
    }
}

/// Computes `constant - (v + d) / 2 log(1 + distance / v)` of every component and row, for Student's components.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn student_joint(
    distances: &[Lanes<f32>],
    constants: &[f64],
    freedom: f64,
    dims: usize,
    joint: &mut [Lanes<f64>],
) {
    let half = 0.5 * (freedom + dims as f64);
    for ((distances, joint), constant) in distances.iter().zip(joint).zip(constants) {
        for lane in 0..BLOCK {
            joint[lane] = constant - half * ln(1.0 + f64::from(distances[lane]) / freedom);
        }
    }
}

/// Computes the weights of rows in the moments of Student's components, responsibility times `(v + d) / (v +
/// distance)`, in the place of the distances.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn student_weights(
    distances: &mut [Lanes<f32>],
    responsibilities: &[Lanes<f32>],
    freedom: f64,
    dims: usize,
) {
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32 by design")]
    let (freedom, total) = (freedom as f32, (freedom + dims as f64) as f32);
    for (distances, responsibilities) in distances.iter_mut().zip(responsibilities) {
        for lane in 0..BLOCK {
            distances[lane] = responsibilities[lane] * total / (freedom + distances[lane]);
        }
    }
}

/// Responsibilities from joint log densities, and the log density of every row: one pass of log-sum-exp.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
pub(super) fn normalise(joint: &[Lanes<f64>], responsibilities: &mut [Lanes<f32>], log_densities: &mut Lanes<f64>) {
    let mut largest = [f64::NEG_INFINITY; BLOCK];
    for joint in joint {
        for lane in 0..BLOCK {
            largest[lane] = if joint[lane] > largest[lane] { joint[lane] } else { largest[lane] };
        }
    }
    let mut sums = [0.0f32; BLOCK];
    for (joint, shares) in joint.iter().zip(&mut *responsibilities) {
        for lane in 0..BLOCK {
            #[expect(clippy::cast_possible_truncation, reason = "responsibilities are f32 by design")]
            let share = exp((joint[lane] - largest[lane]) as f32);
            shares[lane] = share;
            sums[lane] += share;
        }
    }
    for lane in 0..BLOCK {
        log_densities[lane] = largest[lane] + ln(f64::from(sums[lane]));
        sums[lane] = sums[lane].recip();
    }
    for shares in responsibilities {
        for lane in 0..BLOCK {
            let value = shares[lane] * sums[lane];
            shares[lane] = if value < NEGLIGIBLE { 0.0 } else { value };
        }
    }
}
