//! PID-CVX's side of a comparison: the table of all rows, with intervals by the bootstrap of its counts.

use std::time::Instant;

use lsmi_core::discrete::{Bias, Counts, Information, JointMeasure};
use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval};

use super::{Data, Estimate, Settings};
use crate::baselines::pid_cvx::{Params, PidCvx, decompose};
use crate::error::{EstimatorError, Result};
use crate::features::FeatureSet;

/// The largest number of cells of a table with intervals: solving larger ones a hundred times would take longer than
/// everything else.
const CELLS: usize = 4000;
/// Tables drawn for the intervals.
const RESAMPLES: usize = 100;

pub(super) fn estimate(data: Data<'_>, settings: &Settings, seed: u64) -> Result<Estimate> {
    let begun = Instant::now();
    let rows = data.eval.unwrap_or(data.train);
    let params = Params { seed, ..settings.pid_cvx.clone() };
    let found = decompose(rows, data.classes.len(), &params)?;
    let seconds = begun.elapsed().as_secs_f64();

    let cells = found.occupied[0] * found.occupied[1] * data.classes.len();
    let mut notes = Vec::new();
    if cells > CELLS {
        notes.push(format!("a table of {cells} cells is solved once, so there are no intervals"));
    }
    // Independent variables would show as much in a table that has so few rows.
    let bias = (found.occupied[0] * found.occupied[1] - 1) * (data.classes.len() - 1);
    notes.push(format!(
        "a table of {} x {} clusters and {} classes can overstate I(x1,x2;y), and S with it, by up to {:.3} nats",
        found.occupied[0],
        found.occupied[1],
        data.classes.len(),
        bias as f64 / (2.0 * rows.rows() as f64)
    ));
    Ok(Estimate {
        information: Information { i1: found.solution.i1, i2: found.solution.i2, i12: found.i12 },
        means: found.parts,
        intervals: if cells > CELLS { None } else { Some(intervals(rows, &found, &settings.bootstrap, seed)?) },
        rows: rows.rows(),
        seconds,
        notes,
    })
}

/// Computes intervals with the clusters as they are.
fn intervals(rows: &FeatureSet, found: &PidCvx, bootstrap: &Bootstrap, seed: u64) -> Result<[Interval; 4]> {
    let names = |numbers: &[u32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
    let [x1, x2] = found.assignments.each_ref().map(|clusters| names(clusters));
    let y = names(&rows.labels);
    let samples = x1.iter().zip(&x2).zip(&y).map(|((x1, x2), y)| ([x1.as_str(), x2.as_str()], y.as_str()));
    let bootstrap = Bootstrap { resamples: RESAMPLES.min(bootstrap.resamples), ..*bootstrap };
    let table_intervals = Counts::from_samples(samples).and_then(|counts| {
        let random = &mut stream(seed, "intervals of PID-CVX");
        counts.intervals(&[JointMeasure::Broja], Bias::PlugIn, &bootstrap, random)
    });
    let expected = "such that their joint distribution can be decomposed".to_owned();
    let refused = |found: String| EstimatorError::Samples { what: "clusters", found, expected: expected.clone() };
    let table_intervals = table_intervals.map_err(|error| refused(error.to_string()))?;
    let measure = table_intervals.measures.into_iter().next();
    measure.map(|(_, intervals)| intervals).ok_or_else(|| refused("without a decomposition".to_owned()))
}
