//! Alignment on planted data: where only some samples can be aligned, and where nothing but chance tells parts apart.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::{EstimatorError, estimator};
use lsmi_core::random::stream;
use lsmi_core::{Interaction, Measure, SampleIds};
use lsmi_guide::GuideError;
use lsmi_guide::experiments::align::{Data, Figure, Settings, compare};
use rand::Rng;
use rand_distr::StandardNormal;

const CLASSES: usize = 2;
const LATENT: usize = 4;

/// Samples of two classes. In every other sample both modalities tell the class and what the sample is, a latent vector
/// that x2 has turned; in the others x2 is noise, so that x1 alone tells the class and there is nothing to align.
fn planted(rows: usize, seed: u64) -> FeatureSet {
    let mut random = stream(seed, "alignment test");
    let (mut x1, mut x2, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let mut normal = |scale: f64| scale * random.sample::<f64, _>(StandardNormal);
        let latent: [f64; LATENT] = std::array::from_fn(|_| normal(1.0));
        let noise: [f64; LATENT] = std::array::from_fn(|_| normal(1.0));
        let label = u32::from(row / 2 % CLASSES == 1);
        let class = 4.0 * f64::from(label) - 2.0;
        x1.push(class + normal(0.5));
        x1.extend(latent);
        let (told, seen) = if row % 2 == 0 { (class, latent) } else { (0.0, noise) };
        x2.extend((0..LATENT).map(|place| if place % 2 == 0 { seen[place + 1] } else { -seen[place - 1] }));
        x2.push(told + normal(0.5));
        labels.push(label);
    }
    let matrix = |values| Matrix::new(rows, 1 + LATENT, values).unwrap();
    FeatureSet::new(SampleIds::rows(rows), matrix(x1), matrix(x2), labels).unwrap()
}

fn classes() -> Classes {
    Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap()
}

fn settings(seeds: usize) -> Settings {
    Settings {
        by: vec![Interaction::Redundancy, Interaction::Unique1],
        seeds,
        width: 8,
        epochs: 30,
        rate: 0.01,
        batch: 32,
        estimator: estimator::Settings { folds: 2, measure: Measure::Ccs, ..estimator::Settings::default() },
        ..Settings::default()
    }
}

#[test]
fn where_some_samples_can_be_aligned_the_redundant_ones_are_those() {
    let samples = planted(480, 0);
    let classes = classes();
    let data = Data { samples: &samples, test: None, classes: &classes, unfrozen: None };
    let found = compare(data, &settings(2), None, &mut |_, _| {}).unwrap();
    let mean = |part: &str, figure| found.part(part).unwrap().figures[&figure].mean;
    for figure in [Figure::Recall10From1, Figure::Recall10From2, Figure::Recall1From1] {
        let [high, low, random, untrained] = ["r high", "r low", "random", "untrained"].map(|part| mean(part, figure));
        // Half of the 144 rows can be found at best; by chance one of 144 is at once, and 10 of 144 are among ten.
        assert!(high > random + 0.01 && random > low + 0.03, "{figure:?}: {high}, {random}, {low}");
        assert!(high > 3.0 * untrained && high < 0.62, "{figure:?}: {high}, {untrained}");
        // What x1 tells alone is what cannot be aligned.
        assert!(mean("u1 low", figure) > mean("u1 high", figure) + 0.05, "{figure:?}");
    }
    // The classes are told by x1 in all samples and by x2 in half of them.
    let [raw1, raw2] = found.raw.map(|raw| raw.mean);
    assert!(raw1 > 0.95 && (0.6..0.9).contains(&raw2), "{raw1} {raw2}");
    assert!(mean("r high", Figure::ZeroShotFrom1) > 0.9);
    let change = mean("r high", Figure::ProbeX1) - raw1;
    assert!((mean("r high", Figure::ProbeChangeX1) - change).abs() < 1e-12);
    // Paired differences are those of the runs.
    let runs = |part: &str| {
        let of_part = found.runs.iter().filter(|run| run.part == part);
        of_part.map(|run| run.figures[&Figure::Recall10From1]).sum::<f64>() / 2.0
    };
    let difference = found.difference("r high", "random").unwrap().figures[&Figure::Recall10From1].difference.mean;
    assert!((difference - (runs("r high") - runs("random"))).abs() < 1e-12);
    assert_eq!(found.shared, 0);
}

/// Rows that came to evaluate on are not trained on, and a comparison is the same on one thread and on two.
#[test]
fn rows_to_evaluate_on_are_left_alone_and_threads_change_nothing() {
    let (samples, test) = (planted(120, 1), planted(40, 2));
    let classes = classes();
    let data = Data { samples: &samples, test: Some(&test), classes: &classes, unfrozen: None };
    let of = |threads| {
        let usual = Settings { epochs: 2, ..settings(1) };
        let settings = Settings { estimator: estimator::Settings { threads, ..usual.estimator.clone() }, ..usual };
        compare(data, &settings, None, &mut |_, _| {}).unwrap()
    };
    let found = of(1);
    assert_eq!((found.n, found.trained, found.evaluated), (120, 120, 40));
    assert_eq!(found, of(2));
}

#[test]
fn what_cannot_be_compared_is_named() {
    let samples = planted(60, 3);
    let classes = classes();
    let of = |samples: &FeatureSet, settings: &Settings| {
        compare(Data { samples, test: None, classes: &classes, unfrozen: None }, settings, None, &mut |_, _| {})
            .unwrap_err()
    };
    let error = of(&samples, &Settings { fraction: 0.1, ..settings(1) });
    assert!(matches!(error, GuideError::SmallPart { found: 4, .. }), "{error}");
    let error = of(&samples, &Settings { fraction: 0.7, ..settings(1) });
    assert!(matches!(error, GuideError::Setting { name: "fraction", .. }), "{error}");
    let error = of(&FeatureSet { labels: vec![0; 60], ..samples.clone() }, &settings(1));
    let is_told =
        |error: &EstimatorError| matches!(error, EstimatorError::OneClass { .. } | EstimatorError::RareClass { .. });
    assert!(matches!(&error, GuideError::Estimator(error) if is_told(error)), "{error}");
    let none = samples.select(&[]);
    let data = Data { samples: &samples, test: Some(&none), classes: &classes, unfrozen: None };
    let error = compare(data, &settings(1), None, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, GuideError::Data { .. }), "{error}");
}
