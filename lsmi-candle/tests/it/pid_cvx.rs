//! PID-CVX on data whose circuit is known, and its corners.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_candle::EstimatorError;
use lsmi_candle::baselines::pid_cvx::{Params, PidCvx, Quantizer, decompose, decompose_with};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Settings};
use lsmi_core::random::stream;
use lsmi_core::{Error, SampleIds};

fn draw(family: FamilyName, rows: usize, name: &str) -> FeatureSet {
    let settings = Settings::default();
    let draw = family.build(&settings).unwrap().sample(rows, &mut stream(0, name));
    set(settings.dims, draw.x1, draw.x2, draw.labels)
}

fn set(columns: usize, x1: Vec<f64>, x2: Vec<f64>, labels: Vec<u32>) -> FeatureSet {
    let rows = labels.len();
    FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, columns, x1).unwrap(),
        Matrix::new(rows, columns, x2).unwrap(),
        labels,
    )
    .unwrap()
}

fn check(found: &PidCvx, exact: [f64; 4], tolerance: f64) {
    let parts = [found.parts.r, found.parts.u1, found.parts.u2, found.parts.s];
    for (part, exact) in parts.iter().zip(exact) {
        assert!((part - exact).abs() < tolerance, "{parts:?} instead of {exact:?}");
    }
    assert!(found.solution.gap < 1e-7);
}

/// The exact decompositions [r, u1, u2, s] of the bits themselves.
fn circuits() -> [(FamilyName, [f64; 4]); 3] {
    let or = 0.311_278_124_459 * LN_2;
    // A copy of x2's bit in one half of the data, an exclusive or in the other; both modalities know which half.
    [
        (FamilyName::Xor, [0.0, 0.0, 0.0, LN_2]),
        (FamilyName::Or, [or, 0.0, 0.0, LN_2 / 2.0]),
        (FamilyName::Mixed, [0.0, 0.0, LN_2 / 2.0, LN_2 / 2.0]),
    ]
}

/// What is missing is what the noise hides (0.01 nats of a bit) and what clusters across a border blur; what is too much is
/// the bias of a table of 20 x 20 cells, (19)(1) / 2n = 0.002 nats of each modality alone with 4,000 rows.
#[test]
fn circuits_are_found() {
    for (family, exact) in circuits() {
        for (rows, tolerance) in [(4_000, 0.03), (20_000, 0.015)] {
            check(&decompose(&draw(family, rows, "pid-cvx test"), 2, &Params::default()).unwrap(), exact, tolerance);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_clusters() {
    let samples = draw(FamilyName::Mixed, 1_000, "pid-cvx test");
    let with_seed = |seed| decompose(&samples, 2, &Params { seed, starts: 1, ..Params::default() }).unwrap();
    assert_eq!(with_seed(3), with_seed(3));
    assert_ne!(with_seed(3).assignments, with_seed(4).assignments);
}

#[test]
fn clusters_fitted_to_some_rows_serve_others() {
    let (train, test) = (draw(FamilyName::Xor, 4_000, "pid-cvx train"), draw(FamilyName::Xor, 4_000, "pid-cvx test"));
    let params = Params::default();
    let quantizer = Quantizer::fit(&train, 2, &params).unwrap();
    let of_train = decompose_with(&quantizer, &train, 2, &params.broja).unwrap();
    assert_eq!(of_train, decompose(&train, 2, &params).unwrap(), "as published where both are one");
    let of_test = decompose_with(&quantizer, &test, 2, &params.broja).unwrap();
    assert!((of_test.parts.s - LN_2).abs() < 0.05, "{:?}", of_test.parts);
    assert_eq!(of_test.assignments[0].len(), 4_000);

    let narrow = set(1, vec![1.0, 2.0], vec![1.0, 2.0], vec![0, 1]);
    let error = decompose_with(&quantizer, &narrow, 2, &params.broja).unwrap_err();
    assert!(matches!(error, EstimatorError::Dimensions { modality: "x1", expected: 10, found: 1 }));
}

/// One column scaled to length 1 is its sign: two of the twenty clusters have rows.
#[test]
fn clusters_without_rows_are_no_failure() {
    let values: Vec<f64> = (0..40u8).map(|row| if row % 2 == 0 { 2.0 } else { -1.0 }).collect();
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let found = decompose(&set(1, values, vec![0.0; 40], labels), 2, &Params::default()).unwrap();
    assert_eq!(found.occupied, [2, 1]);
    check(&found, [0.0, LN_2, 0.0, 0.0], 1e-7);
    assert!(found.inertia.iter().all(|inertia| inertia.abs() < 1e-12));
}

#[test]
fn what_cannot_be_done_is_said() {
    let samples = draw(FamilyName::Or, 30, "pid-cvx test");
    let fails = |samples: &FeatureSet, params: &Params| decompose(samples, 2, params).unwrap_err();
    for (params, wrong) in [
        (Params { clusters: 31, ..Params::default() }, "pid-cvx clusters"),
        (Params { clusters: 0, ..Params::default() }, "pid-cvx clusters"),
        (Params { components: 0, ..Params::default() }, "pid-cvx components"),
        (Params { starts: 0, ..Params::default() }, "pid-cvx starts"),
        (Params { rounds: 0, ..Params::default() }, "pid-cvx rounds"),
    ] {
        let error = fails(&samples, &params);
        assert!(matches!(error, EstimatorError::Setting { name, .. } if name == wrong), "{error}");
    }
    let mut other = samples.clone();
    other.labels[7] = 2;
    assert!(matches!(fails(&other, &Params::default()), EstimatorError::Samples { what: "a label", .. }));
    let mut params = Params::default();
    params.broja.memory = 1_000;
    let error = fails(&samples, &params);
    assert!(matches!(error, EstimatorError::Core(Error::TooManyCells { limit: 1_000, .. })), "{error}");
}
