//! The redundancy lattice against closed forms and against a second way to compute it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::discrete::lattice::{Lattice, LatticeDecomposition, decompose};
use lsmi_core::discrete::{Counts, Joint, JointMeasure};
use lsmi_core::random::stream;
use rand::Rng;

const TOLERANCE: f64 = 1e-12;

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < TOLERANCE, "{what}: {found} instead of {expected}");
}

/// Equally likely outcomes, one character a variable.
fn equally<const SOURCES: usize>(outcomes: &str) -> Joint<SOURCES> {
    let samples = outcomes.split_whitespace().map(|o| (std::array::from_fn(|k| &o[k..=k]), &o[SOURCES..]));
    Counts::from_samples(samples).unwrap().joint()
}

fn atom<const SOURCES: usize>(parts: &LatticeDecomposition<SOURCES>, antichain: &str) -> f64 {
    parts.atoms.iter().find(|atom| atom.antichain.to_string() == antichain).unwrap().atom
}

#[test]
fn two_sources_make_r_u1_u2_and_s() {
    let joint = equally::<2>("000 010 100 111 011");
    for measure in [JointMeasure::Pm, JointMeasure::Sx, JointMeasure::Min] {
        let means = measure.decompose(&joint).unwrap().means;
        let parts = decompose(measure, &joint, &Lattice::new(), true).unwrap();
        for (name, expected) in [("{1}{2}", means.r), ("{1}", means.u1), ("{2}", means.u2), ("{12}", means.s)] {
            close(atom(&parts, name), expected, name);
        }
        let Some(pointwise) = parts.pointwise else { continue };
        for (found, expected) in pointwise.iter().zip(measure.decompose(&joint).unwrap().pointwise.unwrap()) {
            assert_eq!((found.outcome, found.probability), (expected.outcome, expected.probability));
            let expected = [expected.r, expected.u1, expected.u2, expected.s];
            for (node, expected) in expected.into_iter().enumerate() {
                close(found.informative[node] - found.misinformative[node], expected, "outcome");
            }
        }
    }
}

/// Williams and Beer's own example: y is the sum of three fair bits.
#[test]
fn minimum_information_of_a_sum() {
    let parts =
        decompose(JointMeasure::Min, &equally::<3>("0000 0011 0101 0112 1001 1012 1102 1113"), &Lattice::new(), false)
            .unwrap();
    for node in &parts.atoms {
        let bits = match node.antichain.to_string().as_str() {
            "{1}{2}{3}" => 0.311_278,
            "{12}{13}{23}" => 0.5,
            "{123}" => 1.0,
            _ => 0.0,
        };
        assert!((node.atom / LN_2 - bits).abs() < 1e-6, "{}: {}", node.antichain, node.atom / LN_2);
    }
}

/// Shared exclusions of the parity of three fair bits: its redundancies follow from counting outcomes.
#[test]
fn shared_exclusions_of_a_parity() {
    let joint = equally::<3>("0000 0011 0101 0110 1001 1010 1100 1111");
    let parts = decompose(JointMeasure::Sx, &joint, &Lattice::new(), true).unwrap();
    // i = log p(a|y) / p(a): of the four outcomes with y and of all eight, those that agree in one of the sets.
    for (name, of_four, of_eight) in [
        ("{1}{2}{3}", 4.0, 7.0),
        ("{1}{2}", 3.0, 6.0),
        ("{1}{23}", 2.0, 5.0),
        ("{1}", 2.0, 4.0),
        ("{12}{13}{23}", 1.0, 4.0),
        ("{12}{13}", 1.0, 3.0),
        ("{12}", 1.0, 2.0),
        ("{123}", 1.0, 1.0),
    ] {
        let node = parts.atoms.iter().find(|atom| atom.antichain.to_string() == name).unwrap();
        close(node.redundancy, ((of_four / 4.0) / (of_eight / 8.0_f64)).ln(), name);
    }
    // The atoms that these make, worked out by hand.
    for (name, exp) in [
        ("{1}{2}{3}", 8.0 / 7.0),
        ("{1}{2}", 7.0 / 8.0),
        ("{2}{13}", 32.0 / 35.0),
        ("{3}", 5.0 / 4.0),
        ("{12}{13}{23}", 875.0 / 1024.0),
        ("{13}{23}", 16.0 / 15.0),
        ("{12}", 9.0 / 8.0),
        ("{123}", 32.0 / 27.0_f64),
    ] {
        close(atom(&parts, name), exp.ln(), name);
    }
    // All outcomes are alike.
    let pointwise = parts.pointwise.unwrap();
    assert_eq!(pointwise.len(), 8);
    for outcome in &pointwise {
        for (node, mean) in parts.atoms.iter().enumerate() {
            close(outcome.informative[node] - outcome.misinformative[node], mean.atom, "outcome");
        }
    }
}

/// Redundancies of random distributions of three and four sources by adding up outcomes one by one.
#[test]
fn redundancies_are_those_of_the_definitions() {
    fn check<const SOURCES: usize>(seed: u64) {
        let mut random = stream(seed, "lattice test");
        let mut outcome = || -> Vec<String> { (0..=SOURCES).map(|_| random.random_range(0..3).to_string()).collect() };
        let rows: Vec<Vec<String>> = (0..60).map(|_| outcome()).collect();
        let samples = rows.iter().map(|row| (std::array::from_fn(|k| row[k].as_str()), row[SOURCES].as_str()));
        let joint: Joint<SOURCES> = Counts::from_samples(samples).unwrap().joint();
        let outcomes: Vec<_> = joint.outcomes().iter().zip(joint.probabilities()).collect();
        let lattice = Lattice::new();
        for measure in [JointMeasure::Pm, JointMeasure::Sx] {
            let parts = decompose(measure, &joint, &lattice, true).unwrap();
            let pointwise = parts.pointwise.unwrap();
            for (node, mean) in parts.atoms.iter().enumerate() {
                let mut expected = 0.0;
                for (&(own, p), found) in outcomes.iter().zip(&pointwise) {
                    let agrees = |other: &[u32; SOURCES], set: u8| {
                        (0..SOURCES).all(|k| set >> k & 1 == 0 || own.sources[k] == other[k])
                    };
                    // The probabilities of agreeing in each set and in any of them, of all and of those with y.
                    let part = |with_target: bool| {
                        let of = |holds: &dyn Fn(&[u32; SOURCES]) -> bool, all: bool| -> f64 {
                            let counts = outcomes.iter().filter(|(o, _)| all || o.target == own.target);
                            counts.filter(|(o, _)| holds(&o.sources)).map(|(_, p)| **p).sum()
                        };
                        let whole = of(&|_| true, !with_target);
                        let sets = &mean.antichain.sets;
                        let of_sets = sets.iter().map(|set| of(&|o| agrees(o, *set), !with_target) / whole);
                        let probability = match measure {
                            JointMeasure::Pm => of_sets.fold(0.0, f64::max),
                            _ => of(&|o| sets.iter().any(|set| agrees(o, *set)), !with_target) / whole,
                        };
                        -probability.ln()
                    };
                    let below = (0..=node).filter(|&other| lattice.is_at_most(other, node));
                    let sums = below.fold([0.0; 2], |[plus, minus], other| {
                        [plus + found.informative[other], minus + found.misinformative[other]]
                    });
                    close(sums[0], part(false), "informative");
                    close(sums[1], part(true), "misinformative");
                    expected += p * (part(false) - part(true));
                }
                close(mean.redundancy, expected, "mean");
                let [plus, minus] = mean.parts.unwrap();
                assert!(plus > -1e-10 && minus > -1e-10, "{}: {plus} {minus}", mean.antichain);
                close(plus - minus, mean.atom, "parts");
            }
            // No part of an outcome's atom is negative.
            let parts = pointwise.iter().flat_map(|outcome| outcome.informative.iter().chain(&outcome.misinformative));
            assert!(parts.fold(0.0, |least: f64, part| least.min(*part)) > -1e-10);
        }
    }
    check::<3>(0);
    check::<4>(1);
}

#[test]
fn all_atoms_together_are_the_information() {
    let joint = equally::<4>("00000 00011 01011 10101 11112 01102 11000 10010 00100 01111");
    let lattice = Lattice::new();
    let of = |measure| decompose(measure, &joint, &lattice, false).unwrap();
    let total = |parts: &LatticeDecomposition<4>| parts.atoms.iter().map(|atom| atom.atom).sum::<f64>();
    let (pm, sx, min) = (of(JointMeasure::Pm), of(JointMeasure::Sx), of(JointMeasure::Min));
    // All sources together have ten outcomes of their own, so that they tell y: its entropy.
    let entropy = joint.target_entropy();
    for parts in [&pm, &sx, &min] {
        close(total(parts), entropy, "total");
        close(parts.atoms.last().unwrap().redundancy, entropy, "top");
    }
    // The nodes of one set are mutual informations, the same under every measure.
    for name in ["{1}", "{24}", "{134}"] {
        let redundancy = |parts: &LatticeDecomposition<4>| {
            parts.atoms.iter().find(|atom| atom.antichain.to_string() == name).unwrap().redundancy
        };
        close(redundancy(&pm), redundancy(&sx), name);
        close(redundancy(&pm), redundancy(&min), name);
    }
    assert!(min.atoms.iter().all(|atom| atom.atom > -1e-10), "minimum information is never negative");
    let error = decompose(JointMeasure::Ccs, &joint, &lattice, false).unwrap_err();
    assert_eq!(error.to_string(), "`ccs` is not defined on the redundancy lattice; use one of pm, sx, min");
}
