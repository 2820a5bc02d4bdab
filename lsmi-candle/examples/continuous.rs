//! Measures the estimator of continuous targets against exact terms: means of i1, i2, i12 and correlations sample by sample.
//!
//! `cargo run --release --example continuous -- [ROWS] [DIMS] [FAMILY ...]`

use lsmi_candle::Matrix;
use lsmi_candle::estimator::continuous::{TargetSettings, cross_fit_targets};
use lsmi_candle::features::TargetSet;
use lsmi_core::families::ContinuousFamily;
use lsmi_core::random::stream;
use lsmi_core::statistics::pearson;
use lsmi_core::{Measure, SampleIds};

#[expect(clippy::print_stdout, reason = "a program that measures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(10_000), |rows| rows.parse())?;
    let dims: usize = arguments.next().map_or(Ok(5), |dims| dims.parse())?;
    let named: Vec<ContinuousFamily> = arguments.map(|name| name.parse()).collect::<Result<_, _>>()?;
    let families = if named.is_empty() { ContinuousFamily::ALL.to_vec() } else { named };
    println!("| family | | i1 | i2 | i12 | r | u1 | u2 | s | time |\n|---|---|---|---|---|---|---|---|---|---|");
    for family in families {
        let draw = family.sample(rows, dims, &mut stream(0, "continuous example"));
        let exact = family.terms(&draw)?;
        let exact_parts = Measure::Pm.decompose(&exact, &vec![0; rows]);
        let matrix = |values: &[f64], columns| Matrix::new(rows, columns, values.to_vec());
        let (x1, x2) = (matrix(&draw.x1, dims)?, matrix(&draw.x2, dims)?);
        let samples = TargetSet::new(SampleIds::rows(rows), x1, x2, matrix(&draw.targets, 1)?)?;
        let start = std::time::Instant::now();
        let fit = cross_fit_targets(&samples, &TargetSettings::default(), None)?;
        let seconds = start.elapsed().as_secs_f64();
        let scores = &fit.scores[0];
        let (found, parts) = (&scores.terms, Measure::Pm.decompose(&scores.terms, &vec![0; rows]));
        let pairs = [
            (&exact.i1, &found.i1),
            (&exact.i2, &found.i2),
            (&exact.i12, &found.i12),
            (&exact_parts.r, &parts.r),
            (&exact_parts.u1, &parts.u1),
            (&exact_parts.u2, &parts.u2),
            (&exact_parts.s, &parts.s),
        ];
        let mean = |values: &[f64]| lsmi_core::statistics::mean(values);
        let line = |of: &dyn Fn(&[f64], &[f64]) -> f64| {
            pairs.iter().map(|(exact, found)| format!("{:.4}", of(exact, found))).collect::<Vec<_>>().join(" | ")
        };
        println!("| {family} | exact | {} | |", line(&|exact, _| mean(exact)));
        println!("| | found less exact | {} | {seconds:.0} s |", line(&|exact, found| mean(found) - mean(exact)));
        println!("| | correlation | {} | |", line(&|exact, found| pearson(exact, found).unwrap_or(f64::NAN)));
    }
    Ok(())
}
