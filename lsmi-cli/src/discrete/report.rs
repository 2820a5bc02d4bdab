//! The result of `lsmi discrete` as JSON.

use std::f64::consts::LN_2;

use lsmi_core::discrete::broja::Status;
use lsmi_core::discrete::lattice::{Lattice, LatticeDecomposition};
use lsmi_core::discrete::{Bias, Information, Intervals, JointDecomposition, JointMeasure, States};
use lsmi_core::statistics::{Bootstrap, Interval};
use serde::{Serialize, Serializer};

use lsmi_candle::analysis::as_map;

/// Everything that is found, in the units named.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `nats` or `bits`.
    pub(crate) units: Units,
    /// How many samples were counted; absent for probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) samples: Option<u64>,
    /// What was done about the bias of few samples; absent for probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bias: Option<Bias>,
    /// How far shrinkage went, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intensity: Option<f64>,
    /// Mutual informations of sets of sources and y: `i1`, `i2`, `i12` and so on.
    #[serde(serialize_with = "as_map")]
    pub(crate) information: Vec<(String, f64)>,
    /// r, u1, u2 and s of two sources.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub(crate) measures: Vec<(JointMeasure, Parts)>,
    /// Atoms on the redundancy lattice.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub(crate) lattice: Vec<(JointMeasure, Atoms)>,
    /// How far everything would move with other samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intervals: Option<IntervalReport>,
    /// What a reader should know besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// The units of all values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Units {
    /// Natural logarithms.
    Nats,
    /// Logarithms to the base 2.
    Bits,
}

impl Units {
    /// A value in nats, in these units.
    pub(crate) fn of(self, nats: f64) -> f64 {
        match self {
            Self::Nats => nats,
            Self::Bits => nats / LN_2,
        }
    }

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Bits => "bits",
        }
    }

    fn of_interval(self, interval: Interval) -> Interval {
        let Interval { mean, standard_error, lower, upper } = interval;
        Interval {
            mean: self.of(mean),
            standard_error: standard_error.map(|error| self.of(error)),
            lower: self.of(lower),
            upper: self.of(upper),
        }
    }
}

/// The decomposition under one measure.
#[derive(Debug, Serialize)]
pub(crate) struct Parts {
    pub(crate) r: f64,
    pub(crate) u1: f64,
    pub(crate) u2: f64,
    pub(crate) s: f64,
    /// Whether an iteration arrived: `converged` or `stalled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<&'static str>,
    /// How many iterations there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iterations: Option<usize>,
    /// The largest relative deviation of a pair's probability in the distribution of maximum entropy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deviation: Option<f64>,
    /// The bounds of the union information from above and from below; how far any component can be off; and who found them.
    #[serde(flatten)]
    pub(crate) certificate: Option<Certificate>,
    /// The decomposition of every outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointwise: Option<Vec<OutcomeParts>>,
}

/// How well the union information of `broja` is known.
#[derive(Debug, Serialize)]
pub(crate) struct Certificate {
    /// Its bound from above, which is attained.
    pub(crate) primal: f64,
    /// Its bound from below.
    pub(crate) dual: f64,
    /// The difference of both.
    pub(crate) gap: f64,
    /// The method that found them: `alternating_minimisation`.
    pub(crate) method: &'static str,
}

/// The decomposition of one outcome.
#[derive(Debug, Serialize)]
pub(crate) struct OutcomeParts {
    /// The states of the sources and of y.
    pub(crate) outcome: Vec<String>,
    pub(crate) probability: f64,
    pub(crate) r: f64,
    pub(crate) u1: f64,
    pub(crate) u2: f64,
    pub(crate) s: f64,
}

/// The atoms of the lattice under one measure.
#[derive(Debug, Serialize)]
pub(crate) struct Atoms {
    /// From the bottom to the top.
    pub(crate) atoms: Vec<Node>,
    /// The atoms of every outcome, in the order of `atoms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointwise: Option<Vec<OutcomeAtoms>>,
}

/// A node of the lattice.
#[derive(Debug, Serialize)]
pub(crate) struct Node {
    /// Its sets of sources, as in `{1}{23}`.
    pub(crate) antichain: String,
    /// What they share: the atoms of the node and of all below it.
    pub(crate) redundancy: f64,
    pub(crate) atom: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) informative: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) misinformative: Option<f64>,
}

/// The atoms of one outcome.
#[derive(Debug, Serialize)]
pub(crate) struct OutcomeAtoms {
    /// The states of the sources and of y.
    pub(crate) outcome: Vec<String>,
    pub(crate) probability: f64,
    pub(crate) informative: Vec<f64>,
    pub(crate) misinformative: Vec<f64>,
}

/// Bootstrap intervals.
#[derive(Debug, Serialize)]
pub(crate) struct IntervalReport {
    pub(crate) level: f64,
    pub(crate) resamples: usize,
    #[serde(serialize_with = "as_map")]
    pub(crate) information: Vec<(&'static str, Interval)>,
    #[serde(serialize_with = "as_map")]
    pub(crate) measures: Vec<(JointMeasure, NamedIntervals)>,
}

/// Intervals of r, u1, u2 and s.
#[derive(Debug)]
pub(crate) struct NamedIntervals(pub(crate) [Interval; 4]);

impl Serialize for NamedIntervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = ["r", "u1", "u2", "s"];
        let pairs: Vec<(&str, Interval)> = names.into_iter().zip(self.0).collect();
        as_map(&pairs, serializer)
    }
}

/// The informations of two sources.
pub(crate) fn information(units: Units, information: Information) -> Vec<(String, f64)> {
    let Information { i1, i2, i12 } = information;
    [("i1", i1), ("i2", i2), ("i12", i12)].map(|(name, value)| (name.to_owned(), units.of(value))).to_vec()
}

/// The decomposition of two sources, with that of every outcome if `pointwise` is true.
pub(crate) fn parts(units: Units, parts: JointDecomposition, states: &States<2>, pointwise: bool) -> Parts {
    let of = |value| units.of(value);
    let means = parts.means;
    let outcomes = parts.pointwise.filter(|_| pointwise).map(|outcomes| {
        let of_outcome = |part: lsmi_core::discrete::Pointwise| OutcomeParts {
            outcome: states.names(&part.outcome).into_iter().map(str::to_owned).collect(),
            probability: part.probability,
            r: of(part.r),
            u1: of(part.u1),
            u2: of(part.u2),
            s: of(part.s),
        };
        outcomes.into_iter().map(of_outcome).collect()
    });
    let solution = parts.certificate;
    let iteration = parts.convergence.map(|found| (found.converged, found.iterations));
    let iteration = iteration.or(solution.as_ref().map(|found| (found.status == Status::Converged, found.iterations)));
    Parts {
        r: of(means.r),
        u1: of(means.u1),
        u2: of(means.u2),
        s: of(means.s),
        status: iteration.map(|(converged, _)| if converged { "converged" } else { "stalled" }),
        iterations: iteration.map(|(_, iterations)| iterations),
        deviation: parts.convergence.map(|convergence| convergence.deviation),
        certificate: solution.map(|found| Certificate {
            primal: of(found.primal),
            dual: of(found.dual),
            gap: of(found.gap),
            method: "alternating_minimisation",
        }),
        pointwise: outcomes,
    }
}

/// The atoms of a lattice.
pub(crate) fn atoms<const S: usize>(units: Units, parts: LatticeDecomposition<S>, states: &States<S>) -> Atoms {
    let node = |node: lsmi_core::discrete::lattice::LatticeAtom| Node {
        antichain: node.antichain.to_string(),
        redundancy: units.of(node.redundancy),
        atom: units.of(node.atom),
        informative: node.parts.map(|[informative, _]| units.of(informative)),
        misinformative: node.parts.map(|[_, misinformative]| units.of(misinformative)),
    };
    let in_units = |values: Vec<f64>| values.into_iter().map(|value| units.of(value)).collect();
    let outcome = |part: lsmi_core::discrete::lattice::PointwiseAtoms<S>| OutcomeAtoms {
        outcome: states.names(&part.outcome).into_iter().map(str::to_owned).collect(),
        probability: part.probability,
        informative: in_units(part.informative),
        misinformative: in_units(part.misinformative),
    };
    Atoms {
        atoms: parts.atoms.into_iter().map(node).collect(),
        pointwise: parts.pointwise.map(|outcomes| outcomes.into_iter().map(outcome).collect()),
    }
}

/// The informations of all sets of sources, which are redundancies on the lattice: `i1`, `i2`, ..., `i123`.
pub(crate) fn information_on<const S: usize>(lattice: &Lattice<S>, atoms: &Atoms) -> Vec<(String, f64)> {
    let mut found: Vec<(u8, String, f64)> = lattice
        .antichains()
        .zip(&atoms.atoms)
        .filter_map(|(antichain, node)| match antichain.sets[..] {
            [set] => Some((set, format!("i{}", node.antichain.trim_matches(['{', '}'])), node.redundancy)),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(set, ..)| (set.count_ones(), *set));
    found.into_iter().map(|(_, name, value)| (name, value)).collect()
}

/// Intervals in the units.
pub(crate) fn intervals(units: Units, bootstrap: Bootstrap, intervals: Intervals) -> IntervalReport {
    let names = ["i1", "i2", "i12"];
    let of_measure = |(measure, parts): (JointMeasure, [Interval; 4])| {
        (measure, NamedIntervals(parts.map(|interval| units.of_interval(interval))))
    };
    IntervalReport {
        level: bootstrap.level,
        resamples: bootstrap.resamples,
        information: names.into_iter().zip(intervals.information.map(|interval| units.of_interval(interval))).collect(),
        measures: intervals.measures.into_iter().map(of_measure).collect(),
    }
}
