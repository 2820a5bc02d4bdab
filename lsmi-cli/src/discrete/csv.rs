//! Samples as CSV: a header that names x1, x2 and y, and x3 and x4 if there are more sources; a row a sample.
//!
//! Separators, blanks and missing values are understood as in every other table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::str;

use csv::ByteRecord;
use lsmi_candle::features::{Missing, Records, names_alike, records_of};
use lsmi_core::discrete::{Counter, Counts};

use super::read::{Distribution, Given, Read, ReadError, not_read};

const SOURCES: [&str; 4] = ["x1", "x2", "x3", "x4"];
const TARGET: &str = "y";

pub(super) fn read(path: &Path, missing: Missing) -> Result<Read, ReadError> {
    let mut records = File::open(path).and_then(records_of).map_err(not_read)?;
    let mut header = ByteRecord::new();
    records.read_byte_record(&mut header).map_err(|source| failed(0, source))?;
    let place = |column: &'static str| {
        let is_it = |place: &usize| header[*place].trim_ascii() == column.as_bytes();
        let mut places = (0..header.len()).filter(is_it);
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(ReadError::RepeatedColumn { column }),
            (place, None) => Ok(place),
        }
    };
    let missing_column = |column| {
        let found: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        ReadError::MissingColumn { column, found: found.join(", ") }
    };
    let needed = |column| place(column)?.ok_or_else(|| missing_column(column));
    let target = needed(TARGET)?;
    let [x1, x2] = [needed("x1")?, needed("x2")?];
    let mut samples = Samples { records, missing, dropped: 0, names: BTreeMap::new() };
    let distribution = match (place("x3")?, place("x4")?) {
        (None, None) => Distribution::Two(Given::Counts(samples.count([x1, x2], target)?)),
        (Some(x3), None) => Distribution::Three(Given::Counts(samples.count([x1, x2, x3], target)?)),
        (Some(x3), Some(x4)) => Distribution::Four(Given::Counts(samples.count([x1, x2, x3, x4], target)?)),
        (None, Some(_)) => return Err(missing_column("x3")),
    };
    Ok(Read { distribution, notes: samples.notes() })
}

/// The rows of a file.
struct Samples {
    records: Records,
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
        while self.records.read_byte_record(&mut record).map_err(|source| failed(row, source))? {
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

fn failed(row: usize, source: csv::Error) -> ReadError {
    if source.is_io_error() {
        return ReadError::Read(source.into());
    }
    ReadError::Row { row, source }
}
