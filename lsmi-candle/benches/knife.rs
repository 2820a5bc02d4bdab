//! The fit of a density, by default and as published, and the surprisal under one of given size.
//!
//! ```sh
//! cargo bench -p lsmi-candle --bench knife
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use candle_core::Device;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use lsmi_candle::densities::knife::{GradientParams, Knife, Params};
use lsmi_candle::densities::mixture::{Covariance, Mixture};
use lsmi_core::random::stream;
use rand::Rng;
use rand_distr::StandardNormal;

const ROWS_SCORED: usize = 20_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    fits(&mut criterion);
    surprisals(&mut criterion);
    criterion.final_summary();
}

/// Two clusters in all dimensions, `[rows, dims]`.
fn rows(rows: usize, dims: usize) -> Vec<f64> {
    let mut random = stream(0, "knife bench");
    let of_row = |row: usize| if row.is_multiple_of(2) { 1.0 } else { -1.0 };
    (0..rows * dims).map(|index| of_row(index / dims) + random.sample::<f64, _>(StandardNormal)).collect()
}

/// A density of known size; isolated, as it is put together from parts.
fn density(components: usize, dims: usize) -> Knife {
    let mut random = stream(0, "knife bench density");
    let mut normal = |count: usize| -> Vec<f32> { (0..count).map(|_| random.sample(StandardNormal)).collect() };
    let means = normal(components * dims);
    let mut factors = normal(components * dims * dims);
    for (index, value) in factors.iter_mut().enumerate() {
        let (row, column) = (index / dims % dims, index % dims);
        *value = match column {
            _ if column < row => 0.1 * *value,
            _ if column == row => 1.0,
            _ => 0.0,
        };
    }
    let weights = vec![-(components as f64).ln(); components];
    Knife::from_mixture(Mixture::new(Covariance::Full, weights, means, factors).expect("parts that fit"))
}

fn fits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("density fit");
    group.sampling_mode(SamplingMode::Flat);
    let mut fit = |name: &str, params: &Params, sizes: String, n: usize, d: usize| {
        let rows = rows(n, d);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new(name, sizes), |bencher| {
            bencher.iter(|| Knife::fit(black_box(&rows), d, params, 0, &Device::Cpu));
        });
    };
    for d in [2, 10, 64] {
        for n in [1000, 4000] {
            fit("held out", &Params::default(), format!("n={n} d={d}"), n, d);
        }
    }
    let published = |components| Params::Gradient(GradientParams { components, ..Default::default() });
    for (n, d, k) in [(1000, 2, 5), (1000, 10, 5), (1000, 64, 5), (4000, 10, 5), (1000, 10, 1), (1000, 10, 20)] {
        fit("published", &published(k), format!("n={n} d={d} K={k}"), n, d);
    }
}

fn surprisals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("surprisal");
    group.throughput(Throughput::Elements(ROWS_SCORED as u64));
    for d in [10, 64] {
        let rows = rows(ROWS_SCORED, d);
        for k in [1, 5, 20] {
            let density = density(k, d);
            group.bench_function(BenchmarkId::new("full", format!("n={ROWS_SCORED} d={d} K={k}")), |bencher| {
                bencher.iter(|| density.surprisal(black_box(&rows), d));
            });
        }
    }
    group.finish();
}
