//! Guided ensembles: where weights must follow the sample, where they must not, and a comparison from end to end.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::{Decomposition, SampleIds};
use lsmi_guide::experiments::ensemble::{
    Data, EnsembleError, GlobalWeights, Guidance, GuidedSettings, GuidedWeights, Members, Metrics, Pool, Settings,
    compare, weights,
};
use rand::Rng;

/// Two members, and an interaction that says which of them knows the label: `u1` is 1 where the first does and -1 where the
/// second does. With `is_told` false the interaction is drawn anew, and says nothing.
fn who_knows(rows: usize, is_told: bool, seed: u64) -> (Members, Decomposition, Vec<u32>) {
    let mut random = stream(seed, "ensemble test");
    let (mut first, mut second, mut u1, mut labels) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rows {
        let label: u32 = random.random_range(0..2);
        let knows: bool = random.random();
        let right = if label == 0 { [2.0, 0.0] } else { [0.0, 2.0] };
        let guess = if random.random() { [2.0, 0.0] } else { [0.0, 2.0] };
        first.extend(if knows { right } else { guess });
        second.extend(if knows { guess } else { right });
        let tells = if is_told { knows } else { random.random() };
        u1.push(if tells { 1.0 } else { -1.0 });
        labels.push(label);
    }
    let mut members = Members::new(rows, 2);
    members.push("first", first).unwrap();
    members.push("second", second).unwrap();
    let none = || vec![0.0; rows];
    let interactions = Decomposition { ids: SampleIds::rows(rows), r: none(), u1, u2: none(), s: none() };
    (members, interactions, labels)
}

fn log_loss(log_probabilities: &[f64], labels: &[u32]) -> f64 {
    Metrics::of(log_probabilities, labels, 2).log_loss
}

#[test]
fn weights_follow_the_interaction_that_tells_who_knows() {
    let (members, interactions, labels) = who_knows(600, true, 0);
    let weights = GuidedWeights::fit(&members, &interactions, &labels, None, &GuidedSettings::default()).unwrap();
    assert!(matches!(weights.guidance(), Guidance::Penalty(_)), "{:?}", weights.choices);
    let (members, interactions, labels) = who_knows(600, true, 1);
    let guided = weights.predict(&members, &interactions).unwrap();
    for (row, weights) in guided.weights.chunks_exact(2).enumerate() {
        assert_eq!(weights[0] > weights[1], interactions.u1[row] > 0.0, "row {row}: {weights:?}");
    }
    // Stacking can at best go by the agreement of the two; the member that knows is always right.
    let stacked = GlobalWeights::stacked(&members, &labels, Pool::LogLinear).unwrap().predict(&members).unwrap();
    let (guided, stacked) = (log_loss(&guided.log_probabilities, &labels), log_loss(&stacked, &labels));
    assert!(guided < 0.5 * stacked, "{guided} {stacked}");
}

#[test]
fn an_interaction_that_tells_nothing_does_no_harm() {
    for seed in 0..4 {
        let (members, interactions, labels) = who_knows(600, false, 2 * seed);
        let weights = GuidedWeights::fit(&members, &interactions, &labels, None, &GuidedSettings::default()).unwrap();
        let stacked = GlobalWeights::stacked(&members, &labels, Pool::LogLinear).unwrap();
        let (members, interactions, labels) = who_knows(2000, false, 2 * seed + 1);
        let guided = log_loss(&weights.predict(&members, &interactions).unwrap().log_probabilities, &labels);
        let stacked = log_loss(&stacked.predict(&members).unwrap(), &labels);
        // Some weights that say nothing, fitted to 600 rows, cost about half a nat for 600 each before the penalty.
        assert!(guided < stacked + 0.005, "{guided} {stacked}");
    }
}

#[test]
fn weights_are_for_the_members_of_the_fit() {
    let (members, interactions, labels) = who_knows(100, true, 0);
    let weights = GuidedWeights::fit(&members, &interactions, &labels, None, &GuidedSettings::default()).unwrap();
    let mut others = Members::new(100, 2);
    others.push("first", vec![0.0; 200]).unwrap();
    assert!(matches!(weights.predict(&others, &interactions), Err(EnsembleError::Others { what: "members", .. })));
    let (_, fewer, _) = who_knows(99, true, 0);
    assert!(matches!(weights.predict(&members, &fewer), Err(EnsembleError::Rows { expected: 100, found: 99, .. })));
    let one_fold = GuidedSettings { folds: 1, ..GuidedSettings::default() };
    let error = GuidedWeights::fit(&members, &interactions, &labels, None, &one_fold).unwrap_err();
    assert!(matches!(error, EnsembleError::TooFew { what: "folds", .. }));
}

/// Samples of the family `or`.
fn samples(rows: usize) -> (FeatureSet, Classes) {
    let family = FamilyName::Or.build(&FamilySettings { dims: 2, ..FamilySettings::default() }).unwrap();
    let draw = family.sample(rows, &mut stream(0, "ensemble samples"));
    let samples = FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, 2, draw.x1).unwrap(),
        Matrix::new(rows, 2, draw.x2).unwrap(),
        draw.labels,
    )
    .unwrap();
    (samples, Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap())
}

#[test]
fn a_comparison_evaluates_every_method_with_every_seed() {
    let (samples, classes) = samples(150);
    // A model of the user's own that knows every label.
    let logits = samples.labels.iter().flat_map(|label| if *label == 0 { [6.0, 0.0] } else { [0.0, 6.0] }).collect();
    let models = [("mine".to_owned(), Matrix::new(150, 2, logits).unwrap())];
    let mut settings = Settings { seeds: 2, ..Settings::default() };
    settings.estimator.folds = 2;
    let mut told = Vec::new();
    let data = Data { samples: &samples, classes: &classes, models: &models };
    let found = compare(data, &settings, None, &mut |done, all| told.push((done, all))).unwrap();
    assert_eq!(told, [(0, 2), (1, 2), (2, 2)]);
    assert_eq!(found.members, ["x1", "x2", "joint", "late", "mine"]);

    let row = |name: &str| found.methods.iter().find(|row| row.method == name).unwrap();
    assert_eq!(row("mine").accuracy.mean, 1.0);
    // The pool of one member takes its probabilities through logarithms, which rounds.
    assert!((row("best single").log_loss.mean - row("mine").log_loss.mean).abs() < 1e-12);
    assert!(row("guided").log_loss.mean <= row("mine").log_loss.mean, "{found:?}");
    // The oracle takes the best member of each sample; pools of several may still be better than any of them.
    for member in &found.members {
        assert!(row("oracle").log_loss.mean <= row(member).log_loss.mean + 1e-12, "{member}");
    }
    let difference = found.advantage("stacking").unwrap();
    let expected = row("stacking").log_loss.mean - row("guided").log_loss.mean;
    assert!((difference.log_loss.difference.mean - expected).abs() < 1e-12);
    assert_eq!(found.weak_member[0].over, "guided");
    assert_eq!((found.n, found.evaluated, found.advantages.len()), (150, 45, 11));

    let of_samples = weights(data, &settings).unwrap();
    assert_eq!((of_samples.members.len(), of_samples.weights.len()), (5, 750));
    assert_eq!(of_samples.of_member(4)[1], of_samples.weights[9]);

    let nothing = Settings { evaluated: 1.0, ..settings };
    assert!(matches!(nothing.check(), Err(EnsembleError::Share { .. })));
    assert!(matches!(compare(data, &nothing, None, &mut |_, _| {}), Err(EnsembleError::Share { .. })));
}

#[test]
fn a_comparison_that_was_stopped_goes_on_to_the_same_result() {
    let (samples, classes) = samples(80);
    let mut settings = Settings { seeds: 2, ..Settings::default() };
    settings.estimator.folds = 2;
    let data = Data { samples: &samples, classes: &classes, models: &[] };
    let whole = compare(data, &settings, None, &mut |_, _| {}).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("partial");
    let run = |settings: &Settings| compare(data, settings, Some(&path), &mut |_, _| {});
    run(&settings).unwrap();
    // As if it had been killed after the first seed.
    std::fs::remove_file(path.join("seed-1.json")).unwrap();
    let first = std::fs::read(path.join("seed-0.json")).unwrap();
    assert_eq!(run(&settings).unwrap(), whole);
    assert_eq!(std::fs::read(path.join("seed-0.json")).unwrap(), first);
    // More threads change nothing, other settings are another comparison.
    settings.estimator.threads = 2;
    assert_eq!(run(&settings).unwrap(), whole);
    settings.evaluated = 0.4;
    assert!(matches!(run(&settings), Err(EnsembleError::Checkpoint(_))));
}
