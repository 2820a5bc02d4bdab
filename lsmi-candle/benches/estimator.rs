//! The cross-fitted estimator: the whole fit with default settings, and the scoring of new rows.
//!
//! ```sh
//! cargo bench -p lsmi-candle --bench estimator
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::cell::OnceCell;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use lsmi_candle::Matrix;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::{Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;

const ROWS_SCORED: usize = 20_000;

fn main() {
    // A fit takes seconds: ten of them, and one before, are all there is time for.
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    fits(&mut criterion);
    scores(&mut criterion);
    criterion.final_summary();
}

/// Rows of a family, and its classes.
fn samples(name: FamilyName, rows: usize, dims: usize, classes: usize) -> (FeatureSet, Classes) {
    let settings = FamilySettings { dims, classes, ..Default::default() };
    let family = name.build(&settings).expect("settings in range");
    let draw = family.sample(rows, &mut stream(0, "estimator bench"));
    let matrix = |values| Matrix::new(rows, dims, values).expect("as many values as the shape holds");
    let names = (0..family.classes()).map(|class| format!("{class:02}")).collect();
    let features = FeatureSet::new(SampleIds::rows(rows), matrix(draw.x1), matrix(draw.x2), draw.labels)
        .expect("rows that belong together");
    (features, Classes::new(names).expect("distinct names"))
}

fn settings() -> Settings {
    Settings { device: DeviceChoice::Cpu, ..Settings::default() }
}

fn fits(criterion: &mut Criterion) {
    use FamilyName::{Gauss, Or};
    let mut group = criterion.benchmark_group("cross-fit");
    group.sampling_mode(SamplingMode::Flat);
    for (family, n, d, classes) in [
        (Gauss, 200, 10, 2),
        (Gauss, 400, 10, 2),
        (Gauss, 800, 10, 2),
        (Gauss, 400, 2, 2),
        (Gauss, 400, 64, 2),
        (Gauss, 400, 10, 10),
        (Or, 400, 10, 2),
    ] {
        let (train, names) = samples(family, n, d, classes);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new(family.name(), format!("n={n} d={d} classes={classes}")), |bencher| {
            bencher.iter(|| cross_fit(black_box(&train), &names, &settings(), None));
        });
    }
    group.finish();
}

fn scores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(ROWS_SCORED as u64));
    for (d, classes) in [(10, 2), (64, 2), (10, 10)] {
        // Fitted only where it is asked for.
        let estimator = OnceCell::new();
        let (rows, _) = samples(FamilyName::Gauss, ROWS_SCORED, d, classes);
        let sizes = format!("n={ROWS_SCORED} d={d} classes={classes}");
        group.bench_function(BenchmarkId::new("gauss", sizes), |bencher| {
            let estimator = estimator.get_or_init(|| {
                let (train, names) = samples(FamilyName::Gauss, 400, d, classes);
                cross_fit(&train, &names, &settings(), None).expect("rows enough").estimator
            });
            bencher.iter(|| estimator.score(black_box(&rows)));
        });
    }
    group.finish();
}
