//! The column `split` of a table: which rows are training, validation and test data.

use std::ops::Range;

use arrow_array::{Array as _, ArrayRef, UInt64Array};
use arrow_select::take::take;

use super::Table;
use crate::features::array::{Array, Corrupt, Incomplete, Kind, Values};
use crate::features::columns::{Column, kind_of};

/// What the column is called.
pub(super) const COLUMN: &str = "split";

/// More are no splits: the column must be about something else.
const MOST: usize = 20;

/// The rows of every split.
pub(super) struct Splits {
    column: usize,
    /// By name, in the order of their first rows.
    rows: Vec<(String, Vec<usize>)>,
}

impl Splits {
    /// Reads the column, if there is one of strings.
    pub(super) fn read(table: &mut impl Table) -> Result<Option<Self>, Corrupt> {
        let found = table.columns().iter().position(|column| column.name == COLUMN);
        let Some(column) = found.filter(|place| kind_of(&table.columns()[*place].data_type) == Kind::Strings) else {
            return Ok(None);
        };
        let mut values = Column::new(&table.columns()[column].data_type);
        let all = 0..table.rows();
        if !all.is_empty() {
            table.read(COLUMN, &[column], all, &mut |part| part.iter().try_for_each(|rows| values.extend(rows)))?;
        }
        let names = match values.array()? {
            Array { values: Values::Strings(names), .. } => names,
            Array { values: Values::Incomplete(Incomplete::Null { row }), .. } => return Err(no_split(row)),
            _ => return Ok(None),
        };
        let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
        for (row, name) in names.into_iter().enumerate() {
            if name.is_empty() {
                return Err(no_split(row));
            }
            match rows.iter().position(|(split, _)| *split == name) {
                Some(split) => rows[split].1.push(row),
                None if rows.len() < MOST => rows.push((name, vec![row])),
                None => {
                    return Err(Corrupt(format!(
                        "the column `{COLUMN}` has more than {MOST} different values; if it names no splits, rename it"
                    )));
                }
            }
        }
        Ok((!rows.is_empty()).then_some(Self { column, rows }))
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn row_count(&self, split: usize) -> usize {
        self.rows[split].1.len()
    }

    pub(super) fn row_in_file(&self, split: usize, row: usize) -> usize {
        self.rows[split].1.get(row).copied().unwrap_or(row)
    }

    /// The rows of the table that some rows of a split are, and all between them.
    pub(super) fn span(&self, split: usize, rows: &Range<usize>) -> Range<usize> {
        match self.rows[split].1.get(rows.clone()) {
            Some([first, .., last]) => *first..last + 1,
            Some([only]) => *only..only + 1,
            _ => 0..0,
        }
    }

    /// Of columns that are these rows of the table, the rows of a split.
    pub(super) fn chosen(&self, split: usize, part: &[ArrayRef], rows: Range<usize>) -> Result<Vec<ArrayRef>, Corrupt> {
        let all = &self.rows[split].1;
        let places = all.partition_point(|row| *row < rows.start)..all.partition_point(|row| *row < rows.end);
        let wanted = &all[places];
        match wanted {
            [] => Ok(part.iter().map(|column| column.slice(0, 0)).collect()),
            [first, ..] if wanted.len() == wanted[wanted.len() - 1] - first + 1 => {
                Ok(part.iter().map(|column| column.slice(first - rows.start, wanted.len())).collect())
            }
            _ => {
                let indices = UInt64Array::from_iter_values(wanted.iter().map(|row| (row - rows.start) as u64));
                let chosen = |column: &ArrayRef| take(column, &indices, None);
                part.iter().map(chosen).collect::<Result<_, _>>().map_err(|error| Corrupt(error.to_string()))
            }
        }
    }
}

fn no_split(row: usize) -> Corrupt {
    Corrupt(format!("the column `{COLUMN}` names no split at row {row}; name one, or rename the column"))
}
