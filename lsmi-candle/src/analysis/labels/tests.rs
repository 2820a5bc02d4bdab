//! Several labels whose exact decomposition is known.

use super::*;
use crate::device::DeviceChoice;
use crate::estimator;
use crate::features::{Arrays, Keys, Missing, Numbers};
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const ROWS: usize = 400;

/// Two coordinates of which each modality sees one, and labels of them: that of x1 alone, one of nothing, the exclusive or of
/// both. The noise is small, so that either modality tells its bit.
fn table(missing: f64) -> LabelsFile {
    let mut random = stream(0, "several labels");
    let (mut x1, mut x2, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROWS {
        let bits: [bool; 3] = random.random();
        let mut noisy = |bit: bool| {
            let noise: f64 = StandardNormal.sample(&mut random);
            f64::from(bit) * 2.0 - 1.0 + 0.2 * noise
        };
        x1.extend([noisy(bits[0]), noisy(false)]);
        x2.extend([noisy(bits[1]), noisy(true)]);
        let labels = [bits[0], bits[2], bits[0] != bits[1]];
        y.extend(labels.map(f64::from));
    }
    let mut random = stream(1, "missing labels");
    for value in &mut y {
        if random.random::<f64>() < missing {
            *value = f64::NAN;
        }
    }
    read(&x1, &x2, &y, 3)
}

fn read(x1: &[f64], x2: &[f64], y: &[f64], labels: usize) -> LabelsFile {
    let rows = y.len() / labels;
    let arrays = Arrays::new("arrays")
        .with_numbers("x1", &[rows, x1.len() / rows], Numbers::F64(x1))
        .and_then(|arrays| arrays.with_numbers("x2", &[rows, x2.len() / rows], Numbers::F64(x2)))
        .and_then(|arrays| arrays.with_numbers("y", &[rows, labels], Numbers::F64(y)));
    arrays.unwrap().read_several_labels(&Keys { missing: Missing::Drop, ..Keys::default() }, None).unwrap()
}

fn settings() -> LabelsSettings {
    let fit = estimator::Settings { folds: 4, device: DeviceChoice::Cpu, ..Default::default() };
    LabelsSettings { analysis: Settings { fit, repeats: Some(1), ..Settings::default() }, ..LabelsSettings::default() }
}

#[test]
fn each_label_has_its_own_decomposition() {
    let analysis = analyze_labels(&table(0.2), &settings(), None).unwrap();
    let LabelsSummary { table, labels, n, .. } = analysis.summary();
    assert_eq!((table.len(), labels.len(), *n), (3, 3, ROWS));
    let nats = std::f64::consts::LN_2;
    // Of 320 rows the entropy of a label has a standard error of about .003, and heads fall short by a few hundredths.
    for (row, [i1, i2, i12]) in table.iter().zip([[nats, 0.0, nats], [0.0; 3], [0.0, 0.0, nats]]) {
        let found = row.information;
        for (found, exact) in [(found.i1, i1), (found.i2, i2), (found.i12, i12)] {
            assert!((found - exact).abs() < 0.1, "{}: {found} for {exact}", row.label);
        }
        assert!((280..360).contains(&row.rows), "{}", row.rows);
        assert!(row.positives * 3 > row.rows && row.positives * 3 < 2 * row.rows);
    }
    assert!((table[0].adjusted.u1 - nats).abs() < 0.1, "{:?}", table[0].adjusted);
    assert!((table[2].adjusted.s - nats).abs() < 0.15, "{:?}", table[2].adjusted);
}

#[test]
fn labels_share_folds_and_surprisals() {
    let analysis = analyze_labels(&table(0.3), &settings(), None).unwrap();
    let rows_of = |label: usize| &analysis.analyses()[label].1.splits()[0].scores;
    let (first, third) = (rows_of(0), rows_of(2));
    let places = third.terms.ids.index();
    let mut shared = 0;
    for (row, id) in first.terms.ids.iter().enumerate() {
        let Some(other) = places.position(&id) else { continue };
        shared += 1;
        assert_eq!(first.folds.as_ref().unwrap()[row], third.folds.as_ref().unwrap()[other]);
        // Densities go through other rows beside it: equal but for the order of sums of f32.
        assert!((first.terms.h1[row] - third.terms.h1[other]).abs() < 1e-3);
    }
    assert!(shared > 100 && first.terms.len() < ROWS && third.terms.len() < ROWS);
}

#[test]
fn every_fold_has_rows_of_either_value_of_a_rare_label() {
    let strata: Vec<Vec<u32>> =
        (0..200).map(|row| vec![u32::from(row % 40 == 0), 2 + u32::from(row % 7 == 0)]).collect();
    let folds = estimator::folds::folds_of_several_classes(&strata, 4, None, 5, 3, "folds");
    for fold in 0..5 {
        assert_eq!(strata.iter().zip(&folds).filter(|(row, of)| **of == fold && row[0] == 1).count(), 1);
        let rows = folds.iter().filter(|of| **of == fold).count();
        assert!((39..=41).contains(&rows), "{rows}");
    }
}

/// `y` of three labels, of which two are 1 in three rows each.
fn rare() -> LabelsFile {
    let x: Vec<f64> = (0..120).map(|row| f64::from(row * 37 % 101)).collect();
    let other: Vec<f64> = (0..120).map(|row| f64::from(row * 53 % 97)).collect();
    let y: Vec<f64> = (0..120).flat_map(|row| [row % 2 == 0, row < 3, (3..6).contains(&row)].map(f64::from)).collect();
    read(&x, &other, &y, 3)
}

#[test]
fn rare_labels_are_refused_or_pooled_as_declared() {
    let error = analyze_labels(&rare(), &settings(), None).unwrap_err();
    assert!(matches!(&error, AnalysisError::RareLabel { label, counts: [117, 3], least: 4, .. } if label == "y_1"));
    let pooled = LabelsSettings { rare: Rare::Pool, ..settings() };
    let too_few = LabelsSettings { least: Some(7), ..pooled.clone() };
    let error = analyze_labels(&rare(), &too_few, None).unwrap_err();
    assert!(matches!(error, AnalysisError::RareLabels { labels: 2, counts: [114, 6], least: 7, .. }));
    let analysis = analyze_labels(&rare(), &pooled, None).unwrap();
    let summary = analysis.summary();
    assert_eq!(summary.pooled, ["y_1", "y_2"]);
    assert_eq!(
        summary.table.iter().map(|row| (row.label.as_str(), row.positives)).collect::<Vec<_>>(),
        [("y_0", 60), ("(any rare label)", 6)]
    );
    assert!(summary.warnings.iter().any(|note| note.contains("`y_1`, `y_2`")), "{:?}", summary.warnings);
    let json = serde_json::to_value(summary).unwrap();
    assert!(json["labels"]["y_0"]["splits"]["train"]["raw"]["r"].is_number());
}

#[test]
fn hostile_names_make_harmless_files() {
    let long = "x".repeat(5000);
    let names = ["../../etc/passwd", "", "CON", "con", "a/b\\c\0d", ".", "Ünïcödé", &long, "labels/0.safetensors"];
    let files: Vec<String> =
        names.iter().enumerate().map(|(place, name)| estimator_name(place, names.len(), name)).collect();
    let distinct: std::collections::BTreeSet<String> = files.iter().map(|file| file.to_lowercase()).collect();
    assert_eq!(distinct.len(), names.len());
    for file in files {
        let name = file.strip_prefix("labels/").and_then(|name| name.strip_suffix(".safetensors")).unwrap();
        assert!(name.len() < 60 && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-'));
    }
}

#[test]
fn samples_are_one_table_with_a_column_for_the_label() {
    let pooled = LabelsSettings { rare: Rare::Pool, ..settings() };
    let analysis = analyze_labels(&rare(), &pooled, None).unwrap();
    let mut text = Vec::new();
    analysis.write_samples(&mut text, crate::samples::Format::Csv).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("id,split,fold,label,h1,h2,i1,i2,i12,r,u1,u2,s,") && lines[0].ends_with(",target"));
    assert_eq!(lines.len(), 1 + 2 * 120);
    assert!(lines[1].ends_with(",y_0") && lines[240].ends_with(",(any rare label)"));
}
