//! `.csv`: a table of values separated by commas, semicolons, tabs or bars, the names of its columns in the first line.
//!
//! The whole file is read once when it is opened: a column of whole numbers throughout is one of integers, of
//! numbers one of floating-point numbers, of lists of numbers (`[0.5, 1]`, with commas or blanks between) a matrix, and
//! all others are of text. A number with a leading zero is text: `007` is a name. An empty field is no value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ::csv::ByteRecord;
use arrow_array::ArrayRef;
use arrow_array::builder::{Float64Builder, Int64Builder, LargeListBuilder, LargeStringBuilder};
use arrow_schema::{DataType, Field};

use super::input::Input;
use super::table::{ColumnType, Table, TableFile, Take, array_and_number, remark_on};
use super::{NotOpened, Opened};
use crate::features::array::{Corrupt, Unusable};
use crate::features::text_table::{TextTable, TextTableError};

/// Rows handed on at a time, at most.
const MOST_ROWS: usize = 8192;

/// Values handed on at a time, unless a single row has more.
const MOST_VALUES: usize = 1 << 18;

struct CsvTable {
    input: Input,
    columns: Vec<ColumnType>,
    /// For columns of text, the first text that is no number, and its row.
    texts: Vec<Option<(usize, String)>>,
    rows: usize,
    cursors: BTreeMap<String, Cursor>,
}

/// A file read up to some row.
struct Cursor {
    records: TextTable,
    next: usize,
}

pub(super) fn open(input: &Input) -> Opened {
    TableFile::open(CsvTable::new(input.clone())?)
}

fn table_of(input: &Input) -> Result<TextTable, NotOpened> {
    Ok(TextTable::open(input.buffered()?)?)
}

impl From<TextTableError> for NotOpened {
    fn from(error: TextTableError) -> Self {
        match error {
            TextTableError::Read(error) => Self::Io(error),
            error => Self::Corrupt(Corrupt(error.to_string())),
        }
    }
}

impl CsvTable {
    fn new(input: Input) -> Result<Self, NotOpened> {
        let mut table = table_of(&input)?;
        let mut record = ByteRecord::new();
        let names = table.columns().to_vec();
        let mut found = vec![Found::Nothing; names.len()];
        let mut rows = 0;
        while table.read(&mut record)? {
            for (found, field) in found.iter_mut().zip(&record) {
                found.look_at(field, rows);
            }
            rows += 1;
        }
        let column = |(name, found): (String, &Found)| {
            // Of a feature without values it is to be said that they are missing, not that they are text.
            let is_empty_feature = *found == Found::Nothing && array_and_number(&name).is_some();
            let data_type = if is_empty_feature { DataType::Float64 } else { found.data_type() };
            ColumnType { name, data_type }
        };
        let columns = names.into_iter().zip(&found).map(column).collect();
        let texts = found.into_iter().map(Found::first_text).collect();
        Ok(Self { input, columns, texts, rows, cursors: BTreeMap::new() })
    }

    fn cursor(&self, row: usize) -> Result<Cursor, Corrupt> {
        let mut records = table_of(&self.input)?;
        let mut record = ByteRecord::new();
        for _ in 0..row {
            records.read(&mut record).map_err(NotOpened::from)?;
        }
        Ok(Cursor { records, next: row })
    }
}

/// Of a field that is no text.
const NOT_TEXT: &str = "is not UTF-8";

impl Table for CsvTable {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> &[ColumnType] {
        &self.columns
    }

    fn read(&mut self, cursor: &str, columns: &[usize], rows: Range<usize>, take: Take<'_>) -> Result<(), Corrupt> {
        let mut at = match self.cursors.remove(cursor) {
            Some(at) if at.next == rows.start => at,
            _ => self.cursor(rows.start)?,
        };
        let most = (MOST_VALUES / columns.len().max(1)).clamp(1, MOST_ROWS);
        let mut record = ByteRecord::new();
        while at.next < rows.end {
            let mut parts: Vec<Part> = columns
                .iter()
                .map(|column| Part::new(&self.columns[*column].data_type, most.min(rows.end - at.next)))
                .collect();
            for row in at.next..rows.end.min(at.next + most) {
                if !at.records.read(&mut record).map_err(NotOpened::from)? {
                    return Err(Corrupt(format!("it ends after {row} of its {} rows", self.rows)));
                }
                for (part, column) in parts.iter_mut().zip(columns) {
                    let field = record.get(*column).unwrap_or_default();
                    part.append(field).map_err(|what| {
                        let mend = if what == NOT_TEXT { "; save the file as UTF-8" } else { "" };
                        Corrupt(format!("`{}` {what} at row {row}{mend}", self.columns[*column].name))
                    })?;
                }
                at.next = row + 1;
            }
            let parts: Vec<ArrayRef> = parts.into_iter().map(Part::finish).collect();
            take(&parts)?;
        }
        self.cursors.insert(cursor.to_owned(), at);
        Ok(())
    }

    fn remark(&self, column: usize) -> Option<Unusable> {
        let (row, text) = self.texts[column].as_ref()?;
        Some(remark_on(*row, text))
    }
}

/// The common type of the fields of a column so far.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Nothing,
    Integers,
    Floats,
    Lists,
    /// With the first text that is neither a number nor a list.
    Texts(Option<(usize, String)>),
}

impl Found {
    fn look_at(&mut self, field: &[u8], row: usize) {
        let field = field.trim_ascii();
        if field.is_empty() || matches!(self, Self::Texts(_)) {
            return;
        }
        let of_field = match (integer(field), float(field)) {
            (Some(_), _) => Self::Integers,
            (None, Some(_)) => Self::Floats,
            (None, None) if list(field).is_some() => Self::Lists,
            _ => Self::Texts(Some((row, String::from_utf8_lossy(field).into_owned()))),
        };
        let before = std::mem::replace(self, Self::Nothing);
        *self = match (before, of_field) {
            (Self::Nothing, of_field) => of_field,
            (before, of_field) if before == of_field => before,
            (Self::Integers, Self::Floats) | (Self::Floats, Self::Integers) => Self::Floats,
            (_, Self::Texts(first)) => Self::Texts(first),
            // Numbers among lists.
            _ => Self::Texts(Some((row, String::from_utf8_lossy(field).into_owned()))),
        };
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Integers => DataType::Int64,
            Self::Floats => DataType::Float64,
            Self::Lists => DataType::LargeList(Arc::new(Field::new("item", DataType::Float64, true))),
            Self::Nothing | Self::Texts(_) => DataType::LargeUtf8,
        }
    }

    fn first_text(self) -> Option<(usize, String)> {
        match self {
            Self::Texts(first) => first,
            _ => None,
        }
    }
}

/// Parses an integer in its canonical form.
fn integer(field: &[u8]) -> Option<i64> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let is_written_so = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && field != b"-0";
    if is_written_so { str::from_utf8(field).ok()?.parse().ok() } else { None }
}

/// Parses a number without a leading zero; NaN and infinities among them, so that they are refused as such.
fn float(field: &[u8]) -> Option<f64> {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let is_padded = matches!(digits, [b'0', b'0'..=b'9', ..]);
    // An integer that is too long to be one is a name.
    let is_long = digits.len() > 18 && digits.iter().all(u8::is_ascii_digit);
    if is_padded || is_long { None } else { str::from_utf8(field).ok()?.parse().ok() }
}

/// Parses the numbers of `[0.5, 1]`.
fn list(field: &[u8]) -> Option<Vec<f64>> {
    let inside = str::from_utf8(field).ok()?.strip_prefix('[')?.strip_suffix(']')?;
    let numbers = inside.split([',', ' ', '\n', '\t', '\r']).filter(|text| !text.is_empty());
    numbers.map(|text| text.parse().ok()).collect()
}

/// Fields of a column, in its type.
enum Part {
    Integers(Int64Builder),
    Floats(Float64Builder),
    Lists(LargeListBuilder<Float64Builder>),
    Texts(LargeStringBuilder),
}

impl Part {
    /// Creates a part with room for some rows: the default room is too much for many thousand columns.
    fn new(data_type: &DataType, rows: usize) -> Self {
        match data_type {
            DataType::Int64 => Self::Integers(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Self::Floats(Float64Builder::with_capacity(rows)),
            DataType::LargeList(_) => {
                Self::Lists(LargeListBuilder::with_capacity(Float64Builder::with_capacity(rows), rows))
            }
            _ => Self::Texts(LargeStringBuilder::with_capacity(rows, 0)),
        }
    }

    /// # Errors
    /// A description of the field, if it is not of the type of its column: the file was changed since, or is not UTF-8.
    fn append(&mut self, field: &[u8]) -> Result<(), &'static str> {
        let trimmed = field.trim_ascii();
        let is_empty = trimmed.is_empty();
        match self {
            Self::Integers(values) if is_empty => values.append_null(),
            Self::Floats(values) if is_empty => values.append_null(),
            Self::Lists(values) if is_empty => values.append_null(),
            Self::Texts(values) if is_empty => values.append_null(),
            Self::Integers(values) => values.append_value(integer(trimmed).ok_or("is no integer")?),
            Self::Floats(values) => values.append_value(float(trimmed).ok_or("is no number")?),
            Self::Lists(values) => {
                values.values().append_slice(&list(trimmed).ok_or("is no list of numbers")?);
                values.append(true);
            }
            Self::Texts(values) => {
                values.append_value(str::from_utf8(field).map_err(|_| NOT_TEXT)?);
            }
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Integers(mut values) => Arc::new(values.finish()),
            Self::Floats(mut values) => Arc::new(values.finish()),
            Self::Lists(mut values) => Arc::new(values.finish()),
            Self::Texts(mut values) => Arc::new(values.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(fields: &[&str]) -> DataType {
        let mut found = Found::Nothing;
        fields.iter().enumerate().for_each(|(row, field)| found.look_at(field.as_bytes(), row));
        found.data_type()
    }

    #[test]
    fn types_are_those_of_all_fields() {
        for fields in [&["1", "-3", "", " 0 "][..], &["9223372036854775807"]] {
            assert_eq!(found(fields), DataType::Int64, "{fields:?}");
        }
        for fields in [&["1", "0.5"][..], &["1e-3", "2"], &["nan"], &["-inf", "1"], &["-0"], &["+1"], &[".5"]] {
            assert_eq!(found(fields), DataType::Float64, "{fields:?}");
        }
        for fields in [
            &["007"][..],
            &["1", "cat"],
            &["0.5", "00.5"],
            &["9223372036854775808"],
            &[""],
            &["[1", "2]"],
            &["1", "[1]"],
        ] {
            assert_eq!(found(fields), DataType::LargeUtf8, "{fields:?}");
        }
        for fields in [&["[1, 2.5]", ""][..], &["[ 1\t2\n3 ]"], &["[]"]] {
            assert!(matches!(found(fields), DataType::LargeList(_)), "{fields:?}");
        }
    }

    #[test]
    fn tables_of_other_kinds_are_told_apart() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (bytes, expected) in [
            (utf16("\u{feff}x1,x2,y\n1,2,a\n"), "it is UTF-16"),
            (utf16("x1,x2,y\n1,2,a\n"), "it is UTF-16"),
            (b"x1,x2,gr\xf6sse\n1,2,3\n".to_vec(), "save it as UTF-8"),
        ] {
            let Err(NotOpened::Corrupt(Corrupt(why))) = open(&Input::Memory(bytes.into())).map(|_| ()) else {
                panic!("{expected}")
            };
            assert!(why.contains(expected), "{why}");
        }
        assert!(open(&Input::Memory(b"a;b,x2\n1,2\n".as_slice().into())).is_ok());
    }
}
