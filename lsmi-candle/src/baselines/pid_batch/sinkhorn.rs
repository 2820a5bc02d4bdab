//! Sinkhorn's iteration on a positive matrix, as published, and its adjoint.
//!
//! The published loop divides a matrix `M`, which begins as a kernel `A` `[n, n]`, by its column sums and its row sums in
//! turn, so that they become `p2` and `p1`:
//!
//! ```text
//! M = M diag(p2 / (column sums of M + 1e-8))      stop where all row sums are within the tolerance of p1
//! M = diag(p1 / (row sums of M + 1e-8)) M         stop where all column sums are within the tolerance of p2
//! ```
//!
//! Here `M = diag(u) A diag(v)` throughout, and only the vectors `u` and `v` change. A gradient through the unrolled loop
//! needs what each step saw: its `u`, `v` and sums, four vectors of n an iteration instead of the matrices of n^2 that
//! automatic differentiation keeps. Both the iteration and its adjoint read the kernel once an iteration.
//!
//! Where the sums of `p1` and `p2` differ, the loop never ends by itself: `u` grows by their ratio in every iteration, and
//! `v` falls. `M` stays as it is, but 500 iterations would leave the range of single precision; so every row step divides `u`
//! by the ratio, and the column step after it begins with `v` times the ratio.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::real::{Real, add, product};
use crate::numbers::simd_math::vectorised;

/// The summand of sums before they divide, as published.
pub(super) const EPSILON: f64 = 1e-8;
/// The value below which numbers are taken for 0: those near the least that f32 holds slow processors down a
/// hundredfold.
const NEGLIGIBLE: f64 = 1e-30;

/// The criteria by which the iteration stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Iterations at most.
    pub(super) iterations: usize,
    /// The largest difference between a sum and its target.
    pub(super) tolerance: f64,
}

/// The targets of the sums of rows and columns, `[n]` each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets<'a, T> {
    pub(super) rows: &'a [T],
    pub(super) columns: &'a [T],
}

impl<T: Real> Targets<'_, T> {
    /// Returns the sum of the rows' targets over that of the columns'; 1 if the latter is 0.
    fn ratio(&self) -> T {
        let total = |values: &[T]| values.iter().map(|value| value.to_f64()).sum::<f64>();
        let ratio = total(self.rows) / total(self.columns);
        T::from_f64(if ratio > NEGLIGIBLE && ratio < NEGLIGIBLE.recip() { ratio } else { 1.0 })
    }
}

/// A scaled kernel `diag(u) A diag(v)` with the vectors of every step of the iteration.
#[derive(Debug, Clone)]
pub(super) struct Scaling<T> {
    /// `u` before the first row step and after each, `[row steps + 1, n]`.
    u: Vec<T>,
    /// `v` before the first column step and after each, `[column steps + 1, n]`.
    v: Vec<T>,
    /// The row sums that each row step divided by.
    row_sums: Vec<T>,
    /// The column sums that each column step divided by.
    column_sums: Vec<T>,
    ratio: T,
    /// The last `u`.
    pub(super) left: Vec<T>,
    /// The last `v`.
    pub(super) right: Vec<T>,
    /// The row sums of the scaled kernel.
    pub(super) sums: Vec<T>,
    /// Whether the tolerance was met.
    pub(super) is_within: bool,
}

impl<T: Real> Scaling<T> {
    /// Scales a kernel `[n, n]`, row-major, towards the targets.
    pub(super) fn new(kernel: &[T], targets: Targets<'_, T>, rule: Rule) -> Self {
        vectorised(
            #[inline(always)]
            || Self::iterate(kernel, targets, rule),
        )
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn iterate(kernel: &[T], targets: Targets<'_, T>, rule: Rule) -> Self {
        let n = targets.rows.len();
        let (zero, one, epsilon) = (T::from_f64(0.0), T::from_f64(1.0), T::from_f64(EPSILON));
        let (tolerance, ratio) = (T::from_f64(rule.tolerance), targets.ratio());
        let (mut u, mut v) = (vec![one; n], vec![one / ratio; n]);
        let (mut row_sums, mut column_sums): (Vec<T>, Vec<T>) = (vec![], vec![]);
        let (mut products_of_columns, mut sums_now, mut sums_after) = (vec![zero; n], vec![zero; n], vec![zero; n]);
        pass(
            kernel,
            &u,
            &mut products_of_columns,
            #[inline(always)]
            |_, _| one,
        );
        let mut is_within = false;
        let mut ended_with_rows = false;
        for _ in 0..rule.iterations {
            let start = v.len() - n;
            for column in 0..n {
                let before = v[start + column] * ratio;
                let sum = before * products_of_columns[column];
                column_sums.push(sum);
                v.push(unless_negligible(before * targets.columns[column] / (sum + epsilon)));
            }
            ended_with_rows = false;
            let start = u.len() - n;
            u.extend_from_within(start..);
            let (before, after) = u[start..].split_at_mut(n);
            let mut is_met = true;
            pass(
                kernel,
                &v[v.len() - n..],
                &mut products_of_columns,
                #[inline(always)]
                |row, product| {
                    let sum = before[row] * product;
                    is_met &= is_near(sum, targets.rows[row], tolerance);
                    after[row] = unless_negligible(before[row] * targets.rows[row] / ((sum + epsilon) * ratio));
                    (sums_now[row], sums_after[row]) = (sum, after[row] * product * ratio);
                    after[row]
                },
            );
            if is_met {
                u.truncate(start + n);
                is_within = true;
                break;
            }
            row_sums.extend_from_slice(&sums_now);
            sums_now.copy_from_slice(&sums_after);
            ended_with_rows = true;
            let last = &v[v.len() - n..];
            let mut is_met = true;
            for column in 0..n {
                let sum = last[column] * ratio * products_of_columns[column];
                is_met &= is_near(sum, targets.columns[column], tolerance);
            }
            if is_met {
                is_within = true;
                break;
            }
        }
        let last_ratio = if ended_with_rows { ratio } else { one };
        Self {
            left: u[u.len() - n..].to_vec(),
            right: v[v.len() - n..].iter().map(|value| *value * last_ratio).collect(),
            sums: sums_now,
            u,
            v,
            row_sums,
            column_sums,
            ratio,
            is_within,
        }
    }

    /// Iterations begun.
    pub(super) fn iterations(&self) -> usize {
        self.column_sums.len() / self.left.len()
    }

    /// Returns the gradient `[n, n]` in the kernel, as far as it acts through the scaling, from those in `left` and
    /// `right`.
    ///
    /// With `c = v A'u` the column sums and `v' = v p2 / (c + e)`, a column step passes a gradient g of v' on as
    /// `-g v v' / (c + e)` to `A'u` and as `g p2 e / (c + e)^2` to v; a row step likewise. What reaches the products `A'u`
    /// and `A v` takes the place of the sums of the steps, and two matrix products sum it over the steps.
    pub(super) fn adjoint(
        mut self,
        kernel: &[T],
        targets: Targets<'_, T>,
        left_gradient: Vec<T>,
        right_gradient: Vec<T>,
    ) -> Vec<T> {
        let first = vectorised(
            #[inline(always)]
            || self.go_back(kernel, targets, left_gradient, right_gradient),
        );
        let n = self.left.len();
        let (rows, columns) = (self.row_sums.len() / n, self.column_sums.len() / n);
        let mut gradient = vec![T::from_f64(0.0); n * n];
        let mut add = |left: &[T], right: &[T], accumulate| {
            let steps = left.len() / n;
            matmul(
                MatMut::from_row_major_slice_mut(&mut gradient, n, n),
                accumulate,
                MatRef::from_column_major_slice(left, n, steps),
                MatRef::from_row_major_slice(right, steps, n),
                T::from_f64(1.0),
                Par::Seq,
            );
        };
        let reached = first * n;
        add(&self.u[reached..columns * n], &self.column_sums[reached..], Accum::Replace);
        add(&self.row_sums[reached..], &self.v[reached + n..][..rows * n - reached], Accum::Add);
        gradient
    }

    /// Puts the gradients of the products in the place of the sums; from which step on, as none reached those before.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn go_back(&mut self, kernel: &[T], targets: Targets<'_, T>, u_gradient: Vec<T>, mut v_gradient: Vec<T>) -> usize {
        let n = targets.rows.len();
        let (zero, epsilon, ratio) = (T::from_f64(0.0), T::from_f64(EPSILON), self.ratio);
        let Self { u, v, row_sums, column_sums, .. } = self;
        let (row_steps, column_steps) = (row_sums.len() / n, column_sums.len() / n);
        let ended_with_rows = row_steps == column_steps;
        let mut rows =
            RowSteps { kernel, targets: targets.rows, ratio, u, sums: row_sums, u_gradient, added: vec![zero; n] };
        let mut later = vec![zero; n];
        if ended_with_rows {
            for gradient in &mut v_gradient {
                *gradient *= ratio;
            }
        }
        // Each turn goes back over a row step and the column step before it; the first, over the column step alone where
        // the iteration ended with one.
        for step in (1..=column_steps).rev() {
            let mut is_past = step < column_steps || ended_with_rows;
            if is_past {
                is_past = rows.go_back(step, &later, &mut v_gradient);
            }
            let (before, after) = v[(step - 1) * n..].split_at(n);
            let sums = &mut column_sums[(step - 1) * n..][..n];
            for column in 0..n {
                let divisor = sums[column] + epsilon;
                let gradient = v_gradient[column];
                let of_before = gradient * ratio * targets.columns[column] * epsilon / (divisor * divisor);
                v_gradient[column] = unless_negligible(of_before);
                sums[column] = unless_negligible(zero - gradient * before[column] * ratio * after[column] / divisor);
            }
            later.copy_from_slice(sums);
            if is_past && v_gradient.iter().chain(&later).all(|gradient| *gradient == zero) {
                return step - 1;
            }
        }
        0
    }
}

/// The way back over the row steps.
struct RowSteps<'a, T> {
    kernel: &'a [T],
    targets: &'a [T],
    ratio: T,
    u: &'a [T],
    /// The sums that steps divided by, and then the gradients of the products `A v`.
    sums: &'a mut [T],
    /// The gradient in u.
    u_gradient: Vec<T>,
    /// The summand of the gradient in v by a step.
    added: Vec<T>,
}

impl<T: Real> RowSteps<'_, T> {
    /// Propagates the gradient back over row step `step`, given the gradients `later` of the products `A'u` of the
    /// column step after it. Returns whether no gradient is left in u.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn go_back(&mut self, step: usize, later: &[T], v_gradient: &mut [T]) -> bool {
        let n = later.len();
        let (zero, epsilon, ratio) = (T::from_f64(0.0), T::from_f64(EPSILON), self.ratio);
        let (before, after) = self.u[(step - 1) * n..].split_at(n);
        let sums = &mut self.sums[(step - 1) * n..][..n];
        let (targets, u_gradient) = (self.targets, &mut self.u_gradient);
        let mut is_past = true;
        pass(
            self.kernel,
            later,
            &mut self.added,
            #[inline(always)]
            |row, product| {
                let (divisor, gradient) = (sums[row] + epsilon, u_gradient[row] + product);
                u_gradient[row] = unless_negligible(gradient * targets[row] * epsilon / (divisor * divisor * ratio));
                is_past &= u_gradient[row] == zero;
                sums[row] = unless_negligible(zero - gradient * before[row] * after[row] / divisor);
                sums[row]
            },
        );
        for (gradient, added) in v_gradient.iter_mut().zip(&self.added) {
            *gradient += *added;
        }
        is_past
    }
}

/// Returns whether a sum is within the tolerance of its target.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn is_near<T: Real>(sum: T, target: T, tolerance: T) -> bool {
    sum - target <= tolerance && target - sum <= tolerance
}

/// Returns the value, or 0 where it is so small that it would only cost time.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn unless_negligible<T: Real>(value: T) -> T {
    let (zero, negligible) = (T::from_f64(0.0), T::from_f64(NEGLIGIBLE));
    if value < negligible && zero - value < negligible { zero } else { value }
}

/// Makes a pass over a kernel `[n, n]`: `weight` gets the product of each row with `vector` and returns a weight.
/// Computes the weighted sum of the rows.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn pass<T: Real>(kernel: &[T], vector: &[T], weighted: &mut [T], mut weigh: impl FnMut(usize, T) -> T) {
    weighted.fill(T::from_f64(0.0));
    for (row, values) in kernel.chunks_exact(vector.len()).enumerate() {
        let weight = weigh(row, product(values, vector));
        add(weighted, weight, values);
    }
}
