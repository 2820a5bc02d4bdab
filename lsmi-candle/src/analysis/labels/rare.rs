//! Rare labels: those of which too few training rows have either value, refused or pooled as declared.

use super::LabelsSettings;
use crate::analysis::AnalysisError;
use crate::features::{LabelMatrix, LabelsFile, Rare, Split};

/// What the pool is called, unless a label has this name.
const NAME: &str = "(any rare label)";
/// Names of pooled labels that a note lists.
const LISTED: usize = 5;

/// The labels that are analysed.
pub(super) struct Usable {
    /// Of every split, with the pool in the place of rare ones.
    pub(super) labels: Vec<Split<LabelMatrix>>,
    pub(super) pool: Pool,
    pub(super) notes: Vec<String>,
}

/// What became one label, if anything did.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool {
    /// The names of the labels that were pooled.
    pub(super) pooled: Vec<String>,
    /// The names of all labels of the file, in the order of its columns, where some were pooled.
    pub(super) columns: Vec<String>,
}

/// Returns the labels that can be analysed, or the error that one cannot.
pub(super) fn usable(file: &LabelsFile, settings: &LabelsSettings) -> Result<Usable, AnalysisError> {
    let path = file.table.path.display().to_string();
    let least = settings.least.unwrap_or(settings.analysis.fit.folds);
    let labels = file.labels.clone();
    let Some(train) = file.labels_of("train") else { return Err(AnalysisError::NoTraining { file: path }) };
    let counts: Vec<[usize; 2]> = (0..train.names().len()).map(|label| train.counts(label)).collect();
    let is_rare: Vec<bool> = counts.iter().map(|counts| counts.iter().any(|count| *count < least)).collect();
    let Some(first) = is_rare.iter().position(|is_rare| *is_rare) else {
        return Ok(Usable { labels, pool: Pool::default(), notes: Vec::new() });
    };
    if settings.rare != Rare::Pool {
        let label = train.names()[first].clone();
        return Err(AnalysisError::RareLabel { file: path, label, counts: counts[first], least });
    }
    let taken = train.names();
    let mut numbered = (2..).map(|number| format!("(any rare label {number})"));
    let mut name = NAME.to_owned();
    while taken.contains(&name) {
        name = numbered.next().unwrap_or_default();
    }
    let pooled: Vec<String> =
        taken.iter().zip(&is_rare).filter(|(_, is_rare)| **is_rare).map(|(name, _)| name.clone()).collect();
    let labels: Vec<Split<LabelMatrix>> = labels
        .into_iter()
        .map(|split| Split { features: split.features.with_any_of(&is_rare, name.clone()), ..split })
        .collect();
    let pool = labels.iter().find(|split| split.name == "train").map(|split| &split.features);
    let counts = pool.map_or([0; 2], |labels| labels.counts(labels.names().len() - 1));
    if counts.iter().any(|count| *count < least) {
        return Err(AnalysisError::RareLabels { file: path, labels: pooled.len(), counts, least });
    }
    let notes = vec![note(&pooled, &name, least)];
    Ok(Usable { labels, pool: Pool { pooled, columns: train.names().to_vec() }, notes })
}

/// Tells what was pooled.
fn note(pooled: &[String], name: &str, least: usize) -> String {
    let listed: Vec<String> = pooled.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = match pooled.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} others"),
    };
    format!(
        "labels of which fewer than {least} training rows have either value were not analysed one by one, but as `{name}`, which \
         is 1 where any of them is: {}{more}",
        listed.join(", ")
    )
}
