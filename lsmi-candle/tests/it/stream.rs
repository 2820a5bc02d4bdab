//! Fits to files of which memory holds a part.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Settings, cross_fit, fit_stream};
use lsmi_candle::features::{ArrayValues, Keys, RowReader, read_with_keys, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::Terms;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use rand::Rng;

const ROWS: usize = 6000;

/// A file of rows of a family, with a third, rare label that the first rows have.
fn write(folder: &Path, rare: usize) -> std::path::PathBuf {
    let family = FamilyName::Or.build(&FamilySettings { dims: 3, ..Default::default() }).unwrap();
    let draw = family.sample(ROWS, &mut stream(0, "draw"));
    let matrix = |values: Vec<f64>| Matrix::new(ROWS, 3, values).unwrap();
    let labels: Vec<i64> =
        draw.labels.iter().enumerate().map(|(row, label)| if row < rare { 2 } else { i64::from(*label) }).collect();
    let (x1, x2) = (matrix(draw.x1), matrix(draw.x2));
    let arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&x1)),
        ("x2", ArrayValues::Matrix(&x2)),
        ("y", ArrayValues::Integers(&labels)),
    ]);
    let path = folder.join("rows.safetensors");
    std::fs::write(&path, write_safetensors(&arrays, &BTreeMap::new()).unwrap()).unwrap();
    path
}

fn settings() -> Settings {
    Settings { folds: 3, device: DeviceChoice::Cpu, gauge: GaugeKind::Whitened, ..Settings::default() }
}

#[test]
fn a_file_that_memory_holds_is_fitted_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), 0);
    let mut reader = RowReader::open_for_training(&path, &Keys::default()).unwrap();
    let streamed = fit_stream(&mut reader, ROWS, &settings(), None).unwrap();
    let file = read_with_keys(&path, &Keys::default()).unwrap();
    let whole = cross_fit(file.split("train").unwrap(), &file.classes, &settings(), None).unwrap();
    assert_eq!(streamed.fit.estimator.to_bytes().unwrap(), whole.estimator.to_bytes().unwrap());
}

#[test]
fn gauge_and_densities_are_those_of_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), 0);
    let file = read_with_keys(&path, &Keys::default()).unwrap();
    let train = file.split("train").unwrap();
    let whole = cross_fit(train, &file.classes, &settings(), None).unwrap();
    let fit = |most| {
        let mut reader = RowReader::open_for_training(&path, &Keys::default()).unwrap();
        fit_stream(&mut reader, most, &settings(), None).unwrap()
    };
    let streamed = fit(600);
    assert_eq!((streamed.rows, streamed.drawn.rows()), (ROWS, 600));
    assert_eq!(streamed.fit.scores.terms.len(), 600);
    let notes = streamed.fit.estimator.notes().join("\n");
    assert!(notes.contains("600 rows drawn from the 6000"), "{notes}");
    assert_eq!(streamed.fit.estimator.to_bytes().unwrap(), fit(600).fit.estimator.to_bytes().unwrap());

    let (of_all, of_stream) = (whole.estimator.score(train).unwrap(), streamed.fit.estimator.score(train).unwrap());
    let alone = cross_fit(&streamed.drawn, &file.classes, &settings(), None).unwrap();
    let of_drawn = alone.estimator.score(train).unwrap();
    let difference = |left: &[f64], right: &[f64]| {
        let squares: f64 = left.iter().zip(right).map(|(left, right)| (left - right) * (left - right)).sum();
        (squares / left.len() as f64).sqrt()
    };
    // Ten times the rows leave a third of the error; the structure, chosen by the few, keeps some of it.
    for modality in [|terms: &Terms| terms.h1.clone(), |terms: &Terms| terms.h2.clone()] {
        let [all, stream, drawn] = [&of_all, &of_stream, &of_drawn].map(|scores| modality(&scores.terms));
        let (streamed, alone) = (difference(&all, &stream), difference(&all, &drawn));
        assert!(streamed < 0.6 * alone, "{streamed} against {alone}");
    }
    // Heads come from 600 rows: their errors, of about .1 nats, are their own.
    assert!(difference(&of_all.terms.i12, &of_stream.terms.i12) < 0.3);
}

#[test]
fn margins_stay_while_densities_follow_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = stream(0, "uniform");
    let mut matrix = || Matrix::new(ROWS, 2, (0..ROWS * 2).map(|_| random.random()).collect()).unwrap();
    let (x1, x2) = (matrix(), matrix());
    let labels: Vec<i64> = (0..ROWS).map(|row| i64::from(x1.row(row)[0] + x2.row(row)[0] > 1.0)).collect();
    let arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&x1)),
        ("x2", ArrayValues::Matrix(&x2)),
        ("y", ArrayValues::Integers(&labels)),
    ]);
    let path = folder.path().join("rows.safetensors");
    std::fs::write(&path, write_safetensors(&arrays, &BTreeMap::new()).unwrap()).unwrap();
    let mut reader = RowReader::open_for_training(&path, &Keys::default()).unwrap();
    let raw = Settings { gauge: GaugeKind::Raw, ..settings() };
    let streamed = fit_stream(&mut reader, 2000, &raw, None).unwrap();
    let file = read_with_keys(&path, &Keys::default()).unwrap();
    let scores = streamed.fit.estimator.score(file.split("train").unwrap()).unwrap();
    // The exact surprisal is 0; without margins it is .2 too much.
    let mean = scores.terms.h1.iter().sum::<f64>() / ROWS as f64;
    assert!(mean.abs() < 0.05, "{mean}");
}

#[test]
fn a_rare_class_is_among_the_rows_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), 40);
    let mut reader = RowReader::open_for_training(&path, &Keys::default()).unwrap();
    let streamed = fit_stream(&mut reader, 300, &settings(), None).unwrap();
    let rare = streamed.drawn.labels.iter().filter(|label| **label == 2).count();
    assert!(rare >= 30, "{rare}");
    // Its prior is that of all rows, not of those in memory.
    let prior = streamed.fit.estimator.prior().log_probability(2).exp();
    assert!((prior - 40.0 / 6000.0).abs() < 1e-9, "{prior}");
}
