//! The files of an analysis of several labels: one of samples, of all labels, and an estimator for each.

use std::error::Error;
use std::io::Write;

use super::LabelsAnalysis;
use crate::samples::{ExtraColumns, Format, write};

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
        let splits = || self.analyses.iter().flat_map(|(_, analysis)| analysis.splits());
        let numbers = splits().next().map(|split| split.extra_names().to_vec()).unwrap_or_default();
        let metadata = splits().flat_map(|split| &split.metadata);
        let extra = ExtraColumns::new(numbers, metadata.map(|column| (column.name.as_str(), column.values.kind())));
        let samples = self.analyses.iter().flat_map(|(_, analysis)| {
            let classes = analysis.estimator().classes().names();
            analysis.splits().iter().flat_map(|split| split.samples(classes, &extra)).collect::<Vec<_>>()
        });
        write::write(output, format, &extra, samples)
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
