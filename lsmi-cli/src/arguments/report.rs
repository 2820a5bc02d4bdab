//! Options of `lsmi report`, and of the report that other commands write.

use std::path::PathBuf;

use clap::Args;

use super::Common;

pub(super) const REPORT_EXAMPLES: &str = "\
Writes report.html, one page that needs nothing else, and its figures as SVG into figures/. `analyze` and `demo --out` write \
both by themselves; this makes them again, with what the samples are if --table says so.

The table (.csv, .jsonl or .parquet) is as for `lsmi embed`: a column id, else the numbers of the rows are the ids; \
columns of text; a column of pictures, whose paths are relative to the table. Small pictures are put into the page, of \
the samples that it shows and no others.

Examples:
  lsmi report result
  lsmi report result --table table.csv
  lsmi report result --table birds.csv --text-column name,place --image-column photo";

/// `lsmi report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Directory that `analyze` or `demo` wrote
    pub(crate) directory: PathBuf,
    /// Table that says what the samples are, .csv, .jsonl or .parquet
    #[arg(long)]
    pub(crate) table: Option<PathBuf>,
    /// Columns of text to show [default: text]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', requires = "table")]
    pub(crate) text_column: Vec<String>,
    /// Column of pictures to show, .png, .jpg or .webp [default: image]
    #[arg(long, value_name = "NAME", requires = "table")]
    pub(crate) image_column: Option<String>,
    /// Column of ids [default: id, where there is one, else rows are counted from 0]
    #[arg(long, value_name = "NAME", requires = "table")]
    pub(crate) id_column: Option<String>,
    /// Show pictures that symbolic links lead to outside of the table's directory
    #[arg(long, requires = "table")]
    pub(crate) follow_links: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Whether a report is written too.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ReportToo {
    /// Write no report.html and no figures
    #[arg(long)]
    pub(crate) no_report: bool,
}
