//! Samples as CSV: a header that names x1, x2 and y, and x3 and x4 if there are more sources; a row a sample.
//!
//! Separators, blanks and missing values are understood as in every other table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::str;

use csv::ByteRecord;
use lsmi_candle::features::{Missing, TextTable, TextTableError, names_alike};
use lsmi_core::discrete::{Counter, Counts};

use super::distribution::{Distribution, Given, Read, ReadError, not_read};

const SOURCES: [&str; 4] = ["x1", "x2", "x3", "x4"];
const TARGET: &str = "y";

pub(super) fn read(path: &Path, missing: Missing) -> Result<Read, ReadError> {
    let table = TextTable::open(File::open(path).map_err(not_read)?).map_err(|error| failed(0, error))?;
    let place = |column| table.position(column).map_err(|_| ReadError::RepeatedColumn { column });
    let missing_column = |column| ReadError::MissingColumn { column, found: table.columns().join(", ") };
    let needed = |column| place(column)?.ok_or_else(|| missing_column(column));
    let target = needed(TARGET)?;
    let [x1, x2] = [needed("x1")?, needed("x2")?];
    let further = (place("x3")?, place("x4")?);
    if let (None, Some(_)) = further {
        return Err(missing_column("x3"));
    }
    let mut samples = Samples { table, missing, dropped: 0, names: BTreeMap::new() };
    let distribution = match further {
        (None, _) => Distribution::Two(Given::Counts(samples.count([x1, x2], target)?)),
        (Some(x3), None) => Distribution::Three(Given::Counts(samples.count([x1, x2, x3], target)?)),
        (Some(x3), Some(x4)) => Distribution::Four(Given::Counts(samples.count([x1, x2, x3, x4], target)?)),
    };
    Ok(Read { distribution, notes: samples.notes() })
}

/// The rows of a file.
struct Samples {
    table: TextTable,
    missing: Missing,
    /// Rows that were left out.
    dropped: u64,
    /// The states of every column.
    names: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Samples {
    /// Counts the samples whose states are in the given columns.
    fn count<const S: usize>(&mut self, sources: [usize; S], target: usize) -> Result<Counts<S>, ReadError> {
        let mut counter = Counter::new();
        let mut record = ByteRecord::new();
        let mut row = 0;
        while self.table.read(&mut record).map_err(|error| failed(row, error))? {
            let mut states = [""; S];
            let mut is_whole = true;
            let places = sources.into_iter().zip(SOURCES);
            for (found, (place, column)) in states.iter_mut().zip(places) {
                match self.state(&record, place, column, row)? {
                    Some(state) => *found = state,
                    None => is_whole = false,
                }
            }
            match self.state(&record, target, TARGET, row)? {
                Some(target) if is_whole => counter.add(states, target),
                _ => self.dropped += 1,
            }
            row += 1;
        }
        Ok(counter.finish()?)
    }

    /// The state in a column; none where it is missing and its row to be left out.
    fn state<'r>(
        &mut self,
        record: &'r ByteRecord,
        place: usize,
        column: &'static str,
        row: usize,
    ) -> Result<Option<&'r str>, ReadError> {
        let field = str::from_utf8(&record[place]).map_err(|_| ReadError::State { row, column })?;
        let state = field.trim();
        if self.missing.is_missing(state) {
            return match self.missing {
                Missing::Drop => Ok(None),
                _ => Err(ReadError::Missing { row, column, found: state.to_owned() }),
            };
        }
        let known = self.names.entry(column).or_default();
        if !known.contains(state) {
            known.insert(state.to_owned());
        }
        Ok(Some(state))
    }

    /// What a user should know of the samples.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.dropped > 0 {
            let rows =
                if self.dropped == 1 { "row with a missing state was" } else { "rows with a missing state were" };
            notes.push(format!("{} {rows} left out", self.dropped));
        }
        notes.extend(self.names.iter().filter_map(|(column, names)| {
            let alike = names_alike(names.iter().map(String::as_str))?;
            Some(format!(
                "states of {column} differ only by upper and lower case: {alike}; if they are one, write them alike"
            ))
        }));
        notes
    }
}

fn failed(row: usize, error: TextTableError) -> ReadError {
    match error {
        TextTableError::Read(source) => ReadError::Read(source),
        TextTableError::Row(source) => ReadError::Row { row, source },
        header => ReadError::Header(header),
    }
}
