//! The rows of a row group become vectors: files are read and prepared, batches of alike go through the encoders.
//!
//! Preparing and encoding are tasks of the [threads](Workers) that all row groups share. What a batch holds depends on the
//! rows of the group and never on the threads: the same table and models give the same bytes with any number of them.

use std::ops::Range;
use std::sync::Arc;

use super::folder::Folder;
use super::group::{Group, Header, Skipped};
use super::table::{Input, Row, missing_as};
use super::workers::Workers;
use crate::embedding::embedder::{EmbedError, Embedder, Prepared};
use crate::embedding::encoders::Modality;
use crate::embedding::preprocess::video::Clip;
use crate::features::Missing;

/// Most tokens of a batch of texts, padding included, unless one text has more: memory grows with them.
const MOST_TOKENS: usize = 8192;
/// Texts that are made into tokens by one task.
const TEXTS_OF_A_TASK: usize = 16;
/// The batches that the pictures or sounds of a row group make at least, where they are encoded by threads of the processor.
const BATCHES_OF_A_GROUP: usize = 16;

/// An encoder, and the column whose inputs it makes vectors of.
pub struct Encoding {
    /// What is encoded.
    pub modality: Modality,
    /// The column of the table.
    pub column: String,
    /// The model. Several columns may have one.
    pub embedder: Arc<Embedder>,
}

impl Encoding {
    /// Whether another makes the same vectors, as it is of the same model and column.
    fn is_same(&self, other: &Self) -> bool {
        (self.modality, &self.column) == (other.modality, &other.column) && Arc::ptr_eq(&self.embedder, &other.embedder)
    }
}

/// What all row groups have in common.
pub(super) struct Encoder<'e> {
    /// The modalities, in the order of the output.
    pub(super) encodings: &'e [Encoding],
    /// Where files are looked for.
    pub(super) folder: Folder,
    /// Inputs encoded at a time, at most.
    pub(super) batch: usize,
    /// What works on all groups.
    pub(super) workers: Workers,
    /// What is taken for a missing input.
    pub(super) missing: Missing,
}

/// What became of the input of a row.
pub(super) struct Made {
    /// The row, counted in the row group.
    pub(super) row: usize,
    /// The vector, or why there is none.
    pub(super) vector: Result<Vec<f32>, String>,
    /// Whether the input was cut.
    truncated: bool,
}

impl Made {
    fn refused(row: usize, reason: String) -> Self {
        Self { row, vector: Err(reason), truncated: false }
    }
}

impl Encoder<'_> {
    /// Encodes the rows of a row group. Rows that cannot be embedded are listed in the header, the first of them first.
    ///
    /// # Errors
    /// Of encoders and devices, which concern all rows.
    pub(super) fn group(&self, rows: &[Row]) -> Result<Group, EmbedError> {
        let mut refused: Vec<Option<String>> = vec![None; rows.len()];
        let mut vectors: Vec<Vec<f32>> = Vec::new();
        let mut truncated = vec![false; rows.len()];
        for (place, encoding) in self.encodings.iter().enumerate() {
            if let Some(same) = self.encodings[..place].iter().position(|earlier| earlier.is_same(encoding)) {
                vectors.push(vectors[same].clone());
                continue;
            }
            let width = encoding.embedder.width();
            let mut of_rows = vec![0.0; rows.len() * width];
            let left: Vec<usize> = (0..rows.len()).filter(|row| refused[*row].is_none()).collect();
            let made = match encoding.modality {
                Modality::Text => self.texts(encoding, place, rows, &left)?,
                _ => self.files(encoding, place, rows, &left)?,
            };
            for Made { row, vector, truncated: was_cut } in made {
                truncated[row] |= was_cut;
                match vector {
                    Ok(vector) => of_rows[row * width..][..width].copy_from_slice(&vector),
                    Err(reason) => refused[row] = Some(reason),
                }
            }
            vectors.push(of_rows);
        }
        let truncated = (0..rows.len()).filter(|row| refused[*row].is_none() && truncated[*row]).count();
        let mut group = self.put_together(rows, &refused, &vectors);
        group.header.truncated = truncated;
        Ok(group)
    }

    /// Texts are short, so all of a group are prepared to find batches of alike.
    fn texts(&self, encoding: &Encoding, place: usize, rows: &[Row], left: &[usize]) -> Result<Vec<Made>, EmbedError> {
        let some: Vec<&[usize]> = left.chunks(TEXTS_OF_A_TASK).collect();
        let found = self.workers.each(some.len(), |task| self.prepare(encoding, place, rows, some[task]));
        let (mut prepared, mut made) = (Vec::new(), Vec::new());
        for (prepared_of_task, refused) in found {
            prepared.extend(prepared_of_task);
            made.extend(refused);
        }
        let batches = self.batches(encoding, &mut prepared, self.batch);
        let encode = |task: usize| encode(encoding, &prepared[batches[task].clone()], self.batch);
        for of_batch in self.workers.each(batches.len(), encode) {
            made.extend(of_batch?);
        }
        Ok(made)
    }

    /// Pictures, sounds and videos are large, so no more are prepared than are encoded then.
    fn files(&self, encoding: &Encoding, place: usize, rows: &[Row], left: &[usize]) -> Result<Vec<Made>, EmbedError> {
        let is_on_processor = encoding.embedder.device() == "cpu";
        let shared = if is_on_processor { left.len().div_ceil(BATCHES_OF_A_GROUP) } else { self.batch };
        let at_a_time = shared.clamp(1, self.batch);
        let some: Vec<&[usize]> = left.chunks(at_a_time).collect();
        let made = self.workers.each(some.len(), |task| {
            let (mut prepared, mut made) = self.prepare(encoding, place, rows, some[task]);
            for batch in self.batches(encoding, &mut prepared, at_a_time) {
                made.extend(encode(encoding, &prepared[batch], at_a_time)?);
            }
            Ok(made)
        });
        Ok(made.into_iter().collect::<Result<Vec<_>, EmbedError>>()?.into_iter().flatten().collect())
    }

    /// Sorts inputs by their length, and divides them into batches of alike.
    fn batches(&self, encoding: &Encoding, prepared: &mut [(usize, Prepared)], at_a_time: usize) -> Vec<Range<usize>> {
        // Of equal length they stay in the order of the rows.
        prepared.sort_by_key(|(_, input)| input.length());
        let limits = match encoding.modality {
            Modality::Text => Limits::Texts { texts: self.batch, tokens: MOST_TOKENS },
            _ => Limits::Parts(at_a_time),
        };
        limits.batches(prepared.iter().map(|(_, input)| encoding.embedder.size(input)))
    }

    /// Prepares the inputs of some rows for the encoder; lists the rows whose input cannot be had.
    pub(super) fn prepare(
        &self,
        encoding: &Encoding,
        place: usize,
        rows: &[Row],
        some: &[usize],
    ) -> (Vec<(usize, Prepared)>, Vec<Made>) {
        let (mut prepared, mut refused) = (Vec::new(), Vec::new());
        for &row in some {
            let input = &rows[row].inputs[place];
            let one = match (encoding.modality, input) {
                _ if let Some(found) = input.missing(self.missing) => {
                    Err(format!("`{}` is {}", encoding.column, missing_as(found)))
                }
                (Modality::Text, Input::Text(text)) => {
                    encoding.embedder.prepare_text(text).map_err(|error| in_full(&error))
                }
                (modality, Input::Text(path)) if !input.is_list(modality) => {
                    let found = self.folder.find(path, &encoding.column).map_err(|error| error.to_string());
                    found.and_then(|path| encoding.embedder.prepare_file(&path).map_err(|error| in_full(&error)))
                }
                (modality, Input::Text(_) | Input::Frames(_)) => self.video(encoding, &input.paths(modality)),
                (_, Input::File { name, bytes }) => {
                    encoding.embedder.prepare_bytes(name, bytes.clone()).map_err(|error| in_full(&error))
                }
            };
            match one {
                Ok(one) => prepared.push((row, one)),
                Err(reason) => refused.push(Made::refused(row, reason)),
            }
        }
        (prepared, refused)
    }

    /// Prepares the video whose frames are at these paths.
    fn video(&self, encoding: &Encoding, paths: &[&str]) -> Result<Prepared, String> {
        let find = |(place, path): (usize, &&str)| match *path {
            "" => Err(format!("`{}` names no file as frame {place}, counted from 0", encoding.column)),
            path => self.folder.find(path, &encoding.column).map_err(|error| error.to_string()),
        };
        let files = paths.iter().enumerate().map(find).collect::<Result<Vec<_>, _>>()?;
        let name = format!("the frames of `{}`", encoding.column);
        let mut clip = Clip::from_paths(&name, files).map_err(|error| in_full(&error))?;
        encoding.embedder.prepare_clip(&mut clip).map_err(|error| in_full(&error))
    }

    fn put_together(&self, rows: &[Row], refused: &[Option<String>], vectors: &[Vec<f32>]) -> Group {
        let kept: Vec<usize> = (0..rows.len()).filter(|row| refused[*row].is_none()).collect();
        // Where no row is kept, the others still say whether the table has labels and ids.
        let of = |field: fn(&Row) -> Option<String>| {
            rows.iter()
                .all(|row| field(row).is_some())
                .then(|| kept.iter().filter_map(|row| field(&rows[*row])).collect())
        };
        let skipped = rows.iter().zip(refused).filter_map(|(row, reason)| {
            Some(Skipped { row: row.place + 1, id: row.id.clone(), reason: reason.clone()? })
        });
        let header = Header {
            places: kept.iter().map(|row| rows[*row].place).collect(),
            labels: of(|row| row.label.clone()),
            ids: of(|row| row.id.clone()),
            skipped: skipped.collect(),
            ..Header::default()
        };
        let of_modality = |(encoding, vectors): (&Encoding, &Vec<f32>)| {
            let width = encoding.embedder.width();
            kept.iter().flat_map(|row| &vectors[row * width..][..width]).copied().collect()
        };
        Group { header, vectors: self.encodings.iter().zip(vectors).map(of_modality).collect() }
    }
}

/// What a batch holds at most; one input is never too many.
enum Limits {
    /// So many texts, and so many tokens of all when they are filled up to the longest.
    Texts { texts: usize, tokens: usize },
    /// So many parts: pictures, windows of sounds, frames or clips of videos.
    Parts(usize),
}

impl Limits {
    /// Divides inputs of these sizes, which ascend for texts, into batches of some that follow each other.
    fn batches(&self, sizes: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
        let mut batches: Vec<Range<usize>> = Vec::new();
        let mut parts = 0_usize;
        for (place, size) in sizes.enumerate() {
            let fits = |batch: &&mut Range<usize>| match self {
                Self::Texts { texts, tokens } => {
                    let count = batch.len() + 1;
                    count <= *texts && count.saturating_mul(size) <= *tokens
                }
                Self::Parts(most) => parts.saturating_add(size) <= *most,
            };
            if let Some(batch) = batches.last_mut().filter(fits) {
                batch.end = place + 1;
                parts = parts.saturating_add(size);
            } else {
                batches.push(place..place + 1);
                parts = size;
            }
        }
        batches
    }
}

/// Makes the vectors of a batch, or says for which of its inputs the model has none.
fn encode(encoding: &Encoding, batch: &[(usize, Prepared)], parts: usize) -> Result<Vec<Made>, EmbedError> {
    let embedder = &encoding.embedder;
    let made = |(row, input): &(usize, Prepared), vector: Result<&[f32], String>| Made {
        row: *row,
        vector: vector.map(<[f32]>::to_vec),
        truncated: input.is_truncated(),
    };
    let inputs: Vec<&Prepared> = batch.iter().map(|(_, input)| input).collect();
    match embedder.embed_in_parts(&inputs, parts) {
        Ok(values) => {
            Ok(batch.iter().zip(values.chunks(embedder.width())).map(|(one, vector)| made(one, Ok(vector))).collect())
        }
        Err(EmbedError::NotFinite { .. }) => {
            let alone = |one: &(usize, Prepared)| match embedder.embed_in_parts(&[&one.1], parts) {
                Ok(vector) => Ok(made(one, Ok(&vector))),
                Err(EmbedError::NotFinite { found }) => Ok(made(one, Err(in_full(&EmbedError::NotFinite { found })))),
                Err(error) => Err(error),
            };
            batch.iter().map(alone).collect()
        }
        Err(error) => Err(error),
    }
}

/// Returns an error with its causes, in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.contains(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_texts_are_limited_by_their_number_and_their_tokens() {
        let limits = Limits::Texts { texts: 4, tokens: 100 };
        // Four of one token; then three that are 30 tokens long; two of 50; and one that is longer than a whole batch.
        let sizes = [1, 1, 1, 2, 10, 20, 30, 40, 50, 120, 130];
        assert_eq!(limits.batches(sizes.into_iter()), [0..4, 4..7, 7..9, 9..10, 10..11]);
        for batch in limits.batches(sizes.into_iter()) {
            assert!(batch.len() == 1 || batch.len() <= 4 && sizes[batch.end - 1] * batch.len() <= 100);
        }
        assert!(limits.batches(std::iter::empty()).is_empty());
        // A batch as it is by default has nothing to do with its tokens where texts are short.
        let usual = Limits::Texts { texts: 16, tokens: MOST_TOKENS };
        assert_eq!(usual.batches([256; 40].into_iter()), [0..16, 16..32, 32..40]);
        assert_eq!(usual.batches([8192; 2].into_iter()), [0..1, 1..2]);
    }

    #[test]
    fn batches_of_parts_count_all_of_them() {
        let pictures = Limits::Parts(3).batches([1; 7].into_iter());
        assert_eq!(pictures, [0..3, 3..6, 6..7]);
        assert_eq!(Limits::Parts(4).batches([1, 3, 2, 9, 1].into_iter()), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(Limits::Parts(1).batches([usize::MAX, 1].into_iter()), [0..1, 1..2]);
    }
}
