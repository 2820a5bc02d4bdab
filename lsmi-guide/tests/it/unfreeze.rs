//! Alignment whose encoders are trained with the heads, on encoders small enough to know what training can do.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::collections::BTreeMap;
use std::error::Error;

use candle_core::{Device, Tensor, Var};
use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::random::stream;
use lsmi_core::{Measure, SampleIds};
use lsmi_guide::GuideError;
use lsmi_guide::experiments::align::{Comparison, Data, Encoder, Figure, Settings, Training, Unfrozen, compare};
use rand::Rng;
use rand_distr::StandardNormal;

const INPUTS: usize = 5;

/// `tanh(x W)` of inputs, whose weights are trained. Before, the first two numbers of an input go through and the others do not.
struct Layer {
    inputs: Vec<[f32; INPUTS]>,
}

struct Trained {
    inputs: Tensor,
    variables: BTreeMap<String, Var>,
}

impl Encoder for Layer {
    fn name(&self) -> &'static str {
        "layer"
    }

    fn weights(&self) -> &'static str {
        "known"
    }

    fn blocks(&self) -> usize {
        1
    }

    fn inputs(&self) -> usize {
        self.inputs.len()
    }

    fn begin(&self) -> Result<Box<dyn Training + '_>, Box<dyn Error + Send + Sync>> {
        let weight: Vec<f32> =
            (0..INPUTS * INPUTS).map(|place| f32::from(place % (INPUTS + 1) == 0 && place < 2 * INPUTS)).collect();
        let weight = Tensor::from_vec(weight, (INPUTS, INPUTS), &Device::Cpu)?;
        let inputs = Tensor::from_vec(self.inputs.concat(), (self.inputs.len(), INPUTS), &Device::Cpu)?;
        let variables = BTreeMap::from([("weight".to_owned(), Var::from_tensor(&weight)?)]);
        Ok(Box::new(Trained { inputs, variables }))
    }
}

impl Training for Trained {
    fn embed(&self, rows: &[usize]) -> Result<Tensor, Box<dyn Error + Send + Sync>> {
        let rows: Vec<u32> = rows.iter().map(|row| u32::try_from(*row).unwrap()).collect();
        let inputs = self.inputs.index_select(&Tensor::new(rows, &Device::Cpu)?, 0)?;
        Ok(inputs.matmul(self.variables["weight"].as_tensor())?.tanh()?)
    }

    fn variables(&self) -> &BTreeMap<String, Var> {
        &self.variables
    }
}

/// Inputs of two classes: both modalities have the class, and the same four numbers, with some noise in x2.
fn inputs(rows: usize) -> ([Vec<[f32; INPUTS]>; 2], Vec<u32>) {
    let mut random = stream(3, "alignment of encoders");
    let labels: Vec<u32> = (0..rows).map(|row| u32::from(row % 2 == 1)).collect();
    let mut both = [Vec::new(), Vec::new()];
    for label in &labels {
        let mut first = [0.0f32; INPUTS];
        for value in &mut first {
            *value = 0.5 * random.sample::<f32, _>(StandardNormal);
        }
        first[0] = if *label == 1 { 0.8 } else { -0.8 };
        let mut second = first;
        for value in &mut second {
            *value += 0.05 * random.sample::<f32, _>(StandardNormal);
        }
        both[0].push(first);
        both[1].push(second);
    }
    (both, labels)
}

fn names(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("sample {row}")).collect()
}

/// The samples as the encoders make them before training, and the encoders. Inputs are in another order than samples.
fn prepared(rows: usize) -> (FeatureSet, Unfrozen) {
    let (inputs, labels) = inputs(rows);
    let layers = inputs.map(|inputs| Layer { inputs });
    let matrix = |layer: &Layer| {
        let all: Vec<usize> = (0..rows).collect();
        let vectors = layer.begin().unwrap().embed(&all).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        Matrix::new(rows, INPUTS, vectors.into_iter().map(f64::from).collect()).unwrap()
    };
    let ids = || SampleIds::from_names(names(rows)).unwrap();
    let samples = FeatureSet::new(ids(), matrix(&layers[0]), matrix(&layers[1]), labels).unwrap();
    let reversed = SampleIds::from_names(names(rows).into_iter().rev()).unwrap();
    let encoders = layers
        .map(|layer| -> Box<dyn Encoder> { Box::new(Layer { inputs: layer.inputs.into_iter().rev().collect() }) });
    (samples, Unfrozen::new(encoders, reversed, 1).unwrap())
}

fn settings(encoder_rate: f64, threads: usize) -> Settings {
    Settings {
        seeds: 2,
        splits: 1,
        width: 8,
        epochs: 30,
        rate: 0.01,
        batch: 32,
        encoder_rate,
        estimator: estimator::Settings { folds: 2, measure: Measure::Ccs, threads, ..estimator::Settings::default() },
        ..Settings::default()
    }
}

fn compared(samples: &FeatureSet, unfrozen: Option<&Unfrozen>, settings: &Settings) -> Comparison {
    let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap();
    compare(Data { samples, test: None, classes: &classes, unfrozen }, settings, None, &mut |_, _| {}).unwrap()
}

#[test]
fn encoders_learn_what_heads_cannot() {
    let (samples, unfrozen) = prepared(240);
    let frozen = compared(&samples, None, &settings(1e-4, 0));
    let still = compared(&samples, Some(&unfrozen), &settings(1e-12, 0));
    let trained = compared(&samples, Some(&unfrozen), &settings(0.02, 0));
    let mean = |found: &Comparison, part: &str, figure| found.part(part).unwrap().figures[&figure].mean;
    for part in ["all", "random", "r high", "untrained"] {
        // Encoders that do not move are as frozen ones but for rounding, which turns few of 72 rows.
        for figure in [Figure::Recall1From1, Figure::Recall10From2, Figure::ZeroShotFrom1] {
            let difference = mean(&still, part, figure) - mean(&frozen, part, figure);
            assert!(difference.abs() < 0.03, "{part} {figure:?}: {difference}");
        }
        // Probes are of the encoder, which is what it was.
        assert!(mean(&still, part, Figure::ProbeChangeX1).abs() < 1e-9, "{part}");
    }
    // Two of five numbers tell a row from 71 others less well than all of them.
    let (few, all) = (mean(&frozen, "all", Figure::Recall1From1), mean(&trained, "all", Figure::Recall1From1));
    assert!(all > few + 0.2, "{few} to {all}");
    assert_eq!(mean(&trained, "untrained", Figure::Recall1From1), mean(&still, "untrained", Figure::Recall1From1));

    assert!(frozen.unfrozen.is_none());
    let described = trained.unfrozen.unwrap();
    assert_eq!((described.blocks, described.rate), ([1, 1], 0.02));
    for model in described.models {
        assert_eq!((model.model.as_str(), model.parameters), ("layer", INPUTS * INPUTS));
        assert!(model.difference.unwrap() < 1e-6);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_threads() {
    let (samples, unfrozen) = prepared(120);
    let of = |threads| {
        let settings = Settings { epochs: 3, seeds: 1, ..settings(0.01, threads) };
        serde_json::to_string(&compared(&samples, Some(&unfrozen), &settings)).unwrap()
    };
    let found = of(1);
    assert_eq!(found, of(1));
    assert_eq!(found, of(3));
}

#[test]
fn a_sample_without_inputs_is_named() {
    let (samples, unfrozen) = prepared(80);
    let mut ids = names(80);
    ids[7] = "stranger".to_owned();
    let samples = FeatureSet { ids: SampleIds::from_names(ids).unwrap(), ..samples };
    let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap();
    let data = Data { samples: &samples, test: None, classes: &classes, unfrozen: Some(&unfrozen) };
    let error = compare(data, &settings(1e-4, 0), None, &mut |_, _| {}).unwrap_err();
    assert!(matches!(&error, GuideError::UnknownId { what: "inputs", id } if id == "stranger"), "{error}");

    let encoders = inputs(80).0.map(|inputs| -> Box<dyn Encoder> { Box::new(Layer { inputs }) });
    let error = Unfrozen::new(encoders, SampleIds::rows(79), 1).unwrap_err();
    assert!(matches!(error, GuideError::Length { what: "inputs", expected: 79, found: 80 }), "{error}");
}
