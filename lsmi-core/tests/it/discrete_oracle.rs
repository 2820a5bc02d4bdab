//! Decompositions of discrete joint distributions against exact values (`fixtures/README.md`).
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::Means;
use lsmi_core::discrete::{Joint, JointMeasure};
use serde_json::{Map, Value};

/// The exact values have six decimals.
const TOLERANCE: f64 = 1e-6;

fn oracle(of: &str) -> Map<String, Value> {
    let mut all: Value = serde_json::from_str(include_str!("../fixtures/discrete.json")).unwrap();
    serde_json::from_value(all[of].take()).unwrap()
}

fn numbers(array: &Value) -> Vec<f64> {
    array.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn joint(pmf: &Value) -> Joint {
    let outcomes =
        pmf.as_object().unwrap().iter().map(|(outcome, probability)| {
            ([&outcome[..1], &outcome[1..2]], &outcome[2..], probability.as_f64().unwrap())
        });
    Joint::from_probabilities(outcomes).unwrap()
}

#[test]
fn every_distribution_has_its_exact_means_under_every_measure() {
    let distributions = oracle("distributions");
    assert_eq!(distributions.len(), 20);
    for (name, distribution) in &distributions {
        let joint = joint(&distribution["pmf"]);
        for measure in JointMeasure::ALL {
            let exact = numbers(&distribution[format!("I_{measure}")]);
            let parts = measure.decompose(&joint).unwrap();
            let Means { r, u1, u2, s } = parts.means;
            for (found, exact) in [r, u1, u2, s].into_iter().zip(&exact) {
                let found = found / LN_2;
                assert!((found - exact).abs() < TOLERANCE, "{name} under {measure}: {found} instead of {exact}");
            }
            if let Some(convergence) = parts.convergence {
                assert!(convergence.converged, "{name}: {convergence:?}");
            }
            if let Some(certificate) = parts.certificate {
                assert!(certificate.gap < 1e-7, "{name}: {certificate:?}");
            }
        }
    }
}

#[test]
fn every_outcome_has_its_exact_values_under_pm() {
    let (distributions, outcomes) = (oracle("distributions"), oracle("pointwise_I_pm_bits"));
    for (name, exact) in &outcomes {
        let joint = joint(&distributions[name]["pmf"]);
        let parts = JointMeasure::Pm.decompose(&joint).unwrap().pointwise.unwrap();
        assert_eq!(parts.len(), exact.as_object().unwrap().len());
        for part in parts {
            let outcome = joint.states().names(&part.outcome).concat();
            let found = [part.r, part.u1, part.u2, part.s];
            for (found, exact) in found.into_iter().zip(numbers(&exact[&outcome])) {
                assert!((found / LN_2 - exact).abs() < 1e-8, "{outcome} of {name}: {found}");
            }
        }
    }
}
