//! Rows that lack a modality: the ways to say so are the same to the reader, and what is no such row is refused.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, Int64Array, LargeListArray, ListArray};
use lsmi_candle::features::{
    Arrays, Data, FeatureError, FeatureFile, Format, Keys, MissingModality, Numbers, RowReader, read_bytes,
};
use safetensors::Dtype;

use crate::features::build::{Item, STORED, npz, safetensors, says};
use crate::features::parquet::table;

const NAN: f64 = f64::NAN;
/// Six rows: the second and the last lack x1, the fourth lacks x2.
const X1: [f64; 12] = [0.0, 1.0, NAN, NAN, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5, NAN, NAN];
const X2: [f64; 6] = [0.5, -0.5, 1.5, NAN, 4.5, 5.5];
const Y: [f64; 6] = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];

fn keep() -> Keys {
    Keys { missing_modality: MissingModality::Keep, ..Keys::default() }
}

fn arrays(x1: &[f64], x2: &[f64]) -> Vec<(&'static str, Item)> {
    vec![
        ("x1", Item::new(Dtype::F64, &[6, 2], x1)),
        ("x2", Item::new(Dtype::F64, &[6, 1], x2)),
        ("y", Item::new(Dtype::I64, &[6], &Y)),
    ]
}

/// Values in place of those that are missing, which nobody shall look at.
fn hidden(values: &[f64], instead: f64) -> Vec<f64> {
    values.iter().map(|value| if value.is_nan() { instead } else { *value }).collect()
}

fn with_present(instead: f64, kind: Dtype) -> Vec<(&'static str, Item)> {
    let mut arrays = arrays(&hidden(&X1, instead), &hidden(&X2, instead));
    arrays.push(("present1", Item::new(kind, &[6], &[1.0, 0.0, 1.0, 1.0, 1.0, 0.0])));
    arrays.push(("present2", Item::new(kind, &[6], &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0])));
    arrays
}

fn read_npz(arrays: &[(&str, Item)]) -> Result<FeatureFile, FeatureError> {
    read_bytes("t", &npz(arrays, STORED), Format::Npz, &keep())
}

fn lists(values: &[f64], columns: usize) -> Vec<Option<Vec<Option<f64>>>> {
    let list = |row: &[f64]| (!row[0].is_nan()).then(|| row.iter().copied().map(Some).collect());
    values.chunks(columns).map(list).collect()
}

fn read_parquet(columns: Vec<(&str, ArrayRef)>) -> Result<FeatureFile, FeatureError> {
    read_bytes("t", &table(columns), Format::Parquet, &keep())
}

fn labels() -> ArrayRef {
    Arc::new(Int64Array::from(vec![1, 0, 0, 1, 1, 0]))
}

#[test]
fn all_ways_to_say_so_are_one() {
    let expected = read_npz(&arrays(&X1, &X2)).unwrap();
    let partial = expected.partial_of("train").unwrap();
    assert_eq!(expected.splits[0].features.x1.values(), [0.0, 1.0, 4.0, 5.0, 8.0, 9.5]);
    assert_eq!(expected.splits[0].features.labels, [1, 0, 1]);
    assert_eq!(expected.splits[0].features.ids.iter().collect::<Vec<_>>(), ["0", "2", "4"]);
    let [only_x1, only_x2] = &partial.only;
    assert_eq!((only_x1.x.values(), &only_x1.labels, &only_x1.places), ([6.0, 7.0].as_slice(), &vec![1], &vec![3]));
    assert_eq!((only_x2.x.values(), &only_x2.places), ([-0.5, 5.5].as_slice(), &vec![1, 5]));
    assert_eq!((partial.rows, partial.count(), partial.complete_places()), (6, 3, vec![0, 2, 4]));

    let mut same = Vec::new();
    for instead in [0.0, -7.25, f64::INFINITY, NAN] {
        for kind in [Dtype::BOOL, Dtype::U8, Dtype::I64] {
            same.push(read_npz(&with_present(instead, kind)).unwrap());
        }
    }
    same.push(read_bytes("t", &safetensors(&arrays(&X1, &X2), &[]), Format::SafeTensors, &keep()).unwrap());
    let [x1, x2] = [lists(&X1, 2), lists(&X2, 1)];
    let of_lists: [[ArrayRef; 2]; 3] = [
        [
            Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(x1.clone())),
            Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(x2.clone())),
        ],
        [
            Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(x1.clone())),
            Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(x2.clone())),
        ],
        [
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(x1, 2)),
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(x2, 1)),
        ],
    ];
    for [x1, x2] in of_lists {
        same.push(read_parquet(vec![("x1", x1), ("x2", x2), ("y", labels())]).unwrap());
    }
    let column = |values: &[f64], place: usize, columns: usize| -> ArrayRef {
        let values = values.chunks(columns).map(|row| (!row[place].is_nan()).then_some(row[place]));
        Arc::new(values.collect::<Float64Array>())
    };
    let numbered =
        vec![("x1_0", column(&X1, 0, 2)), ("x1_1", column(&X1, 1, 2)), ("x2_0", column(&X2, 0, 1)), ("y", labels())];
    same.push(read_parquet(numbered).unwrap());
    for csv in [
        "x1_0,x1_1,x2_0,y\n0,1,0.5,1\n,,-0.5,0\n4,5,1.5,0\n6,7,,1\n8,9.5,4.5,1\nNaN,,5.5,0\n",
        "x1,x2,y\n\"[0,1]\",[0.5],1\n,[-0.5],0\n\"[4,5]\",[1.5],0\n\"[6,7]\",,1\n\"[8,9.5]\",[4.5],1\n,[5.5],0\n",
    ] {
        same.push(read_bytes("t", csv.as_bytes(), Format::Csv, &keep()).unwrap());
    }
    for file in same {
        assert_eq!(file.splits, expected.splits);
        assert_eq!(file.partial, expected.partial);
        assert_eq!(file.hash(), expected.hash());
    }
}

#[test]
fn the_first_rows_of_a_table_may_have_no_list() {
    let x1 = [None, None, Some(vec![Some(1.0), Some(2.0)]), None, Some(vec![Some(3.0), Some(5.0)]), None];
    let x1: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(x1));
    let x2: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let file = read_parquet(vec![("x1", x1), ("x2_0", x2), ("y", Arc::new(Int64Array::from(vec![0, 1, 0, 1, 1, 1])))]);
    let file = file.unwrap();
    assert_eq!(file.splits[0].features.x1.values(), [1.0, 2.0, 3.0, 5.0]);
    assert_eq!(file.partial_of("train").unwrap().only[1].x.values(), [1.0, 2.0, 4.0, 6.0]);
}

#[test]
fn complete_files_are_what_they_were() {
    let (x1, x2) = (hidden(&X1, 2.5), hidden(&X2, 0.25));
    let bytes = npz(&arrays(&x1, &x2), STORED);
    let refusing = read_bytes("t", &bytes, Format::Npz, &Keys::default()).unwrap();
    let keeping = read_bytes("t", &bytes, Format::Npz, &keep()).unwrap();
    assert_eq!(keeping, refusing);
    assert!(keeping.partial.is_empty());
    assert_eq!(keeping.hash(), refusing.hash());
    let mut present = arrays(&x1, &x2);
    present.push(("present1", Item::new(Dtype::BOOL, &[6], &[1.0; 6])));
    assert_eq!(read_npz(&present).unwrap(), refusing);
}

#[test]
fn rows_are_counted_and_left_out_by_label_before_they_are_divided() {
    let csv = b"x1_0,x2_0,note,y\n1,2,p,a\n,3,q,\n4,,r,b\n5,6,s,b\n7,8,t,a\n,9,u,a\n";
    let keys = Keys { missing: "drop".parse().unwrap(), ..keep() };
    let file = read_bytes("t", csv, Format::Csv, &keys).unwrap();
    let partial = file.partial_of("train").unwrap();
    assert_eq!((partial.rows, partial.complete_places()), (5, vec![0, 2, 3]));
    assert_eq!(partial.only[1].ids.iter().collect::<Vec<_>>(), ["5"]);
    let note = |columns: &[lsmi_candle::features::MetadataColumn]| format!("{:?}", columns[0].values);
    assert_eq!(note(file.metadata_of("train")), r#"Texts([Some("p"), Some("s"), Some("t")])"#);
    assert_eq!(note(&partial.only[0].metadata), r#"Texts([Some("r")])"#);
    // The only row that lacks one has no label.
    let csv = b"x1_0,x2_0,y\n1,2,a\n,3,\n4,5,b\n";
    assert!(read_bytes("t", csv, Format::Csv, &keys).unwrap().partial.is_empty());
}

#[test]
fn windows_of_rows_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.npz");
    std::fs::write(&path, npz(&arrays(&X1, &X2), STORED)).unwrap();
    let whole = Data::from(path.as_path()).read(&keep()).unwrap();
    let mut reader = RowReader::open(&path, &keep(), &whole.classes).unwrap();
    assert!(reader.has_partial_rows(0).unwrap());
    let (mut complete, mut places) = (Vec::new(), Vec::new());
    for row in 0..6 {
        let (rows, partial) = reader.read_with_partial(0, row..row + 1).unwrap();
        complete.extend(rows.ids.iter().map(std::borrow::Cow::into_owned));
        for (modality, only) in partial.iter().flat_map(|partial| &partial.only).enumerate() {
            places.extend(only.ids.iter().map(|id| (modality, id.into_owned())));
        }
    }
    assert_eq!(complete, ["0", "2", "4"]);
    assert_eq!(places, [(1, "1"), (0, "3"), (1, "5")].map(|(modality, id)| (modality, id.to_owned())));
    assert!(reader.read_unlabelled_with_partial(0, 0..1).unwrap().1.is_none());
}

#[test]
fn what_is_no_such_row_is_refused() {
    let refused = |x1: &[f64], x2: &[f64]| read_npz(&arrays(x1, x2)).unwrap_err();
    let mut half = X1;
    half[3] = 3.0;
    says(&refused(&half, &X2), &["`x1` is NaN at row 1, column 0"]);
    let mut infinite = X1;
    infinite[2..4].fill(f64::INFINITY);
    says(&refused(&infinite, &X2), &["`x1` is inf at row 1, column 0"]);
    let mut both = X2;
    both[5] = NAN;
    says(&refused(&X1, &both), &["row 5 lacks both modalities, `x1` and `x2`"]);
    says(
        &refused(&X1, &[1.0, 2.0, NAN, 4.0, NAN, 6.0].map(|value: f64| if value > 3.0 { value } else { NAN })),
        &["lacks both"],
    );
    let alternating = [1.0, NAN, 2.0, NAN, 3.0, NAN];
    let opposite: Vec<f64> = alternating.iter().flat_map(|value| [if value.is_nan() { 1.0 } else { NAN }; 2]).collect();
    says(&refused(&opposite, &alternating), &["no row of the split `train` has both modalities"]);
    let csv = b"x1_0,x1_1,x2_0,y\n0,1,1,a\n2,,2,b\n";
    says(&read_bytes("t", csv, Format::Csv, &keep()).unwrap_err(), &["`x1`", "row 1"]);
}

#[test]
fn what_says_which_rows_are_there_is_checked() {
    let with = |item: Item| {
        let mut arrays = arrays(&X1, &X2);
        arrays.push(("present1", item));
        read_npz(&arrays).unwrap_err()
    };
    says(&with(Item::new(Dtype::U8, &[5], &[1.0; 5])), &["`present1` has 5 rows, but `x1` has 6"]);
    says(&with(Item::new(Dtype::U8, &[6], &[1.0, 0.0, 1.0, 1.0, 2.0, 0.0])), &["`present1` is 2 at row 4", "1 where"]);
    says(&with(Item::new(Dtype::F64, &[6], &[1.0; 6])), &["`present1`", "presence must be booleans or integers"]);
    says(&with(Item::new(Dtype::U8, &[6], &[1.0; 6])), &["`x1` has no value at row 1, but `present1` says"]);
}

#[test]
fn nobody_who_does_not_ask_for_such_rows_gets_them() {
    let arrays_of = |instead| {
        let (x1, x2) = (hidden(&X1, instead), hidden(&X2, instead));
        Arrays::new("t")
            .with_numbers("x1", &[6, 2], Numbers::F64(&x1))
            .unwrap()
            .with_numbers("x2", &[6, 1], Numbers::F64(&x2))
            .unwrap()
            .with_numbers("y", &[6], Numbers::I64(&[1, 0, 0, 1, 1, 0]))
            .unwrap()
            .with_numbers("present2", &[6], Numbers::Bool(&[true, true, true, false, true, true]))
            .unwrap()
            .read(&Keys::default())
            .unwrap_err()
    };
    says(&arrays_of(0.0), &["`present2` says that row 3 lacks the modality", "remove them first"]);
    let error = read_bytes("t", &npz(&arrays(&X1, &X2), STORED), Format::Npz, &Keys::default()).unwrap_err();
    says(&error, &["`x1` is NaN at row 1, column 0"]);
    let mut logits = arrays(&X1, &X2);
    logits.push(("logits12", Item::new(Dtype::F64, &[6, 2], &[0.5; 12])));
    says(&read_npz(&logits).unwrap_err(), &["`logits12`", "row 1 lacks a modality"]);
}
