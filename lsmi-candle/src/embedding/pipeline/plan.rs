//! A first reading of the table: how many rows there are, and what each shard is made of.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use serde::Serialize;

use super::error::PipelineError;
use super::folder::Folder;
use super::table::{Columns, Input, Table};
use crate::embedding::encoders::Modality;
use crate::features::Missing;
use crate::files::sha256;

/// What is embedded, and in what pieces.
///
/// [`Settings::new`] has the values that the command takes where it is told no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table.
    pub table: PathBuf,
    /// The columns that are read.
    pub columns: Columns,
    /// What becomes of rows in which an input or a label is missing.
    pub missing: Missing,
    /// What becomes of rows that cannot be embedded.
    pub unreadable: Unreadable,
    /// Whether symbolic links may lead out of the table's directory.
    pub follow_links: bool,
    /// Inputs that an encoder takes at a time, at least 1.
    pub batch: usize,
    /// Rows of a shard, at least 1.
    pub rows_of_a_shard: usize,
    /// Threads that encode, at least 1.
    pub threads: usize,
}

impl Settings {
    /// Creates settings for the columns of a table: everything else as usual, with a thread for each processor.
    pub fn new(table: impl Into<PathBuf>, columns: Columns) -> Self {
        Self {
            table: table.into(),
            columns,
            missing: Missing::Refuse,
            unreadable: Unreadable::Fail,
            follow_links: false,
            batch: 16,
            rows_of_a_shard: 64,
            threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Checks that no number is 0.
    ///
    /// # Errors
    /// [`PipelineError::Setting`] naming the one that is.
    pub fn check(&self) -> Result<(), PipelineError> {
        let numbers = [("batch", self.batch), ("rows_of_a_shard", self.rows_of_a_shard), ("threads", self.threads)];
        match numbers.into_iter().find(|(_, number)| *number == 0) {
            Some((name, _)) => Err(PipelineError::Setting { name }),
            None => Ok(()),
        }
    }
}

/// What becomes of rows that cannot be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unreadable {
    /// The first of them is an error.
    #[default]
    Fail,
    /// They are left out, and listed.
    Skip,
}

/// A table all of whose rows can be read and whose ids differ.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) settings: Settings,
    pub(super) rows: usize,
    /// The hash of what each shard is made of.
    pub(super) inputs: Vec<String>,
    pub(super) dropped: usize,
}

impl Plan {
    /// Reads the table once, before any model is loaded: a table that cannot be used is told at once.
    ///
    /// # Errors
    /// [`PipelineError`] if a setting is 0, or the table cannot be read, has no rows, or ids or labels that some rows lack or share.
    pub fn read(settings: Settings) -> Result<Self, PipelineError> {
        settings.check()?;
        let file = || settings.table.display().to_string();
        let columns = &settings.columns;
        let folder = Folder::of_table(&settings.table, settings.follow_links);
        let mut ids: HashMap<String, usize> = HashMap::new();
        let (mut rows, mut labelled) = (0, None);
        let (mut inputs, mut of_shard) = (Vec::new(), Vec::new());
        let mut table = Table::open(&settings.table, columns.clone(), settings.missing)?;
        for row in table.by_ref() {
            let row = row?;
            rows += 1;
            let number = row.place + 1;
            if *labelled.get_or_insert(row.label.is_some()) != row.label.is_some() {
                let column = columns.label.name.clone();
                return Err(PipelineError::SomeLabels { file: file(), column, row: number });
            }
            let states = columns.inputs.iter().zip(&row.inputs).map(|(column, input)| match (column.modality, input) {
                (Modality::Image | Modality::Audio, Input::Text(path)) => folder.state(path),
                // It is in the table itself.
                _ => String::new(),
            });
            of_shard.push((row.inputs.clone(), states.collect::<Vec<_>>(), row.label, row.id.clone()));
            if of_shard.len() == settings.rows_of_a_shard {
                inputs.push(hash(&std::mem::take(&mut of_shard))?);
            }
            if let Some(id) = row.id
                && let Some(first) = ids.insert(id.clone(), number)
            {
                return Err(PipelineError::RepeatedId { file: file(), id, first, second: number });
            }
        }
        if !of_shard.is_empty() {
            inputs.push(hash(&of_shard)?);
        }
        let dropped = table.dropped();
        match rows {
            0 if dropped > 0 => Err(PipelineError::AllDropped { file: file(), rows: dropped }),
            0 => Err(PipelineError::NoRows { file: file() }),
            _ if !ids.is_empty() && ids.len() < rows => {
                Err(PipelineError::SomeIds { file: file(), column: columns.id.name.clone() })
            }
            rows => Ok(Self { settings, rows, inputs, dropped }),
        }
    }

    /// Returns the number of rows that are to be embedded.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of shards.
    pub fn shards(&self) -> usize {
        self.inputs.len()
    }

    /// Returns the number of rows of a shard.
    pub(super) fn rows_of(&self, shard: usize) -> usize {
        let most = self.settings.rows_of_a_shard;
        most.min(self.rows - shard * most)
    }
}

fn hash(content: &impl Serialize) -> Result<String, PipelineError> {
    Ok(sha256(serde_json::to_vec(content)?))
}
