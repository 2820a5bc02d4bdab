//! One feature file of all shards: `x1`, `x2`, ... as 32-bit numbers, `y` from the labels, ids and provenance in the metadata.
//!
//! The file is written from beginning to end, with one shard in memory at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use serde_json::{Value, json};

use super::shards::{Shards, Skipped};

/// What all shards together hold.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Rows that are there.
    pub(crate) rows: usize,
    /// Rows that are not.
    pub(crate) skipped: Vec<Skipped>,
    /// Rows with a text or sound that was longer than its model takes.
    pub(crate) truncated: usize,
    /// The classes, where there are labels: sorted, whole numbers by value.
    pub(crate) classes: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    /// Rows and start of embeddings of every shard.
    shards: Vec<(usize, u64)>,
}

impl Summary {
    /// Reads the headers of the first `count` shards.
    pub(crate) fn read(shards: &Shards, count: usize) -> io::Result<Self> {
        let mut summary = Self::default();
        for shard in 0..count {
            let (header, start) = shards.header(shard)?;
            summary.rows += header.places.len();
            summary.skipped.extend(header.skipped);
            summary.truncated += header.truncated;
            for (all, of_shard) in [(&mut summary.ids, header.ids), (&mut summary.labels, header.labels)] {
                if let Some(of_shard) = of_shard {
                    all.get_or_insert_default().extend(of_shard);
                }
            }
            summary.shards.push((header.places.len(), start));
        }
        summary.classes = summary.labels.as_deref().map(classes);
        Ok(summary)
    }

    /// Writes the feature file; `widths` are those of the modalities, `metadata` is added to what the labels and ids need.
    pub(crate) fn write(
        &self,
        shards: &Shards,
        widths: &[usize],
        metadata: &BTreeMap<String, String>,
        file: &mut dyn Write,
    ) -> io::Result<()> {
        let header = self.header(widths, metadata)?;
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        if let (Some(labels), Some(classes)) = (&self.labels, &self.classes) {
            let index: HashMap<&str, i64> = classes.iter().map(String::as_str).zip(0..).collect();
            for label in labels {
                // Every label is among the classes, which were made of them.
                file.write_all(&index.get(label.as_str()).copied().unwrap_or(-1).to_le_bytes())?;
            }
        }
        for modality in 0..widths.len() {
            let before: usize = widths[..modality].iter().sum();
            for (shard, (rows, start)) in self.shards.iter().enumerate() {
                let start = start + bytes_of(rows * before);
                file.write_all(&shards.bytes(shard, start, bytes_of(rows * widths[modality]))?)?;
            }
        }
        Ok(())
    }

    /// The header of the safetensors format, padded to eight bytes.
    fn header(&self, widths: &[usize], metadata: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
        let mut metadata = metadata.clone();
        if let Some(ids) = &self.ids {
            metadata.insert("ids".to_owned(), serde_json::to_string(ids)?);
        }
        if let Some(classes) = &self.classes {
            metadata.insert("classes".to_owned(), serde_json::to_string(classes)?);
        }
        let mut tensors: BTreeMap<String, Value> = BTreeMap::from([("__metadata__".to_owned(), json!(metadata))]);
        let mut offset = 0;
        // The widest numbers first, so that all are aligned.
        if self.labels.is_some() {
            offset = self.rows as u64 * 8;
            let tensor = json!({"dtype": "I64", "shape": [self.rows], "data_offsets": [0, offset]});
            tensors.insert("y".to_owned(), tensor);
        }
        for (number, width) in (1..).zip(widths) {
            let end = offset + bytes_of(self.rows * width);
            let tensor = json!({"dtype": "F32", "shape": [self.rows, width], "data_offsets": [offset, end]});
            tensors.insert(format!("x{number}"), tensor);
            offset = end;
        }
        let mut bytes = serde_json::to_vec(&tensors)?;
        bytes.resize(bytes.len().next_multiple_of(8), b' ');
        Ok(bytes)
    }
}

/// Bytes of so many 32-bit numbers.
fn bytes_of(numbers: usize) -> u64 {
    numbers as u64 * 4
}

/// The different labels: whole numbers by value where all are, otherwise by bytes.
fn classes(labels: &[String]) -> Vec<String> {
    let different: BTreeSet<&String> = labels.iter().collect();
    let mut classes: Vec<String> = different.into_iter().cloned().collect();
    let value = |label: &String| label.parse::<i64>().ok();
    if classes.iter().all(|label| value(label).is_some()) {
        classes.sort_by_key(value);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::shards::{Header, Shard};
    use crate::stream::manifest::Job;
    use lsmi_candle::features::{Format, Keys, read_bytes};

    #[test]
    fn shards_become_a_feature_file() {
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("f.safetensors");
        let mut shards = Shards::open(&output, Job::new([]), false).unwrap();
        let shard = |places: &[usize], labels: [&str; 2], first: f32| Shard {
            header: Header {
                places: places.to_vec(),
                labels: Some(labels.map(str::to_owned).to_vec()),
                ids: Some(places.iter().map(|place| format!("id{place}")).collect()),
                ..Header::default()
            },
            embeddings: vec![vec![first, first + 1.0], (0..4).map(|value| first * value as f32).collect()],
        };
        shards.keep(0, &shard(&[0, 1], ["dog", "cat"], 1.0)).unwrap();
        shards.keep(1, &shard(&[2, 4], ["cat", "owl"], 5.0)).unwrap();
        let summary = Summary::read(&shards, 2).unwrap();
        let mut bytes = Vec::new();
        summary.write(&shards, &[1, 2], &BTreeMap::from([("x1_model".into(), "m".into())]), &mut bytes).unwrap();
        let file = read_bytes("f", &bytes, Format::SafeTensors, &Keys::default()).unwrap();
        let rows = &file.splits[0].features;
        assert_eq!(rows.x1.values(), [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(rows.x2.row(3), [10.0, 15.0]);
        assert_eq!(rows.labels, [1, 0, 0, 2]);
        assert_eq!(file.classes.names(), ["cat", "dog", "owl"]);
        assert_eq!(rows.ids.get(3), "id4");
    }

    #[test]
    fn numbers_are_sorted_by_value() {
        let labels = |texts: &[&str]| classes(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(labels(&["10", "9", "10", "-1"]), ["-1", "9", "10"]);
        assert_eq!(labels(&["10", "9", "b"]), ["10", "9", "b"]);
    }
}
