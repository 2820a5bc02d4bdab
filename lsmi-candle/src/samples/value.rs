//! A value of a metadata column.

use serde::Serialize;

/// A value of a metadata column; none where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value<Text> {
    /// An integer.
    Integer(Option<i64>),
    /// A floating-point number.
    Float(Option<f64>),
    /// A truth value.
    Boolean(Option<bool>),
    /// A text.
    Text(Option<Text>),
}
