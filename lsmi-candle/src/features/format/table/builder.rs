//! Rows of columns put together to an array.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;

use super::arrays::Columns;
use crate::features::array::{Array, Corrupt, Element, Kind, Unusable, Values};
use crate::features::columns::Column;

/// Returns the common kind of numbered columns: floating-point numbers if one of them has these.
pub(super) fn kind_of_numbered<'n>(columns: impl Iterator<Item = (&'n str, Kind)>) -> Kind {
    let mut element = Element::I64;
    for (name, kind) in columns {
        match kind {
            Kind::Numbers(of_column) if of_column.is_float() => element = Element::F64,
            Kind::Numbers(_) => {}
            Kind::Strings => return Kind::Other(format!("strings in the column `{name}`").into()),
            Kind::Other(Unusable { what, mend }) => {
                return Kind::Other(Unusable { what: format!("{what} in the column `{name}`"), mend });
            }
        }
    }
    Kind::Numbers(element)
}

/// An array to which rows are appended.
pub(super) enum Builder {
    One(Column),
    Numbered(Numbered),
}

impl Builder {
    /// Begins an array of these columns, the first of this type.
    pub(super) fn new(columns: &Columns, data_type: &DataType) -> Self {
        match columns {
            Columns::Numbered(columns) => Self::Numbered(Numbered::new(columns.len())),
            Columns::One(_) | Columns::Broken(_) => Self::One(Column::new(data_type)),
        }
    }

    pub(super) fn extend(&mut self, part: &[ArrayRef]) -> Result<(), Corrupt> {
        match (self, part) {
            (Self::One(column), [rows]) => column.extend(rows),
            (Self::Numbered(columns), part) => columns.extend(part),
            (Self::One(_), part) => Err(Corrupt(format!("{} columns in place of one", part.len()))),
        }
    }

    pub(super) fn array(self) -> Result<Array<'static>, Corrupt> {
        match self {
            Self::One(column) => column.array(),
            Self::Numbered(columns) => columns.array(),
        }
    }
}

/// A matrix of doubles, a column a column.
pub(super) struct Numbered {
    width: usize,
    rows: usize,
    bytes: Vec<u8>,
    /// Places without a value, in C order.
    gaps: Vec<usize>,
}

impl Numbered {
    fn new(width: usize) -> Self {
        Self { width, rows: 0, bytes: Vec::new(), gaps: Vec::new() }
    }

    fn extend(&mut self, part: &[ArrayRef]) -> Result<(), Corrupt> {
        const SIZE: usize = size_of::<f64>();
        let rows = part.first().map_or(0, arrow_array::Array::len);
        let nulls: Vec<_> = part.iter().map(|column| column.nulls().filter(|nulls| nulls.null_count() > 0)).collect();
        if nulls.iter().any(Option::is_some) {
            let is_gap = |row: usize, column: usize| nulls[column].is_some_and(|nulls| nulls.is_null(row));
            let places = (0..rows).flat_map(|row| (0..self.width).map(move |column| (row, column)));
            let gaps = places.filter(|(row, column)| is_gap(*row, *column));
            let first = self.rows * self.width;
            self.gaps.extend(gaps.map(|(row, column)| first + row * self.width + column));
        }
        let columns: Vec<Cow<'_, [f64]>> = part.iter().map(doubles).collect::<Result<_, _>>()?;
        let row_bytes = self.width * SIZE;
        let start = self.bytes.len();
        self.bytes.resize(start + rows * row_bytes, 0);
        // A row at a time: the columns are read where their values were read for the row before.
        for (row, added) in self.bytes[start..].chunks_exact_mut(row_bytes).enumerate() {
            for (added, column) in added.as_chunks_mut().0.iter_mut().zip(&columns) {
                *added = column[row].to_le_bytes();
            }
        }
        self.rows += rows;
        Ok(())
    }

    fn array(self) -> Result<Array<'static>, Corrupt> {
        let shape = vec![self.rows, self.width];
        let mut array = Array::contiguous(shape, Element::F64, Cow::Owned(self.bytes))?;
        if !self.gaps.is_empty() {
            array.values = Values::WithGaps(Box::new(array.values), self.gaps);
        }
        Ok(array)
    }
}

/// Converts a column of numbers without nulls.
fn doubles(column: &ArrayRef) -> Result<Cow<'_, [f64]>, Corrupt> {
    macro_rules! numbers {
        ($of:ty) => {
            column.as_primitive::<$of>().values().iter().map(|value| f64::from(*value)).collect()
        };
        (long $of:ty) => {
            column.as_primitive::<$of>().values().iter().map(|value| *value as f64).collect()
        };
    }
    let converted: Vec<f64> = match column.data_type() {
        DataType::Float64 => return Ok(Cow::Borrowed(column.as_primitive::<Float64Type>().values())),
        DataType::Boolean => column.as_boolean().values().iter().map(f64::from).collect(),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(long UInt64Type),
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(long Int64Type),
        DataType::Float16 => numbers!(Float16Type),
        DataType::Float32 => numbers!(Float32Type),
        other => return Err(Corrupt(format!("a column of type {other} cannot be read as numbers"))),
    };
    Ok(Cow::Owned(converted))
}
