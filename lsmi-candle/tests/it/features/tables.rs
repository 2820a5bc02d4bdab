//! Tables of every format: one column a feature, lists, splits by a column, and columns carried along.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray};
use lsmi_candle::features::{
    ArrayFiles, Classes, Data, FeatureError, FeatureFile, Format, Keys, MetadataColumn, MetadataType, MetadataValues,
    RowReader, read_bytes,
};

use crate::features::build::{fixture, npy, says};
use crate::features::parquet;

const CSV: &str = "\
path,x1_0,x2.1,y,x1_1,x2.2,id,when
a/1.png,0,0.5,cat,1,1,007,2024-02-29
a/2.png,2,-0.5,dog,3,1,008,
\"a,3.png\",4,1.5,dog,5,2,009,2024-03-01
a/4.png,6,2.5,cat,7,3,010,2024-03-02
";

fn csv(text: &str) -> Result<FeatureFile, FeatureError> {
    read_bytes("sample.csv", text.as_bytes(), Format::Csv, &Keys::default())
}

fn refusal(text: &str) -> FeatureError {
    csv(text).unwrap_err()
}

#[test]
fn csv_with_a_column_a_feature() {
    let file = csv(CSV).unwrap();
    let features = &file.splits[0].features;
    assert_eq!(features.x1.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(features.x2.values(), [0.5, 1.0, -0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    assert_eq!(file.classes.names(), ["cat", "dog"]);
    assert_eq!(features.ids.get(0), "007");
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        MetadataColumn {
            name: "path".to_owned(),
            values: MetadataValues::Texts(vec![text("a/1.png"), text("a/2.png"), text("a,3.png"), text("a/4.png")]),
        },
        MetadataColumn {
            name: "when".to_owned(),
            values: MetadataValues::Texts(vec![text("2024-02-29"), None, text("2024-03-01"), text("2024-03-02")]),
        },
    ];
    assert_eq!(file.metadata_of("train"), expected);
}

#[test]
fn csv_with_lists() {
    let text = "x1,x2,y\n\"[0, 1]\",[0.5],1\n[2 3],[-0.5],0\n\"[4,5]\",[1.5],0\n[ 6.  7.],[2.5],1\n";
    let file = csv(text).unwrap();
    let expected = read_bytes("p", &parquet::table(parquet::sample()), Format::Parquet, &Keys::default()).unwrap();
    assert_eq!(file.splits, expected.splits);
    // The mark that spreadsheets put first is not part of a name.
    assert_eq!(csv(&format!("\u{feff}{text}")).unwrap().splits, expected.splits);
}

#[test]
fn csv_that_cannot_serve() {
    says(&refusal(""), &["sample.csv: not a readable CSV file", "its first line must name the columns"]);
    says(&refusal("x1_0,x2_0,y\n"), &["`x1` has shape [0, 1]: nothing to analyse"]);
    says(&refusal("x1_0,x2_0,y\n1,2\n"), &["not a readable CSV file"]);
    says(&refusal("x1_0,x2_0,y\n1,2,a\nNA,3,b\n"), &["`x1` holds text, such as `NA` at row 1, in the column `x1_0`"]);
    says(&refusal("x1_0,x2_0,y\n1,2,a\n,3,b\n"), &["`x1` is null at row 1"]);
    says(&refusal("x1_0,x2_0,y\n1,2,a\nnan,3,b\n"), &["`x1` is NaN at row 1, column 0"]);
    says(&refusal("x1_0,x1_2,x2_0,y\n1,2,a,0\n"), &["there is no number 1"]);
    says(&refusal("x1,x2_0,y\n1,2,a\n2,3,b\n"), &["`x1` has shape [2]", "a column whose name ends in _0"]);
    says(&refusal("x1_0,x2_0,y\n1,2,0.5\n2,3,1.5\n"), &["`y` holds 64-bit floating-point numbers"]);
    says(&refusal("x1_0,x2_0,y,y\n1,2,0,0\n"), &["the columns 2 and 3 are both called `y`"]);
    says(&refusal("x1,x2_0,y\n[1],2,0\n[1 2],2,0\n"), &["`x1` has 2 values at row 1, but 1 at the first"]);
    let mut bytes = b"x1_0,x2_0,y\n1,2,a\n2,3,".to_vec();
    bytes.extend(b"\xff\n");
    let error = read_bytes("sample.csv", &bytes, Format::Csv, &Keys::default()).unwrap_err();
    says(&error, &["`y` is not UTF-8 at row 1"]);
}

#[test]
fn a_column_names_the_splits() {
    let text = "split,x1_0,x2_0,y,n\ntrain,1,5,a,10\ntest,2,6,b,20\ntrain,3,7,b,30\ntest,4,8,a,40\n";
    let file = csv(text).unwrap();
    let names: Vec<&str> = file.splits.iter().map(|split| split.name.as_str()).collect();
    assert_eq!(names, ["train", "test"]);
    let (train, test) = (&file.splits[0].features, &file.splits[1].features);
    assert_eq!((train.x1.values(), test.x1.values()), (&[1.0, 3.0][..], &[2.0, 4.0][..]));
    assert_eq!((train.labels.as_slice(), test.labels.as_slice()), (&[0, 1][..], &[1, 0][..]));
    // Ids are the rows of the file.
    assert_eq!((test.ids.get(0), test.ids.get(1)), ("1".into(), "3".into()));
    let carried = MetadataColumn { name: "n".to_owned(), values: MetadataValues::Integers(vec![Some(20), Some(40)]) };
    assert_eq!(file.metadata_of("test"), [carried]);

    says(&refusal(&text.replace("4,8,a", "inf,8,a")), &["`x1_test` is inf at row 3, column 0"]);
    says(&refusal(&text.replace("4,8,a", ",8,a")), &["`x1_test` is null at row 3"]);
    says(&refusal(&text.replace("4,8,a", "4,8,c")), &["`y_test` has the label `c` at row 3"]);
    says(&refusal(&text.replace("test,2", ",2")), &["the column `split` names no split at row 1"]);
    says(&refusal(&text.replace("train", "dev")), &["there is no split `train`, only test, dev"]);
    let many: String = (0..21).map(|row| format!("s{row},1,5,a,1")).collect::<Vec<_>>().join("\n") + "\n";
    says(&refusal(&format!("split,x1_0,x2_0,y,n\n{many}")), &["more than 20 different values"]);
}

fn one_column_a_feature() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("x1_1", Arc::new(Float32Array::from(vec![1.0, 3.0, 5.0, 7.0])) as ArrayRef),
        ("note", Arc::new(StringArray::from(vec![Some("é"), None, Some(""), Some("z")]))),
        ("x1_0", Arc::new(Int64Array::from(vec![0, 2, 4, 6]))),
        ("x2_0", Arc::new(Float64Array::from(vec![0.5, -0.5, 1.5, 2.5]))),
        ("y", Arc::new(Int64Array::from(vec![1, 0, 0, 1]))),
        ("seen", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
    ]
}

#[test]
fn parquet_with_a_column_a_feature() {
    let bytes = parquet::table(one_column_a_feature());
    let file = read_bytes("p", &bytes, Format::Parquet, &Keys::default()).unwrap();
    let expected = read_bytes("p", &parquet::table(parquet::sample()), Format::Parquet, &Keys::default()).unwrap();
    assert_eq!(file.splits, expected.splits);
    let kinds: Vec<_> = file.metadata_of("train").iter().map(|column| (&*column.name, column.values.kind())).collect();
    assert_eq!(kinds, [("note", MetadataType::Texts), ("seen", MetadataType::Booleans)]);
}

/// The rows of a table, read some at a time.
fn by_rows(path: &Path) -> Vec<f64> {
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap();
    let mut reader = RowReader::open(path, &Keys::default(), &classes).unwrap();
    let mut values = Vec::new();
    for rows in [0..1, 1..4, 2..3] {
        values.extend_from_slice(reader.read(0, rows.clone()).unwrap().x1.values());
        assert!(reader.read_metadata(0, rows.clone()).unwrap().iter().all(|column| column.values.len() == rows.len()));
    }
    values
}

#[test]
fn tables_are_read_by_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (table, text) = (folder.path().join("a.parquet"), folder.path().join("a.csv"));
    std::fs::write(&table, parquet::table(one_column_a_feature())).unwrap();
    std::fs::write(&text, "x1_0,x1_1,x2_0,y\n0,1,0.5,1\n2,3,-0.5,0\n4,5,1.5,0\n6,7,2.5,1\n").unwrap();
    for path in [&table, &text] {
        assert_eq!(by_rows(path), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 4.0, 5.0], "{}", path.display());
    }
}

#[test]
fn an_array_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let doubles = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let x1 = doubles(&[0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]);
    std::fs::write(place("a.npy"), npy("<f8", true, &[4, 2], &x1)).unwrap();
    std::fs::write(place("b.npy"), npy("<f8", false, &[4, 1], &doubles(&[0.5, -0.5, 1.5, 2.5]))).unwrap();
    std::fs::write(place("c.npy"), npy("|S3", false, &[4], b"dogcatcatdog")).unwrap();
    let files = |y: &str| {
        Data::Arrays(ArrayFiles { x1: place("a.npy"), x2: place("b.npy"), y: Some(place(y)), id: None, group: None })
    };
    let file = files("c.npy").read(&Keys::default()).unwrap();
    let expected = read_bytes("p", &parquet::table(parquet::sample()), Format::Parquet, &Keys::default()).unwrap();
    assert_eq!(file.splits, expected.splits);
    assert_eq!(file.classes.names(), ["cat", "dog"]);

    says(&files("none.npy").read(&Keys::default()).unwrap_err(), &["none.npy: no such file"]);
    let error = Data::from(&place("a.npy")).read(&Keys::default()).unwrap_err();
    says(&error, &["a.npy: holds one array", "`ArrayFiles`"]);
    std::fs::write(place("d.npy"), npy("|S3", false, &[3], b"dogcatcat")).unwrap();
    says(&files("d.npy").read(&Keys::default()).unwrap_err(), &["a.npy, ", "d.npy: `y` has 3 rows, but `x1` has 4"]);
}

/// The files that tests/fixtures/tables.py made with pyarrow and polars.
#[test]
fn arrow_files_of_other_programs() {
    let expected = csv(CSV).unwrap();
    let names =
        ["arrow_plain.arrow", "arrow_lz4.feather", "arrow_zstd.feather", "arrow_views.arrow", "arrow_categories.arrow"];
    for name in names {
        let path = fixture(name);
        let file = Data::from(path.as_path()).read(&Keys::default()).unwrap();
        assert_eq!(file.splits, expected.splits, "{name}");
        let bytes = std::fs::read(&path).unwrap();
        let from_memory = read_bytes(name, &bytes, Format::Arrow, &Keys::default()).unwrap();
        assert_eq!(from_memory.splits, expected.splits, "{name}");
        let path = &file.metadata_of("train")[0];
        assert_eq!(path.values, expected.metadata_of("train")[0].values, "{name}");
    }
}
