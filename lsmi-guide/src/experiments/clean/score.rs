//! By how much what is known of a sample contradicts its label.
//!
//! Where labels are wrong at random, the probability that a label is wrong falls with p(y|x1,x2) under the true posterior, so
//! the better the posterior, the better the ranking. The usual ranking, the loss of the joint model, has the errors of one
//! model. Here the heads of x1, x2 and both speak together: in the log-linear pool of least log loss on held-out rows
//! ([`GlobalWeights::stacked`]) each has the weight that it deserves, so that a head that knows nothing has none and the
//! joint head alone decides where there is only synergy. With [`late fusion`](Members::of_heads) a member, and up to the
//! class prior, the pooled evidence for class k is `w1 i1(k) + w2 i2(k) + w12 i12(k)`, and
//!
//! ```text
//! contradiction = max over k != y of log p(k|x1,x2) - log p(y|x1,x2)
//! ```
//!
//! is the evidence for another label over that for its own. The margin, not the loss, as it is large only where there is a
//! label that would do better: a sample that no label fits is hard, not wrong (Northcutt, Jiang and Chuang, "Confident
//! Learning", JAIR 2021, compare both).

use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

use super::descending;
use crate::experiments::ensemble::{EnsembleError, GlobalWeights, Members, Pool};
use crate::experiments::estimation::with_simplest_densities;
use crate::experiments::metrics::most_probable;

/// What speaks against the label of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The evidence for the best other class over that for the label, in nats; above 0 where another class is more probable.
    pub score: f64,
    /// The best other class.
    pub suggested: u32,
    /// Whether every single member finds a class other than the label more probable.
    pub by_all: bool,
}

/// A sample in the ranking of suspects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The sample.
    pub id: String,
    /// Its position in the data.
    pub row: usize,
    /// Its label.
    pub label: u32,
    /// What speaks against the label.
    #[serde(flatten)]
    pub contradiction: Contradiction,
    /// The class that each member finds most probable, in their order.
    pub says: Vec<u32>,
}

/// Measures what speaks against the label of every sample, in their order. `members` are held out: none of them has seen the samples,
/// as those of cross-fitted training rows ([`lsmi_candle::estimator::CrossFit::candidates`]).
///
/// # Errors
/// Those of [`GlobalWeights::stacked`], and [`EnsembleError::TooFew`] for fewer than two classes.
///
/// ```
/// use lsmi_guide::experiments::clean::contradictions;
/// use lsmi_guide::experiments::ensemble::Members;
///
/// let mut members = Members::new(4, 2);
/// members.push("x1", vec![2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0])?;
/// members.push("x2", vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])?;
/// let found = contradictions(&members, &[0, 1, 0, 1])?;
/// assert!(found[3].by_all && found[3].score > 0.0 && found[3].suggested == 0);
/// assert!(found[..3].iter().all(|sample| !sample.by_all && sample.score < 0.0));
/// # Ok::<(), lsmi_guide::experiments::ensemble::EnsembleError>(())
/// ```
pub fn contradictions(members: &Members, labels: &[u32]) -> Result<Vec<Contradiction>, EnsembleError> {
    if members.classes() < 2 {
        let expected = "at least 2".to_owned();
        return Err(EnsembleError::TooFew { what: "classes", found: members.classes(), expected });
    }
    let pooled = GlobalWeights::stacked(members, labels, Pool::LogLinear)?.predict(members)?;
    let contradict = |(row, (values, label)): (usize, (&[f64], &u32))| {
        let (suggested, score) = best_other(values, *label);
        let by_all =
            (0..members.len()).all(|member| best_other(members.log_probabilities(member, row), *label).1 > 0.0);
        Contradiction { score, suggested, by_all }
    };
    Ok(pooled.chunks_exact(members.classes()).zip(labels).enumerate().map(contradict).collect())
}

/// Ranks all samples, from the one whose label is most contradicted to the one whose label is most supported.
///
/// # Errors
/// Those of [`contradictions`], and [`EnsembleError::Rows`] for another number of ids.
pub fn suspects(ids: &SampleIds, members: &Members, labels: &[u32]) -> Result<Vec<Suspect>, EnsembleError> {
    if ids.len() != members.rows() {
        return Err(EnsembleError::Rows { what: "the ids", expected: members.rows(), found: ids.len() });
    }
    let found = contradictions(members, labels)?;
    let scores: Vec<f64> = found.iter().map(|sample| sample.score).collect();
    #[expect(clippy::cast_possible_truncation, reason = "labels are 32 bits wide, so there are no more classes")]
    let says = |row| -> Vec<u32> {
        (0..members.len()).map(|member| most_probable(members.log_probabilities(member, row)).0 as u32).collect()
    };
    let suspect = |row: usize| Suspect {
        id: ids.get(row).into_owned(),
        row,
        label: labels[row],
        contradiction: found[row],
        says: says(row),
    };
    Ok(descending(&scores).into_iter().map(suspect).collect())
}

/// Ranks samples by cross-fitted heads of x1, x2 and both and their late fusion, which are the members.
///
/// # Errors
/// Those of [`suspects`] and of the estimator, such as for a class of fewer samples than folds.
pub fn find_suspects(
    samples: &FeatureSet,
    classes: &Classes,
    settings: &estimator::Settings,
) -> Result<Vec<Suspect>, EnsembleError> {
    let fit = cross_fit(samples, classes, &with_simplest_densities(settings.clone()), None)?;
    let members = Members::of_heads(&fit.candidates(samples)?, fit.estimator.prior())?;
    suspects(&samples.ids, &members, &samples.labels)
}

/// The most probable class but the label, the first of equals, and the margin by which it is more probable.
fn best_other(log_probabilities: &[f64], label: u32) -> (u32, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, value) in (0..).zip(log_probabilities) {
        if class != label && *value > best.1 {
            best = (class, *value);
        }
    }
    (best.0, best.1 - log_probabilities[label as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_knows_nothing_has_no_say() {
        // x1 says the opposite of the label half of the time; the joint head is right but for row 7.
        let labels = [0, 1, 0, 1, 0, 1, 0, 1];
        let sure = |class: u32| if class == 0 { [3.0, 0.0] } else { [0.0, 3.0] };
        let mut members = Members::new(8, 2);
        members.push("x1", [0, 0, 1, 1, 0, 0, 1, 1].map(sure).concat()).unwrap();
        members.push("joint", [0, 1, 0, 1, 0, 1, 0, 0].map(sure).concat()).unwrap();
        let ranked = suspects(&SampleIds::rows(8), &members, &labels).unwrap();
        assert_eq!((ranked[0].id.as_str(), ranked[0].contradiction.suggested), ("7", 0));
        assert_eq!((ranked[0].label, ranked[0].says.as_slice()), (1, [1, 0].as_slice()));
        assert!(ranked[1].contradiction.score < 0.0);
        assert!(!ranked[0].contradiction.by_all, "x1 supports the label");
    }

    #[test]
    fn what_cannot_be_ranked_is_refused() {
        let mut members = Members::new(2, 1);
        members.push("x1", vec![0.0; 2]).unwrap();
        assert!(matches!(contradictions(&members, &[0, 0]), Err(EnsembleError::TooFew { what: "classes", .. })));
        let mut members = Members::new(2, 2);
        members.push("x1", vec![0.0; 4]).unwrap();
        let error = suspects(&SampleIds::rows(3), &members, &[0, 0]).unwrap_err();
        assert!(matches!(error, EnsembleError::Rows { what: "the ids", expected: 2, found: 3 }));
    }
}
