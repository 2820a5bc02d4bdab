//! The pages of analyses, a folder each. What the summary of a directory is of tells which of them it has.

mod distributions;
mod files;
mod labels;
mod lags;
mod made;
mod means;
mod opening;
mod several;
mod targets;
pub(crate) mod two;

use std::path::Path;

use lsmi_candle::analysis::{Analysis, AnalysisKind};

use self::files::Files;
use self::two::illustrations::Lookup;
use super::figure::Figure;
use crate::process::failure::Failure;

/// The rules of pages that are not of two modalities and classes.
const MORE_STYLE: &str = include_str!("more.css");

/// A finished page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    /// The figures in it.
    pub(crate) figures: Vec<Figure>,
    /// What could not be shown.
    pub(crate) warnings: Vec<String>,
}

/// The page of a directory; `lookup` says what its samples are.
pub(super) fn page_of(directory: &Path, lookup: Option<Lookup>) -> Result<Page, Failure> {
    let files = Files::read(directory)?;
    let kind = AnalysisKind::of(&files.json);
    if lookup.is_some() && kind != AnalysisKind::Classes {
        let error =
            format!("a table says what the samples of two modalities and one label are, but the analysis is of {kind}");
        return Err(Failure::usage(error).with_hint("leave out --table"));
    }
    match kind {
        AnalysisKind::Classes => two::page_of(files, lookup),
        AnalysisKind::Several => several::page_of(&files),
        AnalysisKind::Labels => labels::page_of(&files),
        AnalysisKind::Continuous => targets::page_of(&files),
        AnalysisKind::Lags => lags::page_of(&files),
    }
}

/// The page of an analysis in memory.
pub(super) fn page_of_analysis(analysis: &Analysis) -> Result<Page, Failure> {
    two::page_of_analysis(analysis)
}
