//! Columns of a table that no analysis uses, which a user sees again beside the results.
//!
//! Whole numbers, floating-point numbers, booleans and strings are carried, dates and times as text; a value may be
//! missing. Columns of other types (lists, binary, nested) are left behind.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use crate::features::array::Corrupt;

/// A column carried along: row i is sample i.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataColumn {
    /// Its name in the table.
    pub name: String,
    /// Its values.
    pub values: MetadataValues,
}

/// The type of the values of a [`MetadataColumn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataType {
    /// Integers of up to 64 bits with a sign.
    Integers,
    /// Floating-point numbers.
    Floats,
    /// Booleans.
    Booleans,
    /// Strings; also dates, times and unsigned integers of 64 bits, as text.
    Texts,
}

/// The values of a [`MetadataColumn`]; `None` where the table has none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MetadataValues {
    /// Integers.
    Integers(Vec<Option<i64>>),
    /// Floating-point numbers.
    Floats(Vec<Option<f64>>),
    /// Booleans.
    Booleans(Vec<Option<bool>>),
    /// Strings.
    Texts(Vec<Option<String>>),
}

impl MetadataType {
    /// Returns the type in which values of an Arrow type are carried. Returns `None` if they are left behind.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Integers,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Floats,
            DataType::Boolean => Self::Booleans,
            DataType::UInt64 | DataType::Utf8 | DataType::LargeUtf8 | DataType::Date32 | DataType::Timestamp(_, _) => {
                Self::Texts
            }
            _ => return None,
        })
    }
}

impl MetadataValues {
    /// Creates an empty column of a type.
    pub fn none_of(kind: MetadataType) -> Self {
        match kind {
            MetadataType::Integers => Self::Integers(Vec::new()),
            MetadataType::Floats => Self::Floats(Vec::new()),
            MetadataType::Booleans => Self::Booleans(Vec::new()),
            MetadataType::Texts => Self::Texts(Vec::new()),
        }
    }

    /// Returns the type of the values.
    pub fn kind(&self) -> MetadataType {
        match self {
            Self::Integers(_) => MetadataType::Integers,
            Self::Floats(_) => MetadataType::Floats,
            Self::Booleans(_) => MetadataType::Booleans,
            Self::Texts(_) => MetadataType::Texts,
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// Selects rows by index, in the given order.
    ///
    /// # Panics
    /// If there is no such row, as indexing a slice does.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        fn of<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| values[*row].clone()).collect()
        }
        match self {
            Self::Integers(values) => Self::Integers(of(values, rows)),
            Self::Floats(values) => Self::Floats(of(values, rows)),
            Self::Booleans(values) => Self::Booleans(of(values, rows)),
            Self::Texts(values) => Self::Texts(of(values, rows)),
        }
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the rows of an Arrow column.
    pub(crate) fn extend(&mut self, rows: &ArrayRef) -> Result<(), Corrupt> {
        macro_rules! numbers {
            ($values:expr, $of:ty, $into:ty) => {
                $values.extend(rows.as_primitive::<$of>().iter().map(|value| value.map(<$into>::from)))
            };
        }
        macro_rules! times {
            ($values:expr, $of:ty, $per_second:expr) => {
                $values.extend(rows.as_primitive::<$of>().iter().map(|value| Some(time(value?, $per_second))))
            };
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        match (self, rows.data_type()) {
            (Self::Integers(values), DataType::Int8) => numbers!(values, Int8Type, i64),
            (Self::Integers(values), DataType::Int16) => numbers!(values, Int16Type, i64),
            (Self::Integers(values), DataType::Int32) => numbers!(values, Int32Type, i64),
            (Self::Integers(values), DataType::Int64) => numbers!(values, Int64Type, i64),
            (Self::Integers(values), DataType::UInt8) => numbers!(values, UInt8Type, i64),
            (Self::Integers(values), DataType::UInt16) => numbers!(values, UInt16Type, i64),
            (Self::Integers(values), DataType::UInt32) => numbers!(values, UInt32Type, i64),
            (Self::Floats(values), DataType::Float16) => numbers!(values, Float16Type, f64),
            (Self::Floats(values), DataType::Float32) => numbers!(values, Float32Type, f64),
            (Self::Floats(values), DataType::Float64) => numbers!(values, Float64Type, f64),
            (Self::Booleans(values), DataType::Boolean) => values.extend(rows.as_boolean()),
            (Self::Texts(values), DataType::Utf8) => values.extend(rows.as_string::<i32>().iter().map(owned)),
            (Self::Texts(values), DataType::LargeUtf8) => values.extend(rows.as_string::<i64>().iter().map(owned)),
            (Self::Texts(values), DataType::UInt64) => {
                values.extend(rows.as_primitive::<UInt64Type>().iter().map(|value| Some(value?.to_string())));
            }
            (Self::Texts(values), DataType::Date32) => {
                values.extend(rows.as_primitive::<Date32Type>().iter().map(|day| Some(date(day?.into()))));
            }
            (Self::Texts(values), DataType::Timestamp(unit, _)) => match unit {
                TimeUnit::Second => times!(values, TimestampSecondType, 1),
                TimeUnit::Millisecond => times!(values, TimestampMillisecondType, 1_000),
                TimeUnit::Microsecond => times!(values, TimestampMicrosecondType, 1_000_000),
                TimeUnit::Nanosecond => times!(values, TimestampNanosecondType, 1_000_000_000),
            },
            (values, other) => return Err(Corrupt(format!("values of type {other} among {:?}", values.kind()))),
        }
        Ok(())
    }
}

/// Writes a day, counted from 1970-01-01, as `2024-02-29` (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(day: i64) -> String {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// Writes a time as `2024-02-29T12:34:56` and, where it is not whole, a fraction of the second with all its digits.
fn time(value: i64, per_second: i64) -> String {
    let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let whole = format!("{}T{:02}:{:02}:{:02}", date(day), second / 3_600, second / 60 % 60, second % 60);
    if fraction == 0 {
        return whole;
    }
    let digits = per_second.ilog10() as usize;
    format!("{whole}.{fraction:0digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (19_783, "2024-03-01"),
            (-719_468, "0000-03-01"),
        ] {
            assert_eq!(date(day), expected);
        }
        // The first and last days that a column can hold.
        assert!(date(i32::MAX.into()).starts_with("5881580-"));
        assert!(date(i32::MIN.into()).starts_with("-587"));
    }

    #[test]
    fn times_have_the_digits_they_need() {
        assert_eq!(time(1_709_210_096, 1), "2024-02-29T12:34:56");
        assert_eq!(time(1_709_210_096_007, 1_000), "2024-02-29T12:34:56.007");
        assert_eq!(time(-1, 1_000_000), "1969-12-31T23:59:59.999999");
        for unit in [1, 1_000, 1_000_000, 1_000_000_000] {
            assert!(time(i64::MIN, unit).contains('T') && time(i64::MAX, unit).contains('T'));
        }
    }
}
