//! `ratings` in `summary.json`: how measured values go together with what people say, by sample and by class.

use lsmi_core::statistics::{Correlation, mean};
use lsmi_core::{Decomposition, Measure};
use serde::{Deserialize, Serialize};

use super::{Rated, Ratings, Score};
use crate::analysis::summary::Summary;
use crate::samples::ScoredSplit;

/// Agreement with people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingsSummary {
    /// What was rated.
    pub of: Rated,
    /// Rows of the file.
    pub rows: usize,
    /// Different samples or classes that were rated; several rows of one are averaged.
    pub rated: usize,
    /// Those that are not in the data.
    pub not_found: Vec<String>,
    /// The level of the intervals.
    pub level: f64,
    /// The splits with something that was rated, in the order of the samples.
    pub splits: Vec<SplitAgreement>,
}

/// Agreement on the samples of one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitAgreement {
    /// The split.
    pub split: String,
    /// Over the rated samples; empty where classes were rated.
    pub by_sample: Vec<Agreement>,
    /// Over classes: means of the rated samples of each, or, where classes were rated, of all samples of each.
    pub by_class: Vec<Agreement>,
}

/// How one score goes together with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// What people scored.
    pub score: Score,
    /// What it is held against: `r`, `u1`, `u2`, `s`, or `max(u1,u2)`.
    pub value: String,
    /// The measure that this is by.
    pub measure: Measure,
    /// Samples, or classes, that have both.
    pub n: usize,
    /// Pearson's correlation; null where one side does not vary.
    pub pearson: Option<Correlation>,
    /// Spearman's.
    pub spearman: Option<Correlation>,
}

/// A score and a measured value of the same sample or class.
type Pairs = Vec<(f64, f64)>;

impl RatingsSummary {
    /// Holds ratings against all splits; `measure` is the estimator's, `not_found` is what is in none of them.
    pub fn new(
        ratings: &Ratings,
        splits: &[ScoredSplit],
        classes: &[String],
        measure: Measure,
        not_found: Vec<String>,
    ) -> Self {
        let of_split = |split| SplitAgreement::new(ratings, split, classes, measure);
        Self {
            of: ratings.of,
            rows: ratings.rows,
            rated: ratings.names.len(),
            not_found,
            level: Correlation::LEVEL,
            splits: splits.iter().map(of_split).filter(|split| !split.by_class.is_empty()).collect(),
        }
    }
}

impl SplitAgreement {
    fn new(ratings: &Ratings, split: &ScoredSplit, classes: &[String], measure: Measure) -> Self {
        let others = split.measures.iter().filter(|(other, _)| *other != measure);
        let all: Vec<(Measure, &Decomposition)> = std::iter::once((measure, &split.decomposition))
            .chain(others.map(|(other, parts)| (*other, parts)))
            .collect();
        let (mut by_sample, mut by_class) = (Vec::new(), Vec::new());
        for (score, given) in Score::ALL.into_iter().zip(&ratings.scores) {
            for (measure, parts) in &all {
                let values = measured(score, parts);
                let agreement = |pairs: &Pairs| Agreement::new(score, *measure, pairs);
                match ratings.of {
                    Rated::Samples => {
                        let rows = rated_rows(&ratings.names, given, split);
                        by_sample.extend(agreement(&rows.iter().map(|(row, score)| (*score, values[*row])).collect()));
                        by_class.extend(agreement(&means_by_class(&rows, &values, split, classes.len())));
                    }
                    Rated::Classes => {
                        by_class.extend(agreement(&of_classes(&ratings.names, given, &values, split, classes)));
                    }
                }
            }
        }
        Self { split: split.name.clone(), by_sample, by_class }
    }
}

impl Agreement {
    /// None where nothing has both.
    fn new(score: Score, measure: Measure, pairs: &Pairs) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let (given, values): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Some(Self {
            score,
            value: value_name(score).to_owned(),
            measure,
            n: pairs.len(),
            pearson: Correlation::pearson(&given, &values),
            spearman: Correlation::spearman(&given, &values),
        })
    }
}

/// What a score is held against.
fn value_name(score: Score) -> &'static str {
    match score {
        Score::Redundancy => "r",
        Score::Uniqueness => "max(u1,u2)",
        Score::Uniqueness1 => "u1",
        Score::Uniqueness2 => "u2",
        Score::Synergy => "s",
    }
}

/// The measured values of all samples that a score is about.
fn measured(score: Score, parts: &Decomposition) -> Vec<f64> {
    match score {
        Score::Redundancy => parts.r.clone(),
        Score::Uniqueness => parts.u1.iter().zip(&parts.u2).map(|(u1, u2)| u1.max(*u2)).collect(),
        Score::Uniqueness1 => parts.u1.clone(),
        Score::Uniqueness2 => parts.u2.clone(),
        Score::Synergy => parts.s.clone(),
    }
}

/// The rows of a split that were given a score, with it, in the order of the ratings.
fn rated_rows(ids: &[String], given: &[Option<f64>], split: &ScoredSplit) -> Vec<(usize, f64)> {
    let index = split.scores.terms.ids.index();
    ids.iter().zip(given).filter_map(|(id, score)| Some((index.position(id)?, (*score)?))).collect()
}

/// For every class, the means of scores and values over its rated samples.
fn means_by_class(rows: &[(usize, f64)], values: &[f64], split: &ScoredSplit, classes: usize) -> Pairs {
    let mut of_classes: Vec<(Vec<f64>, Vec<f64>)> = vec![(Vec::new(), Vec::new()); classes];
    for (row, score) in rows {
        let (scores, measured) = &mut of_classes[split.scores.labels[*row] as usize];
        scores.push(*score);
        measured.push(values[*row]);
    }
    let with_samples = of_classes.iter().filter(|(scores, _)| !scores.is_empty());
    with_samples.map(|(scores, measured)| (mean(scores), mean(measured))).collect()
}

/// For every rated class, its score and the mean of its samples' values.
fn of_classes(
    names: &[String],
    given: &[Option<f64>],
    values: &[f64],
    split: &ScoredSplit,
    classes: &[String],
) -> Pairs {
    let mean_of = |name: &String| {
        let class = classes.iter().position(|class| class == name)?;
        let of_class = split.scores.labels.iter().zip(values).filter(|(label, _)| **label as usize == class);
        let of_class: Vec<f64> = of_class.map(|(_, value)| *value).collect();
        (!of_class.is_empty()).then(|| mean(&of_class))
    };
    names.iter().zip(given).filter_map(|(name, score)| Some(((*score)?, mean_of(name)?))).collect()
}

impl Summary {
    /// The same with the agreement with people, where that was asked.
    #[must_use]
    pub fn with_ratings(self, ratings: Option<RatingsSummary>) -> Self {
        Self { ratings, ..self }
    }
}
