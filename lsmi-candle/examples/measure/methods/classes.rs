//! Measures how time grows with the number of classes: LSMI, PID-Batch and PID-CVX on the family `gauss`, 4,000 rows.
//!
//! Two modalities with one dimension a class; all methods get the same rows, and the machine to themselves in turn.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- classes [--rows 4000 --dims 16 2 10 50 101]
//! ```
//!
//! `--dims D` gives every number of classes D dimensions, where class means are no longer one-hot but directions on a
//! sphere: then nothing but the number of classes grows.

use std::error::Error;

use lsmi_candle::Matrix;
use lsmi_candle::baselines::compare::{Data, Method, Settings};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::data::{parts, simulated};

/// Length of class means where there are not as many dimensions as classes.
const RADIUS: f64 = 6.0;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let (mut rows, mut dims, mut counts, mut methods) = (4000, None, Vec::new(), Vec::new());
    let mut arguments = arguments.iter().cloned();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("the option needs a value");
        match argument.as_str() {
            "--rows" => rows = value()?.parse()?,
            "--dims" => dims = Some(value()?.parse::<usize>()?),
            other => match other.parse::<usize>() {
                Ok(classes) => counts.push(classes),
                Err(_) => methods.push(other.parse::<Method>()?),
            },
        }
    }
    if counts.is_empty() {
        counts = vec![2, 10, 50, 101];
    }
    if methods.is_empty() {
        methods = vec![Method::Lsmi, Method::PidCvx, Method::PidBatch];
    }
    println!("classes  columns  method       seconds        R     U1     U2      S");
    for count in counts {
        let samples = if let Some(dims) = dims {
            on_a_sphere(rows, count, dims)?
        } else {
            let settings = FamilySettings { classes: count, dims: count, ..FamilySettings::default() };
            simulated(FamilyName::Gauss.build(&settings)?.as_ref(), rows, 1)?
        };
        let classes = Classes::new((0..count).map(|class| format!("{class:04}")).collect())?;
        let data = Data { train: &samples, eval: None, classes: &classes };
        for method in &methods {
            let estimate = method.estimate(data, &Settings::default(), 1, None)?;
            println!(
                "{count:>7}  {:>7}  {:<10}{:>10.2}  {}",
                samples.x1.columns(),
                method.name(),
                estimate.seconds,
                parts(estimate.means)
            );
        }
    }
    Ok(())
}

/// Class means in random directions, under noise of deviation 1.
fn on_a_sphere(rows: usize, classes: usize, dims: usize) -> Result<FeatureSet, Box<dyn Error>> {
    let mut random = stream(1, "classes on a sphere");
    let mut normal = |count: usize| -> Vec<f64> { (0..count).map(|_| StandardNormal.sample(&mut random)).collect() };
    let centres: Vec<Vec<f64>> = (0..2 * classes)
        .map(|_| {
            let direction = normal(dims);
            let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt();
            direction.iter().map(|value| RADIUS * value / length).collect()
        })
        .collect();
    let noise = [normal(rows * dims), normal(rows * dims)];
    let mut random = stream(1, "labels on a sphere");
    let labels: Vec<u32> =
        (0..rows).map(|_| random.random_range(0..u32::try_from(classes).unwrap_or(u32::MAX))).collect();
    let modality = |which: usize| {
        let of_row = |row: usize| {
            let centre = &centres[which * classes + labels[row] as usize];
            centre.iter().zip(&noise[which][row * dims..]).map(|(centre, noise)| centre + noise)
        };
        Matrix::new(rows, dims, (0..rows).flat_map(of_row).collect())
    };
    let (x1, x2) = (modality(0)?, modality(1)?);
    Ok(FeatureSet::new(SampleIds::rows(rows), x1, x2, labels)?)
}
