//! A scored split: terms, predictions and decomposition of its samples.

use std::borrow::Cow;
use std::path::Path;

use lsmi_candle::estimator::{Estimator, Scores};
use lsmi_candle::features::{FeatureSet, Split};
use lsmi_core::Decomposition;

use crate::console;
use crate::failure::Failure;
use crate::output::samples::Sample;

/// Terms, predictions and decomposition of the samples of one split.
#[derive(Debug)]
pub(crate) struct ScoredSplit {
    /// The name of the split.
    pub(crate) name: String,
    /// Its terms and predictions.
    pub(crate) scores: Scores,
    /// Its raw r, u1, u2 and s.
    pub(crate) decomposition: Decomposition,
}

impl ScoredSplit {
    /// Decomposes samples that have their terms.
    pub(crate) fn new(name: &str, scores: Scores, estimator: &Estimator) -> Self {
        let decomposition = estimator.measure().decompose_with(&scores.terms, &scores.labels, estimator.reference());
        Self { name: name.to_owned(), scores, decomposition }
    }

    /// Scores samples that were read from `file`; says so if they are the very ones that the estimator was fitted on.
    pub(crate) fn score(
        name: &str,
        features: &FeatureSet,
        estimator: &Estimator,
        file: &Path,
    ) -> Result<Self, Failure> {
        if features.hash() == estimator.description().data_hash {
            console::say(&format!(
                "warning: {}: these are the rows that the estimator was fitted on: their values are far too good; \
                 `lsmi analyze` gives those of models that did not see them",
                file.display()
            ));
        }
        let scores = estimator.score(features).map_err(|error| Failure::from(error).about(file))?;
        Ok(Self::new(name, scores, estimator))
    }

    /// The rows of the file of samples; `classes` has the class names.
    pub(crate) fn samples<'a>(&'a self, classes: &'a [String]) -> impl Iterator<Item = Sample<Cow<'a, str>>> {
        let Scores { terms, folds, labels, predictions, .. } = &self.scores;
        let parts = &self.decomposition;
        let class = |index: u32| Cow::Borrowed(classes[index as usize].as_str());
        terms.ids.iter().enumerate().map(move |(row, id)| Sample {
            id,
            split: Cow::Borrowed(self.name.as_str()),
            fold: folds.as_ref().map(|folds| folds[row]),
            label: class(labels[row]),
            h1: terms.h1[row],
            h2: terms.h2[row],
            i1: terms.i1[row],
            i2: terms.i2[row],
            i12: terms.i12[row],
            r: parts.r[row],
            u1: parts.u1[row],
            u2: parts.u2[row],
            s: parts.s[row],
            pred1: class(predictions[0][row]),
            pred2: class(predictions[1][row]),
            pred12: class(predictions[2][row]),
        })
    }
}

/// The samples of a file for evaluation, under the name `name`: all of a file without splits, else its split `test`.
pub(crate) fn evaluation_rows(splits: Vec<Split>, name: &str, file: &Path) -> Result<Split, Failure> {
    let found: Vec<String> = splits.iter().map(|split| split.name.clone()).collect();
    let chosen = match found.as_slice() {
        [_] => splits.into_iter().next(),
        _ => splits.into_iter().find(|split| split.name == "test"),
    };
    let split = chosen.ok_or_else(|| {
        let found = found.join(", ");
        Failure::data(format!("of several splits `test` is evaluated, but there are only {found}; rename one of them"))
            .about(file)
    })?;
    Ok(Split { name: name.to_owned(), features: split.features })
}
