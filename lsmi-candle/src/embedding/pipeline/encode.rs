//! The rows of a row group become vectors: files are read and prepared, batches of alike go through the encoders.

use super::folder::Folder;
use super::group::{Group, Header, Skipped};
use super::table::{Input, Row, missing_as};
use crate::embedding::embedder::{EmbedError, Embedder, Prepared};
use crate::embedding::encoders::Modality;
use crate::embedding::preprocess::video::Clip;
use crate::features::Missing;

/// An encoder, and the column whose inputs it makes vectors of.
pub struct Encoding {
    /// What is encoded.
    pub modality: Modality,
    /// The column of the table.
    pub column: String,
    /// The model.
    pub embedder: Embedder,
}

/// What all row groups have in common.
pub(super) struct Encoder<'e> {
    /// The modalities, in the order of the output.
    pub(super) encodings: &'e [Encoding],
    /// Where files are looked for.
    pub(super) folder: Folder,
    /// Inputs encoded at a time.
    pub(super) batch: usize,
    /// What is taken for a missing input.
    pub(super) missing: Missing,
}

/// Why a row has no vector.
struct Refused {
    /// The row, counted in the row group.
    row: usize,
    reason: String,
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
            let mut of_rows = vec![0.0; rows.len() * encoding.embedder.width()];
            let left: Vec<usize> = (0..rows.len()).filter(|row| refused[*row].is_none()).collect();
            // Texts are short, so all are prepared to find batches of alike; pictures, sounds and videos are large.
            let at_a_time = if encoding.modality == Modality::Text { left.len().max(1) } else { self.batch };
            for some in left.chunks(at_a_time) {
                let (prepared, mut refusals) = self.prepare(encoding, place, rows, some);
                for (row, input) in &prepared {
                    truncated[*row] |= input.is_truncated();
                }
                refusals.extend(self.encode(encoding, prepared, &mut of_rows)?);
                for Refused { row, reason } in refusals {
                    refused[row] = Some(reason);
                }
            }
            vectors.push(of_rows);
        }
        let truncated = (0..rows.len()).filter(|row| refused[*row].is_none() && truncated[*row]).count();
        let mut group = self.put_together(rows, &refused, &vectors);
        group.header.truncated = truncated;
        Ok(group)
    }

    /// Prepares the inputs of some rows for the encoder; lists the rows whose input cannot be had.
    fn prepare(
        &self,
        encoding: &Encoding,
        place: usize,
        rows: &[Row],
        some: &[usize],
    ) -> (Vec<(usize, Prepared)>, Vec<Refused>) {
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
                Err(reason) => refused.push(Refused { row, reason }),
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

    /// Puts vectors into the places of their rows; lists the rows for which the model has none.
    fn encode(
        &self,
        encoding: &Encoding,
        mut prepared: Vec<(usize, Prepared)>,
        vectors: &mut [f32],
    ) -> Result<Vec<Refused>, EmbedError> {
        let width = encoding.embedder.width();
        let mut refused = Vec::new();
        // Of equal length they stay in the order of the rows.
        prepared.sort_by_key(|(_, input)| input.length());
        for batch in prepared.chunks(self.batch) {
            let inputs: Vec<&Prepared> = batch.iter().map(|(_, input)| input).collect();
            let mut put = |row: usize, vector: &[f32]| vectors[row * width..][..width].copy_from_slice(vector);
            match encoding.embedder.embed(&inputs) {
                Ok(values) => batch.iter().zip(values.chunks(width)).for_each(|((row, _), vector)| put(*row, vector)),
                Err(EmbedError::NotFinite { .. }) => {
                    for (row, input) in batch {
                        match encoding.embedder.embed(&[input]) {
                            Ok(vector) => put(*row, &vector),
                            Err(EmbedError::NotFinite { found }) => {
                                let reason = in_full(&EmbedError::NotFinite { found });
                                refused.push(Refused { row: *row, reason });
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
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
