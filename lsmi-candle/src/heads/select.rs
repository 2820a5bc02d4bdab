//! The choice of heads: candidates compete on held-out rows, are calibrated and pooled there, and fitted again to all rows.

use std::sync::OnceLock;

use candle_core::Device;
use lsmi_core::random::stream;
use lsmi_core::statistics::log_sum_exp;

use super::calibration::log_loss;
use super::centroids::Centroids;
use super::network::Trained;
use super::rows::Rows;
use super::{CalibratedHead, Calibration, GenerativeHead, Head, HeadPool, NetworkHead, NetworkParams, centroids, pool};
use crate::error::{EstimatorError, Result};
use crate::folds::{held_out_rows, stratified_sample};
use crate::mixture::{Covariance, FREEDOMS, Sample, are_tails_heavy};
use crate::points::{Points, gather};

/// Rows that candidates compete on at most; the winners are fitted to all.
const MOST_ROWS: usize = 20_000;
/// Numbers of free components that the mixture heads try.
const COMPONENTS: [usize; 6] = [2, 4, 8, 16, 24, 32];
/// Heavy-tailed components that are tried at most: normal ones in numbers make up for tails, and these need not.
const MOST_HEAVY_TAILED: usize = 8;
/// Heavy tails are only sought in up to this many dimensions: beyond, they take long and gain little.
const MOST_HEAVY_TAILED_DIMENSIONS: usize = 64;
/// Fewest rows for each of them.
const ROWS_OF_A_COMPONENT: usize = 10;
/// Mixtures that do worse one after another before larger ones are left untried.
const PATIENCE: usize = 2;
/// Free components are only sought in up to this many dimensions: beyond, they are lost in noise and slow.
const MOST_DIMENSIONS: usize = 256;
/// A covariance for each class is only tried up to this many numbers in them all.
const MOST_COVARIANCES: usize = 4_000_000;

/// What heads are fitted to.
pub(crate) struct Data<'a> {
    /// `[n, columns]`, row-major.
    pub(crate) values: Vec<f32>,
    pub(crate) columns: usize,
    /// From the values to the standardised columns, `[standardised columns, columns]`; none where the values are those.
    pub(crate) back: Option<&'a [f64]>,
    pub(crate) labels: &'a [u32],
    pub(crate) classes: usize,
}

/// Chosen heads with their held-out loss.
pub(crate) struct Fitted {
    pub(crate) head: HeadPool,
    /// Log loss of the pool on the held-out rows, in nats.
    pub(crate) loss: f64,
}

/// A fitted candidate, with what it takes to fit it to more rows.
enum Candidate {
    Discriminant(GenerativeHead),
    Clustered(GenerativeHead),
    Centroids { head: NetworkHead, threshold: f64 },
    Network { head: NetworkHead, params: NetworkParams, epochs: usize },
}

impl Candidate {
    fn name(&self) -> String {
        match self {
            Self::Discriminant(head) if head.mixture().shape().covariance == Covariance::Tied => {
                "linear discriminant".to_owned()
            }
            Self::Discriminant(_) => "quadratic discriminant".to_owned(),
            Self::Clustered(head) => {
                let tails = head.mixture().shape().freedom.map_or_else(String::new, |freedom| format!(" t({freedom})"));
                format!("mixture of {}{tails}", head.mixture().components())
            }
            Self::Centroids { threshold, .. } => format!("centroids shrunken by {threshold}"),
            Self::Network { params: NetworkParams { hidden: None, .. }, .. } => "linear softmax".to_owned(),
            Self::Network { params: NetworkParams { hidden: Some(hidden), .. }, .. } => {
                format!("network with {hidden} hidden units")
            }
        }
    }

    fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        match self {
            Self::Discriminant(head) | Self::Clustered(head) => head.log_posteriors(rows),
            Self::Centroids { head, .. } | Self::Network { head, .. } => head.log_posteriors(rows),
        }
    }

    /// Fits the candidate to other rows, given how to come by their centroids.
    fn fit_again<'a>(self, rows: &Rows<'_>, centroids: impl FnOnce() -> &'a Centroids<'a>, seed: u64) -> Result<Head> {
        Ok(match self {
            Self::Discriminant(head) => {
                Head::Generative(GenerativeHead::discriminant(rows, head.mixture().shape().covariance)?)
            }
            Self::Clustered(head) => Head::Generative(head.continued(rows)?),
            Self::Centroids { threshold, .. } => Head::Network(centroids().head(threshold)),
            Self::Network { params, epochs, .. } => Head::Network(NetworkHead::train_for(rows, epochs, params, seed)?),
        })
    }
}

/// A candidate with what the held-out rows say of it.
struct Judged {
    candidate: Candidate,
    calibration: Calibration,
    /// Calibrated log posterior of each held-out row's label.
    log_posteriors: Vec<f64>,
}

/// The rows that candidates are judged on.
struct Judge<'a> {
    rows: Points,
    labels: Vec<u32>,
    log_frequencies: Vec<f64>,
    rows_of_the_fit: usize,
    report: &'a dyn Fn(String, f64),
    judged: Vec<Judged>,
}

impl Judge<'_> {
    /// The calibrated loss of a candidate, which is kept for the pool unless it is not a number.
    fn judge(&mut self, candidate: Candidate) -> Result<f64> {
        let mut posteriors = candidate.log_posteriors(&self.rows)?;
        let calibration = Calibration::fit(&self.log_frequencies, &posteriors, &self.labels, self.rows_of_the_fit);
        calibration.apply(&mut posteriors);
        let loss = log_loss(&posteriors, &self.labels);
        (self.report)(candidate.name(), loss);
        if loss.is_finite() {
            let rows = self.labels.iter().zip(posteriors.chunks_exact(self.log_frequencies.len()));
            let log_posteriors = rows.map(|(label, row)| row[*label as usize]).collect();
            self.judged.push(Judged { candidate, calibration, log_posteriors });
        }
        Ok(loss)
    }

    /// Judges mixtures of growing size until several in a row have been worse; the size of the best.
    fn judge_growing(
        &mut self,
        sizes: impl Iterator<Item = usize>,
        fit: impl Fn(usize) -> Result<GenerativeHead>,
    ) -> Result<Option<usize>> {
        let (mut lowest, mut best, mut worse) = (f64::INFINITY, None, 0);
        for size in sizes {
            let loss = self.judge(Candidate::Clustered(fit(size)?))?;
            worse += 1;
            if loss < lowest {
                (lowest, best, worse) = (loss, Some(size), 0);
            }
            if worse == PATIENCE {
                break;
            }
        }
        Ok(best)
    }

    /// The weights of the judged candidates, and the loss of their pool.
    fn pool(&self) -> (Vec<f64>, f64) {
        let log_posteriors: Vec<&[f64]> = self.judged.iter().map(|judged| judged.log_posteriors.as_slice()).collect();
        let weights = pool::weights(&log_posteriors);
        let log_weights: Vec<f64> = weights.iter().map(|weight| weight.ln()).collect();
        let of_row = |row: usize| {
            let joint: Vec<f64> =
                log_weights.iter().zip(&log_posteriors).map(|(weight, of)| weight + of[row]).collect();
            log_sum_exp(&joint)
        };
        let rows = self.labels.len();
        (weights, -(0..rows).map(of_row).sum::<f64>() / rows as f64)
    }
}

/// Chooses, calibrates, pools and fits heads, telling `report` of every candidate's loss.
pub(crate) fn fit(data: Data<'_>, seed: u64, device: &Device, report: &dyn Fn(String, f64)) -> Result<Fitted> {
    let Data { values, columns, back, labels, classes } = data;
    let competing = stratified_sample(labels, classes, MOST_ROWS, seed);
    let competing_labels: Vec<u32> = competing.iter().map(|row| labels[*row]).collect();
    let (kept, held) = held_out_rows(&competing_labels, classes, seed);
    if held.is_empty() {
        return Err(EstimatorError::NothingHeldOut { rows: labels.len(), classes });
    }
    let gathered = |indices: &[usize]| -> (Vec<f32>, Vec<u32>) {
        let rows: Vec<usize> = indices.iter().map(|index| competing[*index]).collect();
        (gather(&values, columns, &rows), rows.iter().map(|row| labels[*row]).collect())
    };
    let (kept_values, kept_labels) = gathered(&kept);
    let (held_values, held_labels) = gathered(&held);
    let sample = Sample::new(kept_values, columns, device)?;
    let rows = Rows { sample: &sample, labels: &kept_labels, classes };
    let mut judge = Judge {
        rows: Points::new(held_values, columns, device)?,
        labels: held_labels,
        log_frequencies: log_frequencies(labels, classes),
        rows_of_the_fit: labels.len(),
        report,
        judged: Vec::new(),
    };
    compete(&mut judge, &rows, back, seed)?;

    let (weights, loss) = judge.pool();
    drop(sample);
    let sample = Sample::new(values, columns, device)?;
    let rows = Rows { sample: &sample, labels, classes };
    // Of use to several thresholds, or to none.
    let centroids = OnceLock::new();
    let mut members = Vec::new();
    for (weight, judged) in weights.into_iter().zip(judge.judged).filter(|(weight, _)| *weight > 0.0) {
        let head = judged.candidate.fit_again(&rows, || centroids.get_or_init(|| Centroids::of(&rows, back)), seed)?;
        members.push((weight, CalibratedHead { head, calibration: judged.calibration }));
    }
    Ok(Fitted { head: HeadPool { members }, loss })
}

/// Fits and judges all candidates.
fn compete(judge: &mut Judge<'_>, rows: &Rows<'_>, back: Option<&[f64]>, seed: u64) -> Result<()> {
    let Rows { sample, classes, .. } = rows;
    let columns = sample.points.columns();
    judge.judge(Candidate::Discriminant(GenerativeHead::discriminant(rows, Covariance::Tied)?))?;
    if columns <= MOST_DIMENSIONS && classes * columns * columns <= MOST_COVARIANCES {
        judge.judge(Candidate::Discriminant(GenerativeHead::discriminant(rows, Covariance::Full)?))?;
    }
    if centroids::are_means_noisy(sample.points.rows(), columns, *classes) {
        let centroids = Centroids::of(rows, back);
        for threshold in centroids::THRESHOLDS {
            judge.judge(Candidate::Centroids { head: centroids.head(threshold), threshold })?;
        }
    }
    for params in [NetworkParams::linear(), NetworkParams::hidden()] {
        let Trained { head, epochs } = NetworkHead::train_until(rows, (&judge.rows, &judge.labels), params, seed)?;
        judge.judge(Candidate::Network { head, params, epochs })?;
    }
    if columns <= MOST_DIMENSIONS {
        compete_mixtures(judge, rows, seed)?;
    }
    Ok(())
}

/// Fits and judges mixtures: of normal components, and of heavy-tailed ones where the rows have such tails.
fn compete_mixtures(judge: &mut Judge<'_>, rows: &Rows<'_>, seed: u64) -> Result<()> {
    let affordable = || COMPONENTS.into_iter().filter(|size| size * ROWS_OF_A_COMPONENT <= rows.sample.points.rows());
    let clustered = |size: usize, freedom: Option<f64>| {
        GenerativeHead::clustered(rows, size, freedom, &mut stream(seed, &format!("head mixture {size}")))
    };
    judge.judge_growing(affordable(), |size| clustered(size, None))?;
    if rows.sample.points.columns() <= MOST_HEAVY_TAILED_DIMENSIONS && are_tails_heavy(rows.sample) {
        let [first, others @ ..] = FREEDOMS;
        judge.judge(Candidate::Clustered(GenerativeHead::heavy_tailed(rows, first)?))?;
        let few = affordable().filter(|size| *size <= MOST_HEAVY_TAILED);
        let best = judge.judge_growing(few, |size| clustered(size, Some(first)))?;
        for (size, freedom) in best.into_iter().flat_map(|size| others.map(|freedom| (size, freedom))) {
            judge.judge(Candidate::Clustered(clustered(size, Some(freedom))?))?;
        }
    }
    Ok(())
}

/// Logarithms of the class frequencies; a class without rows counts as half a row.
pub(super) fn log_frequencies(labels: &[u32], classes: usize) -> Vec<f64> {
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
    use crate::points::single;
    use rand_distr::{Distribution, StandardNormal};
    use std::cell::RefCell;

    fn normal(rows: usize, name: &str) -> Vec<f64> {
        let mut random = stream(0, name);
        (0..rows * 3).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    fn data<'a>(values: &[f64], labels: &'a [u32], classes: usize) -> Data<'a> {
        Data { values: single(values), columns: 3, back: None, labels, classes }
    }

    #[test]
    fn features_that_say_nothing_give_next_to_no_information() {
        let values = normal(600, "noise");
        let labels: Vec<u32> = (0..600).map(|row| row % 3).collect();
        let fitted = fit(data(&values, &labels, 3), 0, &Device::Cpu, &|_, _| {}).unwrap();
        let fresh = Points::new(single(&normal(600, "fresh")), 3, &Device::Cpu).unwrap();
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
        let fitted = fit(data(&values, &labels, 2), 0, &Device::Cpu, &|name, _| names.borrow_mut().push(name)).unwrap();
        for kind in [
            "linear discriminant",
            "quadratic discriminant",
            "linear softmax",
            "network with 64 hidden units",
            "mixture of 2",
        ] {
            assert!(names.borrow().iter().any(|name| name == kind), "{kind}");
        }
        assert!(fitted.loss < 0.3, "{}", fitted.loss);
    }
}
