//! A first reading of the table: how many rows there are, which of them are embedded, and what each row group is made of.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;

use serde::Serialize;

use super::error::PipelineError;
use super::feature_file::bytes_of_id;
use super::folder::Folder;
use super::table::{Columns, Table};
use crate::features::Missing;
use crate::features::format::safetensors::LARGEST_HEADER;
use crate::files::sha256;
use crate::jobs::Shard;

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
    /// Inputs that an encoder takes at a time at most, at least 1. Texts are fewer where they have more than 8192 tokens
    /// together, padding included. Of videos, and of sounds in several windows, the parts count; and the pictures, sounds and
    /// videos of a row group make 16 batches at least where the processor encodes them, so that few of them use all threads.
    pub batch: usize,
    /// Rows of a row group, at least 1.
    pub rows_of_a_group: usize,
    /// The part of the row groups that is embedded.
    pub shard: Shard,
    /// Threads that prepare and encode, at least 1. They are shared by all row groups, and change no byte of the result.
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
            rows_of_a_group: 64,
            shard: Shard::WHOLE,
            threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Checks that no number is 0.
    ///
    /// # Errors
    /// [`PipelineError::Setting`] naming the one that is.
    pub fn check(&self) -> Result<(), PipelineError> {
        let numbers = [("batch", self.batch), ("rows_of_a_group", self.rows_of_a_group), ("threads", self.threads)];
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

/// A table all of whose rows can be read and whose ids differ, and the part of it that is embedded.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) settings: Settings,
    /// Rows of the whole table, without those that are dropped.
    pub(super) all_rows: usize,
    /// The row groups that are embedded, among those of the whole table.
    pub(super) groups: Range<usize>,
    /// The hash of what each of them is made of.
    pub(super) inputs: Vec<String>,
    /// Rows that are dropped among those that are embedded.
    pub(super) dropped: usize,
}

impl Plan {
    /// Reads the table once, before any model is loaded: a table that cannot be used is told at once. Where only a shard of it
    /// is embedded, its rows are counted in a reading before that.
    ///
    /// Ids and labels are checked in the whole table; files are looked at for the rows that are embedded.
    ///
    /// # Errors
    /// [`PipelineError`] if a setting is 0, or the table cannot be read, has no rows, or ids or labels that some rows lack or share.
    pub fn read(settings: Settings) -> Result<Self, PipelineError> {
        settings.check()?;
        let file = || settings.table.display().to_string();
        let columns = &settings.columns;
        let folder = Folder::of_table(&settings.table, settings.follow_links);
        let counted = if settings.shard.is_whole() { None } else { Some(count(&settings)?) };
        let wanted = counted.map_or(0..usize::MAX, |rows| settings.rows_of(&settings.groups_of(rows), rows));
        let mut ids: HashMap<String, usize> = HashMap::new();
        let (mut rows, mut labelled) = (0, None);
        let (mut dropped, mut dropped_before, mut bytes_of_ids) = (0, 0, 0);
        let (mut inputs, mut of_group) = (Vec::new(), Vec::new());
        let mut table = Table::open(&settings.table, columns.clone(), settings.missing)?;
        while let Some(row) = table.next() {
            let row = row?;
            let is_wanted = wanted.contains(&rows);
            rows += 1;
            let number = row.place + 1;
            if *labelled.get_or_insert(row.label.is_some()) != row.label.is_some() {
                let column = columns.label.name.clone();
                return Err(PipelineError::SomeLabels { file: file(), column, row: number });
            }
            if is_wanted {
                // Rows that are dropped belong to the row that follows them.
                dropped += table.dropped() - dropped_before;
                let states = columns.inputs.iter().zip(&row.inputs).map(|(column, input)| {
                    let files = input.paths(column.modality);
                    files.iter().map(|path| folder.state(path)).collect::<Vec<_>>().join("; ")
                });
                bytes_of_ids += row.id.as_deref().map_or(0, bytes_of_id);
                of_group.push((row.place, row.inputs.clone(), states.collect::<Vec<_>>(), row.label, row.id.clone()));
                if of_group.len() == settings.rows_of_a_group {
                    inputs.push(hash(&std::mem::take(&mut of_group))?);
                }
            }
            dropped_before = table.dropped();
            if let Some(id) = row.id
                && let Some(first) = ids.insert(id.clone(), number)
            {
                return Err(PipelineError::RepeatedId { file: file(), id, first, second: number });
            }
        }
        if !of_group.is_empty() {
            inputs.push(hash(&of_group)?);
        }
        if wanted.end >= rows {
            // None follows the last ones.
            dropped += table.dropped() - dropped_before;
        }
        match rows {
            0 if table.dropped() > 0 => Err(PipelineError::AllDropped { file: file(), rows: table.dropped() }),
            0 => Err(PipelineError::NoRows { file: file() }),
            _ if !ids.is_empty() && ids.len() < rows => {
                Err(PipelineError::SomeIds { file: file(), column: columns.id.name.clone() })
            }
            _ if counted.is_some_and(|counted| counted != rows) => Err(PipelineError::Changed { file: file() }),
            // Told now, and not when all rows are embedded.
            rows if bytes_of_ids > LARGEST_HEADER => {
                let rows = settings.rows_of(&settings.groups_of(rows), rows).len();
                Err(PipelineError::ManyIds { file: file(), rows, bytes: bytes_of_ids })
            }
            rows => Ok(Self { groups: settings.groups_of(rows), all_rows: rows, settings, inputs, dropped }),
        }
    }

    /// Returns the number of rows that are to be embedded.
    pub fn rows(&self) -> usize {
        self.rows_of(self.groups.clone()).len()
    }

    /// Returns the number of row groups that are to be embedded.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Returns the number of row groups of the whole table.
    pub(super) fn all_groups(&self) -> usize {
        self.all_rows.div_ceil(self.settings.rows_of_a_group)
    }

    /// Returns the rows of some row groups; both are counted in the whole table, without rows that are dropped.
    pub(super) fn rows_of(&self, groups: Range<usize>) -> Range<usize> {
        self.settings.rows_of(&groups, self.all_rows)
    }
}

impl Settings {
    /// Returns the row groups of the shard, where the whole table has so many rows.
    fn groups_of(&self, rows: usize) -> Range<usize> {
        self.shard.places(rows.div_ceil(self.rows_of_a_group))
    }

    /// Returns the rows of some row groups, where the whole table has `all` rows.
    fn rows_of(&self, groups: &Range<usize>, all: usize) -> Range<usize> {
        let before = |group: usize| group.saturating_mul(self.rows_of_a_group).min(all);
        before(groups.start)..before(groups.end)
    }
}

/// Counts the rows of a table, without those that are dropped.
fn count(settings: &Settings) -> Result<usize, PipelineError> {
    let mut table = Table::open(&settings.table, settings.columns.clone(), settings.missing)?;
    Ok(table.try_fold(0, |rows, row| row.map(|_| rows + 1))?)
}

fn hash(content: &impl Serialize) -> Result<String, PipelineError> {
    Ok(sha256(serde_json::to_vec(content)?))
}
