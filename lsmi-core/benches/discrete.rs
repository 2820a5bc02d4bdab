//! Discrete joint distributions: counting a million samples, decomposing them, and the lattice of four sources.
//!
//! ```sh
//! cargo bench -p lsmi-core --bench discrete
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use lsmi_core::discrete::lattice::{Lattice, decompose};
use lsmi_core::discrete::{Counts, JointMeasure};
use lsmi_core::random::stream;
use rand::Rng;

const SAMPLES: usize = 1_000_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    samples(&mut criterion);
    lattice(&mut criterion);
    criterion.final_summary();
}

fn names() -> Vec<String> {
    (0..1000).map(|state| format!("state {state}")).collect()
}

/// Samples whose target is the sum of the sources but for noise.
fn rows(names: &[String], states: usize) -> Vec<([&str; 2], &str)> {
    let mut random = stream(0, "discrete bench");
    (0..SAMPLES)
        .map(|_| {
            let [x1, x2, noise] = std::array::from_fn(|_| random.random_range(0..states));
            let target = if noise == 0 { x1 } else { (x1 + x2) % states };
            ([&*names[x1], &*names[x2]], &*names[target])
        })
        .collect()
}

fn samples(criterion: &mut Criterion) {
    let names = names();
    let mut group = criterion.benchmark_group("discrete");
    for states in [10, 100] {
        let rows = rows(&names, states);
        let count = || Counts::from_samples(rows.iter().copied()).expect("samples of several states");
        group.throughput(Throughput::Elements(SAMPLES as u64));
        group.bench_function(BenchmarkId::new("count", format!("n={SAMPLES} states={states}")), |bencher| {
            bencher.iter(|| black_box(count()));
        });
        let counts = count();
        group.throughput(Throughput::Elements(counts.outcomes().len() as u64));
        for measure in JointMeasure::ALL {
            // With a hundred states, the distribution of maximum entropy has a million outcomes.
            if measure == JointMeasure::Ccs && states > 10 {
                continue;
            }
            let id = BenchmarkId::new("decompose", format!("{measure} outcomes={}", counts.outcomes().len()));
            group.bench_function(id, |bencher| {
                bencher.iter(|| black_box(measure.decompose(&counts.joint()).expect("a small table")));
            });
        }
    }
    group.finish();
}

fn lattice(criterion: &mut Criterion) {
    let names = names();
    let mut random = stream(0, "lattice bench");
    let mut state = || &*names[random.random_range(0..6)];
    let rows: Vec<_> = (0..20_000).map(|_| ([state(), state(), state(), state()], state())).collect();
    let joint = Counts::from_samples(rows).expect("samples of several states").joint();
    let lattice = Lattice::<4>::new();
    let mut group = criterion.benchmark_group("lattice of four sources");
    group.bench_function("make", |bencher| bencher.iter(|| black_box(Lattice::<4>::new())));
    group.throughput(Throughput::Elements(joint.outcomes().len() as u64));
    for measure in [JointMeasure::Pm, JointMeasure::Sx, JointMeasure::Min] {
        let id = BenchmarkId::new("decompose", format!("{measure} outcomes={}", joint.outcomes().len()));
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(decompose(measure, &joint, &lattice, false).expect("a measure on the lattice")));
        });
    }
    group.finish();
}
