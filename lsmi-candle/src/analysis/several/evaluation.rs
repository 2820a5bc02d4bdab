//! Samples of several modalities that are scored beside those of the table.

use crate::analysis::AnalysisError;
use crate::analysis::evaluation::{check_columns, evaluated};
use crate::features::{SeveralFile, Split};

impl SeveralFile {
    /// Adds the rows of another file, read with the modalities and classes of this one, as a split called `name`: all of a file
    /// without splits, else its split `test`.
    ///
    /// # Errors
    /// [`AnalysisError::SplitTaken`] if there is a split called `name`, [`AnalysisError::NoTestSplit`] if none of several splits
    /// is called `test`, [`AnalysisError::Features`] for another number of columns, [`AnalysisError::NoTraining`] if there is no
    /// split `train`.
    pub fn with_evaluation(mut self, name: &str, other: Self) -> Result<Self, AnalysisError> {
        let file = || self.path.display().to_string();
        if self.split(name).is_some() {
            return Err(AnalysisError::SplitTaken { file: file(), split: name.to_owned() });
        }
        let train = self.split("train").ok_or_else(|| AnalysisError::NoTraining { file: file() })?;
        let Self { splits, metadata, path, .. } = other;
        let (split, metadata, _) = evaluated(splits, metadata, name, &path)?;
        for ((array, found), expected) in self.names.iter().zip(&split.features.modalities).zip(&train.modalities) {
            check_columns(array, (&path, found), (&self.path, expected))?;
        }
        self.splits.push(split);
        self.metadata.push(Split { name: name.to_owned(), features: metadata });
        Ok(self)
    }
}
