//! The column `split` of a table: which rows are training, validation and test data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow_array::{Array as _, ArrayRef, UInt64Array};
use arrow_select::take::take;

use super::Table;
use crate::features::array::{Array, Corrupt, Kind, Numbers, Values};
use crate::features::columns::{Column, kind_of};
use crate::features::format::NotOpened;
use crate::features::keys::splits::split_of;
use crate::features::labels::alike::quoted;
use crate::features::labels::missing::Missing;

/// The name of the column.
const COLUMN: &str = "split";

/// More are no splits: the column must be about something else.
const MOST: usize = 20;

/// The rows of every split.
pub(super) struct Splits {
    column: usize,
    /// The spellings of each, if not its name.
    spellings: BTreeMap<String, BTreeSet<String>>,
    /// By name, in the order of their first rows.
    rows: Vec<(String, Vec<usize>)>,
}

impl Splits {
    /// Reads the column, if there is one of strings.
    ///
    /// # Errors
    /// If it names no splits: a row has none, or a few numbers stand for them.
    pub(super) fn read(table: &mut impl Table) -> Result<Option<Self>, NotOpened> {
        let place = |is_it: &dyn Fn(&str) -> bool| table.columns().iter().position(|column| is_it(&column.name));
        let found = place(&|name| name == COLUMN).or_else(|| place(&|name| name.eq_ignore_ascii_case(COLUMN)));
        let Some(column) = found else { return Ok(None) };
        if let Kind::Other(_) = kind_of(&table.columns()[column].data_type) {
            return Ok(None);
        }
        let mut values = Column::new(&table.columns()[column].data_type);
        let all = 0..table.rows();
        if !all.is_empty() {
            table.read(COLUMN, &[column], all, &mut |part| part.iter().try_for_each(|rows| values.extend(rows)))?;
        }
        let names = match values.array()? {
            Array { values: Values::Strings(names), .. } => names,
            Array { values: Values::WithGaps(values, gaps), .. } if values.kind() == Kind::Strings => {
                return Err(no_split(gaps.first().copied().unwrap_or_default()));
            }
            Array { values: Values::Numbers(numbers), shape } => return check_numbers(&numbers, &shape),
            Array { values: Values::WithGaps(values, _), shape } => match *values {
                Values::Numbers(numbers) => return check_numbers(&numbers, &shape),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
        let mut spellings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (row, written) in names.into_iter().enumerate() {
            if Missing::Refuse.is_missing(&written) {
                return Err(no_split(row));
            }
            let name = name_of(&written);
            if name != written {
                spellings.entry(name.clone()).or_default().insert(written);
            }
            match rows.iter().position(|(split, _)| *split == name) {
                Some(split) => rows[split].1.push(row),
                None if rows.len() < MOST => rows.push((name, vec![row])),
                None => {
                    return Err(NotOpened::Refused(format!(
                        "the column `{COLUMN}` has more than {MOST} different values; if it names no splits, rename it"
                    )));
                }
            }
        }
        Ok((!rows.is_empty()).then_some(Self { column, spellings, rows }))
    }

    /// Says which names in the column were read as other names.
    pub(super) fn note(&self) -> Option<String> {
        let of_split =
            |(name, written): (&String, &BTreeSet<String>)| format!("{} as `{name}`", quoted(written.iter()));
        let all: Vec<String> = self.spellings.iter().map(of_split).collect();
        (!all.is_empty()).then(|| format!("in the column `{COLUMN}`, names are read so: {}", all.join(", ")))
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

    /// Returns the rows of the table from the first to the last of some rows of a split.
    pub(super) fn span(&self, split: usize, rows: &Range<usize>) -> Range<usize> {
        match self.rows[split].1.get(rows.clone()) {
            Some([first, .., last]) => *first..last + 1,
            Some([only]) => *only..only + 1,
            _ => 0..0,
        }
    }

    /// Selects the rows of a split from columns that are these rows of the table.
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

/// Returns the split that a name stands for: without blanks around it, and the common names without regard to case.
fn name_of(written: &str) -> String {
    split_of(written).unwrap_or(written.trim()).to_owned()
}

/// Refuses a few distinct numbers, which may stand for splits but do not say for which.
fn check_numbers(numbers: &Numbers<'_>, shape: &[usize]) -> Result<Option<Splits>, NotOpened> {
    let &[rows] = shape else { return Ok(None) };
    let mut distinct: Vec<f64> = Vec::new();
    for row in 0..rows {
        let value = numbers.at(&[row]).to_f64();
        if !distinct.contains(&value) {
            distinct.push(value);
        }
        if distinct.len() > MOST {
            return Ok(None);
        }
    }
    distinct.sort_by(f64::total_cmp);
    let distinct: Vec<String> = distinct.iter().map(ToString::to_string).collect();
    Err(NotOpened::Refused(format!(
        "the column `{COLUMN}` holds numbers ({}), which do not say what rows are for; write train, val or test in their place, \
         or rename the column if it names no splits",
        distinct.join(", ")
    )))
}

fn no_split(row: usize) -> NotOpened {
    NotOpened::Refused(format!("the column `{COLUMN}` names no split at row {row}; name one, or rename the column"))
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn common_names_are_known_however_they_are_written() {
        for (written, expected) in [
            ("Train", "train"),
            (" training ", "train"),
            ("Validation", "val"),
            ("TEST", "test"),
            ("dev", "dev"),
            ("Shift ", "Shift"),
        ] {
            assert_eq!(name_of(written), expected, "{written}");
        }
    }
}
