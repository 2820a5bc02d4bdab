//! What `compare` writes and prints as JSON: what each method says, in nats, and how far that is from the exact answer.

use lsmi_candle::baselines::compare::{Estimate, Method};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::Means;
use lsmi_core::discrete::Information;
use lsmi_core::statistics::{Interval, mean, standard_deviation};
use serde::Serialize;

use crate::output::exact::Exact;
use lsmi_candle::analysis::as_map;

/// Version of the layout.
const SCHEMA: u32 = 1;

/// All that `compare` found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Comparison {
    /// Version of this layout.
    schema: u32,
    /// Version of the program.
    version: &'static str,
    /// Always `nats`.
    units: &'static str,
    /// The first seed.
    seed: u64,
    /// Rows to fit to.
    n: usize,
    /// Class names, in the order of the class indices.
    classes: Vec<String>,
    /// The exact answer, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exact: Option<Exact>,
    /// What each method says, in the order in which they were asked.
    #[serde(serialize_with = "as_map")]
    pub(crate) methods: Vec<(Method, OfMethod)>,
}

/// What a method says: means over its runs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OfMethod {
    /// R, U1, U2 and S.
    #[serde(flatten)]
    pub(crate) means: Means,
    /// I(X1;Y), I(X2;Y) and I(X1,X2;Y).
    pub(crate) information: Information,
    /// How far other rows would move R, U1, U2 and S: means of the runs' ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intervals: Option<Parts<Ends>>,
    /// Standard deviation of R, U1, U2 and S over runs with other seeds, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed_sd: Option<Means>,
    /// What R, U1, U2 and S are off the exact answer, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Means>,
    /// Rows that the method answers for.
    pub(crate) rows: usize,
    /// How long a run took, in seconds: the mean over runs.
    pub(crate) seconds: f64,
    /// Every run.
    pub(crate) runs: Vec<Run>,
    /// What a user should know of the first run, in sentences.
    pub(crate) notes: Vec<String>,
}

/// One run.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Run {
    /// Its seed.
    seed: u64,
    /// R, U1, U2 and S.
    #[serde(flatten)]
    means: Means,
    /// How long it took, in seconds.
    seconds: f64,
}

/// One value for each part.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Parts<T> {
    pub(crate) r: T,
    pub(crate) u1: T,
    pub(crate) u2: T,
    pub(crate) s: T,
}

/// The ends of an interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Ends {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Comparison {
    /// What the runs of each method say, with seeds from `seed` on.
    pub(crate) fn new(
        seed: u64,
        train: &FeatureSet,
        classes: &Classes,
        exact: Option<Exact>,
        runs: Vec<(Method, Vec<Estimate>)>,
    ) -> Self {
        let truth = exact.as_ref().map(|exact| exact.means);
        let methods = runs.into_iter().map(|(method, runs)| (method, OfMethod::new(seed, &runs, truth))).collect();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            units: "nats",
            seed,
            n: train.rows(),
            classes: classes.names().to_vec(),
            exact,
            methods,
        }
    }
}

impl OfMethod {
    fn new(first_seed: u64, runs: &[Estimate], truth: Option<Means>) -> Self {
        let of = |value: &dyn Fn(&Estimate) -> f64| runs.iter().map(value).collect::<Vec<f64>>();
        let over = |statistic: fn(&[f64]) -> f64| Means {
            r: statistic(&of(&|run| run.means.r)),
            u1: statistic(&of(&|run| run.means.u1)),
            u2: statistic(&of(&|run| run.means.u2)),
            s: statistic(&of(&|run| run.means.s)),
        };
        let means = over(mean);
        let seeds = (0..).map(|run| first_seed.wrapping_add(run));
        let listed = runs.iter().zip(seeds).map(|(run, seed)| Run { seed, means: run.means, seconds: run.seconds });
        Self {
            means,
            information: Information {
                i1: mean(&of(&|run| run.information.i1)),
                i2: mean(&of(&|run| run.information.i2)),
                i12: mean(&of(&|run| run.information.i12)),
            },
            intervals: intervals(runs),
            seed_sd: (runs.len() > 1).then(|| over(standard_deviation)),
            error: truth.map(|truth| Means {
                r: means.r - truth.r,
                u1: means.u1 - truth.u1,
                u2: means.u2 - truth.u2,
                s: means.s - truth.s,
            }),
            rows: runs.first().map_or(0, |run| run.rows),
            seconds: mean(&of(&|run| run.seconds)),
            runs: listed.collect(),
            notes: runs.first().map_or_else(Vec::new, |run| run.notes.clone()),
        }
    }
}

fn intervals(runs: &[Estimate]) -> Option<Parts<Ends>> {
    let of_runs: Vec<[Interval; 4]> = runs.iter().map(|run| run.intervals).collect::<Option<_>>()?;
    let ends = |part: usize| {
        let of = |end: fn(&Interval) -> f64| mean(&of_runs.iter().map(|run| end(&run[part])).collect::<Vec<_>>());
        Ends { lower: of(|interval| interval.lower), upper: of(|interval| interval.upper) }
    };
    Some(Parts { r: ends(0), u1: ends(1), u2: ends(2), s: ends(3) })
}
