//! Inputs in cells of Arrow columns: texts, paths, lists of paths, and files as bytes.
//!
//! A file is bytes, or a structure of bytes and a path, as the library `datasets` of Hugging Face writes them. A list has the
//! paths of the frames of a video.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::Input;
use crate::embedding::encoders::Modality;
use crate::features::columns::text::{is_string, is_text, text_at};

/// The field of a structure that holds the bytes.
const BYTES: &str = "bytes";
/// The field of a structure that holds the path, which may be of a file elsewhere.
const PATH: &str = "path";

fn is_bytes(kind: &DataType) -> bool {
    matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// Whether a column of a type may hold the inputs of a modality.
pub(in super::super) fn is_input(kind: &DataType, modality: Modality) -> bool {
    is_text(kind) || modality != Modality::Text && is_of_files(kind) || modality == Modality::Video && is_of_lists(kind)
}

/// Whether a column of a type holds lists of texts.
fn is_of_lists(kind: &DataType) -> bool {
    match kind {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            is_string(field.data_type())
        }
        _ => false,
    }
}

/// Whether a column of a type holds files.
fn is_of_files(kind: &DataType) -> bool {
    match kind {
        DataType::Struct(fields) => {
            let field = |name| fields.find(name).map(|(_, field)| field.data_type());
            field(BYTES).is_some_and(|kind| is_bytes(kind) || *kind == DataType::Null)
                || field(PATH).is_some_and(is_string)
        }
        kind => is_bytes(kind),
    }
}

/// Returns the input in a row of a column: a file, a list of paths, or a text or path. `unnamed` is what messages call a file
/// without a path.
pub(in super::super) fn input_at(column: &ArrayRef, row: usize, unnamed: impl FnOnce() -> String) -> Input {
    let kind = column.data_type();
    if is_of_lists(kind) {
        let texts = texts_at(column, row);
        return if texts.is_empty() { Input::Text(String::new()) } else { Input::Frames(texts) };
    }
    if !is_of_files(kind) {
        return Input::Text(text_at(column, row));
    }
    let (bytes, path) = match column.as_struct_opt() {
        Some(structure) if structure.is_null(row) => (None, None),
        Some(structure) => {
            let path = structure.column_by_name(PATH).filter(|paths| is_string(paths.data_type()));
            let bytes = structure.column_by_name(BYTES).and_then(|bytes| bytes_at(bytes, row));
            (bytes, path.filter(|paths| !paths.is_null(row)).map(|paths| text_at(paths, row)))
        }
        None => (bytes_at(column, row), None),
    };
    match bytes {
        Some(bytes) => Input::File { name: path.unwrap_or_else(unnamed), bytes },
        None => Input::Text(path.unwrap_or_default()),
    }
}

/// The texts of a list; none where there is no list.
fn texts_at(column: &ArrayRef, row: usize) -> Vec<String> {
    if column.is_null(row) {
        return Vec::new();
    }
    let values = match column.data_type() {
        DataType::List(_) => column.as_list::<i32>().value(row),
        DataType::LargeList(_) => column.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        _ => return Vec::new(),
    };
    (0..values.len()).map(|place| text_at(&values, place)).collect()
}

fn bytes_at(column: &ArrayRef, row: usize) -> Option<Vec<u8>> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Binary => Some(column.as_binary::<i32>().value(row).to_vec()),
        DataType::LargeBinary => Some(column.as_binary::<i64>().value(row).to_vec()),
        DataType::BinaryView => Some(column.as_binary_view().value(row).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{GenericListBuilder, StringBuilder};
    use arrow_array::{BinaryArray, OffsetSizeTrait, StringArray, StructArray};
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn bytes_come_before_paths() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(b"one".as_slice()), None, None]));
        let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("a.png"), Some("b.png"), None]));
        let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
        let column: ArrayRef =
            Arc::new(StructArray::from(vec![(field(BYTES, &bytes), Arc::clone(&bytes)), (field(PATH, &paths), paths)]));
        let at = |column: &ArrayRef, row: usize| input_at(column, row, || format!("in row {}", row + 1));
        assert!(is_input(column.data_type(), Modality::Image) && !is_input(bytes.data_type(), Modality::Text));
        let one = Input::File { name: "a.png".to_owned(), bytes: b"one".to_vec() };
        assert_eq!(at(&column, 0), one);
        assert_eq!(at(&column, 1), Input::Text("b.png".to_owned()));
        assert_eq!(at(&column, 2), Input::Text(String::new()));
        let unnamed = Input::File { name: "in row 1".to_owned(), bytes: b"one".to_vec() };
        assert_eq!((at(&bytes, 0), at(&bytes, 1)), (unnamed, Input::Text(String::new())));
    }

    fn lists<O: OffsetSizeTrait>() -> ArrayRef {
        let mut lists = GenericListBuilder::<O, _>::new(StringBuilder::new());
        lists.append_value([Some("1.png"), None]);
        lists.append_value([None::<&str>; 0]);
        lists.append_null();
        Arc::new(lists.finish())
    }

    #[test]
    fn lists_are_frames_of_videos() {
        for column in [lists::<i32>(), lists::<i64>()] {
            assert!(is_input(column.data_type(), Modality::Video) && !is_input(column.data_type(), Modality::Image));
            let at = |row| input_at(&column, row, String::new);
            assert_eq!(at(0), Input::Frames(vec!["1.png".to_owned(), String::new()]));
            assert_eq!((at(1), at(2)), (Input::Text(String::new()), Input::Text(String::new())));
        }
    }
}
