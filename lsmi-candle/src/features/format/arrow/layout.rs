//! What the columns are, and which nodes and buffers of a batch are theirs.
//!
//! Nodes and buffers follow each other in the order of the columns, those of a list's values after its own. Columns of
//! text views have as many further buffers as every batch says, so that places after them are only known of a batch.

use std::sync::Arc;

use arrow_ipc::{DateUnit, Field, Precision, Type, UnionMode};
use arrow_schema::{DataType, TimeUnit};

use super::messages::Batch;
use crate::features::array::Corrupt;
use crate::features::format::table::ColumnType;

/// Columns in columns are left alone from this depth on.
const DEEPEST: usize = 32;

/// A column's name and type, with as many nodes and buffers as it takes.
pub(super) struct FieldType {
    name: String,
    kind: Kind,
    size: Size,
}

/// How much of a batch's lists a column takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    nodes: usize,
    buffers: usize,
    /// Columns of views in it.
    views: usize,
}

impl Size {
    fn new(nodes: usize, buffers: usize) -> Self {
        Self { nodes, buffers, views: 0 }
    }

    fn plus(self, other: Self) -> Self {
        Self { nodes: self.nodes + other.nodes, buffers: self.buffers + other.buffers, views: self.views + other.views }
    }
}

/// How a column is laid out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Values of this type, so many bytes each.
    Numbers(DataType, usize),
    Booleans,
    /// Offsets of four bytes, or of eight, and text.
    Texts {
        is_large: bool,
    },
    TextViews,
    /// Indices into a dictionary of texts.
    Dictionary {
        id: i64,
        index_bytes: usize,
        is_signed: bool,
        values: Box<Kind>,
    },
    /// Offsets of four bytes, or of eight, and values.
    Lists {
        is_large: bool,
        values: Box<Kind>,
    },
    /// So many values each.
    FixedLists {
        width: usize,
        values: Box<Kind>,
    },
    /// What is left alone.
    Other(DataType),
}

/// A column and the places of its first node and buffer.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    start: Size,
}

impl FieldType {
    pub(super) fn of(field: Field<'_>, is_version_4: bool) -> Result<Self, Corrupt> {
        let name = field.name().unwrap_or_default().to_owned();
        let (kind, size) = kind_of(field, is_version_4, 0).map_err(|corrupt| corrupt.inside(&name))?;
        Ok(Self { name, kind, size })
    }
}

/// The columns of a table whose fields these are.
pub(super) fn columns(fields: &[FieldType]) -> Vec<Column> {
    let mut start = Size::default();
    let mut columns = Vec::new();
    for field in fields {
        columns.push(Column { name: field.name.clone(), kind: field.kind.clone(), start });
        start = start.plus(field.size);
    }
    columns
}

impl Column {
    pub(super) fn column_type(&self) -> ColumnType {
        ColumnType { name: self.name.trim().to_owned(), data_type: self.kind.data_type() }
    }

    /// The values of a dictionary, as a column of a batch of its own, if this column refers to it.
    pub(super) fn dictionary_values(&self, dictionary: i64) -> Option<Self> {
        match &self.kind {
            Kind::Dictionary { id, values, .. } if *id == dictionary => {
                Some(Self { name: self.name.clone(), kind: (**values).clone(), start: Size::default() })
            }
            _ => None,
        }
    }

    /// How many values a row has, as far as the type tells.
    pub(super) fn width(&self) -> usize {
        match self.kind {
            Kind::FixedLists { width, .. } => width.max(1),
            _ => 1,
        }
    }

    /// The place of its first node.
    pub(super) fn node(&self) -> usize {
        self.start.nodes
    }

    /// The place of its first buffer in a batch.
    pub(super) fn buffer(&self, batch: &Batch) -> usize {
        let of_views: usize =
            batch.view_buffers.iter().take(self.start.views).fold(0, |sum, count| sum.saturating_add(*count));
        self.start.buffers.saturating_add(of_views)
    }

    /// How many buffers of text a column of views has in a batch.
    pub(super) fn view_buffers(&self, batch: &Batch) -> Option<usize> {
        batch.view_buffers.get(self.start.views).copied()
    }

    /// The values of a column of lists.
    pub(super) fn values(&self) -> Option<Self> {
        let (kind, own) = match &self.kind {
            Kind::Lists { values, .. } => (values, Size::new(1, 2)),
            Kind::FixedLists { values, .. } => (values, Size::new(1, 1)),
            _ => return None,
        };
        Some(Self { name: self.name.clone(), kind: (**kind).clone(), start: self.start.plus(own) })
    }
}

impl Kind {
    /// The type in which the column is handed on.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Numbers(data_type, _) | Self::Other(data_type) => data_type.clone(),
            Self::Booleans => DataType::Boolean,
            Self::Texts { .. } | Self::TextViews | Self::Dictionary { .. } => DataType::LargeUtf8,
            Self::Lists { values, .. } | Self::FixedLists { values, .. } => {
                DataType::LargeList(Arc::new(arrow_schema::Field::new("item", values.data_type(), true)))
            }
        }
    }

    fn is_numbers(&self) -> bool {
        matches!(self, Self::Numbers(..) | Self::Booleans)
    }
}

fn kind_of(field: Field<'_>, is_version_4: bool, depth: usize) -> Result<(Kind, Size), Corrupt> {
    if depth > DEEPEST {
        return Err(Corrupt("its types are nested too deeply".to_owned()));
    }
    let mut inner = Vec::new();
    for child in field.children().into_iter().flatten() {
        inner.push(kind_of(child, is_version_4, depth + 1)?);
    }
    let (kind, size) = own_kind(field, &inner, is_version_4)?;
    // Of a column with a dictionary, the type is that of the values, which lie elsewhere.
    let Some(dictionary) = field.dictionary() else {
        return Ok((kind, inner.iter().fold(size, |sum, (_, size)| sum.plus(*size))));
    };
    let indices = Size::new(1, 2);
    if !matches!(kind, Kind::Texts { .. } | Kind::TextViews) {
        return Ok((other("a dictionary"), indices));
    }
    let (bits, is_signed) = dictionary.indexType().map_or((32, true), |index| (index.bitWidth(), index.is_signed()));
    let index_bytes = bytes_of(bits).ok_or_else(|| Corrupt(format!("a dictionary has indices of {bits} bits")))?;
    Ok((Kind::Dictionary { id: dictionary.id(), index_bytes, is_signed, values: Box::new(kind) }, indices))
}

/// What is left alone, in words of Arrow's.
fn other(what: &str) -> Kind {
    Kind::Other(match what {
        "text" => DataType::Utf8View,
        "lists of lists" => DataType::new_list(DataType::new_list(DataType::Null, true), true),
        "a dictionary" => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Null)),
        _ => DataType::Binary,
    })
}

fn bytes_of(bits: i32) -> Option<usize> {
    match bits {
        8 => Some(1),
        16 => Some(2),
        32 => Some(4),
        64 => Some(8),
        _ => None,
    }
}

/// A column's kind and what it takes itself, without its values.
fn own_kind(field: Field<'_>, inner: &[(Kind, Size)], is_version_4: bool) -> Result<(Kind, Size), Corrupt> {
    let list = |make: &dyn Fn(Box<Kind>) -> Kind, size: Size| match inner {
        [(values, _)] if values.is_numbers() => (make(Box::new(values.clone())), size),
        [(Kind::Lists { .. } | Kind::FixedLists { .. } | Kind::Other(DataType::List(_)), _)] => {
            (other("lists of lists"), size)
        }
        _ => (other("lists"), size),
    };
    let two = Size::new(1, 2);
    Ok(match field.type_type() {
        Type::Int => (integers(field), two),
        Type::FloatingPoint => (floats(field), two),
        Type::Bool => (Kind::Booleans, two),
        Type::Date if field.type_as_date().is_some_and(|date| date.unit() == DateUnit::DAY) => {
            (Kind::Numbers(DataType::Date32, 4), two)
        }
        Type::Timestamp => (timestamps(field), two),
        Type::Utf8 => (Kind::Texts { is_large: false }, Size::new(1, 3)),
        Type::LargeUtf8 => (Kind::Texts { is_large: true }, Size::new(1, 3)),
        Type::Utf8View => (Kind::TextViews, Size { views: 1, ..two }),
        Type::List => list(&|values| Kind::Lists { is_large: false, values }, two),
        Type::LargeList => list(&|values| Kind::Lists { is_large: true, values }, two),
        Type::FixedSizeList => {
            let width = field.type_as_fixed_size_list().and_then(|list| usize::try_from(list.listSize()).ok());
            match width.unwrap_or_default() {
                // Any number of them would fit in nothing.
                0 => (other("lists"), Size::new(1, 1)),
                width => list(&|values| Kind::FixedLists { width, values }, Size::new(1, 1)),
            }
        }
        Type::Null => (other("nothing"), Size::new(1, 0)),
        Type::Struct_ => (other("structures"), Size::new(1, 1)),
        Type::Map => (other("maps"), two),
        Type::RunEndEncoded => (other("runs"), Size::new(1, 0)),
        Type::ListView | Type::LargeListView | Type::Binary | Type::LargeBinary => (other("binary"), Size::new(1, 3)),
        Type::BinaryView => (other("binary"), Size { views: 1, ..two }),
        Type::Union => {
            let is_dense = field.type_as_union().is_some_and(|union| union.mode() == UnionMode::Dense);
            (other("unions"), Size::new(1, 1 + usize::from(is_dense) + usize::from(is_version_4)))
        }
        Type::FixedSizeBinary | Type::Decimal | Type::Date | Type::Time | Type::Interval | Type::Duration => {
            (other("binary"), two)
        }
        unknown => return Err(Corrupt(format!("its type {} is unknown", unknown.0))),
    })
}

fn integers(field: Field<'_>) -> Kind {
    let (bits, is_signed) = field.type_as_int().map_or((0, true), |int| (int.bitWidth(), int.is_signed()));
    match (bits, is_signed) {
        (8, true) => Kind::Numbers(DataType::Int8, 1),
        (16, true) => Kind::Numbers(DataType::Int16, 2),
        (32, true) => Kind::Numbers(DataType::Int32, 4),
        (64, true) => Kind::Numbers(DataType::Int64, 8),
        (8, false) => Kind::Numbers(DataType::UInt8, 1),
        (16, false) => Kind::Numbers(DataType::UInt16, 2),
        (32, false) => Kind::Numbers(DataType::UInt32, 4),
        (64, false) => Kind::Numbers(DataType::UInt64, 8),
        _ => other("integers"),
    }
}

fn floats(field: Field<'_>) -> Kind {
    match field.type_as_floating_point().map(|float| float.precision()) {
        Some(Precision::HALF) => Kind::Numbers(DataType::Float16, 2),
        Some(Precision::SINGLE) => Kind::Numbers(DataType::Float32, 4),
        Some(Precision::DOUBLE) => Kind::Numbers(DataType::Float64, 8),
        _ => other("numbers"),
    }
}

fn timestamps(field: Field<'_>) -> Kind {
    let unit = match field.type_as_timestamp().map(|timestamp| timestamp.unit()) {
        Some(arrow_ipc::TimeUnit::SECOND) => TimeUnit::Second,
        Some(arrow_ipc::TimeUnit::MILLISECOND) => TimeUnit::Millisecond,
        Some(arrow_ipc::TimeUnit::MICROSECOND) => TimeUnit::Microsecond,
        Some(arrow_ipc::TimeUnit::NANOSECOND) => TimeUnit::Nanosecond,
        _ => return other("times"),
    };
    Kind::Numbers(DataType::Timestamp(unit, None), 8)
}
