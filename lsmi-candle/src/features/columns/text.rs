//! Texts and whole numbers in cells of Arrow columns.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_schema::DataType;

/// Whether a column of a type holds texts or whole numbers.
pub(crate) fn is_text(kind: &DataType) -> bool {
    kind.is_integer() || is_string(kind)
}

/// Whether a column of a type holds texts, of whatever kind an engine has.
pub(crate) fn is_string(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Returns the text or whole number of a row; empty where there is none, and where the column holds neither.
pub(crate) fn text_at(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int8Array, LargeStringArray, StringViewArray};

    use super::*;

    #[test]
    fn texts_of_any_kind_are_read() {
        let kinds: [&dyn Array; 2] =
            [&LargeStringArray::from(vec![Some("a"), None]), &StringViewArray::from(vec![Some("a"), None])];
        for texts in kinds {
            assert!(is_text(texts.data_type()));
            assert_eq!((text_at(texts, 0), text_at(texts, 1)), ("a".to_owned(), String::new()));
        }
        assert_eq!(text_at(&Int8Array::from(vec![-1]), 0), "-1");
    }
}
