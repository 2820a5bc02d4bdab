//! Training as a hook says, and its checkpoints.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::path::Path;

use candle_core::{Device, Tensor};
use lsmi_candle::features::FeatureSet;
use lsmi_core::families::FamilyName;
use lsmi_core::{ClassPrior, Terms};
use lsmi_guide::decide::policy::{self, Choice, DominantPolicy, Options};
use lsmi_guide::train::distiller::{self, Teacher};
use lsmi_guide::train::loss::feature::FeatureLoss;
use lsmi_guide::train::student::TensorStudent;
use lsmi_guide::train::student::fusion::{self, Fusion};
use lsmi_guide::train::tracker::{self, Mode, Samples};
use lsmi_guide::train::trainer::{Rate, Settings};
use lsmi_guide::{CheckpointError, Guide, GuideError, Hook, Interactions, Pacing, Tracker, Trainer};

use crate::shared::samples;

const ROWS: usize = 400;

fn data() -> (FeatureSet, Terms) {
    samples(FamilyName::Mixed, ROWS, 6, 0)
}

fn fixed(policy: &str) -> Guide {
    let (of, terms) = data();
    let interactions = Interactions::new(terms, of.labels, ClassPrior::uniform(2).unwrap()).unwrap();
    let interactions = interactions.with_confidence(vec![0.8; ROWS]).unwrap();
    Guide::fixed(policy::named(policy, &Options::default()).unwrap(), interactions, Pacing::default()).unwrap()
}

fn tracked() -> Guide {
    let (of, _) = data();
    let settings = tracker::Settings { mode: Mode::Synchronous, ..tracker::Settings::default() };
    let samples = Samples { ids: of.ids, labels: of.labels, classes: 2, groups: None, confidence: None };
    let tracker = Tracker::new(samples, settings).unwrap();
    let policy = DominantPolicy { choice: Choice::Hard { margin: 0.05 }, ..DominantPolicy::default() };
    Guide::tracked(Box::new(policy), tracker, Pacing { warm_up: 1, smoothing: 0.5 }).unwrap()
}

/// A teacher of 8 features that knows the labels.
fn teacher(of: &FeatureSet) -> Teacher {
    let logits: Vec<f32> = of.labels.iter().flat_map(|label| [0.0, 4.0 * (*label as f32 - 0.5)]).collect();
    let features: Vec<f32> = of
        .labels
        .iter()
        .enumerate()
        .flat_map(|(row, label)| (0..8).map(move |column| (*label * column) as f32 * 0.3 + (row % 7) as f32 * 0.1))
        .collect();
    let tensor = |values: Vec<f32>, width| Tensor::from_vec(values, (ROWS, width), &Device::Cpu).unwrap();
    Teacher::new(of.ids.clone(), &tensor(features, 8), &tensor(logits, 2)).unwrap()
}

type Run<H> = Trainer<TensorStudent<Fusion>, H>;

fn student(of: &FeatureSet, seed: u64, of_distiller: distiller::Settings) -> TensorStudent<Fusion> {
    let settings = fusion::Settings { hidden: 12, seed, ..fusion::Settings::default() };
    fusion::student(of, 2, &settings, Some((teacher(of), of_distiller)), &Device::Cpu).unwrap()
}

fn usual() -> distiller::Settings {
    distiller::Settings { auxiliary: 0.1, temperature: 2.0, ..distiller::Settings::default() }
}

fn steps(seed: u64) -> Settings {
    Settings { batch: 40, rate: Rate::Constant(0.01), seed, ..Settings::default() }
}

fn trainer<H: Hook>(hook: H, seed: u64) -> Run<H> {
    Trainer::new(student(&data().0, seed, usual()), hook, steps(seed)).unwrap()
}

#[test]
fn every_policy_trains_and_the_losses_fall() {
    for entry in policy::POLICIES {
        let mut trainer = trainer(fixed(entry.name), 0);
        let first = trainer.epoch().unwrap();
        for _ in 0..7 {
            trainer.epoch().unwrap();
        }
        let last = trainer.epoch().unwrap();
        assert!(last.losses["label"] < first.losses["label"], "{}: {first:?}, {last:?}", entry.name);
        assert_eq!(
            first.losses["feature"] == 0.0,
            ["output", "none", "modality", "auxiliary"].contains(&entry.name),
            "{}",
            entry.name
        );
        assert!(last.skipped.is_empty());
    }
}

#[test]
fn labels_alone_and_relations_train_too() {
    let (of, _) = data();
    let of_labels = fusion::student(&of, 2, &fusion::Settings::default(), None, &Device::Cpu).unwrap();
    let mut alone = Trainer::new(of_labels, fixed("none"), Settings::default()).unwrap();
    let first = alone.epoch().unwrap().losses["label"];
    for _ in 0..8 {
        alone.epoch().unwrap();
    }
    assert!(alone.epoch().unwrap().losses["label"] < first);

    let settings = distiller::Settings { feature_loss: FeatureLoss::Relation, ..distiller::Settings::default() };
    let mut related = Trainer::new(student(&of, 0, settings), fixed("both"), Settings::default()).unwrap();
    let first = related.epoch().unwrap().losses["feature"];
    for _ in 0..8 {
        related.epoch().unwrap();
    }
    assert!(related.epoch().unwrap().losses["feature"] < first);
}

#[test]
fn a_tracked_run_learns_its_own_plans() {
    let mut trainer = trainer(tracked(), 0);
    for _ in 0..8 {
        trainer.epoch().unwrap();
    }
    let tracker = trainer.hook().tracker().unwrap();
    let history = tracker.history();
    assert_eq!(history.iter().map(|entry| entry.epoch).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    assert!(history[7].terms.i12 > history[0].terms.i12, "{history:?}");
    let plan = trainer.hook().plan().unwrap();
    // Hard choices: each sample is on one side.
    let sides = plan.weights().feature.iter().zip(&plan.weights().output);
    assert!(sides.clone().all(|(feature, output)| (*feature > 0.0) != (*output > 0.0)));
    assert!(plan.weights().output.iter().any(|weight| *weight > 0.0), "some samples are synergistic");
}

fn saved<H: Hook>(trainer: &Run<H>, path: &Path) -> Vec<u8> {
    trainer.save(path).unwrap();
    std::fs::read(path).unwrap()
}

fn resumed_equals_uninterrupted<H: Hook>(hook: impl Fn() -> H) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("training.safetensors");
    let mut whole = trainer(hook(), 0);
    for _ in 0..3 {
        whole.epoch().unwrap();
    }
    whole.save(&path).unwrap();
    let mut rest = trainer(hook(), 0);
    rest.resume(&path).unwrap();
    assert_eq!(rest.epochs(), 3);
    for _ in 0..3 {
        assert_eq!(whole.epoch().unwrap(), rest.epoch().unwrap());
    }
    assert_eq!(saved(&whole, &path), saved(&rest, &path));
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["training.safetensors"]);
}

#[test]
fn a_resumed_run_has_the_bytes_of_an_uninterrupted_one() {
    resumed_equals_uninterrupted(|| fixed("interaction"));
    resumed_equals_uninterrupted(tracked);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("training.safetensors");
    let mut first = trainer(fixed("interaction"), 0);
    first.epoch().unwrap();
    first.save(&path).unwrap();

    let refused = |error: GuideError, expected: &str| {
        assert!(
            matches!(&error, GuideError::Checkpoint(CheckpointError::OtherRun { what, .. }) if what == expected),
            "{error}"
        );
    };
    let other = |student, settings| Trainer::new(student, fixed("interaction"), settings).unwrap().resume(&path);
    let (mut of, _) = data();
    refused(other(student(&of, 0, usual()), steps(1)).unwrap_err(), "the settings");
    refused(trainer(fixed("both"), 0).resume(&path).unwrap_err(), "the policy");
    refused(other(student(&of, 0, distiller::Settings::default()), steps(0)).unwrap_err(), "the distillation");
    refused(other(student(&of, 1, usual()), steps(0)).unwrap_err(), "the model");
    // Other labels are another hash of the data, and here another teacher too.
    let before = teacher(&of);
    of.labels[0] = 1 - of.labels[0];
    let teaching = Some((before, usual()));
    let widths = fusion::Settings { hidden: 12, ..fusion::Settings::default() };
    let relabelled = fusion::student(&of, 2, &widths, teaching, &Device::Cpu).unwrap();
    let error = other(relabelled, steps(0)).unwrap_err();
    assert!(error.to_string().contains("the model: data: "), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_refused_and_leaves_the_training_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("training.safetensors");
    let mut first = trainer(fixed("interaction"), 0);
    first.epoch().unwrap();
    let bytes = saved(&first, &path);
    let mut second = trainer(fixed("interaction"), 0);
    let before = saved(&second, &directory.path().join("before.safetensors"));
    for damaged in [&bytes[..bytes.len() / 2], b"", b"no checkpoint at all"] {
        std::fs::write(&path, damaged).unwrap();
        let error = second.resume(&path).unwrap_err();
        assert!(matches!(error, GuideError::Checkpoint(CheckpointError::Format { .. })), "{error}");
    }
    let error = second.resume(&directory.path().join("absent")).unwrap_err();
    assert!(matches!(error, GuideError::Checkpoint(CheckpointError::File { action: "read", .. })), "{error}");
    assert_eq!(saved(&second, &path), before);
}

#[test]
fn steps_with_losses_that_are_not_finite_are_skipped_if_so_asked() {
    let (of, _) = data();
    let run = |non_finite| {
        let mut of = of.clone();
        let mut values = of.x1.values().to_vec();
        values[6 * 11] = f64::INFINITY;
        of.x1 = lsmi_candle::numbers::matrix::Matrix::new(ROWS, 6, values).unwrap();
        let settings = distiller::Settings { non_finite, ..distiller::Settings::default() };
        let steps = Settings { batch: 40, ..Settings::default() };
        Trainer::new(student(&of, 0, settings), fixed("both"), steps).unwrap().epoch()
    };
    let id = of.ids.get(11).into_owned();
    let report = run(distiller::NonFinite::Skip).unwrap();
    assert_eq!(report.skipped.len(), 1);
    assert!(report.skipped[0].contains(&format!("of the sample `{id}`")), "{:?}", report.skipped);
    assert!(report.losses.values().all(|loss| loss.is_finite()));
    let error = run(distiller::NonFinite::Stop).unwrap_err();
    assert!(matches!(error, GuideError::Diverged { id: ref found, .. } if *found == id), "{error}");
}
