//! The analysis of more than two modalities: every pair as two modalities are analysed, and what all of them share.
//!
//! [`analyze_several`] fits what the sets of modalities need, each model once, and summarises: for every pair what
//! `summary.json` has of two modalities, the redundancy of all modalities in every sample, and of three modalities the
//! whole redundancy lattice. Shapley values and interaction indices stand beside them where every set has a head.
//!
//! ```
//! use lsmi_candle::analysis::Settings;
//! use lsmi_candle::analysis::several::analyze_several;
//! use lsmi_candle::estimator::several::SeveralSettings;
//! use lsmi_candle::features::{Data, Keys};
//!
//! // 120 samples of which x1 and x3 tell the same about the label and x2 tells nothing.
//! let mut table = String::from("x1_0,x2_0,x3_0,y\n");
//! for row in 0..120_i32 {
//!     let (label, noise) = (row % 2, f64::from(row * 37 % 101) / 101.0);
//!     let tells = |scale: f64| f64::from(label) + scale * noise;
//!     table += &format!("{},{},{},{label}\n", tells(0.2), f64::from(row * 53 % 97), tells(0.1));
//! }
//! let path = std::env::temp_dir().join(format!("lsmi analysis of three {}.csv", std::process::id()));
//! std::fs::write(&path, table)?;
//! let data = Data::from(&path);
//! let keys = Keys::default();
//! let table = data.read_several(&data.modalities(&keys)?, &keys)?;
//!
//! let settings = Settings { repeats: Some(1), ..Settings::default() };
//! let analysis = analyze_several(&table, &settings, SeveralSettings::default(), None)?;
//! let train = &analysis.summary().splits[0].1;
//! assert!((train.information[&"123".parse()?] - 0.693).abs() < 0.1, "{:?}", train.information);
//! assert_eq!((train.lattice.len(), train.pairs.len()), (18, 3));
//! # std::fs::remove_file(path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod files;
mod reading;
mod split;
mod summary;

pub use split::SeveralSplit;
pub use summary::{SeveralSplitSummary, SeveralSummary, node_name};

use crossbeam_channel::Sender;
use lsmi_core::lattice::{PointwiseLattice, Redundancy};
use lsmi_core::shapley::Shapley;
use lsmi_core::{Measure, Subset};

use super::names::{Names, Words};
use super::summary::Summary;
use super::{AnalysisError, Settings};
use crate::error::EstimatorError;
use crate::estimator::several::{SeveralEstimator, SeveralFit, SeveralScores, SeveralSettings, cross_fit_several};
use crate::estimator::{self, Estimator, Progress, Scores};
use crate::features::{SeveralFile, SeveralSet};
use crate::samples::ScoredSplit;

/// An analysis of several modalities: scored splits, their summary, and the estimator that scored them.
#[derive(Debug)]
pub struct SeveralAnalysis {
    estimator: SeveralEstimator,
    splits: Vec<SeveralSplit>,
    summary: SeveralSummary,
}

impl SeveralAnalysis {
    /// Returns the scored splits, `train` first.
    pub fn splits(&self) -> &[SeveralSplit] {
        &self.splits
    }

    /// Returns what `summary.json` holds.
    pub fn summary(&self) -> &SeveralSummary {
        &self.summary
    }

    /// Returns the estimator that scores new rows.
    pub fn estimator(&self) -> &SeveralEstimator {
        &self.estimator
    }
}

/// Analyses the rows of a table of several modalities: fits the split `train`, scores the others, and summarises all. Every
/// step of the fit goes to `progress`.
///
/// # Errors
/// [`AnalysisError`] if the table has no split `train` or cannot be fitted; for `mmi` and `min`, which are of two modalities
/// only; for tests against chance and gates, which are of two modalities too.
pub fn analyze_several(
    table: &SeveralFile,
    settings: &Settings,
    further: SeveralSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<SeveralAnalysis, AnalysisError> {
    let file = table.path.display().to_string();
    let train = table.split("train").ok_or_else(|| AnalysisError::NoTraining { file: file.clone() })?;
    check(settings)?;
    let decompositions = Decompositions::new(settings.fit.measure, table.names.len())?;
    let fitted = estimator::Settings { repeats: settings.repeats_for(train.rows()), ..settings.fit.clone() };
    let fit =
        cross_fit_several(train, &table.classes, &fitted, further, progress).map_err(AnalysisError::about(&file))?;

    let pairs = Pairs { table, settings, others: scored_others(table, &fit)? };
    let pair_analyses = pairs.analyse(&fit, train)?;
    let SeveralFit { estimator, scores, .. } = fit;
    let mut splits = vec![decompositions.split("train", scores)?];
    for (name, scores) in pairs.others {
        splits.push(decompositions.split(&name, scores)?);
    }
    for split in &mut splits {
        split.metadata = table.metadata_of(&split.name).to_vec();
    }
    let summary = SeveralSummary::new(&estimator, &splits, &pair_analyses, settings, &table.notes);
    for PairAnalysis { pair, splits: of_pair, .. } in pair_analyses {
        for (split, of_pair) in splits.iter_mut().zip(of_pair) {
            split.pairs.push((pair, of_pair));
        }
    }
    Ok(SeveralAnalysis { estimator, splits, summary })
}

/// Scores the splits beside `train`.
fn scored_others(table: &SeveralFile, fit: &SeveralFit) -> Result<Vec<(String, SeveralScores)>, AnalysisError> {
    let file = table.path.display().to_string();
    let others = table.splits.iter().filter(|split| split.name != "train");
    others
        .map(|split| {
            let scores = fit.estimator.score(&split.features).map_err(AnalysisError::about(&file))?;
            Ok((split.name.clone(), scores))
        })
        .collect()
}

/// Refuses what is of two modalities only.
fn check(settings: &Settings) -> Result<(), AnalysisError> {
    let refused = |name, found: &str| {
        let expected = "none, as it is of two modalities only".to_owned();
        Err(EstimatorError::Setting { name, found: found.to_owned(), expected }.into())
    };
    if settings.permutations > 0 {
        return refused("permutations", &settings.permutations.to_string());
    }
    if settings.gates.is_some() {
        return refused("gates", "some");
    }
    Ok(())
}

/// The decompositions of samples of several modalities by a measure.
struct Decompositions {
    redundancy: Redundancy,
    /// Of three modalities.
    lattice: Option<PointwiseLattice<3>>,
    shapley: Shapley,
}

impl Decompositions {
    fn new(measure: Measure, modalities: usize) -> lsmi_core::Result<Self> {
        Ok(Self {
            redundancy: Redundancy::of_all(measure, modalities)?,
            lattice: (modalities == 3).then(|| PointwiseLattice::new(measure)).transpose()?,
            shapley: Shapley::new(modalities)?,
        })
    }

    /// Decomposes the samples of a split.
    fn split(&self, name: &str, scores: SeveralScores) -> lsmi_core::Result<SeveralSplit> {
        // Heads of all sets are there or not, by what was fitted.
        let terms = scores.terms().ok();
        let lattice = self.lattice.as_ref().zip(terms.as_ref());
        Ok(SeveralSplit {
            name: name.to_owned(),
            redundancy: self.shared(&scores),
            lattice: lattice.map(|(lattice, terms)| lattice.decompose(terms)).transpose()?,
            shapley: terms.as_ref().map(|terms| self.shapley.of(terms)).transpose()?,
            pairs: Vec::new(),
            metadata: Vec::new(),
            scores,
        })
    }

    /// Returns the redundancy of all modalities in every sample, which needs the terms of every set for `ccs` and else only
    /// those of the single modalities; `None` where these are not there.
    fn shared(&self, scores: &SeveralScores) -> Option<Vec<f64>> {
        let needed = if self.redundancy.needs_surprisals() { 1 } else { scores.modalities };
        let sets = Subset::all(scores.modalities).filter(|subset| subset.len() <= needed);
        let informations: Option<Vec<&Vec<f64>>> =
            sets.clone().map(|set| scores.columns.informations.get(&set)).collect();
        let informations = informations?;
        let surprisals: Vec<&Vec<f64>> = sets.filter_map(|set| scores.columns.surprisals.get(&set)).collect();
        let row_of = |columns: &[&Vec<f64>], row: usize| columns.iter().map(|column| column[row]).collect::<Vec<f64>>();
        let of_row = |row| self.redundancy.of_sample(&row_of(&surprisals, row), &row_of(&informations, row));
        Some((0..scores.labels.len()).map(of_row).collect())
    }
}

/// What is known of a pair of modalities.
struct PairAnalysis {
    pair: Subset,
    splits: Vec<ScoredSplit>,
    summary: Summary,
}

/// The pairs of a table, with the scores of its other splits.
struct Pairs<'a> {
    table: &'a SeveralFile,
    settings: &'a Settings,
    others: Vec<(String, SeveralScores)>,
}

impl Pairs<'_> {
    /// Summarises every pair as two modalities are summarised, from the terms that all sets share.
    fn analyse(&self, fit: &SeveralFit, train: &SeveralSet) -> Result<Vec<PairAnalysis>, AnalysisError> {
        let in_sample = fit.estimator.score(train)?;
        let of_pair = |pair: Subset| {
            let crossed = fit.pair(train, pair)?;
            self.analyse_pair(pair, crossed.estimator, crossed.scores, &in_sample.pair(pair)?)
        };
        fit.scores.pairs().map(of_pair).collect()
    }

    fn analyse_pair(
        &self,
        pair: Subset,
        estimator: Estimator,
        scores: Scores,
        in_sample: &Scores,
    ) -> Result<PairAnalysis, AnalysisError> {
        let measures = self.settings.measures.as_slice();
        let (training, estimator) = ScoredSplit::of_training_scores(scores, in_sample, estimator, measures)?;
        let mut splits = vec![training];
        for (name, scores) in &self.others {
            splits.push(ScoredSplit::new(name, scores.pair(pair)?, &estimator, measures)?);
        }
        let name = |place: usize| pair.members().nth(place).map(|member| self.table.names[member].clone());
        let names = Names { x1: name(0).unwrap_or_default(), x2: name(1).unwrap_or_default() };
        let words = Words { names: &names, label: &self.settings.label };
        let summary = Summary::new(&estimator, &splits)?.with_words(words).with_warnings();
        Ok(PairAnalysis { pair, splits, summary })
    }
}
