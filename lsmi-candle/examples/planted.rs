//! Which measure says what kind a sample is, from exact terms and from estimated ones.
//!
//! The family `groups`: five groups of equal size, each of one kind. 4,000 training rows in 12 dimensions, seeds 1 to 3;
//! the exact terms of these rows, and their cross-fitted ones in the whitened gauge. Ideally a component is .69 in its
//! own group and 0 in all others. For each measure, over all seeds: the mean r, u1, u2, s of every group, in nats; and
//! the area under the ROC curve of each component, its own group against all others, at the worst of the seeds. Then how
//! often the kind of a sample is that of its group, for several shares of the label's surprisal as the threshold (the
//! library's own is `Kind::SHARE`), and which kinds the samples of every group are of. Last, of the samples of each kind the
//! share whose label is the class that both modalities together predict: `synergistic or hard` is what was called
//! synergistic before there was the kind hard. An amplitude below the family's usual 3 makes bits and groups harder to tell.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example planted [-- AMPLITUDE]
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use lsmi_candle::estimator::{Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Groups, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, roc_area};
use lsmi_core::{ClassPrior, Decomposition, Interaction, Kind, Measure, SampleIds, Terms};

const ROWS: usize = 4000;
const DIMS: usize = 12;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;
const SHARES: [f64; 6] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3];

/// Samples whose groups are known.
struct Samples {
    terms: Terms,
    labels: Vec<u32>,
    /// Whether the label is the class that both modalities together predict.
    is_predicted: Vec<bool>,
    groups: Vec<u32>,
    prior: ClassPrior,
}

fn main() -> Result<(), Box<dyn Error>> {
    let usual = FamilySettings { dims: DIMS, ..FamilySettings::default() };
    let family = match std::env::args().nth(1) {
        Some(amplitude) => FamilySettings { amplitude: amplitude.parse()?, ..usual },
        None => usual,
    };
    let (mut exact, mut estimated) = (Vec::new(), Vec::new());
    for seed in SEEDS {
        let [of_density, of_models] = draw(&family, seed)?;
        exact.push(of_density);
        estimated.push(of_models);
    }
    for (source, seeds) in [("exact", exact), ("estimated", estimated)] {
        println!("{source} terms");
        println!("measure  mean r, u1, u2, s of the groups {}", Groups::KINDS.map(Kind::name).join(", "));
        for measure in Measure::ALL {
            let parts: Vec<_> = seeds.iter().map(|seed| measure.decompose(&seed.terms, &seed.labels)).collect();
            println!("{measure:<8} {}", group_means(&parts, &seeds).join("   "));
            println!("         area under the ROC curve {}", row(&worst_areas(&parts, &seeds), 3));
        }
        println!("share of label surprisal   right kinds, each seed");
        for share in SHARES {
            let right: Vec<f64> = seeds.iter().map(|samples| right_share(samples, share)).collect();
            println!("{share:<26} {}", row(&right, 4));
        }
        println!("share of predicted labels, samples, by kind");
        for (kinds, samples, share) in predicted_shares(&seeds) {
            println!("{kinds:<22} {share:.3} {samples:>6}");
        }
        println!("kinds at {}   {}", Kind::SHARE, Kind::ALL.map(Kind::name).join("  "));
        for (group, kind) in (0..).zip(Groups::KINDS) {
            println!("{kind:<14} {}", kind_counts(&seeds, group).map(|count| format!("{count:>9}")).join(""));
        }
        println!();
    }
    Ok(())
}

/// The samples of a seed with their exact and with their estimated terms.
fn draw(settings: &FamilySettings, seed: u64) -> Result<[Samples; 2], Box<dyn Error>> {
    let family = FamilyName::Groups.build(settings)?;
    let draw = family.sample(ROWS, &mut stream(seed, "simulated samples"));
    let exact = family.terms(&draw)?;
    let (labels, groups) = (draw.labels, draw.groups.ok_or("the family has groups")?);
    let train = FeatureSet::new(
        SampleIds::rows(ROWS),
        Matrix::new(ROWS, DIMS, draw.x1)?,
        Matrix::new(ROWS, DIMS, draw.x2)?,
        labels.clone(),
    )?;
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()])?;
    let fit = cross_fit(&train, &classes, &Settings { seed, ..Settings::default() }, None)?;
    // Of two equally frequent classes, the one whose i12 is positive is predicted.
    let by_density: Vec<bool> = exact.i12.iter().map(|i12| *i12 > 0.0).collect();
    let by_head = fit.scores.predictions[2].iter().zip(&labels).map(|(predicted, label)| predicted == label).collect();
    let samples = |terms, prior, is_predicted| Samples {
        terms,
        labels: labels.clone(),
        is_predicted,
        groups: groups.clone(),
        prior,
    };
    let prior = fit.estimator.prior().clone();
    Ok([samples(exact, ClassPrior::uniform(2)?, by_density), samples(fit.scores.terms, prior, by_head)])
}

/// The mean components of every group over all seeds.
fn group_means(parts: &[Decomposition], seeds: &[Samples]) -> [String; 5] {
    [0, 1, 2, 3, 4].map(|group| {
        let means = Interaction::ALL.map(|part| {
            let values = parts.iter().zip(seeds).flat_map(|(parts, seed)| parts.values(part).iter().zip(&seed.groups));
            mean(&values.filter(|(_, of)| **of == group).map(|(value, _)| *value).collect::<Vec<_>>())
        });
        row(&means, 2)
    })
}

/// For each component the area under the ROC curve of its group against all others, at the worst seed.
fn worst_areas(parts: &[Decomposition], seeds: &[Samples]) -> Vec<f64> {
    let area = |parts: &Decomposition, seed: &Samples, group: u32, part: Interaction| {
        // Exact components that vanish do so to rounding only.
        let values: Vec<f64> = parts.values(part).iter().map(|value| (value * 1e12).round()).collect();
        let is_member: Vec<bool> = seed.groups.iter().map(|of| *of == group).collect();
        roc_area(&values, &is_member).unwrap_or(f64::NAN)
    };
    let worst = |(group, part): (u32, Interaction)| {
        parts.iter().zip(seeds).map(|(parts, seed)| area(parts, seed, group, part)).fold(1.0, f64::min)
    };
    (0..).zip(Interaction::ALL).map(worst).collect()
}

/// The kinds of samples where a component counts from this share of their labels' surprisal.
fn kinds(samples: &Samples, share: f64) -> impl Iterator<Item = Kind> {
    let Samples { terms, labels, is_predicted, prior, .. } = samples;
    (0..terms.len()).map(move |row| {
        let threshold = -share * prior.log_probability(labels[row] as usize);
        Kind::above(threshold, terms.i1[row], terms.i2[row], terms.i12[row], is_predicted[row])
    })
}

/// How often a sample is of the kind of its group.
fn right_share(samples: &Samples, share: f64) -> f64 {
    let pairs = kinds(samples, share).zip(&samples.groups);
    pairs.filter(|(kind, group)| Groups::KINDS[**group as usize] == *kind).count() as f64 / ROWS as f64
}

/// Of the samples of each kind, and of those that are synergistic or hard, over all seeds: their number, and the share whose
/// label both modalities together predict.
fn predicted_shares(seeds: &[Samples]) -> Vec<(String, usize, f64)> {
    let all: Vec<(Kind, bool)> = seeds
        .iter()
        .flat_map(|samples| kinds(samples, Kind::SHARE).zip(samples.is_predicted.iter().copied()))
        .collect();
    let of = |wanted: &[Kind]| {
        let found: Vec<bool> =
            all.iter().filter(|(kind, _)| wanted.contains(kind)).map(|(_, predicted)| *predicted).collect();
        let predicted = found.iter().filter(|predicted| **predicted).count();
        let name = wanted.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or ");
        (name, found.len(), predicted as f64 / found.len() as f64)
    };
    let single = Kind::ALL.map(|kind| of(&[kind]));
    single.into_iter().chain([of(&[Kind::Synergistic, Kind::Hard])]).collect()
}

/// How many samples of a group are of each kind, over all seeds.
fn kind_counts(seeds: &[Samples], group: u32) -> [usize; Kind::ALL.len()] {
    let of_group: Vec<Kind> = seeds
        .iter()
        .flat_map(|samples| kinds(samples, Kind::SHARE).zip(&samples.groups))
        .filter(|(_, of)| **of == group)
        .map(|(kind, _)| kind)
        .collect();
    Kind::ALL.map(|kind| of_group.iter().filter(|of| **of == kind).count())
}

fn row(values: &[f64], decimals: usize) -> String {
    values.iter().map(|value| format!("{value:.decimals$}")).collect::<Vec<_>>().join(" ")
}
