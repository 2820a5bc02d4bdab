//! Terms and predictions of rows with continuous targets.

use lsmi_core::{SampleIds, Terms};

use super::answers::Answers;
use crate::error::Result;
use crate::estimator::scoring::check_finite;
use crate::features::{Groups, TargetSet};

/// Terms and predictions of rows, in the order of the rows, for one target or several jointly.
#[derive(Debug, Clone, PartialEq)]
pub struct ContinuousScores {
    /// The terms h1, h2, i1, i2, i12, in nats, by id: from the densities averaged over all repeats.
    pub terms: Terms,
    /// The terms from each repeat alone; empty if there is one repeat.
    pub repeats: Vec<Terms>,
    /// The fold that held each row out (in the first repeat), for training rows; rows scored by all folds together have
    /// none.
    pub folds: Option<Vec<u32>>,
    /// The number of each row's group, where some belong together.
    pub groups: Option<Vec<u32>>,
    /// The columns of the targets, among those of the samples.
    pub columns: Vec<usize>,
    /// The targets, `[n, L]`, row-major.
    pub targets: Vec<f64>,
    /// The means of the predictive distributions given x1, x2 and both, in the target's units, `[n, L]`, row-major. With several
    /// targets jointly, each is predicted from the targets before it, too.
    pub predictions: [Vec<f64>; 3],
    /// The probability integral transforms `F(y|x)` given x1, x2 and both, `[n, L]`, row-major: uniform on 0 to 1 if the
    /// predictive distributions are calibrated (Dawid 1984; jointly, that of Rosenblatt 1952).
    pub transforms: [Vec<f64>; 3],
    /// `log p(y|x)` given x1, x2 and both, in nats and in the target's units, `[n]`.
    pub log_densities: [Vec<f64>; 3],
}

impl ContinuousScores {
    /// Puts together the answers of every repeat.
    pub(super) fn new(
        samples: &TargetSet,
        columns: &[usize],
        scales: &[[f64; 2]],
        repeats: &[Answers],
        assignments: Option<&[Vec<u32>]>,
    ) -> Result<Self> {
        let ids = &samples.inputs().ids;
        let each = if repeats.len() > 1 {
            repeats.iter().map(|answers| terms(ids, answers)).collect::<Result<_>>()?
        } else {
            Vec::new()
        };
        let all = Answers::averaged(repeats);
        let log_jacobian: f64 = scales.iter().map(|[_, deviation]| deviation.ln()).sum();
        let density = |head: usize| all.log_densities[3 + head].iter().map(|value| value - log_jacobian).collect();
        let in_units = |values: &Vec<f64>| -> Vec<f64> {
            values
                .iter()
                .zip(scales.iter().cycle())
                .map(|(value, [mean, deviation])| mean + deviation * value)
                .collect()
        };
        let groups = samples.samples().groups.as_ref();
        let targets = samples.targets();
        Ok(Self {
            terms: terms(ids, &all)?,
            repeats: each,
            folds: assignments.map(|assignments| assignments[0].clone()),
            groups: groups.filter(|groups| !groups.are_single_rows()).map(Groups::numbers),
            columns: columns.to_vec(),
            targets: (0..samples.rows())
                .flat_map(|row| columns.iter().map(move |column| targets.row(row)[*column]))
                .collect(),
            predictions: all.means.each_ref().map(in_units),
            log_densities: [density(0), density(1), density(2)],
            transforms: all.transforms,
        })
    }

    /// Returns the mean negative log density of the targets under each head, in nats and in the target's units: x1, x2, both.
    pub fn negative_log_likelihood(&self) -> [f64; 3] {
        self.log_densities.each_ref().map(|values| -lsmi_core::statistics::mean(values))
    }

    /// Returns the share of the targets' variance that predicted means explain, `1 - sum (y - m)^2 / sum (y - mean)^2`, under
    /// each head: x1, x2, both. Of several targets, the mean share.
    pub fn r_squared(&self) -> [f64; 3] {
        let count = self.columns.len();
        self.predictions.each_ref().map(|predictions| {
            let of = |column: usize| {
                let values = || self.targets.iter().skip(column).step_by(count);
                let mean = values().sum::<f64>() / values().count() as f64;
                let total: f64 = values().map(|value| (value - mean).powi(2)).sum();
                let left: f64 = values()
                    .zip(predictions.iter().skip(column).step_by(count))
                    .map(|(value, predicted)| (value - predicted).powi(2))
                    .sum();
                1.0 - left / total
            };
            (0..count).map(of).sum::<f64>() / count as f64
        })
    }
}

/// Returns the terms of rows.
fn terms(ids: &SampleIds, answers: &Answers) -> Result<Terms> {
    let [x1, x2, marginal, heads @ ..] = &answers.log_densities;
    let surprisal = |values: &Vec<f64>| -> Vec<f64> { values.iter().map(|value| -value).collect() };
    let information = |values: &Vec<f64>| -> Vec<f64> {
        values.iter().zip(marginal).map(|(conditional, marginal)| conditional - marginal).collect()
    };
    let (h1, h2) = (surprisal(x1), surprisal(x2));
    let [i1, i2, i12] = heads.each_ref().map(information);
    check_finite(ids, 1, &[("h1", &h1), ("h2", &h2), ("i1", &i1), ("i2", &i2), ("i12", &i12)])?;
    Ok(Terms::new(ids.clone(), h1, h2, i1, i2, i12)?)
}
