//! Files as other libraries write them (tests/fixtures/field.py), each beside the plain arrays that it holds.

use lsmi_candle::features::{Classes, Data, FeatureError, FeatureFile, Format, Keys, Missing, RowReader, read_bytes};

use crate::features::build::{fixture, says};

fn read_with(name: &str, missing: Missing) -> Result<FeatureFile, FeatureError> {
    Data::from(fixture("field").join(name).as_path()).read(&Keys { missing, ..Keys::default() })
}

fn read(name: &str) -> Result<FeatureFile, FeatureError> {
    read_with(name, Missing::Refuse)
}

const NAMES: [&str; 3] = ["anger", "fear", "joy"];

#[test]
fn files_that_hold_the_plain_arrays() {
    let plain = read("plain.npz").unwrap();
    for name in [
        "pandas_brotli.parquet",
        "pandas_blanks.parquet",
        "polars_zstd.arrow",
        "polars_stream.arrow",
        "pyarrow_zstd.feather",
        "datasets_disk.arrow",
        "datasets.parquet",
        "objects_integers.npz",
        "objects_rows.npz",
        "dictionary.npz",
        "list_of_tensors.pt",
        "unbound.pt",
        "numpy_rows.pt",
        "protocol_5.pt",
        "python_lists.pt",
        "parameter.pt",
        "negated_f32.pt",
        "transposed.pt",
        "parts.pt",
        "ordered.pt",
    ] {
        let file = read(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.splits, plain.splits, "{name}");
        assert!(file.classes.names() == plain.classes.names() || file.classes.names() == NAMES, "{name}");
        assert_eq!(file.notes, [""; 0], "{name}");
        let path = fixture("field").join(name);
        let bytes = std::fs::read(&path).unwrap();
        let from_memory = read_bytes(name, &bytes, Format::from_path(&path).unwrap(), &Keys::default()).unwrap();
        assert_eq!(from_memory.splits, plain.splits, "{name}");
    }
}

#[test]
fn rows_of_objects_and_streams_are_read_some_at_a_time() {
    let plain = read("plain.npz").unwrap();
    let all = &plain.splits[0].features;
    for name in
        ["objects_rows.npz", "dictionary.npz", "datasets_disk.arrow", "polars_stream.arrow", "polars_zstd.arrow"]
    {
        let classes = if name.starts_with("polars") { NAMES } else { ["0", "1", "2"] };
        let classes = Classes::new(classes.map(str::to_owned).to_vec()).unwrap();
        let path = fixture("field").join(name);
        let mut reader = RowReader::open(&path, &Keys::default(), &classes).unwrap();
        for rows in [0..7, 7..30, 3..5] {
            let expected = all.select(&rows.clone().collect::<Vec<_>>());
            assert_eq!(reader.read(0, rows).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn labels_that_are_missing() {
    let plain = read("plain.npz").unwrap();
    let rows: Vec<usize> = (0..30).filter(|row| ![1, 4, 7].contains(row)).collect();
    let expected = plain.splits[0].features.select(&rows);
    for (name, found) in [
        ("pandas_nullable.parquet", ""),
        ("pandas_float.parquet", ""),
        ("pandas_category.parquet", ""),
        ("polars_null.parquet", ""),
        ("objects_text.npz", ""),
        ("objects_nan.npz", ""),
        ("float_nan.npz", ""),
        ("labels_with_none.pt", ""),
        ("none_as_text.npz", " (`None`)"),
    ] {
        let error = read(name).unwrap_err();
        says(&error, &[name, &format!("`y` is missing at row 1{found} and in 2 other rows"), "`Missing::Drop`"]);
        let file = read_with(name, Missing::Drop).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.splits[0].features, expected, "{name}");
        assert_eq!(file.notes, ["3 rows of 30 without a label in `y` were left out"], "{name}");
        let keeps = read_with(name, Missing::Keep);
        match found {
            "" => assert!(matches!(keeps, Err(FeatureError::MissingLabel { .. })), "{name}"),
            _ => assert_eq!(keeps.unwrap().classes.names(), ["None", "anger", "fear", "joy"]),
        }
    }
}

#[test]
fn rows_that_are_left_out_are_left_out_of_metadata_too() {
    let text = "x1_0,x2_0,y,note\n0,1,a,p\n1,2,NA,q\n2,5,b,r\n3,4,,s\n4,4,a,t\n";
    let keys = Keys { missing: Missing::Drop, ..Keys::default() };
    let file = read_bytes("t.csv", text.as_bytes(), Format::Csv, &keys).unwrap();
    assert_eq!(file.splits[0].features.ids.iter().collect::<Vec<_>>(), ["0", "2", "4"]);
    let notes = &file.metadata_of("train")[0].values;
    let expected = ["p", "r", "t"].map(|text| Some(text.to_owned())).to_vec();
    assert_eq!(*notes, lsmi_candle::features::MetadataValues::Texts(expected));
    let none = read_bytes("t.csv", b"x1_0,x2_0,y\n0,1,NA\n1,2,\n", Format::Csv, &keys).unwrap_err();
    says(&none, &["`y` is missing in all 2 rows"]);
}

#[test]
fn splits_by_other_names() {
    let sizes = |name: &str| -> Vec<(String, usize)> {
        read(name).unwrap().splits.into_iter().map(|split| (split.name, split.features.rows())).collect()
    };
    let of = |list: &[(&str, usize)]| list.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect::<Vec<_>>();
    assert_eq!(sizes("pandas_splits.parquet"), of(&[("train", 10), ("val", 10), ("test", 10)]));
    assert_eq!(sizes("splits.npz"), of(&[("train", 20), ("val", 10)]));
    assert_eq!(sizes("by_array.pt"), of(&[("train", 20), ("test", 10)]));
    let note = &read("pandas_splits.parquet").unwrap().notes[0];
    assert!(note.contains("`Train` as `train`") && note.contains("`Validation` as `val`"), "{note}");
    says(&read("pandas_is_train.parquet").unwrap_err(), &["the column `split` holds numbers (0, 1)"]);
}

#[test]
fn what_is_not_read_says_what_to_write_instead() {
    for (name, parts) in [
        ("ragged.npz", &["`x1` holds a list of arrays of shapes [1, 2] and, at item 1, [2, 2]", "pad them"][..]),
        ("pandas_ellipsis.parquet", &["lists that NumPy shortened, such as `[", "... ", "np.savez"]),
        ("polars_nested.parquet", &["`x1` holds lists of lists", "x.mean(axis=1)", "x.reshape(len(x), -1)"]),
        ("polars_nested.arrow", &["`x1` holds lists of lists", "x.mean(axis=1)", "x.reshape(len(x), -1)"]),
        ("sparse_object.npz", &["`x1` holds a sparse matrix of scipy", "x.toarray()"]),
        ("complex.npz", &["`x1` holds complex numbers", "np.hstack([x.real, x.imag])"]),
        ("sequences.npz", &["`x1` has shape [30, 4, 2]", "x.mean(axis=1)", "x.reshape(len(x), -1)"]),
        ("csr.npz", &["no array `x1`", "scipy.sparse.load_npz('csr.npz').toarray()"]),
        ("sparse.pt", &["`x1` holds a sparse tensor", "x.to_dense()"]),
        ("quantised.pt", &["`x1` holds a quantised tensor", "x.dequantize()"]),
        ("complex.pt", &["a tensor of complex numbers", "torch.view_as_real(x.resolve_conj()).flatten(1)"]),
        ("negated_integers.pt", &["not yet worked out", "x.resolve_neg()"]),
        ("ragged.pt", &["a list of arrays of shapes [1] and, at item 1, [2]", "pad them"]),
        ("tuple.pt", &["it does not hold a dictionary, but a list of 3", "x1, x2, y = torch.load(path)"]),
        ("rows.pt", &["it does not hold a dictionary, but a list of 30", "for key in rows[0]}"]),
    ] {
        says(&read(name).unwrap_err(), parts);
    }
}

/// Tables of text that libraries and spreadsheets write.
#[test]
fn tables_of_text() {
    let csv =
        |text: &str, missing| read_bytes("t.csv", text.as_bytes(), Format::Csv, &Keys { missing, ..Keys::default() });
    let expected = csv("x1_0,x2_0,y\n0,5,a\n1,4,b\n2,6,a\n", Missing::Refuse).unwrap();
    for text in [
        "x1_0;x2_0;y\n0;5;a\n1;4;b\n2;6;a\n",
        "x1_0\tx2_0\ty\n0\t5\ta\n1\t4\tb\n2\t6\ta\n",
        "x1_0|x2_0|y\r\n0|5|a\r\n1|4|b\r\n2|6|a\r\n",
        " x1_0 , x2_0 , y \n 0 , 5 , a \n 1 , 4 , b \n 2 , 6 , a \n",
        "\u{feff}x1_000;x2_000;y\n0;5;a\n1;4;b\n2;6;a\n",
        "x1_01,x1_02,x2_0,y\n0,0,5,a\n1,0,4,b\n2,0,6,a\n",
    ] {
        let file = csv(text, Missing::Refuse).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(file.splits[0].features.labels, expected.splits[0].features.labels, "{text}");
        assert_eq!(file.splits[0].features.x2, expected.splits[0].features.x2, "{text}");
    }
    for (label, found) in
        [("", ""), ("NA", "NA"), ("<NA>", "<NA>"), ("#N/A", "#N/A"), ("NULL", "NULL"), ("n/a", "n/a"), ("NaT", "NaT")]
    {
        let text = format!("x1_0,x2_0,y\n0,5,a\n1,4,{label}\n2,6,b\n");
        let found = if found.is_empty() { String::new() } else { format!(" (`{found}`)") };
        says(&csv(&text, Missing::Refuse).unwrap_err(), &[&format!("`y` is missing at row 1{found};")]);
        assert_eq!(csv(&text, Missing::Drop).unwrap().splits[0].features.rows(), 2, "{label}");
        assert_eq!(csv(&text, Missing::Keep).is_ok(), !label.is_empty(), "{label}");
    }
    let numbers = csv("x1_0,x2_0,y\n0,5,10\n1,4,\n2,6,9\n3,6,NA\n", Missing::Drop).unwrap();
    assert_eq!(numbers.classes.names(), ["9", "10"]);
    let note = &csv("x1_0,x2_0,y\n0,5,1\n1,4,-1\n2,6,0\n", Missing::Refuse).unwrap().notes[0];
    assert!(note.contains("`y` is -1 in one row, beside 0 to 1"), "{note}");
    let note = &csv("x1_0,x2_0,y\n0,5,Joy\n1,4,joy\n2,6,fear\n", Missing::Refuse).unwrap().notes[0];
    assert!(note.contains("differ only by upper and lower case: `Joy` and `joy`"), "{note}");
    for (text, part) in [
        ("x1_0;x2_0;y\n0,5;5;a\n1,5;4;b\n", "numbers need points, not commas"),
        ("0.5,1.25,a\n1.5,2.5,b\n", "the first line of the table holds values"),
        ("1,1,2\n1,2,3\n", "write a first line that names the columns"),
        ("X1_0,X2_0,Y\n0,5,a\n1,4,b\n", "differs from it only by blanks or case"),
        ("x1_0,x2_0,y,split\n0,5,a,0\n1,4,b,1\n", "the column `split` holds numbers (0, 1)"),
        ("x1_0,x2_0,y,split\n0,5,a,train\n1,4,b,NaN\n", "names no split at row 1"),
    ] {
        says(&csv(text, Missing::Refuse).unwrap_err(), &[part]);
    }
}
