//! Measures the time of BROJA for random tables.
//!
//! ```text
//! cargo bench -p lsmi-core --bench broja
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use lsmi_core::discrete::broja::{Settings, union_information};
use lsmi_core::random::stream;
use rand::Rng;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("broja");
    for (first, second, classes) in [(4, 4, 4), (20, 20, 2), (30, 30, 10), (50, 50, 10)] {
        let (x1_y, x2_y) = marginals(first, second, classes);
        let settings = Settings::default();
        let size = format!("n1={first} n2={second} K={classes}");
        group.bench_function(BenchmarkId::new("alternating and newton", size), |bencher| {
            bencher.iter(|| union_information(black_box(&x1_y), &x2_y, classes, &settings).expect("marginals"));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Both marginals of a joint distribution whose probabilities are exponential variables over their sum.
fn marginals(first: usize, second: usize, classes: usize) -> (Vec<f64>, Vec<f64>) {
    let mut random = stream(0, "broja bench");
    let weights: Vec<f64> = (0..first * second * classes).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
    let total: f64 = weights.iter().sum();
    let (mut x1_y, mut x2_y) = (vec![0.0; first * classes], vec![0.0; second * classes]);
    for (index, weight) in weights.iter().enumerate() {
        let (pair, class) = (index / classes, index % classes);
        x1_y[pair / second * classes + class] += weight / total;
        x2_y[pair % second * classes + class] += weight / total;
    }
    (x1_y, x2_y)
}
