//! A value of a metadata column.

use std::borrow::Cow;

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

impl Value<Cow<'_, str>> {
    /// Returns the value with a text of its own.
    pub(crate) fn into_owned(self) -> Value<Cow<'static, str>> {
        match self {
            Self::Integer(value) => Value::Integer(value),
            Self::Float(value) => Value::Float(value),
            Self::Boolean(value) => Value::Boolean(value),
            Self::Text(text) => Value::Text(text.map(|text| Cow::Owned(text.into_owned()))),
        }
    }
}
