//! Files in a table: bytes, or a structure of bytes and a path, as the library `datasets` of Hugging Face writes them.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::Input;

/// The field of a structure that holds the bytes.
const BYTES: &str = "bytes";
/// The field of a structure that holds the path, which may be of a file elsewhere.
const PATH: &str = "path";

/// Whether a column of a type holds files.
pub(super) fn is_of_files(kind: &DataType) -> bool {
    match kind {
        DataType::Binary | DataType::LargeBinary => true,
        DataType::Struct(fields) => {
            fields.find(BYTES).is_some_and(|(_, field)| {
                matches!(field.data_type(), DataType::Binary | DataType::LargeBinary | DataType::Null)
            }) || fields.find(PATH).is_some_and(|(_, field)| field.data_type() == &DataType::Utf8)
        }
        _ => false,
    }
}

/// The file in a row of a column, or its path where there are no bytes; none where the column holds no files. `row` is what
/// messages call the row.
pub(super) fn file_at(column: &ArrayRef, place: usize, row: usize) -> Option<Input> {
    let kind = column.data_type();
    if !is_of_files(kind) {
        return None;
    }
    let unnamed = || format!("in row {row}");
    if let Some(structure) = column.as_struct_opt() {
        if structure.is_null(place) {
            return Some(Input::Text(String::new()));
        }
        let path = structure.column_by_name(PATH).and_then(|paths| {
            let paths = paths.as_string_opt::<i32>()?;
            (!paths.is_null(place)).then(|| paths.value(place).to_owned())
        });
        let bytes = structure.column_by_name(BYTES).and_then(|bytes| bytes_at(bytes, place));
        return Some(match bytes {
            Some(bytes) => Input::File { name: path.unwrap_or_else(unnamed), bytes },
            None => Input::Text(path.unwrap_or_default()),
        });
    }
    Some(match bytes_at(column, place) {
        Some(bytes) => Input::File { name: unnamed(), bytes },
        None => Input::Text(String::new()),
    })
}

fn bytes_at(column: &ArrayRef, place: usize) -> Option<Vec<u8>> {
    if column.is_null(place) {
        return None;
    }
    match column.data_type() {
        DataType::Binary => Some(column.as_binary::<i32>().value(place).to_vec()),
        DataType::LargeBinary => Some(column.as_binary::<i64>().value(place).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BinaryArray, StringArray, StructArray};
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn bytes_come_before_paths() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(b"one".as_slice()), None, None]));
        let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("a.png"), Some("b.png"), None]));
        let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
        let column: ArrayRef =
            Arc::new(StructArray::from(vec![(field(BYTES, &bytes), Arc::clone(&bytes)), (field(PATH, &paths), paths)]));
        assert!(is_of_files(column.data_type()) && is_of_files(bytes.data_type()));
        let one = Input::File { name: "a.png".to_owned(), bytes: b"one".to_vec() };
        assert_eq!(file_at(&column, 0, 1), Some(one));
        assert_eq!(file_at(&column, 1, 2), Some(Input::Text("b.png".to_owned())));
        assert_eq!(file_at(&column, 2, 3), Some(Input::Text(String::new())));
        let unnamed = Input::File { name: "in row 1".to_owned(), bytes: b"one".to_vec() };
        assert_eq!((file_at(&bytes, 0, 1), file_at(&bytes, 1, 2)), (Some(unnamed), Some(Input::Text(String::new()))));
    }
}
