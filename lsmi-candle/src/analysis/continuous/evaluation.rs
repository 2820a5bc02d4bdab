//! Samples with continuous targets that are scored beside those of the table.

use crate::analysis::AnalysisError;
use crate::analysis::evaluation::{check_columns, evaluated};
use crate::features::{Keys, Split, TargetFile};

impl TargetFile {
    /// Adds the rows of another file as a split called `name`: all of a file without splits, else its split `test`. `keys` name
    /// the arrays in messages.
    ///
    /// # Errors
    /// [`AnalysisError::SplitTaken`] if there is a split called `name`, [`AnalysisError::NoTestSplit`] if none of several splits
    /// is called `test`, [`AnalysisError::Features`] for another number of columns or targets, [`AnalysisError::NoTraining`] if
    /// there is no split `train`.
    pub fn with_evaluation(mut self, name: &str, other: Self, keys: &Keys) -> Result<Self, AnalysisError> {
        let file = || self.path.display().to_string();
        if self.split(name).is_some() {
            return Err(AnalysisError::SplitTaken { file: file(), split: name.to_owned() });
        }
        let train = self.split("train").ok_or_else(|| AnalysisError::NoTraining { file: file() })?;
        let Self { splits, metadata, path, .. } = other;
        let (split, metadata, _) = evaluated(splits, metadata, name, &path)?;
        let (rows, trained) = (split.features.inputs(), train.inputs());
        for (array, found, expected) in [
            (&keys.x1, rows.x1, trained.x1),
            (&keys.x2, rows.x2, trained.x2),
            (&keys.label, split.features.targets(), train.targets()),
        ] {
            check_columns(array, (&path, found), (&self.path, expected))?;
        }
        self.splits.push(split);
        self.metadata.push(Split { name: name.to_owned(), features: metadata });
        Ok(self)
    }
}
