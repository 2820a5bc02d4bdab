//! Every measure of a joint distribution against a second formula, closed forms and the properties that all share.
//!
//! The second formulas add up dense arrays and use none of the library's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::Means;
use lsmi_core::discrete::{Bias, Counts, Error, Information, Joint, JointMeasure, Pointwise};
use lsmi_core::random::stream;
use lsmi_core::statistics::Bootstrap;
use proptest::prelude::*;
use rand::Rng;

const TOLERANCE: f64 = 1e-9;

/// A table of probabilities `[x1][x2][y]`.
#[derive(Debug)]
struct Dense {
    sizes: [usize; 3],
    values: Vec<f64>,
}

impl Dense {
    fn at(&self, x1: usize, x2: usize, y: usize) -> f64 {
        self.values[(x1 * self.sizes[1] + x2) * self.sizes[2] + y]
    }

    /// All combinations.
    fn all(&self) -> Vec<[usize; 3]> {
        let [n1, n2, ny] = self.sizes;
        let pairs = (0..n1).flat_map(|a| (0..n2).map(move |b| (a, b)));
        pairs.flat_map(|(a, b)| (0..ny).map(move |c| [a, b, c])).collect()
    }

    /// The probability of all combinations that `holds`.
    fn of(&self, holds: impl Fn([usize; 3]) -> bool) -> f64 {
        self.all().into_iter().filter(|o| holds(*o)).map(|[a, b, c]| self.at(a, b, c)).sum()
    }

    fn entropy(&self, key: impl Fn([usize; 3]) -> usize) -> f64 {
        let mut sums = std::collections::BTreeMap::<usize, f64>::new();
        for [a, b, c] in self.all() {
            *sums.entry(key([a, b, c])).or_default() += self.at(a, b, c);
        }
        -sums.values().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
    }

    fn information(&self) -> Information {
        let pair = |a: usize, b: usize| a * 1000 + b;
        let y = self.entropy(|[_, _, c]| c);
        let i1 = self.entropy(|[a, _, _]| a) + y - self.entropy(|[a, _, c]| pair(a, c));
        let i2 = self.entropy(|[_, b, _]| b) + y - self.entropy(|[_, b, c]| pair(b, c));
        let all = self.entropy(|[a, b, c]| pair(pair(a, b), c));
        Information { i1, i2, i12: self.entropy(|[a, b, _]| pair(a, b)) + y - all }
    }

    fn joint(&self) -> Joint {
        let names: Vec<String> = (0..10).map(|state| state.to_string()).collect();
        let outcomes = self.all();
        let named = outcomes.iter().map(|&[a, b, c]| ([&*names[a], &*names[b]], &*names[c], self.at(a, b, c)));
        Joint::from_probabilities(named).unwrap()
    }

    /// R by the definition of a measure, adding up the table.
    fn redundancy(&self, measure: JointMeasure) -> f64 {
        let Information { i1, i2, .. } = self.information();
        let mean = |value: &dyn Fn([usize; 3]) -> f64| -> f64 {
            let outcomes = self.all().into_iter().filter(|&[a, b, c]| self.at(a, b, c) > 0.0);
            outcomes.map(|[a, b, c]| self.at(a, b, c) * value([a, b, c])).sum()
        };
        match measure {
            JointMeasure::Pm => mean(&|[a, b, c]| {
                let plus = self.of(|o| o[0] == a).max(self.of(|o| o[1] == b));
                let minus = self.of(|o| o[0] == a && o[2] == c).max(self.of(|o| o[1] == b && o[2] == c));
                minus.ln() - self.of(|o| o[2] == c).ln() - plus.ln()
            }),
            JointMeasure::Sx => mean(&|[a, b, c]| {
                let plus = self.of(|o| o[0] == a || o[1] == b);
                let minus = self.of(|o| (o[0] == a || o[1] == b) && o[2] == c) / self.of(|o| o[2] == c);
                minus.ln() - plus.ln()
            }),
            JointMeasure::Mmi => i1.min(i2),
            JointMeasure::Min => (0..self.sizes[2])
                .map(|y| {
                    let of_y = self.of(|o| o[2] == y);
                    let specific = |source: usize| -> f64 {
                        (0..self.sizes[source])
                            .map(|x| (self.of(|o| o[source] == x && o[2] == y), self.of(|o| o[source] == x)))
                            .filter(|(both, _)| *both > 0.0)
                            .map(|(both, of_x)| both * (both / of_x / of_y).ln())
                            .sum()
                    };
                    specific(0).min(specific(1))
                })
                .sum(),
            JointMeasure::Ccs | JointMeasure::Broja => unreachable!("their second formulas are others"),
        }
    }
}

fn dense() -> impl Strategy<Value = Dense> {
    (2_usize..4, 2_usize..4, 2_usize..4).prop_flat_map(|(n1, n2, ny)| {
        let weight = prop_oneof![Just(0.0), Just(1.0), 0.001..1.0];
        prop::collection::vec(weight, n1 * n2 * ny).prop_filter_map("y must have two states", move |weights| {
            let sum: f64 = weights.iter().sum();
            let dense = Dense { sizes: [n1, n2, ny], values: weights.iter().map(|weight| weight / sum).collect() };
            let states = (0..ny).filter(|&y| dense.of(|o| o[2] == y) > 0.0).count();
            (sum > 0.0 && states > 1).then_some(dense)
        })
    })
}

fn parts(means: Means) -> [f64; 4] {
    [means.r, means.u1, means.u2, means.s]
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), TestCaseError> {
    for (found, expected) in found.iter().zip(expected) {
        prop_assert!((found - expected).abs() < tolerance, "{found} instead of {expected}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn two_formulas_agree(dense in dense()) {
        let joint = dense.joint();
        let Information { i1, i2, i12 } = dense.information();
        let found = joint.information();
        assert_close(&[found.i1, found.i2, found.i12], &[i1, i2, i12], TOLERANCE)?;
        for measure in [JointMeasure::Pm, JointMeasure::Min, JointMeasure::Sx, JointMeasure::Mmi] {
            let r = dense.redundancy(measure);
            let expected = [r, i1 - r, i2 - r, i12 - i1 - i2 + r];
            assert_close(&parts(measure.decompose(&joint).unwrap().means), &expected, TOLERANCE)?;
        }
    }

    #[test]
    fn components_sum_to_informations_and_outcomes_average_to_means(dense in dense()) {
        let joint = dense.joint();
        let Information { i1, i2, i12 } = joint.information();
        for measure in JointMeasure::ALL {
            let decomposition = measure.decompose(&joint).unwrap();
            let [r, u1, u2, s] = parts(decomposition.means);
            assert_close(&[r + u1, r + u2, r + u1 + u2 + s], &[i1, i2, i12], 1e-10)?;
            let Some(outcomes) = decomposition.pointwise else {
                prop_assert_eq!(measure, JointMeasure::Broja);
                continue;
            };
            let mean = |of: fn(&Pointwise) -> f64| outcomes.iter().map(|part| part.probability * of(part)).sum::<f64>();
            assert_close(&[mean(|_| 1.0), mean(|p| p.r)], &[1.0, r], 1e-10)?;
            assert_close(&[mean(|p| p.u1), mean(|p| p.u2)], &[u1, u2], 1e-9)?;
            if measure == JointMeasure::Ccs {
                // The distribution of maximum entropy has no more information than the data.
                prop_assert!(mean(|p| p.s) <= s + 1e-9);
            } else {
                assert_close(&[mean(|p| p.s)], &[s], 1e-10)?;
            }
            if measure == JointMeasure::Min {
                prop_assert!([r, u1, u2, s].iter().all(|part| *part > -1e-10));
            }
        }
    }

    #[test]
    fn exchanged_sources_exchange_uniquenesses(dense in dense()) {
        let [n1, n2, ny] = dense.sizes;
        let values = (0..n2).flat_map(|b| (0..n1).map(move |a| (a, b)));
        let values = values.flat_map(|(a, b)| (0..ny).map(move |c| (a, b, c))).map(|(a, b, c)| dense.at(a, b, c)).collect();
        let swapped = Dense { sizes: [n2, n1, ny], values }.joint();
        for measure in JointMeasure::ALL {
            let [r, u1, u2, s] = parts(measure.decompose(&dense.joint()).unwrap().means);
            // The union information is known up to its gap, of at most 1e-8 on either side.
            let tolerance = if measure == JointMeasure::Broja { 2e-8 } else { TOLERANCE };
            assert_close(&parts(measure.decompose(&swapped).unwrap().means), &[r, u2, u1, s], tolerance)?;
        }
    }

    /// Of binary variables, all distributions with the same pairs lie on a line, along which the one of maximum entropy is
    /// found by bisection: the second formula of `ccs`.
    #[test]
    fn common_change_of_binary_variables(weights in prop::collection::vec(prop_oneof![Just(0.0), 0.01_f64..1.0], 8)) {
        let sum: f64 = weights.iter().sum();
        let dense = Dense { sizes: [2, 2, 2], values: weights.iter().map(|weight| weight / sum).collect() };
        prop_assume!(sum > 0.0 && [0, 1].iter().all(|y| dense.of(|o| o[2] == *y) > 0.0));
        let found = JointMeasure::Ccs.decompose(&dense.joint()).unwrap();
        let convergence = found.convergence.unwrap();
        prop_assert!(convergence.converged && convergence.deviation < 1e-11, "{convergence:?}");
        let (r, sure) = on_a_line(&dense);
        if sure {
            prop_assert!((found.means.r - r).abs() < TOLERANCE, "{} instead of {r}: {:?}", found.means.r, dense.values);
        }
    }
}

/// R of `ccs`, and whether all signs in it are beyond doubt.
fn on_a_line(dense: &Dense) -> (f64, bool) {
    let sign = |[a, b, c]: [usize; 3]| if (a + b + c) % 2 == 0 { 1.0 } else { -1.0 };
    let moved = |t: f64| dense.all().into_iter().map(move |o| (o, dense.at(o[0], o[1], o[2]) + t * sign(o)));
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for (o, p) in moved(0.0) {
        if sign(o) > 0.0 { low = low.max(-p) } else { high = high.min(p) }
    }
    for _ in 0..200 {
        let middle = low.midpoint(high);
        let slope: f64 = moved(middle).map(|(o, q)| -sign(o) * q.ln()).sum();
        if slope > 0.0 { low = middle } else { high = middle }
    }
    let q: Vec<_> = moved(low.midpoint(high)).filter(|(_, q)| *q > 1e-15).collect();
    let of = |holds: &dyn Fn([usize; 3]) -> bool| -> f64 { q.iter().filter(|(o, _)| holds(*o)).map(|(_, q)| q).sum() };
    let (mut r, mut sure) = (0.0, true);
    for &([a, b, c], probability) in &q {
        let of_y = of(&|o| o[2] == c);
        let i1 = (of(&|o| o[0] == a && o[2] == c) / of(&|o| o[0] == a) / of_y).ln();
        let i2 = (of(&|o| o[1] == b && o[2] == c) / of(&|o| o[1] == b) / of_y).ln();
        let i12 = (probability / of(&|o| o[0] == a && o[1] == b) / of_y).ln();
        let terms = [i1, i2, i12, i1 + i2 - i12];
        sure &= terms.iter().all(|term| term.abs() > 1e-7 || term.abs() < 1e-12);
        let same = |agrees: fn(f64) -> bool| terms.iter().all(|term| agrees(*term));
        if same(|term| term > 1e-9) || same(|term| term < -1e-9) {
            r += probability * terms[3];
        }
    }
    (r, sure)
}

fn equally(outcomes: &str) -> Joint {
    let samples = outcomes.split_whitespace().map(|o| ([&o[..1], &o[1..2]], &o[2..]));
    Counts::from_samples(samples).unwrap().joint()
}

fn check(measure: JointMeasure, joint: &Joint, expected: [f64; 4]) {
    let found = parts(measure.decompose(joint).unwrap().means);
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{measure}: {found} instead of {expected}");
    }
}

#[test]
fn shared_exclusions_in_closed_form() {
    let ln = f64::ln;
    check(JointMeasure::Sx, &equally("000 011 100 111"), [ln(4.0 / 3.0), -ln(4.0 / 3.0), ln(1.5), ln(4.0 / 3.0)]);
    let reduced_or = equally("000 000 011 101");
    let u = ln(4.0 / 3.0) / 2.0 + ln(3.0) / 4.0;
    check(JointMeasure::Sx, &reduced_or, [(ln(4.0 / 3.0) - LN_2) / 2.0, u, u, ln(9.0 / 8.0) / 2.0]);

    let xor = JointMeasure::Sx.decompose(&equally("000 011 101 110")).unwrap().pointwise.unwrap();
    assert_eq!(xor.len(), 4);
    let of_and = JointMeasure::Sx.decompose(&equally("000 010 100 111")).unwrap().pointwise.unwrap();
    let third = ln(4.0 / 3.0);
    let cases = xor.iter().map(|part| (part, [ln(2.0 / 3.0), ln(1.5), ln(1.5), third])).chain(of_and.iter().zip([
        [third, 0.0, 0.0, 0.0],
        [ln(8.0 / 9.0), ln(1.5), ln(0.75), third],
        [ln(8.0 / 9.0), ln(0.75), ln(1.5), third],
        [third, ln(1.5), ln(1.5), third],
    ]));
    for (part, expected) in cases {
        for (found, expected) in [part.r, part.u1, part.u2, part.s].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{part:?}");
        }
    }
}

#[test]
fn pointwise_specificity_in_closed_form() {
    check(JointMeasure::Pm, &equally("000 011 100 111"), [LN_2, -LN_2, 0.0, LN_2]);
    check(JointMeasure::Pm, &equally("011 022 101 202"), [0.0, LN_2 / 2.0, LN_2 / 2.0, 0.0]);
}

#[test]
fn common_change_needs_the_distribution_of_maximum_entropy() {
    // The pairs of an exclusive or are independent, so that the distribution is uniform over eight outcomes.
    let xor = JointMeasure::Ccs.decompose(&equally("000 011 101 110")).unwrap();
    let outcomes = xor.pointwise.unwrap();
    assert_eq!(outcomes.len(), 8);
    assert!(outcomes.iter().all(|part| (part.probability - 0.125).abs() < 1e-12 && part.s.abs() < 1e-12));
    assert!((xor.means.s - LN_2).abs() < 1e-12);
    // The pairs of AND leave nothing but AND, though no pair of (1, 1, 0) has the probability 0.
    let and = JointMeasure::Ccs.decompose(&equally("000 010 100 111")).unwrap();
    assert_eq!(and.pointwise.unwrap().len(), 4);
    // Only in (0, 0, 0) do all terms have one sign.
    assert!((and.means.r - (4.0_f64 / 3.0).ln() / 4.0).abs() < 1e-12);
    assert!(and.convergence.unwrap().iterations < 200);
}

/// Larger tables with many zeros, where sweeps alone are slow: pairs have the probabilities they should.
#[test]
fn pairs_keep_their_probabilities() {
    let names: Vec<String> = (0..8).map(|state| state.to_string()).collect();
    for (seed, samples) in (0..12).zip([20, 40, 80, 160].into_iter().cycle()) {
        let mut rng = stream(seed, "pairs test");
        let mut draw = || &*names[rng.random_range(0..8)];
        let rows: Vec<_> = (0..samples).map(|_| ([draw(), draw()], draw())).collect();
        let joint = Counts::from_samples(rows).unwrap().joint();
        let parts = JointMeasure::Ccs.decompose(&joint).unwrap();
        let convergence = parts.convergence.unwrap();
        assert!(convergence.converged, "{samples} samples: {convergence:?}");
        let (outcomes, mut largest) = (parts.pointwise.unwrap(), 0.0_f64);
        for own in joint.outcomes() {
            for which in 0..3 {
                let same = |other: &lsmi_core::discrete::Outcome| {
                    let states = |o: &lsmi_core::discrete::Outcome| [o.sources[0], o.sources[1], o.target];
                    (0..3).all(|k| k == which || states(other)[k] == states(own)[k])
                };
                let given = joint.outcomes().iter().zip(joint.probabilities()).filter(|(o, _)| same(o));
                let found = outcomes.iter().filter(|part| same(&part.outcome)).map(|part| part.probability);
                largest = largest.max((given.map(|(_, p)| p).sum::<f64>() - found.sum::<f64>()).abs());
            }
        }
        assert!(largest < 1e-9, "{samples} samples: {largest}");
    }
}

#[test]
fn what_is_no_distribution_is_refused_with_its_outcome() {
    let of = |probabilities: [f64; 2]| {
        let [first, second] = probabilities;
        Joint::from_probabilities([(["a", "b"], "no", first), (["a", "c"], "yes", second)]).unwrap_err()
    };
    for (probability, text) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let expected = format!("the probability of (x1=a, x2=c, y=yes) is {text}; give a number from 0 to 1");
        assert_eq!(of([0.5, probability]).to_string(), expected);
    }
    assert_eq!(of([0.5, 0.4]), Error::Sum { found: 0.9 });
    assert!(matches!(of([f64::MAX, f64::MAX]), Error::Sum { .. }));
    assert_eq!(of([0.0, 0.0]), Error::Sum { found: 0.0 });
    assert_eq!(of([0.0, 1.0]), Error::ConstantTarget { state: "yes".to_owned() });
    assert!(of([0.0, 1.0]).to_string().starts_with("y has only one state, `yes`: there is no information about it"));

    let counts = |counts: [u64; 2]| {
        let [first, second] = counts;
        Counts::from_counts([(["a", "b"], "no", first), (["a", "c"], "yes", second)]).unwrap_err()
    };
    assert_eq!(counts([0, 0]), Error::Empty);
    assert_eq!(counts([u64::MAX, 1]), Error::Overflow);
    assert_eq!(counts([0, 3]), Error::ConstantTarget { state: "yes".to_owned() });
    let twice = Counts::from_counts([(["a", "b"], "no", 1), (["a", "b"], "no", 2)]).unwrap_err();
    assert_eq!(twice, Error::Repeated { outcome: "x1=a, x2=b, y=no".to_owned() });
}

#[test]
fn too_many_states_are_refused_with_what_they_would_take() {
    let names: Vec<String> = (0..3000).map(|state| state.to_string()).collect();
    let rows = names.iter().map(|name| ([&**name, &**name], &**name));
    let counts = Counts::from_samples(rows).unwrap();
    let error = counts.shrunken().unwrap_err().to_string();
    assert!(error.starts_with("shrinkage takes 27000000000 cells, "), "{error}");
    // y is one of two, x1 the row: 6,000 states of x1 with both labels meet in 36,000,000 pairs with x2.
    let many: Vec<String> = (0..6000).map(|state| state.to_string()).collect();
    let rows = many.iter().flat_map(|a| ["0", "1"].map(|y| (["same", &**a], y)));
    assert!(JointMeasure::Ccs.decompose(&Counts::from_samples(rows).unwrap().joint()).is_ok(), "few pairs: no harm");
}

#[test]
fn neither_order_nor_rounding_of_the_input_matters() {
    let outcomes = [("b", "0", "1", 0.1), ("a", "1", "0", 0.3), ("a", "0", "1", 0.6)];
    let joint = |order: [usize; 3], scale: f64| {
        Joint::from_probabilities(order.map(|k| {
            let (x1, x2, y, p) = outcomes[k];
            ([x1, x2], y, p * scale)
        }))
        .unwrap()
    };
    let (first, second) = (joint([0, 1, 2], 1.0), joint([2, 0, 1], 1.0));
    assert_eq!((first.outcomes(), first.probabilities()), (second.outcomes(), second.probabilities()));
    assert_eq!(first.states().sources, [["a", "b"], ["0", "1"]]);
    let rounded = joint([0, 1, 2], 1.0 + 5e-10);
    assert!((rounded.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn corrections_keep_what_components_sum_to() {
    let mut rng = stream(0, "corrections test");
    let names = ["0", "1", "2", "3"];
    let mut draw = || names[rng.random_range(0..4)];
    let rows: Vec<_> = (0..200).map(|_| ([draw(), draw()], draw())).collect();
    let counts = Counts::from_samples(rows).unwrap();
    let mut i12 = Vec::new();
    for bias in Bias::ALL {
        let estimate = counts.decompose(&JointMeasure::ALL, bias).unwrap();
        let Information { i1, i2, i12: both } = estimate.information;
        for (measure, decomposition) in &estimate.decompositions {
            let [r, u1, u2, s] = parts(decomposition.means);
            for (found, expected) in [(r + u1, i1), (r + u2, i2), (r + u1 + u2 + s, both)] {
                assert!((found - expected).abs() < 1e-12, "{measure}, {bias}");
            }
        }
        assert_eq!(estimate.intensity.is_some(), bias == Bias::Shrinkage);
        i12.push(both);
    }
    // The variables are independent, so that all information is an error of few samples: (16 * 4 - 16 - 4 + 1) / 400.
    assert!(i12[0] > 0.08 && i12[1].abs() < i12[0] / 2.0 && i12[2] < i12[0] / 4.0, "{i12:?}");
}

#[test]
fn intervals_repeat_and_hold_their_estimate() {
    let counts = Counts::from_counts([
        (["0", "0"], "0", 300),
        (["0", "1"], "1", 200),
        (["1", "0"], "1", 220),
        (["1", "1"], "1", 9),
    ])
    .unwrap();
    let bootstrap = Bootstrap { resamples: 300, level: 0.9 };
    let of = |seed| counts.intervals(&JointMeasure::ALL, Bias::PlugIn, &bootstrap, &mut stream(seed, "test")).unwrap();
    let (first, again) = (of(0), of(0));
    assert_eq!(first, again);
    assert_ne!(first, of(1));
    let estimate = counts.decompose(&JointMeasure::ALL, Bias::PlugIn).unwrap();
    for ((measure, intervals), (_, decomposition)) in first.measures.iter().zip(&estimate.decompositions) {
        for (interval, mean) in intervals.iter().zip(parts(decomposition.means)) {
            assert_eq!(interval.mean, mean);
            assert!(interval.lower <= interval.upper && interval.standard_error.is_some(), "{measure}");
        }
    }
    // I(X1;Y) of 729 samples has, to first order, the deviation of its pointwise values over the root of their number.
    let i1 = first.information[0];
    assert!(i1.lower < i1.mean && i1.mean < i1.upper);
    let error = counts.intervals(&[], Bias::PlugIn, &Bootstrap { resamples: 0, level: 0.9 }, &mut stream(0, "test"));
    assert_eq!(error.unwrap_err().to_string(), "`resamples` is 0; it must be at least 1");
}
