//! A scored split: terms, predictions and decompositions of its samples.

use crate::estimator::batch::{deviations, further_columns};
use crate::estimator::{Estimator, Scores, Seen, Shortfall};
use crate::features::{FeatureSet, MetadataColumn};
use lsmi_core::kind::kinds;
use lsmi_core::statistics::mean;
use lsmi_core::{Decomposition, Interaction, Kind, Measure, Terms};
use std::borrow::Cow;

use super::partial::in_order;
use super::{ExtraColumns, PartialSamples, Sample};
use crate::error::Result;

/// Terms, predictions and decompositions of the samples of one split.
#[derive(Debug)]
pub struct ScoredSplit {
    /// The name of the split.
    pub name: String,
    /// Its terms and predictions.
    pub scores: Scores,
    /// Its raw r, u1, u2 and s.
    pub decomposition: Decomposition,
    /// The same by the terms of each repeat alone; empty where there is one repeat.
    pub repeats: Vec<Decomposition>,
    /// The same by each measure of `--measures`.
    pub measures: Vec<(Measure, Decomposition)>,
    /// The names of the further columns of the file of samples.
    extra_names: Vec<String>,
    /// The standard deviations of r, u1, u2 and s over repeats, by each measure of `--measures`; empty where there is one
    /// repeat.
    deviations: Vec<[Vec<f64>; 4]>,
    /// The kind of every sample.
    pub kinds: Vec<Kind>,
    /// Rows that the models have seen, of splits that they have not been fitted to.
    pub seen: Vec<Seen>,
    /// The columns of the input that are carried along.
    pub metadata: Vec<MetadataColumn>,
    /// The rows of the split that lack a modality, of which nothing else here speaks; none if there are no such rows.
    pub partial: Option<PartialSamples>,
}

impl ScoredSplit {
    /// Decomposes samples that have their terms, by the estimator's measure and by `measures`.
    ///
    /// # Errors
    /// None but those of labels that are no classes of the estimator, which scores never have.
    pub fn new(name: &str, scores: Scores, estimator: &Estimator, measures: &[Measure]) -> lsmi_core::Result<Self> {
        let (labels, reference) = (&scores.labels, estimator.reference());
        let by = |measure: Measure, terms: &Terms| measure.decompose_with(terms, labels, reference);
        let of_repeats =
            |measure: Measure| scores.repeats.iter().map(|terms| by(measure, terms)).collect::<Vec<Decomposition>>();
        Ok(Self {
            name: name.to_owned(),
            decomposition: by(estimator.measure(), &scores.terms),
            repeats: of_repeats(estimator.measure()),
            measures: measures.iter().map(|measure| (*measure, by(*measure, &scores.terms))).collect(),
            kinds: kinds(&scores.terms, labels, &scores.predictions[2], estimator.prior())?,
            extra_names: further_columns(estimator, measures),
            deviations: measures
                .iter()
                .filter(|_| !scores.repeats.is_empty())
                .map(|measure| deviations(&of_repeats(*measure)))
                .collect(),
            metadata: Vec::new(),
            seen: Vec::new(),
            partial: None,
            scores,
        })
    }

    /// The same with columns of the input.
    #[must_use]
    pub fn with_metadata(self, metadata: &[MetadataColumn]) -> Self {
        Self { metadata: metadata.to_vec(), ..self }
    }

    /// The same with rows that the models have seen.
    #[must_use]
    pub fn with_seen(self, seen: Vec<Seen>) -> Self {
        Self { seen, ..self }
    }

    /// The same with the rows of the split that lack a modality.
    #[must_use]
    pub fn with_partial(self, partial: Option<PartialSamples>) -> Self {
        Self { partial, ..self }
    }

    /// The training rows of a fit, cross-fitted, and the estimator that knows what its means fall short of: they are scored
    /// in sample, too, by the models of all folds together, most of which saw them.
    ///
    /// # Errors
    /// As [`Estimator::score`].
    pub fn of_training(
        train: &FeatureSet,
        scores: Scores,
        estimator: Estimator,
        measures: &[Measure],
    ) -> Result<(Self, Estimator)> {
        let in_sample = estimator.score(train)?;
        Ok(Self::of_training_scores(scores, &in_sample, estimator, measures)?)
    }

    /// The same of rows that are scored in sample already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of_training_scores(
        scores: Scores,
        in_sample: &Scores,
        estimator: Estimator,
        measures: &[Measure],
    ) -> lsmi_core::Result<(Self, Estimator)> {
        let Scores { terms, labels, .. } = in_sample;
        let parts = estimator.measure().decompose_with(terms, labels, estimator.reference());
        let training = Self::new("train", scores, &estimator, measures)?;
        let (gained, held_out) = (columns(terms, &parts), columns(&training.scores.terms, &training.decomposition));
        let of_rows = |rows: &[usize]| {
            let mean_of = |values: &[f64]| mean(&rows.iter().map(|row| values[*row]).collect::<Vec<_>>());
            // A class without rows has no means.
            if rows.is_empty() {
                [0.0; 7]
            } else {
                std::array::from_fn(|column| (mean_of(gained[column]) - mean_of(held_out[column])) / 2.0)
            }
        };
        let by_class = training.rows_by_class(estimator.classes().len());
        let shortfall = Shortfall {
            overall: of_rows(&(0..labels.len()).collect::<Vec<_>>()),
            by_class: by_class.iter().map(|rows| of_rows(rows)).collect(),
        };
        Ok((training, estimator.with_shortfall(shortfall)))
    }

    /// The rows of each of so many classes.
    pub fn rows_by_class(&self, classes: usize) -> Vec<Vec<usize>> {
        let mut rows_of_class = vec![Vec::new(); classes];
        for (row, label) in self.scores.labels.iter().enumerate() {
            rows_of_class[*label as usize].push(row);
        }
        rows_of_class
    }

    /// Scores samples that the estimator was not fitted on.
    ///
    /// # Errors
    /// As [`Estimator::score`].
    pub fn score(name: &str, features: &FeatureSet, estimator: &Estimator, measures: &[Measure]) -> Result<Self> {
        Ok(Self::new(name, estimator.score(features)?, estimator, measures)?)
    }

    /// The rows of the file of samples; `classes` has the class names, `columns` are the further ones.
    pub fn samples<'a>(
        &'a self,
        classes: &'a [String],
        columns: &ExtraColumns,
    ) -> impl Iterator<Item = Sample<Cow<'a, str>>> + use<'a> {
        let metadata = columns.values_of(&self.metadata);
        let Scores { terms, folds, labels, predictions, .. } = &self.scores;
        let parts = &self.decomposition;
        let further = self.extra();
        let class = |index: u32| classes[index as usize].as_str();
        let of_complete = move |row: usize| Sample {
            fold: folds.as_ref().map(|folds| folds[row]),
            label: Cow::Borrowed(class(labels[row])),
            kind: Some(self.kinds[row]),
            further: further.iter().map(|column| Some(column[row])).collect(),
            metadata: metadata(row),
            ..Sample::of_terms(&self.name, terms, parts, row, predictions.each_ref().map(|of_head| class(of_head[row])))
        };
        in_order((&self.name, classes), self.partial.as_ref(), columns, terms.len(), of_complete)
    }

    /// The names of the further columns of the samples, as [`further_columns`] has them.
    pub fn extra_names(&self) -> &[String] {
        &self.extra_names
    }

    /// The further columns, in the order of their names.
    pub(crate) fn extra(&self) -> Vec<Cow<'_, [f64]>> {
        let mut columns = Vec::new();
        if !self.repeats.is_empty() {
            columns.extend(deviations(&self.repeats).map(Cow::Owned));
        }
        for (_, parts) in &self.measures {
            columns.extend(Interaction::ALL.map(|part| Cow::Borrowed(parts.values(part))));
        }
        columns.extend(self.deviations.iter().flatten().map(|values| Cow::Borrowed(values.as_slice())));
        columns
    }
}

/// The seven quantities of every sample: i1, i2, i12, r, u1, u2 and s.
pub(crate) fn columns<'a>(terms: &'a Terms, parts: &'a Decomposition) -> [&'a [f64]; 7] {
    [&terms.i1, &terms.i2, &terms.i12, &parts.r, &parts.u1, &parts.u2, &parts.s]
}
