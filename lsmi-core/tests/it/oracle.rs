//! Terms and decompositions against exact values (`fixtures/README.md`), and means of discrete distributions.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::{
    Draw, Family, Means, Measure, SampleIds, Terms,
    families::{Gate, Gauss, Mixed, Mixture},
};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

struct Oracle(Value);

impl Oracle {
    fn read(family: &str) -> Self {
        let mut all: Value = serde_json::from_str(include_str!("../fixtures/continuous.json")).unwrap();
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
        Draw { x1: rows("x1"), x2: rows("x2"), labels, dims: family.dims(), classes: family.classes(), groups: None }
    }

    /// Compares all terms and components of `pm` with the exact ones.
    fn check(&self, family: &dyn Family) {
        assert_eq!(family.classes(), self.count("K"));
        assert_eq!(family.dims(), (self.count("d"), self.count("d")));
        let draw = self.draw(family);
        let terms = family.terms(&draw).unwrap();
        let Terms { h1, h2, i1, i2, i12, .. } = &terms;
        for (name, found) in [("h1", h1), ("h2", h2), ("i1", i1), ("i2", i2), ("i12", i12)] {
            compare(name, found, &numbers(&self.0["terms_nats"][name]));
        }
        let parts = Measure::Pm.decompose(&terms, &draw.labels);
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

/// Terms of the outcomes `x1 x2 y` of a discrete distribution, each outcome as often as its probability says. Surprisals
/// are left out: 0.
fn discrete(outcomes: &str) -> (Terms, Vec<u32>) {
    let digits = |outcome: &str| outcome.chars().map(|digit| digit.to_digit(10).unwrap()).collect::<Vec<_>>();
    let rows: Vec<Vec<u32>> = outcomes.split(' ').map(digits).collect();
    let n = rows.len() as f64;
    let share = |places: &[usize], row: &[u32]| {
        rows.iter().filter(|other| places.iter().all(|&place| other[place] == row[place])).count() as f64 / n
    };
    let information = |of: &[usize]| -> Vec<f64> {
        let with_label = [of, &[2]].concat();
        rows.iter().map(|row| (share(&with_label, row) / (share(of, row) * share(&[2], row))).ln()).collect()
    };
    let (i1, i2, i12) = (information(&[0]), information(&[1]), information(&[0, 1]));
    let zeros = vec![0.0; rows.len()];
    let terms = Terms::new(SampleIds::rows(rows.len()), zeros.clone(), zeros, i1, i2, i12).unwrap();
    (terms, rows.iter().map(|row| row[2]).collect())
}

/// [R, U1, U2, S] in bits, to six decimals, under `I_min` and under `I_mmi`. The two differ in `diff` and `wb 1` alone.
#[test]
fn discrete_distributions() {
    for (name, outcomes, of_min, of_mmi) in [
        ("redundant", "000 111", [1.0, 0.0, 0.0, 0.0], None),
        ("unique 1", "000 011 100 111", [0.0, 0.0, 1.0, 0.0], None),
        ("unq 2", "000 010 101 111", [0.0, 1.0, 0.0, 0.0], None),
        ("synergy", "000 011 101 110", [0.0, 0.0, 0.0, 1.0], None),
        ("and", "000 010 100 111", [0.311_278, 0.0, 0.0, 0.5], None),
        ("or", "000 011 101 111", [0.311_278, 0.0, 0.0, 0.5], None),
        ("rdn xor", "000 011 101 110 222 233 323 332", [1.0, 0.0, 0.0, 1.0], None),
        ("cat", "000 011 102 113", [1.0, 0.0, 0.0, 1.0], None),
        ("pnt. unq.", "011 022 101 202", [0.5, 0.0, 0.0, 0.5], None),
        ("reduced or", "000 000 011 101", [0.311_278, 0.0, 0.0, 0.688_722], None),
        ("sum", "000 011 101 112", [0.5, 0.0, 0.0, 1.0], None),
        ("rand", "000 000 010 011 100 101 111 111", [0.188_722, 0.0, 0.0, 0.311_278], None),
        (
            "diff",
            "000 001 010 101",
            [0.207_519, 0.103_759, 0.103_759, 0.084_963],
            Some([0.311_278, 0.0, 0.0, 0.188_722]),
        ),
        ("prob. 1", "000 001 010 011 100", [0.019_973, 0.150_978, 0.0, 0.0], None),
        ("wb 1", "000 011 102", [0.584_963, 0.333_333, 0.333_333, 0.333_333], Some([0.918_296, 0.0, 0.0, 0.666_667])),
        ("simple", "000 000 110 111", [0.311_278, 0.0, 0.0, 0.0], None),
        ("w", "001 010 100", [0.251_629, 0.0, 0.0, 0.666_667], None),
    ] {
        let (terms, labels) = discrete(outcomes);
        for (measure, expected) in [(Measure::Min, of_min), (Measure::Mmi, of_mmi.unwrap_or(of_min))] {
            let Means { r, u1, u2, s } = measure.decompose(&terms, &labels).means();
            let found = [r, u1, u2, s].map(|nats| nats / LN_2);
            let is_near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(is_near, "{name} under {measure}: {found:?} instead of {expected:?}");
        }
    }
}
