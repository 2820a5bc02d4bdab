//! The gates from outside: data whose answers are known, on whatever it takes to see each gate pass and fail.

#![allow(clippy::unwrap_used, clippy::panic)]

use lsmi_candle::EstimatorError;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::gates::{Gate, GateSettings, Verdict, check, check_fitted};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::StandardNormal;

fn two_classes() -> Classes {
    Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap()
}

fn rows(x1: Matrix, x2: Matrix, labels: Vec<u32>) -> FeatureSet {
    FeatureSet::new(SampleIds::rows(labels.len()), x1, x2, labels).unwrap()
}

fn simulate(name: FamilyName, rows_: usize, dims: usize, seed: u64) -> FeatureSet {
    let family = name.build(&FamilySettings { dims, ..Default::default() }).unwrap();
    let draw = family.sample(rows_, &mut stream(seed, "test"));
    let matrix = |values| Matrix::new(rows_, dims, values).unwrap();
    rows(matrix(draw.x1), matrix(draw.x2), draw.labels)
}

/// Features and labels that know nothing of each other.
fn noise(rows_: usize, dims: usize) -> FeatureSet {
    let mut random = stream(0, "noise");
    let mut matrix = || {
        let values = (0..rows_ * dims).map(|_| random.sample(StandardNormal)).collect();
        Matrix::new(rows_, dims, values).unwrap()
    };
    let (x1, x2) = (matrix(), matrix());
    rows(x1, x2, (0u32..).take(rows_).map(|row| row % 2).collect())
}

fn settings() -> GateSettings {
    let estimator = Settings { device: DeviceChoice::Cpu, ..Settings::default() };
    GateSettings { estimator, ..GateSettings::default() }
}

fn gates(train: &FeatureSet, settings: &GateSettings) -> Vec<Gate> {
    check(train, &two_classes(), &[], settings, None).unwrap()
}

fn named<'a>(gates: &'a [Gate], name: &str) -> &'a Gate {
    gates.iter().find(|gate| gate.name == name).unwrap_or_else(|| panic!("no gate {name}"))
}

/// 400 rows leave a noise of some hundredths of a nat between a modality and its copy, one head in a hundred looks
/// miscalibrated by chance, and flexible heads know a tenth more of their own rows than of others: `specificity`, `calibration`
/// and `memorisation` may warn of that.
#[test]
fn plain_data_passes() {
    let train = simulate(FamilyName::Or, 400, 2, 0);
    let fresh = simulate(FamilyName::Or, 400, 2, 1);
    // Ten standard deviations away in x2.
    let far = Matrix::new(400, 2, fresh.x2.values().iter().map(|value| value + 10.0).collect()).unwrap();
    let far = rows(fresh.x1.clone(), far, fresh.labels.clone());
    let (sender, receiver) = crossbeam_channel::unbounded();
    let gates = check(&train, &two_classes(), &[("test", &fresh), ("far", &far)], &settings(), Some(&sender)).unwrap();

    let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_ref()).collect();
    let expected = ["power", "specificity", "split_halves", "permutation", "memorisation", "calibration", "coverage"];
    assert_eq!(names, expected);
    for gate in &gates {
        assert_eq!(gate.advice.is_none(), gate.verdict == Verdict::Pass, "{gate:?}");
        match gate.name.as_ref() {
            "specificity" | "calibration" | "memorisation" => assert!(gate.verdict < Verdict::Fail, "{gate:?}"),
            "coverage" => assert_eq!(gate.verdict, Verdict::Fail),
            _ => assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}"),
        }
    }
    let coverage = &named(&gates, "coverage").figures;
    assert!(coverage["x1_of_test"] < 0.05 && coverage["x2_of_test"] < 0.05 && coverage["x1_of_far"] < 0.05);
    assert!(coverage["x2_of_far"] > 0.9);
    // Or: r of a modality with its copy is its information, 0.2158 nats exactly for bits that show without noise.
    assert!((named(&gates, "specificity").figures["r_of_x1"] - 0.2158).abs() < 0.05);

    let last = receiver.try_iter().max_by_key(|step| step.done).unwrap();
    // Seven fits of five models in five folds.
    assert_eq!((last.done, last.total), (175, 175));
    let json = serde_json::to_value(&gates[0]).unwrap();
    assert_eq!((json["name"].as_str(), json["verdict"].as_str()), (Some("power"), Some("pass")));
    assert!(json["figures"]["s"].as_f64().unwrap() > 0.5);
}

#[test]
fn too_few_rows_for_so_many_columns_fail() {
    let gates = gates(&noise(60, 400), &GateSettings { strength: 1.0, ..settings() });
    let power = named(&gates, "power");
    assert_eq!(power.verdict, Verdict::Fail, "{power:?}");
    assert!(power.advice.as_ref().unwrap().starts_with("no power"));
}

#[test]
fn a_weak_plant_is_held_against_what_there_is_to_find() {
    let weak = GateSettings { strength: 1.5, ..settings() };
    let gates = gates(&noise(300, 1), &weak);
    let power = named(&gates, "power");
    assert!(power.figures["planted"] > 0.25 && power.figures["planted"] < 0.45, "{power:?}");
    assert_eq!(power.verdict, Verdict::Pass, "{power:?}");
    assert!(power.figure < 0.8 && power.threshold < 0.35, "{power:?}");
    // A single column has no halves.
    assert!(gates.iter().all(|gate| gate.name != "split_halves" && gate.name != "coverage"));
}

#[test]
fn the_datas_own_fit_gives_the_same_gates() {
    let train = simulate(FamilyName::Rdn, 60, 2, 0);
    let settings = settings();
    let fit = cross_fit(&train, &two_classes(), &settings.estimator, None).unwrap();
    let test = fit.estimator.score(&train).unwrap();
    let given = check_fitted(&train, &two_classes(), &fit, &[("test", &test)], &settings, None).unwrap();
    let fitted = check(&train, &two_classes(), &[("test", &train)], &settings, None).unwrap();
    assert_eq!(given, fitted);

    let others = simulate(FamilyName::Rdn, 60, 2, 1);
    let error = check_fitted(&others, &two_classes(), &fit, &[], &settings, None).unwrap_err();
    assert!(matches!(error, EstimatorError::Samples { what: "the fit", .. }));
}

/// The rarest class has as many rows as there are folds: all of them are needed, in the sample and in what is fitted of it.
#[test]
fn a_sample_serves_large_data() {
    let mut train = noise(400, 2);
    for label in &mut train.labels[..5] {
        *label = 2;
    }
    let classes = Classes::new(["a", "b", "c"].map(str::to_owned).to_vec()).unwrap();
    let settings = GateSettings { rows: 80, ..settings() };
    let fit = cross_fit(&train, &classes, &settings.estimator, None).unwrap();
    let gates = check_fitted(&train, &classes, &fit, &[], &settings, None).unwrap();
    // 39 of each of the large classes and all of the small one.
    for name in ["power", "specificity", "split_halves", "memorisation"] {
        assert!(named(&gates, name).did.contains(" 83 rows"), "{}", named(&gates, name).did);
    }
    assert!(named(&gates, "permutation").did.contains(" 67 rows, and "), "{}", named(&gates, "permutation").did);
}

/// Logits that know every label: whether by heart or rightly so, nobody can see.
#[test]
fn logits_from_outside_pass_no_gate_that_is_not_about_them() {
    let mut train = noise(60, 2);
    let certain = |label: &u32| if *label == 0 { [8.0, 0.0] } else { [0.0, 8.0] };
    let logits = Matrix::new(60, 2, train.labels.iter().flat_map(certain).collect()).unwrap();
    train.logits = [None, None, Some(logits)];
    let gates = gates(&train, &settings());
    assert_eq!(gates.iter().map(|gate| gate.name.as_ref()).collect::<Vec<&str>>(), ["memorisation", "calibration"]);
    let memorisation = named(&gates, "memorisation");
    assert_eq!(memorisation.verdict, Verdict::Warn);
    assert!(memorisation.advice.as_ref().unwrap().starts_with("logits12 come from outside"), "{memorisation:?}");

    let first = train.logits[2].take();
    train.logits[0] = first;
    let found = self::gates(&train, &settings());
    let names: Vec<&str> = found.iter().map(|gate| gate.name.as_ref()).collect();
    assert_eq!(names, ["power", "specificity", "split_halves", "permutation", "memorisation", "calibration"]);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let train = noise(60, 2);
    for strength in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = check(&train, &two_classes(), &[], &GateSettings { strength, ..settings() }, None).unwrap_err();
        assert!(matches!(error, EstimatorError::Setting { name: "strength", .. }), "{error}");
    }
    let small = GateSettings { rows: 30, ..settings() };
    let mut short = train.clone();
    short.x2 = Matrix::new(59, 2, vec![0.0; 118]).unwrap();
    let error = check(&short, &two_classes(), &[], &small, None).unwrap_err();
    assert!(matches!(error, EstimatorError::Samples { .. }), "{error}");
    let mut unknown = train;
    unknown.labels.fill(7);
    let error = check(&unknown, &two_classes(), &[], &small, None).unwrap_err();
    assert!(matches!(error, EstimatorError::Samples { .. }), "{error}");
}
