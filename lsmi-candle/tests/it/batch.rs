//! Record batches: the same numbers as samples scored at once, and errors that name column and row.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray,
    RecordBatch, StringArray, StringViewArray,
};
use arrow_schema::{DataType, Field, Schema};
use lsmi_candle::estimator::batch::{
    BatchError, labelled_batch, output_schema, score_batch, score_batch_by, unlabelled_batch,
};
use lsmi_candle::estimator::{Estimator, Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet, Unlabelled};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::{Interaction, Measure, SampleIds};

fn draw(rows: usize, name: &str) -> FeatureSet {
    let family = FamilyName::Mixed.build(&FamilySettings { dims: 3, ..Default::default() }).unwrap();
    let draw = family.sample(rows, &mut lsmi_core::random::stream(0, name));
    FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, 3, draw.x1).unwrap(),
        Matrix::new(rows, 3, draw.x2).unwrap(),
        draw.labels,
    )
    .unwrap()
}

fn classes() -> Classes {
    let names = ["a", "b", "c", "d"].map(str::to_owned);
    Classes::with_labels(names.to_vec(), ["0", "1", "2", "3"].map(str::to_owned).to_vec()).unwrap()
}

/// An estimator of two repeats; fitted once.
static ESTIMATOR: LazyLock<Estimator> = LazyLock::new(|| {
    let train = draw(120, "train");
    let most = *train.labels.iter().max().unwrap() as usize;
    let classes = Classes::with_labels(classes().names()[..=most].to_vec(), classes().labels()[..=most].to_vec());
    let settings = Settings { folds: 2, repeats: 2, ..Settings::default() };
    cross_fit(&train, &classes.unwrap(), &settings, None).unwrap().estimator
});

fn numbers(rows: &RecordBatch, name: &str) -> Vec<f64> {
    rows[name].as_primitive::<Float64Type>().values().to_vec()
}

fn texts<'a>(rows: &'a RecordBatch, name: &str) -> Vec<&'a str> {
    rows[name].as_string::<i32>().iter().flatten().collect()
}

#[test]
fn batches_have_the_values_of_samples() {
    let rows = draw(50, "new");
    let (scores, names) = (ESTIMATOR.score(&rows).unwrap(), ESTIMATOR.classes().names());
    let batch = labelled_batch(&rows, ESTIMATOR.classes()).unwrap();
    let scored = score_batch_by(&ESTIMATOR, &[Measure::Sx], &batch).unwrap();
    assert_eq!(scored.schema().as_ref(), &output_schema(&ESTIMATOR, &[Measure::Sx], &batch.schema()).unwrap());
    let columns: Vec<&str> = scored.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let expected = "id label h1 h2 i1 i2 i12 r u1 u2 s pred1 pred2 pred12 kind \
                    r_sd u1_sd u2_sd s_sd r_sx u1_sx u2_sx s_sx r_sx_sd u1_sx_sd u2_sx_sd s_sx_sd";
    assert_eq!(columns, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((numbers(&scored, "h1"), numbers(&scored, "i12")), (scores.terms.h1.clone(), scores.terms.i12.clone()));
    for (measure, ending) in [(ESTIMATOR.measure(), ""), (Measure::Sx, "_sx")] {
        let parts = measure.decompose_with(&scores.terms, &rows.labels, ESTIMATOR.reference());
        for part in Interaction::ALL {
            assert_eq!(numbers(&scored, &format!("{part}{ending}")), parts.values(part), "{part}{ending}");
        }
    }
    let name = |class: &u32| names[*class as usize].as_str();
    assert_eq!(texts(&scored, "label"), rows.labels.iter().map(name).collect::<Vec<_>>());
    assert_eq!(texts(&scored, "pred12"), scores.predictions[2].iter().map(name).collect::<Vec<_>>());
    assert_eq!(texts(&scored, "id")[49], "49");
    assert!(numbers(&scored, "r_sd").iter().any(|deviation| *deviation > 0.0));

    // The parts of a batch are parts of its result.
    let part = score_batch_by(&ESTIMATOR, &[Measure::Sx], &batch.slice(20, 7)).unwrap();
    assert_eq!(part, scored.slice(20, 7));
}

#[test]
fn without_labels_there_are_expectations() {
    let rows = Unlabelled::from(&draw(20, "new"));
    let expected = ESTIMATOR.expect(&ESTIMATOR.candidates(&rows).unwrap()).unwrap();
    let batch = unlabelled_batch(&rows).unwrap();
    let scored = score_batch(&ESTIMATOR, &batch).unwrap();
    assert_eq!(scored.num_columns(), 13);
    assert_eq!(numbers(&scored, "s"), expected.decomposition.s);
    assert_eq!(numbers(&scored, "i1"), expected.terms.i1);
    let refused = score_batch_by(&ESTIMATOR, &[Measure::Sx], &batch).unwrap_err();
    assert!(matches!(refused, BatchError::MeasuresNeedLabels));
}

fn lists(rows: usize, value: f32) -> ArrayRef {
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        (0..rows).map(|row| Some([Some(value), Some(row as f32), Some(0.5)])),
        3,
    ))
}

/// Three good rows with a column replaced or added; none leaves it out.
fn with(name: &'static str, column: Option<ArrayRef>) -> RecordBatch {
    let mut columns = vec![
        ("id", Arc::new(Int64Array::from(vec![7, 8, 9])) as ArrayRef),
        ("x1", lists(3, 0.5)),
        ("x2", lists(3, -0.5)),
        ("y", Arc::new(Int32Array::from(vec![0, 1, 0]))),
    ];
    columns.retain(|(other, _)| *other != name);
    columns.extend(column.map(|column| (name, column)));
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

#[test]
fn ids_and_labels_come_in_several_types() {
    let scored = score_batch(&ESTIMATOR, &with("none", None)).unwrap();
    assert_eq!(scored.schema().field(0).data_type(), &DataType::Int64);
    assert_eq!(scored["id"].len(), 3);
    for ids in [
        Arc::new(Int32Array::from(vec![7, 8, 9])) as ArrayRef,
        Arc::new(LargeStringArray::from(vec!["7", "8", "9"])),
        Arc::new(StringViewArray::from(vec!["7", "8", "9"])),
    ] {
        let found = score_batch(&ESTIMATOR, &with("id", Some(Arc::clone(&ids)))).unwrap();
        assert_eq!((&found["id"], &found["r"]), (&ids, &scored["r"]));
    }
    let by_name = with("y", Some(Arc::new(StringArray::from(vec!["a", "b", "0"]))));
    assert_eq!(score_batch(&ESTIMATOR, &by_name).unwrap(), scored);
    let empty = score_batch(&ESTIMATOR, &by_name.slice(0, 0)).unwrap();
    assert_eq!((empty.num_rows(), empty.schema()), (0, scored.schema()));
}

#[test]
fn what_is_wrong_is_named() {
    let ragged = [3, 3, 2].map(|length| Some(vec![Some(0.5); length]));
    let ragged: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(ragged));
    let with_null = |place: usize| -> ArrayRef {
        let value = |row, column| (3 * row + column != place).then_some(0.5);
        let rows = (0..3_usize).map(|row| Some([value(row, 0), value(row, 1), value(row, 2)]));
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, 3))
    };
    let texts = |values: [&'static str; 3]| -> Option<ArrayRef> { Some(Arc::new(StringArray::from(values.to_vec()))) };
    let cases: [(&'static str, Option<ArrayRef>, &str); 12] = [
        ("id", None, "no column `id`, only x1, x2, y"),
        ("x2", None, "no column `x2`"),
        (
            "id",
            Some(Arc::new(Float64Array::from(vec![1.0; 3]))),
            "`id` is of type Float64, but must be integers or text",
        ),
        ("id", Some(Arc::new(Int64Array::from(vec![Some(1), None, Some(2)]))), "`id` is null at row 1"),
        ("id", texts(["p", "q", "p"]), "`id` cannot be used"),
        ("x1", Some(Arc::new(Float64Array::from(vec![1.0; 3]))), "`x1` is of type Float64, but must be lists"),
        ("x1", Some(ragged), "`x1` has 2 values at row 2 (id `9`), but 3 at the first"),
        ("x1", Some(with_null(5)), "`x1` is null at row 1 (id `8`);"),
        ("x2", Some(lists(3, f32::NAN)), "`x2` is NaN at row 0 (id `7`), place 0"),
        ("y", texts(["a", "b", "z"]), "`y` is `z` at row 2 (id `9`), but must be one of a, b"),
        ("y", Some(Arc::new(Float64Array::from(vec![0.0; 3]))), "`y` is of type Float64"),
        ("y", Some(Arc::new(Int32Array::from(vec![Some(0), None, Some(1)]))), "`y` is null at row 1 (id `8`);"),
    ];
    for (name, column, expected) in cases {
        let message = score_batch(&ESTIMATOR, &with(name, column)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let twice = [("id", lists(3, 0.5)), ("x1", lists(3, 0.5)), ("x2", lists(3, 0.5)), ("x1", lists(3, 1.5))];
    let fields: Vec<Field> =
        twice.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let columns = twice.into_iter().map(|(_, array)| array).collect();
    let twice = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let message = score_batch(&ESTIMATOR, &twice).unwrap_err().to_string();
    assert!(message.contains("two columns are called `x1`"), "{message}");
    let narrow = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>((0..3).map(|_| Some([Some(0.5)])), 1);
    let refused = score_batch(&ESTIMATOR, &with("x1", Some(Arc::new(narrow)))).unwrap_err();
    assert!(refused.to_string().contains("x1 has 1 columns, but the estimator was fitted on 3"), "{refused}");
}

#[test]
fn a_row_has_the_same_terms_however_many_are_scored_with_it() {
    // More than a block of rows and a few.
    let rows = draw(266, "blocks");
    let whole = ESTIMATOR.score(&rows).unwrap().terms;
    for size in [10, 33, 260] {
        for start in (0..266).step_by(size) {
            let part: Vec<usize> = (start..266.min(start + size)).collect();
            assert_eq!(ESTIMATOR.score(&rows.select(&part)).unwrap().terms, whole.select(&part), "{size} from {start}");
        }
    }
}
