//! Training of a mixture density network: gradients as matrix products, Adam on small batches, the average of late weights.
//!
//! With responsibilities `g_k = w_k N(y; m_k, s_k^2) / p(y|x)` and `z_k = (y - m_k) / s_k` the gradients of `-log p(y|x)` are
//! `w_k - g_k` in `a_k`, `-g_k z_k / s_k` in `m_k` and `g_k (1 - z_k^2)` in `log s_k` (Bishop 1994, eqs. 31 to 36). The network
//! is the average of the weights over training in which late ones count most (Shamir, Zhang 2013), so that one training
//! serves any number of steps.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use lsmi_core::random::{ChaCha8Rng, stream};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

use super::{DensityNetwork, LOG_DEVIATIONS, NetworkParams, bounded};
use crate::densities::conditional::columns::Scales;
use crate::densities::points::gather;
use crate::heads::Layer;
use crate::numbers::simd_math::{exp, vectorised};
use crate::training::adam::host::{Moments, Step};

/// Rows of a step.
const BATCH: usize = 128;
/// The largest gradient of an output for one row: rows far out do not throw the weights about.
const LARGEST_GRADIENT: f32 = 10.0;
/// How late weights count: those in the average are `t / (g + 2)` steps old in the mean.
const CONCENTRATION: f64 = 8.0;

/// Trains a network and calls `listener` with it after each of the rising numbers of steps, until it returns false.
#[expect(clippy::cast_possible_truncation, reason = "targets are f32 by design")]
pub(crate) fn train(
    features: &[f32],
    width: usize,
    targets: &[f64],
    params: NetworkParams,
    seed: u64,
    checkpoints: &[usize],
    listener: &mut dyn FnMut(&DensityNetwork) -> bool,
) {
    let mut random = stream(seed, &format!("density network {:?} {}", params.hidden, params.components));
    let mut network = start(features, width, params, &mut random);
    let features = network.scales.apply(features);
    let targets: Vec<f32> = targets.iter().map(|target| *target as f32).collect();
    let mut average = network.clone();
    let mut optimizer: Vec<[Moments; 2]> = layers(&mut network)
        .map(|layer| [Moments::new(layer.weights.len()), Moments::new(layer.biases.len())])
        .collect();
    let mut order: Vec<usize> = (0..targets.len()).collect();
    let batch = BATCH.min(targets.len());
    let mut place = order.len();
    let mut number = 0;
    for checkpoint in checkpoints {
        for _ in 0..checkpoint.saturating_sub(number) {
            if place + batch > order.len() {
                order.shuffle(&mut random);
                place = 0;
            }
            let rows = &order[place..place + batch];
            place += batch;
            number += 1;
            let batch_targets: Vec<f32> = rows.iter().map(|row| targets[*row]).collect();
            let gradients = gradients(&network, gather(&features, width, rows), &batch_targets);
            let step = |decay| Step::new(i32::try_from(number).unwrap_or(i32::MAX), params.rate, decay);
            for ((layer, gradient), [weights, biases]) in layers(&mut network).zip(gradients).zip(&mut optimizer) {
                weights.step(0, &mut layer.weights, gradient.weights.into_iter(), step(params.decay));
                biases.step(0, &mut layer.biases, gradient.biases.into_iter(), step(0.0));
            }
            let share = (CONCENTRATION + 1.0) / (number as f64 + CONCENTRATION);
            for (average, layer) in layers(&mut average).zip(layers(&mut network)) {
                towards(&mut average.weights, &layer.weights, share);
                towards(&mut average.biases, &layer.biases, share);
            }
        }
        if !listener(&average) {
            return;
        }
    }
}

/// Returns all layers, the outputs last.
fn layers(network: &mut DensityNetwork) -> impl Iterator<Item = &mut Layer> {
    network.hidden.iter_mut().chain(std::iter::once(&mut network.output))
}

#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
fn towards(averages: &mut [f32], values: &[f32], share: f64) {
    for (average, value) in averages.iter_mut().zip(values) {
        *average += share as f32 * (*value - *average);
    }
}

/// Returns the network before the first step: components side by side, whatever the features; hidden units drawn after He,
/// Zhang, Ren, Sun (2015).
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
fn start(features: &[f32], width: usize, params: NetworkParams, random: &mut ChaCha8Rng) -> DensityNetwork {
    let mut inputs = width;
    let mut hidden = Vec::with_capacity(params.hidden.len());
    for units in params.hidden {
        let deviation = (2.0 / inputs as f64).sqrt();
        let mut draw = || {
            let value: f64 = StandardNormal.sample(random);
            (deviation * value) as f32
        };
        let weights = (0..inputs * units).map(|_| draw()).collect();
        hidden.push(Layer { weights, biases: vec![0.0; *units], inputs });
        inputs = *units;
    }
    let components = params.components;
    let inputs = width + params.hidden.last().copied().unwrap_or(0);
    let place = |component: usize| (2.0 * component as f64 + 1.0) / components as f64 - 1.0;
    let mut biases = vec![0.0f32; 3 * components];
    for component in 0..components {
        biases[components + component] = place(component) as f32;
        biases[2 * components + component] = -0.5 * (components as f64).ln().min(1.0) as f32;
    }
    // Several components that are all alike in the features would learn the same.
    let spread = if components > 1 { 0.1 } else { 0.0 };
    let weights = (0..inputs * 3 * components).map(|_| (spread * (random.random::<f64>() - 0.5)) as f32).collect();
    DensityNetwork { scales: Scales::of(features, width), hidden, output: Layer { weights, biases, inputs } }
}

/// Returns the gradients of the mean of `-log p(y|x)` in the parameters of every layer, as layers.
fn gradients(network: &DensityNetwork, features: Vec<f32>, targets: &[f32]) -> Vec<Layer> {
    let units = network.forward(features);
    let outputs = network.output.outputs();
    let of_outputs = output_gradients(&units.outputs, targets);
    let width = network.scales.width();
    let (_, of_hidden) = network.output.weights.split_at(width * outputs);
    let mut weights = product_of_transposed(&units.features, &of_outputs, width);
    if let Some(last) = units.hidden.last() {
        weights.extend(product_of_transposed(last, &of_outputs, network.output.inputs - width));
    }
    let mut found = vec![Layer { weights, biases: column_sums(&of_outputs, outputs), inputs: network.output.inputs }];
    let mut above = of_outputs;
    let mut above_weights = of_hidden;
    for (index, layer) in network.hidden.iter().enumerate().rev() {
        let values = &units.hidden[index];
        let mut of_units = product_with_transposed(&above, above_weights, layer.outputs());
        for (gradient, value) in of_units.iter_mut().zip(values) {
            if *value <= 0.0 {
                *gradient = 0.0;
            }
        }
        let inputs = if index == 0 { &units.features } else { &units.hidden[index - 1] };
        found.push(Layer {
            weights: product_of_transposed(inputs, &of_units, layer.inputs),
            biases: column_sums(&of_units, layer.outputs()),
            inputs: layer.inputs,
        });
        above = of_units;
        above_weights = &layer.weights;
    }
    found.reverse();
    found
}

/// Returns the gradients of `-log p(y|x) / rows` in the outputs of a batch, `[rows, 3 components]`, row-major as these are.
///
/// Each output has a column of its own on the way, so that a loop over rows works on many at once.
fn output_gradients(outputs: &[f32], targets: &[f32]) -> Vec<f32> {
    let rows = targets.len();
    let columns = transposed(outputs, rows);
    let size = columns.len() / 3;
    let (mut weights, means, log_deviations) =
        (columns[..size].to_vec(), &columns[size..2 * size], &columns[2 * size..]);
    let mut responsibilities = weights.clone();
    let (mut inverses, mut scores) = (vec![0.0f32; size], vec![0.0f32; size]);
    vectorised(
        #[inline(always)]
        || {
            for start in (0..size).step_by(rows) {
                let of_component = start..start + rows;
                let (joint, inverses) =
                    (&mut responsibilities[of_component.clone()], &mut inverses[of_component.clone()]);
                let (means, log_deviations) = (&means[of_component.clone()], &log_deviations[of_component.clone()]);
                let scores = &mut scores[of_component];
                for row in 0..rows {
                    let log_deviation = bounded(log_deviations[row]);
                    inverses[row] = exp(-log_deviation);
                    scores[row] = (targets[row] - means[row]) * inverses[row];
                    joint[row] -= log_deviation + 0.5 * scores[row] * scores[row];
                }
            }
        },
    );
    normalise(&mut weights, rows);
    normalise(&mut responsibilities, rows);
    let mut gradients = vec![0.0f32; 3 * size];
    let (of_logits, rest) = gradients.split_at_mut(size);
    let (of_means, of_deviations) = rest.split_at_mut(size);
    let share = 1.0 / rows as f32;
    let bound = |value: f32| value.clamp(-LARGEST_GRADIENT, LARGEST_GRADIENT) * share;
    vectorised(
        #[inline(always)]
        || {
            for at in 0..size {
                let (responsibility, score) = (responsibilities[at], scores[at]);
                of_logits[at] = bound(weights[at] - responsibility);
                of_means[at] = bound(-responsibility * score * inverses[at]);
                let is_free = log_deviations[at] >= LOG_DEVIATIONS[0] && log_deviations[at] < LOG_DEVIATIONS[1];
                let of_deviation = bound(responsibility * (1.0 - score * score));
                of_deviations[at] = if is_free { of_deviation } else { 0.0 };
            }
        },
    );
    transposed(&gradients, outputs.len() / rows)
}

/// Turns logarithms of shares, a column of rows for each component, into shares that sum to 1 in every row.
fn normalise(shares: &mut [f32], rows: usize) {
    let mut largest = vec![f32::NEG_INFINITY; rows];
    let mut sums = vec![0.0f32; rows];
    vectorised(
        #[inline(always)]
        || {
            for column in shares.chunks_exact(rows) {
                largest.iter_mut().zip(column).for_each(|(largest, value)| *largest = largest.max(*value));
            }
            for column in shares.chunks_exact_mut(rows) {
                for ((value, largest), sum) in column.iter_mut().zip(&largest).zip(&mut sums) {
                    *value = exp(*value - largest);
                    *sum += *value;
                }
            }
            for column in shares.chunks_exact_mut(rows) {
                column.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum);
            }
        },
    );
}

/// Returns the transpose of a row-major matrix of this many rows.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..columns).flat_map(|column| values[column..].iter().step_by(columns).copied()).collect()
}

/// Returns `left' right`, `[columns of left, columns of right]`, of row-major matrices with the same rows.
fn product_of_transposed(left: &[f32], right: &[f32], left_columns: usize) -> Vec<f32> {
    let rows = left.len() / left_columns;
    let columns = right.len() / rows;
    let mut product = vec![0.0; left_columns * columns];
    matmul(
        MatMut::from_row_major_slice_mut(&mut product, left_columns, columns),
        Accum::Replace,
        MatRef::from_row_major_slice(left, rows, left_columns).transpose(),
        MatRef::from_row_major_slice(right, rows, columns),
        1.0,
        Par::Seq,
    );
    product
}

/// Returns `left right'`, `[rows of left, rows of right]`, of row-major matrices with the same columns.
fn product_with_transposed(left: &[f32], right: &[f32], right_rows: usize) -> Vec<f32> {
    let columns = right.len() / right_rows;
    let rows = left.len() / columns;
    let mut product = vec![0.0; rows * right_rows];
    matmul(
        MatMut::from_row_major_slice_mut(&mut product, rows, right_rows),
        Accum::Replace,
        MatRef::from_row_major_slice(left, rows, columns),
        MatRef::from_row_major_slice(right, right_rows, columns).transpose(),
        1.0,
        Par::Seq,
    );
    product
}

fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::statistics::mean;

    const SMALL: NetworkParams = NetworkParams { hidden: &[4, 3], components: 2, rate: 5e-3, decay: 0.0 };

    fn normal(count: usize, name: &str) -> Vec<f32> {
        let mut random = stream(5, name);
        (0..count).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let (features, width) = (normal(3 * 6, "features"), 3);
        let singles = normal(6, "targets");
        let targets: Vec<f64> = singles.iter().copied().map(f64::from).collect();
        let mut network = start(&features, width, SMALL, &mut stream(0, "test"));
        for (layer, biases) in layers(&mut network).zip([normal(4, "a"), normal(3, "b"), normal(6, "c")]) {
            layer.biases = biases.into_iter().map(|bias| 0.3 * bias).collect();
        }
        let standardised = network.scales.apply(&features);
        let loss = |network: &DensityNetwork| -mean(&network.predict(&features).log_densities(&targets, 1.0));
        let found = gradients(&network, standardised, &singles);
        for (index, gradient) in found.iter().enumerate() {
            for at in (0..gradient.weights.len()).step_by(3) {
                let moved = |by: f32| {
                    let mut other = network.clone();
                    if let Some(layer) = layers(&mut other).nth(index) {
                        layer.weights[at] += by;
                    }
                    loss(&other)
                };
                let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                let expected = f64::from(gradient.weights[at]);
                // Second differences over a step of .01, and rounding of f32.
                assert!((difference - expected).abs() < 2e-3, "layer {index}, weight {at}: {difference} {expected}");
            }
        }
    }

    /// Two components of which the first alone is near: its gradients are those of one normal, the others vanish.
    #[test]
    fn gradients_of_outputs_in_closed_form_and_far_out() {
        let row = |target: f32| output_gradients(&[0.0, 0.0, 1.0, 1e3, 0.0, 0.0], &[target]);
        // Weights of a half each; z = 1/2.
        for (found, expected) in row(1.5).into_iter().zip([-0.5, 0.5, -0.5, 0.0, 0.75, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        let far = row(-1e12);
        assert_eq!((far[2], far[4]), (LARGEST_GRADIENT, -LARGEST_GRADIENT));
        assert!(far.iter().all(|gradient| gradient.abs() <= LARGEST_GRADIENT), "{far:?}");
    }

    #[test]
    fn a_variance_that_is_log_linear_is_learned_without_hidden_units() {
        let features = normal(4000, "features");
        let noise = normal(4000, "noise");
        let targets: Vec<f64> =
            features.iter().zip(noise).map(|(x, noise)| (0.5 * f64::from(*x)).exp() * f64::from(noise)).collect();
        let params = NetworkParams { hidden: &[], components: 1, rate: 5e-3, decay: 0.01 };
        let mut found = None;
        train(&features, 1, &targets, params, 0, &[1500], &mut |network| {
            found = Some(network.predict(&[-1.0, 0.0, 1.0]));
            true
        });
        let found = found.unwrap();
        for (place, expected) in [-0.5, 0.0, 0.5].into_iter().enumerate() {
            // The standard error of a slope of log deviations is 1 / sqrt(8000) = .011.
            assert!((found.deviations[place].ln() - expected).abs() < 0.06, "{:?}", found.deviations);
            assert!(found.means[place].abs() < 0.1);
        }
    }
}
