//! Samples with several labels that are scored beside those of the table.

use crate::analysis::{AnalysisError, Evaluation};
use crate::features::{Keys, LabelsFile, Split};

impl LabelsFile {
    /// Adds the rows of another file, read with the labels of this one, as a split called `name`: all of a file without
    /// splits, else its split `test`.
    ///
    /// # Errors
    /// As [`Evaluation::new`].
    pub fn with_evaluation(mut self, name: &str, other: Self, keys: &Keys) -> Result<Self, AnalysisError> {
        let Self { table, labels } = other;
        let chosen = match table.splits.as_slice() {
            [only] => only.name.clone(),
            _ => "test".to_owned(),
        };
        let Evaluation { split, metadata, .. } = Evaluation::new(name, table, &self.table, keys)?;
        let chosen = labels.into_iter().find(|labels| labels.name == chosen);
        self.labels.extend(chosen.map(|labels| Split { name: name.to_owned(), ..labels }));
        self.table.splits.push(split);
        self.table.metadata.push(Split { name: name.to_owned(), features: metadata });
        Ok(self)
    }
}
