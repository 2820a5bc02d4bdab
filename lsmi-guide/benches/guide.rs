//! An epoch of distillation, guided by interactions that are tracked in the background and unguided.
//!
//! Unguided, every sample weighs one and nothing is observed. What guidance costs is the difference.
//!
//! ```sh
//! cargo bench -p lsmi-guide --bench guide
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::time::Duration;

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_guide::decide::policy::DominantPolicy;
use lsmi_guide::train::distiller::{self, Teacher};
use lsmi_guide::train::student::TensorStudent;
use lsmi_guide::train::student::fusion::{self, Fusion};
use lsmi_guide::train::tracker::{self, Samples};
use lsmi_guide::train::trainer::Settings;
use lsmi_guide::{Alike, Guide, Hook, Losses, Pacing, Tracker, Trainer};

const DIMS: usize = 64;
const HIDDEN: usize = 64;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(2))
        // The worker estimates, then rests nine times as long: what it costs shows over many estimations only.
        .measurement_time(Duration::from_secs(35))
        .configure_from_args();
    let mut group = criterion.benchmark_group("epoch");
    group.sampling_mode(SamplingMode::Flat);
    for rows in [2000, 8000] {
        group.throughput(Throughput::Elements(rows as u64));
        let of = samples(rows);
        group.bench_function(BenchmarkId::new("unguided", rows), |bencher| {
            let mut trainer = trainer(&of, Alike(Losses { feature: true, output: true, auxiliary: false }));
            bencher.iter(|| trainer.epoch().expect("finite losses"));
        });
        group.bench_function(BenchmarkId::new("guided", rows), |bencher| {
            let (ids, labels) = (of.ids.clone(), of.labels.clone());
            let samples = Samples { ids, labels, classes: 2, groups: None, confidence: None };
            let tracker = Tracker::new(samples, tracker::Settings::default()).expect("samples of both classes");
            let policy = Box::new(DominantPolicy::default());
            let guide = Guide::tracked(policy, tracker, Pacing::default()).expect("settings in range");
            let mut trainer = trainer(&of, guide);
            bencher.iter(|| trainer.epoch().expect("finite losses"));
        });
    }
    group.finish();
    criterion.final_summary();
}

fn samples(rows: usize) -> FeatureSet {
    let settings = FamilySettings { dims: DIMS, classes: 2, ..FamilySettings::default() };
    let draw =
        FamilyName::Mixed.build(&settings).expect("settings in range").sample(rows, &mut stream(0, "guide bench"));
    let matrix = |values| Matrix::new(rows, DIMS, values).expect("as many values as the shape holds");
    let (x1, x2) = (matrix(draw.x1), matrix(draw.x2));
    FeatureSet::new(SampleIds::rows(rows), x1, x2, draw.labels).expect("rows that belong together")
}

fn trainer<H: Hook>(of: &FeatureSet, hook: H) -> Trainer<TensorStudent<Fusion>, H> {
    let rows = of.rows();
    let tensor = |width: usize| {
        let value = |index: usize| (of.labels[index / width] as usize * (index % width)) as f32 / width as f32;
        Tensor::from_vec((0..rows * width).map(value).collect(), (rows, width), &Device::Cpu).expect("memory enough")
    };
    let teacher = Teacher::new(of.ids.clone(), &tensor(HIDDEN), &tensor(2)).expect("a row a sample");
    let settings = fusion::Settings { hidden: HIDDEN, ..fusion::Settings::default() };
    let teaching = Some((teacher, distiller::Settings::default()));
    let student = fusion::student(of, 2, &settings, teaching, &Device::Cpu).expect("settings in range");
    Trainer::new(student, hook, Settings::default()).expect("settings in range")
}
