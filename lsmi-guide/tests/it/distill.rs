//! The comparison of policies: what it finds, that it can be stopped, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::SampleIds;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_guide::decide::policy::{self, Options};
use lsmi_guide::experiments::distill::{Comparison, Data, Rule, Schedule, Settings, Source, compare, weights};
use lsmi_guide::train::distiller::NonFinite;
use lsmi_guide::{CheckpointError, GuideError, Interactions, Progress};

/// Rows of which half are synergistic and half unique to x2.
fn samples(rows: usize) -> FeatureSet {
    let family = FamilyName::Mixed.build(&FamilySettings { dims: 2, ..Default::default() }).unwrap();
    let draw = family.sample(rows, &mut stream(0, "rows"));
    FeatureSet::new(
        SampleIds::rows(rows),
        Matrix::new(rows, 2, draw.x1).unwrap(),
        Matrix::new(rows, 2, draw.x2).unwrap(),
        draw.labels,
    )
    .unwrap()
}

fn classes() -> Classes {
    Classes::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap()
}

fn small() -> Settings {
    Settings {
        seeds: 3,
        factors: vec![0.3, 1.0],
        student: Schedule { encoder: 4, fused: 4, epochs: 6, rate: 0.01, decay: 0.1 },
        teacher: Schedule { encoder: 8, fused: 6, epochs: 4, rate: 0.01, decay: 0.1 },
        transfer: 0.5,
        folds: 2,
        ..Settings::default()
    }
}

fn data<'a>(samples: &'a FeatureSet, classes: &'a Classes) -> Data<'a> {
    Data { samples, test: None, classes, teacher_features: None }
}

fn quietly(samples: &FeatureSet, settings: &Settings) -> Result<Comparison, GuideError> {
    compare(data(samples, &classes()), settings, None, &|_| ())
}

#[test]
fn policies_are_compared_pair_by_pair_whatever_the_threads() {
    let samples = samples(200);
    let mut settings = small();
    settings.policies.extend(["modality".to_owned(), "auxiliary".to_owned()]);
    settings.threads = 1;
    let found = quietly(&samples, &settings).unwrap();
    settings.threads = 2;
    assert_eq!(quietly(&samples, &settings).unwrap(), found);

    assert_eq!(found.policies.len(), 10);
    assert_eq!(found.advantages.len(), 9);
    assert_eq!(
        found.fusion.iter().map(|differences| differences.over.as_str()).collect::<Vec<_>>(),
        ["none", "auxiliary"]
    );
    for policy in &found.policies {
        assert_eq!(policy.runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [0, 1, 2], "{}", policy.policy);
        assert!(policy.log_loss.mean.is_finite() && (0.0..=1.0).contains(&policy.accuracy.mean));
    }
    let [interaction, both] = ["interaction", "both"].map(|name| found.policy(name).unwrap());
    let difference = found.advantage("both").unwrap().log_loss.difference.mean;
    assert!((difference - (both.log_loss.mean - interaction.log_loss.mean)).abs() < 1e-12);
}

#[test]
fn a_comparison_that_was_stopped_goes_on_to_the_same_result() {
    stopped_and_resumed(Source::Fixed);
    stopped_and_resumed(Source::Tracked);
}

fn stopped_and_resumed(interactions: Source) {
    let (samples, classes) = (samples(200), classes());
    let policies = vec!["both".to_owned(), "random".to_owned()];
    let student = Schedule { epochs: 24, ..small().student };
    let settings = Settings { threads: 1, policies, interactions, student, ..small() };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("partial");
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        compare(data(&samples, &classes), &settings, Some(&store), &|progress| {
            assert!(progress.done < 8, "stopped here");
        })
    }));
    assert!(stopped.is_err());
    let count = std::fs::read_dir(&store).unwrap().count();
    assert!((2..13).contains(&count), "{count} files");

    let other = Settings { temperature: 3.0, ..settings.clone() };
    let refusal = compare(data(&samples, &classes), &other, Some(&store), &|_| ()).unwrap_err();
    let GuideError::Checkpoint(CheckpointError::OtherRun { what, .. }) = refusal else { panic!("{refusal}") };
    assert_eq!(what, "the settings");

    let resumed = compare(data(&samples, &classes), &settings, Some(&store), &|_| ()).unwrap();
    assert_eq!(resumed, compare(data(&samples, &classes), &settings, None, &|_| ()).unwrap());
}

#[test]
fn a_loss_that_is_not_finite_is_named_or_skipped() {
    let samples = samples(200);
    let student = Schedule { rate: 1e30, ..small().student };
    let settings = Settings { student, policies: vec!["both".to_owned()], ..small() };
    let error = quietly(&samples, &settings).unwrap_err();
    assert!(matches!(&error, GuideError::Run { policy, .. } if policy == "both"), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("in step"), "{source}");

    let skipping = Settings { non_finite: NonFinite::Skip, ..settings };
    let skipped = quietly(&samples, &skipping).unwrap().skipped;
    assert!(skipped[0].starts_with("policy `both`, factor 0.3, seed 0: the"), "{}", skipped[0]);
}

#[test]
fn a_teacher_of_the_users_own_is_used_and_must_know_the_classes() {
    let mut samples = samples(200);
    let logits = |columns: usize| {
        let values =
            samples.labels.iter().flat_map(|label| (0..columns).map(|c| f64::from(u8::from(c == *label as usize))));
        Matrix::new(200, columns, values.collect()).unwrap()
    };
    let (right, wrong) = (logits(2), logits(3));
    samples.logits[2] = Some(right);
    let found = quietly(&samples, &Settings { policies: vec!["output".to_owned()], ..small() }).unwrap();
    assert_eq!(found.teacher.accuracy, 1.0);
    samples.logits[2] = Some(wrong);
    assert!(quietly(&samples, &small()).is_err());
}

#[test]
fn weights_are_told_of_every_sample() {
    let samples = samples(100);
    let plan = weights(data(&samples, &classes()), &small()).unwrap();
    assert_eq!(plan.ids(), &samples.ids);
    let sum: f64 = plan.weights().output.iter().sum();
    assert!((sum - 100.0).abs() < 1e-9);
}

#[test]
fn a_name_means_one_rule_in_the_library_and_in_the_comparison() {
    let samples = samples(100);
    for rule in [Rule::Sources, Rule::Dominant] {
        let settings = Settings { rule, ..small() };
        let found = weights(data(&samples, &classes()), &settings).unwrap();
        // `ccs` looks at no density, so that these interactions are those of the comparison.
        let fit = estimator::Settings { folds: 2, measure: settings.measure, ..estimator::Settings::default() };
        let interactions = Interactions::from_cross_fit(&cross_fit(&samples, &classes(), &fit, None).unwrap()).unwrap();
        let policy = policy::named("interaction", &Options { rule, ..Options::default() }).unwrap();
        let expected = policy.plan(&interactions, &Progress::default()).unwrap();
        assert_eq!(found.weights(), expected.weights(), "{rule:?}");
    }
}

#[test]
fn tracked_interactions_change_the_policies_that_look_at_them_and_no_other() {
    let samples = samples(300);
    let policies = ["interaction", "both", "random", "confidence", "none"].map(str::to_owned).to_vec();
    let student = Schedule { epochs: 25, ..small().student };
    let fixed = Settings { policies, student, seeds: 2, factors: vec![1.0], threads: 1, ..small() };
    let tracked = Settings { interactions: Source::Tracked, ..fixed.clone() };
    let (of_fixed, of_tracked) = (quietly(&samples, &fixed).unwrap(), quietly(&samples, &tracked).unwrap());
    for name in &fixed.policies {
        let is_same = of_fixed.policy(name) == of_tracked.policy(name);
        assert_eq!(is_same, !["interaction", "random"].contains(&name.as_str()), "{name}");
    }
    // In step with the training, so that the number of threads changes nothing.
    assert_eq!(quietly(&samples, &Settings { threads: 2, ..tracked }).unwrap(), of_tracked);
}

#[test]
fn settings_out_of_range_are_named() {
    let samples = samples(50);
    for (settings, expected) in [
        (Settings { seeds: 0, ..small() }, "seeds"),
        (Settings { transfer: 0.0, ..small() }, "transfer"),
        (Settings { factors: vec![], ..small() }, "factors"),
        (Settings { feature_factor: 0.0, ..small() }, "feature factor"),
        (Settings { temperature: 0.0, ..small() }, "distillation temperature"),
        (Settings { policies: vec!["both".to_owned(), "both".to_owned()], ..small() }, "policies"),
    ] {
        let error = quietly(&samples, &settings).unwrap_err();
        assert!(matches!(&error, GuideError::Setting { name, .. } if *name == expected), "{error}");
        // Settings can be checked before there are data.
        assert!(matches!(settings.check(), Err(GuideError::Setting { name, .. }) if name == expected));
    }
    let unknown = Settings { policies: vec!["best".to_owned()], ..small() };
    assert!(matches!(quietly(&samples, &unknown), Err(GuideError::UnknownName { .. })));
}
