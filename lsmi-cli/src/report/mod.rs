//! `report.html`: what an analysis found, on one page that needs nothing else.
//!
//! A report is made of the files in a directory alone ([`folder`]). Every section ([`sections::means`], [`sections::spread`], [`sections::classes`],
//! [`sections::samples`], [`sections::dependence`], [`sections::measures`]) makes what the template shows, with figures drawn by [`figure`]. Numbers bear
//! their whole value and their place in `summary.json` ([`number`]). The same files give the same bytes.

pub(crate) mod base64;
pub(crate) mod diff;
pub(crate) mod figure;
mod folder;
pub(crate) mod illustrations;
mod number;
mod page;
mod sections;
mod source;
mod template;
mod thinned;

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use lsmi_candle::analysis::Analysis;

use self::figure::Figure;
use self::folder::Folder;
use self::illustrations::{Illustrations, Lookup};
use self::page::Page;
use self::sections::samples::Selection;
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
pub(crate) struct Report {
    page: Page,
    /// What could not be shown.
    pub(crate) warnings: Vec<String>,
}

impl Report {
    /// Makes the report of a directory; `lookup` says what its samples are, else a table in the directory itself does.
    pub(crate) fn new(directory: &Path, lookup: Option<Lookup>) -> Result<Self, Failure> {
        let folder = Folder::read(directory)?;
        let selections = selections(&folder);
        let own = || {
            let (table, text) = folder.own_table(directory)?;
            Some(Lookup { table, text, image: None, id: "id".to_owned(), id_is_named: false, follow_links: false })
        };
        let illustrations = match lookup.or_else(own) {
            Some(lookup) => illustrations(&folder, &selections, &lookup)?,
            None => Illustrations::default(),
        };
        let page = Page::new(&folder, &illustrations, &selections).map_err(Failure::failed)?;
        Ok(Self { page, warnings: illustrations.warnings })
    }

    /// Makes the report of an analysis in memory.
    pub(crate) fn of_analysis(analysis: &Analysis) -> Result<Self, Failure> {
        let folder = Folder::of_analysis(analysis).map_err(Failure::failed)?;
        let page = Page::new(&folder, &Illustrations::default(), &selections(&folder)).map_err(Failure::failed)?;
        Ok(Self { page, warnings: Vec::new() })
    }

    /// Returns the page, which needs nothing else.
    pub(crate) fn html(self) -> String {
        self.page.html
    }

    /// Writes page and figures into a directory, all or nothing, and gives the path of the page.
    pub(crate) fn write(&self, directory: &Path) -> Result<PathBuf, OutputError> {
        let path = directory.join(REPORT);
        let mut staging = Staging::default();
        for figure in &self.page.figures {
            staging.write(&figure_in(directory, figure), |file| Ok(file.write_all(figure.file().as_bytes())?))?;
        }
        staging.write(&path, |file| Ok(file.write_all(self.page.html.as_bytes())?))?;
        let is_of_another =
            |path: &PathBuf| !self.page.figures.iter().any(|figure| *path == figure_in(directory, figure));
        staging.commit(&figures(directory).into_iter().filter(is_of_another).collect::<Vec<_>>())?;
        Ok(path)
    }
}

fn selections(folder: &Folder) -> Vec<Selection> {
    folder.samples.iter().map(|samples| Selection::new(samples, folder.samples.len())).collect()
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

/// What is known of the samples that are shown.
///
/// An id of more than one split would name several samples, so that a table can only be of the first split then.
fn illustrations(folder: &Folder, selections: &[Selection], lookup: &Lookup) -> Result<Illustrations, Failure> {
    let first: HashSet<&str> =
        folder.samples.iter().take(1).flat_map(|samples| &samples.ids).map(String::as_str).collect();
    let is_first = |id: &String| first.contains(id.as_str());
    let is_ambiguous = folder.samples.iter().skip(1).any(|samples| samples.ids.iter().any(is_first));
    let (mut with_text, mut with_picture) = (BTreeSet::new(), BTreeSet::new());
    let splits = if is_ambiguous { 1 } else { folder.samples.len() };
    for (samples, selection) in folder.samples.iter().zip(selections).take(splits) {
        with_text.extend(selection.all().map(|row| samples.ids[row].as_str()));
        with_picture.extend(selection.with_picture().map(|row| samples.ids[row].as_str()));
    }
    let mut found = lookup.find(&with_text, &with_picture)?;
    if is_ambiguous {
        found.split = folder.summary.splits.first().map(|(name, _)| name.clone());
        found.warnings.push(format!(
            "several splits have samples of the same id, so that the table {} was taken for that of `{}` alone",
            lookup.table.display(),
            found.split.as_deref().unwrap_or_default()
        ));
    }
    let missing = with_text.iter().filter(|id| !found.by_id.contains_key(**id)).count();
    if missing > 0 {
        let table = lookup.table.display();
        found.warnings.push(format!("{missing} of {} samples shown are not in the table {table}", with_text.len()));
    }
    Ok(found)
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
