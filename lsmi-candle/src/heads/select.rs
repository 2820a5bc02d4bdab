//! The choice of a head: candidates compete on held-out rows, the winner is calibrated there and fitted again to all rows.

use candle_core::{Device, Tensor};
use lsmi_core::random::stream;

use super::calibration::log_loss;
use super::network::Trained;
use super::rows::Rows;
use super::{CalibratedHead, Calibration, GenerativeHead, Head, NetworkHead, NetworkParams};
use crate::error::{EstimatorError, Result};
use crate::folds::{held_out_rows, stratified_sample};
use crate::mixture::{Sample, tensor};

/// Rows that candidates compete on at most; the winner is fitted to all.
const MOST_ROWS: usize = 20_000;
/// Numbers of free components that the mixture heads try.
const COMPONENTS: [usize; 4] = [2, 4, 8, 16];
/// Fewest rows for each of them.
const ROWS_OF_A_COMPONENT: usize = 10;
/// Mixtures that do worse one after another before larger ones are left untried.
const PATIENCE: usize = 2;
/// Free components are only sought in up to this many dimensions: beyond, they are lost in noise and slow.
const MOST_DIMENSIONS: usize = 256;

/// A chosen head with its held-out loss.
pub(crate) struct Fitted {
    pub(crate) head: CalibratedHead,
    /// Calibrated log loss of the held-out rows, in nats.
    pub(crate) loss: f64,
}

/// A fitted candidate, with what it takes to fit it to more rows.
enum Candidate {
    Discriminant(GenerativeHead),
    Clustered(GenerativeHead),
    Network { head: NetworkHead, params: NetworkParams, epochs: usize },
}

impl Candidate {
    fn name(&self) -> String {
        match self {
            Self::Discriminant(_) => "linear discriminant".to_owned(),
            Self::Clustered(head) => format!("mixture of {}", head.mixture().components()),
            Self::Network { params: NetworkParams { hidden: None, .. }, .. } => "linear softmax".to_owned(),
            Self::Network { params: NetworkParams { hidden: Some(hidden), .. }, .. } => {
                format!("network with {hidden} hidden units")
            }
        }
    }

    fn log_posteriors(&self, rows: &Tensor) -> Result<Vec<f64>> {
        match self {
            Self::Discriminant(head) | Self::Clustered(head) => head.log_posteriors(rows),
            Self::Network { head, .. } => head.log_posteriors(rows),
        }
    }

    fn fit_again(self, rows: &Rows<'_>, seed: u64) -> Result<Head> {
        Ok(match self {
            Self::Discriminant(_) => Head::Generative(GenerativeHead::discriminant(rows)?),
            Self::Clustered(head) => Head::Generative(head.continued(rows)?),
            Self::Network { params, epochs, .. } => Head::Network(NetworkHead::train_for(rows, epochs, params, seed)?),
        })
    }
}

/// The rows that candidates are judged on.
struct Judge<'a> {
    rows: Tensor,
    labels: Vec<u32>,
    log_frequencies: Vec<f64>,
    rows_of_the_fit: usize,
    report: &'a dyn Fn(String, f64),
    best: Option<(Candidate, Calibration, f64)>,
}

impl Judge<'_> {
    /// The calibrated loss of a candidate; keeps it if it is the best so far.
    fn judge(&mut self, candidate: Candidate) -> Result<f64> {
        let mut posteriors = candidate.log_posteriors(&self.rows)?;
        let calibration = Calibration::fit(&self.log_frequencies, &posteriors, &self.labels, self.rows_of_the_fit);
        calibration.apply(&mut posteriors);
        let loss = log_loss(&posteriors, &self.labels);
        (self.report)(candidate.name(), loss);
        if self.best.as_ref().is_none_or(|(_, _, best)| loss < *best || best.is_nan()) {
            self.best = Some((candidate, calibration, loss));
        }
        Ok(loss)
    }
}

/// Chooses, calibrates and fits a head for rows `[n, columns]`, row-major, telling `report` of every candidate's loss.
pub(crate) fn fit(
    values: &[f64],
    columns: usize,
    labels: &[u32],
    classes: usize,
    seed: u64,
    device: &Device,
    report: &dyn Fn(String, f64),
) -> Result<Fitted> {
    let competing = stratified_sample(labels, classes, MOST_ROWS, seed);
    let competing_labels: Vec<u32> = competing.iter().map(|row| labels[*row]).collect();
    let (kept, held) = held_out_rows(&competing_labels, classes, seed);
    if held.is_empty() {
        return Err(EstimatorError::NothingHeldOut { rows: labels.len(), classes });
    }
    let gather = |indices: &[usize]| -> (Vec<f64>, Vec<u32>) {
        let rows = indices.iter().map(|index| competing[*index]);
        let values = rows.clone().flat_map(|row| &values[row * columns..][..columns]).copied().collect();
        (values, rows.map(|row| labels[row]).collect())
    };
    let (kept_values, kept_labels) = gather(&kept);
    let (held_values, held_labels) = gather(&held);
    let sample = Sample::new(kept_values, columns, device)?;
    let rows = Rows { sample: &sample, labels: &kept_labels, classes };
    let mut judge = Judge {
        rows: tensor(&held_values, columns, device)?,
        labels: held_labels,
        log_frequencies: log_frequencies(labels, classes),
        rows_of_the_fit: labels.len(),
        report,
        best: None,
    };

    judge.judge(Candidate::Discriminant(GenerativeHead::discriminant(&rows)?))?;
    for params in [NetworkParams::linear(), NetworkParams::hidden()] {
        let Trained { head, epochs } = NetworkHead::train_until(&rows, (&judge.rows, &judge.labels), params, seed)?;
        judge.judge(Candidate::Network { head, params, epochs })?;
    }
    let (mut lowest, mut worse) = (f64::INFINITY, 0);
    for components in COMPONENTS {
        if columns > MOST_DIMENSIONS || components * ROWS_OF_A_COMPONENT > rows.labels.len() || worse == PATIENCE {
            break;
        }
        let mut random = stream(seed, &format!("head mixture {components}"));
        let loss = judge.judge(Candidate::Clustered(GenerativeHead::clustered(&rows, components, &mut random)?))?;
        worse = if loss < lowest { 0 } else { worse + 1 };
        lowest = lowest.min(loss);
    }

    #[expect(clippy::expect_used, reason = "the discriminant was judged above")]
    let (candidate, calibration, loss) = judge.best.expect("at least one candidate");
    let sample = Sample::new(values.to_vec(), columns, device)?;
    let head = candidate.fit_again(&Rows { sample: &sample, labels, classes }, seed)?;
    Ok(Fitted { head: CalibratedHead { head, calibration }, loss })
}

/// Logarithms of the class frequencies; a class without rows counts as half a row.
fn log_frequencies(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0f64; classes];
    for label in labels {
        counts[*label as usize] += 1.0;
    }
    let total: f64 = counts.iter().map(|count| count.max(0.5)).sum();
    counts.iter().map(|count| (count.max(0.5) / total).ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};
    use std::cell::RefCell;

    fn normal(rows: usize, name: &str) -> Vec<f64> {
        let mut random = stream(0, name);
        (0..rows * 3).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    #[test]
    fn features_that_say_nothing_give_next_to_no_information() {
        let values = normal(600, "noise");
        let labels: Vec<u32> = (0..600).map(|row| row % 3).collect();
        let fitted = fit(&values, 3, &labels, 3, 0, &Device::Cpu, &|_, _| {}).unwrap();
        let fresh = tensor(&normal(600, "fresh"), 3, &Device::Cpu).unwrap();
        let posteriors = fitted.head.log_posteriors(&fresh).unwrap();
        let information = 3.0f64.ln() - log_loss(&posteriors, &labels);
        // An uncalibrated fit of six parameters would lose about 6 / 1,200 and move single posteriors by .1.
        assert!(information.abs() < 0.02, "{information}");
    }

    #[test]
    fn every_kind_of_candidate_is_judged() {
        let values = normal(300, "noise");
        let labels: Vec<u32> = values.chunks_exact(3).map(|row| u32::from(row[0] > 0.0)).collect();
        let names = RefCell::new(Vec::new());
        let fitted = fit(&values, 3, &labels, 2, 0, &Device::Cpu, &|name, _| names.borrow_mut().push(name)).unwrap();
        for kind in ["linear discriminant", "linear softmax", "network with 64 hidden units", "mixture of 2"] {
            assert!(names.borrow().iter().any(|name| name == kind), "{kind}");
        }
        assert!(fitted.loss < 0.3, "{}", fitted.loss);
    }
}
