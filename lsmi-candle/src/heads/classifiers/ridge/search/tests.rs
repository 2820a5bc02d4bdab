//! Derivatives, optima, and rows that are hard.

use super::*;
use crate::heads::classifiers::ridge::path;
use lsmi_core::random::ChaCha8Rng;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

const COLUMNS: usize = 6;
const EXACT: Stop = Stop { tolerance: 1e-9, most_steps: 500 };

/// Rows whose columns have variances from 50 to 5e-4 and means of their own, and labels that depend on three of them.
fn rows(count: usize, classes: u32) -> (Vec<f32>, Vec<u32>) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut draw = || -> f32 { StandardNormal.sample(&mut random) };
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let row: Vec<f32> = (0..COLUMNS).map(|_| draw()).collect();
        let score = row[0] + row[2] - row[5] + draw();
        let deviation = |column: usize| 7.0 * 0.1f32.powi(i32::try_from(column).unwrap()).sqrt();
        values.extend(row.iter().enumerate().map(|(column, value)| (value + 0.5) * deviation(column)));
        labels.push((0..classes - 1).filter(|class| score > *class as f32 - 0.5).count().try_into().unwrap());
    }
    (values, labels)
}

/// The objective in f64, and its gradient in f32, at some parameters.
fn at(problem: &Problem, parameters: &[f32], penalty: f64) -> (f64, Vec<f32>) {
    let mut search = Search::new(problem);
    search.parameters.copy_from_slice(parameters);
    search.descend(penalty, Stop { tolerance: 0.0, most_steps: 0 });
    (search.along(0.0, &[]).value, search.gradient)
}

#[test]
fn gradients_are_finite_differences() {
    let (values, labels) = rows(100, 4);
    let problem = Problem::new(&values, COLUMNS, &labels, 5);
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let parameters: Vec<f32> = (0..problem.inputs * 5)
        .map(|_| 0.1 * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut random))
        .collect();
    let (_, gradient) = at(&problem, &parameters, 0.3);
    for (index, expected) in gradient.iter().enumerate() {
        let shifted = |by: f32| {
            let mut shifted = parameters.clone();
            shifted[index] += by;
            at(&problem, &shifted, 0.3).0
        };
        let found = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
        assert!((found - f64::from(*expected)).abs() < 1e-3, "{index}: {found} against {expected}");
    }
}

#[test]
fn slopes_and_curvatures_along_a_direction_are_finite_differences() {
    let (values, labels) = rows(100, 4);
    let problem = Problem::new(&values, COLUMNS, &labels, 4);
    let mut search = Search::new(&problem);
    search.descend(0.1, Stop { tolerance: 0.0, most_steps: 2 });
    let direction: Vec<f32> = search.parameters.iter().map(|value| value - 0.01).collect();
    problem.logits(&direction, &mut search.changes);
    let [before, at, after] = [0.45, 0.5, 0.55].map(|length| search.along(length, &direction));
    assert!(((after.value - before.value) / 0.1 - at.slope).abs() < 1e-2 * at.slope.abs());
    assert!(((after.slope - before.slope) / 0.1 - at.curvature).abs() < 1e-2 * at.curvature);
}

#[test]
fn an_optimum_has_no_gradient() {
    let (values, labels) = rows(300, 4);
    let problem = Problem::new(&values, COLUMNS, &labels, 4);
    let mut search = Search::new(&problem);
    for penalty in [1.0, 1e-2, 1e-4] {
        search.descend(penalty, EXACT);
        let (_, gradient) = at(&problem, &search.parameters, penalty);
        let largest = gradient.iter().zip(problem.moments.iter().flat_map(|moment| [moment.sqrt(); 4]));
        let largest = largest.map(|(value, scale)| f64::from(value.abs()) / scale).fold(0.0, f64::max);
        assert!(largest < 1e-3, "{largest} at {penalty}");
    }
}

#[test]
fn the_default_stop_is_near_the_optimum() {
    let (values, labels) = rows(500, 4);
    let problem = Problem::new(&values, COLUMNS, &labels, 4);
    let (mut quick, mut exact) = (Search::new(&problem), Search::new(&problem));
    for penalty in [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5] {
        quick.descend(penalty, Stop::default());
        exact.descend(penalty, EXACT);
        let [quick, exact] = [&quick, &exact].map(|search| at(&problem, &search.parameters, penalty).0);
        assert!(quick < exact * 1.0001, "{quick} against {exact} at {penalty}");
    }
}

#[test]
fn stronger_penalties_give_smaller_weights() {
    let (values, labels) = rows(300, 3);
    let heads = path(&values, COLUMNS, &labels, 3, &[10.0, 1.0, 0.1, 0.01, 1e-3], Stop::default());
    let sizes: Vec<f64> = heads.iter().map(|head| dot(&head.weights, &head.weights)).collect();
    assert!(sizes.is_sorted_by(|strong, weak| strong < weak), "{sizes:?}");
    assert_eq!(heads, path(&values, COLUMNS, &labels, 3, &[10.0, 1.0, 0.1, 0.01, 1e-3], Stop::default()));
}

#[test]
fn two_classes_are_a_logistic_regression() {
    let (values, labels) = rows(400, 2);
    let column: Vec<f32> = values.iter().step_by(COLUMNS).copied().collect();
    let (penalty, count) = (0.05, 400.0);
    // Newton's method in f64; the weights of both classes are half the difference, so their penalty is half as well.
    let (mut weight, mut bias) = (0.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut slopes, mut moments) = ([0.5 * penalty * weight, 0.0], [0.5 * penalty, 0.0, 0.0]);
        for (x, label) in column.iter().zip(&labels) {
            let x = f64::from(*x);
            let probability = (1.0 + (-(weight * x + bias)).exp()).recip();
            let (error, variance) = (probability - f64::from(*label), probability * (1.0 - probability));
            slopes = [slopes[0] + error * x / count, slopes[1] + error / count];
            let [square, cross, one] = moments;
            moments = [square + variance * x * x / count, cross + variance * x / count, one + variance / count];
        }
        let determinant = moments[0] * moments[2] - moments[1] * moments[1];
        weight -= (moments[2] * slopes[0] - moments[1] * slopes[1]) / determinant;
        bias -= (moments[0] * slopes[1] - moments[1] * slopes[0]) / determinant;
    }
    let head = &path(&column, 1, &labels, 2, &[penalty], EXACT)[0];
    let found = [head.weights[1] - head.weights[0], head.biases[1] - head.biases[0]].map(f64::from);
    assert!((found[0] - weight).abs() < 1e-3 && (found[1] - bias).abs() < 1e-3, "{found:?}: {weight}, {bias}");
    assert!((head.weights[0] + head.weights[1]).abs() < 1e-5, "opposite weights");
}

#[test]
fn absent_classes_are_improbable_but_finite() {
    let (values, labels) = rows(200, 3);
    for head in path(&values, COLUMNS, &labels, 5, &[1.0, 1e-3, 1e-5], Stop::default()) {
        assert!(head.weights.iter().chain(&head.biases).all(|value| value.is_finite()));
        let mean: Vec<f32> =
            (0..COLUMNS).map(|column| values.iter().skip(column).step_by(COLUMNS).sum::<f32>() / 200.0).collect();
        let logit = |class: usize| {
            let weights = head.weights.iter().skip(class).step_by(5);
            head.biases[class] + mean.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>()
        };
        let present = (0..3).map(logit).fold(f32::MIN, f32::max);
        assert!(logit(3) < present - 3.0 && logit(4) < present - 3.0);
        assert!(logit(3) > present - 20.0);
    }
}

#[test]
fn values_that_are_not_finite_give_no_weights() {
    let head = &path(&[f32::NAN, 1.0, 2.0], 1, &[0, 1, 1], 2, &[1.0], Stop::default())[0];
    assert_eq!(head.weights, [0.0; 2]);
    assert!(path(&[], 0, &[0, 1], 2, &[1.0], Stop::default())[0].biases.iter().all(|bias| bias.abs() < 1e-3));
}
