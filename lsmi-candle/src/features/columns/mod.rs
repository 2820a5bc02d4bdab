//! Arrow columns as arrays: the kind of a column, and its rows put together.

pub(crate) mod metadata;
pub(crate) mod text;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;
use std::borrow::Cow;

use super::array::{Array, Corrupt, Element, Incomplete, Kind, Unusable, Values};

/// Returns the kind of the rows of a column; of a list, that of its values.
pub(crate) fn kind_of(data_type: &DataType) -> Kind {
    let list = match data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    };
    match (element(list.unwrap_or(data_type)), data_type) {
        (Some(element), _) => Kind::Numbers(element),
        (None, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Kind::Strings,
        (None, _) if list.is_some_and(is_list) => Kind::Other(Unusable::with_mend(
            "lists of lists",
            "features need one list of numbers a row: of a sequence, take the mean over its steps, x.mean(axis=1), or flatten \
             each row, x.reshape(len(x), -1)",
        )),
        (None, _) if list.is_some() => Kind::Other(format!("lists of type {data_type}").into()),
        (None, _) => Kind::Other(format!("elements of type {data_type}").into()),
    }
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
}

fn element(data_type: &DataType) -> Option<Element> {
    Some(match data_type {
        DataType::Boolean => Element::Bool,
        DataType::UInt8 => Element::U8,
        DataType::UInt16 => Element::U16,
        DataType::UInt32 => Element::U32,
        DataType::UInt64 => Element::U64,
        DataType::Int8 => Element::I8,
        DataType::Int16 => Element::I16,
        DataType::Int32 => Element::I32,
        DataType::Int64 => Element::I64,
        DataType::Float16 => Element::F16,
        DataType::Float32 => Element::F32,
        DataType::Float64 => Element::F64,
        _ => return None,
    })
}

/// Rows of a column, put together.
pub(crate) struct Column {
    kind: Kind,
    is_list: bool,
    rows: usize,
    /// The length of the first list, once there is one.
    width: Option<usize>,
    bytes: Vec<u8>,
    texts: Vec<String>,
    /// Places without a value, in C order.
    gaps: Vec<usize>,
    /// Rows without a list before the first list.
    leading: usize,
    incomplete: Option<Incomplete>,
}

impl Column {
    pub(crate) fn new(data_type: &DataType) -> Self {
        let is_list = is_list(data_type);
        let (bytes, texts, gaps) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            kind: kind_of(data_type),
            is_list,
            rows: 0,
            width: None,
            bytes,
            texts,
            gaps,
            leading: 0,
            incomplete: None,
        }
    }

    /// Appends rows.
    pub(crate) fn extend(&mut self, rows: &ArrayRef) -> Result<(), Corrupt> {
        if self.incomplete.is_some() {
            return Ok(());
        }
        if !self.is_list {
            let nulls = rows.nulls().filter(|nulls| nulls.null_count() > 0);
            let gaps = (0..rows.len()).filter(|row| nulls.is_some_and(|nulls| nulls.is_null(*row)));
            self.gaps.extend(gaps.map(|row| self.rows + row));
        } else if rows.null_count() > 0 {
            for row in 0..rows.len() {
                if rows.is_null(row) {
                    self.extend_without_list();
                } else {
                    self.extend(&rows.slice(row, 1))?;
                }
            }
            return Ok(());
        }
        match rows.data_type() {
            DataType::List(_) => self.extend_lists::<i32>(rows)?,
            DataType::LargeList(_) => self.extend_lists::<i64>(rows)?,
            DataType::FixedSizeList(_, width) => {
                let width = usize::try_from(*width).unwrap_or_default();
                self.width = Some(width);
                let values = rows.as_fixed_size_list();
                let start = usize::try_from(values.value_offset(0)).unwrap_or_default();
                self.extend_values(&values.values().slice(start, rows.len() * width), width)?;
            }
            _ => self.extend_numbers_or_texts(rows)?,
        }
        self.rows += rows.len();
        Ok(())
    }

    /// Finishes the array.
    pub(crate) fn array(self) -> Result<Array<'static>, Corrupt> {
        let shape = if self.is_list { vec![self.rows, self.width.unwrap_or_default()] } else { vec![self.rows] };
        let nothing = (self.leading > 0).then_some(Incomplete::Null { row: 0 });
        if let Some(incomplete) = self.incomplete.or(nothing) {
            return Ok(Array { shape, values: Values::Incomplete(incomplete) });
        }
        let mut array = match self.kind {
            Kind::Numbers(element) => {
                // As this machine has them in memory.
                let array = Array::contiguous(shape, element, Cow::Owned(self.bytes))?;
                array.big_endian(cfg!(target_endian = "big"))
            }
            Kind::Strings => Array { shape, values: Values::Strings(self.texts) },
            Kind::Other(unusable) => Array { shape, values: Values::Other(unusable) },
        };
        if !self.gaps.is_empty() {
            array.values = Values::WithGaps(Box::new(array.values), self.gaps);
        }
        Ok(array)
    }

    fn extend_lists<Offset: OffsetSizeTrait>(&mut self, rows: &ArrayRef) -> Result<(), Corrupt> {
        let lists = rows.as_list::<Offset>();
        let offsets = lists.value_offsets();
        for (row, ends) in offsets.windows(2).enumerate() {
            let found = ends[1].as_usize() - ends[0].as_usize();
            let expected = *self.width.get_or_insert(found);
            if found != expected {
                self.stop(Incomplete::Ragged { row: self.rows + row, found, expected });
                return Ok(());
            }
        }
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let values = lists.values().slice(first.as_usize(), last.as_usize() - first.as_usize());
        self.extend_values(&values, self.width.unwrap_or_default())
    }

    /// Appends a row without a list: gaps in the place of its values.
    fn extend_without_list(&mut self) {
        match self.width {
            Some(width) => self.extend_gaps(self.rows, width),
            None => self.leading += 1,
        }
        self.rows += 1;
    }

    /// Appends as many gaps as a list has values, after this number of rows.
    fn extend_gaps(&mut self, rows: usize, width: usize) {
        self.gaps.extend(rows * width..(rows + 1) * width);
        match &self.kind {
            Kind::Numbers(element) => self.bytes.resize(self.bytes.len() + width * element.size(), 0),
            Kind::Strings => self.texts.resize(self.texts.len() + width, String::new()),
            Kind::Other(_) => {}
        }
    }

    /// Appends the values of lists of one length.
    fn extend_values(&mut self, values: &ArrayRef, width: usize) -> Result<(), Corrupt> {
        for row in 0..std::mem::take(&mut self.leading) {
            self.extend_gaps(row, width);
        }
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
        let gaps = (0..values.len()).filter(|place| nulls.is_some_and(|nulls| nulls.is_null(*place)));
        self.gaps.extend(gaps.map(|place| self.rows * width + place));
        self.extend_numbers_or_texts(values)
    }

    /// Gives up at a row that is not whole, or at the first gap before it.
    fn stop(&mut self, at: Incomplete) {
        let leading = (std::mem::take(&mut self.leading) > 0).then_some(Incomplete::Null { row: 0 });
        let gap = self.gaps.first().map(|place| Incomplete::Null { row: place / self.width.unwrap_or(1).max(1) });
        let gap = leading.or(gap);
        self.incomplete = Some(gap.unwrap_or(at));
    }

    fn extend_numbers_or_texts(&mut self, values: &ArrayRef) -> Result<(), Corrupt> {
        macro_rules! numbers {
            ($of:ty) => {
                self.bytes.extend_from_slice(values.as_primitive::<$of>().values().inner())
            };
        }
        match values.data_type() {
            DataType::Boolean => self.bytes.extend(values.as_boolean().values().iter().map(u8::from)),
            DataType::UInt8 => numbers!(UInt8Type),
            DataType::UInt16 => numbers!(UInt16Type),
            DataType::UInt32 => numbers!(UInt32Type),
            DataType::UInt64 => numbers!(UInt64Type),
            DataType::Int8 => numbers!(Int8Type),
            DataType::Int16 => numbers!(Int16Type),
            DataType::Int32 => numbers!(Int32Type),
            DataType::Int64 => numbers!(Int64Type),
            DataType::Float16 => numbers!(Float16Type),
            DataType::Float32 => numbers!(Float32Type),
            DataType::Float64 => numbers!(Float64Type),
            DataType::Utf8 => self.texts.extend(values.as_string::<i32>().iter().map(text)),
            DataType::LargeUtf8 => self.texts.extend(values.as_string::<i64>().iter().map(text)),
            DataType::Utf8View => self.texts.extend(values.as_string_view().iter().map(text)),
            other => return Err(Corrupt(format!("a column of type {other} cannot be read"))),
        }
        Ok(())
    }
}

/// Copies a text, or an empty one in place of a gap.
fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
