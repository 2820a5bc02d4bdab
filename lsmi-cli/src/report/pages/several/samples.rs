//! The samples of several modalities, as far as the page shows them.

use lsmi_candle::analysis::several::SeveralSummary;
use lsmi_candle::samples::read::{Need, Wanted, read_splits};
use lsmi_core::Subset;

use crate::process::failure::Failure;
use crate::report::pages::files::{Files, FolderError};

/// The atom of what takes all of three modalities together.
const TOP: &str = "{123}";

/// The samples of a split.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) ids: Vec<String>,
    pub(super) labels: Vec<String>,
    /// What all modalities together tell.
    pub(super) told: Vec<f64>,
    /// The Shapley value of each modality; none where there are no such values.
    pub(super) shapley: Vec<Vec<f64>>,
    /// What all modalities tell alike, where that is known.
    pub(super) shared: Option<Vec<f64>>,
    /// What takes all of three modalities.
    pub(super) top: Option<Vec<f64>>,
}

/// Reads the samples of all splits of the summary.
pub(super) fn read(files: &Files, summary: &SeveralSummary) -> Result<Vec<Samples>, Failure> {
    let modalities = summary.modalities.len();
    let of_first = |has: fn(&lsmi_candle::analysis::several::SeveralSplitSummary) -> bool| {
        summary.splits.first().is_some_and(|(_, split)| has(split))
    };
    let has_shapley = of_first(|split| !split.shapley.is_empty());
    let has_shared = of_first(|split| split.redundancy.is_some());
    let has_top = of_first(|split| !split.lattice.is_empty());
    let mut columns: Vec<String> = Vec::new();
    if has_shapley {
        columns.push(format!("i{}", Subset::whole(modalities)));
        columns.extend((1..=modalities).map(|place| format!("shapley{place}")));
    }
    columns.extend(has_shared.then(|| "redundancy".to_owned()));
    columns.extend(has_top.then(|| TOP.to_owned()));
    let values: Vec<&str> = columns.iter().map(String::as_str).collect();
    let wanted = Wanted { values: &values, split: Need::Required, label: Need::Required, ..Wanted::default() };
    let mut found = read_splits(&files.samples("samples")?, wanted)?;
    let of_split = |(name, split): &(String, lsmi_candle::analysis::several::SeveralSplitSummary)| {
        let samples = found.remove(name).unwrap_or_default();
        if samples.ids.len() != split.n {
            let (directory, split_name) = (files.directory.display().to_string(), name.clone());
            let (expected, found) = (split.n, samples.ids.len());
            return Err(FolderError::Mismatch { directory, split: split_name, expected, found });
        }
        let mut values = samples.values.into_iter();
        let mut next = |is_there: bool| if is_there { values.next() } else { None };
        Ok(Samples {
            ids: samples.ids,
            labels: samples.labels,
            told: next(has_shapley).unwrap_or_default(),
            shapley: (0..modalities).filter_map(|_| next(has_shapley)).collect(),
            shared: next(has_shared),
            top: next(has_top),
        })
    };
    Ok(summary.splits.iter().map(of_split).collect::<Result<_, FolderError>>()?)
}
