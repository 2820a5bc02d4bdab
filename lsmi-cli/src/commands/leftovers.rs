//! What an earlier run left in a directory of an analysis and is not of the new one.
//!
//! Only files that this program wrote are named, by what is in them: whatever else has such a name stays.

use std::fs;
use std::path::{Path, PathBuf};

use super::emoji;
use crate::report;
use lsmi_candle::analysis::samples_name;
use lsmi_candle::samples::Format;
use lsmi_candle::samples::read::{SamplesError, read_rows};

/// Columns that only files of samples have together: of two modalities, of several, and with continuous targets.
const COLUMNS: [&[&str]; 4] = [
    &["id", "split", "label", "i12", "r", "u1", "s"],
    &["id", "split", "label", "i12", "r_12", "u1_12", "s_12"],
    &["id", "split", "fold", "i12", "r", "u1", "s", "pit12"],
    &["id", "split", "fold", "i12", "r", "u1", "s", "pit12_0"],
];

/// Samples in another format than this, a report with its figures, and a table of samples that is not `table`.
pub(super) fn leftovers(directory: &Path, format: Format, table: Option<&str>) -> Vec<PathBuf> {
    let others = Format::ALL.into_iter().filter(|other| *other != format).map(samples_name);
    let mut leftovers: Vec<PathBuf> = others.map(|name| directory.join(name)).filter(|path| is_samples(path)).collect();
    leftovers.extend(report::written(directory));
    let emoji = directory.join(emoji::TABLE_FILE);
    if table != Some(emoji::TABLE_FILE) && fs::read(&emoji).is_ok_and(|content| content == emoji::TABLE) {
        leftovers.push(emoji);
    }
    leftovers
}

/// Whether a file holds samples, by the columns of its first row.
fn is_samples(path: &Path) -> bool {
    let mut is_so = false;
    // The first row is enough; there is an error in any case.
    let _ = read_rows(path, &mut |_, field| {
        is_so = COLUMNS.iter().any(|columns| columns.iter().all(|column| field(column).is_some()));
        Err(SamplesError::Empty { file: String::new() })
    });
    is_so
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_program_wrote_is_left() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| fs::write(place.path().join(name), content).unwrap();
        let names = |format, table| {
            let name = |path: PathBuf| path.strip_prefix(place.path()).unwrap().display().to_string();
            leftovers(place.path(), format, table).into_iter().map(name).collect::<Vec<_>>()
        };
        write("samples.csv", "id,split,fold,label,h1,h2,i1,i2,i12,r,u1,u2,s\na,train,0,b,1,1,1,1,1,1,1,1,1\n");
        write("samples.jsonl", "{\"id\": \"mine\"}\n");
        write("samples.parquet", "mine");
        write("report.html", "mine");
        write("emoji.csv", "mine");
        assert_eq!(names(Format::Jsonl, None), ["samples.csv"]);
        assert!(names(Format::Csv, None).is_empty());
        fs::write(place.path().join("emoji.csv"), emoji::TABLE).unwrap();
        assert_eq!(names(Format::Csv, None), ["emoji.csv"]);
        assert!(names(Format::Csv, Some("emoji.csv")).is_empty());
    }
}
