//! Scores evaluation data like those that an estimator was fitted on, and shifted ones.
//!
//! An estimator is fitted once. It then scores held-out rows as they are; with noise added to one modality or both, of
//! one standard deviation of each column; and with x2 exchanged between samples of the same class, so that the modalities
//! are no longer of one sample. By default on simulated families and the emoji; names of families and feature files may
//! be given instead.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- shift [mixed features.npz]
//! ```
//!
//! The same is done to files with `lsmi analyze train.npz --eval test.npz --eval shifted.npz --out DIR`.

use std::error::Error;

use lsmi_candle::Matrix;
use lsmi_candle::estimator::{Estimator, Scores, Settings, cross_fit};
use lsmi_candle::features::FeatureSet;
use lsmi_core::random::stream;
use lsmi_core::{Means, Measure, adjust};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

use crate::data::{Data, data, emoji, parts};

const ROWS: usize = 4000;
/// Standard deviation of the noise; columns have 1.
const NOISE: f64 = 1.0;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let mut names = arguments.to_vec();
    if names.is_empty() {
        names = ["xor", "or", "rdn", "mixed", "gauss"].map(str::to_owned).to_vec();
        names.push(emoji().to_string_lossy().into_owned());
    }
    println!("means over held-out rows, nats; pm adjusted, ccs raw\n");
    println!(
        "{:<18}{:<17}{:>8}{:>8}{:>8}{:>10}   pm: R     U1     U2      S   ccs: R     U1     U2      S",
        "data", "evaluated on", "I1", "I2", "I12", "accuracy"
    );
    for name in &names {
        let Data { name, train, test, classes } = data(name, ROWS, 1)?;
        let estimator = cross_fit(&train, &classes, &Settings::default(), None)?.estimator;
        let noisy = |x: &Matrix, name: &str| add_noise(x, name);
        let (x1, x2) = (noisy(&test.x1, "noise in x1")?, noisy(&test.x2, "noise in x2")?);
        let shifted = [
            ("the same", test.clone()),
            ("noise in x1", FeatureSet { x1: x1.clone(), ..test.clone() }),
            ("noise in x2", FeatureSet { x2: x2.clone(), ..test.clone() }),
            ("noise in both", FeatureSet { x1, x2, ..test.clone() }),
            ("x2 of another", exchanged(&test)),
        ];
        for (shift, samples) in shifted {
            print(&name, shift, &estimator.score(&samples)?, &estimator);
        }
    }
    Ok(())
}

fn add_noise(x: &Matrix, name: &str) -> Result<Matrix, Box<dyn Error>> {
    let mut random = stream(1, name);
    let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
    Ok(Matrix::new(x.rows(), x.columns(), x.values().iter().map(|value| value + NOISE * noise()).collect())?)
}

/// The same samples, each with the x2 of one of its class.
fn exchanged(samples: &FeatureSet) -> FeatureSet {
    let mut random = stream(1, "x2 of another");
    let mut rows: Vec<usize> = (0..samples.rows()).collect();
    for class in samples.labels.iter().max().map_or(0..1, |highest| 0..highest + 1) {
        let places: Vec<usize> = (0..samples.rows()).filter(|row| samples.labels[*row] == class).collect();
        let mut others = places.clone();
        others.shuffle(&mut random);
        for (place, other) in places.into_iter().zip(others) {
            rows[place] = other;
        }
    }
    FeatureSet { x2: samples.x2.select(&rows), ..samples.clone() }
}

fn print(data: &str, shift: &str, scores: &Scores, estimator: &Estimator) {
    let means = scores.terms.means();
    let by = |measure: Measure| measure.decompose_with(&scores.terms, &scores.labels, estimator.reference()).means();
    let adjusted = adjust(&by(Measure::Pm));
    let adjusted = Means { r: adjusted.r, u1: adjusted.u1, u2: adjusted.u2, s: adjusted.s };
    println!(
        "{data:<18}{shift:<17}{:>8.3}{:>8.3}{:>8.3}{:>8.1} %{}   {}",
        means.i1,
        means.i2,
        means.i12,
        100.0 * scores.accuracy()[2],
        parts(adjusted),
        parts(by(Measure::Ccs))
    );
}
