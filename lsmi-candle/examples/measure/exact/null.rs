//! Counts how often the null rejects where there is nothing: on data whose label depends on neither modality, a test at .05
//! must reject in one set of twenty.
//!
//! Draws many small sets of normal features with random labels, tests each against permuted labels as `lsmi analyze --null`
//! does, and prints the share of sets with p <= .05 for every quantity, and the share with p <= .05 in a class.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- null [SETS [ROWS [PERMUTATIONS]]]
//! ```

use std::error::Error;

use lsmi_candle::Matrix;
use lsmi_candle::estimator::{Null, Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::SampleIds;
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::StandardNormal;

const DIMS: usize = 2;
const LEVEL: f64 = 0.05;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let number = |index: usize, usual: usize| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let (sets, rows, permutations) = (number(0, 400)?, number(1, 60)?, number(2, 19)?);
    println!("{sets} sets of {rows} rows without dependence, {permutations} permutations, two folds");
    // Sets run side by side on threads of their own: a fit inside a worker of rayon's would wait for it by taking on more.
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let run = |thread: usize| -> Result<Vec<Null>, String> {
        let sets = (0..sets as u64).skip(thread).step_by(threads);
        sets.map(|set| null_of_set(set, rows, permutations).map_err(|error| error.to_string())).collect()
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut nulls = Vec::with_capacity(sets);
    for part in parts {
        nulls.extend(part.map_err(|_| "a thread panicked")??);
    }
    println!("quantity    p <= {LEVEL}    p <= {LEVEL} in a class");
    for index in 0..8 {
        let name = nulls[0].overall.named()[index].0;
        let rejected = nulls.iter().filter(|null| null.overall.named()[index].1.p <= LEVEL).count();
        let of_classes = nulls.iter().flat_map(|null| &null.by_class);
        let in_class: Vec<bool> = of_classes.map(|tests| tests.named()[index].1.p <= LEVEL).collect();
        let share = in_class.iter().filter(|is_rejected| **is_rejected).count() as f64 / in_class.len() as f64;
        println!("{name:<12}{:.3}        {share:.3}", rejected as f64 / sets as f64);
    }
    Ok(())
}

fn null_of_set(set: u64, rows: usize, permutations: usize) -> Result<Null, Box<dyn Error>> {
    let mut random = stream(set, "no dependence");
    let mut features = || Matrix::new(rows, DIMS, (0..rows * DIMS).map(|_| random.sample(StandardNormal)).collect());
    let (x1, x2) = (features()?, features()?);
    let labels = (0..rows).map(|_| random.random_range(0..2)).collect();
    let train = FeatureSet::new(SampleIds::rows(rows), x1, x2, labels)?;
    let classes = Classes::new(vec!["a".to_owned(), "b".to_owned()])?;
    let settings = Settings { seed: set, folds: 2, threads: 1, ..Settings::default() };
    let fit = cross_fit(&train, &classes, &settings, None)?;
    Ok(fit.null(&train, &settings, permutations, None)?)
}
