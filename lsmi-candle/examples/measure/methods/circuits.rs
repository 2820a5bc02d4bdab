//! Decomposes three circuits whose decomposition is known by PID-CVX, PID-Batch and LSMI.
//!
//! Two modalities show a bit each through noise, in ten dimensions; the label is their exclusive or (`xor`), their or
//! (`or`), or, in the half of the data that a third bit shown in both says, the negation of modality 2 alone instead of the
//! exclusive or (`mixed`: "XOR with NOT"). The ground truth is that of the bits, by BROJA. Bits can be mistaken through the
//! noise, less often the higher `--amplitude` is: `density` is what the rows drawn really hold, in adjusted means of the exact
//! terms.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- circuits [--rows 20000 --amplitude 5 --seeds 3 lsmi pid-cvx]
//! ```

use std::error::Error;

use lsmi_candle::baselines::compare::{Data, Method, Settings};
use lsmi_core::discrete::{Joint, JointMeasure};
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::{Adjusted, Means, Measure, adjust};

use crate::data::{classes, draw, features, parts};

/// Bits of x1, bits of x2 and the label, all alike in probability, with the name of the circuit.
const CIRCUITS: [(FamilyName, &str, &[[&str; 3]]); 3] = [
    (FamilyName::Xor, "XOR", &[["0", "0", "0"], ["0", "1", "1"], ["1", "0", "1"], ["1", "1", "0"]]),
    (FamilyName::Or, "OR", &[["0", "0", "0"], ["0", "1", "1"], ["1", "0", "1"], ["1", "1", "1"]]),
    (
        FamilyName::Mixed,
        "XOR with NOT",
        &[
            ["c0 0", "c0 0", "0"],
            ["c0 0", "c0 1", "1"],
            ["c0 1", "c0 0", "1"],
            ["c0 1", "c0 1", "0"],
            ["c1 0", "c1 0", "1"],
            ["c1 0", "c1 1", "0"],
            ["c1 1", "c1 0", "1"],
            ["c1 1", "c1 1", "0"],
        ],
    ),
];

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let (mut rows, mut amplitude, mut seeds, mut methods) = (20_000, 5.0, 3, Vec::new());
    let mut arguments = arguments.iter().cloned();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("the option needs a value");
        match argument.as_str() {
            "--rows" => rows = value()?.parse()?,
            "--amplitude" => amplitude = value()?.parse()?,
            "--seeds" => seeds = value()?.parse()?,
            method => methods.push(method.parse::<Method>()?),
        }
    }
    if methods.is_empty() {
        methods = vec![Method::PidCvx, Method::PidBatch, Method::Lsmi];
    }
    println!("{rows} rows, amplitude {amplitude}, means over {seeds} seeds, nats\n");
    println!("circuit        method             R     U1     U2      S   largest error, of density    seconds");
    for (family, name, outcomes) in CIRCUITS {
        let truth = truth(outcomes)?;
        println!("{name:<15}{:<13}{}", "ground truth", parts(truth));
        let (mut exact, mut found) = (vec![], vec![(vec![], 0.0); methods.len()]);
        for seed in 1..=seeds {
            let family = family.build(&FamilySettings { amplitude, ..FamilySettings::default() })?;
            let draw = draw(family.as_ref(), rows, seed);
            let samples = features(&draw)?;
            let Adjusted { r, u1, u2, s, .. } =
                adjust(&Measure::Pm.decompose(&family.terms(&draw)?, &draw.labels).means());
            exact.push(Means { r, u1, u2, s });
            let classes = classes(family.as_ref())?;
            let data = Data { train: &samples, eval: None, classes: &classes };
            for (method, (means, seconds)) in methods.iter().zip(&mut found) {
                let estimate = method.estimate(data, &Settings::default(), seed, None)?;
                means.push(estimate.means);
                *seconds += estimate.seconds / seeds as f64;
            }
        }
        let exact = average(&exact);
        println!("{:<15}{:<13}{}   {:.4}", "", "density", parts(exact), largest_error(exact, truth));
        for (method, (means, seconds)) in methods.iter().zip(&found) {
            let means = average(means);
            let (of_truth, of_density) = (largest_error(means, truth), largest_error(means, exact));
            println!(
                "{:<15}{:<13}{}   {of_truth:.4}         {of_density:.4}    {seconds:>9.1}",
                "",
                method.name(),
                parts(means)
            );
        }
    }
    Ok(())
}

/// The decomposition of equally probable outcomes.
fn truth(outcomes: &[[&str; 3]]) -> Result<Means, Box<dyn Error>> {
    let probability = 1.0 / outcomes.len() as f64;
    let joint = Joint::from_probabilities(outcomes.iter().map(|[x1, x2, y]| ([*x1, *x2], *y, probability)))?;
    Ok(JointMeasure::Broja.decompose(&joint)?.means)
}

fn average(of: &[Means]) -> Means {
    let mean = |part: fn(&Means) -> f64| of.iter().map(part).sum::<f64>() / of.len() as f64;
    Means { r: mean(|m| m.r), u1: mean(|m| m.u1), u2: mean(|m| m.u2), s: mean(|m| m.s) }
}

fn largest_error(found: Means, exact: Means) -> f64 {
    let errors = [found.r - exact.r, found.u1 - exact.u1, found.u2 - exact.u2, found.s - exact.s];
    errors.iter().fold(0.0, |largest, error| error.abs().max(largest))
}
