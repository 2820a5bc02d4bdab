//! The parts of the training rows that heads are trained on.
//!
//! All but `all` are of one size. Every class gives the same share of its rows to each: nats of information are more where a class
//! is rare, so that parts would otherwise differ in their classes first of all.

use lsmi_core::Interaction;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::settings::Settings;
use crate::decide::interactions::Interactions;
use crate::decide::partition::{end_size, rankings};
use crate::error::{GuideError, Result};

/// No training: heads as they are drawn.
pub(super) const UNTRAINED: &str = "untrained";
/// All training rows.
pub(super) const ALL: &str = "all";
/// Rows drawn at random.
pub(super) const RANDOM: &str = "random";
/// The rows that a cheap rival takes: the largest i12 - i2, what x1 adds to x2.
pub(super) const RIVAL: &str = "i12 - i2";

/// The smallest part that contrast makes sense for.
const LEAST_ROWS: usize = 8;

/// A part: its name and its rows, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) rows: Vec<usize>,
}

/// Where in a ranking a part lies.
#[derive(Debug, Clone, Copy)]
enum End {
    High,
    Middle,
    Low,
}

/// The name of the part high in an interaction.
pub(super) fn high(by: Interaction) -> String {
    format!("{by} high")
}

/// The name of the part in the middle.
pub(super) fn middle(by: Interaction) -> String {
    format!("{by} middle")
}

/// The name of the part low in an interaction.
pub(super) fn low(by: Interaction) -> String {
    format!("{by} low")
}

/// All parts, the largest first.
///
/// # Errors
/// [`GuideError::SmallPart`] where a part has too few rows.
pub(super) fn parts(interactions: &Interactions, settings: &Settings, seed: u64) -> Result<Vec<Part>> {
    let labels = interactions.labels();
    let ranked = |values: &[f64], end| taken(&rankings(values, Some(labels)), settings.fraction, end);
    let mut parts = vec![
        (ALL.to_owned(), (0..labels.len()).collect()),
        (UNTRAINED.to_owned(), Vec::new()),
        (RANDOM.to_owned(), at_random(labels, settings.fraction, seed)),
        (RIVAL.to_owned(), ranked(&added(interactions), End::High)),
    ];
    let decomposition = interactions.decompose(settings.estimator.measure);
    for by in &settings.by {
        let values = decomposition.values(*by);
        parts.push((high(*by), ranked(values, End::High)));
        parts.push((middle(*by), ranked(values, End::Middle)));
        parts.push((low(*by), ranked(values, End::Low)));
    }
    let parts: Vec<Part> = parts.into_iter().map(|(name, rows)| Part { name, rows }).collect();
    match parts.iter().find(|part| part.name != UNTRAINED && part.rows.len() < LEAST_ROWS) {
        Some(Part { name, rows }) => {
            Err(GuideError::SmallPart { part: name.clone(), found: rows.len(), least: LEAST_ROWS })
        }
        None => Ok(parts),
    }
}

/// What x1 adds to x2, in nats.
fn added(interactions: &Interactions) -> Vec<f64> {
    let terms = interactions.terms();
    terms.i12.iter().zip(&terms.i2).map(|(both, second)| both - second).collect()
}

/// The same share of every ranking.
fn taken(rankings: &[Vec<usize>], fraction: f64, end: End) -> Vec<usize> {
    let of_ranking = |ranking: &Vec<usize>| {
        let size = end_size(fraction, ranking.len());
        let start = match end {
            End::High => 0,
            End::Middle => (ranking.len() - size) / 2,
            End::Low => ranking.len() - size,
        };
        ranking[start..][..size].to_vec()
    };
    let mut rows: Vec<usize> = rankings.iter().flat_map(of_ranking).collect();
    rows.sort_unstable();
    rows
}

fn at_random(labels: &[u32], fraction: f64, seed: u64) -> Vec<usize> {
    let mut random = stream(seed, "random part");
    // Without values every class is ranked as it comes.
    let mut classes = rankings(&vec![0.0; labels.len()], Some(labels));
    for class in &mut classes {
        class.shuffle(&mut random);
    }
    taken(&classes, fraction, End::High)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{ClassPrior, Measure, SampleIds, Terms};

    /// Of two classes in turn; r and i12 - i2 of row i are i and -i hundredths.
    fn interactions(rows: usize) -> Interactions {
        let of = |value: fn(f64) -> f64| (0..rows).map(|row| value(row as f64 / 100.0)).collect::<Vec<f64>>();
        let terms = Terms::new(
            SampleIds::rows(rows),
            of(|_| 0.0),
            of(|_| 0.0),
            of(|value| value),
            of(|value| value + 2.0),
            of(|_| 2.0),
        );
        let labels = (0..rows).map(|row| (row % 2) as u32).collect();
        Interactions::new(terms.unwrap(), labels, ClassPrior::uniform(2).unwrap()).unwrap()
    }

    fn settings(fraction: f64) -> Settings {
        let mut settings = Settings { fraction, ..Settings::default() };
        settings.estimator.measure = Measure::Ccs;
        settings
    }

    #[test]
    fn parts_are_of_one_size_and_take_classes_alike() {
        let parts = parts(&interactions(60), &settings(0.2), 3).unwrap();
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["all", "untrained", "random", "i12 - i2", "r high", "r middle", "r low"]);
        assert_eq!((parts[0].rows.len(), parts[1].rows.len()), (60, 0));
        for part in &parts[2..] {
            assert_eq!(part.rows.len(), 12, "{}", part.name);
            assert_eq!(part.rows.iter().filter(|row| *row % 2 == 0).count(), 6, "{}", part.name);
        }
        assert_eq!(parts[3].rows, (0..12).collect::<Vec<_>>());
        assert_eq!(parts[4].rows, (48..60).collect::<Vec<_>>());
        assert_eq!(parts[5].rows, (24..36).collect::<Vec<_>>());
        assert_eq!(parts[6].rows, (0..12).collect::<Vec<_>>());
        assert_ne!(parts[2].rows, super::parts(&interactions(60), &settings(0.2), 4).unwrap()[2].rows);
    }

    #[test]
    fn a_part_of_few_rows_is_refused() {
        let error = parts(&interactions(60), &settings(0.1), 0).unwrap_err();
        assert!(matches!(error, GuideError::SmallPart { found: 6, least: 8, .. }), "{error}");
    }
}
