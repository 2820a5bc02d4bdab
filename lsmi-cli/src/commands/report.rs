//! `lsmi report`: the page of an analysis, made of its files.

use std::path::PathBuf;

use serde::Serialize;

use super::write_analysis::check_report;
use crate::arguments::Report as Options;
use crate::process::console;
use crate::process::failure::Failure;
use crate::report::{Lookup, Report};

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Made {
    report: PathBuf,
    warnings: Vec<String>,
}

pub(super) fn run(arguments: &Options) -> Result<(), Failure> {
    let directory = arguments.directory.as_path();
    check_report(directory, arguments.common.force)?;
    let lookup = arguments.table.clone().map(|table| Lookup {
        table,
        text: arguments.text_column.clone(),
        image: arguments.image_column.clone(),
        id: arguments.id_column.clone().unwrap_or_else(|| "id".to_owned()),
        id_is_named: arguments.id_column.is_some(),
        follow_links: arguments.follow_links,
    });
    let report = Report::new(directory, lookup)?;
    let path = report.write(directory)?;
    for warning in report.warnings() {
        console::say(&format!("warning: {warning}"));
    }
    if !arguments.common.quiet {
        console::say(&format!("report: {}", path.display()));
    }
    let made = Made { report: path, warnings: report.warnings().to_vec() };
    if arguments.common.json { console::print_json(&made) } else { Ok(()) }
}
