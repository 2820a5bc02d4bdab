//! Tables in all their formats.

use std::fs::{self, File};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::RecordBatch;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, DictionaryArray, LargeStringArray, StringViewArray, UInt8Array};

use super::*;

fn columns() -> Columns {
    let input = |name: &str, modality| InputColumn { name: name.to_owned(), modality };
    let needed = |name: &str| OptionalColumn { name: name.to_owned(), is_needed: true };
    Columns {
        inputs: vec![input("image", Modality::Image), input("text", Modality::Text)],
        label: needed("label"),
        id: needed("id"),
    }
}

/// Reads a table of text under a name.
fn read(name: &str, content: &[u8]) -> Result<Vec<Row>, TableError> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    fs::write(&path, content).unwrap();
    Table::open(&path, columns(), Missing::Refuse)?.collect()
}

/// As `analyze` reads feature files.
#[test]
fn separators_and_byte_order_marks_do_not_count() {
    let expected = read("t.csv", b"image,text,label,id\na.png,red,cat,1\n").unwrap();
    assert_eq!((expected.len(), expected[0].inputs[1].text()), (1, Some("red")));
    for (name, content) in [
        ("t.csv", "\u{feff}image;text;label;id\na.png;red;cat;1\n"),
        ("t.tsv", "image\ttext\tlabel\tid\na.png\tred\tcat\t1\n"),
        ("t.csv", "\u{feff} image , text ,label,\"id\"\na.png,red,cat,1\n"),
        ("t.jsonl", "{\"image\": \"a.png\", \"text\": \"red\", \"label\": \"cat\", \"id\": 1}\n\n"),
    ] {
        assert_eq!(read(name, content.as_bytes()).unwrap(), expected, "{content}");
    }
}

#[test]
fn headers_that_cannot_be_used_are_refused() {
    let utf16: Vec<u8> = "image,text,label,id\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(read("t.csv", &utf16), Err(TableError::NotText { .. })));
    let twice = read("t.csv", b"image,text,label,id,text\na.png,red,cat,1,blue\n").unwrap_err();
    assert!(
        twice.to_string().ends_with("the columns 1 and 4 are both called `text`, counted from 0; rename one of them")
    );
    assert!(matches!(read("t.csv", b"image,text,id\n"), Err(TableError::Column { column, .. }) if column == "label"));
    assert!(matches!(read("t.txt", b""), Err(TableError::Format { .. })));
}

/// Texts and numbers in Parquet are the same whatever they were before: categories, views, short numbers.
#[test]
fn parquet_holds_texts_and_whole_numbers() {
    let arrays: [(&str, ArrayRef); 4] = [
        ("image", Arc::new(StringViewArray::from(vec![Some("a.png"), Some("a name longer than a view holds.png")]))),
        ("text", Arc::new(LargeStringArray::from(vec![Some("é"), None]))),
        ("label", Arc::new(["cat", "cat"].into_iter().collect::<DictionaryArray<Int8Type>>())),
        ("id", Arc::new(UInt8Array::from(vec![7, 255]))),
    ];
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("table.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let rows: Vec<Row> = Table::open(&path, columns(), Missing::Refuse).unwrap().map(Result::unwrap).collect();
    let row = |place, image: &str, text: &str, id: &str| Row {
        place,
        inputs: vec![Input::Text(image.to_owned()), Input::Text(text.to_owned())],
        label: Some("cat".to_owned()),
        id: Some(id.to_owned()),
    };
    assert_eq!(rows, [row(0, "a.png", "é", "7"), row(1, "a name longer than a view holds.png", "", "255")]);
}

/// Frames are an array in JSON lines, a list in Parquet, and in any table a text, which stays as it is until it is encoded.
#[test]
fn videos_may_be_lists_of_frames() {
    let columns = || {
        let video = InputColumn { name: "video".to_owned(), modality: Modality::Video };
        Columns { inputs: vec![video], label: absent(), id: absent() }
    };
    let place = tempfile::tempdir().unwrap();
    let lines = place.path().join("table.jsonl");
    fs::write(&lines, "{\"video\": [\"1.png\", \"2.png\"]}\n{\"video\": []}\n{\"video\": \"1.png;2.png\"}\n").unwrap();
    let parquet = place.path().join("table.parquet");
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("1.png"), Some("2.png")]);
    lists.append_null();
    let batch = RecordBatch::try_from_iter([("video", Arc::new(lists.finish()) as ArrayRef)]).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&parquet).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let read = |path: &Path| -> Vec<Input> {
        let rows = Table::open(path, columns(), Missing::Refuse).unwrap();
        rows.map(|row| row.unwrap().inputs.remove(0)).collect()
    };
    let frames = Input::Frames(vec!["1.png".to_owned(), "2.png".to_owned()]);
    let text = Input::Text("1.png;2.png".to_owned());
    assert_eq!(text.paths(Modality::Video), frames.paths(Modality::Video));
    assert_eq!((text.paths(Modality::Image), text.paths(Modality::Text)), (vec!["1.png;2.png"], vec![]));
    assert_eq!(read(&lines), [frames.clone(), Input::Text(String::new()), text]);
    assert_eq!(read(&parquet), [frames, Input::Text(String::new())]);
    // Of pictures, there is one a row.
    let pictures = || {
        let mut columns = columns();
        columns.inputs[0].modality = Modality::Image;
        columns
    };
    assert!(matches!(Table::open(&parquet, pictures(), Missing::Refuse), Err(TableError::Type { .. })));
    let mut table = Table::open(&lines, pictures(), Missing::Refuse).unwrap();
    assert!(matches!(table.next(), Some(Err(TableError::Type { .. }))));
}

fn absent() -> OptionalColumn {
    OptionalColumn { name: "absent".to_owned(), is_needed: false }
}
