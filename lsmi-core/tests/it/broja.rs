//! BROJA against exact values, closed forms, a conic solver and its own certificate.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::discrete::broja::{Settings, Solution, Status, union_information};
use lsmi_core::random::{ChaCha8Rng, stream};
use lsmi_core::{Error, Means};
use proptest::prelude::*;
use rand::Rng;
use serde_json::Value;

use crate::conic;

/// The widest gap that a result may have, in nats.
const GAP: f64 = 1e-7;

/// p(x1, x2, y), `[first, second, classes]`.
#[derive(Debug, Clone)]
struct Table {
    first: usize,
    second: usize,
    classes: usize,
    joint: Vec<f64>,
}

impl Table {
    fn new(first: usize, second: usize, classes: usize, weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        Self { first, second, classes, joint: weights.iter().map(|weight| weight / total).collect() }
    }

    /// Outcomes such as `011`: x1, x2 and y.
    fn parse<'a>(outcomes: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let mut weights = vec![0.0; 64];
        for (outcome, weight) in outcomes {
            weights[usize::from_str_radix(outcome, 4).unwrap()] += weight;
        }
        Self::new(4, 4, 4, &weights)
    }

    fn cell(&self, x1: usize, x2: usize, class: usize) -> f64 {
        self.joint[(x1 * self.second + x2) * self.classes + class]
    }

    fn marginals(&self) -> (Vec<f64>, Vec<f64>) {
        let mut x1_y = vec![0.0; self.first * self.classes];
        let mut x2_y = vec![0.0; self.second * self.classes];
        for x1 in 0..self.first {
            for x2 in 0..self.second {
                for class in 0..self.classes {
                    x1_y[x1 * self.classes + class] += self.cell(x1, x2, class);
                    x2_y[x2 * self.classes + class] += self.cell(x1, x2, class);
                }
            }
        }
        (x1_y, x2_y)
    }

    /// I(X1,X2; Y).
    fn information(&self) -> f64 {
        let of_class = |class: usize| -> f64 { self.joint.iter().skip(class).step_by(self.classes).sum() };
        let of_classes: Vec<f64> = (0..self.classes).map(of_class).collect();
        let of_pair = |pair: &[f64]| {
            let total: f64 = pair.iter().sum();
            let terms = pair.iter().zip(&of_classes).filter(|(p, _)| **p > 0.0);
            terms.map(|(p, of_class)| p * (p / total / of_class).ln()).sum::<f64>()
        };
        self.joint.chunks(self.classes).map(of_pair).sum()
    }

    fn solve(&self) -> Solution {
        let (x1_y, x2_y) = self.marginals();
        union_information(&x1_y, &x2_y, self.classes, &Settings::default()).unwrap()
    }

    fn exchanged(&self) -> Self {
        let mut joint = Vec::new();
        for x2 in 0..self.second {
            for x1 in 0..self.first {
                joint.extend((0..self.classes).map(|class| self.cell(x1, x2, class)));
            }
        }
        Self { first: self.second, second: self.first, classes: self.classes, joint }
    }

    /// The same with state 0 of x1 divided into two states that mean the same, `share` of it in the new one.
    fn split(&self, share: f64) -> Self {
        let mut joint = self.joint.clone();
        for index in 0..self.second * self.classes {
            joint.push(self.joint[index] * share);
            joint[index] *= 1.0 - share;
        }
        Self { first: self.first + 1, joint, ..*self }
    }
}

/// Checks what a solution says of itself against its q.
fn check_certificate(table: &Table, solution: &Solution) {
    assert_eq!(solution.status, Status::Converged, "{solution:?}");
    assert!(solution.gap <= GAP && solution.dual <= solution.primal + 1e-12, "{solution:?}");
    let mut weights = vec![0.0; table.joint.len()];
    for cell in &solution.q {
        weights[(cell.x1 * table.second + cell.x2) * table.classes + cell.class] = cell.probability;
    }
    let q = Table { joint: weights, ..*table };
    let ((p1, p2), (q1, q2)) = (table.marginals(), q.marginals());
    for (p, q) in p1.iter().chain(&p2).zip(q1.iter().chain(&q2)) {
        assert!((p - q).abs() < 1e-13, "a marginal of q is {q} instead of {p}");
    }
    assert!((q.information() - solution.primal).abs() < 1e-11, "q attains what is said");
}

fn largest_difference(a: &Means, b: [f64; 4]) -> f64 {
    [a.r, a.u1, a.u2, a.s].iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn all_distributions_of_the_oracle() {
    let oracle: Value = serde_json::from_str(include_str!("../fixtures/discrete.json")).unwrap();
    let distributions = oracle["distributions"].as_object().unwrap();
    assert_eq!(distributions.len(), 20);
    for (name, distribution) in distributions {
        let pmf = distribution["pmf"].as_object().unwrap();
        let table = Table::parse(pmf.iter().map(|(outcome, p)| (outcome.as_str(), p.as_f64().unwrap())));
        let exact: Vec<f64> =
            distribution["I_broja"].as_array().unwrap().iter().map(|bits| bits.as_f64().unwrap() * LN_2).collect();
        let solution = table.solve();
        check_certificate(&table, &solution);
        let parts = solution.decompose(table.information());
        let error = largest_difference(&parts, exact.clone().try_into().unwrap());
        assert!(error < 1e-6 * LN_2, "{name}: {parts:?} instead of {exact:?}");
    }
}

/// Random probabilities in one of four manners: flat, uneven, with zeros, and over nine orders of magnitude.
fn random_table(manner: usize, random: &mut ChaCha8Rng) -> Table {
    let [first, second, classes] = [(); 3].map(|()| random.random_range(2..=17usize));
    let mut weights: Vec<f64> = (0..first * second * classes)
        .map(|_| {
            let uniform: f64 = random.random();
            match manner {
                0 => -uniform.ln_1p(),
                1 => (1.0 - uniform).powi(8),
                2 if random.random_bool(0.7) => 0.0,
                2 => 1.0 - uniform,
                _ => 10f64.powf(-9.0 * uniform),
            }
            .abs()
        })
        .collect();
    weights[0] += 1e-3;
    Table::new(first, second, classes, &weights)
}

#[test]
fn two_hundred_random_tables() {
    let mut random = stream(0, "random tables");
    let mut solved = 0;
    for index in 0..200 {
        let table = random_table(index % 4, &mut random);
        let solution = table.solve();
        check_certificate(&table, &solution);
        let (x1_y, x2_y) = table.marginals();
        let Some(union) = conic::union_information(&x1_y, &x2_y, table.classes) else { continue };
        solved += 1;
        let difference = (solution.union_information - union).abs();
        assert!(difference < 1e-6, "table {index}: {union} by cones, {solution:?}");
    }
    assert!(solved > 180, "the conic solver solved {solved}");
}

/// Probabilities as far apart as f64 tells from rounding, where a Newton step by the curvature alone would go astray.
#[test]
fn probabilities_over_sixteen_orders_of_magnitude() {
    let mut random = stream(1, "random tables");
    for _ in 0..40 {
        let [first, second, classes] = [(); 3].map(|()| random.random_range(2..=9usize));
        let weights: Vec<f64> =
            (0..first * second * classes).map(|_| 10f64.powf(-16.0 * random.random::<f64>())).collect();
        let table = Table::new(first, second, classes, &weights);
        check_certificate(&table, &table.solve());
    }
}

/// Where the modalities have the same table of the label, both can be the same variable: nothing is unique.
#[test]
fn equal_marginals_share_all() {
    let erased = |bits: [Option<u8>; 3]| {
        bits.map(|bit| bit.map_or('2', |bit| char::from(b'0' + bit))).iter().collect::<String>()
    };
    // A fair bit behind three erasing channels: the outcome `2` says that it is lost.
    let mut erase = Vec::new();
    for bit in 0..2 {
        for lost in 0..8u8 {
            let bits = [4, 2, 1].map(|channel| (lost & channel == 0).then_some(bit));
            erase.push((
                erased(bits),
                0.3f64.powf(f64::from(lost.count_ones())) * 0.7f64.powf(f64::from(lost.count_zeros() - 5)),
            ));
        }
    }
    let erase = Table::parse(erase.iter().map(|(outcome, weight)| (outcome.as_str(), *weight)));
    let w = Table::parse([("001", 1.0), ("010", 1.0), ("100", 1.0)]);
    let not_two = Table::parse(["000", "001", "010", "100", "111"].map(|outcome| (outcome, 1.0)));
    for table in [erase, w, not_two] {
        let (x1_y, x2_y) = table.marginals();
        assert!(x1_y.iter().zip(&x2_y).all(|(x1, x2)| (x1 - x2).abs() < 1e-15));
        let solution = table.solve();
        check_certificate(&table, &solution);
        let (i1, i12) = (solution.i1, table.information());
        assert!(i1 > 0.0);
        assert!(largest_difference(&solution.decompose(i12), [i1, 0.0, 0.0, i12 - i1]) < GAP);
    }
}

#[test]
fn one_class_or_one_state_tells_nothing() {
    for (first, second, classes) in [(3, 4, 1), (1, 1, 3), (1, 4, 2)] {
        let weights: Vec<f64> = (0..first * second * classes).map(|index| 1.0 + index as f64).collect();
        let table = Table::new(first, second, classes, &weights);
        let solution = table.solve();
        check_certificate(&table, &solution);
        let union = solution.i1.max(solution.i2);
        assert!((solution.union_information - union).abs() < GAP, "the other tells nothing: {solution:?}");
    }
}

#[test]
fn what_is_no_pair_of_marginals_is_refused() {
    let settings = Settings::default();
    let solve = |x1_y: &[f64], x2_y: &[f64]| union_information(x1_y, x2_y, 2, &settings).unwrap_err();
    let good = [0.25, 0.25, 0.25, 0.25];
    assert!(matches!(solve(&[0.5, 0.25, 0.25], &good), Error::Parameter { name: "x1_y", .. }));
    assert!(matches!(solve(&good, &[]), Error::Parameter { name: "x2_y", .. }));
    let negative = Error::TableProbability { array: "x2_y", state: 1, class: 0, found: -0.25 };
    assert_eq!(solve(&good, &[0.5, 0.5, -0.25, 0.25]), negative);
    assert!(matches!(solve(&[f64::NAN; 4], &good), Error::TableProbability { array: "x1_y", state: 0, class: 0, .. }));
    assert_eq!(solve(&good, &[0.5; 4]), Error::ProbabilitySum { array: "x2_y", found: 2.0 });
    let three = [0.25, 0.25, 0.25, 0.0, 0.25, 0.0];
    let other_label = Error::ClassMarginals { class: 0, first: 0.5, second: 0.75 };
    assert_eq!(solve(&good, &three), other_label, "also where the second modality has more states");
    let error = union_information(&good, &good, 0, &settings).unwrap_err();
    assert!(matches!(error, Error::Parameter { name: "classes", .. }));
    let error = union_information(&good, &good, 2, &Settings { tolerance: 0.0, ..settings.clone() }).unwrap_err();
    assert!(matches!(error, Error::Parameter { name: "tolerance", .. }));
}

#[test]
fn memory_is_asked_for_before_it_is_taken() {
    // A hundred thousand states each and ten classes would be 1e11 cells.
    let marginal = vec![1e-6; 1_000_000];
    let error = union_information(&marginal, &marginal, 10, &Settings::default()).unwrap_err();
    let Error::TooManyCells { cells, bytes, limit } = error else { panic!("{error:?}") };
    assert_eq!((cells, limit), (100_000_000_000, 1 << 30));
    assert!(bytes > 8 * cells);
}

fn any_table() -> impl Strategy<Value = Table> {
    let weight = prop_oneof![1 => Just(0.0), 3 => 0.01..1.0f64, 1 => 1e-9..1e-3f64];
    (1..5usize, 1..5usize, 1..4usize).prop_flat_map(move |(first, second, classes)| {
        prop::collection::vec(weight.clone(), first * second * classes)
            .prop_filter("some outcome has a probability", |weights| weights.iter().sum::<f64>() > 0.0)
            .prop_map(move |weights| Table::new(first, second, classes, &weights))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn components_are_not_negative_and_no_more_than_there_is(table in any_table()) {
        let solution = table.solve();
        check_certificate(&table, &solution);
        let parts = solution.decompose(table.information());
        for part in [parts.r, parts.u1, parts.u2, parts.s] {
            prop_assert!(part >= -GAP, "{parts:?}");
        }
        prop_assert!(parts.r <= solution.i1.min(solution.i2) + GAP);
    }

    #[test]
    fn exchanged_modalities_exchange_what_is_unique(table in any_table()) {
        let solution = table.solve().decompose(table.information());
        let other = table.exchanged().solve().decompose(table.information());
        prop_assert!(largest_difference(&solution, [other.r, other.u2, other.u1, other.s]) < GAP);
    }

    #[test]
    fn a_state_divided_at_random_changes_nothing(table in any_table(), share in 0.0..1.0f64) {
        let (solution, split) = (table.solve(), table.split(share).solve());
        prop_assert!((solution.union_information - split.union_information).abs() < GAP);
    }
}
