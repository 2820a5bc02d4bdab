//! Compares estimated atoms of the lattice with exact ones on tables of three sources, and times three wide modalities.
//!
//! Raw gauge, `ROWS` rows in `DIMS` dimensions a modality, cross-fitted; for each table and measure the least correlation of
//! an atom that is not constant, the largest root mean square error and the largest error of a mean, in nats. The time is of
//! three modalities of 64 dimensions, 10,000 rows and 10 classes.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- several [ROWS [DIMS [TABLE ...]]]
//! cargo run --release -p lsmi-candle --example measure -- several time
//! ```

use std::error::Error;
use std::time::Instant;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::estimator::Settings;
use lsmi_candle::estimator::several::{SeveralSettings, cross_fit_several};
use lsmi_candle::features::{Classes, SeveralSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{Settings as TableSettings, TableName};
use lsmi_core::lattice::PointwiseLattice;
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, pearson, root_mean_square_error, standard_deviation};
use lsmi_core::{Measure, SampleIds, SubsetTerms};
use rand::Rng;
use rand_distr::StandardNormal;

/// The deviation below which an exact atom counts as constant, in nats.
const CONSTANT: f64 = 0.05;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    if arguments.first().is_some_and(|first| first == "time") {
        return time();
    }
    let number = |place: usize, usual: usize| arguments.get(place).map_or(Ok(usual), |given| given.parse());
    let (rows, dims) = (number(0, 10_000)?, number(1, 10)?);
    let named: Vec<TableName> =
        arguments.iter().skip(2).map(|name| name.parse()).collect::<Result<_, lsmi_core::Error>>()?;
    let tables = if named.is_empty() { TableName::ALL.to_vec() } else { named };
    println!("table    measure  least correlation  largest rms error  largest error of a mean");
    for name in tables {
        let begun = Instant::now();
        let (estimated, exact) = estimate(name, rows, dims)?;
        for measure in [Measure::Pm, Measure::Sx, Measure::Ccs] {
            let lattice = PointwiseLattice::<3>::new(measure)?;
            let (estimated, exact) = (lattice.decompose(&estimated)?, lattice.decompose(&exact)?);
            let (mut correlation, mut error, mut bias) = (f64::INFINITY, 0.0f64, 0.0f64);
            for (estimated, exact) in estimated.atoms.iter().zip(&exact.atoms) {
                if standard_deviation(exact) > CONSTANT {
                    correlation = correlation.min(pearson(estimated, exact).unwrap_or(0.0));
                }
                error = error.max(root_mean_square_error(estimated, exact));
                bias = bias.max((mean(estimated) - mean(exact)).abs());
            }
            println!("{name:<8} {measure:<8} {correlation:>17.3} {error:>18.3} {bias:>24.4}");
        }
        println!("{name:<8} took {:.0} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Returns the estimated and the exact terms of the training rows.
fn estimate(name: TableName, rows: usize, dims: usize) -> Result<(SubsetTerms, SubsetTerms), Box<dyn Error>> {
    let rendering = name.build(&TableSettings { dims, ..TableSettings::default() })?;
    let draw = rendering.sample(rows, &mut stream(0, "several"));
    let exact = rendering.terms(&draw)?;
    let modalities = draw.modalities.into_iter().map(|values| Matrix::new(rows, dims, values));
    let train = samples(modalities.collect::<Result<_, _>>()?, draw.labels);
    Ok((fit(&train, draw.classes)?, exact))
}

fn samples(modalities: Vec<Matrix>, labels: Vec<u32>) -> SeveralSet {
    let names = (1..=modalities.len()).map(|number| format!("x{number}")).collect();
    SeveralSet { names, ids: SampleIds::rows(labels.len()), modalities, labels, groups: None }
}

fn fit(train: &SeveralSet, classes: usize) -> Result<SubsetTerms, Box<dyn Error>> {
    let classes = Classes::new((0..classes).map(|class| class.to_string()).collect())?;
    let settings = Settings { gauge: GaugeKind::Raw, ..Settings::default() };
    Ok(cross_fit_several(train, &classes, &settings, SeveralSettings::default(), None)?.scores.terms()?)
}

/// Times a fit to three modalities whose classes differ a little in every column.
fn time() -> Result<(), Box<dyn Error>> {
    let (rows, dims, classes) = (10_000, 64, 10);
    let mut random = stream(0, "three wide modalities");
    let labels: Vec<u32> = (0..rows).map(|_| random.random_range(0..classes)).collect();
    let mut modality = || {
        let centres: Vec<f64> =
            (0..dims * classes as usize).map(|_| 0.3 * random.sample::<f64, _>(StandardNormal)).collect();
        let values = labels.iter().flat_map(|label| centres[*label as usize * dims..][..dims].to_vec());
        Matrix::new(rows, dims, values.map(|centre| centre + random.sample::<f64, _>(StandardNormal)).collect())
    };
    let train = samples(vec![modality()?, modality()?, modality()?], labels.clone());
    let begun = Instant::now();
    let means = fit(&train, classes as usize)?.means().informations;
    println!("3 x {dims} dimensions, {rows} rows, {classes} classes: {:.0} s", begun.elapsed().as_secs_f64());
    println!("{means:?}");
    Ok(())
}
