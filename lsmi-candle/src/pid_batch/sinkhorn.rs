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

use super::real::{Real, products};
use crate::elementary::vectorised;

/// What is added to sums before they divide, as published.
pub(super) const EPSILON: f64 = 1e-8;
/// What is smaller is taken for 0: numbers near the least that f32 holds slow processors down a hundredfold.
const NEGLIGIBLE: f64 = 1e-30;

/// When the iteration stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Iterations at most.
    pub(super) iterations: usize,
    /// The largest difference between a sum and what it should be.
    pub(super) tolerance: f64,
}

/// What the sums of rows and columns should be, `[n]` each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets<'a, T> {
    pub(super) rows: &'a [T],
    pub(super) columns: &'a [T],
}

impl<T: Real> Targets<'_, T> {
    /// The sum of the rows' over the sum of the columns'; 1 where there is none.
    fn ratio(&self) -> T {
        let total = |values: &[T]| values.iter().map(|value| value.to_f64()).sum::<f64>();
        let ratio = total(self.rows) / total(self.columns);
        T::from_f64(if ratio > NEGLIGIBLE && ratio < NEGLIGIBLE.recip() { ratio } else { 1.0 })
    }
}

/// A scaled kernel `diag(u) A diag(v)`, and what every step of the iteration saw.
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
        let (tolerance, negligible) = (T::from_f64(rule.tolerance), T::from_f64(NEGLIGIBLE));
        let ratio = targets.ratio();
        let is_near = |sum: T, target: T| sum - target <= tolerance && target - sum <= tolerance;
        let or_zero = |value: T| if value < negligible { zero } else { value };
        let (mut u, mut v) = (vec![one; n], vec![one / ratio; n]);
        let (mut row_sums, mut column_sums): (Vec<T>, Vec<T>) = (vec![], vec![]);
        let (mut products_of_columns, mut sums_now, mut sums_after) = (vec![zero; n], vec![zero; n], vec![zero; n]);
        pass(kernel, &u, &mut products_of_columns, |_, _| one);
        let mut is_within = false;
        let mut ended_with_rows = false;
        for _ in 0..rule.iterations {
            let start = v.len() - n;
            for column in 0..n {
                let before = v[start + column] * ratio;
                let sum = before * products_of_columns[column];
                column_sums.push(sum);
                v.push(or_zero(before * targets.columns[column] / (sum + epsilon)));
            }
            ended_with_rows = false;
            let start = u.len() - n;
            u.extend_from_within(start..);
            let (before, after) = u[start..].split_at_mut(n);
            let mut is_met = true;
            pass(kernel, &v[v.len() - n..], &mut products_of_columns, |row, product| {
                let sum = before[row] * product;
                is_met &= is_near(sum, targets.rows[row]);
                after[row] = or_zero(before[row] * targets.rows[row] / ((sum + epsilon) * ratio));
                (sums_now[row], sums_after[row]) = (sum, after[row] * product * ratio);
                after[row]
            });
            if is_met {
                u.truncate(start + n);
                is_within = true;
                break;
            }
            row_sums.extend_from_slice(&sums_now);
            sums_now.copy_from_slice(&sums_after);
            ended_with_rows = true;
            let last = v[v.len() - n..].iter().zip(&products_of_columns).zip(targets.columns);
            if last.fold(true, |met, ((v, product), target)| met & is_near(*v * ratio * *product, *target)) {
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

    /// The gradient `[n, n]` in the kernel, as far as it acts through the scaling, from those in `left` and `right`.
    ///
    /// With `c = v A'u` the column sums and `v' = v p2 / (c + e)`, a column step passes a gradient g of v' on as
    /// `-g v v' / (c + e)` to `A'u` and as `g p2 e / (c + e)^2` to v; a row step likewise. What reaches the products `A'u`
    /// and `A v` takes the place of the sums of the steps, and two matrix products sum it over the steps.
    pub(super) fn adjoint(
        mut self,
        kernel: &[T],
        targets: Targets<'_, T>,
        of_left: Vec<T>,
        of_right: Vec<T>,
    ) -> Vec<T> {
        vectorised(
            #[inline(always)]
            || self.go_back(kernel, targets, of_left, of_right),
        );
        let n = self.left.len();
        let (rows, columns) = (self.row_sums.len() / n, self.column_sums.len() / n);
        let mut gradient = vec![T::from_f64(0.0); n * n];
        let mut add = |left: &[T], right: &[T], steps: usize, accumulate| {
            matmul(
                MatMut::from_row_major_slice_mut(&mut gradient, n, n),
                accumulate,
                MatRef::from_column_major_slice(left, n, steps),
                MatRef::from_row_major_slice(right, steps, n),
                T::from_f64(1.0),
                Par::Seq,
            );
        };
        add(&self.u[..columns * n], &self.column_sums, columns, Accum::Replace);
        add(&self.row_sums, &self.v[n..][..rows * n], rows, Accum::Add);
        gradient
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn go_back(&mut self, kernel: &[T], targets: Targets<'_, T>, mut of_u: Vec<T>, mut of_v: Vec<T>) {
        let n = targets.rows.len();
        let (zero, epsilon, ratio) = (T::from_f64(0.0), T::from_f64(EPSILON), self.ratio);
        let Self { u, v, row_sums, column_sums, .. } = self;
        let (row_steps, column_steps) = (row_sums.len() / n, column_sums.len() / n);
        let mut products_of_columns = vec![zero; n];
        // The row step that leads to the state `u[step]`, given what a later column step adds to the gradient of u.
        let mut row_step = |step: usize, later: &[T], of_v: &mut [T]| {
            let (before, after) = u[(step - 1) * n..].split_at(n);
            let sums = &mut row_sums[(step - 1) * n..][..n];
            pass(kernel, later, &mut products_of_columns, |row, product| {
                let (divisor, gradient) = (sums[row] + epsilon, of_u[row] + product);
                of_u[row] = gradient * targets.rows[row] * epsilon / (divisor * divisor * ratio);
                sums[row] = zero - gradient * before[row] * after[row] / divisor;
                sums[row]
            });
            for (gradient, product) in of_v.iter_mut().zip(&products_of_columns) {
                *gradient += *product;
            }
        };
        if row_steps == column_steps {
            for gradient in &mut of_v {
                *gradient *= ratio;
            }
            row_step(row_steps, &vec![zero; n], &mut of_v);
        }
        for step in (1..=column_steps).rev() {
            let (before, after) = v[(step - 1) * n..].split_at(n);
            let sums = &mut column_sums[(step - 1) * n..][..n];
            for column in 0..n {
                let divisor = sums[column] + epsilon;
                let gradient = of_v[column];
                of_v[column] = gradient * ratio * targets.columns[column] * epsilon / (divisor * divisor);
                sums[column] = zero - gradient * before[column] * ratio * after[column] / divisor;
            }
            if step > 1 {
                row_step(step - 1, sums, &mut of_v);
            }
        }
    }
}

/// Rows of a step of [`pass`].
const ROWS: usize = 4;

/// For every row of a kernel `[n, n]`: tells its product with `vector`, is told a weight; the weighted sum of the rows.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn pass<T: Real>(kernel: &[T], vector: &[T], weighted: &mut [T], mut weigh: impl FnMut(usize, T) -> T) {
    let n = vector.len();
    weighted.fill(T::from_f64(0.0));
    let whole = n / ROWS * ROWS;
    let (first, rest) = kernel.split_at(whole * n);
    for (group, rows) in first.chunks_exact(ROWS * n).enumerate() {
        let rows: [&[T]; ROWS] = std::array::from_fn(|row| &rows[row * n..][..n]);
        add_rows(rows, vector, weighted, |row, product| weigh(group * ROWS + row, product));
    }
    for (row, values) in rest.chunks_exact(n).enumerate() {
        add_rows([values], vector, weighted, |_, product| weigh(whole + row, product));
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn add_rows<T: Real, const COUNT: usize>(
    rows: [&[T]; COUNT],
    vector: &[T],
    weighted: &mut [T],
    mut weigh: impl FnMut(usize, T) -> T,
) {
    let products = products(rows, vector);
    let mut weights = [T::from_f64(0.0); COUNT];
    for row in 0..COUNT {
        weights[row] = weigh(row, products[row]);
    }
    for (column, sum) in weighted.iter_mut().enumerate() {
        let mut value = *sum;
        for row in 0..COUNT {
            value += weights[row] * rows[row][column];
        }
        *sum = value;
    }
}
