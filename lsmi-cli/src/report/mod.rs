//! `report.html`: what an analysis found, on one page that needs nothing else.
//!
//! A report is made of the files in a directory alone. Which page it is, is told by what the summary is of ([`pages`]); each makes what
//! its template shows, with figures drawn by [`figure`]. Numbers bear their whole value and their place in `summary.json` ([`number`]). The
//! same files give the same bytes.

mod base64;
mod decomposed;
pub(crate) mod diff;
mod figure;
mod gallery;
mod number;
mod pages;
mod template;
mod thinned;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use lsmi_candle::analysis::Analysis;

use self::figure::Figure;
use self::pages::Page;
pub(crate) use self::pages::two::illustrations::Lookup;
use crate::process::failure::Failure;
use crate::process::staging::{OutputError, Staging};

/// The file of the page.
pub(crate) const REPORT: &str = "report.html";
/// The directory of the figures.
pub(crate) const FIGURES: &str = "figures";
/// What a page of this program says of its origin.
const GENERATOR: &str = concat!("lsmi ", env!("CARGO_PKG_VERSION"));

/// A report that is made, but not written.
#[derive(Debug)]
pub(crate) struct Report(Page);

impl Report {
    /// Makes the report of a directory; `lookup` says what its samples are, else a table in the directory itself does.
    pub(crate) fn new(directory: &Path, lookup: Option<Lookup>) -> Result<Self, Failure> {
        Ok(Self(pages::page_of(directory, lookup)?))
    }

    /// Makes the report of an analysis in memory.
    pub(crate) fn of_analysis(analysis: &Analysis) -> Result<Self, Failure> {
        Ok(Self(pages::page_of_analysis(analysis)?))
    }

    /// What could not be shown.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Returns the page, which needs nothing else.
    pub(crate) fn html(self) -> String {
        self.0.html
    }

    /// Writes page and figures into a directory, all or nothing, and gives the path of the page.
    pub(crate) fn write(&self, directory: &Path) -> Result<PathBuf, OutputError> {
        let path = directory.join(REPORT);
        let mut staging = Staging::default();
        for figure in &self.0.figures {
            staging.write(&figure_in(directory, figure), |file| Ok(file.write_all(figure.file().as_bytes())?))?;
        }
        staging.write(&path, |file| Ok(file.write_all(self.0.html.as_bytes())?))?;
        let is_of_another = |path: &PathBuf| !self.0.figures.iter().any(|figure| *path == figure_in(directory, figure));
        staging.commit(&figures(directory).into_iter().filter(is_of_another).collect::<Vec<_>>())?;
        Ok(path)
    }
}

fn figure_in(directory: &Path, figure: &Figure) -> PathBuf {
    directory.join(FIGURES).join(format!("{}.svg", figure.name))
}

/// The page and the figures in a directory that this program wrote.
pub(crate) fn written(directory: &Path) -> Vec<PathBuf> {
    let page = Some(directory.join(REPORT)).filter(|path| is_report(path));
    page.into_iter().chain(figures(directory)).collect()
}

/// The figures in a directory that this program wrote.
fn figures(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join(FIGURES)).into_iter().flatten().flatten();
    let mut figures: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| figure::is_figure(path)).collect();
    figures.sort();
    figures
}

/// Whether a file is a report of this program, which may be replaced by another.
pub(crate) fn is_report(path: &Path) -> bool {
    start(path).contains(r#"<meta name="generator" content="lsmi "#)
}

/// How a regular file begins; an empty text where there is none.
fn start(path: &Path) -> String {
    let mut start = Vec::new();
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        // What cannot be read begins like nothing of this program.
        let _ = File::open(path).and_then(|file| file.take(512).read_to_end(&mut start));
    }
    String::from_utf8_lossy(&start).into_owned()
}
