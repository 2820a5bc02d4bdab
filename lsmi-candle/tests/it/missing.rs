//! Fits to rows some of which lack a modality: against the fit to all values, row by row, and from the files they leave.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use lsmi_candle::EstimatorError;
use lsmi_candle::analysis::{Analysis, AnalysisError, Settings as AnalysisSettings, analyze};
use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Estimator, Settings, cross_fit_partial};
use lsmi_candle::features::{Arrays, FeatureFile, Keys, MissingModality, Numbers};
use lsmi_candle::samples::Format;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, pearson};
use rand::Rng;

/// Values of a family, and which rows lack x1 (1) or x2 (2).
struct Draw {
    x1: Vec<f64>,
    x2: Vec<f64>,
    labels: Vec<i64>,
    lacking: Vec<usize>,
}

const DIMS: usize = 3;

/// Three rows in ten lack a modality, either as often, whatever their values.
fn draw(rows: usize) -> Draw {
    let family = FamilyName::Gauss.build(&FamilySettings { dims: DIMS, classes: 3, ..Default::default() }).unwrap();
    let draw = family.sample(rows, &mut stream(0, "missing"));
    let mut random = stream(1, "missing");
    let lacking = (0..rows).map(|_| if random.random_bool(0.3) { random.random_range(1..=2) } else { 0 }).collect();
    Draw { x1: draw.x1, x2: draw.x2, labels: draw.labels.into_iter().map(i64::from).collect(), lacking }
}

impl Draw {
    fn full(&self) -> FeatureFile {
        self.read(&self.x1, &self.x2)
    }

    fn partial(&self) -> FeatureFile {
        let without = |x: &[f64], modality: usize| -> Vec<f64> {
            let rows = x.chunks(DIMS).zip(&self.lacking);
            rows.flat_map(|(row, of)| if *of == modality { vec![f64::NAN; DIMS] } else { row.to_vec() }).collect()
        };
        self.read(&without(&self.x1, 1), &without(&self.x2, 2))
    }

    fn read(&self, x1: &[f64], x2: &[f64]) -> FeatureFile {
        let rows = self.labels.len();
        let arrays = Arrays::new("draw")
            .with_numbers("x1", &[rows, DIMS], Numbers::F64(x1))
            .unwrap()
            .with_numbers("x2", &[rows, DIMS], Numbers::F64(x2))
            .unwrap()
            .with_numbers("y", &[rows], Numbers::I64(&self.labels))
            .unwrap();
        arrays.read(&Keys { missing_modality: MissingModality::Keep, ..Keys::default() }).unwrap()
    }
}

fn settings(folds: usize) -> Settings {
    Settings { folds, gauge: GaugeKind::Raw, device: DeviceChoice::Cpu, ..Settings::default() }
}

fn analysis(table: &FeatureFile, folds: usize) -> Analysis {
    analyze(table, &AnalysisSettings { fit: settings(folds), repeats: Some(1), ..AnalysisSettings::default() }).unwrap()
}

/// Of 4,000 rows 2,800 are complete: the mean of a quantity of standard deviation .7 over these differs from that over all by
/// .7 (1/2800 - 1/4000)^(1/2) = .007, so that .03 leaves room for heads that are fitted to fewer rows.
#[test]
fn values_missing_at_random_leave_the_means_where_they_are() {
    let draw = draw(4000);
    let (full, partial) = (analysis(&draw.full(), 5), analysis(&draw.partial(), 5));
    let (expected, found) = (&full.summary().splits[0].1, &partial.summary().splits[0].1);
    let close = |what: &str, found: f64, expected: f64| {
        assert!((found - expected).abs() < 0.03, "{what}: {found}, and {expected} of all values");
    };
    let (found_parts, expected_parts) = (&found.raw, &expected.raw);
    close("r", found_parts.r, expected_parts.r);
    close("u1", found_parts.u1, expected_parts.u1);
    close("u2", found_parts.u2, expected_parts.u2);
    close("s", found_parts.s, expected_parts.s);
    close("i1", found.information.i1, expected.information.i1);
    close("i2", found.information.i2, expected.information.i2);
    close("i12", found.information.i12, expected.information.i12);
    let missing = found.missing.unwrap();
    close("i1 of all", missing.information.i1, expected.information.i1);
    close("i2 of all", missing.information.i2, expected.information.i2);
    let count = |of: usize| draw.lacking.iter().filter(|lacking| **lacking == of).count();
    assert_eq!((missing.rows, missing.complete), (4000, count(0)));
    assert_eq!((missing.without_x1, missing.without_x2), (count(1), count(2)));
    assert_eq!(found.n, count(0));
    assert!(!missing.by_label.unwrap().depends);
    assert!(partial.summary().warnings[0].contains("rows lack x1"), "{:?}", partial.summary().warnings);

    // Row by row, the terms of what is there are nearly those of all values.
    let of_full = &full.splits()[0].scores.terms;
    let scores = &partial.splits()[0].partial.as_ref().unwrap().scores;
    for (only, (information, surprisal)) in
        scores.only.iter().zip([(&of_full.i1, &of_full.h1), (&of_full.i2, &of_full.h2)])
    {
        let at = |values: &[f64]| only.places.iter().map(|place| values[*place]).collect::<Vec<_>>();
        let correlations =
            [pearson(&only.information, &at(information)).unwrap(), pearson(&only.surprisal, &at(surprisal)).unwrap()];
        assert!(correlations.iter().all(|correlation| *correlation > 0.9), "{correlations:?}");
    }
    let all: Vec<f64> =
        scores.only[0].information.iter().chain(&partial.splits()[0].scores.terms.i1).copied().collect();
    assert!((mean(&all) - missing.information.i1).abs() < 1e-12);
}

#[test]
fn samples_stand_in_the_order_of_the_file_with_nothing_for_what_is_missing() {
    let draw = draw(240);
    let partial = analysis(&draw.partial(), 2);
    let mut csv = Vec::new();
    partial.write_samples(&mut csv, Format::Csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(header[header.len() - 2..], ["present1", "present2"]);
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    for (row, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let is_empty = |name: &str| cells[place(name)].is_empty();
        assert_eq!(cells[0], row.to_string());
        assert_eq!(cells[place("label")], draw.labels[row].to_string());
        assert!(!is_empty("fold"));
        let lacking = draw.lacking[row];
        for (modality, names) in [(1, ["h1", "i1", "pred1"]), (2, ["h2", "i2", "pred2"])] {
            assert!(names.iter().all(|name| is_empty(name) == (lacking == modality)), "{line}");
            assert_eq!(cells[place(&format!("present{modality}"))], if lacking == modality { "0" } else { "1" });
        }
        let joint = ["i12", "r", "u1", "u2", "s", "pred12", "kind"];
        assert!(joint.iter().all(|name| is_empty(name) == (lacking != 0)), "{line}");
    }
    let mut json = Vec::new();
    partial.write_samples(&mut json, Format::Jsonl).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(!json.contains("NaN"));
    assert_eq!(json.matches(r#""r":null"#).count(), draw.lacking.iter().filter(|of| **of != 0).count());
    let table = partial.samples().unwrap();
    let r = table.column_by_name("r").unwrap();
    for (row, lacking) in draw.lacking.iter().enumerate() {
        assert_eq!(r.is_null(row), *lacking != 0);
    }
    assert!(r.as_primitive::<Float64Type>().iter().flatten().all(f64::is_finite));
    let summary = serde_json::to_string(partial.summary()).unwrap();
    assert!(!summary.contains("NaN") && summary.contains(r#""missing":{"rows":240"#));
}

/// The models of a fold see neither complete nor partial rows of it: other values there change only other folds' models.
#[test]
fn rows_that_lack_a_modality_are_held_out() {
    let file = draw(240).partial();
    let (train, partial) = (&file.splits[0].features, file.partial_of("train").unwrap());
    let fit = |partial| cross_fit_partial(train, partial, &file.classes, &settings(3), None).unwrap();
    let (before, of_partial) = fit(partial);
    let folds = of_partial.only[0].folds.clone().unwrap();
    let mut changed = partial.clone();
    let columns = changed.only[0].x.columns();
    let values = changed.only[0].x.values().chunks(columns).zip(&folds);
    let values =
        values.flat_map(|(row, fold)| row.iter().map(move |value| if *fold == 0 { value + 0.25 } else { *value }));
    let rows = changed.only[0].rows();
    changed.only[0].x = lsmi_candle::numbers::matrix::Matrix::new(rows, columns, values.collect()).unwrap();
    let (after, _) = fit(&changed);
    let of_fold = |terms: &[f64], fold: u32| -> Vec<f64> {
        let folds = before.scores.folds.as_ref().unwrap();
        folds.iter().zip(terms).filter(|(of, _)| **of == fold).map(|(_, value)| *value).collect()
    };
    assert_eq!(of_fold(&before.scores.terms.h1, 0), of_fold(&after.scores.terms.h1, 0));
    assert_eq!(of_fold(&before.scores.terms.i1, 0), of_fold(&after.scores.terms.i1, 0));
    assert_ne!(of_fold(&before.scores.terms.h1, 1), of_fold(&after.scores.terms.h1, 1));
    // The joint head and x2 have nothing to do with rows that have x1 alone.
    assert_eq!(before.scores.terms.i12, after.scores.terms.i12);
    assert_eq!(before.scores.terms.h2, after.scores.terms.h2);
}

#[test]
fn the_estimator_is_one_like_any_other() {
    let file = draw(240).partial();
    let (train, partial) = (&file.splits[0].features, file.partial_of("train").unwrap());
    let (fit, _) = cross_fit_partial(train, partial, &file.classes, &settings(2), None).unwrap();
    let bytes = fit.estimator.to_bytes().unwrap();
    let loaded = Estimator::from_bytes("test", &bytes, DeviceChoice::Cpu).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    assert_eq!(loaded.score(train).unwrap(), fit.estimator.score(train).unwrap());
    let scored = fit.estimator.score_partial(partial).unwrap();
    assert_eq!(loaded.score_partial(partial).unwrap(), scored);
    // Without labels: the same surprisal, and what can be expected under the head.
    let mut unlabelled = partial.clone();
    for only in &mut unlabelled.only {
        only.labels.clear();
    }
    let expected = loaded.expect_partial(&unlabelled).unwrap();
    assert_eq!(expected.only[0].surprisal, scored.only[0].surprisal);
    assert_eq!(expected.only[1].predictions, scored.only[1].predictions);
    // A divergence from the prior, up to the shares that differ from it.
    assert!(expected.only[0].information.iter().all(|value| *value > -1e-9));
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let of = draw(240);
    let mut file = of.partial();
    let settings = AnalysisSettings { fit: settings(3), repeats: Some(1), ..AnalysisSettings::default() };
    let error = analyze(&file, &AnalysisSettings { permutations: 9, ..settings.clone() }).unwrap_err();
    assert!(error.to_string().contains("rows lack a modality, and the test against permuted labels"), "{error}");
    // Two complete rows of a class, and any number of others, are too few for three folds.
    let train = &file.splits[0].features;
    let mut left = 2;
    let keep: Vec<usize> = (0..train.rows())
        .filter(|row| {
            let is_rare = train.labels[*row] == 0;
            left -= i32::from(is_rare);
            !is_rare || left >= 0
        })
        .collect();
    file.splits[0].features = train.select(&keep);
    let partial = &mut file.partial[0].features;
    partial.rows = keep.len() + partial.count();
    let mut places = keep.len()..;
    for only in &mut partial.only {
        only.places = places.by_ref().take(only.places.len()).collect();
    }
    let error = analyze(&file, &settings).unwrap_err();
    let AnalysisError::Rows { source, .. } = &error else { panic!("{error}") };
    assert!(matches!(source.as_ref(), EstimatorError::RareCompleteClass { rows: 2, folds: 3, .. }), "{error}");
    assert!(error.to_string().contains("with both modalities (2)"), "{error}");
}
