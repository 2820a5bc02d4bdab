//! The loss against the published computation written out with tensors, and its gradient against differences.

use candle_core::{D, DType, Device, Result as CandleResult, Tensor, Var};
use lsmi_core::random::stream;
use rand::Rng;

use super::loss::{Batch, differentiate, evaluate};
use super::real::Real;
use super::sinkhorn::{Rule, Scaling, Targets};

const N: usize = 22;
const CLASSES: usize = 3;
const WIDTH: usize = 5;

/// A batch of random embeddings and posteriors; those of x2 have other totals than those of x1.
struct Example<T> {
    embeddings: [Vec<T>; 2],
    posteriors: [Vec<T>; 2],
}

impl<T: Real> Example<T> {
    fn new(n: usize, seed: u64) -> Self {
        let mut random = stream(seed, "PID-Batch example");
        let embeddings =
            [0, 1].map(|_| (0..n * CLASSES * WIDTH).map(|_| T::from_f64(random.random_range(-1.7..1.7))).collect());
        let posteriors = [1.0, 1.6].map(|sharpness: f64| {
            let mut values = vec![0.0; CLASSES * n];
            for sample in 0..n {
                let weights: Vec<f64> = (0..CLASSES)
                    .map(|class| (sharpness * (random.random_range(-2.0..2.0) + class as f64)).exp())
                    .collect();
                for (class, weight) in weights.iter().enumerate() {
                    values[class * n + sample] = weight / weights.iter().sum::<f64>();
                }
            }
            values.into_iter().map(T::from_f64).collect()
        });
        Self { embeddings, posteriors }
    }

    fn batch(&self) -> Batch<'_, T> {
        let embeddings = self.embeddings.each_ref().map(Vec::as_slice);
        let posteriors = self.posteriors.each_ref().map(Vec::as_slice);
        Batch { n: embeddings[0].len() / (CLASSES * WIDTH), width: WIDTH, embeddings, posteriors }
    }
}

/// Ends after a row step, after a column step, at the limit, and after many iterations.
const RULES: [Rule; 5] = [
    Rule { iterations: 500, tolerance: 0.3 },
    Rule { iterations: 500, tolerance: 0.05 },
    Rule { iterations: 1, tolerance: 1e-9 },
    Rule { iterations: 3, tolerance: 1e-9 },
    Rule { iterations: 100, tolerance: 1e-9 },
];

/// Sinkhorn's iteration as published, on whole matrices; also the number of iterations.
fn published_sinkhorn(kernel: &Tensor, rows: &Tensor, columns: &Tensor, rule: Rule) -> CandleResult<(Tensor, usize)> {
    let is_near = |sums: Tensor, target: &Tensor| -> CandleResult<bool> {
        let differences = (sums - target)?.abs()?.flatten_all()?.to_vec1::<f64>()?;
        Ok(differences.iter().all(|difference| *difference <= rule.tolerance))
    };
    let mut current = kernel.clone();
    for iteration in 1..=rule.iterations {
        current = current.broadcast_div(&(current.sum_keepdim(0)? + 1e-8)?)?.broadcast_mul(columns)?;
        if is_near(current.sum_keepdim(1)?, rows)? {
            return Ok((current, iteration));
        }
        current = current.broadcast_div(&(current.sum_keepdim(1)? + 1e-8)?)?.broadcast_mul(rows)?;
        if is_near(current.sum_keepdim(0)?, columns)? {
            return Ok((current, iteration));
        }
    }
    Ok((current, rule.iterations))
}

/// The published loss of embeddings `[n, classes, width]`, and the iterations of every class.
fn published_loss(embeddings: [&Tensor; 2], example: &Example<f64>, rule: Rule) -> CandleResult<(Tensor, Vec<usize>)> {
    let n = embeddings[0].dim(0)?;
    let posteriors = |modality: usize| Tensor::from_slice(&example.posteriors[modality], (CLASSES, n), &Device::Cpu);
    let (p1, p2) = (posteriors(0)?, posteriors(1)?);
    let (mut couplings, mut iterations) = (vec![], vec![]);
    for class in 0..CLASSES {
        let of_class = |tensor: &Tensor| tensor.narrow(1, class, 1)?.squeeze(1)?.contiguous();
        let products = of_class(embeddings[0])?.matmul(&of_class(embeddings[1])?.t()?)?;
        let kernel = (products / (WIDTH as f64).sqrt())?.exp()?;
        let (rows, columns) = (p1.get(class)?.unsqueeze(1)?, p2.get(class)?.unsqueeze(0)?);
        let (scaled, count) = published_sinkhorn(&kernel, &rows, &columns, rule)?;
        couplings.push(scaled.broadcast_div(&(scaled.sum_keepdim(1)? + 1e-8)?)?);
        iterations.push(count);
    }
    let q = Tensor::stack(&couplings, 2)?;
    let p1 = p1.t()?.unsqueeze(1)?;
    let mixed = q.broadcast_mul(&p1)?.sum_keepdim(D::Minus1)?;
    let log = (&q + 1e-8)?.log()?.broadcast_sub(&(mixed + 1e-8)?.log()?)?;
    let loss = (q.broadcast_mul(&p1)? * log)?.sum_all()?;
    Ok(((loss / n as f64)?, iterations))
}

fn variable(values: &[f64]) -> Var {
    Var::from_slice(values, (values.len() / (CLASSES * WIDTH), CLASSES, WIDTH), &Device::Cpu).unwrap()
}

#[test]
fn loss_and_gradient_are_those_of_the_unrolled_tensors() {
    let example = Example::<f64>::new(N, 0);
    let variables = example.embeddings.each_ref().map(|values| variable(values));
    let mut ends = vec![];
    for rule in RULES {
        let (loss, iterations) =
            published_loss([variables[0].as_tensor(), variables[1].as_tensor()], &example, rule).unwrap();
        let expected = loss.to_scalar::<f64>().unwrap();
        let expected_gradients = loss.backward().unwrap();
        let (outcome, gradients) = differentiate(&example.batch(), rule);
        assert!((outcome.loss - expected).abs() < 1e-12, "{rule:?}: {} against {expected}", outcome.loss);
        assert_eq!(outcome.iterations, iterations);
        // The one leaves its own terms out of the sum over classes, and rounding with them.
        assert!((evaluate(&example.batch(), rule).loss - expected).abs() < 1e-12);
        for (gradient, variable) in gradients.iter().zip(&variables) {
            let expected = expected_gradients.get(variable.as_tensor()).unwrap();
            let expected = expected.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let largest = expected.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            assert!(largest > 1e-4);
            for (value, expected) in gradient.iter().zip(&expected) {
                assert!((value - expected).abs() < 1e-10 * largest, "{rule:?}: {value} against {expected}");
            }
        }
        ends.push((iterations, outcome.unfinished));
    }
    // The rules stop early, late and never.
    assert!(ends[0].1 == 0 && ends[1].1 < CLASSES && ends[4].1 == CLASSES, "{ends:?}");
    assert!(ends[1].0.iter().any(|count| *count > 1), "{ends:?}");
}

#[test]
fn the_gradient_is_that_of_differences() {
    let example = Example::<f64>::new(N, 1);
    let step = 1e-5;
    for rule in RULES {
        let (_, gradients) = differentiate(&example.batch(), rule);
        for modality in [0, 1] {
            for index in (0..N * CLASSES * WIDTH).step_by(7) {
                let at = |offset: f64| {
                    let mut moved =
                        Example { embeddings: example.embeddings.clone(), posteriors: example.posteriors.clone() };
                    moved.embeddings[modality][index] += offset;
                    evaluate(&moved.batch(), rule).loss
                };
                let difference = (at(step) - at(-step)) / (2.0 * step);
                let found = gradients[modality][index];
                // Losses near .1 are exact to 1e-16, which leaves 1e-11; the third derivative times the step squared, 1e-10.
                assert!((difference - found).abs() < 1e-9, "{rule:?}: {found} against {difference}");
            }
        }
    }
}

#[test]
fn single_precision_is_near_double() {
    let (single, double) = (Example::<f32>::new(67, 2), Example::<f64>::new(67, 2));
    for rule in RULES {
        let ((of_single, gradients), (of_double, expected)) =
            (differentiate(&single.batch(), rule), differentiate(&double.batch(), rule));
        assert_eq!(of_single.iterations, of_double.iterations);
        assert!((of_single.loss - of_double.loss).abs() < 1e-6, "{} against {}", of_single.loss, of_double.loss);
        for (gradient, expected) in gradients.iter().zip(&expected) {
            let largest = expected.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            for (value, expected) in gradient.iter().zip(expected) {
                // Sums of 67 rounded products, over a hundred iterations.
                assert!((f64::from(*value) - expected).abs() < 1e-4 * largest, "{value} against {expected}");
            }
        }
    }
}

#[test]
fn marginals_are_the_posteriors_within_the_tolerance() {
    let n = 40;
    let mut random = stream(0, "marginals");
    let kernel: Vec<f64> = (0..n * n).map(|_| random.random_range(0.06..17.0)).collect();
    let mut rows: Vec<f64> = (0..n).map(|_| random.random_range(0.0..1.0)).collect();
    let columns: Vec<f64> = (0..n).map(|_| random.random_range(0.0..1.0)).collect();
    let ratio = columns.iter().sum::<f64>() / rows.iter().sum::<f64>();
    for value in &mut rows {
        *value *= ratio;
    }
    let targets = Targets { rows: &rows, columns: &columns };
    for tolerance in [1e-2, 1e-6] {
        let scaling = Scaling::new(&kernel, targets, Rule { iterations: 500, tolerance });
        assert!(scaling.is_within && scaling.iterations() < 500);
        let value = |row: usize, column: usize| scaling.left[row] * kernel[row * n + column] * scaling.right[column];
        for index in 0..n {
            let row: f64 = (0..n).map(|column| value(index, column)).sum();
            let column: f64 = (0..n).map(|row| value(row, index)).sum();
            assert!((row - scaling.sums[index]).abs() < 1e-12);
            assert!((row - rows[index]).abs() <= tolerance && (column - columns[index]).abs() <= tolerance + 1e-8);
        }
    }
}

#[test]
fn totals_that_differ_neither_overflow_nor_change_the_result() {
    let n = 24;
    let mut random = stream(1, "marginals");
    let kernel: Vec<f64> = (0..n * n).map(|_| random.random_range(0.06..17.0)).collect();
    let rows: Vec<f64> = (0..n).map(|_| random.random_range(0.4..0.9)).collect();
    let columns: Vec<f64> = (0..n).map(|_| random.random_range(0.1..0.5)).collect();
    let rule = Rule { iterations: 500, tolerance: 0.01 };
    let tensor = |values: &[f64], shape: (usize, usize)| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
    let (expected, iterations) =
        published_sinkhorn(&tensor(&kernel, (n, n)), &tensor(&rows, (n, 1)), &tensor(&columns, (1, n)), rule).unwrap();
    assert_eq!(iterations, 500);
    let expected = expected.to_dtype(DType::F64).unwrap().to_vec2::<f64>().unwrap();
    let single = |values: &[f64]| crate::densities::points::single(values);
    let (kernel, rows, columns) = (single(&kernel), single(&rows), single(&columns));
    let scaling = Scaling::new(&kernel, Targets { rows: &rows, columns: &columns }, rule);
    assert!(!scaling.is_within && scaling.iterations() == 500);
    for row in 0..n {
        for column in 0..n {
            let found = f64::from(scaling.left[row] * kernel[row * n + column] * scaling.right[column]);
            assert!((found / expected[row][column] - 1.0).abs() < 1e-4, "{found} against {}", expected[row][column]);
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let example = Example::<f32>::new(100, 3);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| differentiate(&example.batch(), RULES[1]))
    };
    assert_eq!(with(1), with(3));
}
