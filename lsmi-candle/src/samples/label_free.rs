//! A split scored without labels: expectations over the labels that each sample could have.

use std::borrow::Cow;

use lsmi_core::{Decomposition, SampleIds};

use crate::EstimatorError;
use crate::estimator::{Candidates, Estimator, Expected, Scores};
use crate::features::{MetadataColumn, Split, Unlabelled};

use super::partial::in_order;
use super::{ExtraColumns, PartialSamples, Sample};

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
    /// The rows of the split that lack a modality; none if there are no such rows.
    pub partial: Option<PartialSamples>,
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
        Ok(Self { name: split.name.clone(), candidates, expected, metadata: metadata.to_vec(), partial: None })
    }

    /// No samples of a split, whose rows all lack a modality.
    pub fn none(name: &str, estimator: &Estimator) -> Self {
        let (ids, none) = (SampleIds::rows(0), Vec::new);
        let candidates = Candidates {
            ids: ids.clone(),
            surprisals: Default::default(),
            information: Default::default(),
            probabilities: none(),
            predictions: Default::default(),
            classes: estimator.classes().len(),
        };
        let decomposition = Decomposition { ids, r: none(), u1: none(), u2: none(), s: none() };
        let expected = Expected { terms: Scores::none().terms, decomposition };
        Self { name: name.to_owned(), candidates, expected, metadata: Vec::new(), partial: None }
    }

    /// The same with the rows of the split that lack a modality.
    #[must_use]
    pub fn with_partial(self, partial: Option<PartialSamples>) -> Self {
        Self { partial, ..self }
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
        let of_complete = move |row: usize| Sample {
            metadata: metadata(row),
            ..Sample::of_terms(
                &self.name,
                terms,
                parts,
                row,
                predictions.each_ref().map(|of_head| classes[of_head[row] as usize].as_str()),
            )
        };
        in_order((&self.name, classes), self.partial.as_ref(), columns, terms.len(), of_complete)
    }
}
