//! Rows that are scored beside those of the table, by models that have not seen them.

use std::path::Path;

use super::AnalysisError;
use crate::error::EstimatorError;
use crate::features::{FeatureError, FeatureFile, FeatureSet, Keys, MetadataColumn, PartialRows, Split};
use crate::numbers::matrix::Matrix;

/// Rows to evaluate, under the name of a split.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub(super) split: Split,
    /// The rows that lack a modality, if there are any.
    pub(super) partial: Option<PartialRows>,
    pub(super) metadata: Vec<MetadataColumn>,
    pub(super) file: String,
    pub(super) encoders: [Option<String>; 2],
}

impl Evaluation {
    /// Takes the rows of a file for evaluation, read with the classes of the training data: all of a file without splits,
    /// else its split `test`.
    ///
    /// `keys` name the arrays in messages.
    ///
    /// # Errors
    /// [`AnalysisError::SplitTaken`] if `training` has a split called `name`, [`AnalysisError::NoTestSplit`] if none of
    /// several splits is called `test`, [`AnalysisError::Features`] for another number of columns,
    /// [`AnalysisError::Rows`] if there are no logits where the training rows have them.
    pub fn new(name: &str, file: FeatureFile, training: &FeatureFile, keys: &Keys) -> Result<Self, AnalysisError> {
        if training.split(name).is_some() {
            let file = training.path.display().to_string();
            return Err(AnalysisError::SplitTaken { file, split: name.to_owned() });
        }
        let train = training_rows(training)?;
        let FeatureFile { path, splits, partial, metadata, .. } = file;
        let (split, metadata, chosen) = evaluated(splits, metadata, name, &path)?;
        let partial = partial.into_iter().find(|partial| partial.name == chosen).map(|partial| partial.features);
        check_columns(&keys.x1, (&path, &split.features.x1), (&training.path, &train.x1))?;
        check_columns(&keys.x2, (&path, &split.features.x2), (&training.path, &train.x2))?;
        let file = path.display().to_string();
        check_logits(train, &split.features).map_err(AnalysisError::about(&file))?;
        Ok(Self { split, partial, metadata, file, encoders: [None, None] })
    }

    /// Adds what made the features of each modality, as [`Data::encoders`](crate::features::Data::encoders) has it.
    #[must_use]
    pub fn with_encoders(self, encoders: [Option<String>; 2]) -> Self {
        Self { encoders, ..self }
    }

    /// Returns the rows, under their name.
    pub fn split(&self) -> &Split {
        &self.split
    }
}

/// Returns the split that an estimator is fitted on.
pub(super) fn training_rows(file: &FeatureFile) -> Result<&FeatureSet, AnalysisError> {
    file.split("train").ok_or_else(|| AnalysisError::NoTraining { file: file.path.display().to_string() })
}

/// What is evaluated of a file: the rows, the columns carried along with them, and the name that the file has for them.
type Evaluated<Samples> = (Split<Samples>, Vec<MetadataColumn>, String);

/// Chooses the rows of a file that are evaluated, under the name of a split, and what is carried along with them: all of a
/// file without splits, else its split `test`.
pub(super) fn evaluated<Samples>(
    splits: Vec<Split<Samples>>,
    metadata: Vec<Split<Vec<MetadataColumn>>>,
    name: &str,
    file: &Path,
) -> Result<Evaluated<Samples>, AnalysisError> {
    let found: Vec<String> = splits.iter().map(|split| split.name.clone()).collect();
    let chosen = match found.as_slice() {
        [_] => splits.into_iter().next(),
        _ => splits.into_iter().find(|split| split.name == "test"),
    };
    let split = chosen
        .ok_or_else(|| AnalysisError::NoTestSplit { file: file.display().to_string(), found: found.join(", ") })?;
    let metadata = metadata.into_iter().find(|columns| columns.name == split.name);
    let metadata = metadata.map(|columns| columns.features).unwrap_or_default();
    Ok((Split { name: name.to_owned(), features: split.features }, metadata, split.name))
}

/// Checks that rows to evaluate have as many columns in an array as the training rows; each with the file it came from.
pub(super) fn check_columns(array: &str, rows: (&Path, &Matrix), train: (&Path, &Matrix)) -> Result<(), FeatureError> {
    let ((file, found), (reference, expected)) = (rows, train);
    if expected.columns() == found.columns() {
        return Ok(());
    }
    Err(FeatureError::ColumnCount {
        file: file.display().to_string(),
        array: array.to_owned(),
        found: found.columns(),
        reference: format!("{array} of {}", reference.display()),
        expected: expected.columns(),
    })
}

/// Rows to evaluate have the logits that stand in for heads.
fn check_logits(train: &FeatureSet, features: &FeatureSet) -> Result<(), EstimatorError> {
    for (name, (expected, found)) in
        ["logits1", "logits2", "logits12"].into_iter().zip(train.logits.iter().zip(&features.logits))
    {
        if expected.is_some() && found.is_none() {
            return Err(EstimatorError::MissingLogits { name });
        }
    }
    Ok(())
}
