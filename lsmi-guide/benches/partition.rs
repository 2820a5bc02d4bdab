//! The partition of many samples, as a whole and class by class.
//!
//! ```sh
//! cargo bench -p lsmi-guide
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use lsmi_core::random::stream;
use lsmi_guide::{Rule, partition};
use rand::Rng;

const SAMPLES: usize = 100_000;
const CLASSES: u32 = 10;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut random = stream(0, "partition bench");
    let values: Vec<f64> = (0..SAMPLES).map(|_| random.random_range(-1.0..3.0)).collect();
    let labels: Vec<u32> = (0..SAMPLES).map(|_| random.random_range(0..CLASSES)).collect();

    let mut group = criterion.benchmark_group("partition");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    let rule = Rule::Fraction(0.3);
    for (classes, labels) in [(1, None), (CLASSES, Some(labels.as_slice()))] {
        group.bench_function(BenchmarkId::new("fraction", format!("n={SAMPLES} classes={classes}")), |bencher| {
            bencher.iter(|| partition(black_box(&values), labels, &rule));
        });
    }
    group.finish();
    criterion.final_summary();
}
