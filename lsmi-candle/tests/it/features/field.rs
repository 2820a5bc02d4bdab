//! Files as people have them, each beside the plain arrays that it holds; they stand beside the repository.

use std::path::{Path, PathBuf};

use lsmi_candle::features::{Data, FeatureError, FeatureFile, FeatureSet, Keys, Missing};

use crate::features::build::says;

/// The directory of the files, under `$LSMI_SHARED` or beside the repository, where it is there; a failure where it is not and
/// `LSMI_REQUIRE_FIELD` is set.
fn field() -> Option<PathBuf> {
    let shared = std::env::var_os("LSMI_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let folder = Some(shared.join("field")).filter(|folder| folder.is_dir());
    assert!(folder.is_some() || std::env::var_os("LSMI_REQUIRE_FIELD").is_none(), "{} is not there", shared.display());
    folder
}

fn read_with(name: &str, missing: Missing) -> Result<FeatureFile, FeatureError> {
    let path = field().unwrap().join(name);
    Data::from(path.as_path()).read(&Keys { missing, ..Keys::default() })
}

fn read(name: &str) -> Result<FeatureFile, FeatureError> {
    read_with(name, Missing::Refuse)
}

/// A file holds the samples of the plain one.
fn is_plain(name: &str) {
    let (file, plain) = (read(name).unwrap(), read("base.npz").unwrap());
    assert_eq!(file.splits, plain.splits, "{name}");
    assert_eq!(file.classes, plain.classes, "{name}");
}

/// The rows of the plain file that a table has kept.
fn chosen(rows: impl Fn(usize, u32) -> bool) -> FeatureSet {
    let plain = read("base.npz").unwrap();
    let all = &plain.splits[0].features;
    let rows: Vec<usize> = (0..all.rows()).filter(|row| rows(*row, all.labels[*row])).collect();
    all.select(&rows)
}

#[test]
fn files_that_hold_plain_arrays() {
    if field().is_none() {
        return;
    }
    for name in [
        "tables/pad4.csv",
        "tables/data-00000-of-00001.arrow",
        "arrays/defaultdict.pt",
        "arrays/numpy_inside.pt",
        "arrays/nested.pt",
        "arrays/negbit.pt",
        "arrays/negbit_plain.pt",
        "arrays/x1_object.npz",
    ] {
        is_plain(name);
    }
    let (table, plain) = (read("tables/polars_zstd.parquet").unwrap(), read("polars_ref.npz").unwrap());
    for (split, plain) in table.splits.iter().zip(&plain.splits) {
        // Ids are the rows of the table.
        let (of_table, of_plain) = (&split.features, &plain.features);
        assert_eq!((&split.name, &of_table.labels), (&plain.name, &of_plain.labels));
        assert!(of_table.x1 == of_plain.x1 && of_table.x2 == of_plain.x2, "{}", plain.name);
    }
}

#[test]
fn missing_labels() {
    if field().is_none() {
        return;
    }
    for (name, found) in [
        ("tables/int_with_NA.csv", " (`NA`)"),
        ("tables/str_with_NaN.csv", " (`NaN`)"),
        ("tables/int_with_nan.csv", ""),
    ] {
        let error = read(name).unwrap_err();
        assert!(matches!(error, FeatureError::MissingLabel { row: 0, .. }), "{error}");
        says(&error, &[name, &format!("`y` is missing at row 0{found} and in"), "other rows", "`Missing::Drop`"]);
        let kept = read_with(name, Missing::Drop).unwrap();
        let features = &kept.splits[0].features;
        assert!(
            kept.notes[0].contains(&format!("{} rows of 240 without a label", 240 - features.rows())),
            "{:?}",
            kept.notes
        );
        let ids: Vec<usize> = features.ids.iter().map(|id| id.parse().unwrap()).collect();
        let expected = chosen(|row, _| ids.binary_search(&row).is_ok());
        assert!((&features.x1, &features.x2) == (&expected.x1, &expected.x2), "{name}");
        // Names are in another order than the numbers that they have in the plain file.
        let codes = if name.contains("str") { [0, 2, 1] } else { [0, 1, 2] };
        let labels: Vec<u32> = expected.labels.iter().map(|label| codes[*label as usize]).collect();
        assert_eq!((&features.labels, kept.classes.len()), (&labels, 3), "{name}");
    }
    let kept = read_with("tables/int_with_NA.csv", Missing::Keep).unwrap();
    assert_eq!(kept.classes.names(), ["0", "1", "2", "NA"]);
    assert!(matches!(read_with("tables/int_with_nan.csv", Missing::Keep), Err(FeatureError::MissingLabel { .. })));
}

#[test]
fn names_with_blanks_and_splits_with_capitals() {
    if field().is_none() {
        return;
    }
    let file = read("tables/label_blanks.csv").unwrap();
    assert_eq!(file.classes.names(), ["anger", "fear", "joy"]);
    assert!(
        file.notes[0].contains("differ only by blanks") && file.notes[0].contains("`fear` and `fear `"),
        "{:?}",
        file.notes
    );
    let file = read("tables/split_capital.csv").unwrap();
    let names: Vec<(&str, usize)> =
        file.splits.iter().map(|split| (split.name.as_str(), split.features.rows())).collect();
    assert_eq!((names[0].0, names[1].0, names[0].1 + names[1].1), ("train", "test", 240));
    says(
        &read("tables/split_numbers.csv").unwrap_err(),
        &["the column `split` holds numbers (0, 1)", "train, val or test"],
    );
}

#[test]
fn what_is_refused_says_what_to_do() {
    if field().is_none() {
        return;
    }
    for (name, parts) in [
        (
            "tables/ellipsis.csv",
            &["lists that NumPy shortened, such as `[-0.5 0.82161814", "numbers are missing", "np.savez"][..],
        ),
        ("tables/multilabel.npz", &["`y` has shape [240, 5]", "several labels a row", "y[:, 0]"]),
        ("arrays/list_float.pt", &["`y` holds 64-bit floating-point numbers", "torch.as_tensor(y).long()"]),
        ("arrays/tfidf.npz", &["sparse matrix", "scipy.sparse.load_npz('tfidf.npz').toarray()"]),
    ] {
        says(&read(name).unwrap_err(), parts);
    }
}
