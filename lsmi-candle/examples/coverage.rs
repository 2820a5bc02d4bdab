//! How often the 95 % intervals of the summary hold the truth.
//!
//! Draws many training sets from a family with a known density, cross-fits each, takes the bootstrap intervals of the
//! means R, U1, U2, S as `lsmi analyze` does (with one end moved out by half of what the means gain in sample), and counts those that hold the means of the family itself (by Monte Carlo
//! over 1,000,000 samples with exact terms). Raw gauge, measure `pm`.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example coverage [-- SETS [ROWS [REPEATS [family ...]]]]
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::estimator::{Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{Family, FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval, mean, standard_deviation};
use lsmi_core::{Interaction, Measure, SampleIds};

const SAMPLES_OF_THE_TRUTH: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, usual: usize| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let (sets, rows, repeats) = (number(0, 200)?, number(1, 1000)?, number(2, 1)?);
    let named: Vec<FamilyName> = arguments.iter().skip(3).map(|name| name.parse()).collect::<Result<_, _>>()?;
    let families = if named.is_empty() { vec![FamilyName::Or, FamilyName::Mixed] } else { named };
    println!("{sets} sets of {rows} rows, {repeats} repeats");
    println!("family   component  truth    mean     bias     deviation  mean half-width  coverage");
    for name in families {
        let family = name.build(&FamilySettings::default())?;
        let truth = truth(family.as_ref())?;
        let mut found: [Vec<Interval>; 4] = Default::default();
        for set in 0..sets as u64 {
            for (all, interval) in found.iter_mut().zip(of_set(family.as_ref(), rows, repeats, set)?) {
                all.push(interval);
            }
        }
        for ((part, truth), found) in Interaction::ALL.into_iter().zip(truth).zip(found) {
            let means: Vec<f64> = found.iter().map(|interval| interval.mean).collect();
            let widths: Vec<f64> = found.iter().map(|interval| (interval.upper - interval.lower) / 2.0).collect();
            let held = found.iter().filter(|interval| (interval.lower..=interval.upper).contains(&truth)).count();
            println!(
                "{:<8} {part:<10} {truth:7.4}  {:7.4}  {:7.4}  {:7.4}    {:7.4}          {:.3}",
                name.to_string(),
                mean(&means),
                mean(&means) - truth,
                standard_deviation(&means),
                mean(&widths),
                held as f64 / sets as f64
            );
        }
    }
    Ok(())
}

/// The means of the family.
fn truth(family: &dyn Family) -> Result<[f64; 4], Box<dyn Error>> {
    let draw = family.sample(SAMPLES_OF_THE_TRUTH, &mut stream(0, "truth"));
    let parts = Measure::Pm.decompose(&family.terms(&draw)?, &draw.labels);
    Ok(Interaction::ALL.map(|part| mean(parts.values(part))))
}

/// Mean and interval of each component, from one training set.
fn of_set(family: &dyn Family, rows: usize, repeats: usize, set: u64) -> Result<Vec<Interval>, Box<dyn Error>> {
    let draw = family.sample(rows, &mut stream(set, "coverage"));
    let (d1, d2) = draw.dims;
    let train = FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, d1, draw.x1)?,
        Matrix::new(rows, d2, draw.x2)?,
        draw.labels,
    )?;
    let classes = Classes::new((0..family.classes()).map(|class| class.to_string()).collect())?;
    let settings = Settings { seed: set, repeats, gauge: GaugeKind::Raw, ..Settings::default() };
    let fit = cross_fit(&train, &classes, &settings, None)?;
    let parts = Measure::Pm.decompose(&fit.scores.terms, &fit.scores.labels);
    let in_sample = fit.estimator.score(&train)?;
    let in_sample = Measure::Pm.decompose(&in_sample.terms, &in_sample.labels);
    let columns = Interaction::ALL.map(|part| parts.values(part));
    let intervals = Bootstrap::default().intervals(&columns, &mut stream(set, "bootstrap of train"))?;
    let reaching = |(interval, part): (Interval, Interaction)| {
        interval.reaching((mean(in_sample.values(part)) - mean(parts.values(part))) / 2.0)
    };
    Ok(intervals.into_iter().zip(Interaction::ALL).map(reaching).collect())
}
