//! Tables in all their formats.

use std::fs::{self, File};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::RecordBatch;
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
