//! The losses of [`crate::train::distiller`], with their gradients, for networks whose units lie side by side on the host.
//!
//! ```text
//! loss = mean_i label_i + c mean_i o_i T^2 KL(teacher_i || student_i) + b mean_i f_i |p_i - t_i|^2 / width
//!        + d sum_m mean_i x_mi label_mi
//! ```
//!
//! with the weights o, f and x that the hook gives for the batch, the teacher's features t and the projection p of the
//! student's, and the factors b, c, d. A test holds the gradients against those that candle finds of the distiller's losses.

use serde::{Deserialize, Serialize};

use super::network::{Gradients, LANES, Lane, Network};
use crate::decide::plan::Weights;

/// What a teacher says of rows.
#[derive(Debug, Clone)]
pub(super) struct Teaching {
    /// Probabilities at the temperature of distillation, `[n, classes]`.
    pub(super) probabilities: Vec<f32>,
    /// Standardised features, `[n, width]`.
    pub(super) features: Vec<f32>,
    pub(super) width: usize,
}

impl Teaching {
    pub(super) fn select(&self, rows: &[usize], classes: usize) -> Self {
        let of = |values: &[f32], width: usize| {
            rows.iter().flat_map(|row| &values[row * width..][..width]).copied().collect::<Vec<f32>>()
        };
        Self {
            probabilities: of(&self.probabilities, classes),
            features: of(&self.features, self.width),
            width: self.width,
        }
    }
}

/// The factors of the losses but that of the label, which is 1, and the temperature of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Factors {
    pub(super) feature: f32,
    pub(super) output: f32,
    pub(super) auxiliary: f32,
    pub(super) temperature: f32,
}

impl Default for Factors {
    /// Labels alone.
    fn default() -> Self {
        Self { feature: 0.0, output: 0.0, auxiliary: 0.0, temperature: 1.0 }
    }
}

/// A loss that is not finite: its name, the row and its value.
pub(super) type NotFinite = (&'static str, usize, f32);

/// Sets the gradients of what the network says of a batch, and returns the mean label loss; or the first loss that is not
/// finite. `labels` and `teaching` are those of all rows, `weights` those of the batch.
pub(super) fn differentiate(
    network: &Network,
    batch: &[usize],
    labels: &[u32],
    teaching: Option<&Teaching>,
    weights: &Weights,
    factors: Factors,
    gradients: &mut Gradients,
) -> Result<f32, NotFinite> {
    let share = (batch.len() as f32).recip();
    let mut scratch = Scratch::new(network.logits.len());
    let of_output = lane(&weights.output);
    let mut sum = 0.0;
    for (lane, row) in batch.iter().enumerate() {
        let label = labels[*row] as usize;
        let loss = scratch.softmax(&network.logits, lane, 1.0, label);
        if !loss.is_finite() {
            return Err(("label", *row, loss));
        }
        sum += loss;
        for (class, of_class) in gradients.logits.iter_mut().enumerate() {
            of_class[lane] = share * (scratch.probabilities[class] - f32::from(u8::from(class == label)));
        }
        let Some(teaching) = teaching else { continue };
        if factors.output > 0.0 {
            let loss = scratch.softmax(&network.logits, lane, factors.temperature, label);
            if !loss.is_finite() {
                return Err(("output", *row, loss));
            }
            let classes = scratch.probabilities.len();
            let target = &teaching.probabilities[row * classes..][..classes];
            let scale = share * factors.output * of_output[lane] * factors.temperature;
            for ((of_class, student), teacher) in gradients.logits.iter_mut().zip(&scratch.probabilities).zip(target) {
                of_class[lane] += scale * (student - teacher);
            }
        }
    }
    if let Some(teaching) = teaching.filter(|_| factors.feature > 0.0) {
        let of_feature = lane(&weights.feature);
        for (lane, row) in batch.iter().enumerate() {
            let target = &teaching.features[row * teaching.width..][..teaching.width];
            let scale = 2.0 * share * factors.feature * of_feature[lane] / teaching.width as f32;
            let mut loss = 0.0;
            for ((of_unit, student), teacher) in gradients.projected.iter_mut().zip(&network.projected).zip(target) {
                let difference = student[lane] - teacher;
                loss += difference * difference;
                of_unit[lane] = scale * difference;
            }
            if !loss.is_finite() {
                return Err(("feature", *row, loss));
            }
        }
    }
    if factors.auxiliary > 0.0 {
        for modality in 0..2 {
            let of_modality = lane(&weights.auxiliary[modality]);
            for (lane, row) in batch.iter().enumerate() {
                let label = labels[*row] as usize;
                let loss = scratch.softmax(&network.auxiliary[modality], lane, 1.0, label);
                if !loss.is_finite() {
                    return Err(("auxiliary", *row, loss));
                }
                let scale = share * factors.auxiliary * of_modality[lane];
                for (class, of_class) in gradients.auxiliary[modality].iter_mut().enumerate() {
                    let target = f32::from(u8::from(class == label));
                    of_class[lane] = scale * (scratch.probabilities[class] - target);
                }
            }
        }
    }
    Ok(sum * share)
}

/// The weights of a batch, side by side.
fn lane(weights: &[f64]) -> Lane {
    let mut lane = [0.0; LANES];
    for (value, weight) in lane.iter_mut().zip(weights) {
        *value = *weight as f32;
    }
    lane
}

/// The softmax of one sample.
struct Scratch {
    probabilities: Vec<f32>,
}

impl Scratch {
    fn new(classes: usize) -> Self {
        Self { probabilities: vec![0.0; classes] }
    }

    /// Sets the probabilities of a sample at a temperature, and gives the surprisal of a class.
    fn softmax(&mut self, logits: &[Lane], lane: usize, temperature: f32, class: usize) -> f32 {
        let largest = logits.iter().map(|of_class| of_class[lane]).fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (probability, of_class) in self.probabilities.iter_mut().zip(logits) {
            *probability = ((of_class[lane] - largest) / temperature).exp();
            sum += *probability;
        }
        for probability in &mut self.probabilities {
            *probability /= sum;
        }
        sum.ln() - (logits[class][lane] - largest) / temperature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::distill::network::Shape;
    use crate::train::distiller::{Distiller, Settings, Step, Teacher};
    use crate::train::student::Outputs;
    use candle_core::{Device, Tensor, Var};
    use lsmi_candle::training::parameters::ParameterStore;
    use lsmi_core::SampleIds;

    const ROWS: usize = 5;

    /// Numbers between -1 and 1 that look drawn at random.
    fn numbers(count: usize, from: f32) -> Vec<f32> {
        (0..count).map(|index| (from + 1.7 * index as f32).sin()).collect()
    }

    /// Units `[units][lane]` as a tensor `[rows, units]`.
    fn rows_of(units: &[Lane]) -> Var {
        let values: Vec<f32> = (0..ROWS).flat_map(|row| units.iter().map(move |unit| unit[row])).collect();
        Var::from_tensor(&Tensor::from_vec(values, (ROWS, units.len()), &Device::Cpu).unwrap()).unwrap()
    }

    #[test]
    fn gradients_are_those_of_the_distiller() {
        let shape = Shape { inputs: [3, 2], encoder: 4, fused: 5, classes: 3, target: 2, has_auxiliary: true };
        let mut network = Network::new(shape, 1);
        let inputs = numbers(ROWS * 5, 0.3);
        network.load(inputs.chunks_exact(5));
        network.forward(true);
        let labels: Vec<u32> = vec![0, 2, 1, 1, 0];
        let (of_logits, features) = (numbers(ROWS * 3, 2.0), numbers(ROWS * 2, 5.0));
        let factors = Factors { feature: 0.7, output: 1.3, auxiliary: 0.4, temperature: 2.5 };
        let weights = Weights {
            feature: vec![1.5, 0.5, 0.0, 2.0, 1.0],
            output: vec![0.0, 2.5, 1.0, 0.5, 1.0],
            auxiliary: [vec![1.0, 0.0, 3.0, 1.0, 0.0], vec![2.0, 2.0, 0.0, 0.5, 0.5]],
        };

        let tensor = |values: &[f32], width: usize| Tensor::from_slice(values, (ROWS, width), &Device::Cpu).unwrap();
        let teacher = Teacher::new(SampleIds::rows(ROWS), &tensor(&features, 2), &tensor(&of_logits, 3)).unwrap();
        let settings = Settings {
            temperature: f64::from(factors.temperature),
            feature: f64::from(factors.feature),
            output: f64::from(factors.output),
            auxiliary: f64::from(factors.auxiliary),
            ..Settings::default()
        };
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let distiller = Distiller::new(teacher, settings, &mut store, 3, 2).unwrap();
        let leaves = [&network.logits, &network.projected, &network.auxiliary[0], &network.auxiliary[1]]
            .map(|units| rows_of(units));
        let [logits, projected, first, second] = leaves.each_ref().map(|leaf| leaf.as_tensor().clone());
        let outputs = Outputs {
            features: [projected.clone(), projected.clone()],
            fused: projected,
            logits,
            auxiliary: Some([first, second]),
        };
        let of_labels = Tensor::from_slice(&labels, ROWS, &Device::Cpu).unwrap();
        let step = distiller.step(0, &SampleIds::rows(ROWS), &outputs, &of_labels, &weights).unwrap();
        let Step::Losses(losses) = step else { panic!("finite losses") };
        let expected = losses.total.backward().unwrap();

        let probabilities = of_logits
            .chunks_exact(3)
            .flat_map(|row| {
                let exponentials: Vec<f32> = row.iter().map(|logit| (logit / factors.temperature).exp()).collect();
                let sum: f32 = exponentials.iter().sum();
                exponentials.into_iter().map(move |value| value / sum)
            })
            .collect();
        let teaching = Teaching { probabilities, features, width: 2 };
        let mut gradients = network.gradients();
        let batch: Vec<usize> = (0..ROWS).collect();
        let label =
            differentiate(&network, &batch, &labels, Some(&teaching), &weights, factors, &mut gradients).unwrap();
        assert!((label - losses.parts[0].1).abs() < 1e-6, "{label} against {:?}", losses.parts);
        let [of_first, of_second] = &gradients.auxiliary;
        let found = [&gradients.logits, &gradients.projected, of_first, of_second];
        for (leaf, found) in leaves.iter().zip(found) {
            let expected = expected.get(leaf.as_tensor()).unwrap().to_vec2::<f32>().unwrap();
            for (row, expected) in expected.iter().enumerate() {
                for (unit, expected) in expected.iter().enumerate() {
                    // Single precision, of gradients below 1.
                    assert!((found[unit][row] - expected).abs() < 1e-6, "{} against {expected}", found[unit][row]);
                }
            }
        }
    }
}
