//! A candle model of the user's own is a student like any other.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use candle_core::{Device, Tensor};
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::{ClassPrior, SampleIds, Terms};
use lsmi_guide::decide::policy::{self, Options};
use lsmi_guide::train::distiller::{self, Distiller, Teacher};
use lsmi_guide::train::student::{Model, Outputs, TensorStudent};
use lsmi_guide::train::tracker::{self, Mode, Samples};
use lsmi_guide::train::trainer::{Rate, Settings};
use lsmi_guide::{Guide, GuideError, Interactions, Pacing, Tracker, Trainer};
use serde_json::{Value, json};

const ROWS: usize = 96;
const SIDE: usize = 8;

/// Pictures with a bar that lies or stands, beside a number; the label is whether the bar stands, which the number tells too
/// of every other sample.
struct Bars {
    kernel: Tensor,
    of_number: Tensor,
    output: Tensor,
    heads: [Tensor; 2],
    pictures: Tensor,
    numbers: Tensor,
}

fn labels() -> Vec<u32> {
    (0..ROWS as u32).map(|row| row / 2 % 2).collect()
}

impl Bars {
    fn new(store: &mut ParameterStore) -> Self {
        let (mut pixels, mut numbers) = (vec![0.0f32; ROWS * SIDE * SIDE], Vec::new());
        for (row, label) in labels().into_iter().enumerate() {
            let place = row * 5 % SIDE;
            for along in 0..SIDE {
                let (line, column) = if label == 1 { (along, place) } else { (place, along) };
                pixels[(row * SIDE + line) * SIDE + column] = 1.0;
            }
            numbers.push(if row % 2 == 0 { 2.0 * label as f32 - 1.0 } else { 0.1 * (row % 7) as f32 - 0.3 });
        }
        Self {
            kernel: store.normal("kernel", (4, 1, 3, 3), 0.5).unwrap(),
            of_number: store.normal("number", (1, 4), 1.0).unwrap(),
            output: store.normal("output", (8, 2), 0.5).unwrap(),
            heads: [store.normal("head1", (4, 2), 0.5).unwrap(), store.normal("head2", (4, 2), 0.5).unwrap()],
            pictures: Tensor::from_vec(pixels, (ROWS, 1, SIDE, SIDE), &Device::Cpu).unwrap(),
            numbers: Tensor::from_vec(numbers, (ROWS, 1), &Device::Cpu).unwrap(),
        }
    }
}

impl Model for Bars {
    fn forward(&self, rows: &[usize]) -> Result<Outputs, GuideError> {
        let rows = Tensor::from_iter(rows.iter().map(|row| *row as u32), &Device::Cpu)?;
        let pictures = self.pictures.index_select(&rows, 0)?.conv2d(&self.kernel, 1, 1, 1, 1)?.relu()?;
        let features = [pictures.mean(3)?.mean(2)?, self.numbers.index_select(&rows, 0)?.matmul(&self.of_number)?];
        let fused = Tensor::cat(&features, 1)?;
        let auxiliary = [features[0].matmul(&self.heads[0])?, features[1].matmul(&self.heads[1])?];
        Ok(Outputs { logits: fused.matmul(&self.output)?, features, fused, auxiliary: Some(auxiliary) })
    }

    fn identity(&self) -> Value {
        json!("bars")
    }
}

fn student() -> TensorStudent<Bars> {
    let ids = SampleIds::rows(ROWS);
    let logits: Vec<f32> = labels().iter().flat_map(|label| [0.0, 4.0 * *label as f32 - 2.0]).collect();
    let logits = Tensor::from_vec(logits, (ROWS, 2), &Device::Cpu).unwrap();
    let teacher = Teacher::new(ids.clone(), &logits, &logits).unwrap();
    let mut store = ParameterStore::new(0, &Device::Cpu);
    let model = Bars::new(&mut store);
    let settings = distiller::Settings { auxiliary: 0.3, ..distiller::Settings::default() };
    let distiller = Distiller::new(teacher, settings, &mut store, 2, 8).unwrap();
    TensorStudent::new(model, store, ids, labels(), Some(distiller), 0.0, &Device::Cpu).unwrap()
}

fn steps() -> Settings {
    Settings { batch: 32, rate: Rate::Constant(0.02), ..Settings::default() }
}

#[test]
fn a_model_of_convolutions_learns_under_every_policy() {
    // What the number tells: all of the label of every other sample; the picture tells it of all.
    let number: Vec<f64> = (0..ROWS).map(|row| if row % 2 == 0 { 2f64.ln() } else { 0.0 }).collect();
    let (zeros, whole) = (vec![0.0; ROWS], vec![2f64.ln(); ROWS]);
    let terms = Terms::new(SampleIds::rows(ROWS), zeros.clone(), zeros, whole.clone(), number, whole).unwrap();
    let interactions = Interactions::new(terms, labels(), ClassPrior::uniform(2).unwrap()).unwrap();
    let interactions = interactions.with_confidence(vec![0.8; ROWS]).unwrap();
    for entry in policy::POLICIES {
        let policy = policy::named(entry.name, &Options::default()).unwrap();
        let guide = Guide::fixed(policy, interactions.clone(), Pacing::default()).unwrap();
        let mut trainer = Trainer::new(student(), guide, steps()).unwrap();
        let first = trainer.epoch().unwrap().losses["label"];
        for _ in 0..19 {
            trainer.epoch().unwrap();
        }
        let last = trainer.epoch().unwrap().losses["label"];
        assert!(last < 0.7 * first, "{}: {first}, then {last}", entry.name);
    }
}

#[test]
fn it_can_be_tracked_and_resumed() {
    let tracked = || {
        let samples =
            Samples { ids: SampleIds::rows(ROWS), labels: labels(), classes: 2, groups: None, confidence: None };
        let settings = tracker::Settings { mode: Mode::Synchronous, every: 2, ..tracker::Settings::default() };
        let policy = policy::named("interaction", &Options::default()).unwrap();
        let guide = Guide::tracked(policy, Tracker::new(samples, settings).unwrap(), Pacing::default()).unwrap();
        Trainer::new(student(), guide, steps()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.safetensors");
    let mut whole = tracked();
    for _ in 0..5 {
        whole.epoch().unwrap();
    }
    whole.save(&path).unwrap();
    let mut rest = tracked();
    rest.resume(&path).unwrap();
    for _ in 0..4 {
        assert_eq!(whole.epoch().unwrap(), rest.epoch().unwrap());
    }
    let epochs = whole.hook().tracker().unwrap().history().iter().map(|entry| entry.epoch).collect::<Vec<_>>();
    assert_eq!(epochs, [1, 3, 5, 7]);
    let means = whole.hook().tracker().unwrap().history()[3].terms;
    // The picture tells every label, the number every other one.
    assert!(means.i1 > 0.3 && means.i1 > means.i2, "{means:?}");
}
