//! The pages of analyses, a folder each. What the summary of a directory is of tells which of them it has.

mod files;
mod made;
mod means;
pub(crate) mod two;

use std::path::Path;

use lsmi_candle::analysis::Analysis;

use self::files::Files;
use self::two::illustrations::Lookup;
use super::figure::Figure;
use crate::process::failure::Failure;

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
    two::page_of(files, lookup)
}

/// The page of an analysis in memory.
pub(super) fn page_of_analysis(analysis: &Analysis) -> Result<Page, Failure> {
    two::page_of_analysis(analysis)
}
