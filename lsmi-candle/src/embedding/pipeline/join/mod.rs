//! The feature files of all shards become the file of the whole table, byte for byte.
//!
//! The headers of all parts are held; vectors are copied from file to file, a buffer at a time.

mod error;
mod part;
mod part_of;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::feature_file::{Outline, bytes_of, bytes_of_id};
use super::group::Skipped;
use super::rows::classes;
use crate::features::format::safetensors::LARGEST_HEADER;
use part::Part;

pub use error::JoinError;
pub(super) use part_of::{KEY, PartOf};

/// Bytes that are copied at a time, a multiple of those of a label.
const BUFFER: usize = 1 << 17;

/// Missing parts that are listed at most.
const LISTED: usize = 20;

/// Bytes of a label.
const LABEL: usize = size_of::<i64>();

/// The feature files of all shards of one table, in their order.
///
/// ```no_run
/// use lsmi_candle::embedding::pipeline::FeatureParts;
/// use lsmi_candle::files::write_atomically;
///
/// let parts = FeatureParts::open(&["part-2.safetensors", "part-1.safetensors"])?;
/// write_atomically("features.safetensors".as_ref(), |file| parts.write(file).map_err(std::io::Error::other))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FeatureParts {
    parts: Vec<Part>,
    ids: Option<Vec<String>>,
    classes: Option<Vec<String>>,
    skipped: Vec<Skipped>,
}

impl FeatureParts {
    /// Reads the headers of the files, in whatever order they are given, and checks that they are all parts of one job.
    ///
    /// # Errors
    /// [`JoinError`] if a file cannot be read, is damaged or no part, if one is missing, there twice or of another job, if an id
    /// is there twice, or if no part has a row.
    pub fn open(paths: &[impl AsRef<Path>]) -> Result<Self, JoinError> {
        let mut parts = paths.iter().map(|path| Part::read(path.as_ref())).collect::<Result<Vec<Part>, _>>()?;
        // A part without rows knows less of the job.
        let Some(first) = parts.iter().find(|part| part.rows > 0).or(parts.first()) else {
            return Err(JoinError::NoFiles);
        };
        parts.iter().try_for_each(|part| first.check_job(part))?;
        let of = first.of.of;
        parts.sort_by_key(|part| part.of.index);
        if let Some([first, second]) = parts.windows(2).find(|pair| pair[0].of.index == pair[1].of.index) {
            return Err(JoinError::Twice { index: first.of.index, of, first: first.name(), second: second.name() });
        }
        let there: BTreeSet<usize> = parts.iter().map(|part| part.of.index).collect();
        if there.len() < of {
            // A file that lies may say that there are any number of parts.
            let missing = (1..=of).filter(|index| !there.contains(index)).take(LISTED).collect();
            return Err(JoinError::Missing { missing, count: of - there.len(), of });
        }
        check_ids(&parts)?;
        let bytes = parts.iter().flat_map(|part| part.ids.iter().flatten()).map(|id| bytes_of_id(id)).sum();
        if bytes > LARGEST_HEADER {
            return Err(JoinError::ManyIds { rows: parts.iter().map(|part| part.rows).sum(), bytes });
        }
        let skipped: Vec<Skipped> = parts.iter_mut().flat_map(|part| std::mem::take(&mut part.skipped)).collect();
        // A part without rows knows neither labels nor ids where it has no row group.
        let Some(with_rows) = parts.iter().find(|part| part.rows > 0) else {
            return Err(JoinError::NothingEmbedded { first: skipped.into_iter().next() });
        };
        let (labels, ids) = (with_rows.classes.is_some(), with_rows.ids.is_some());
        let different: BTreeSet<&String> = parts.iter().flat_map(|part| part.classes.iter().flatten()).collect();
        let classes = labels.then(|| classes(different));
        let ids = ids.then(|| parts.iter_mut().flat_map(|part| part.ids.take().unwrap_or_default()).collect());
        Ok(Self { parts, ids, classes, skipped })
    }

    /// Returns the files in the order of their parts.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.parts.iter().map(|part| &part.path)
    }

    /// Returns the number of rows of all parts.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// Returns the numbers of columns of x1, x2, ...
    pub fn widths(&self) -> &[usize] {
        // There is a part at least.
        self.parts.first().map(|part| part.widths.as_slice()).unwrap_or_default()
    }

    /// Returns the classes of all parts, where the table has labels.
    pub fn classes(&self) -> Option<&[String]> {
        self.classes.as_deref()
    }

    /// Returns the rows that could not be embedded.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns the number of rows that were left out, as an input or a label is missing.
    pub fn dropped(&self) -> usize {
        self.parts.iter().fold(0, |all, part| all.saturating_add(part.of.dropped))
    }

    /// Returns the number of rows with a text or sound that was cut.
    pub fn truncated(&self) -> usize {
        self.parts.iter().fold(0, |all, part| all.saturating_add(part.of.truncated))
    }

    /// Returns what x1, x2, ... were made by, as JSON, where the files say it.
    pub fn models(&self) -> impl Iterator<Item = (String, &str)> {
        let metadata = self.parts.first().map(|part| &part.metadata);
        (1..=self.widths().len()).filter_map(move |number| {
            let model = metadata?.get(&format!("x{number}_model"))?;
            Some((format!("x{number}"), model.as_str()))
        })
    }

    /// Writes the feature file of the whole table.
    ///
    /// # Errors
    /// [`JoinError`] if a part cannot be read any more, or `output` cannot be written.
    pub fn write(&self, mut output: impl Write) -> Result<(), JoinError> {
        let (output, classes) = (&mut output, self.classes());
        let outline = Outline { rows: self.rows(), ids: self.ids.as_deref(), classes, widths: self.widths() };
        self.metadata().and_then(|metadata| outline.write(metadata, output)).map_err(JoinError::Output)?;
        if let Some(classes) = classes {
            let places: HashMap<&str, i64> = classes.iter().map(String::as_str).zip(0..).collect();
            for part in &self.parts {
                write_labels(part, &places, output)?;
            }
        }
        for modality in 0..self.widths().len() {
            for part in &self.parts {
                let bytes = bytes_of(part.rows * part.widths[modality]);
                part.copy(part.vectors[modality], bytes, |bytes| output.write_all(bytes).map_err(JoinError::Output))?;
            }
        }
        output.flush().map_err(JoinError::Output)
    }

    /// Returns the metadata of the whole, but for ids and classes.
    fn metadata(&self) -> io::Result<BTreeMap<String, String>> {
        let mut metadata = self.parts.first().map(|part| part.metadata.clone()).unwrap_or_default();
        if !self.skipped.is_empty() {
            metadata.insert("skipped".to_owned(), serde_json::to_string(&self.skipped)?);
        }
        Ok(metadata)
    }
}

/// Writes the labels of a part as those of the whole; `places` are those of its classes among all.
fn write_labels(part: &Part, places: &HashMap<&str, i64>, output: &mut impl Write) -> Result<(), JoinError> {
    let (Some(start), Some(classes)) = (part.labels, &part.classes) else { return Ok(()) };
    // All classes of the parts are among those of the whole.
    let of_whole: Vec<i64> = classes.iter().filter_map(|class| places.get(class.as_str()).copied()).collect();
    part.copy(start, (part.rows * LABEL) as u64, |bytes| {
        for label in bytes.as_chunks::<LABEL>().0 {
            let found = i64::from_le_bytes(*label);
            let label = usize::try_from(found).ok().and_then(|label| of_whole.get(label));
            let label = label.ok_or_else(|| part.damaged(format!("`y` holds the label {found}, which is no class")))?;
            output.write_all(&label.to_le_bytes()).map_err(JoinError::Output)?;
        }
        Ok(())
    })
}

/// Checks that no id is in two parts, or twice in one.
fn check_ids(parts: &[Part]) -> Result<(), JoinError> {
    let mut seen: HashMap<&str, &Part> = HashMap::new();
    for part in parts {
        for id in part.ids.iter().flatten() {
            if let Some(first) = seen.insert(id, part) {
                return Err(JoinError::RepeatedId { id: id.clone(), first: first.name(), second: part.name() });
            }
        }
    }
    Ok(())
}

impl Part {
    /// Gives so many bytes of the file from `start` on to `take`, a buffer at a time.
    fn copy(
        &self,
        start: u64,
        bytes: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), JoinError>,
    ) -> Result<(), JoinError> {
        let unreadable = |source| JoinError::Read { file: self.name(), source };
        let mut file = File::open(&self.path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut buffer = vec![0; BUFFER];
        let mut left = bytes;
        while left > 0 {
            let length = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            file.read_exact(&mut buffer[..length]).map_err(unreadable)?;
            take(&buffer[..length])?;
            left -= length as u64;
        }
        Ok(())
    }
}
