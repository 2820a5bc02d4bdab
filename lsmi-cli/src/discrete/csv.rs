//! Samples as CSV: a header that names x1, x2 and y, and x3 and x4 if there are more sources; a row a sample.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::str;

use csv::{ByteRecord, Reader};
use lsmi_core::discrete::{Counter, Counts};

use super::read::{Distribution, Given, ReadError, not_read};

const SOURCES: [&str; 4] = ["x1", "x2", "x3", "x4"];
const TARGET: &str = "y";

pub(super) fn read(path: &Path) -> Result<Distribution, ReadError> {
    let mut reader = Reader::from_reader(BufReader::with_capacity(1 << 16, File::open(path).map_err(not_read)?));
    let header = reader.byte_headers().map_err(|source| failed(0, source))?.clone();
    let place = |column: &'static str| {
        let mut places = (0..header.len()).filter(|place| &header[*place] == column.as_bytes());
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(ReadError::RepeatedColumn { column }),
            (place, None) => Ok(place),
        }
    };
    let needed = |column| place(column)?.ok_or(ReadError::MissingColumn { column });
    let target = needed(TARGET)?;
    let [x1, x2] = [needed("x1")?, needed("x2")?];
    Ok(match (place("x3")?, place("x4")?) {
        (None, None) => Distribution::Two(Given::Counts(count(reader, [x1, x2], target)?)),
        (Some(x3), None) => Distribution::Three(Given::Counts(count(reader, [x1, x2, x3], target)?)),
        (Some(x3), Some(x4)) => Distribution::Four(Given::Counts(count(reader, [x1, x2, x3, x4], target)?)),
        (None, Some(_)) => return Err(ReadError::MissingColumn { column: "x3" }),
    })
}

/// Counts the samples whose states are in the given columns.
fn count<const S: usize>(
    mut reader: Reader<BufReader<File>>,
    sources: [usize; S],
    target: usize,
) -> Result<Counts<S>, ReadError> {
    let mut counter = Counter::new();
    let mut record = ByteRecord::new();
    let mut row = 0;
    while reader.read_byte_record(&mut record).map_err(|source| failed(row, source))? {
        let state = |place: usize, column| match str::from_utf8(&record[place]) {
            Ok("") => Err(ReadError::State { row, column, found: "empty" }),
            Ok(state) => Ok(state),
            Err(_) => Err(ReadError::State { row, column, found: "not UTF-8" }),
        };
        let mut states = [""; S];
        for ((found, place), column) in states.iter_mut().zip(sources).zip(SOURCES) {
            *found = state(place, column)?;
        }
        counter.add(states, state(target, TARGET)?);
        row += 1;
    }
    Ok(counter.finish()?)
}

fn failed(row: usize, source: csv::Error) -> ReadError {
    if source.is_io_error() {
        return ReadError::Read(source.into());
    }
    ReadError::Row { row, source }
}
