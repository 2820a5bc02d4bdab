//! The estimator from outside: accuracy against exact values, repeatability to the bit, bundles whole and damaged.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::densities::knife;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{CrossFit, Estimator, SCHEMA, Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::{BundleError, EstimatorError};
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{pearson, root_mean_square_error};
use lsmi_core::{Interaction, Measure, SampleIds, Terms};
use rand::Rng;
use safetensors::SafeTensors;

const INTERACTIONS: [Interaction; 4] =
    [Interaction::Redundancy, Interaction::Unique1, Interaction::Unique2, Interaction::Synergy];

fn simulate(name: FamilyName, rows: usize, seed: u64) -> (FeatureSet, Classes, Terms) {
    let family = name.build(&FamilySettings { dims: 4, classes: 3, ..Default::default() }).unwrap();
    let draw = family.sample(rows, &mut stream(seed, "test"));
    let exact = family.terms(&draw).unwrap();
    let classes = Classes::new((0..family.classes()).map(|class| class.to_string()).collect()).unwrap();
    let features = FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, 4, draw.x1).unwrap(),
        Matrix::new(rows, 4, draw.x2).unwrap(),
        draw.labels,
    )
    .unwrap();
    (features, classes, exact)
}

fn raw(seed: u64) -> Settings {
    Settings { seed, gauge: GaugeKind::Raw, device: DeviceChoice::Cpu, ..Default::default() }
}

fn fit(name: FamilyName, rows: usize, settings: &Settings) -> CrossFit {
    let (train, classes, _) = simulate(name, rows, 0);
    cross_fit(&train, &classes, settings, None).unwrap()
}

/// Correlations of estimated with exact r, u1, u2, s and the root mean square errors, over fresh rows and over the training
/// rows, cross-fitted.
fn agreement(name: FamilyName) -> [[(f64, f64); 4]; 2] {
    let fit = fit(name, 1200, &raw(0));
    let (fresh, _, of_fresh) = simulate(name, 1200, 1);
    let (_, _, of_train) = simulate(name, 1200, 0);
    let pairs = [(fit.estimator.score(&fresh).unwrap(), of_fresh), (fit.scores, of_train)];
    pairs.map(|(scores, exact)| {
        let parts = |terms| Measure::Pm.decompose(terms, &scores.labels);
        let (estimated, exact) = (parts(&scores.terms), parts(&exact));
        INTERACTIONS.map(|interaction| {
            let (estimated, exact) = (estimated.values(interaction), exact.values(interaction));
            (pearson(estimated, exact).unwrap_or(0.0), root_mean_square_error(estimated, exact))
        })
    })
}

/// 1,200 rows in four dimensions are fewer than the README's table has, so the bounds here are a little lower, and lower
/// again for training rows, which one fold's models score instead of five together. A fit without the structure of the
/// family (one kernel, a linear head) ends below .8, terms joined to the wrong rows end at 0.
#[test]
fn samples_agree_with_the_exact_decomposition() {
    for name in [FamilyName::Or, FamilyName::Mixed, FamilyName::Gauss] {
        for (rows, least) in agreement(name).into_iter().zip([0.9, 0.85]) {
            for (interaction, (correlation, _)) in INTERACTIONS.into_iter().zip(rows) {
                assert!(correlation > least, "{name}, {interaction}: correlation {correlation}, at least {least}");
            }
        }
    }
    for name in [FamilyName::Xor, FamilyName::Rdn] {
        for (interaction, (_, error)) in INTERACTIONS.into_iter().cycle().zip(agreement(name).into_iter().flatten()) {
            assert!(error < 0.15, "{name}, {interaction}: error {error}");
        }
    }
}

/// Labels drawn without regard to the features: in-sample heads would report up to ln 2 nats; out of fold there is none.
#[test]
fn training_rows_do_not_see_themselves() {
    let (mut train, classes, _) = simulate(FamilyName::Rdn, 400, 0);
    let shift = |row: &usize| train.labels[(row + 57) % 400];
    train.labels = (0..400).map(|row| shift(&row)).collect();
    let means = cross_fit(&train, &classes, &raw(0), None).unwrap().scores.terms.means();
    // The deviation of a mean of 400 values that calibration keeps below .1 is .005.
    for (term, value) in [("i1", means.i1), ("i2", means.i2), ("i12", means.i12)] {
        assert!(value.abs() < 0.03, "{term}: {value}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_whatever_the_threads() {
    let one = fit(FamilyName::Or, 200, &Settings { threads: 1, ..raw(3) });
    let many = fit(FamilyName::Or, 200, &Settings { threads: 3, ..raw(3) });
    assert_eq!(one.scores, many.scores);
    assert_eq!(one.estimator.to_bytes().unwrap(), many.estimator.to_bytes().unwrap());
    let other = fit(FamilyName::Or, 200, &raw(4));
    assert_ne!(one.scores.terms, other.scores.terms);
}

#[test]
fn a_bundle_scores_to_the_bit_as_what_it_was_saved_from() {
    for (gauge, knife) in [
        (GaugeKind::Raw, knife::Params::default()),
        (GaugeKind::Whitened, knife::Params::published()),
        (GaugeKind::Standardized, knife::Params::default()),
    ] {
        let settings = Settings { gauge, knife, folds: 2, ..raw(0) };
        // All kinds of heads: a mixture wins for the exclusive or, discriminants or networks for the gaussian.
        for name in [FamilyName::Xor, FamilyName::Gauss] {
            let estimator = fit(name, 200, &settings).estimator;
            let bytes = estimator.to_bytes().unwrap();
            let loaded = Estimator::from_bytes("test", &bytes, DeviceChoice::Cpu).unwrap();
            let (fresh, _, _) = simulate(name, 100, 1);
            assert_eq!(estimator.score(&fresh).unwrap(), loaded.score(&fresh).unwrap());
            assert_eq!(loaded.to_bytes().unwrap(), bytes);
            assert_eq!(loaded.description(), estimator.description());
        }
    }
}

/// Columns that are uniform between 0 and 1, so that densities have margins.
fn uniform(rows: usize, seed: u64) -> (FeatureSet, Classes) {
    let mut random = stream(seed, "uniform");
    let mut matrix = || Matrix::new(rows, 2, (0..rows * 2).map(|_| random.random()).collect()).unwrap();
    let (x1, x2) = (matrix(), matrix());
    let labels = (0..rows).map(|row| u32::from(x1.row(row)[0] + x2.row(row)[0] > 1.0)).collect();
    let classes = Classes::new(vec!["below".to_owned(), "above".to_owned()]).unwrap();
    (FeatureSet::new(SampleIds::rows(rows), x1, x2, labels).unwrap(), classes)
}

#[test]
fn a_bundle_with_margins_scores_to_the_bit_as_what_it_was_saved_from() {
    let (train, classes) = uniform(1000, 0);
    let estimator = cross_fit(&train, &classes, &Settings { folds: 2, ..raw(0) }, None).unwrap().estimator;
    let bytes = estimator.to_bytes().unwrap();
    let loaded = Estimator::from_bytes("test", &bytes, DeviceChoice::Cpu).unwrap();
    let (fresh, _) = uniform(1000, 1);
    let scores = loaded.score(&fresh).unwrap();
    assert_eq!(estimator.score(&fresh).unwrap(), scores);
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    // The exact surprisal is 0; without margins it is .2 too much.
    for surprisals in [&scores.terms.h1, &scores.terms.h2] {
        let mean = surprisals.iter().sum::<f64>() / 1000.0;
        assert!(mean.abs() < 0.1, "{mean}");
    }
}

#[test]
fn damaged_margins_are_refused() {
    let (train, classes) = uniform(1000, 0);
    let estimator = cross_fit(&train, &classes, &Settings { folds: 2, ..raw(0) }, None).unwrap().estimator;
    let bytes = estimator.to_bytes().unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let of = |part: &str| format!("fold0.density.x1.margins.{part}");
    let zero = |part: &str, numbers: std::ops::Range<usize>| {
        let mut values = tensors.tensor(&of(part)).unwrap().data().to_vec();
        values[numbers.start * 8..numbers.end * 8].fill(0);
        (of(part), Some(values))
    };
    // No tensor of knots; columns that do not rise; a scale of 0; other numbers of knots; a slope of 0; two knots in one place.
    for (name, values) in [
        (of("knots"), None),
        zero("columns", 1..2),
        zero("scales", 1..2),
        zero("counts", 0..1),
        zero("knots", 2..3),
        zero("knots", 0..6),
    ] {
        let mut damaged = Vec::new();
        for (other, view) in tensors.tensors() {
            let bytes = match (&values, other == name) {
                (None, true) => continue,
                (Some(values), true) => values.as_slice(),
                _ => view.data(),
            };
            let view = safetensors::tensor::TensorView::new(view.dtype(), view.shape().to_vec(), bytes).unwrap();
            damaged.push((other, view));
        }
        let damaged = safetensors::serialize(damaged, header.metadata().clone()).unwrap();
        let result = Estimator::from_bytes("bundle", &damaged, DeviceChoice::Cpu);
        assert!(
            matches!(&result, Err(EstimatorError::Bundle(BundleError::Tensor { tensor, .. })) if tensor.starts_with(&of(""))),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn exchanging_the_modalities_exchanges_the_terms_that_are_theirs() {
    let (train, classes, _) = simulate(FamilyName::Mixed, 300, 0);
    let exchanged = FeatureSet { x1: train.x2.clone(), x2: train.x1.clone(), ..train.clone() };
    let terms = |features: &FeatureSet| cross_fit(features, &classes, &raw(0), None).unwrap().scores.terms;
    let (plain, exchanged) = (terms(&train), terms(&exchanged));
    assert_eq!((plain.h1, plain.h2), (exchanged.h2, exchanged.h1));
    assert_eq!((plain.i1, plain.i2), (exchanged.i2, exchanged.i1));
}

#[test]
fn damaged_and_foreign_bundles_are_refused() {
    let bytes = fit(FamilyName::Rdn, 100, &Settings { folds: 2, ..raw(0) }).estimator.to_bytes().unwrap();
    let load = |bytes: &[u8]| match Estimator::from_bytes("bundle", bytes, DeviceChoice::Cpu) {
        Err(EstimatorError::Bundle(error)) => error,
        other => panic!("{other:?}"),
    };
    for length in (0..bytes.len()).step_by(97) {
        assert!(matches!(load(&bytes[..length]), BundleError::Format { .. }), "cut to {length}");
    }
    let rewrite = |edit: &dyn Fn(&str, &mut String), drop: Option<&str>| {
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let mut metadata: HashMap<String, String> = header.metadata().clone().unwrap();
        for (key, value) in &mut metadata {
            edit(key, value);
        }
        let kept = tensors.tensors().into_iter().filter(|(name, _)| Some(name.as_str()) != drop);
        safetensors::serialize(kept, Some(metadata)).unwrap()
    };
    let newer = rewrite(
        &|_, value| *value = value.replace(&format!("\"schema\":{SCHEMA}"), "\"schema\":7,\"unknown\":0"),
        None,
    );
    assert!(matches!(load(&newer), BundleError::NewerSchema { found: 7, .. }));
    let garbled = rewrite(&|_, value| value.truncate(40), None);
    assert!(matches!(load(&garbled), BundleError::Description { .. }));
    for missing in ["prior", "gauge.x1.means", "fold0.density.x2.factors", "fold1.head.joint.weights"] {
        let damaged = rewrite(&|_, _| {}, Some(missing));
        assert!(matches!(load(&damaged), BundleError::Tensor { tensor, .. } if tensor == missing));
    }
    for (from, to) in [("\"gauge_dims\":[4,4]", "\"gauge_dims\":[0,4]"), ("\"components\":", "\"components\":9")] {
        let damaged = rewrite(&|_, value| *value = value.replace(from, to), None);
        assert_ne!(damaged, bytes, "{from}");
        assert!(matches!(load(&damaged), BundleError::Tensor { .. }), "{to}");
    }
    let plain = safetensors::serialize(Vec::<(String, safetensors::tensor::TensorView<'_>)>::new(), None).unwrap();
    assert!(matches!(load(&plain), BundleError::NotABundle { .. }));
}

#[test]
fn classes_of_two_rows_in_two_folds_are_scored_all_the_same() {
    let rows = 12;
    let values: Vec<f64> = (0..rows).map(|row| (f64::from(row) * 1.7).sin()).collect();
    let x = Matrix::new(12, 1, values).unwrap();
    let labels = (0..12).map(|row| row / 2).collect();
    let train = FeatureSet::new(SampleIds::rows(12), x.clone(), x, labels).unwrap();
    let classes = Classes::new((0..6).map(|class| class.to_string()).collect()).unwrap();
    // Ten rows are the fewest that a density is fitted to, and six are outside each fold.
    let result = cross_fit(&train, &classes, &Settings { folds: 2, ..raw(0) }, None);
    assert!(matches!(result, Err(EstimatorError::FewRowsForDensity { rows: 6, .. })), "{result:?}");
}

#[test]
fn samples_that_do_not_fit_together_are_refused() {
    let (train, classes, _) = simulate(FamilyName::Rdn, 100, 0);
    let with_nan = Matrix::new(100, 1, (0..100).map(|row| if row == 9 { f64::NAN } else { f64::from(row) }).collect());
    for broken in [
        FeatureSet { labels: vec![0; 99], ..train.clone() },
        FeatureSet { labels: vec![2; 100], ..train.clone() },
        FeatureSet { ids: SampleIds::rows(3), ..train.clone() },
        FeatureSet { x1: train.x1.select(&[0, 1]), ..train.clone() },
        FeatureSet { x2: Matrix::new(100, 0, Vec::new()).unwrap(), ..train.clone() },
        FeatureSet { x2: with_nan.unwrap(), ..train.clone() },
        train.select(&[]),
    ] {
        let result = cross_fit(&broken, &classes, &raw(0), None);
        assert!(matches!(result, Err(EstimatorError::Samples { .. })), "{:?}", result.map(|_| ()));
    }
}

#[test]
fn scaling_a_modality_shifts_its_raw_surprisal_by_the_log_determinant() {
    let (train, classes, _) = simulate(FamilyName::Rdn, 100, 0);
    let x2 = Matrix::new(100, 4, train.x2.values().iter().map(|value| value * 7.0).collect()).unwrap();
    let scaled = FeatureSet { x2, ..train.clone() };
    let terms = |features: &FeatureSet| cross_fit(features, &classes, &raw(0), None).unwrap().scores.terms;
    let (plain, scaled) = (terms(&train), terms(&scaled));
    assert_eq!(plain.h1, scaled.h1);
    for (plain, scaled) in plain.h2.iter().zip(&scaled.h2) {
        // Standardised values differ in their last f64 digit, which may be one in the last of f32.
        assert!((scaled - plain - 4.0 * 7.0f64.ln()).abs() < 1e-3, "{plain} {scaled}");
    }
}

#[test]
fn features_of_other_dimensions_are_refused() {
    let estimator = fit(FamilyName::Rdn, 100, &Settings { folds: 2, ..raw(0) }).estimator;
    let (mut fresh, _, _) = simulate(FamilyName::Rdn, 10, 1);
    fresh.x2 = Matrix::new(10, 3, vec![0.5; 30]).unwrap();
    let error = estimator.score(&fresh).unwrap_err();
    assert!(matches!(error, EstimatorError::Dimensions { modality: "x2", expected: 4, found: 3 }));
}

#[test]
fn a_row_beyond_all_measure_is_named() {
    let estimator = fit(FamilyName::Rdn, 100, &Settings { folds: 2, ..raw(0) }).estimator;
    let (mut fresh, _, _) = simulate(FamilyName::Rdn, 10, 1);
    let mut values = fresh.x1.values().to_vec();
    values[7 * 4] = 1e30;
    fresh.x1 = Matrix::new(10, 4, values).unwrap();
    let error = estimator.score(&fresh).unwrap_err();
    assert!(matches!(error, EstimatorError::NotFinite { term: "h1", id, .. } if id == "7"));
}

#[test]
fn progress_reaches_the_last_model() {
    let (train, classes, _) = simulate(FamilyName::Rdn, 100, 0);
    let (sender, receiver) = crossbeam_channel::unbounded();
    cross_fit(&train, &classes, &Settings { folds: 2, ..raw(0) }, Some(&sender)).unwrap();
    let steps: Vec<_> = receiver.try_iter().collect();
    assert!(steps.iter().any(|step| step.done == 10 && step.total == 10));
    assert!(steps.iter().all(|step| step.loss.is_finite() && !step.what.is_empty()));
}

#[test]
fn types_can_cross_threads() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<Estimator>();
    check::<CrossFit>();
    check::<Settings>();
    check::<EstimatorError>();
    check::<knife::Knife>();
}

#[test]
fn a_models_logits_in_place_of_heads_are_as_if_they_had_been_fitted_with() {
    let (train, classes, _) = simulate(FamilyName::Or, 300, 1);
    let logits = |scale: f64| {
        let of = |row: usize| [0.0, scale * train.x1.row(row).iter().sum::<f64>()];
        Some(Matrix::new(300, 2, (0..300).flat_map(of).collect()).unwrap())
    };
    let of_model = FeatureSet { logits: [None, logits(0.5), logits(2.0)], ..train.clone() };
    for scale_logits in [false, true] {
        let settings = Settings { folds: 3, repeats: 2, scale_logits, ..raw(0) };
        let exchanged =
            cross_fit(&train, &classes, &settings, None).unwrap().with_logits(&of_model, scale_logits).unwrap();
        let fitted = cross_fit(&of_model, &classes, &settings, None).unwrap();
        assert_eq!(exchanged.scores, fitted.scores);
        assert_eq!(exchanged.estimator.reference(), fitted.estimator.reference());
        assert_eq!(exchanged.estimator.notes(), fitted.estimator.notes());
        assert_eq!(exchanged.estimator.score(&of_model).unwrap(), fitted.estimator.score(&of_model).unwrap());
    }
    let fit = cross_fit(&train, &classes, &raw(0), None).unwrap();
    let others = of_model.select(&(0..200).collect::<Vec<_>>());
    let message = fit.with_logits(&others, false).unwrap_err().to_string();
    assert!(message.contains("those of the rows that were fitted"), "{message}");
}
