//! LSMI's side of a comparison: adjusted means, with intervals over rows.

use std::time::Instant;

use crossbeam_channel::Sender;
use lsmi_core::discrete::Information;
use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval, standard_deviation};
use lsmi_core::{Adjusted, Decomposition, Interaction, Means, TermMeans, adjust};

use super::{Data, Estimate, Settings};
use crate::error::Result;
use crate::estimator::{self, Progress, cross_fit};

pub(super) fn estimate(
    data: Data<'_>,
    settings: &Settings,
    seed: u64,
    progress: Option<&Sender<Progress>>,
) -> Result<Estimate> {
    let begun = Instant::now();
    let estimator = estimator::Settings { seed, ..settings.estimator.clone() };
    let fit = cross_fit(data.train, data.classes, &estimator, progress)?;
    let scores = match data.eval {
        Some(eval) => fit.estimator.score(eval)?,
        None => fit.scores,
    };
    let measure = fit.estimator.measure();
    let parts = measure.decompose_with(&scores.terms, &scores.labels, fit.estimator.reference());
    let means = adjusted(&parts.means());
    let seconds = begun.elapsed().as_secs_f64();

    let TermMeans { i1, i2, i12, .. } = scores.terms.means();
    Ok(Estimate {
        information: Information { i1, i2, i12 },
        means,
        intervals: Some(intervals(&parts, scores.groups.as_deref(), means, &settings.bootstrap, seed)?),
        rows: parts.len(),
        seconds,
        notes: fit.estimator.notes().to_vec(),
    })
}

fn adjusted(means: &Means) -> Means {
    let Adjusted { r, u1, u2, s, .. } = adjust(means);
    Means { r, u1, u2, s }
}

/// Computes intervals of the adjusted means: rows, or groups of rows that belong together, are drawn anew, and the
/// means of each draw are adjusted by themselves.
fn intervals(
    parts: &Decomposition,
    groups: Option<&[u32]>,
    means: Means,
    bootstrap: &Bootstrap,
    seed: u64,
) -> Result<[Interval; 4]> {
    let columns = Interaction::ALL.map(|part| parts.values(part));
    let mut random = stream(seed, "intervals of adjusted means");
    let resampled = match groups {
        None => bootstrap.resampled(&columns, &[0.0; 4], &mut random)?,
        Some(groups) => bootstrap.resampled_clusters(&columns, groups, &[0.0; 4], &mut random)?,
    };
    let draws = (0..bootstrap.resamples).map(|draw| {
        let [r, u1, u2, s] = [0, 1, 2, 3].map(|part| resampled[part][draw]);
        adjusted(&Means { r, u1, u2, s })
    });
    let mut part_draws: [Vec<f64>; 4] = Default::default();
    for means in draws {
        for (values, mean) in part_draws.iter_mut().zip([means.r, means.u1, means.u2, means.s]) {
            values.push(mean);
        }
    }
    let interval = |mean: f64, values: &[f64]| {
        let (lower, upper) = bootstrap.ends(values);
        Interval { mean, standard_error: Some(standard_deviation(values)), lower, upper }
    };
    let [r, u1, u2, s] = &part_draws;
    Ok([interval(means.r, r), interval(means.u1, u1), interval(means.u2, u2), interval(means.s, s)])
}
