//! A training step's loss and gradient of PID-Batch, and the whole method on few rows.
//!
//! ```sh
//! cargo bench -p lsmi-candle --bench pid_batch
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use lsmi_candle::baselines::pid_batch::{Params, coupling_loss};
use lsmi_core::random::stream;
use rand::Rng;

const BATCH: usize = 256;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    losses(&mut criterion);
    criterion.final_summary();
}

/// Loss and gradient where Sinkhorn's iteration meets its tolerance soon, and where it goes on to its limit of 500.
fn losses(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("PID-Batch loss and gradient");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(BATCH as u64));
    let params = Params::published();
    for classes in [2, 10] {
        let embeddings = [0, 1].map(|modality| embeddings(classes, params.embedding, modality));
        let posteriors = [0, 1].map(|modality| posteriors(classes, modality));
        for (name, tolerance) in [("few iterations", 0.1), ("all iterations", 1e-9)] {
            let params = Params { sinkhorn_tolerance: tolerance, ..params.clone() };
            group.bench_function(BenchmarkId::new(name, format!("n={BATCH} K={classes}")), |bencher| {
                bencher.iter(|| {
                    let [first, second] = &embeddings;
                    let [of_first, of_second] = &posteriors;
                    coupling_loss(black_box([first, second]), black_box([of_first, of_second]), BATCH, &params)
                        .expect("arrays that fit")
                });
            });
        }
    }
    group.finish();
}

/// `[n, classes, width]`, at mean 0 and variance 1 over the width.
fn embeddings(classes: usize, width: usize, modality: u64) -> Vec<f32> {
    let mut random = stream(modality, "PID-Batch bench embeddings");
    let mut values: Vec<f32> = (0..BATCH * classes * width).map(|_| random.random_range(-1.0..1.0)).collect();
    for row in values.chunks_exact_mut(width) {
        let mean = row.iter().sum::<f32>() / width as f32;
        let deviation = (row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / (width as f32 - 1.0)).sqrt();
        for value in row {
            *value = (*value - mean) / deviation;
        }
    }
    values
}

/// `[classes, n]`
fn posteriors(classes: usize, modality: u64) -> Vec<f32> {
    let mut random = stream(modality, "PID-Batch bench posteriors");
    let mut values = vec![0.0; classes * BATCH];
    for sample in 0..BATCH {
        let weights: Vec<f32> = (0..classes).map(|_| random.random_range(-1.0f32..1.0).exp()).collect();
        let total: f32 = weights.iter().sum();
        for (class, weight) in weights.iter().enumerate() {
            values[class * BATCH + sample] = weight / total;
        }
    }
    values
}
