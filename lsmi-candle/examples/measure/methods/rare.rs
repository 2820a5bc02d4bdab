//! Measures the time and the memory of an analysis of very many classes, most of them rare.
//!
//! The shares of the classes fall as 1/k (Zipf); class means are random directions, under noise. Rare classes are pooled, or
//! scored by prototypes.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- rare [--rows 30000 --classes 3000 --dims 16] [--prototypes]
//! ```

use std::error::Error;
use std::fs;
use std::time::Instant;

use lsmi_candle::Matrix;
use lsmi_candle::analysis::{Settings, analyze};
use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, FeatureFile, FeatureSet, Split};
use lsmi_core::SampleIds;
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Length of class means, under noise of deviation 1.
const RADIUS: f64 = 6.0;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let (mut rows, mut classes, mut dims, mut prototypes) = (30_000, 3000, 16, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("the option needs a value");
        match argument.as_str() {
            "--rows" => rows = value()?.parse()?,
            "--classes" => classes = value()?.parse()?,
            "--dims" => dims = value()?.parse()?,
            "--prototypes" => prototypes = true,
            other => return Err(format!("`{other}` is no option").into()),
        }
    }
    let fit = estimator::Settings { prototypes, ..estimator::Settings::default() };
    let folds = fit.folds;
    let file = zipf(rows, classes, dims)?;
    let file = if prototypes { file } else { file.with_rare_pooled(folds)? };
    for note in &file.notes {
        println!("{note}");
    }
    let began = Instant::now();
    let analysis = analyze(&file, &Settings { fit, repeats: Some(1), ..Settings::default() })?;
    let seconds = began.elapsed().as_secs_f64();
    let train = &analysis.summary().splits[0].1;
    println!("rows {rows}, classes {classes} of which {} are fitted, columns {dims} and {dims}", file.classes.len());
    println!("{seconds:.1} s, peak memory {}", peak().unwrap_or_else(|| "not known".to_owned()));
    println!("information {:?}, accuracy {:?}", train.information, train.accuracy);
    Ok(())
}

/// The largest memory that this process had, where the system tells.
fn peak() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}

/// Samples of classes whose shares fall as 1/k.
fn zipf(rows: usize, classes: usize, dims: usize) -> Result<FeatureFile, Box<dyn Error>> {
    let mut random = stream(1, "shares");
    let total: f64 = (1..=classes).map(|rank| 1.0 / rank as f64).sum();
    let cumulative: Vec<f64> = (1..=classes)
        .scan(0.0, |sum, rank| {
            *sum += 1.0 / (rank as f64 * total);
            Some(*sum)
        })
        .collect();
    let drawn: Vec<usize> = (0..rows)
        .map(|_| {
            let value: f64 = random.random();
            cumulative.partition_point(|below| *below < value).min(classes - 1)
        })
        .collect();
    // Only classes that occur are classes.
    let mut place_of = vec![u32::MAX; classes];
    let mut names = Vec::new();
    for class in &drawn {
        if place_of[*class] == u32::MAX {
            place_of[*class] = u32::try_from(names.len())?;
            names.push(format!("class {class}"));
        }
    }
    let mut normal = stream(1, "features");
    let mut modality = || {
        let mut draw = |count: usize| -> Vec<f64> { (0..count).map(|_| StandardNormal.sample(&mut normal)).collect() };
        let centres = draw(classes * dims);
        let noise = draw(rows * dims);
        let value = |(index, noise): (usize, &f64)| {
            let centre = &centres[drawn[index / dims] * dims..][..dims];
            let length = centre.iter().map(|value| value * value).sum::<f64>().sqrt();
            RADIUS * centre[index % dims] / length + noise
        };
        Matrix::new(rows, dims, noise.iter().enumerate().map(value).collect())
    };
    let (x1, x2) = (modality()?, modality()?);
    let labels = drawn.iter().map(|class| place_of[*class]).collect();
    let features = FeatureSet::new(SampleIds::rows(rows), x1, x2, labels)?;
    Ok(FeatureFile {
        splits: vec![Split { name: "train".to_owned(), features }],
        partial: Vec::new(),
        metadata: Vec::new(),
        classes: Classes::new(names)?,
        notes: Vec::new(),
        path: "zipf".into(),
    })
}
