//! Scored rows that lack a modality, among the samples of their split.

use std::borrow::Cow;

use super::{ExtraColumns, Sample};
use crate::error::Result;
use crate::estimator::{Estimator, OneModalityScores, PartialScores};
use crate::features::{MetadataColumn, PartialRows};

/// The rows of a split that lack a modality, scored.
#[derive(Debug, Clone)]
pub struct PartialSamples {
    /// The terms of the modality that each of them has.
    pub scores: PartialScores,
    /// The columns of the input that are carried along, of the rows that have x1 alone and of those that have x2 alone.
    metadata: [Vec<MetadataColumn>; 2],
}

/// A row of a split: the place of the modality that it has alone, if it lacks one, and its number among the rows alike.
type Place = (Option<usize>, usize);

impl PartialSamples {
    /// Takes scores of rows, with the columns that these carry along.
    pub fn new(scores: PartialScores, rows: &PartialRows) -> Self {
        Self { scores, metadata: rows.only.each_ref().map(|only| only.metadata.clone()) }
    }

    /// Scores rows that the estimator was not fitted on.
    ///
    /// # Errors
    /// As [`Estimator::score_partial`].
    pub fn score(rows: &PartialRows, estimator: &Estimator) -> Result<Self> {
        Ok(Self::new(estimator.score_partial(rows)?, rows))
    }

    /// Scores rows without labels.
    ///
    /// # Errors
    /// As [`Estimator::expect_partial`].
    pub fn expect(rows: &PartialRows, estimator: &Estimator) -> Result<Self> {
        Ok(Self::new(estimator.expect_partial(rows)?, rows))
    }

    /// Returns none of `rows` rows, which stand in a file where others lack a modality.
    pub fn none(rows: usize) -> Self {
        Self { scores: PartialScores::none(rows), metadata: [Vec::new(), Vec::new()] }
    }

    /// Returns all rows of a split in their order.
    fn order(&self) -> Vec<Place> {
        let mut order = vec![(None, 0); self.scores.rows];
        for (modality, only) in self.scores.only.iter().enumerate() {
            for (row, place) in only.places.iter().enumerate() {
                order[*place] = (Some(modality), row);
            }
        }
        let complete = order.iter_mut().filter(|(modality, _)| modality.is_none());
        complete.enumerate().for_each(|(row, place)| place.1 = row);
        order
    }

    /// Returns the row of the file of samples of a row that has one modality, without its metadata.
    fn sample<'a>(
        &'a self,
        split: &'a str,
        classes: &'a [String],
        modality: usize,
        row: usize,
    ) -> Sample<Cow<'a, str>> {
        let scores: &OneModalityScores = &self.scores.only[modality];
        let class = |index: u32| classes[index as usize].as_str();
        let label = scores.labels.get(row).map_or("", |label| class(*label));
        let prediction = class(scores.predictions[row]);
        Sample { label: Cow::Borrowed(label), ..Sample::of_one_modality(split, scores, modality, row, prediction) }
    }
}

/// Puts the rows that lack a modality among the `complete` rows of a split, whose samples `of_complete` makes; `numbers` is the
/// number of further columns of numbers.
pub(super) fn in_order<'a, Complete: Fn(usize) -> Sample<Cow<'a, str>>>(
    (split, classes): (&'a str, &'a [String]),
    partial: Option<&'a PartialSamples>,
    columns: &ExtraColumns,
    complete: usize,
    of_complete: Complete,
) -> impl Iterator<Item = Sample<Cow<'a, str>>> + use<'a, Complete> {
    let order = match partial {
        Some(partial) => partial.order(),
        None => (0..complete).map(|row| (None, row)).collect(),
    };
    let numbers = columns.numbers.len();
    let metadata =
        partial.map(|partial| [0, 1].map(|modality| columns.values_of_one(&partial.metadata[modality], modality)));
    order.into_iter().map(move |place| match (place, partial, &metadata) {
        ((Some(modality), row), Some(partial), Some(metadata)) => Sample {
            further: vec![None; numbers],
            metadata: metadata[modality](row),
            ..partial.sample(split, classes, modality, row)
        },
        ((_, row), ..) => of_complete(row),
    })
}
