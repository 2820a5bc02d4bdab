//! Analyses over lags: a series whose label depends on x1 two steps before and on x2 at the time.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lsmi_candle::analysis::{LagAnalyses, Settings, analyze_lags};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator;
use lsmi_candle::features::{Arrays, Keys, Numbers};
use lsmi_core::random::stream;
use rand::Rng;

const SEQUENCES: usize = 120;
const STEPS: usize = 7;

/// Four classes: whether x1 was above 0 two steps before, and whether x2 is. Both modalities are uniform noise.
static ANALYSES: LazyLock<LagAnalyses> = LazyLock::new(|| {
    let mut random = stream(0, "series");
    let mut series = || (0..SEQUENCES * STEPS).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let (x1, x2) = (series(), series());
    let y: Vec<i64> = (0..SEQUENCES * STEPS)
        .map(|place| 2 * i64::from(place >= 2 && x1[place - 2] > 0.0) + i64::from(x2[place] > 0.0))
        .collect();
    let shape = [SEQUENCES, STEPS, 1];
    let table = Arrays::new("series")
        .with_numbers("x1", &shape, Numbers::F64(&x1))
        .unwrap()
        .with_numbers("x2", &shape, Numbers::F64(&x2))
        .unwrap()
        .with_numbers("y", &shape[..2], Numbers::I64(&y))
        .unwrap()
        .read_sequences(&Keys::default(), &"1,2,3".parse().unwrap())
        .unwrap();
    let fit = estimator::Settings { folds: 3, device: DeviceChoice::Cpu, ..estimator::Settings::default() };
    analyze_lags(&table, &Settings { fit, repeats: Some(1), ..Settings::default() }, None).unwrap()
});

/// At lag 2, x1 tells ln 2 = 0.69 nats and so does x2, together 1.39; at other lags x1 tells nothing. With 480 samples, a
/// head that is not certain next to the threshold loses about a tenth of a nat, and one that learns from noise about as much.
#[test]
fn only_the_right_lag_tells() {
    let of_train: Vec<_> = ANALYSES.of_split("train").collect();
    assert_eq!(of_train.iter().map(|(lag, _)| *lag).collect::<Vec<_>>(), [1, 2, 3]);
    for (lag, summary) in of_train {
        assert_eq!(summary.n, SEQUENCES * (STEPS - 3));
        let (i1, i2) = (summary.information.i1, summary.information.i2);
        let expected = if lag == 2 { 2.0_f64.ln() } else { 0.0 };
        assert!((i1 - expected).abs() < 0.15, "lag {lag}: i1 is {i1}, not {expected}");
        assert!((i2 - 2.0_f64.ln()).abs() < 0.15, "lag {lag}: i2 is {i2}");
    }
    // x2 is the same at every lag, and so are samples, folds and what it tells.
    let i2: Vec<&Vec<f64>> = ANALYSES.lags.iter().map(|(_, analysis)| &analysis.splits()[0].scores.terms.i2).collect();
    assert!(i2[0] == i2[1] && i2[1] == i2[2]);
}

#[test]
fn folds_keep_sequences_together() {
    for (_, analysis) in &ANALYSES.lags {
        let scores = &analysis.splits()[0].scores;
        let mut fold_of: BTreeMap<String, u32> = BTreeMap::new();
        for (id, fold) in scores.terms.ids.iter().zip(scores.folds.as_ref().unwrap()) {
            let sequence = id.split_once('@').unwrap().0.to_owned();
            assert_eq!(*fold_of.entry(sequence).or_insert(*fold), *fold, "{id}");
        }
        assert_eq!(fold_of.len(), SEQUENCES);
    }
}

#[test]
fn the_summary_has_what_is_common_and_every_lag() {
    let mut bytes = Vec::new();
    ANALYSES.write_summary(&mut bytes).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&summary["first_step"], &summary["n"]), (&3.into(), &(SEQUENCES * (STEPS - 3)).into()));
    for lag in ["1", "2", "3"] {
        assert!(summary["lags"][lag]["splits"]["train"]["information"]["i12"].is_number());
    }
}
