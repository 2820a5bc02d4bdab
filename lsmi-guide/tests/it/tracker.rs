//! What the tracker estimates, and that it does not depend on how it works.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]
#![expect(clippy::cast_possible_truncation, reason = "networks are of f32")]

use candle_core::{Device, Tensor};
use lsmi_candle::features::{FeatureSet, Groups};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::FamilyName;
use lsmi_core::statistics::{mean, pearson};
use lsmi_guide::train::tracker::{Mode, Samples, Settings};
use lsmi_guide::{GuideError, Tracker};

use crate::shared::samples;

const BATCH: usize = 50;

fn tracked(of: &FeatureSet) -> Samples {
    Samples { ids: of.ids.clone(), labels: of.labels.clone(), classes: 2, groups: of.groups.clone(), confidence: None }
}

fn tracker(of: &FeatureSet, mode: Mode) -> Tracker {
    Tracker::new(tracked(of), Settings { mode, ..Settings::default() }).unwrap()
}

fn tensor(matrix: &Matrix, rows: &[usize]) -> Tensor {
    let values: Vec<f32> = rows.iter().flat_map(|row| matrix.row(*row)).map(|value| *value as f32).collect();
    Tensor::from_vec(values, (rows.len(), matrix.columns()), &Device::Cpu).unwrap()
}

/// Shows the tracker all samples, as if their own values were a student's features, in an order that `step` sets.
fn show(tracker: &mut Tracker, of: &FeatureSet, step: usize) {
    let rows: Vec<usize> = (0..of.rows()).map(|row| row * step % of.rows()).collect();
    for rows in rows.chunks(BATCH) {
        tracker.observe(&of.ids.select(rows), [&tensor(&of.x1, rows), &tensor(&of.x2, rows)], None).unwrap();
    }
}

#[test]
fn terms_are_those_of_the_family() {
    const ROWS: usize = 6000;
    let (of, exact) = samples(FamilyName::Gauss, ROWS, 3, 0);
    let mut tracker = tracker(&of, Mode::Synchronous);
    for epoch in 0..3 {
        show(&mut tracker, &of, 7);
        tracker.end_epoch(epoch).unwrap();
    }
    let (epoch, found) = tracker.latest().unwrap();
    assert_eq!((epoch, found.ids()), (2, &of.ids));
    let found = found.terms();
    for (name, found, exact) in
        [("i1", &found.i1, &exact.i1), ("i2", &found.i2, &exact.i2), ("i12", &found.i12, &exact.i12)]
    {
        // A linear rule with four to seven parameters from 3,000 rows, and calibration by 600 of them.
        assert!(pearson(found, exact).unwrap() > 0.98, "{name}: {:?}", pearson(found, exact));
        assert!((mean(found) - mean(exact)).abs() < 0.03, "{name}: {} against {}", mean(found), mean(exact));
    }
    for (found, exact) in [(&found.h1, &exact.h1), (&found.h2, &exact.h2)] {
        assert!(pearson(found, exact).unwrap() > 0.9, "{:?}", pearson(found, exact));
    }
    let history = tracker.history();
    assert_eq!(
        history.iter().map(|entry| (entry.epoch, entry.samples)).collect::<Vec<_>>(),
        [(0, ROWS), (1, ROWS), (2, ROWS)]
    );
    let last = history[2];
    let total = last.parts.r + last.parts.u1 + last.parts.u2 + last.parts.s;
    assert!((total - last.terms.i12).abs() < 1e-9);
}

#[test]
fn rows_are_not_judged_by_models_that_saw_them() {
    // Labels that have nothing to do with the features. 40 directions from 100 rows a fold: a rule judged by its own rows
    // would find tenths of a nat; one judged by others finds nothing, and calibration keeps it from losing much.
    let (mut of, _) = samples(FamilyName::Rdn, 200, 20, 0);
    of.labels = (0..200).map(|row| row % 2).collect();
    let mut tracker = tracker(&of, Mode::Synchronous);
    show(&mut tracker, &of, 1);
    tracker.end_epoch(0).unwrap();
    let means = tracker.history()[0].terms;
    for information in [means.i1, means.i2, means.i12] {
        assert!(information < 0.05 && information > -0.2, "{means:?}");
    }
}

#[test]
fn rows_are_not_judged_by_models_that_saw_their_twins() {
    // As above, but every sample is there four times: with its twins in the other fold, a rule would know its label.
    let (distinct, _) = samples(FamilyName::Rdn, 120, 20, 0);
    let rows: Vec<usize> = (0..480).map(|row| row / 4).collect();
    let of = |groups: Option<Groups>| {
        let [x1, x2] = [&distinct.x1, &distinct.x2].map(|matrix| matrix.select(&rows));
        let labels = rows.iter().map(|row| (*row % 2) as u32).collect();
        FeatureSet { ids: SampleIds::rows(480), x1, x2, labels, logits: [None, None, None], groups }
    };
    let information = |of: &FeatureSet| {
        let mut tracker = tracker(of, Mode::Synchronous);
        show(&mut tracker, of, 1);
        tracker.end_epoch(0).unwrap();
        tracker.history()[0].terms.i12
    };
    let apart = information(&of(None));
    let together = information(&of(Some(Groups::of_values(&rows))));
    // Calibrated by whole groups too, a rule that knows nothing says nothing; by twins it would be sure, and lose a nat.
    assert!(apart > 0.05 && together.abs() < 0.02, "{apart} apart, {together} together");
}

#[test]
fn estimations_come_as_often_as_asked_for() {
    let (of, _) = samples(FamilyName::Gauss, 300, 3, 1);
    let settings = Settings { mode: Mode::Synchronous, every: 3, ..Settings::default() };
    let mut tracker = Tracker::new(tracked(&of), settings).unwrap();
    for epoch in 0..7 {
        show(&mut tracker, &of, 7);
        tracker.end_epoch(epoch).unwrap();
    }
    assert_eq!(tracker.history().iter().map(|entry| entry.epoch).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn joint_logits_show_what_no_rule_over_features_does() {
    let (of, _) = samples(FamilyName::Xor, 400, 2, 0);
    let mut tracker = tracker(&of, Mode::Synchronous);
    let rows: Vec<usize> = (0..400).collect();
    let logits: Vec<f32> = of.labels.iter().flat_map(|label| [0.0, 3.0 * (*label as f32 - 0.5)]).collect();
    let noisy = logits.iter().enumerate().map(|(index, value)| value + (index % 5) as f32 * 0.1);
    let logits = Tensor::from_iter(noisy, &Device::Cpu).unwrap().reshape((400, 2)).unwrap();
    tracker.observe(&of.ids, [&tensor(&of.x1, &rows), &tensor(&of.x2, &rows)], Some(&logits)).unwrap();
    tracker.end_epoch(0).unwrap();
    let entry = tracker.history()[0];
    assert!(entry.parts.s > 0.5 && entry.parts.r.abs() < 0.1, "{entry:?}");
}

#[test]
fn the_same_batches_give_the_same_bytes_in_either_mode() {
    let (of, _) = samples(FamilyName::Gauss, 300, 3, 1);
    let run = |mode| {
        let mut tracker = tracker(&of, mode);
        let mut found = Vec::new();
        for epoch in 0..2 {
            show(&mut tracker, &of, 7);
            found.push(tracker.refresh(epoch).unwrap().unwrap().terms().clone());
        }
        assert_eq!(tracker.report(), lsmi_guide::train::tracker::Report::default());
        found
    };
    let synchronous = run(Mode::Synchronous);
    assert_eq!(synchronous, run(Mode::Synchronous));
    // With room for all batches none is dropped, and waiting for the worker makes it synchronous too.
    assert_eq!(synchronous, run(Mode::Background { capacity: 100, share: 1.0 }));
}

#[test]
fn the_loop_goes_on_while_the_worker_works() {
    let (of, _) = samples(FamilyName::Gauss, 300, 3, 1);
    let mut tracker = tracker(&of, Mode::Background { capacity: 2, share: 1.0 });
    for epoch in 0..5 {
        show(&mut tracker, &of, 7);
        tracker.end_epoch(epoch).unwrap();
    }
    show(&mut tracker, &of, 7);
    let found = tracker.refresh(5).unwrap();
    // The last two batches at least were taken; whether those before were is a matter of time.
    let report = tracker.report();
    assert!(found.is_some() || report.failure.is_some(), "{report:?}");
    assert!(tracker.history().len() as u64 + report.overtaken <= 6);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (of, _) = samples(FamilyName::Gauss, 60, 3, 1);
    let mut tracker = tracker(&of, Mode::Synchronous);
    let error = tracker.end_epoch(0).unwrap_err();
    assert!(matches!(error, GuideError::FewSamples { class: 0, found: 0, .. }), "{error}");

    let rows = [0, 1];
    let (x1, x2) = (tensor(&of.x1, &rows), tensor(&of.x2, &rows));
    let unknown = SampleIds::from_names(["sample 60", "sample 61"]).unwrap();
    let error = tracker.observe(&unknown, [&x1, &x2], None).unwrap_err();
    assert!(matches!(error, GuideError::UnknownId { ref id, .. } if id == "sample 61"), "{error}");

    let ids = of.ids.select(&rows);
    tracker.observe(&ids, [&x1, &x2], None).unwrap();
    let error = tracker.observe(&ids, [&x1, &x2], Some(&x1)).unwrap_err();
    assert!(matches!(error, GuideError::Shape { what: "joint logits", .. }), "{error}");
    let narrow = x1.narrow(1, 0, 2).unwrap();
    let error = tracker.observe(&ids, [&narrow, &x2], None).unwrap_err();
    assert!(matches!(error, GuideError::Shape { what: "features of x1", .. }), "{error}");

    let settings = Settings { folds: 1, ..Settings::default() };
    let error = Tracker::new(tracked(&of), settings).unwrap_err();
    assert!(matches!(error, GuideError::Setting { name: "folds of the tracker", .. }), "{error}");
    let settings = Settings { mode: Mode::Background { capacity: 1, share: 0.0 }, ..Settings::default() };
    let error = Tracker::new(tracked(&of), settings).unwrap_err();
    assert!(matches!(error, GuideError::Setting { name: "share of the time", .. }), "{error}");
}

#[test]
fn rows_that_are_not_finite_are_counted_and_named() {
    let (mut of, _) = samples(FamilyName::Gauss, 100, 3, 1);
    let mut values = of.x1.values().to_vec();
    values[3 * 17] = f64::NAN;
    of.x1 = Matrix::new(100, 3, values).unwrap();
    let mut tracker = tracker(&of, Mode::Background { capacity: 10, share: 1.0 });
    show(&mut tracker, &of, 1);
    let found = tracker.refresh(0).unwrap().unwrap();
    assert_eq!(found.len(), 99);
    let report = tracker.report();
    assert_eq!((report.spoiled, report.first_spoiled), (1, Some(of.ids.get(17).into_owned())));
}

/// Features of a modality that are all NaN are missing: the other one is learned from, its terms are those of the family, and
/// nothing is said of both.
#[test]
fn samples_that_lack_a_modality_have_the_terms_of_the_other() {
    const ROWS: usize = 3000;
    let (mut of, exact) = samples(FamilyName::Gauss, ROWS, 3, 0);
    let lacks = |row: usize| row.is_multiple_of(5);
    let values = of.x2.values().chunks(3).enumerate();
    let values = values.flat_map(|(row, values)| if lacks(row) { vec![f64::NAN; 3] } else { values.to_vec() });
    of.x2 = Matrix::new(ROWS, 3, values.collect()).unwrap();
    let mut tracker = tracker(&of, Mode::Synchronous);
    show(&mut tracker, &of, 7);
    tracker.end_epoch(0).unwrap();
    let (_, found) = tracker.latest().unwrap();
    assert_eq!((found.len(), tracker.report().spoiled), (ROWS - ROWS / 5, 0));
    let partial = tracker.partial().unwrap();
    let [only_x1, only_x2] = &*partial;
    assert_eq!((only_x1.ids.len(), only_x2.ids.len()), (ROWS / 5, 0));
    let of_partial = |values: &[f64]| (0..ROWS).filter(|row| lacks(*row)).map(|row| values[row]).collect::<Vec<_>>();
    // As for complete samples, from half as many of them.
    let (information, surprisal) = (of_partial(&exact.i1), of_partial(&exact.h1));
    assert!(pearson(&only_x1.information, &information).unwrap() > 0.97);
    assert!((mean(&only_x1.information) - mean(&information)).abs() < 0.05);
    assert!(pearson(&only_x1.surprisal, &surprisal).unwrap() > 0.9);
}
