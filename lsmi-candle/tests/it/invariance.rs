//! In the whitened gauge an invertible affine change of a modality leaves h as it is; in the raw gauge a scale shifts it.
//! Scales and shifts of columns leave all information as it is.

#![allow(clippy::unwrap_used)]

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Scores, Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet, Keys, read_with_keys};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::StandardNormal;

const ROWS: usize = 600;
const COLUMNS: usize = 8;

/// 600 emoji, eight features of the picture and of the name each.
fn emoji() -> (FeatureSet, Classes) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../lsmi-cli/data/emoji/emoji_pca48.safetensors");
    let file = read_with_keys(path.as_ref(), &Keys::default()).unwrap();
    let all = &file.splits[0].features;
    let rows: Vec<usize> = (0..ROWS).map(|row| row * all.rows() / ROWS).collect();
    let mut some = all.select(&rows);
    for x in [&mut some.x1, &mut some.x2] {
        let values = (0..ROWS).flat_map(|row| x.row(row)[..COLUMNS].to_vec()).collect();
        *x = Matrix::new(ROWS, COLUMNS, values).unwrap();
    }
    (some, file.classes)
}

fn scores(train: &FeatureSet, classes: &Classes, gauge: GaugeKind) -> Scores {
    let settings = Settings { gauge, folds: 2, device: DeviceChoice::Cpu, ..Default::default() };
    cross_fit(train, classes, &settings, None).unwrap().scores
}

/// x * map' + shift, for a map `[columns, columns]`, row-major.
fn mapped(x: &Matrix, map: &[f64], shift: f64) -> Matrix {
    let product =
        |row: &[f64], weights: &[f64]| row.iter().zip(weights).map(|(x, weight)| x * weight).sum::<f64>() + shift;
    let row =
        |index: usize| map.chunks_exact(COLUMNS).map(|weights| product(x.row(index), weights)).collect::<Vec<_>>();
    Matrix::new(ROWS, COLUMNS, (0..ROWS).flat_map(row).collect()).unwrap()
}

fn identity() -> Vec<f64> {
    (0..COLUMNS * COLUMNS).map(|index| f64::from(u8::from(index % (COLUMNS + 1) == 0))).collect()
}

/// A rotation: a product of plane rotations.
fn rotation() -> Vec<f64> {
    let mut random = stream(0, "rotation");
    let mut map = identity();
    for first in 0..COLUMNS {
        for second in first + 1..COLUMNS {
            let (sin, cos) = random.random_range(0.0..std::f64::consts::TAU).sin_cos();
            for column in 0..COLUMNS {
                let (a, b) = (map[first * COLUMNS + column], map[second * COLUMNS + column]);
                map[first * COLUMNS + column] = cos * a - sin * b;
                map[second * COLUMNS + column] = sin * a + cos * b;
            }
        }
    }
    map
}

/// Scales from 1/20 to 20, some of them negative.
fn scales() -> Vec<f64> {
    let mut random = stream(0, "scales");
    let scale = |weight: f64, random: &mut lsmi_core::random::ChaCha8Rng| {
        let size: f64 = random.random_range(-3.0..3.0);
        if random.random() { weight * size.exp() } else { -weight * size.exp() }
    };
    identity().into_iter().map(|weight| scale(weight, &mut random)).collect()
}

/// Each column gets a share of all before it.
fn shear() -> Vec<f64> {
    let mut random = stream(0, "shear");
    let below = |index: usize| index % COLUMNS < index / COLUMNS;
    let identity = identity().into_iter().enumerate();
    identity.map(|(index, weight)| if below(index) { random.random_range(-1.0..1.0) } else { weight }).collect()
}

fn anything() -> Vec<f64> {
    let mut random = stream(0, "anything");
    (0..COLUMNS * COLUMNS).map(|_| random.sample(StandardNormal)).collect()
}

#[test]
fn affine_changes_of_either_modality_change_no_surprisal() {
    let (train, classes) = emoji();
    let before = scores(&train, &classes, GaugeKind::Whitened).terms;
    for (index, (name, map)) in
        [("rotation", rotation()), ("scales", scales()), ("shear", shear()), ("anything", anything())]
            .into_iter()
            .enumerate()
    {
        let mut changed = train.clone();
        let x = if index % 2 == 0 { &mut changed.x1 } else { &mut changed.x2 };
        *x = mapped(x, &map, 3.0);
        let after = scores(&changed, &classes, GaugeKind::Whitened).terms;
        for row in 0..ROWS {
            for (before, after) in [(before.h1[row], after.h1[row]), (before.h2[row], after.h2[row])] {
                assert!((before - after).abs() < 1e-3, "{name}, row {row}: {before} became {after}");
            }
        }
        if name == "scales" {
            let moved: f64 = before.i12.iter().zip(&after.i12).map(|(before, after)| (before - after).abs()).sum();
            // Some columns change their sign, so that the random draws of networks fall out otherwise.
            assert!(moved / (ROWS as f64) < 0.05, "{name}: i12 moved by {moved} in all");
        }
    }
}

#[test]
fn a_scale_shifts_the_raw_surprisal_by_its_logarithm_for_every_column() {
    let (train, classes) = emoji();
    let before = scores(&train, &classes, GaugeKind::Raw).terms;
    let mut changed = train;
    changed.x2 = mapped(&changed.x2, &identity().iter().map(|weight| 7.0 * weight).collect::<Vec<_>>(), 0.0);
    let after = scores(&changed, &classes, GaugeKind::Raw).terms;
    let shift = COLUMNS as f64 * 7.0f64.ln();
    for row in 0..ROWS {
        assert!((after.h2[row] - before.h2[row] - shift).abs() < 1e-3);
        assert!((after.h1[row] - before.h1[row]).abs() < 1e-9);
    }
}
