//! Terms and decompositions against exact values (`fixtures/README.md`).
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lsmi_core::{
    Draw, Family, Measure, Terms,
    families::{Gate, Gauss, Mixed, Mixture},
};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

struct Oracle(Value);

impl Oracle {
    fn read(family: &str) -> Self {
        let mut all: Value = serde_json::from_str(include_str!("fixtures/continuous.json")).unwrap();
        Self(all[family].take())
    }

    fn parameter(&self, name: &str) -> f64 {
        self.0["parameters"][name].as_f64().unwrap()
    }

    fn count(&self, name: &str) -> usize {
        usize::try_from(self.0["parameters"][name].as_u64().unwrap()).unwrap()
    }

    fn vector(&self, name: &str) -> Vec<f64> {
        numbers(&self.0["parameters"][name])
    }

    fn draw(&self, family: &dyn Family) -> Draw {
        let rows = |name: &str| self.0[name].as_array().unwrap().iter().flat_map(numbers).collect();
        let label = |label: &Value| u32::try_from(label.as_u64().unwrap()).unwrap();
        let labels = self.0["y"].as_array().unwrap().iter().map(label).collect();
        Draw { x1: rows("x1"), x2: rows("x2"), labels, dims: family.dims(), classes: family.classes() }
    }

    /// Compares all terms and components of `pm` with the exact ones.
    fn check(&self, family: &dyn Family) {
        assert_eq!(family.classes(), self.count("K"));
        assert_eq!(family.dims(), (self.count("d"), self.count("d")));
        let terms = family.terms(&self.draw(family)).unwrap();
        let Terms { h1, h2, i1, i2, i12, .. } = &terms;
        for (name, found) in [("h1", h1), ("h2", h2), ("i1", i1), ("i2", i2), ("i12", i12)] {
            compare(name, found, &numbers(&self.0["terms_nats"][name]));
        }
        let parts = Measure::Pm.decompose(&terms);
        for (name, found) in [("r", &parts.r), ("u1", &parts.u1), ("u2", &parts.u2), ("s", &parts.s)] {
            compare(name, found, &numbers(&self.0["I_pm_nats"][name]));
        }
    }

    fn gate(&self) -> Mixture {
        let mut pmf = [[[0.0; 2]; 2]; 2];
        for (b1, rest) in pmf.iter_mut().enumerate() {
            for (b2, labels) in rest.iter_mut().enumerate() {
                let exact = numbers(&self.0["parameters"]["pmf_x1bit_x2bit_y"][b1][b2]);
                labels.copy_from_slice(&exact);
            }
        }
        let (amplitude, sigma) = (self.parameter("amplitude"), self.parameter("sigma"));
        Gate { pmf, w1: self.vector("w1"), w2: self.vector("w2"), amplitude, sigma }.mixture().unwrap()
    }
}

fn numbers(array: &Value) -> Vec<f64> {
    array.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn compare(name: &str, found: &[f64], exact: &[f64]) {
    assert_eq!(found.len(), 12);
    assert_eq!(exact.len(), 12);
    for (row, (found, exact)) in found.iter().zip(exact).enumerate() {
        assert!((found - exact).abs() < TOLERANCE, "{name} of row {row}: {found} instead of {exact}");
    }
}

#[test]
fn xor() {
    let oracle = Oracle::read("xor");
    oracle.check(&oracle.gate());
}

#[test]
fn or() {
    let oracle = Oracle::read("or");
    oracle.check(&oracle.gate());
}

#[test]
fn rdn() {
    let oracle = Oracle::read("rdn");
    oracle.check(&oracle.gate());
}

#[test]
fn mixed() {
    let oracle = Oracle::read("mixed");
    let (amplitude, sigma) = (oracle.parameter("amplitude"), oracle.parameter("sigma"));
    let [w1, v1, w2, v2] = ["w1", "v1", "w2", "v2"].map(|name| oracle.vector(name));
    oracle.check(&Mixed { w1, v1, w2, v2, amplitude, sigma }.mixture().unwrap());
}

#[test]
fn gauss3() {
    let oracle = Oracle::read("gauss3");
    let (correlation, noise) = (oracle.parameter("rho"), oracle.parameter("noise"));
    oracle.check(&Gauss::new(oracle.count("K"), oracle.count("d"), correlation, noise).unwrap());
}

/// The gates of the crate are those of the exact values.
#[test]
fn named_gates_have_the_probabilities_of_their_names() {
    for (family, pmf) in [("xor", Gate::XOR), ("or", Gate::OR), ("rdn", Gate::RDN)] {
        let oracle = Oracle::read(family);
        let exact = &oracle.0["parameters"]["pmf_x1bit_x2bit_y"];
        assert_eq!(serde_json::to_value(pmf).unwrap(), *exact);
    }
    for (b1, b2) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for y in [0, 1] {
            let quarter = |is: bool| if is { 0.25_f64 } else { 0.0 };
            assert_eq!(Gate::AND[b1][b2][y].to_bits(), quarter((b1 & b2) == y).to_bits());
            assert_eq!(Gate::COPY1[b1][b2][y].to_bits(), quarter(b1 == y).to_bits());
        }
    }
}
