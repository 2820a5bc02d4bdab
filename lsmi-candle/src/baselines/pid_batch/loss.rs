//! The published loss `I_q(X2; Y | X1)` of a batch and its gradient in the embeddings.
//!
//! For samples a, b of a batch of n and classes y, with embeddings `e1[a, y]` and `e2[b, y]` of width w and posteriors `p`,
//!
//! ```text
//! A[a, b, y] = exp(<e1[a, y], e2[b, y]> / sqrt(w))               scaled class by class to M by Sinkhorn's iteration
//! q[a, b, y] = M[a, b, y] / (sum_b M[a, b, y] + e)               q(x2 | x1, y), e = 1e-8
//! D[a, b]    = sum_y p(y|x1_a) q[a, b, y]                        q(x2 | x1)
//! loss       = 1/n sum_{a, b, y} p(y|x1_a) q[a, b, y] (log(q[a, b, y] + e) - log(D[a, b] + e))
//! ```
//!
//! (Liang et al. 2023, section 3.2 and the released code). Of the second logarithm only `sum_{a, b} D log(D + e)` is needed,
//! so that the classes meet in one matrix `D` and are otherwise worked on apart, by as many threads as there are. Memory is
//! `K n^2` for the kernels and `4 K n` for every iteration. Sums within a row are in single precision, all others in double;
//! none depends on the number of threads.
//!
//! An embedding with mean 0 and variance 1 over its width has a squared length of at most `w - 1`, so the exponents lie within
//! `(w - 1) / sqrt(w)`: 2.85 for the published width of 10.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::real::{Real, product, sum};
use super::sinkhorn::{EPSILON, Rule, Scaling, Targets};
use crate::numbers::simd_math::vectorised;

/// Rows of `D` that are worked on at a time.
const ROWS: usize = 16;

/// A batch as input of the loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a, T> {
    /// Samples.
    pub(super) n: usize,
    /// Columns of an embedding.
    pub(super) width: usize,
    /// The embeddings of both modalities, `[n, classes, width]`.
    pub(super) embeddings: [&'a [T]; 2],
    /// `p(y|x1)` and `p(y|x2)`, `[classes, n]`.
    pub(super) posteriors: [&'a [T]; 2],
}

/// The loss of a batch with its intermediate results.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome<T> {
    /// `I_q(X2; Y | X1)`, in nats.
    pub(super) loss: f64,
    /// `sum_b q[a, b, y]`, `[classes, n]`: 1, up to the effect of the constant e.
    pub(super) masses: Vec<T>,
    /// Sinkhorn iterations of every class.
    pub(super) iterations: Vec<usize>,
    /// Classes whose sums were not within the tolerance after the last iteration.
    pub(super) unfinished: usize,
}

/// A class of a batch.
struct Class<'a, T> {
    /// `[n, width]` each.
    embeddings: [Vec<T>; 2],
    targets: Targets<'a, T>,
    /// `[n, n]`
    kernel: Vec<T>,
    scaling: Scaling<T>,
}

/// Returns the loss of a batch.
pub(super) fn evaluate<T: Real>(batch: &Batch<'_, T>, rule: Rule) -> Outcome<T> {
    let classes = scaled(batch, rule);
    let mixture = Mixture::new(&classes, batch.n);
    let sums: Vec<f64> = classes.par_iter().with_max_len(1).map(Class::loss).collect();
    outcome(&classes, &mixture, &sums, batch.n)
}

/// Returns the loss of a batch and its gradients in the embeddings of both modalities, `[n, classes, width]`.
pub(super) fn differentiate<T: Real>(batch: &Batch<'_, T>, rule: Rule) -> (Outcome<T>, [Vec<T>; 2]) {
    let classes = scaled(batch, rule);
    let mixture = Mixture::new(&classes, batch.n);
    let mut outcome = outcome(&classes, &mixture, &[], batch.n);
    let count = classes.len();
    let class_results: Vec<(f64, [Vec<T>; 2])> =
        classes.into_par_iter().with_max_len(1).map(|class| class.gradient(&mixture, batch.width)).collect();
    outcome.loss += class_results.iter().map(|(sum, _)| sum).sum::<f64>() / batch.n as f64;
    let gradients = [0, 1].map(|modality| {
        let mut gradient = Vec::with_capacity(batch.n * count * batch.width);
        for sample in 0..batch.n {
            for (_, of_class) in &class_results {
                gradient.extend_from_slice(&of_class[modality][sample * batch.width..][..batch.width]);
            }
        }
        gradient
    });
    (outcome, gradients)
}

/// Returns the kernels of all classes, scaled.
fn scaled<'a, T: Real>(batch: &Batch<'a, T>, rule: Rule) -> Vec<Class<'a, T>> {
    let classes = batch.posteriors[0].len() / batch.n;
    (0..classes).into_par_iter().with_max_len(1).map(|class| Class::new(batch, class, rule)).collect()
}

/// Computes the outcome from the classes' own sums `sum p q log(q + e)` and those of the mixture.
fn outcome<T: Real>(classes: &[Class<'_, T>], mixture: &Mixture<T>, sums: &[f64], n: usize) -> Outcome<T> {
    let epsilon = T::from_f64(EPSILON);
    let sums_of_rows = classes.iter().flat_map(|class| &class.scaling.sums);
    Outcome {
        loss: (sums.iter().sum::<f64>() - mixture.sum) / n as f64,
        masses: sums_of_rows.map(|sum| *sum / (*sum + epsilon)).collect(),
        iterations: classes.iter().map(|class| class.scaling.iterations()).collect(),
        unfinished: classes.iter().filter(|class| !class.scaling.is_within).count(),
    }
}

/// The mixture `D`, of which only the parts for the loss and its gradient are kept.
struct Mixture<T> {
    /// `sum_{a, b} D log(D + e)`
    sum: f64,
    /// Its derivative `log(D + e) + D / (D + e)`, `[n, n]`.
    slopes: Vec<T>,
}

impl<T: Real> Mixture<T> {
    fn new(classes: &[Class<'_, T>], n: usize) -> Self {
        let mut slopes = vec![T::from_f64(0.0); n * n];
        let blocks = slopes.par_chunks_mut(ROWS * n).enumerate();
        let sums: Vec<f64> = blocks.map(|(block, rows)| Self::block(classes, block * ROWS, rows, n)).collect();
        Self { sum: sums.iter().sum(), slopes }
    }

    /// Computes the slopes of the rows from `first` on, and their part of the sum.
    fn block(classes: &[Class<'_, T>], first: usize, rows: &mut [T], n: usize) -> f64 {
        let epsilon = T::from_f64(EPSILON);
        let mut terms = vec![T::from_f64(0.0); n];
        vectorised(
            #[inline(always)]
            || {
                for class in classes {
                    for (row, mixed) in (first..).zip(rows.chunks_exact_mut(n)) {
                        let weight = class.targets.rows[row] * class.row_factor(row);
                        let (kernel, right) = (&class.kernel[row * n..][..n], &class.scaling.right[..n]);
                        for column in 0..n {
                            mixed[column] += weight * kernel[column] * right[column];
                        }
                    }
                }
                let mut total = 0.0;
                for mixed in rows.chunks_exact_mut(n) {
                    for (mixed, term) in mixed.iter_mut().zip(&mut terms) {
                        let shifted = *mixed + epsilon;
                        let logarithm = shifted.logarithm();
                        *term = *mixed * logarithm;
                        *mixed = logarithm + *mixed / shifted;
                    }
                    total += sum(&terms).to_f64();
                }
                total
            },
        )
    }
}

impl<'a, T: Real> Class<'a, T> {
    fn new(batch: &Batch<'a, T>, class: usize, rule: Rule) -> Self {
        let Batch { n, width, .. } = *batch;
        let stride = batch.embeddings[0].len() / n;
        let embeddings = batch.embeddings.map(|values| {
            values
                .chunks_exact(stride)
                .flat_map(|sample| &sample[class * width..][..width])
                .copied()
                .collect::<Vec<_>>()
        });
        let [rows, columns] = batch.posteriors.map(|values| &values[class * n..][..n]);
        let targets = Targets { rows, columns };
        let mut kernel = vec![T::from_f64(0.0); n * n];
        let [first, second] = embeddings.each_ref().map(|values| MatRef::from_row_major_slice(values, n, width));
        let scale = T::from_f64((width as f64).sqrt().recip());
        let exponents = MatMut::from_row_major_slice_mut(&mut kernel, n, n);
        matmul(exponents, Accum::Replace, first, second.transpose(), scale, Par::Seq);
        vectorised(
            #[inline(always)]
            || {
                for value in &mut kernel {
                    *value = value.exponential();
                }
            },
        );
        let scaling = Scaling::new(&kernel, targets, rule);
        Self { embeddings, targets, kernel, scaling }
    }

    /// Returns `factor(a)` in `q[a, b] = factor(a) A[a, b] right[b]`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
    fn row_factor(&self, row: usize) -> T {
        self.scaling.left[row] / (self.scaling.sums[row] + T::from_f64(EPSILON))
    }

    /// Returns `sum_{a, b} p(y|x1_a) q log(q + e)`.
    fn loss(&self) -> f64 {
        let n = self.targets.rows.len();
        let epsilon = T::from_f64(EPSILON);
        let mut terms = vec![T::from_f64(0.0); n];
        vectorised(
            #[inline(always)]
            || {
                let mut total = 0.0;
                for (row, kernel) in self.kernel.chunks_exact(n).enumerate() {
                    let factor = self.row_factor(row);
                    for ((term, kernel), right) in terms.iter_mut().zip(kernel).zip(&self.scaling.right) {
                        let value = factor * *kernel * *right;
                        *term = value * (value + epsilon).logarithm();
                    }
                    total += (self.targets.rows[row] * sum(&terms)).to_f64();
                }
                total
            },
        )
    }

    /// Returns [`Self::loss`], and the gradient of the loss of the batch in this class's embeddings, `[n, width]` each.
    fn gradient(self, mixture: &Mixture<T>, width: usize) -> (f64, [Vec<T>; 2]) {
        let n = self.targets.rows.len();
        let Shares { total, direct, left_gradient, right_gradient } = self.shares(mixture);
        let Self { embeddings, targets, kernel, scaling } = self;
        let mut exponent_gradient = scaling.adjoint(&kernel, targets, left_gradient, right_gradient);
        vectorised(
            #[inline(always)]
            || {
                for ((gradient, kernel), direct) in exponent_gradient.iter_mut().zip(&kernel).zip(&direct) {
                    *gradient = *gradient * *kernel + *direct;
                }
            },
        );
        let exponent_gradient = MatRef::from_row_major_slice(&exponent_gradient, n, n);
        let scale = T::from_f64((width as f64).sqrt().recip());
        let times = |exponents: MatRef<'_, T>, other: &[T]| {
            let mut gradient = vec![T::from_f64(0.0); n * width];
            let place = MatMut::from_row_major_slice_mut(&mut gradient, n, width);
            let other = MatRef::from_row_major_slice(other, n, width);
            matmul(place, Accum::Replace, exponents, other, scale, Par::Seq);
            gradient
        };
        let [first, second] = &embeddings;
        (total, [times(exponent_gradient, second), times(exponent_gradient.transpose(), first)])
    }

    /// Returns the gradient of the loss in the scaled kernel `M = diag(u) A diag(v)`, handed on to A, u and v.
    ///
    /// `g = p / n (log(q + e) + q / (q + e) - slope)` is the gradient in q, and `(g - sum_b g q) / (row sum of M + e)` that in M.
    fn shares(&self, mixture: &Mixture<T>) -> Shares<T> {
        let n = self.targets.rows.len();
        let Scaling { left, right, sums, .. } = &self.scaling;
        let (zero, one, epsilon) = (T::from_f64(0.0), T::from_f64(1.0), T::from_f64(EPSILON));
        let share = T::from_f64((n as f64).recip());
        let mut shares = Shares {
            total: 0.0,
            direct: vec![zero; n * n],
            left_gradient: vec![zero; n],
            right_gradient: vec![zero; n],
        };
        let (mut values, mut terms) = (vec![zero; n], vec![zero; n]);
        vectorised(
            #[inline(always)]
            || {
                let right = &right[..n];
                let (values, terms) = (&mut values[..n], &mut terms[..n]);
                let right_gradient = &mut shares.right_gradient[..n];
                let rows = self.kernel.chunks_exact(n).zip(mixture.slopes.chunks_exact(n));
                for (row, ((kernel, slopes), direct)) in rows.zip(shares.direct.chunks_exact_mut(n)).enumerate() {
                    let (factor, posterior) = (self.row_factor(row), self.targets.rows[row]);
                    let weight = posterior * share;
                    for column in 0..n {
                        let value = factor * kernel[column] * right[column];
                        let shifted = value + epsilon;
                        let logarithm = shifted.logarithm();
                        values[column] = value;
                        terms[column] = value * logarithm;
                        direct[column] = weight * (logarithm + value / shifted - slopes[column]);
                    }
                    shares.total += (posterior * sum(terms)).to_f64();
                    let centre = product(direct, values);
                    let divided = one / (sums[row] + epsilon);
                    for column in 0..n {
                        let scaled_gradient = (direct[column] - centre) * divided * kernel[column];
                        right_gradient[column] += left[row] * scaled_gradient;
                        terms[column] = scaled_gradient * right[column];
                        direct[column] = left[row] * terms[column];
                    }
                    shares.left_gradient[row] = sum(terms);
                }
            },
        );
        shares
    }
}

/// The parts of the gradient in the scaled kernel of a class.
struct Shares<T> {
    /// The class's part of the loss times n.
    total: f64,
    /// The gradient in the exponents of the kernel, with the scaling as it is, `[n, n]`.
    direct: Vec<T>,
    /// The gradient in the scaling of rows, `[n]`.
    left_gradient: Vec<T>,
    /// The gradient in the scaling of columns, `[n]`.
    right_gradient: Vec<T>,
}
