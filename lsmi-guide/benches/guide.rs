//! An epoch of distillation, guided by interactions that are tracked in the background and unguided.
//!
//! Unguided, every sample weighs one and nothing is observed. What guidance costs is the difference.
//!
//! ```sh
//! cargo bench -p lsmi-guide --bench guide
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::collections::BTreeMap;
use std::time::Duration;

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_guide::decide::policy::InteractionPolicy;
use lsmi_guide::train::distiller::{self, Teacher};
use lsmi_guide::train::tracker;
use lsmi_guide::train::trainer::Settings;
use lsmi_guide::{Guide, Hook, Result, Steadiness, Tracker, Trainer, Weights};

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
            let mut trainer = trainer(&of, Unguided);
            bencher.iter(|| trainer.epoch().expect("finite losses"));
        });
        group.bench_function(BenchmarkId::new("guided", rows), |bencher| {
            let settings = tracker::Settings::default();
            let tracker =
                Tracker::new(of.ids.clone(), of.labels.clone(), 2, None, settings).expect("samples of both classes");
            let policy = Box::new(InteractionPolicy::default());
            let guide = Guide::tracked(policy, tracker, Steadiness::default()).expect("settings in range");
            let mut trainer = trainer(&of, guide);
            bencher.iter(|| trainer.epoch().expect("finite losses"));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Weighs all samples alike and looks at nothing.
struct Unguided;

impl Hook for Unguided {
    fn on_epoch_start(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn weights(&mut self, ids: &SampleIds) -> Result<Weights> {
        let ones = || vec![1.0; ids.len()];
        Ok(Weights { feature: ones(), output: ones(), ..Weights::off(ids.len()) })
    }

    fn observe(&mut self, _: &SampleIds, _: [&Tensor; 2], _: Option<&Tensor>) -> Result<()> {
        Ok(())
    }

    fn on_epoch_end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn identity(&self) -> String {
        "unguided".to_owned()
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        Ok(BTreeMap::new())
    }

    fn restore(&mut self, _: &BTreeMap<String, Tensor>) -> Result<()> {
        Ok(())
    }
}

fn samples(rows: usize) -> FeatureSet {
    let settings = FamilySettings { dims: DIMS, classes: 2, ..FamilySettings::default() };
    let draw =
        FamilyName::Mixed.build(&settings).expect("settings in range").sample(rows, &mut stream(0, "guide bench"));
    let matrix = |values| Matrix::new(rows, DIMS, values).expect("as many values as the shape holds");
    let (x1, x2) = (matrix(draw.x1), matrix(draw.x2));
    FeatureSet::new(SampleIds::rows(rows), x1, x2, draw.labels).expect("rows that belong together")
}

fn trainer<H: Hook>(of: &FeatureSet, hook: H) -> Trainer<H> {
    let rows = of.rows();
    let tensor = |width: usize| {
        let value = |index: usize| (of.labels[index / width] as usize * (index % width)) as f32 / width as f32;
        Tensor::from_vec((0..rows * width).map(value).collect(), (rows, width), &Device::Cpu).expect("memory enough")
    };
    let teacher = Teacher::new(of.ids.clone(), &tensor(HIDDEN), &tensor(2)).expect("a row a sample");
    let settings = Settings { hidden: HIDDEN, ..Settings::default() };
    let teaching = Some((teacher, distiller::Settings::default()));
    Trainer::new(of.clone(), 2, settings, teaching, hook, &Device::Cpu).expect("settings in range")
}
