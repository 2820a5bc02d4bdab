//! What the contest finds where the truth is known.

use super::*;
use crate::densities::gauge::{Dims, Gauge, GaugeKind};
use crate::estimator::folds::{LabelledRows, stratified_folds};
use crate::numbers::matrix::Matrix;
use rand::Rng;
use rand_distr::StandardNormal;

const FOLDS: usize = 5;

/// The losses of x1, x2 and both joined in every fold, on its own rows, less those of the class frequencies: information.
fn information(x1: &Matrix, x2: &Matrix, labels: &[u32], classes: usize) -> [f64; 3] {
    let gauge = Gauge::fit(GaugeKind::Raw, Dims::Auto, x1, x2).unwrap();
    let rows = [gauge.model_inputs(0, x1).heads, gauge.model_inputs(1, x2).heads];
    let folds = stratified_folds(&LabelledRows { labels, classes, groups: None }, 5, 0, "folds");
    let contest = |features: Features<'_>, parts: &[Option<&[Outcome]>]| {
        let contest = Contest {
            features,
            labels,
            classes,
            prototypes: false,
            groups: None,
            folds: &folds,
            fold_count: FOLDS,
            seed: 0,
            device: &Device::Cpu,
            report: &|_, _| Ok(()),
        };
        contest.run(parts).unwrap()
    };
    let first = contest(Features::new(vec![&rows[0]]), &[]);
    let second = contest(Features::new(vec![&rows[1]]), &[]);
    let joint = contest(Features::new(vec![&rows[0], &rows[1]]), &[Some(&first), Some(&second)]);
    let mut found = [0.0; 3];
    for fold in 0..FOLDS {
        let held: Vec<usize> = (0..labels.len()).filter(|row| folds[*row] as usize == fold).collect();
        let posteriors = |features: Features<'_>, outcome: &Outcome, parts: &[&[f64]]| {
            outcome.pool.log_posteriors(&features, &held, parts, &Device::Cpu).unwrap()
        };
        let of_first = posteriors(Features::new(vec![&rows[0]]), &first[fold], &[]);
        let of_second = posteriors(Features::new(vec![&rows[1]]), &second[fold], &[]);
        let both = Features::new(vec![&rows[0], &rows[1]]);
        let of_joint = posteriors(both, &joint[fold], &[&of_first, &of_second]);
        let of_held = labels_of(labels, &held);
        for (found, posteriors) in found.iter_mut().zip([of_first, of_second, of_joint]) {
            let share = held.len() as f64 / labels.len() as f64;
            let prior = log_frequencies(labels, classes);
            let known: f64 = of_held.iter().map(|label| prior[*label as usize]).sum::<f64>() / held.len() as f64;
            *found += share * (-log_loss(&posteriors, &of_held) - known);
        }
    }
    found
}

fn normal(rows: usize, columns: usize, name: &str) -> Vec<f64> {
    let mut random = stream(1, name);
    (0..rows * columns).map(|_| random.sample(StandardNormal)).collect()
}

fn matrix(columns: usize, values: Vec<f64>) -> Matrix {
    Matrix::new(values.len() / columns, columns, values).unwrap()
}

#[test]
fn features_that_say_nothing_give_exactly_nothing() {
    let labels: Vec<u32> = (0..300).map(|row| row % 3).collect();
    let (x1, x2) = (matrix(3, normal(300, 3, "x1")), matrix(2, normal(300, 2, "x2")));
    for found in information(&x1, &x2, &labels, 3) {
        // The frequencies of the rows outside a fold differ from those of all rows by less than one in a hundred.
        assert!(found.abs() < 1e-3, "{found}");
    }
}

/// Two bits, each along one direction of unit normal noise; the label is their exclusive or.
fn exclusive_or(rows: usize, columns: usize) -> (Matrix, Matrix, Vec<u32>) {
    let mut random = stream(2, "bits");
    let (mut x1, mut x2) = (normal(rows, columns, "x1"), normal(rows, columns, "x2"));
    let mut labels = Vec::new();
    for row in 0..rows {
        let bits: [bool; 2] = [random.random(), random.random()];
        for (x, bit) in [&mut x1, &mut x2].into_iter().zip(bits) {
            x[row * columns] += if bit { 3.0 } else { -3.0 };
        }
        labels.push(u32::from(bits[0] != bits[1]));
    }
    (matrix(columns, x1), matrix(columns, x2), labels)
}

#[test]
fn an_exclusive_or_is_found_on_either_side_of_ten_rows_a_direction() {
    for rows in [310, 330] {
        let (x1, x2, labels) = exclusive_or(rows, 16);
        let [first, second, joint] = information(&x1, &x2, &labels, 2);
        // Exact: 0, 0 and .685, of which inner fits to some 190 rows do not find all.
        assert!(first.abs() < 0.02 && second.abs() < 0.02, "{rows} rows: {first} and {second}");
        assert!(joint > 0.55, "{rows} rows: {joint}");
    }
}

#[test]
fn a_modality_of_noise_costs_the_joint_heads_nothing() {
    let labels: Vec<u32> = (0..400).map(|row| row % 4).collect();
    let mut x1 = normal(400, 6, "x1");
    for (row, label) in x1.chunks_exact_mut(6).zip(&labels) {
        row[*label as usize] += 2.0;
    }
    let [first, second, joint] = information(&matrix(6, x1), &matrix(40, normal(400, 40, "x2")), &labels, 4);
    assert!(first > 0.4, "{first}");
    assert!(second.abs() < 0.01, "{second}");
    assert!(joint > first - 0.01, "{joint} below {first}");
}
