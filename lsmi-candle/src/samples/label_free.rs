//! A split scored without labels: expectations over the labels that each sample could have.

use std::borrow::Cow;

use crate::EstimatorError;
use crate::estimator::{Candidates, Estimator, Expected};
use crate::features::{MetadataColumn, Split, Unlabelled};

use super::{ExtraColumns, Sample};

/// What is known of the samples of one split without their labels.
#[derive(Debug)]
pub struct ExpectedSplit {
    /// The name of the split.
    pub name: String,
    /// The terms of every label that a sample could have.
    pub candidates: Candidates,
    /// Their expectations under the joint head.
    pub expected: Expected,
    /// The columns of the input that are carried along.
    pub metadata: Vec<MetadataColumn>,
}

impl ExpectedSplit {
    /// Scores samples without labels, with columns of the input.
    ///
    /// # Errors
    /// As [`Estimator::candidates`].
    pub fn new(
        split: &Split<Unlabelled>,
        estimator: &Estimator,
        metadata: &[MetadataColumn],
    ) -> Result<Self, EstimatorError> {
        let candidates = estimator.candidates(&split.features)?;
        let expected = estimator.expect(&candidates)?;
        Ok(Self { name: split.name.clone(), candidates, expected, metadata: metadata.to_vec() })
    }

    /// The rows of the file of samples, with no label, no fold and no kind; `classes` has the class names, `columns` are
    /// the further ones.
    pub fn samples<'a>(
        &'a self,
        classes: &'a [String],
        columns: &ExtraColumns,
    ) -> impl Iterator<Item = Sample<Cow<'a, str>>> + use<'a> {
        let metadata = columns.values_of(&self.metadata);
        let Expected { terms, decomposition: parts } = &self.expected;
        let class =
            |head: usize, row: usize| Cow::Borrowed(classes[self.candidates.predictions[head][row] as usize].as_str());
        terms.ids.iter().enumerate().map(move |(row, id)| Sample {
            id,
            split: Cow::Borrowed(self.name.as_str()),
            fold: None,
            label: Cow::Borrowed(""),
            h1: terms.h1[row],
            h2: terms.h2[row],
            i1: terms.i1[row],
            i2: terms.i2[row],
            i12: terms.i12[row],
            r: parts.r[row],
            u1: parts.u1[row],
            u2: parts.u2[row],
            s: parts.s[row],
            pred1: class(0, row),
            pred2: class(1, row),
            pred12: class(2, row),
            kind: None,
            further: Vec::new(),
            metadata: metadata(row),
        })
    }
}
