//! The teacher of a split: cross-fitted, so that it has not seen the labels of what it says of a sample.
//!
//! One large network is trained without each fold of the interactions' cross-fitting; the logits of a sample are those of
//! the network that did not see it. A teacher that saw the labels of its samples would repeat them, and what it adds to
//! labels would be lost. Features cannot be put together so, as networks differ in what their units mean: they are
//! those of one network trained on all training samples.
//!
//! A user's own teacher takes its place where the samples come with `logits12`; its features are its logits, unless given.

use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::statistics::log_sum_exp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::losses::{Factors, Teaching};
use super::student::{HostStudent, Rows, Said, Schedule, Task};
use crate::error::{GuideError, Result};
use crate::experiments::metrics::Metrics;
use crate::experiments::scaling::scale;
use crate::train::hook::Alike;

/// What the teacher says of the samples of a split.
#[derive(Debug)]
pub(super) struct Taught {
    /// Of the training samples.
    pub(super) teaching: Teaching,
    /// The largest probability of each training sample.
    pub(super) confidence: Vec<f64>,
    /// How good the teacher is on the samples to test on.
    pub(super) test: Metrics,
}

/// How good the teachers are on the samples to test on: means over splits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TeacherScore {
    /// Share of right predictions.
    pub accuracy: f64,
    /// Mean negative log probability of the label, in nats.
    pub log_loss: f64,
}

/// Trains the teachers of a split. `folds` are those of the training samples.
pub(super) fn train(
    parts: &[Rows; 3],
    folds: &[u32],
    inputs: [usize; 2],
    classes: usize,
    settings: &Settings,
    seed: u64,
) -> Result<Taught> {
    let [train, _, test] = parts;
    let count = folds.iter().max().map_or(0, |largest| *largest + 1);
    // The last one sees all.
    let networks: Vec<(Said, Said)> = (0..=count)
        .into_par_iter()
        .map(|fold| {
            let rows: Vec<usize> = (0..folds.len()).filter(|row| folds[*row] != fold).collect();
            let task = Task {
                rows: train.select(&rows),
                teaching: None,
                factors: Factors::default(),
                non_finite: settings.non_finite,
                seed: seed.wrapping_add(u64::from(fold)),
                inputs,
                classes,
            };
            let mut training = HostStudent::training(task, settings.teacher, Alike::default())?;
            while training.epochs() < settings.teacher.epochs {
                training.epoch()?;
            }
            let mut network = training.into_student();
            Ok((network.said_of(train), network.said_of(test)))
        })
        .collect::<Result<_>>()?;
    let (of_folds, of_all) = networks.split_at(count as usize);
    let mut logits = Vec::with_capacity(folds.len() * classes);
    for (row, fold) in folds.iter().enumerate() {
        logits.extend_from_slice(&of_folds[*fold as usize].0.logits[row * classes..][..classes]);
    }
    // On new samples the teacher is the mean of its networks.
    let mut of_test = vec![0.0f64; test.labels.len() * classes];
    for (_, said) in of_folds {
        for (sum, value) in of_test.iter_mut().zip(log_softmax(&said.logits, classes)) {
            *sum += value.exp() / f64::from(count);
        }
    }
    let of_test: Vec<f64> = of_test.into_iter().map(|probability| probability.max(f64::MIN_POSITIVE).ln()).collect();
    let features: Vec<f64> = of_all[0].0.features.iter().copied().map(f64::from).collect();
    Ok(Taught {
        teaching: teaching(&logits, classes, &features, settings.teacher.fused, settings.temperature),
        confidence: confidence(&logits, classes),
        test: Metrics::of(&of_test, &test.labels, classes),
    })
}

/// What a user's teacher says: `[logits of the training samples, logits of the samples to test on]`, and features of the
/// training samples.
///
/// # Errors
/// [`GuideError::Classes`] if the teacher has another number of classes, [`GuideError::Shape`] where features have not one
/// row a training sample.
pub(super) fn given(
    logits: [&Matrix; 2],
    features: Option<&Matrix>,
    test_labels: &[u32],
    classes: usize,
    temperature: f64,
) -> Result<Taught> {
    let [of_train, _] = logits;
    if of_train.columns() != classes {
        return Err(GuideError::Classes { expected: classes, found: of_train.columns() });
    }
    if let Some(found) = features.filter(|features| features.rows() != of_train.rows()) {
        let expected = format!("{} rows", of_train.rows());
        return Err(GuideError::Shape {
            what: "the teacher's features",
            expected,
            found: vec![found.rows(), found.columns()],
        });
    }
    let [single, of_test] = logits.map(|matrix| matrix.values().iter().map(|value| *value as f32).collect::<Vec<_>>());
    let features = features.unwrap_or(of_train);
    Ok(Taught {
        teaching: teaching(&single, classes, features.values(), features.columns(), temperature),
        confidence: confidence(&single, classes),
        test: Metrics::of(&log_softmax(&of_test, classes), test_labels, classes),
    })
}

/// Probabilities at the temperature, and features standardised, without those that do not vary.
fn teaching(logits: &[f32], classes: usize, features: &[f64], width: usize, temperature: f64) -> Teaching {
    let probabilities =
        logits.chunks_exact(classes).flat_map(|row| softmax(row, temperature)).map(|p| p as f32).collect();
    let (means, deviations) = scale(features, width);
    let varies: Vec<usize> =
        (0..width).filter(|column| features.chunks_exact(width).any(|row| row[*column] != features[*column])).collect();
    let standardised = features.chunks_exact(width).flat_map(|row| {
        varies.iter().map(|column| ((row[*column] - means[*column]) / deviations[*column]) as f32).collect::<Vec<_>>()
    });
    Teaching { probabilities, features: standardised.collect(), width: varies.len() }
}

fn confidence(logits: &[f32], classes: usize) -> Vec<f64> {
    let largest = |row: &[f32]| softmax(row, 1.0).into_iter().fold(0.0, f64::max);
    logits.chunks_exact(classes).map(largest).collect()
}

/// Log-probabilities from logits `[n, classes]`.
pub(super) fn log_softmax(logits: &[f32], classes: usize) -> Vec<f64> {
    let mut values: Vec<f64> = logits.iter().copied().map(f64::from).collect();
    for row in values.chunks_exact_mut(classes) {
        let total = log_sum_exp(row);
        for value in row.iter_mut() {
            *value -= total;
        }
    }
    values
}

/// Probabilities from logits at a temperature.
fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| (f64::from(logit - largest) / temperature).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

/// The usual teacher.
pub(super) const TEACHER: Schedule = Schedule { encoder: 64, fused: 32, epochs: 15, rate: 2e-3, decay: 0.3 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teacher_of_other_classes_or_rows_is_refused() {
        let logits = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 3f64.ln()]).unwrap();
        let taught = given([&logits, &logits], None, &[0, 1], 2, 1.0).unwrap();
        assert!((taught.confidence[1] - 0.75).abs() < 1e-6);
        assert_eq!((taught.teaching.width, taught.test.accuracy), (2, 1.0));
        let error = given([&logits, &logits], None, &[0, 1], 3, 1.0).unwrap_err();
        assert!(matches!(error, GuideError::Classes { expected: 3, found: 2 }));
        let features = Matrix::new(1, 2, vec![0.0, 1.0]).unwrap();
        let error = given([&logits, &logits], Some(&features), &[0, 1], 2, 1.0).unwrap_err();
        assert!(matches!(error, GuideError::Shape { .. }));
    }

    #[test]
    fn features_that_do_not_vary_are_left_out() {
        let teaching = teaching(&[0.0, 0.0, 0.0, 0.0], 2, &[1.0, 7.0, 3.0, 7.0], 2, 2.0);
        assert_eq!((teaching.width, teaching.features), (1, vec![-1.0, 1.0]));
        assert_eq!(teaching.probabilities, [0.5; 4]);
    }
}
