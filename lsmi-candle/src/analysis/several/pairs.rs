//! The pairs of modalities, each analysed as two modalities are, from the terms that all sets share.

use lsmi_core::{Measure, Subset};

use super::ScoredRows;
use crate::analysis::names::{Names, Words};
use crate::analysis::summary::Summary;
use crate::error::Result;
use crate::estimator::Shortfall;
use crate::estimator::several::{SeveralEstimator, SeveralFit};
use crate::features::SeveralSet;
use crate::samples::ScoredSplit;

/// What is known of a pair of modalities.
pub(super) struct PairAnalysis {
    pub(super) pair: Subset,
    pub(super) splits: Vec<ScoredSplit>,
    pub(super) summary: Summary,
}

impl PairAnalysis {
    /// Decomposes and summarises rows, which an estimator scored, by every pair of its modalities.
    pub(super) fn of_all(
        estimator: &SeveralEstimator,
        rows: &[ScoredRows],
        measures: &[Measure],
        label: &str,
    ) -> Result<Vec<Self>> {
        let pairs = estimator.description().pairs.keys();
        pairs.map(|pair| Self::new(estimator, rows, *pair, measures, label)).collect()
    }

    fn new(
        estimator: &SeveralEstimator,
        rows: &[ScoredRows],
        pair: Subset,
        measures: &[Measure],
        label: &str,
    ) -> Result<Self> {
        let of_pair = estimator.pair(pair)?;
        let split = |rows: &ScoredRows| ScoredSplit::new(&rows.name, rows.scores.pair(pair)?, &of_pair, measures);
        let splits = rows.iter().map(split).collect::<lsmi_core::Result<Vec<_>>>()?;
        let modalities = &estimator.description().modalities;
        let mut names = pair.members().filter_map(|member| modalities.get(member).cloned());
        let names = Names { x1: names.next().unwrap_or_default(), x2: names.next().unwrap_or_default() };
        let words = Words { names: &names, label };
        let summary = Summary::new(&of_pair, &splits)?.with_words(words).with_warnings();
        Ok(Self { pair, splits, summary })
    }
}

/// Returns what the means of every pair fall short of: the training rows are scored in sample, too.
pub(super) fn shortfalls(fit: &SeveralFit, train: &SeveralSet) -> Result<Vec<(Subset, Shortfall)>> {
    let in_sample = fit.estimator.score(train)?;
    let of_pair = |pair: Subset| {
        let (scores, estimator) = (fit.scores.pair(pair)?, fit.estimator.pair(pair)?);
        let (_, estimator) = ScoredSplit::of_training_scores(scores, &in_sample.pair(pair)?, estimator, &[])?;
        Ok(estimator.description().shortfall.clone().map(|shortfall| (pair, shortfall)))
    };
    fit.scores.pairs().filter_map(|pair| of_pair(pair).transpose()).collect()
}
