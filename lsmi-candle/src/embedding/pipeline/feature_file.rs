//! The feature file of all rows: `x1`, `x2`, ... as 32-bit numbers, `y` from the labels, ids and provenance in the metadata.
//!
//! The file is written from beginning to end, so that the vectors need not be in memory together.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde_json::{Value, json};

use super::encode::Encoding;
use super::rows::EmbeddedRows;
use crate::features::format::safetensors::LARGEST_HEADER;

/// Bytes of a 32-bit number.
const NUMBER: u64 = 4;

/// Returns the metadata of a feature file: the version, what each modality was made by, and the rows that are not there.
pub(super) fn metadata(encodings: &[Encoding], rows: &EmbeddedRows) -> serde_json::Result<BTreeMap<String, String>> {
    let mut metadata = BTreeMap::from([("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    for (number, encoding) in (1..).zip(encodings) {
        metadata.insert(format!("x{number}_model"), serde_json::to_string(encoding.embedder.provenance())?);
    }
    if !rows.skipped.is_empty() {
        metadata.insert("skipped".to_owned(), serde_json::to_string(&rows.skipped)?);
    }
    Ok(metadata)
}

/// Writes a feature file up to where the vectors begin: those of each modality follow in turn, row after row, 32-bit
/// numbers, little-endian. `widths` are those of the modalities.
pub(super) fn begin(
    rows: &EmbeddedRows,
    widths: &[usize],
    metadata: BTreeMap<String, String>,
    file: &mut dyn Write,
) -> io::Result<()> {
    let classes = rows.classes.as_deref();
    Outline { rows: rows.len(), ids: rows.ids.as_deref(), classes, widths }.write(metadata, file)?;
    if let (Some(labels), Some(classes)) = (&rows.labels, classes) {
        let index: HashMap<&str, i64> = classes.iter().map(String::as_str).zip(0..).collect();
        for label in labels {
            // Every label is among the classes, which were made of them.
            file.write_all(&index.get(label.as_str()).copied().unwrap_or(-1).to_le_bytes())?;
        }
    }
    Ok(())
}

/// What the header of a feature file says of its arrays.
pub(super) struct Outline<'r> {
    pub(super) rows: usize,
    pub(super) ids: Option<&'r [String]>,
    /// The classes, where there are labels: then the file has `y`.
    pub(super) classes: Option<&'r [String]>,
    /// Columns of each modality.
    pub(super) widths: &'r [usize],
}

impl Outline<'_> {
    /// Writes the length of the header and the header, after which `y` and the vectors follow.
    pub(super) fn write(&self, metadata: BTreeMap<String, String>, file: &mut dyn Write) -> io::Result<()> {
        let header = self.header(metadata)?;
        if header.len() as u64 > LARGEST_HEADER {
            // Nobody could read such a file.
            let reason = format!(
                "ids, classes and skipped rows take {} bytes, but the header of a feature file has room for {LARGEST_HEADER}; \
                 embed a smaller part of the table at a time",
                header.len()
            );
            return Err(io::Error::other(reason));
        }
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)
    }

    /// Returns the header of the safetensors format, padded to eight bytes.
    fn header(&self, mut metadata: BTreeMap<String, String>) -> io::Result<Vec<u8>> {
        if let Some(ids) = self.ids {
            metadata.insert("ids".to_owned(), serde_json::to_string(ids)?);
        }
        if let Some(classes) = self.classes {
            metadata.insert("classes".to_owned(), serde_json::to_string(classes)?);
        }
        let count = self.rows;
        let mut tensors: BTreeMap<String, Value> = BTreeMap::from([("__metadata__".to_owned(), json!(metadata))]);
        let mut offset = 0;
        // The widest numbers first, so that all are aligned.
        if self.classes.is_some() {
            offset = count as u64 * 8;
            tensors.insert("y".to_owned(), json!({"dtype": "I64", "shape": [count], "data_offsets": [0, offset]}));
        }
        for (number, width) in (1..).zip(self.widths) {
            let end = offset + bytes_of(count * width);
            let tensor = json!({"dtype": "F32", "shape": [count, width], "data_offsets": [offset, end]});
            tensors.insert(format!("x{number}"), tensor);
            offset = end;
        }
        let mut bytes = serde_json::to_vec(&tensors)?;
        bytes.resize(bytes.len().next_multiple_of(8), b' ');
        Ok(bytes)
    }
}

/// Returns the bytes that an id takes in the header, in whose metadata a list of texts is a text itself.
pub(super) fn bytes_of_id(id: &str) -> u64 {
    let within = |byte: u8| match byte {
        b'"' | b'\\' => 4,
        0..0x20 => 7,
        _ => 1,
    };
    // Quotes before and behind it, and a comma.
    5 + id.bytes().map(within).sum::<u64>()
}

/// Returns the bytes that 32-bit numbers take.
pub(super) fn bytes_of(numbers: usize) -> u64 {
    numbers as u64 * NUMBER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_nobody_reads_is_not_written() {
        let metadata = BTreeMap::from([("skipped".to_owned(), "s".repeat(100_000_000))]);
        let mut file = Vec::new();
        let outline = Outline { rows: 3, ids: None, classes: None, widths: &[1] };
        let error = outline.write(metadata, &mut file).unwrap_err().to_string();
        assert!(error.contains("has room for 100000000") && file.is_empty(), "{error}");
    }

    #[test]
    fn the_bytes_of_ids_are_those_of_the_header() {
        let outline = |ids| Outline { rows: 3, ids, classes: None, widths: &[1] };
        let bytes = |ids| outline(ids).header(BTreeMap::new()).unwrap().len() as u64;
        let ids = ["a".repeat(100), r#"a "name" of \ both"#.to_owned(), "\u{1}é".repeat(20)];
        let (found, counted) = (bytes(Some(&ids)) - bytes(None), ids.iter().map(|id| bytes_of_id(id)).sum::<u64>());
        // Beside the ids there are a key and brackets, and the header is filled up.
        assert!((counted..counted + 24).contains(&found), "{found} {counted}");
    }
}
