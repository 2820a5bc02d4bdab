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

mod decompositions;
mod evaluation;
mod files;
mod pairs;
mod reading;
mod split;
mod summary;

pub use split::{ScoredRows, SeveralSplit, SharedInformation};
pub use summary::{Atoms, SeveralSplitSummary, SeveralSummary, node_name};

use crossbeam_channel::Sender;
use lsmi_core::Measure;
use lsmi_core::lattice::Redundancy;

use self::decompositions::Decompositions;
use self::pairs::{PairAnalysis, shortfalls};
use super::{AnalysisError, Settings};
use crate::error::EstimatorError;
use crate::estimator::several::{SeveralEstimator, SeveralSettings, cross_fit_several};
use crate::estimator::{self, Progress};
use crate::features::{Pooling, SeveralFile};

/// An analysis of several modalities: scored splits, their summary, and the estimator that scored them.
#[derive(Debug)]
pub struct SeveralAnalysis {
    estimator: SeveralEstimator,
    splits: Vec<SeveralSplit>,
    summary: SeveralSummary,
}

impl SeveralAnalysis {
    /// Decomposes and summarises rows that an estimator scored: by its measure, and by further `measures`. `label` is what the
    /// label is called in sentences, and `notes` what has to be known of the data first.
    ///
    /// # Errors
    /// [`AnalysisError`] for values that are not finite, which scores never are.
    pub fn of_scored(
        estimator: SeveralEstimator,
        rows: Vec<ScoredRows>,
        measures: &[Measure],
        label: &str,
        notes: &[String],
    ) -> Result<Self, AnalysisError> {
        let decompositions = Decompositions::new(estimator.description().measure, measures, estimator.modalities())?;
        let pairs = PairAnalysis::of_all(&estimator, &rows, measures, label)?;
        let splits = rows.into_iter().map(|rows| decompositions.split(rows));
        let mut splits = splits.collect::<lsmi_core::Result<Vec<_>>>()?;
        let summary = SeveralSummary::new(&estimator, &splits, &pairs, label, notes);
        for PairAnalysis { pair, splits: of_pair, .. } in pairs {
            for (split, of_pair) in splits.iter_mut().zip(of_pair) {
                split.pairs.push((pair, of_pair));
            }
        }
        Ok(Self { estimator, splits, summary })
    }

    /// Adds how the sequences of the fit were pooled, as
    /// [`Data::pooling_of_several`](crate::features::Data::pooling_of_several) has it.
    #[must_use]
    pub fn with_pooling(self, pooling: Option<Pooling>) -> Self {
        Self { estimator: self.estimator.with_pooling(pooling), ..self }
    }

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
    check(settings, table.names.len())?;
    let fitted = estimator::Settings { repeats: settings.repeats_for(train.rows()), ..settings.fit.clone() };
    let fit =
        cross_fit_several(train, &table.classes, &fitted, further, progress).map_err(AnalysisError::about(&file))?;

    let estimator = shortfalls(&fit, train)?
        .into_iter()
        .fold(fit.estimator, |estimator, (pair, shortfall)| estimator.with_shortfall(pair, shortfall));
    let metadata = |name: &str| table.metadata_of(name).to_vec();
    let mut rows = vec![ScoredRows { name: "train".to_owned(), scores: fit.scores, metadata: metadata("train") }];
    for split in table.splits.iter().filter(|split| split.name != "train") {
        let scored = ScoredRows::score(split, &estimator, &metadata(&split.name));
        rows.push(scored.map_err(AnalysisError::about(&file))?);
    }
    SeveralAnalysis::of_scored(estimator, rows, &settings.measures, &settings.label, &table.notes)
}

/// Refuses what is of two modalities only, before anything is fitted.
fn check(settings: &Settings, modalities: usize) -> Result<(), AnalysisError> {
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
    Redundancy::of_all(settings.fit.measure, modalities)?;
    Ok(())
}
