//! Rows of a table, by their ids, as states that enter the first block that is trained of each model.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::encode::{Encoder, Encoding};
use super::error::PipelineError;
use super::folder::Folder;
use super::group::Skipped;
use super::table::{Columns, Row, Table};
use super::watch::{Progress, Watch};
use super::workers::Workers;
use crate::embedding::embedder::{Prepared, Trainable};
use crate::embedding::encoders::Entry;
use crate::features::Missing;

/// Inputs that are prepared and go through a model at a time.
const AT_A_TIME: usize = 16;

/// A table of inputs, each of which is looked up by the id of its row.
#[derive(Debug, Clone, Copy)]
pub struct InputTable<'t> {
    /// The table.
    pub path: &'t Path,
    /// Its columns; that of the id is needed.
    pub columns: &'t Columns,
    /// Whether symbolic links may lead out of the table's directory.
    pub follow_links: bool,
    /// Threads that prepare and encode, at least 1. They change no byte of the result.
    pub threads: usize,
}

impl InputTable<'_> {
    /// Makes the states of the rows of these ids, for each model those of its column: a list for each, in the order of the ids.
    /// Rows of other ids are left alone.
    ///
    /// # Errors
    /// [`PipelineError`] if the table cannot be read, lacks an id or has it twice, or an input cannot be encoded.
    pub fn enter(
        &self,
        models: &[&Trainable],
        ids: &[String],
        watch: &Watch<'_>,
    ) -> Result<Vec<Vec<Entry>>, PipelineError> {
        let rows = self.rows(ids)?;
        let encodings: Vec<Encoding> = self.columns.inputs.iter().zip(models).map(encoding).collect();
        let encoder = Encoder {
            encodings: &encodings,
            folder: Folder::of_table(self.path, self.follow_links),
            batch: AT_A_TIME,
            missing: Missing::Refuse,
            workers: Workers::new(self.threads),
        };
        let groups = rows.len().div_ceil(AT_A_TIME);
        watch.tell(Progress::Begun { finished: 0, groups, rows_left: rows.len() * models.len() });
        let of_model = |(place, model): (usize, &&Trainable)| {
            let found = encoder.workers.each(groups, |group| {
                if watch.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let some: Vec<usize> = (group * AT_A_TIME..rows.len().min((group + 1) * AT_A_TIME)).collect();
                let (prepared, refused) = encoder.prepare(&encodings[place], place, &rows, &some);
                if let Some((row, reason)) = refused.into_iter().find_map(|made| Some((made.row, made.vector.err()?))) {
                    let Row { place, id, .. } = &rows[row];
                    let skipped = Skipped { row: place + 1, id: id.clone(), reason };
                    return Err(PipelineError::Row { file: self.file(), skipped });
                }
                let inputs: Vec<&Prepared> = prepared.iter().map(|(_, input)| input).collect();
                let entries = model.enter(&inputs)?;
                watch.tell(Progress::Rows(some.len()));
                Ok(entries)
            });
            Ok(found.into_iter().collect::<Result<Vec<_>, PipelineError>>()?.into_iter().flatten().collect())
        };
        models.iter().enumerate().map(of_model).collect()
    }

    /// The rows of these ids, in their order.
    fn rows(&self, ids: &[String]) -> Result<Vec<Row>, PipelineError> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (place, id) in ids.iter().enumerate() {
            places.insert(id, place);
        }
        let mut found: Vec<Option<Row>> = vec![None; ids.len()];
        for row in Table::open(self.path, self.columns.clone(), Missing::Keep)? {
            let row = row?;
            let Some(place) = row.id.as_deref().and_then(|id| places.get(id)) else { continue };
            if let Some(first) = &found[*place] {
                let (first, second) = (first.place + 1, row.place + 1);
                return Err(PipelineError::RepeatedId { file: self.file(), id: ids[*place].clone(), first, second });
            }
            found[*place] = Some(row);
        }
        let known = |(row, id): (Option<Row>, &String)| {
            row.ok_or_else(|| PipelineError::UnknownId { file: self.file(), id: id.clone() })
        };
        found.into_iter().zip(ids).map(known).collect()
    }

    fn file(&self) -> String {
        self.path.display().to_string()
    }
}

fn encoding((column, model): (&super::table::InputColumn, &&Trainable)) -> Encoding {
    Encoding { modality: column.modality, column: column.name.clone(), embedder: Arc::clone(model.embedder()) }
}
