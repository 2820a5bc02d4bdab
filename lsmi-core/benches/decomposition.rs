//! The decomposition of every sample by each measure, and the adjustment of the means.
//!
//! ```sh
//! cargo bench -p lsmi-core
//! ```
//!
//! Both `decompose` and `decompose_into`, whose memory serves again, are told what the measure has to know of the data
//! set; `reference` finds that out. `copy` and `copy_into` write as much as a decomposition and compute nothing: the
//! bounds that memory sets.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use lsmi_core::random::{ChaCha8Rng, stream};
use lsmi_core::{Decomposition, Measure, SampleIds, Terms, adjust};
use rand::Rng;
use rand_distr::StandardNormal;

const SAMPLES: usize = 1_000_000;
const CLASSES: u32 = 10;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    decompositions(&mut criterion);
    adjustment(&mut criterion);
    criterion.final_summary();
}

/// Terms of the size they have in ten dimensions, in no pattern that a branch could be predicted by.
fn terms() -> (Terms, Vec<u32>) {
    let mut random = stream(0, "decomposition bench");
    let column = |random: &mut ChaCha8Rng, centre: f64, deviation: f64| -> Vec<f64> {
        (0..SAMPLES).map(|_| centre + deviation * random.sample::<f64, _>(StandardNormal)).collect()
    };
    let (h1, h2) = (column(&mut random, 14.0, 2.0), column(&mut random, 14.0, 2.0));
    let (i1, i2) = (column(&mut random, 0.5, 0.5), column(&mut random, 0.5, 0.5));
    let i12 = column(&mut random, 1.0, 0.5);
    let labels = (0..SAMPLES).map(|_| random.random_range(0..CLASSES)).collect();
    let terms = Terms::new(SampleIds::rows(SAMPLES), h1, h2, i1, i2, i12);
    (terms.expect("finite columns of one length"), labels)
}

fn decompositions(criterion: &mut Criterion) {
    let (terms, labels) = terms();
    let mut group = criterion.benchmark_group("decomposition");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    for measure in Measure::ALL {
        let reference = measure.reference(&terms, &labels, CLASSES as usize);
        group.bench_function(BenchmarkId::new("decompose", format!("{measure} n={SAMPLES}")), |bencher| {
            bencher.iter(|| measure.decompose_with(black_box(&terms), &labels, &reference));
        });
        group.bench_function(BenchmarkId::new("decompose_into", format!("{measure} n={SAMPLES}")), |bencher| {
            let mut parts = Decomposition::default();
            bencher.iter(|| measure.decompose_into(black_box(&terms), &labels, &reference, &mut parts));
        });
    }
    group.bench_function(BenchmarkId::new("reference", format!("n={SAMPLES}")), |bencher| {
        bencher.iter(|| Measure::Min.reference(black_box(&terms), &labels, CLASSES as usize));
    });
    group.bench_function(BenchmarkId::new("copy", format!("n={SAMPLES}")), |bencher| {
        bencher.iter(|| {
            let Terms { h1, h2, i1, i2, .. } = black_box(&terms);
            (h1.clone(), h2.clone(), i1.clone(), i2.clone())
        });
    });
    group.bench_function(BenchmarkId::new("copy_into", format!("n={SAMPLES}")), |bencher| {
        let mut copies = vec![vec![0.0; SAMPLES]; 4];
        bencher.iter(|| {
            let Terms { h1, h2, i1, i2, .. } = black_box(&terms);
            for (copy, column) in copies.iter_mut().zip([h1, h2, i1, i2]) {
                copy.copy_from_slice(column);
            }
            black_box(&mut copies);
        });
    });
    group.finish();
}

fn adjustment(criterion: &mut Criterion) {
    let (terms, labels) = terms();
    let parts = Measure::Pm.decompose(&terms, &labels);
    let mut group = criterion.benchmark_group("adjustment");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.bench_function(BenchmarkId::new("means and shift", format!("n={SAMPLES}")), |bencher| {
        bencher.iter(|| adjust(&black_box(&parts).means()));
    });
    group.finish();
}
