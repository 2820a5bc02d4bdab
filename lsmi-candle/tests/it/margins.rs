//! Densities of columns that end abruptly, are skewed or heavy-tailed, against exact surprisals.

#![allow(clippy::unwrap_used)]

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use candle_core::Device;
use lsmi_candle::densities::knife::{Knife, Params};
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, pearson};
use rand::Rng;
use rand_distr::StandardNormal;

/// A map of normal columns: the value at z and the logarithm of the derivative there.
type Map = fn(f64) -> (f64, f64);

const ROWS: usize = 2000;
/// The correlation of any two normal columns.
const CORRELATION: f64 = 0.5;

fn log_normal_density(z: f64) -> f64 {
    -0.5 * z * z - 0.5 * TAU.ln()
}

/// The share of a normal distribution above z.
fn above(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

fn plain(z: f64) -> (f64, f64) {
    (z, 0.0)
}

fn uniform(z: f64) -> (f64, f64) {
    (above(-z), log_normal_density(z))
}

fn exponential(z: f64) -> (f64, f64) {
    (-above(z).ln(), log_normal_density(z) - above(z).ln())
}

/// Student's distribution of one degree of freedom.
fn student(z: f64) -> (f64, f64) {
    let value = 1.0 / (PI * above(z)).tan();
    (value, log_normal_density(z) + (PI * (1.0 + value * value)).ln())
}

fn half_cube(z: f64) -> (f64, f64) {
    (z.signum() * z.abs().powf(1.5), (1.5 * z.abs().sqrt()).ln())
}

/// Mapped rows of correlated normal columns and their exact surprisals.
fn rows(dims: usize, map: Map, name: &str) -> (Vec<f64>, Vec<f64>) {
    let mut random = stream(0, name);
    let (mut values, mut surprisals) = (Vec::new(), Vec::new());
    let (own, size) = (1.0 - CORRELATION, dims as f64);
    let of_all = own + size * CORRELATION;
    let log_determinant = (size - 1.0) * own.ln() + of_all.ln();
    for _ in 0..ROWS {
        let common: f64 = random.sample(StandardNormal);
        let row: Vec<f64> = (0..dims)
            .map(|_| CORRELATION.sqrt() * common + own.sqrt() * random.sample::<f64, _>(StandardNormal))
            .collect();
        let (sum, squares) = (row.iter().sum::<f64>(), row.iter().map(|z| z * z).sum::<f64>());
        let distance = (squares - CORRELATION * sum * sum / of_all) / own;
        let normal = 0.5 * (distance + log_determinant + size * TAU.ln());
        surprisals.push(normal + row.iter().map(|z| map(*z).1).sum::<f64>());
        values.extend(row.iter().map(|z| map(*z).0));
    }
    (values, surprisals)
}

fn fit(dims: usize, map: Map) -> Knife {
    Knife::fit(&rows(dims, map, "training rows").0, dims, &Params::default(), 0, &Device::Cpu).unwrap()
}

/// The mean error of the surprisals of fresh rows, in nats, and their correlation with the exact ones.
fn errors(dims: usize, map: Map) -> (f64, f64) {
    let knife = fit(dims, map);
    let (fresh, exact) = rows(dims, map, "fresh");
    let surprisals = knife.surprisal(&fresh, dims).unwrap();
    (mean(&surprisals) - mean(&exact), pearson(&surprisals, &exact).unwrap())
}

/// Curves of about 15 knots cost some .004 nats a column at 2,000 rows, six more parameters .002; half cubes, whose density
/// is infinite in the middle, .015 a column. Mixtures without margins are .1 (two uniform columns) and .2 (three) too high.
#[test]
fn surprisals_of_other_margins_are_near_the_exact_ones() {
    let cases: [(&str, Map, usize, f64); 5] = [
        ("uniform", uniform, 2, 0.05),
        ("uniform", uniform, 3, 0.05),
        ("exponential", exponential, 2, 0.05),
        ("student", student, 2, 0.05),
        ("half cube", half_cube, 2, 0.1),
    ];
    for (name, map, dims, most) in cases {
        let (error, correlation) = errors(dims, map);
        assert!(error.abs() < most, "{name} in {dims} dimensions: {error} nats too much");
        assert!(correlation > 0.9, "{name} in {dims} dimensions: correlation {correlation}");
    }
}

#[test]
fn normal_rows_need_no_margins() {
    for dims in [1, 3, 6] {
        assert!(fit(dims, plain).margins().is_none(), "{dims} dimensions");
    }
}

/// In one dimension a mixture of many or of heavy-tailed components may do as well without margins, and held-out rows may then
/// find it likelier: it must be near the exact density, and other cases must have margins.
#[test]
fn a_density_with_margins_integrates_to_one() {
    let cases: [(&str, Map); 3] = [("uniform", uniform), ("exponential", exponential), ("student", student)];
    let mut with_margins = 0;
    for (name, map) in cases {
        let knife = fit(1, map);
        with_margins += usize::from(knife.margins().is_some());
        let (fresh, exact) = rows(1, map, "fresh");
        let error = mean(&knife.surprisal(&fresh, 1).unwrap()) - mean(&exact);
        assert!(error.abs() < 0.05, "{name}: {error} nats too much, margins: {}", knife.margins().is_some());
        // Steps of .001 in asinh(x) up to 1e13; beyond, tails hold next to nothing.
        let values: Vec<f64> = (-30_000..30_000).map(|step| 1e-3 * (f64::from(step) + 0.5)).collect();
        let x: Vec<f64> = values.iter().map(|value| value.sinh()).collect();
        let surprisals = knife.surprisal(&x, 1).unwrap();
        let integral: f64 =
            surprisals.iter().zip(&values).map(|(surprisal, value)| 1e-3 * value.cosh() * (-surprisal).exp()).sum();
        assert!((integral - 1.0).abs() < 0.01, "{name}: {integral}");
    }
    assert!(with_margins >= 2, "{with_margins}");
}

#[test]
fn rows_outside_of_what_was_seen_have_finite_surprisals_that_rise() {
    let knife = fit(1, uniform);
    let surprisals = knife.surprisal(&[0.5, 1.001, 1.01, 1.1, 2.0, 1e6], 1).unwrap();
    assert!(surprisals.is_sorted(), "{surprisals:?}");
    assert!(surprisals.iter().all(|surprisal| surprisal.is_finite()));
}

#[test]
fn values_that_repeat_get_no_curve() {
    let mut random = stream(0, "counts");
    let counts: Vec<f64> = (0..1000).map(|_| f64::from(random.random_range(0..12))).collect();
    let knife = Knife::fit(&counts, 1, &Params::default(), 0, &Device::Cpu).unwrap();
    assert!(knife.margins().is_none());
}

#[test]
fn a_density_that_is_fitted_on_keeps_its_margins() {
    let knife = fit(2, exponential);
    let (fresh, exact) = rows(2, exponential, "fresh");
    let after = knife.refit(&fresh, 2, 3).unwrap();
    assert_eq!(after.margins(), knife.margins());
    assert!((mean(&after.surprisal(&fresh, 2).unwrap()) - mean(&exact)).abs() < 0.05);
}
