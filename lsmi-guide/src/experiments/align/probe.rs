//! A linear probe: how well classes are told by softmax regression on features as they are.
//!
//! Columns are scaled by the training rows; the mean log loss with a ridge penalty is minimised by Adam on all rows at once, from
//! zeros, in as many steps for all features. The problem is convex, so that neither a seed nor an order plays a part.

use candle_core::{D, Device, Tensor};
use lsmi_candle::training::adam::Adam;
use lsmi_candle::training::parameters::ParameterStore;

use crate::error::Result;
use crate::experiments::scaling::{scale, scaled};

const STEPS: usize = 200;
/// The step size at the start for a single column; logits of many columns move by as much together.
const RATE: f64 = 0.5;
/// The ridge penalty is half of it times the sum of squared weights.
const RIDGE: f64 = 1e-3;

/// Rows of features with their labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labelled<'a> {
    /// `[n, columns]`, row after row.
    pub(super) values: &'a [f64],
    pub(super) labels: &'a [u32],
}

/// The share of the test rows whose class a probe of the training rows finds.
pub(super) fn accuracy(
    train: Labelled<'_>,
    test: Labelled<'_>,
    columns: usize,
    classes: usize,
    device: &Device,
) -> Result<f64> {
    let scales = scale(train.values, columns);
    let [train_rows, test_rows] =
        [train, test].map(|part| Tensor::from_vec(scaled(part.values, &scales), (part.labels.len(), columns), device));
    let (train_rows, test_rows) = (train_rows?, test_rows?);
    let one_hot =
        |label: &u32| (0..classes).map(|class| f32::from(u8::from(class == *label as usize))).collect::<Vec<_>>();
    let wanted: Vec<f32> = train.labels.iter().flat_map(one_hot).collect();
    let wanted = Tensor::from_vec(wanted, (train.labels.len(), classes), device)?;

    let mut store = ParameterStore::new(0, device);
    let (weight, bias) = (store.zeros("weight", (columns, classes))?, store.zeros("bias", (1, classes))?);
    let logits = |rows: &Tensor| rows.matmul(&weight)?.broadcast_add(&bias);
    let rate = RATE / (columns as f64).sqrt();
    let mut adam = Adam::new(rate, 0.0);
    for step in 0..STEPS {
        let logits = logits(&train_rows)?;
        // Without its gradient, which cancels.
        let largest = logits.max_keepdim(D::Minus1)?.detach();
        let sums = (logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?.log()? + largest)?;
        let right = (&logits * &wanted)?.sum_keepdim(D::Minus1)?;
        let penalty = (weight.sqr()?.sum_all()? * (RIDGE / 2.0))?;
        let loss = ((sums - right)?.mean_all()? + penalty)?;
        adam.rate = rate * (1.0 - step as f64 / STEPS as f64);
        adam.step(&store, &loss.backward()?)?;
    }
    let predicted = logits(&test_rows)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
    let right = predicted.iter().zip(test.labels).filter(|(predicted, label)| predicted == label).count();
    Ok(right as f64 / test.labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand::Rng;

    /// Rows of three columns: the class, 0 to 2, moves two of them; the third is noise.
    fn rows(count: usize, seed: u64) -> (Vec<f64>, Vec<u32>) {
        let mut random = stream(seed, "test");
        let mut values = Vec::new();
        let labels: Vec<u32> = (0..count as u32).map(|row| row % 3).collect();
        for label in &labels {
            let mut noise = || random.random_range(-0.4..0.4);
            values.extend([f64::from(*label == 1) + noise(), f64::from(*label == 2) + noise(), 100.0 * noise()]);
        }
        (values, labels)
    }

    #[test]
    fn classes_that_a_plane_parts_are_told_apart_and_others_guessed() {
        let ((train, labels), (test, test_labels)) = (rows(150, 1), rows(90, 2));
        let of = |train: &[f64], test: &[f64], columns| {
            let (train, test) =
                (Labelled { values: train, labels: &labels }, Labelled { values: test, labels: &test_labels });
            accuracy(train, test, columns, 3, &Device::Cpu).unwrap()
        };
        // Noise of less than half the distance: no row lies beyond a plane.
        assert!(of(&train, &test, 3) > 0.97);
        let third = |values: &[f64]| values.iter().skip(2).step_by(3).copied().collect::<Vec<f64>>();
        // By chance 1/3 of 90 rows, with a standard deviation of 0.05.
        assert!(of(&third(&train), &third(&test), 1) < 0.5);
        assert_eq!(of(&vec![1.0; 150], &vec![1.0; 90], 1), 1.0 / 3.0);
    }
}
