//! Computes the decomposition from the trained networks: numbers of every evaluation batch, and their averages.
//!
//! For a batch, with `p(y)` the class frequencies of the training rows,
//!
//! ```text
//! I_m  = mean KL(p(y|x_m) || p(y))        I_12 = mean KL(p(y|x1, x2) || p(y))
//! I_q  = I_q(X2; Y | X1) + mean_a sum_y p(y|x1_a) m[a, y] log((p(y|x1_a) + e) / (p(y) + e))
//! R = I_1 + I_2 - I_q,  U1 = I_q - I_2,  U2 = I_q - I_1,  S = I_12 - I_q
//! ```
//!
//! with `m` and `e` of the [loss](super::loss). No label of an evaluation row is used.

use lsmi_core::Means;
use lsmi_core::statistics::{mean, standard_deviation};
use serde::{Deserialize, Serialize};

use super::alignment::Alignment;
use super::discriminators::{Posteriors, TERMS};
use super::loss::Outcome;
use super::sinkhorn::EPSILON;
use super::{Params, Side};
use crate::error::{EstimatorError, Result};

/// Information about the label as the method computes it, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// The information of modality 1.
    pub i1: f64,
    /// The information of modality 2.
    pub i2: f64,
    /// The information of both.
    pub i12: f64,
    /// The information of both under the coupling q, the least that the posteriors of single modalities allow.
    pub i_q: f64,
}

impl Information {
    /// Returns R, U1, U2 and S.
    pub fn means(&self) -> Means {
        let Self { i1, i2, i12, i_q } = *self;
        Means { r: i1 + i2 - i_q, u1: i_q - i2, u2: i_q - i1, s: i12 - i_q }
    }
}

/// Sinkhorn iterations of evaluation: one run for every batch and class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SinkhornRuns {
    /// Runs.
    pub runs: usize,
    /// The mean number of iterations of a run.
    pub mean: f64,
    /// The largest number of iterations of a run.
    pub most: usize,
    /// Runs that ended without meeting the tolerance.
    pub unfinished: usize,
}

/// A decomposition by PID-Batch; all in nats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PidBatch {
    /// R, U1, U2 and S: averages over the batches, which may be below 0 unless [`Params::clamp`] is set.
    pub means: Means,
    /// The average information, from which they are computed.
    pub information: Information,
    /// Standard deviation of R, U1, U2 and S over the batches; none for a single one.
    pub spread: Option<Means>,
    /// The information of every evaluation batch.
    pub batches: Vec<Information>,
    /// The mean negative log posterior of the evaluation rows' labels given x1, x2 and both, in nats. `log K` means
    /// that a discriminator learned nothing; more, that it is confident and wrong, so that its information cannot be
    /// trusted.
    pub losses: [f64; 3],
    /// Sinkhorn iterations of evaluation.
    pub sinkhorn: SinkhornRuns,
}

/// Returns the numbers of all whole batches of rows, in their order.
pub(super) fn estimate(
    alignment: &Alignment<'_>,
    side: &Side<'_>,
    posteriors: &[Posteriors],
    log_prior: &[f64],
    params: &Params,
) -> Result<PidBatch> {
    let (mut batches, mut iterations, mut unfinished) = (vec![], vec![], 0);
    let order: Vec<u32> = (0..).take(side.samples.rows()).collect();
    for rows in order.chunks_exact(params.batch) {
        let (x1_posteriors, x2_posteriors) = (posteriors[0].by_class(rows), posteriors[1].by_class(rows));
        let outcome = alignment.evaluate(side, rows, [&x1_posteriors, &x2_posteriors])?;
        let [i1, i2, i12] = [0, 1, 2].map(|which| posteriors[which].information(rows, log_prior));
        let i_q = outcome.loss + coupling_information(&outcome, &x1_posteriors, log_prior);
        for (term, value) in TERMS.into_iter().chain(["i_q"]).zip([i1, i2, i12, i_q]) {
            if !value.is_finite() {
                let id = side.samples.ids.get(rows[0] as usize).into_owned();
                return Err(EstimatorError::NotFinite { term, id, value });
            }
        }
        batches.push(Information { i1, i2, i12, i_q });
        unfinished += outcome.unfinished;
        iterations.extend(outcome.iterations);
    }
    let of = |part: fn(&Information) -> f64| mean(&batches.iter().map(part).collect::<Vec<_>>());
    let information = Information { i1: of(|i| i.i1), i2: of(|i| i.i2), i12: of(|i| i.i12), i_q: of(|i| i.i_q) };
    let means = information.means();
    let clamped = |value: f64| if params.clamp { value.max(0.0) } else { value };
    Ok(PidBatch {
        means: Means { r: clamped(means.r), u1: clamped(means.u1), u2: clamped(means.u2), s: clamped(means.s) },
        information,
        spread: spread(&batches),
        losses: [0, 1, 2].map(|which| posteriors[which].log_loss(&side.samples.labels)),
        sinkhorn: SinkhornRuns {
            runs: iterations.len(),
            mean: iterations.iter().sum::<usize>() as f64 / iterations.len() as f64,
            most: iterations.iter().copied().max().unwrap_or(0),
            unfinished,
        },
        batches,
    })
}

/// Returns `mean_a sum_y p(y|x1_a) m[a, y] log((p(y|x1_a) + e) / (p(y) + e))`.
fn coupling_information(outcome: &Outcome<f32>, posteriors: &[f32], log_prior: &[f64]) -> f64 {
    let n = posteriors.len() / log_prior.len();
    let classes = posteriors.chunks_exact(n).zip(outcome.masses.chunks_exact(n)).zip(log_prior);
    let of_class = |((posteriors, masses), log_prior): ((&[f32], &[f32]), &f64)| {
        let log_prior = (log_prior.exp() + EPSILON).ln();
        let terms = posteriors.iter().zip(masses).map(|(posterior, mass)| {
            let posterior = f64::from(*posterior);
            posterior * f64::from(*mass) * ((posterior + EPSILON).ln() - log_prior)
        });
        terms.sum::<f64>()
    };
    classes.map(of_class).sum::<f64>() / n as f64
}

fn spread(batches: &[Information]) -> Option<Means> {
    let means: Vec<Means> = batches.iter().map(Information::means).collect();
    let of = |part: fn(&Means) -> f64| standard_deviation(&means.iter().map(part).collect::<Vec<_>>());
    (means.len() > 1).then(|| Means { r: of(|m| m.r), u1: of(|m| m.u1), u2: of(|m| m.u2), s: of(|m| m.s) })
}
