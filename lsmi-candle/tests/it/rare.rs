//! Very many classes: rare ones pooled, or scored by class means.

#![allow(clippy::unwrap_used)]

use lsmi_candle::EstimatorError;
use lsmi_candle::analysis::{Settings, analyze};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{self, Estimator, cross_fit};
use lsmi_candle::features::{Format, Keys, read_bytes};
use lsmi_core::random::stream;
use rand_distr::{Distribution, StandardNormal};

/// Classes around a circle, of which x1 sees one coordinate and x2 the other; each has as many rows as it says.
fn table(sizes: &[usize]) -> String {
    let mut random = stream(0, "rare classes");
    let mut noise = || -> f64 {
        let value: f64 = StandardNormal.sample(&mut random);
        0.1 * value
    };
    let mut lines = Vec::new();
    for (class, size) in sizes.iter().enumerate() {
        let angle = std::f64::consts::TAU * class as f64 / sizes.len() as f64;
        for _ in 0..*size {
            let (x, y) = (10.0 * angle.cos() + noise(), 10.0 * angle.sin() + noise());
            lines.push(format!("{x},{},{y},{},c{class}", noise(), noise()));
        }
    }
    format!("x1_0,x1_1,x2_0,x2_1,y\n{}\n", lines.join("\n"))
}

fn fit() -> estimator::Settings {
    estimator::Settings { folds: 4, device: DeviceChoice::Cpu, ..Default::default() }
}

#[test]
fn rare_classes_are_pooled_told_and_remembered() {
    let sizes: Vec<usize> = (0..16).map(|class| if class % 4 == 0 { 40 } else { 1 }).collect();
    let table = read_bytes("t.csv", table(&sizes).as_bytes(), Format::Csv, &Keys::default()).unwrap();
    let refused = cross_fit(&table.splits[0].features, &table.classes, &fit(), None).unwrap_err();
    assert!(matches!(refused, EstimatorError::RareClass { rows: 1, folds: 4, .. }));

    let table = table.with_rare_pooled(4).unwrap();
    let analysis = analyze(&table, &Settings { fit: fit(), repeats: Some(1), ..Settings::default() }).unwrap();
    let summary = analysis.summary();
    assert_eq!(summary.classes, ["c0", "c12", "c4", "c8", "(rare classes)"]);
    assert_eq!(summary.pooled.len(), 12);
    assert!(summary.warnings[0].starts_with("12 classes with fewer than 4 training rows, 12 in all"));
    assert!(summary.splits[0].1.accuracy.joint > 0.9);

    let bytes = analysis.estimator().to_bytes().unwrap();
    let loaded = Estimator::from_bytes("e", &bytes, DeviceChoice::Cpu).unwrap();
    assert_eq!(loaded.classes(), &table.classes);
    let new = b"x1_0,x1_1,x2_0,x2_1,y\n10,0,0,0,c0\n9,0,3,0,c1\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.csv");
    std::fs::write(&path, new).unwrap();
    let read = lsmi_candle::features::read_with_classes(&path, &Keys::default(), loaded.classes()).unwrap();
    assert_eq!(read.splits[0].features.labels, [0, 4]);
}

/// Classes of two rows have one row outside the fold of the other: their means are known with the error of one row, a
/// hundredth of what lies between classes. The class of one row is known to none of the models that score it.
#[test]
fn class_means_score_classes_with_fewer_rows_than_folds() {
    let mut sizes: Vec<usize> = (0..20).map(|class| if class % 2 == 0 { 30 } else { 2 }).collect();
    sizes[19] = 1;
    let table = read_bytes("t.csv", table(&sizes).as_bytes(), Format::Csv, &Keys::default()).unwrap();
    let settings = estimator::Settings { prototypes: true, ..fit() };
    let train = &table.splits[0].features;
    let scores = cross_fit(train, &table.classes, &settings, None).unwrap().scores;
    let rows: f64 = sizes.iter().map(|size| *size as f64).sum();
    let entropy: f64 = sizes.iter().map(|size| *size as f64 / rows).map(|share| -share * share.ln()).sum();
    let i12 = scores.terms.means().i12;
    assert!(i12 > 0.8 * entropy && i12 < entropy, "{i12} of {entropy}");
    assert!(scores.terms.i12.iter().all(|value| value.is_finite()));
    let alone = table.classes.position("c19").unwrap();
    let row = train.labels.iter().position(|label| *label as usize == alone).unwrap();
    assert!(scores.terms.i12[row] < 0.0, "a class that no model has seen is not found: {}", scores.terms.i12[row]);
    let pairs = (0..20).filter(|class| sizes[*class] == 2).map(|class| table.classes.position(&format!("c{class}")));
    let pairs: Vec<usize> = pairs.map(Option::unwrap).collect();
    let of_pairs: Vec<usize> = (0..train.rows()).filter(|row| pairs.contains(&(train.labels[*row] as usize))).collect();
    let right = of_pairs.iter().filter(|row| scores.predictions[2][**row] == train.labels[**row]).count();
    assert!(right * 10 > of_pairs.len() * 8, "{right} of {}", of_pairs.len());
}
