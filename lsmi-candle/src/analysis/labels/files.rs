//! The files of an analysis of several labels: one of samples, of all labels, and an estimator for each.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::errors::ParquetError;

use super::LabelsAnalysis;
use crate::analysis::files::{SUMMARY, WriteError, samples_name, write_named};
use crate::samples::parquet::record_batch;
use crate::samples::{ExtraColumns, Format, Sample, write};

/// Characters of a label that its file name shows.
const MOST_CHARACTERS: usize = 40;

/// Returns the name of the file of an estimator, below the directory of the analysis: of the label at `place` of so many.
///
/// The number alone tells labels apart. What follows is for people: lower-case letters and digits of ASCII, so that no name
/// of a label can lead elsewhere or be too long for a file system.
///
/// ```
/// use lsmi_candle::analysis::labels::estimator_name;
///
/// assert_eq!(estimator_name(3, 12, "Night sky"), "labels/03-night-sky.safetensors");
/// assert_eq!(estimator_name(0, 1, "../../etc/passwd"), "labels/0-etc-passwd.safetensors");
/// assert_eq!(estimator_name(0, 1, ""), "labels/0.safetensors");
/// ```
pub fn estimator_name(place: usize, labels: usize, label: &str) -> String {
    let width = labels.saturating_sub(1).to_string().len();
    let mut name = format!("labels/{place:0width$}");
    let start = name.len();
    let mut is_new_word = true;
    for character in label.chars() {
        if name.len() - start >= MOST_CHARACTERS {
            break;
        }
        if character.is_ascii_alphanumeric() {
            if is_new_word {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        is_new_word = !character.is_ascii_alphanumeric();
    }
    name + ".safetensors"
}

impl LabelsAnalysis {
    /// Writes the samples of all labels, one label after the other: the columns of any file of samples, and `target`, the
    /// name of the label. A sample has a row for every label that is known of it.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write_samples(
        &self,
        output: &mut (impl Write + Send),
        format: Format,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let extra = self.extra();
        write::write(output, format, &extra, self.rows(&extra))
    }

    /// Returns the same samples as one table of columns.
    ///
    /// # Errors
    /// An error of Parquet's if the columns are too long for one table.
    pub fn samples(&self) -> Result<RecordBatch, ParquetError> {
        let extra = self.extra();
        record_batch(&extra, &self.rows(&extra).collect::<Vec<_>>())
    }

    /// Returns the columns beside those of any file of samples.
    fn extra(&self) -> ExtraColumns {
        let splits = || self.analyses.iter().flat_map(|(_, analysis)| analysis.splits());
        let numbers = splits().next().map(|split| split.extra_names().to_vec()).unwrap_or_default();
        let metadata = splits().flat_map(|split| &split.metadata);
        ExtraColumns::new(numbers, metadata.map(|column| (column.name.as_str(), column.values.kind())))
    }

    fn rows<'s>(&'s self, extra: &'s ExtraColumns) -> impl Iterator<Item = Sample<Cow<'s, str>>> {
        self.analyses.iter().flat_map(move |(_, analysis)| {
            let classes = analysis.estimator().classes().names();
            analysis.splits().iter().flat_map(|split| split.samples(classes, extra)).collect::<Vec<_>>()
        })
    }

    /// Writes `samples.csv`, `summary.json` and the [estimator of each label](estimator_name) to a directory, which is made if
    /// it is not there. Files of these names are replaced, and none is before all are written.
    ///
    /// # Errors
    /// [`WriteError`] if the file system refuses.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<(), WriteError> {
        let count = self.analyses.len();
        let estimators = self.analyses.iter().enumerate();
        let mut names: Vec<String> =
            estimators.map(|(place, (label, _))| estimator_name(place, count, label)).collect();
        names.extend([samples_name(Format::Csv), SUMMARY.to_owned()]);
        write_named(directory.as_ref(), &names, |place, output| match self.analyses.get(place) {
            Some((_, analysis)) => analysis.write_estimator(output),
            None if place == count => self.write_samples(output, Format::Csv),
            None => self.write_summary(output),
        })
    }

    /// Writes the summary as indented JSON.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_summary(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        serde_json::to_writer_pretty(&mut *output, self.summary())?;
        Ok(output.write_all(b"\n")?)
    }
}
