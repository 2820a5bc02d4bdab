//! PID-Batch's side of a comparison.

use std::time::Instant;

use crossbeam_channel::Sender;
use lsmi_core::discrete::Information;
use lsmi_core::random::stream;
use lsmi_core::statistics::Interval;
use rand::seq::SliceRandom;

use super::{Data, Estimate, Settings};
use crate::baselines::pid_batch::{Params, PidBatch, decompose};
use crate::error::Result;
use crate::estimator::folds::divide_groups;
use crate::estimator::{Progress, find_groups};
use crate::features::FeatureSet;

/// The number of parts of training rows of which one is held out if there are no evaluation rows.
const HELD_OUT: usize = 5;
/// Half a 95 % interval, in standard errors.
const NORMAL: f64 = 1.96;

pub(super) fn estimate(
    data: Data<'_>,
    settings: &Settings,
    seed: u64,
    progress: Option<&Sender<Progress>>,
) -> Result<Estimate> {
    let begun = Instant::now();
    let mut notes = Vec::new();
    let divided = data.eval.is_none().then(|| divide(data.train, seed));
    let (train, eval) = match (&divided, data.eval) {
        (Some((train, held_out)), _) => {
            notes.push(format!("trained on {} rows, evaluated on {} others", train.rows(), held_out.rows()));
            (train, held_out)
        }
        (None, eval) => (data.train, eval.unwrap_or(data.train)),
    };
    let batch = settings.pid_batch.batch.min(train.rows()).min(eval.rows());
    if batch < settings.pid_batch.batch {
        notes.push(format!("batches of {batch} rows, as there are no more"));
    }
    let params = Params { batch, threads: settings.estimator.threads, ..settings.pid_batch.clone() };
    let device = settings.estimator.device.open()?;
    let found = decompose(train, Some(eval), data.classes.len(), &params, &device, seed, progress)?;
    let seconds = begun.elapsed().as_secs_f64();

    let crate::baselines::pid_batch::Information { i1, i2, i12, .. } = found.information;
    Ok(Estimate {
        information: Information { i1, i2, i12 },
        means: found.means,
        intervals: intervals(&found),
        rows: batch * found.batches.len(),
        seconds,
        notes,
    })
}

/// Returns the training rows and those held out.
fn divide(rows: &FeatureSet, seed: u64) -> (FeatureSet, FeatureSet) {
    #[expect(clippy::cast_possible_truncation, reason = "a few parts")]
    let part = (0, HELD_OUT as u32);
    let groups = find_groups(rows, HELD_OUT).0;
    let divided =
        groups.and_then(|groups| divide_groups(&rows.labels, &groups, part, seed, "rows held out for PID-Batch"));
    if let Some((train, held_out)) = divided {
        return (rows.select(&train), rows.select(&held_out));
    }
    let mut order: Vec<usize> = (0..rows.rows()).collect();
    order.shuffle(&mut stream(seed, "rows held out for PID-Batch"));
    let (held_out, train) = order.split_at(rows.rows() / HELD_OUT);
    (rows.select(train), rows.select(held_out))
}

fn intervals(found: &PidBatch) -> Option<[Interval; 4]> {
    let spread = found.spread?;
    let interval = |mean: f64, deviation: f64| {
        let error = deviation / (found.batches.len() as f64).sqrt();
        Interval { mean, standard_error: Some(error), lower: mean - NORMAL * error, upper: mean + NORMAL * error }
    };
    let means = found.means;
    Some([
        interval(means.r, spread.r),
        interval(means.u1, spread.u1),
        interval(means.u2, spread.u2),
        interval(means.s, spread.s),
    ])
}
