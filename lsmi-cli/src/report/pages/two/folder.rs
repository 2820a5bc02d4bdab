//! What a directory of `analyze` holds of two modalities, read back: the summary, the samples, and how they were made.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use lsmi_core::{Interaction, Kind};
use serde_json::Value;

use crate::output::made::Made;
use crate::process::failure::Failure;
use crate::report::decomposed::place_of;
use crate::report::pages::files::{Files, FolderError};
use lsmi_candle::analysis::Analysis;
use lsmi_candle::analysis::summary::{SplitSummary, Summary};
use lsmi_candle::samples::read::{Need, SamplesError, Wanted, read_splits};

/// The files of an analysis.
#[derive(Debug)]
pub(crate) struct Folder {
    /// `summary.json`.
    pub(crate) summary: Summary,
    /// The same as it stands in the file, to look values up by their paths.
    pub(crate) json: Value,
    /// The samples of each split, in the order of the summary.
    pub(crate) samples: Vec<Samples>,
    /// `made.json`, where there is one.
    pub(crate) made: Option<Made>,
}

/// The samples of a split, in the order of the file.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Samples {
    pub(crate) ids: Vec<String>,
    /// Their classes, as places in the summary's list.
    pub(crate) labels: Vec<u32>,
    /// The classes that the head of both finds most probable.
    pub(crate) predictions: Vec<u32>,
    pub(crate) kinds: Vec<Kind>,
    /// r, u1, u2 and s.
    pub(crate) parts: [Vec<f64>; 4],
}

impl Samples {
    /// The values of an interaction.
    pub(crate) fn values(&self, interaction: Interaction) -> &[f64] {
        &self.parts[place_of(interaction)]
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

impl Folder {
    /// Takes an analysis that is in memory.
    pub(crate) fn of_analysis(analysis: &Analysis) -> Result<Self, serde_json::Error> {
        let samples = analysis.splits().iter().map(|split| Samples {
            ids: split.scores.terms.ids.iter().map(Cow::into_owned).collect(),
            labels: split.scores.labels.clone(),
            predictions: split.scores.predictions[2].clone(),
            kinds: split.kinds.clone(),
            parts: Interaction::ALL.map(|interaction| split.decomposition.values(interaction).to_vec()),
        });
        let summary = analysis.summary().clone();
        Ok(Self { json: serde_json::to_value(&summary)?, summary, samples: samples.collect(), made: None })
    }

    /// Reads the files of a directory.
    pub(crate) fn read(files: Files) -> Result<Self, Failure> {
        let summary: Summary = files.summary()?;
        let samples = read_samples(&files.samples("samples")?, &summary)?;
        for ((split, of_split), found) in summary.splits.iter().zip(&samples) {
            let (expected, found) = (of_split.n, found.len());
            if expected != found {
                let (directory, split) = (files.directory.display().to_string(), split.clone());
                return Err(FolderError::Mismatch { directory, split, expected, found }.into());
            }
        }
        Ok(Self { json: files.json, summary, samples, made: files.made })
    }

    /// The file of a table that stands in the directory and says what the samples are.
    pub(crate) fn own_table(&self, directory: &Path) -> Option<(PathBuf, Vec<String>)> {
        let table = self.made.as_ref()?.table.as_ref()?;
        // Only a file of this directory, whatever the name says.
        let name = Path::new(&table.file).file_name()?;
        Some((directory.join(name), table.text.clone()))
    }
}

/// The samples of every split of the summary.
fn read_samples(path: &Path, summary: &Summary) -> Result<Vec<Samples>, SamplesError> {
    let file = path.display().to_string();
    let wanted = Wanted {
        values: &["r", "u1", "u2", "s"],
        split: Need::Required,
        label: Need::Required,
        prediction: Need::Required,
        kind: Need::Required,
    };
    let mut found = read_splits(path, wanted)?;
    let samples = |(name, _): &(String, SplitSummary)| {
        let samples = found.remove(name).unwrap_or_default();
        let classes = |names: &[String], column: &str| {
            let class = |(name, row): (&String, &usize)| {
                let class = summary.classes.iter().position(|class| class == name);
                class.and_then(|class| u32::try_from(class).ok()).ok_or_else(|| SamplesError::Value {
                    file: file.clone(),
                    row: *row,
                    column: column.to_owned(),
                    found: name.clone(),
                    expected: "a class of summary.json",
                })
            };
            names.iter().zip(&samples.rows).map(class).collect::<Result<Vec<u32>, _>>()
        };
        let mut values = samples.values.iter().cloned();
        Ok(Samples {
            labels: classes(&samples.labels, "label")?,
            predictions: classes(&samples.predictions, "pred12")?,
            kinds: samples.kinds.iter().copied().flatten().collect(),
            parts: std::array::from_fn(|_| values.next().unwrap_or_default()),
            ids: samples.ids,
        })
    };
    let splits = summary.splits.iter().map(samples).collect::<Result<Vec<_>, _>>()?;
    if let Some((name, samples)) = found.pop_first() {
        let row = samples.rows.first().copied().unwrap_or_default();
        let expected = "a split of summary.json";
        return Err(SamplesError::Value { file, row, column: "split".to_owned(), found: name, expected });
    }
    Ok(splits)
}
