//! Tables as feature files: columns of equally many rows, put together to arrays.
//!
//! A column of numbers or strings is an array `[n]`, a column of lists of one length a matrix `[n, d]`, and so are
//! columns of one feature each that are numbered (see [`arrays`]). A column `split` of strings says which split a row
//! belongs to: its rows `train` of an array `x1` are the array `x1_train`.

mod arrays;
mod builder;
mod remark;
mod splits;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::DataType;

pub(super) use self::arrays::array_and_number;
use self::arrays::{Columns, arrays_of};
use self::builder::Builder;
pub(super) use self::remark::remark_on;
use self::splits::Splits;
use super::{Container, NotOpened, Opened};
use crate::features::array::{Array, Corrupt, Incomplete, Kind, Outline, Unusable, Values};
use crate::features::columns::kind_of;
use crate::features::columns::metadata::{MetadataColumn, MetadataType, MetadataValues};
use crate::features::labels::classes::first_repeat;

/// Takes rows of the columns asked for.
pub(super) type Take<'t> = &'t mut dyn FnMut(&[ArrayRef]) -> Result<(), Corrupt>;

/// A column's name and the type of its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnType {
    pub(super) name: String,
    pub(super) data_type: DataType,
}

/// A table, whatever its format.
pub(super) trait Table: Send {
    fn rows(&self) -> usize;

    fn columns(&self) -> &[ColumnType];

    /// Reads some rows of some columns, in parts of at least one row. Rows that follow those read last under the same
    /// `cursor` cost least.
    fn read(&mut self, cursor: &str, columns: &[usize], rows: Range<usize>, take: Take<'_>) -> Result<(), Corrupt>;

    /// Returns the text under a key of the metadata.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
    }

    /// Says why a column is not one of numbers, if one value decided that.
    fn remark(&self, _column: usize) -> Option<Unusable> {
        None
    }
}

/// A table and the arrays that its columns make.
pub(super) struct TableFile<T> {
    table: T,
    arrays: BTreeMap<String, Columns>,
    splits: Option<Splits>,
    /// Those asked for before: to read a first row again would cost the place in the file.
    outlines: BTreeMap<String, Outline>,
}

impl<T: Table + 'static> TableFile<T> {
    /// # Errors
    /// If two columns have one name, or the column `split` names no splits.
    pub(super) fn open(mut table: T) -> Opened {
        let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        if let Some((first, second)) = first_repeat(&names) {
            let is_value = names[first].parse::<f64>().is_ok();
            let mend = if is_value { "write a first line that names the columns" } else { "rename one of them" };
            return Err(NotOpened::Refused(format!(
                "the columns {first} and {second} are both called `{}`; {mend}",
                names[first]
            )));
        }
        let arrays = arrays_of(table.columns());
        let splits = Splits::read(&mut table)?;
        Ok(Box::new(Self { table, arrays, splits, outlines: BTreeMap::new() }))
    }

    /// Finds the columns of an array, and which split of them it is.
    fn find(&self, name: &str) -> Result<(&Columns, Option<usize>), Corrupt> {
        let missing = || Corrupt(format!("there is no column `{name}`"));
        let Some(splits) = &self.splits else { return Ok((self.arrays.get(name).ok_or_else(missing)?, None)) };
        let mut of_splits = splits.names().enumerate().filter_map(|(place, split)| {
            let array = name.strip_suffix(split)?.strip_suffix('_')?;
            Some((self.arrays.get(array)?, Some(place)))
        });
        of_splits.next().ok_or_else(missing)
    }

    /// Returns the kind of values in the columns of an array.
    fn kind(&self, columns: &Columns) -> Kind {
        let all = self.table.columns();
        let of = |column: usize| kind_of(&all[column].data_type);
        let with_remark = |column: usize, kind: Kind| match (kind, self.table.remark(column)) {
            (Kind::Strings, Some(remark)) => Kind::Other(remark),
            (kind, _) => kind,
        };
        match columns {
            // Strings may serve as labels: only of features they are not what was meant.
            Columns::One(column) => of(*column),
            Columns::Numbered(columns) => builder::kind_of_numbered(columns.iter().map(|column| {
                let kind = with_remark(*column, of(*column));
                (all[*column].name.as_str(), kind)
            })),
            Columns::Broken(_) => Kind::Other("columns that are not all there".into()),
        }
    }

    /// Returns the rows of the table from the first to the last of some rows of an array.
    fn span(&self, split: Option<usize>, rows: &Range<usize>) -> Range<usize> {
        match (split, &self.splits) {
            (Some(split), Some(splits)) => splits.span(split, rows),
            _ => rows.clone(),
        }
    }

    /// Passes on some rows of some columns, those of a split alone.
    fn read_columns(
        &mut self,
        cursor: &str,
        columns: &[usize],
        split: Option<usize>,
        rows: &Range<usize>,
        take: Take<'_>,
    ) -> Result<(), Corrupt> {
        let span = self.span(split, rows);
        if span.is_empty() {
            return Ok(());
        }
        match (split, &self.splits) {
            (Some(split), Some(splits)) => {
                let mut at = span.start;
                self.table.read(cursor, columns, span, &mut |part| {
                    let length = part.first().map_or(0, arrow_array::Array::len);
                    let chosen = splits.chosen(split, part, at..at + length)?;
                    at += length;
                    if chosen.first().is_some_and(|column| !arrow_array::Array::is_empty(column)) {
                        take(&chosen)?;
                    }
                    Ok(())
                })
            }
            _ => self.table.read(cursor, columns, span, take),
        }
    }

    fn row_count(&self, split: Option<usize>) -> usize {
        match (split, &self.splits) {
            (Some(split), Some(splits)) => splits.row_count(split),
            _ => self.table.rows(),
        }
    }

    fn read(&mut self, name: &str, rows: &Range<usize>) -> Result<Array<'static>, Corrupt> {
        let (columns, split) = self.find(name)?;
        let columns = columns.clone();
        let kind = self.kind(&columns);
        let places = match &columns {
            Columns::One(column) => vec![*column],
            Columns::Numbered(columns) => columns.clone(),
            Columns::Broken(reason) => return Err(Corrupt(reason.clone())),
        };
        if let Kind::Other(what) = kind {
            let shape = std::iter::once(rows.len()).chain(columns.width()).collect();
            return Ok(Array { shape, values: Values::Other(what) });
        }
        let first_type = self.table.columns()[places[0]].data_type.clone();
        let mut builder = Builder::new(&columns, &first_type);
        self.read_columns(name, &places, split, rows, &mut |part| builder.extend(part))?;
        builder.array()
    }
}

impl<T: Table + 'static> Container for TableFile<T> {
    fn names(&self) -> BTreeSet<String> {
        match &self.splits {
            None => self.arrays.keys().cloned().collect(),
            Some(splits) => {
                let of_array = |array: &String| -> Vec<String> {
                    splits.names().map(|split| format!("{array}_{split}")).collect()
                };
                let is_other = |columns: &Columns| *columns != Columns::One(splits.column());
                self.arrays
                    .iter()
                    .filter(|(_, columns)| is_other(columns))
                    .flat_map(|(array, _)| of_array(array))
                    .collect()
            }
        }
    }

    /// Describes an array; the first row that has a list tells how wide a column of lists is.
    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        if let Some(known) = self.outlines.get(name) {
            return Ok(known.clone());
        }
        let (columns, split) = self.find(name)?;
        let (columns, rows) = (columns.clone(), self.row_count(split));
        let kind = self.kind(&columns);
        let width: Vec<usize> = match &columns {
            Columns::Broken(reason) => return Err(Corrupt(reason.clone()).inside(name)),
            Columns::Numbered(_) => columns.width().into_iter().collect(),
            Columns::One(_) => {
                let mut part = 0..rows.min(1);
                loop {
                    let array = self.read(name, &part).map_err(|corrupt| corrupt.inside(name))?;
                    let is_empty = matches!(array.values, Values::Incomplete(Incomplete::Null { .. }));
                    if !is_empty || part.end == rows {
                        break array.shape.into_iter().skip(1).collect();
                    }
                    // Parts that double, so that few are read twice.
                    part = part.end..rows.min(2 * part.end);
                }
            }
        };
        let outline = Outline { shape: std::iter::once(rows).chain(width).collect(), kind };
        self.outlines.insert(name.to_owned(), outline.clone());
        Ok(outline)
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        self.read(name, &rows).map_err(|corrupt| corrupt.inside(name))
    }

    fn notes(&self) -> Vec<String> {
        self.splits.iter().filter_map(Splits::note).collect()
    }

    fn remark(&mut self, name: &str) -> Option<Unusable> {
        let column = match self.find(name).ok()? {
            (Columns::One(column), _) => *column,
            _ => return None,
        };
        if let Some(remark) = self.table.remark(column) {
            return Some(remark);
        }
        match self.read(name, &(0..1)).ok()?.values {
            Values::Strings(texts) => Some(remark_on(self.row_in_file(name, 0), texts.first()?)),
            _ => None,
        }
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.table.metadata(key)
    }

    fn row_in_file(&self, name: &str, row: usize) -> usize {
        match (self.find(name), &self.splits) {
            (Ok((_, Some(split))), Some(splits)) => splits.row_in_file(split, row),
            _ => row,
        }
    }

    fn has_split_column(&self) -> bool {
        self.splits.is_some()
    }

    fn metadata_columns(&self, arrays: &BTreeSet<String>) -> Vec<(String, MetadataType)> {
        let mut used: BTreeSet<usize> = BTreeSet::new();
        for array in arrays {
            match self.find(array) {
                Ok((Columns::One(column), _)) => drop(used.insert(*column)),
                Ok((Columns::Numbered(columns), _)) => used.extend(columns),
                _ => {}
            }
        }
        used.extend(self.splits.as_ref().map(Splits::column));
        let columns = self.table.columns().iter().enumerate().filter(|(place, _)| !used.contains(place));
        columns.filter_map(|(_, column)| Some((column.name.clone(), MetadataType::of(&column.data_type)?))).collect()
    }

    fn metadata_values(
        &mut self,
        array: &str,
        columns: &[String],
        rows: Range<usize>,
    ) -> Result<Vec<MetadataColumn>, Corrupt> {
        let (_, split) = self.find(array)?;
        let place_of = |name: &String| self.table.columns().iter().position(|column| column.name == *name);
        let places: Vec<usize> = columns.iter().filter_map(place_of).collect();
        let mut found: Vec<MetadataColumn> = places
            .iter()
            .filter_map(|place| {
                let ColumnType { name, data_type } = &self.table.columns()[*place];
                let values = MetadataValues::none_of(MetadataType::of(data_type)?);
                Some(MetadataColumn { name: name.clone(), values })
            })
            .collect();
        if places.is_empty() {
            return Ok(found);
        }
        self.read_columns("metadata columns", &places, split, &rows, &mut |part| {
            for (column, values) in found.iter_mut().zip(part) {
                column.values.extend(values).map_err(|corrupt| corrupt.inside(&column.name))?;
            }
            Ok(())
        })?;
        Ok(found)
    }
}
