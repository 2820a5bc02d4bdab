//! Data for the studies: simulated samples, feature files, and a line of a table.

use std::error::Error;
use std::path::{Path, PathBuf};

use lsmi_candle::Matrix;
use lsmi_candle::features::{Classes, FeatureSet, Keys, read_with_keys};
use lsmi_core::families::{Draw, Family, FamilyName, Settings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, standard_deviation};
use lsmi_core::{Means, SampleIds};
use rand::seq::SliceRandom;

/// Samples to train on and to evaluate, with the classes.
pub(crate) struct Data {
    pub(crate) name: String,
    pub(crate) train: FeatureSet,
    pub(crate) test: FeatureSet,
    pub(crate) classes: Classes,
}

/// Returns the path of the emoji that are embedded in the command.
pub(crate) fn emoji() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-cli/data/emoji/emoji_pca48.safetensors")
}

/// Draws samples from the family of this name, or reads a feature file of this name: its split `test` is held out, or a third
/// of its rows if it has none. Columns are standardised by the training rows.
pub(crate) fn data(name: &str, rows: usize, seed: u64) -> Result<Data, Box<dyn Error>> {
    let (train, test, classes) = if let Ok(family) = name.parse::<FamilyName>() {
        let family = family.build(&Settings::default())?;
        let classes = classes(family.as_ref())?;
        (simulated(family.as_ref(), rows, seed)?, simulated(family.as_ref(), rows, seed + 1000)?, classes)
    } else {
        let mut file = read_with_keys(Path::new(name), &Keys::default())?;
        let first = file.splits.remove(0).features;
        let (train, test) = match file.splits.into_iter().find(|split| split.name == "test") {
            Some(test) => (first, test.features),
            None => thirds(&first, seed),
        };
        (train, test, file.classes)
    };
    let (train, test) = standardised(&train, &test)?;
    let name = Path::new(name).file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Data { name, train, test, classes })
}

/// Returns the classes of a family, named by their indices.
pub(crate) fn classes(family: &dyn Family) -> Result<Classes, Box<dyn Error>> {
    Ok(Classes::new((0..family.classes()).map(|class| class.to_string()).collect())?)
}

/// Draws samples from a family.
pub(crate) fn simulated(family: &dyn Family, rows: usize, seed: u64) -> Result<FeatureSet, Box<dyn Error>> {
    features(&draw(family, rows, seed))
}

/// Draws samples from a family, with what its exact terms are computed from.
pub(crate) fn draw(family: &dyn Family, rows: usize, seed: u64) -> Draw {
    family.sample(rows, &mut stream(seed, "simulated samples"))
}

/// Returns the features and labels of a draw.
pub(crate) fn features(draw: &Draw) -> Result<FeatureSet, Box<dyn Error>> {
    let (rows, (d1, d2)) = (draw.labels.len(), draw.dims);
    Ok(FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, d1, draw.x1.clone())?,
        Matrix::new(rows, d2, draw.x2.clone())?,
        draw.labels.clone(),
    )?)
}

/// Divides samples at random into two thirds and one third.
fn thirds(samples: &FeatureSet, seed: u64) -> (FeatureSet, FeatureSet) {
    let mut order: Vec<usize> = (0..samples.rows()).collect();
    order.shuffle(&mut stream(seed, "held-out rows"));
    let (test, train) = order.split_at(samples.rows() / 3);
    (samples.select(train), samples.select(test))
}

/// Standardises the columns of both sets by the mean and deviation of the training set.
fn standardised(train: &FeatureSet, test: &FeatureSet) -> Result<(FeatureSet, FeatureSet), Box<dyn Error>> {
    let of = |train: &Matrix, test: &Matrix| -> Result<(Matrix, Matrix), Box<dyn Error>> {
        let scales: Vec<(f64, f64)> = (0..train.columns())
            .map(|column| {
                let values: Vec<f64> = (0..train.rows()).map(|row| train.row(row)[column]).collect();
                // A column that never varies stays as it is.
                (mean(&values), standard_deviation(&values).max(1e-6))
            })
            .collect();
        let apply = |x: &Matrix| {
            let of_row =
                |row: usize| x.row(row).iter().zip(&scales).map(|(value, (mean, scale))| (value - mean) / scale);
            Matrix::new(x.rows(), x.columns(), (0..x.rows()).flat_map(of_row).collect())
        };
        Ok((apply(train)?, apply(test)?))
    };
    let ((x1, test1), (x2, test2)) = (of(&train.x1, &test.x1)?, of(&train.x2, &test.x2)?);
    Ok((FeatureSet { x1, x2, ..train.clone() }, FeatureSet { x1: test1, x2: test2, ..test.clone() }))
}

/// Formats R, U1, U2 and S with three decimals.
pub(crate) fn parts(means: Means) -> String {
    let Means { r, u1, u2, s } = means;
    // Nothing has no sign.
    [r, u1, u2, s].map(|value| format!("{:>7.3}", if value.abs() < 5e-4 { 0.0 } else { value })).join("")
}
