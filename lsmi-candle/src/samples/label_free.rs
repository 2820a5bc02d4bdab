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
        let predictions = &self.candidates.predictions;
        (0..terms.len()).map(move |row| Sample {
            metadata: metadata(row),
            ..Sample::of_terms(
                &self.name,
                terms,
                parts,
                row,
                predictions.each_ref().map(|of_head| classes[of_head[row] as usize].as_str()),
            )
        })
    }
}
