//! The result of a comparison: figures of every part over seeds, and paired differences of parts.

use std::collections::BTreeMap;

use lsmi_core::Interaction;
use serde::{Deserialize, Serialize};

use super::compare::SeedResult;
use super::figures::Figure;
use super::parts::{RANDOM, RIVAL, high, low, middle};
use super::settings::{Data, Settings};
use super::unfrozen::TrainedEncoders;
use crate::experiments::paired::{OverSeeds, PairedDifference};

/// The version of the layout.
const SCHEMA: u32 = 1;

/// The result of [`compare`](super::compare()).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version of this layout.
    pub schema: u32,
    /// The version of the program.
    pub version: String,
    /// Number of seeds.
    pub seeds: usize,
    /// The first seed.
    pub seed: u64,
    /// Ways in which rows were set aside; seeds took them in turn.
    pub splits: usize,
    /// Number of samples, without those that came to evaluate on.
    pub n: usize,
    /// Number of samples that parts are taken from, for the first seed.
    pub trained: usize,
    /// Number of samples evaluated with each seed.
    pub evaluated: usize,
    /// Number of these that have the same x1 or the same x2 as another, for the first seed: each is a right answer of the other.
    pub shared: usize,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The interactions that parts were taken by.
    pub by: Vec<Interaction>,
    /// The measure of redundancy.
    pub measure: String,
    /// The share of the rows in each part.
    pub fraction: f64,
    /// Passes over the rows of a part.
    pub epochs: usize,
    /// Columns of the shared space.
    pub width: usize,
    /// Units of the hidden layers; 0: linear heads.
    pub hidden: usize,
    /// Rows of a batch at most.
    pub batch: usize,
    /// What was trained of the encoders; none where they stayed as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfrozen: Option<TrainedEncoders>,
    /// The accuracy of linear probes on x1 and x2 as they came, or as the encoders made them before training.
    pub raw: [OverSeeds; 2],
    /// The figures of every part.
    pub parts: Vec<PartRow>,
    /// Differences of parts of one size, paired by seed.
    pub differences: Vec<Difference>,
    /// The figures of every part and seed.
    pub runs: Vec<Run>,
}

/// The figures of one part, over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartRow {
    /// The part.
    pub part: String,
    /// Its number of rows for the first seed.
    pub rows: usize,
    /// The figures.
    pub figures: BTreeMap<Figure, OverSeeds>,
}

/// By how much the figures of one part are higher than those of another, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The part.
    pub of: String,
    /// The part that it is compared with.
    pub over: String,
    /// By how much each figure is higher.
    pub figures: BTreeMap<Figure, PairedDifference>,
}

/// The figures of one part and one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The part.
    pub part: String,
    /// The seed.
    pub seed: u64,
    /// The number of the way in which rows were set aside, from 0.
    pub split: usize,
    /// Its number of rows.
    pub rows: usize,
    /// The figures.
    pub figures: BTreeMap<Figure, f64>,
}

impl Comparison {
    /// Of what at least one seed found.
    pub(super) fn new(
        data: Data<'_>,
        settings: &Settings,
        seeds: &[SeedResult],
        unfrozen: Option<TrainedEncoders>,
    ) -> Self {
        let SeedResult { trained, evaluated, shared, .. } = seeds[0];
        // Where rows came to evaluate on, seeds share all of them and differ in the training alone.
        let ratio = if data.test.is_some() { 0.0 } else { evaluated as f64 / trained as f64 };
        let figures = OfSeeds { seeds, ratio };
        let raw = [0, 1].map(|modality: usize| {
            OverSeeds::of(&seeds.iter().map(|seed| seed.raw[modality]).collect::<Vec<_>>(), ratio)
        });
        let parts = seeds[0].parts.iter().map(|part| figures.of_part(&part.part, part.rows)).collect();
        let runs = seeds.iter().flat_map(|seed| {
            seed.parts.iter().map(|part| Run {
                part: part.part.clone(),
                seed: seed.seed,
                split: seed.split,
                rows: part.rows,
                figures: part.figures.clone(),
            })
        });
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seeds: seeds.len(),
            seed: settings.seed,
            splits: settings.splits.min(seeds.len()),
            n: data.samples.rows(),
            trained,
            evaluated,
            shared,
            classes: data.classes.names().to_vec(),
            by: settings.by.clone(),
            measure: settings.estimator.measure.to_string(),
            fraction: settings.fraction,
            epochs: settings.epochs,
            width: settings.width,
            hidden: settings.hidden,
            batch: settings.batch,
            unfrozen,
            raw,
            parts,
            differences: pairs(&settings.by).iter().map(|(of, over)| figures.difference(of, over)).collect(),
            runs: runs.collect(),
        }
    }

    /// Returns the figures of a part.
    pub fn part(&self, name: &str) -> Option<&PartRow> {
        self.parts.iter().find(|row| row.part == name)
    }

    /// Returns by how much the figures of a part are higher than those of another, where these two are compared.
    pub fn difference(&self, of: &str, over: &str) -> Option<&Difference> {
        self.differences.iter().find(|difference| difference.of == of && difference.over == over)
    }
}

/// The parts that are held against each other: all of one size.
fn pairs(by: &[Interaction]) -> Vec<(String, String)> {
    let random = || RANDOM.to_owned();
    let of_interaction = |by: &Interaction| {
        let (high, middle, low) = (high(*by), middle(*by), low(*by));
        [
            (high.clone(), low.clone()),
            (high.clone(), random()),
            (middle, random()),
            (low, random()),
            (high, RIVAL.to_owned()),
        ]
    };
    by.iter().flat_map(of_interaction).chain([(RIVAL.to_owned(), random())]).collect()
}

/// The figures of all seeds.
struct OfSeeds<'a> {
    seeds: &'a [SeedResult],
    /// The number of evaluated rows to that of training rows.
    ratio: f64,
}

impl OfSeeds<'_> {
    /// The values of a figure of a part, one a seed.
    fn values(&self, part: &str, figure: Figure) -> Vec<f64> {
        let found = self.seeds.iter().flat_map(|seed| &seed.parts).filter(|found| found.part == part);
        found.filter_map(|found| found.figures.get(&figure).copied()).collect()
    }

    fn of_part(&self, part: &str, rows: usize) -> PartRow {
        let over_seeds = |figure| (figure, OverSeeds::of(&self.values(part, figure), self.ratio));
        PartRow { part: part.to_owned(), rows, figures: Figure::ALL.into_iter().map(over_seeds).collect() }
    }

    fn difference(&self, of: &str, over: &str) -> Difference {
        let paired = |figure| {
            let (first, second) = (self.values(of, figure), self.values(over, figure));
            (figure, PairedDifference::of(&first, &second, self.ratio))
        };
        let figures = Figure::ALL.into_iter().map(paired).collect();
        Difference { of: of.to_owned(), over: over.to_owned(), figures }
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::PartResult;
    use super::super::figures::Figures;
    use super::*;

    fn seed(seed: u64, high: f64, random: f64) -> SeedResult {
        let part = |part: &str, value: f64| PartResult {
            part: part.to_owned(),
            rows: 9,
            figures: Figures::from_iter(Figure::ALL.map(|figure| (figure, value))),
        };
        SeedResult {
            seed,
            split: 0,
            trained: 20,
            evaluated: 10,
            shared: 0,
            raw: [0.5, 0.6],
            parts: vec![part("r high", high), part(RANDOM, random)],
        }
    }

    #[test]
    fn parts_are_held_against_each_other_seed_by_seed() {
        let seeds = [seed(0, 0.5, 0.25), seed(1, 0.75, 0.75)];
        let found = OfSeeds { seeds: &seeds, ratio: 0.5 }.difference("r high", RANDOM);
        let figure = found.figures[&Figure::Recall1From2];
        assert_eq!((figure.difference.mean, figure.positive, figure.negative), (0.125, 1, 0));
        assert_eq!(OfSeeds { seeds: &seeds, ratio: 0.5 }.of_part("r high", 9).figures[&Figure::ProbeX1].mean, 0.625);
    }

    #[test]
    fn every_interaction_has_its_pairs() {
        let pairs = pairs(&[Interaction::Redundancy, Interaction::Unique2]);
        assert_eq!(pairs.len(), 11);
        assert_eq!(pairs[0], ("r high".to_owned(), "r low".to_owned()));
        assert_eq!(pairs[6], ("u2 high".to_owned(), "random".to_owned()));
        assert_eq!(pairs[10], ("i12 - i2".to_owned(), "random".to_owned()));
    }
}
