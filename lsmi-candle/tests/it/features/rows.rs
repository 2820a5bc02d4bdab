//! Files read a part of their rows at a time: the same samples and messages as from files read as a whole.

use lsmi_candle::features::{Classes, FeatureError, Keys, RowReader, Unlabelled, read_unlabelled, read_with_classes};
use safetensors::Dtype;
use zip::CompressionMethod;

use crate::features::build::{
    Item, Layout, STORED, borrowed, labels, npz, safetensors, sample, sample_with, says, with_splits, write,
};
use crate::features::parquet;

fn classes() -> Classes {
    Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap()
}

fn layout(method: CompressionMethod, fortran: bool) -> Layout {
    Layout { method, fortran, big_endian: false }
}

/// The same rows in every format that is read by rows.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let logits = Item::new(Dtype::F16, &[4, 2], &[0.5, -0.5, 2.0, 1.0, -3.0, 4.0, 0.0, 0.25]);
    let items = sample_with(vec![("id", labels(&[9.0, 8.0, 7.0, 6.0])), ("logits2", logits)]);
    let mut columns = parquet::sample();
    columns.push(("id", std::sync::Arc::new(arrow_array::Int64Array::from(vec![9, 8, 7, 6]))));
    columns.push(("logits2", parquet::matrix(2, &[0.5, -0.5, 2.0, 1.0, -3.0, 4.0, 0.0, 0.25])));
    vec![
        ("a.safetensors", safetensors(&items, &[("classes", r#"["0", "1"]"#)])),
        ("a.npz", npz(&items, STORED)),
        ("a.npz", npz(&items, Layout { big_endian: true, ..layout(CompressionMethod::Stored, true) })),
        ("a.npz", npz(&items, layout(CompressionMethod::Deflated, false))),
        ("a.parquet", parquet::table(columns)),
    ]
}

#[test]
fn windows_are_rows_of_the_whole() {
    for (name, bytes) in files() {
        let (_folder, path) = write(name, &bytes);
        let whole = read_with_classes(&path, &Keys::default(), &classes()).unwrap().splits.remove(0).features;
        let unlabelled = read_unlabelled(&path, &Keys::default(), &classes()).unwrap().splits.remove(0).features;
        let mut reader = RowReader::open(&path, &Keys::default(), &classes()).unwrap();
        let split = &reader.splits()[0];
        assert_eq!((split.name.as_str(), split.rows, split.dims, split.numbers), ("train", 4, [2, 1], 5));
        // Forwards, back again, and with a gap.
        for rows in [0..2, 2..3, 3..4, 1..4, 0..4, 0..1, 3..4] {
            let indices: Vec<usize> = rows.clone().collect();
            assert_eq!(reader.read(0, rows.clone()).unwrap(), whole.select(&indices), "{name} {rows:?}");
            assert_eq!(reader.read_unlabelled(0, rows.clone()).unwrap(), unlabelled.select(&indices), "{name}");
        }
        reader.check_unchanged().unwrap();
    }
}

#[test]
fn rows_without_ids_have_their_numbers() {
    let (_folder, path) = write("a.npz", &npz(&sample(), STORED));
    let rows = RowReader::open(&path, &Keys::default(), &classes()).unwrap().read(0, 2..4).unwrap();
    assert_eq!(rows.ids.iter().collect::<Vec<_>>(), ["2", "3"]);
    let (_folder, path) = write("a.safetensors", &safetensors(&sample(), &[("ids", r#"["a", "b", "c", "d"]"#)]));
    let rows = RowReader::open(&path, &Keys::default(), &classes()).unwrap().read(0, 1..3).unwrap();
    assert_eq!(rows.ids.iter().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn splits_are_those_of_the_whole() {
    let items = with_splits(&["train", "test"], |role, split| format!("{role}_{split}"));
    let (_folder, path) = write("a.safetensors", &safetensors(&borrowed(&items), &[]));
    let mut reader = RowReader::open(&path, &Keys::default(), &classes()).unwrap();
    assert_eq!(reader.splits().iter().map(|split| split.name.as_str()).collect::<Vec<_>>(), ["train", "test"]);
    let whole = read_with_classes(&path, &Keys::default(), &classes()).unwrap();
    assert_eq!(Some(&reader.read(1, 0..4).unwrap()), whole.split("test"));
}

/// What is said of a file read as a whole, and of the same file read two rows at a time.
fn both(name: &str, bytes: &[u8]) -> [String; 2] {
    let (folder, path) = write(name, bytes);
    let whole = read_with_classes(&path, &Keys::default(), &classes()).unwrap_err();
    let by_rows = || -> Result<(), FeatureError> {
        let mut reader = RowReader::open(&path, &Keys::default(), &classes())?;
        reader.read(0, 0..2)?;
        reader.read(0, 2..reader.splits()[0].rows).map(drop)
    };
    let text = |error: FeatureError| error.to_string().replace(&folder.path().display().to_string(), "");
    [text(whole), text(by_rows().unwrap_err())]
}

#[test]
fn messages_are_those_of_the_whole() {
    let of = |name, item| sample_with(vec![(name, item)]);
    let nan = Item::new(Dtype::F32, &[4, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, f64::NAN]);
    let cases = [
        (of("x1", nan), "`x1` is NaN at row 3, column 1"),
        (of("y", labels(&[0.0, 1.0, 0.0, 7.0])), "`y` has the label `7` at row 3"),
        (of("id", labels(&[1.0, 2.0, 3.0, 3.0])), "`id` has the id `3` at rows 2 and 3"),
        (of("id", labels(&[1.0, 2.0, 3.0])), "`id` has 3 rows, but `x1` has 4"),
        (of("y", Item::new(Dtype::F32, &[4], &[0.0; 4])), "`y` holds 32-bit"),
        (of("x2", Item::new(Dtype::F32, &[4, 1, 1], &[0.0; 4])), "`x2` has shape [4, 1, 1]"),
        (of("x2", Item::new(Dtype::F32, &[0, 3], &[])), "`x2` has shape [0, 3]"),
        (of("logits1", Item::new(Dtype::F32, &[4, 3], &[0.25; 12])), "`logits1` has 3 columns"),
        (of("logits1", Item::new(Dtype::F32, &[4, 2], &[0.5; 8])), "`logits1` holds probabilities"),
        (of("logits1_test", Item::new(Dtype::F32, &[4, 2], &[0.5; 8])), "belongs to no split"),
    ];
    for (items, expected) in cases {
        for (name, bytes) in [("a.safetensors", safetensors(&items, &[])), ("a.npz", npz(&items, STORED))] {
            let [whole, by_rows] = both(name, &bytes);
            assert!(whole.contains(expected), "{whole}");
            assert_eq!(whole, by_rows);
        }
    }
    let mut items = sample();
    items.remove(1);
    let [whole, by_rows] = both("a.npz", &npz(&items, STORED));
    assert!(whole.contains("there is no array `x2`"), "{whole}");
    assert_eq!(whole, by_rows);
}

#[test]
fn files_cut_short_anywhere_are_refused() {
    for (name, bytes) in files() {
        for length in 0..bytes.len() {
            let (_folder, path) = write(name, &bytes[..length]);
            let all = RowReader::open(&path, &Keys::default(), &classes()).and_then(|mut reader| reader.read(0, 0..4));
            assert!(matches!(all, Err(FeatureError::Corrupt { .. })), "{name}, {length} bytes: {all:?}");
        }
    }
}

#[test]
fn deflated_members_have_their_checksums_compared() {
    let bytes = npz(&sample(), layout(CompressionMethod::Deflated, false));
    let (_folder, path) = write("a.npz", &bytes);
    let mut reader = RowReader::open(&path, &Keys::default(), &classes()).unwrap();
    assert!(reader.read(0, 3..4).is_ok());
    // The checksum of x1 in the directory, at the end of the archive.
    let entry = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let mut wrong = bytes.clone();
    wrong[entry + 16] ^= 1;
    let (_folder, path) = write("a.npz", &wrong);
    let mut reader = RowReader::open(&path, &Keys::default(), &classes()).unwrap();
    reader.read(0, 0..3).unwrap();
    says(&reader.read(0, 3..4).unwrap_err(), &["`x1`", "checksum"]);
}

#[test]
fn what_is_read_as_a_whole_says_so() {
    let (_folder, path) = write("a.npz", &npz(&sample(), layout(CompressionMethod::Deflated, true)));
    let refusal = |path| match RowReader::open(path, &Keys::default(), &classes()) {
        Err(error @ FeatureError::NotByRows { .. }) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    };
    says(&refusal(&path), &["`x1`", "Fortran order", "np.ascontiguousarray"]);
    let (_folder, path) = write("a.pt", b"anything");
    says(&refusal(&path), &["PyTorch", "save it as .safetensors"]);
}

#[test]
fn a_file_that_changes_is_noticed() {
    let (_folder, path) = write("a.npz", &npz(&sample(), STORED));
    let reader = RowReader::open(&path, &Keys::default(), &classes()).unwrap();
    std::fs::write(&path, b"other").unwrap();
    says(&reader.check_unchanged().unwrap_err(), &["a.npz", "changed while it was read"]);
}

#[test]
fn labels_are_left_alone_where_nobody_asks_for_them() {
    let mut items = sample();
    items.remove(2);
    let (_folder, path) = write("a.npz", &npz(&items, STORED));
    assert!(RowReader::open(&path, &Keys::default(), &classes()).is_err());
    let mut reader = RowReader::open_unlabelled(&path, &Keys::default(), &classes()).unwrap();
    let rows: Unlabelled = reader.read_unlabelled(0, 1..2).unwrap();
    assert_eq!(rows.x2.values(), [-0.5]);
}
