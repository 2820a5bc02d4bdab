//! Modalities of several steps: pooled in every format and from streams, or kept for lags; and what is refused.

use lsmi_candle::features::{
    ArrayFiles, Arrays, Classes, Data, FeatureError, FeatureFile, Keys, Lags, Missing, Numbers, Pooling, RowReader,
    SequenceFile, read_with_classes, read_with_keys,
};
use safetensors::Dtype;
use zip::CompressionMethod;

use crate::features::build::{Item, Layout, STORED, archive, fixture, labels, npy, npz, safetensors, says, write};

const NAN: f64 = f64::NAN;

/// Four sequences of three steps; of the second the last step is padding, of the third the last two.
const X1: [f64; 24] = [
    1.0,
    2.0,
    3.0,
    -1.0,
    5.0,
    0.5, // all three
    0.5,
    4.0,
    1.5,
    -2.0,
    NAN,
    f64::INFINITY, // two
    -7.0,
    0.25,
    9.0,
    9.0,
    9.0,
    9.0, // one
    0.0,
    0.0,
    0.0,
    0.0,
    3.0,
    6.0, // all three
];
const LENGTHS1: [i64; 4] = [3, 2, 1, 3];
/// All of its steps count.
const X2: [f64; 12] = [1.0, 2.0, 6.0, 0.0, 0.0, 3.0, -3.0, 0.0, 0.0, 4.0, 4.0, 4.0];

fn items() -> Vec<(&'static str, Item)> {
    vec![
        ("x1", Item::new(Dtype::F64, &[4, 3, 2], &X1)),
        ("x2", Item::new(Dtype::F32, &[4, 3, 1], &X2)),
        ("lengths1", Item::new(Dtype::I32, &[4], &LENGTHS1.map(|length| length as f64))),
        ("y", labels(&[1.0, 0.0, 0.0, 1.0])),
    ]
}

/// [`items`] with arrays replaced or added.
fn items_with(changes: Vec<(&'static str, Item)>) -> Vec<(&'static str, Item)> {
    let mut all = items();
    all.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    all.extend(changes);
    all
}

fn keys(pooling: Pooling) -> Keys {
    Keys { pool: Some(pooling), ..Keys::default() }
}

/// The bytes of an array in Fortran order: the first index fastest.
fn fortran(shape: [usize; 3], values: &[f64]) -> Vec<u8> {
    let [rows, steps, columns] = shape;
    let places = (0..columns).flat_map(|column| (0..steps).map(move |step| (step, column)));
    let places = places.flat_map(|(step, column)| (0..rows).map(move |row| (row * steps + step) * columns + column));
    npy("<f8", true, &shape, &places.flat_map(|place| values[place].to_le_bytes()).collect::<Vec<_>>())
}

/// The same sequences in every format that has arrays of three dimensions.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let deflated = Layout { method: CompressionMethod::Deflated, fortran: false, big_endian: false };
    let by_columns = vec![
        ("x1.npy", fortran([4, 3, 2], &X1)),
        ("x2.npy", fortran([4, 3, 1], &X2)),
        ("lengths1.npy", npy("<i8", false, &[4], &LENGTHS1.map(i64::to_le_bytes).concat())),
        ("y.npy", npy("|u1", false, &[4], &[1, 0, 0, 1])),
    ];
    vec![
        ("a.npz", npz(&items(), STORED)),
        ("a.npz", npz(&items(), Layout { big_endian: true, ..STORED })),
        ("a.npz", npz(&items(), deflated)),
        ("a.npz", archive(&by_columns, CompressionMethod::Stored)),
        ("a.npz", archive(&by_columns, CompressionMethod::Deflated)),
        ("a.safetensors", safetensors(&items(), &[])),
        ("a.pt", std::fs::read(fixture("field/sequences.pt")).unwrap()),
    ]
}

/// What NumPy makes of each: `x[:length].mean(axis=0)`, `x[length - 1]`, `x[:length].max(axis=0)`, and
/// `w @ x` with `w = exp(-(((x - x.mean(0)) ** 2 / x.var(0)).mean(1) / 2))` that sum to 1.
fn pooled(pooling: Pooling) -> ([f64; 8], [f64; 4]) {
    match pooling {
        Pooling::Mean => ([3.0, 0.5, 1.0, 1.0, -7.0, 0.25, 1.0, 2.0], [3.0, 1.0, -1.0, 4.0]),
        Pooling::Last => ([5.0, 0.5, 1.5, -2.0, -7.0, 0.25, 3.0, 6.0], [6.0, 3.0, 0.0, 4.0]),
        Pooling::Max => ([5.0, 2.0, 1.5, 4.0, -7.0, 0.25, 3.0, 6.0], [6.0, 3.0, 0.0, 4.0]),
        Pooling::Attention => (
            [3.232_733_2, 0.325_450_1, 1.0, 1.0, -7.0, 0.25, 0.573_175_39, 1.146_350_78],
            [2.452_377_59, 0.573_175_39, -0.573_175_39, 4.0],
        ),
    }
}

/// NumPy prints eight digits; all numbers but those of attention are exact.
fn check(file: &FeatureFile, pooling: Pooling, name: &str) {
    let features = &file.splits[0].features;
    let (x1, x2) = pooled(pooling);
    assert_eq!((features.x1.columns(), features.x2.columns()), (2, 1), "{name}");
    let tolerance = if pooling == Pooling::Attention { 1e-7 } else { 0.0 };
    for (found, expected) in features.x1.values().iter().chain(features.x2.values()).zip(x1.iter().chain(&x2)) {
        assert!((found - expected).abs() <= tolerance, "{name} {pooling}: {found}, not {expected}");
    }
    assert!(file.notes.is_empty(), "{name}: {:?}", file.notes);
}

#[test]
fn every_format_is_pooled() {
    for pooling in Pooling::ALL {
        for (name, bytes) in files() {
            let (_folder, path) = write(name, &bytes);
            check(&read_with_keys(&path, &keys(pooling)).unwrap(), pooling, name);
            assert_eq!(Data::from(path.as_path()).pooling(&keys(pooling)), Some(pooling));
        }
        let arrays = Arrays::new("memory").with_numbers("x1", &[4, 3, 2], Numbers::F64(&X1)).unwrap();
        let arrays = arrays.with_numbers("x2", &[4, 3, 1], Numbers::F64(&X2)).unwrap();
        let arrays = arrays.with_numbers("lengths1", &[4], Numbers::U8(&[3, 2, 1, 3])).unwrap();
        let arrays = arrays.with_numbers("y", &[4], Numbers::I64(&[1, 0, 0, 1])).unwrap();
        check(&arrays.read(&keys(pooling)).unwrap(), pooling, "memory");
    }
}

#[test]
fn files_of_one_array_each_are_pooled() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let data = Data::Arrays(ArrayFiles {
        x1: path("x1.npy", fortran([4, 3, 1], &X2)),
        x2: path("x2.npy", npy("<f4", false, &[4, 1], &[0, 0, 0, 0, 0, 0, 128, 63].repeat(2))),
        y: Some(path("y.npy", npy("|u1", false, &[4], &[1, 0, 0, 1]))),
        id: None,
        group: None,
    });
    // Of a matrix beside sequences nothing is pooled.
    let features = data.read(&keys(Pooling::Mean)).unwrap().splits.remove(0).features;
    assert_eq!((features.x1.values(), features.x2.values()), (&[3.0, 1.0, -1.0, 4.0][..], &[0.0, 1.0, 0.0, 1.0][..]));
}

#[test]
fn streams_are_pooled_as_the_whole() {
    let mut streamed = 0;
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap();
    for (name, bytes) in files() {
        let (_folder, path) = write(name, &bytes);
        let keys = keys(Pooling::Attention);
        let whole = read_with_classes(&path, &keys, &classes).unwrap().splits.remove(0).features;
        let mut reader = match RowReader::open(&path, &keys, &classes) {
            // Formats and layouts that are only read as a whole.
            Err(FeatureError::NotByRows { .. }) => continue,
            opened => opened.unwrap(),
        };
        streamed += 1;
        assert_eq!(reader.splits()[0].dims, [2, 1]);
        for rows in [0..2, 2..3, 1..4, 0..4, 3..4] {
            let indices: Vec<usize> = rows.clone().collect();
            assert_eq!(reader.read(0, rows).unwrap(), whole.select(&indices), "{name}");
        }
    }
    assert_eq!(streamed, 5);
}

/// With these, sequences are read in several blocks.
#[test]
fn blocks_keep_their_lengths() {
    const ROWS: usize = 20_000;
    let number = |place: usize| f64::from(u32::try_from(place * 7919 % 1000).unwrap()) / 8.0;
    let x1: Vec<f64> = (0..ROWS * 12).map(number).collect();
    let lengths: Vec<usize> = (0..ROWS).map(|row| row * 7919 % 1000 % 4 + 1).collect();
    let written: Vec<f64> = lengths.iter().map(|length| *length as f64).collect();
    let y: Vec<f64> = (0..ROWS).map(|row| number(row) % 2.0).map(f64::floor).collect();
    let bytes = npz(
        &[
            ("x1", Item::new(Dtype::F32, &[ROWS, 4, 3], &x1)),
            ("x2", Item::new(Dtype::F32, &[ROWS, 1], &x1[..ROWS])),
            ("lengths", Item::new(Dtype::U8, &[ROWS], &written)),
            ("y", labels(&y)),
        ],
        STORED,
    );
    let (_folder, path) = write("a.npz", &bytes);
    let features = read_with_keys(&path, &keys(Pooling::Last)).unwrap().splits.remove(0).features;
    for (row, length) in lengths.iter().enumerate() {
        let last = row * 4 + length - 1;
        assert_eq!(features.x1.row(row), &x1[last * 3..][..3], "row {row}");
    }
}

#[test]
fn matrices_are_left_alone_and_that_is_said() {
    let plain = items_with(vec![
        ("x1", Item::new(Dtype::F64, &[4, 1], &[0.0, 1.0, 2.0, 3.0])),
        ("x2", Item::new(Dtype::F64, &[4, 1], &[0.0, 1.0, 2.0, 3.0])),
    ]);
    let (_folder, path) = write("a.npz", &npz(&plain, STORED));
    let file = read_with_keys(&path, &keys(Pooling::Max)).unwrap();
    assert_eq!(file.notes.len(), 1);
    assert!(
        file.notes[0].contains("`x1` and `x2` are no sequences") && file.notes[0].contains("max"),
        "{:?}",
        file.notes
    );
    assert_eq!(Data::from(path.as_path()).pooling(&keys(Pooling::Max)), None);
    assert!(read_with_keys(&path, &Keys::default()).unwrap().notes.is_empty());
}

fn refused(changes: Vec<(&'static str, Item)>, parts: &[&str]) {
    let items = items_with(changes);
    for (name, bytes) in [("a.npz", npz(&items, STORED)), ("a.safetensors", safetensors(&items, &[]))] {
        let (_folder, path) = write(name, &bytes);
        says(&read_with_keys(&path, &keys(Pooling::Mean)).unwrap_err(), parts);
    }
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let lengths = |values: &[f64]| ("lengths1", Item::new(Dtype::I32, &[values.len()], values));
    refused(vec![lengths(&[3.0, 2.0, 0.0, 3.0])], &["`lengths1` is 0 at row 2", "from 1 to 3 steps"]);
    refused(vec![lengths(&[3.0, 4.0, 1.0, 3.0])], &["`lengths1` is 4 at row 1", "from 1 to 3 steps"]);
    refused(vec![lengths(&[-1.0, 2.0, 1.0, 3.0])], &["`lengths1` is -1 at row 0"]);
    refused(vec![lengths(&[3.0, 2.0])], &["`lengths1` has 2 rows, but `x1` has 4"]);
    let floats = ("lengths1", Item::new(Dtype::F32, &[4], &[3.0, 2.0, 1.0, 3.0]));
    refused(vec![floats], &["`lengths1` holds", "lengths must be integers"]);
    let matrix = ("lengths1", Item::new(Dtype::I32, &[4, 1], &[3.0, 2.0, 1.0, 3.0]));
    refused(vec![matrix], &["`lengths1` has shape [4, 1]", "lengths need [rows]"]);
}

#[test]
fn steps_that_are_not_finite_are_refused_by_row_step_and_column() {
    let all = ("lengths1", Item::new(Dtype::I32, &[4], &[3.0; 4]));
    refused(vec![all], &["`x1` is NaN at row 1, step 2, column 0", "array of lengths"]);
    let mut large = X1;
    (large[18], large[20]) = (f64::MAX, f64::MAX);
    refused(vec![("x1", Item::new(Dtype::F64, &[4, 3, 2], &large))], &["`x1` is inf at row 3, column 0", "too large"]);
}

#[test]
fn splits_have_lengths_or_have_none() {
    let mut items: Vec<(&str, Item)> = Vec::new();
    for (train, test, item) in
        [("x1_train", "x1_test", 0), ("x2_train", "x2_test", 1), ("lengths1_train", "", 2), ("y_train", "y_test", 3)]
    {
        let (_, item) = self::items().swap_remove(item);
        items.push((train, item.clone()));
        if !test.is_empty() {
            items.push((test, item));
        }
    }
    let (_folder, path) = write("a.npz", &npz(&items, STORED));
    let error = read_with_keys(&path, &keys(Pooling::Mean)).unwrap_err();
    says(&error, &["there is `lengths1_train`, but no `lengths1_test`"]);
}

#[test]
fn other_dimensions_are_refused() {
    let four = Item::new(Dtype::F64, &[4, 3, 1, 2], &X1);
    refused(vec![("x1", four)], &["`x1` has shape [4, 3, 1, 2]", "features need [rows, columns]"]);
    refused(vec![("x1", Item::new(Dtype::F64, &[4, 0, 2], &[]))], &["`x1` has shape [4, 0, 2]", "nothing to analyse"]);
    let (_folder, path) = write("a.npz", &npz(&items(), STORED));
    let error = read_with_keys(&path, &Keys::default()).unwrap_err();
    says(&error, &["`x1` has shape [4, 3, 2]", "x.mean(axis=1)", "`pool` in `Keys`"]);
    // More numbers than any memory has.
    let huge = npy("<f8", false, &[4, 1 << 40, 1 << 40], &[0; 64]);
    let members =
        [("x1.npy", huge), ("x2.npy", fortran([4, 3, 1], &X2)), ("y.npy", npy("|u1", false, &[4], &[0, 1, 0, 1]))];
    let (_folder, path) = write("a.npz", &archive(&members, CompressionMethod::Stored));
    says(&read_with_keys(&path, &keys(Pooling::Mean)).unwrap_err(), &["x1"]);
}

/// Three sequences of four steps, of 4, 3 and 2 steps; x1 is its place, x2 ten times that, y the step modulo 2.
fn steps() -> Vec<(&'static str, Item)> {
    let places: Vec<f64> = (0..12).map(f64::from).collect();
    let padded = |scale: f64| -> Vec<f64> {
        let is_padding = |place: usize| place == 7 || place >= 10;
        (0..12).map(|place| if is_padding(place) { NAN } else { scale * places[place] }).collect()
    };
    vec![
        ("x1", Item::new(Dtype::F64, &[3, 4, 1], &padded(1.0))),
        ("x2", Item::new(Dtype::F64, &[3, 4, 1], &padded(10.0))),
        ("lengths", Item::new(Dtype::I64, &[3], &[4.0, 3.0, 2.0])),
        ("y", Item::new(Dtype::I64, &[3, 4], &[9.0, 1.0, 0.0, 1.0, 9.0, 1.0, 0.0, -1.0, 9.0, 1.0, -1.0, -1.0])),
        ("id", labels(&[30.0, 20.0, 10.0])),
    ]
}

fn read_steps(changes: Vec<(&'static str, Item)>, keys: &Keys, lags: &str) -> Result<SequenceFile, FeatureError> {
    let mut items = steps();
    items.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    items.extend(changes);
    let (_folder, path) = write("a.npz", &npz(&items, STORED));
    Data::from(path.as_path()).read_sequences(keys, &lags.parse::<Lags>().unwrap())
}

#[test]
fn lags_shift_x1_alone() {
    let file = read_steps(Vec::new(), &Keys::default(), "0,1").unwrap();
    assert_eq!((file.splits[0].features.sequences(), file.splits[0].features.rows()), (3, 6));
    for (lag, x1) in [(0, [1.0, 2.0, 3.0, 5.0, 6.0, 9.0]), (1, [0.0, 1.0, 2.0, 4.0, 5.0, 8.0])] {
        let samples = file.at_lag(lag).unwrap();
        // Padding is no class, and neither is what steps before the largest lag are labelled.
        assert_eq!(samples.classes.names(), ["0", "1"]);
        let features = &samples.splits[0].features;
        assert_eq!(features.x1.values(), x1);
        assert_eq!(features.x2.values(), [10.0, 20.0, 30.0, 50.0, 60.0, 90.0]);
        assert_eq!(features.labels, [1, 0, 1, 1, 0, 1]);
        assert_eq!(features.ids.iter().collect::<Vec<_>>(), ["30@1", "30@2", "30@3", "20@1", "20@2", "10@1"]);
        assert_eq!(features.groups.as_ref().unwrap().numbers(), [0, 0, 0, 1, 1, 2]);
    }
    says(&file.at_lag(2).unwrap_err(), &["read for the lags 0,1, of which 2 is none"]);
}

#[test]
fn a_label_of_a_sequence_is_that_of_its_steps() {
    let y = ("y", labels(&[5.0, 7.0, 5.0]));
    let file = read_steps(vec![y], &Keys::default(), "0..2").unwrap();
    let samples = file.at_lag(2).unwrap();
    assert_eq!(samples.splits[0].features.labels, [0, 0, 1]);
    assert_eq!(samples.splits[0].features.x1.values(), [0.0, 1.0, 4.0]);
    assert_eq!(file.notes, ["1 of 3 sequences of `x1` have no more than 2 steps, and no samples"]);
}

#[test]
fn labels_of_steps_may_be_missing_where_none_is_needed() {
    let y = |values: &[f64]| ("y", Item::new(Dtype::F64, &[3, 4], values));
    let padded = [NAN, 1.0, 0.0, 1.0, NAN, 1.0, 0.0, NAN, NAN, 1.0, NAN, NAN];
    let file = read_steps(vec![y(&padded)], &Keys::default(), "1").unwrap();
    assert_eq!(file.at_lag(1).unwrap().splits[0].features.labels, [1, 0, 1, 1, 0, 1]);

    let mut gap = padded;
    gap[6] = NAN;
    says(&read_steps(vec![y(&gap)], &Keys::default(), "1").unwrap_err(), &["`y` is missing at row 1, step 2"]);
    let drop = Keys { missing: Missing::Drop, ..Keys::default() };
    let file = read_steps(vec![y(&gap)], &drop, "1").unwrap();
    assert_eq!(file.splits[0].features.rows(), 5);
    assert_eq!(file.notes, ["1 row of 6 without a label in `y` was left out"]);
    // Numbers of floating point that are all there are no labels.
    let whole = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    says(&read_steps(vec![y(&whole)], &Keys::default(), "1").unwrap_err(), &["labels must be integers"]);
}

#[test]
fn sequences_that_do_not_fit_together_are_refused() {
    let refused = |name: &'static str, shape: &[usize], lags: &str, parts: &[&str]| {
        let values: Vec<f64> = (0..shape.iter().product::<usize>()).map(|place| (place % 2) as f64).collect();
        let item = Item::new(if name == "y" { Dtype::I64 } else { Dtype::F64 }, shape, &values);
        says(&read_steps(vec![(name, item)], &Keys::default(), lags).unwrap_err(), parts);
    };
    refused("x1", &[3, 4], "0", &["`x1` has shape [3, 4]", "lags need sequences"]);
    refused("x2", &[3, 5, 1], "0", &["`x2` has 5 steps, but `x1` has 4"]);
    refused("x2", &[2, 4, 1], "0", &["rows, but"]);
    refused("y", &[3, 5], "0", &["`y` has 5 steps, but `x1` has 4"]);
    refused("y", &[4], "0", &["`y` has 4 rows, but `x1` has 3"]);
    refused("y", &[3, 4, 1], "0", &["`y` has shape [3, 4, 1]", "one a step, or [rows], one a sequence"]);
    let long = read_steps(Vec::new(), &Keys::default(), "0,4").unwrap_err();
    says(&long, &["no sequence of `x1` has more than 4 steps", "4 steps before a label"]);
}
