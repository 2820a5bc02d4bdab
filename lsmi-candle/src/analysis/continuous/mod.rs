//! The analysis of a table with continuous targets: fit, scores and summary.
//!
//! [`analyze_targets`] does what the command `lsmi analyze --target continuous` does, in memory. Every target, or all of them
//! jointly, has a decomposition of its own: a file of samples and an entry in the summary.
//!
//! ```
//! use lsmi_candle::analysis::continuous::{TargetAnalysisSettings, analyze_targets};
//! use lsmi_candle::features::{Data, Keys};
//!
//! // 120 samples of which x1 tells the target and x2 tells nothing.
//! let mut table = String::from("x1_0,x2_0,y\n");
//! for row in 0..120_i32 {
//!     let (x, noise) = (f64::from(row * 37 % 120) / 60.0, f64::from(row * 71 % 101) / 101.0);
//!     table += &format!("{x},{},{}\n", f64::from(row * 53 % 97), x + 0.3 * noise);
//! }
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("table.csv");
//! std::fs::write(&path, table)?;
//!
//! let table = Data::from(path.as_path()).read_targets(&Keys::default(), true)?;
//! let settings = TargetAnalysisSettings { repeats: Some(1), ..Default::default() };
//! let analysis = analyze_targets(&table, &settings, None)?;
//! let train = &analysis.summary().targets[0].splits[0].1;
//! assert!(train.information.i1 > 0.8 && train.r_squared.x1 > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod evaluation;
mod samples;
mod summary;

pub use samples::{COLUMNS, target_samples_name};
pub use summary::{ContinuousSummary, TargetSplitSummary, TargetSummary};

use std::error::Error;
use std::io::Write;
use std::path::Path;

use crossbeam_channel::Sender;
use lsmi_core::{Decomposition, Measure, Terms};

use super::files::{ESTIMATOR, SUMMARY, WriteError, write_named};
use super::names::Names;
use super::{AnalysisError, Settings};
use crate::error;
use crate::estimator::Progress;
use crate::estimator::continuous::{ContinuousEstimator, ContinuousScores, TargetSettings, Targets, cross_fit_targets};
use crate::features::{Pooling, Split, TargetFile, TargetSet};
use crate::samples::Format;
use crate::samples::table::SampleTable;

/// Settings of an analysis of continuous targets.
#[derive(Debug, Clone, Default)]
pub struct TargetAnalysisSettings {
    /// Settings of the fit; [`Self::repeats`] takes the place of its `repeats`.
    pub fit: TargetSettings,
    /// Fits that are averaged, as in [`Settings::repeats`].
    pub repeats: Option<usize>,
    /// What the modalities are called in the summary.
    pub names: Names,
}

/// A split whose samples are scored, for one decomposition.
#[derive(Debug, Clone)]
pub(super) struct ScoredTargets {
    pub(super) name: String,
    pub(super) scores: ContinuousScores,
    pub(super) decomposition: Decomposition,
}

/// The rows of a split, scored and not yet decomposed.
#[derive(Debug)]
pub struct ScoredTargetRows {
    /// The name of the split.
    pub name: String,
    /// Their terms and predictions: for every target or, jointly, once.
    pub scores: Vec<ContinuousScores>,
}

impl ScoredTargetRows {
    /// Scores rows that the estimator was not fitted on.
    ///
    /// # Errors
    /// As [`ContinuousEstimator::score`].
    pub fn score(split: &Split<TargetSet>, estimator: &ContinuousEstimator) -> error::Result<Self> {
        Ok(Self { name: split.name.clone(), scores: estimator.score(&split.features)? })
    }
}

/// An analysis of continuous targets.
#[derive(Debug)]
pub struct TargetAnalysis {
    estimator: ContinuousEstimator,
    /// The splits of every decomposition.
    decompositions: Vec<Vec<ScoredTargets>>,
    summary: ContinuousSummary,
}

/// Analyses the rows of a table with continuous targets: fits the split `train`, scores the others, and summarises all.
///
/// # Errors
/// [`AnalysisError`] if the table has no split `train`, or cannot be fitted.
pub fn analyze_targets(
    table: &TargetFile,
    settings: &TargetAnalysisSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<TargetAnalysis, AnalysisError> {
    let file = table.path.display().to_string();
    let train = table.split("train").ok_or_else(|| AnalysisError::NoTraining { file: file.clone() })?;
    let repeats = Settings { repeats: settings.repeats, ..Settings::default() }.repeats_for(train.rows());
    let mut fitted = settings.fit.clone();
    fitted.estimation.repeats = repeats;
    let fit = cross_fit_targets(train, &fitted, progress).map_err(AnalysisError::about(&file))?;
    let mut rows = vec![ScoredTargetRows { name: "train".to_owned(), scores: fit.scores }];
    for split in table.splits.iter().filter(|split| split.name != "train") {
        rows.push(ScoredTargetRows::score(split, &fit.estimator).map_err(AnalysisError::about(&file))?);
    }
    Ok(TargetAnalysis::of_scored(fit.estimator, rows, &settings.names, &table.notes)?)
}

/// Decomposes rows by the reference of the training rows; there are no classes that a measure could depend on.
fn decompose(measure: Measure, estimator: &ContinuousEstimator, place: usize, terms: &Terms) -> Decomposition {
    let labels = vec![0; terms.len()];
    measure.decompose_with(terms, &labels, &estimator.description().references[place])
}

impl TargetAnalysis {
    /// Decomposes and summarises rows that an estimator scored, of modalities with these names. `notes` are what has to be
    /// known of the data first.
    ///
    /// # Errors
    /// An error of [`lsmi_core`] for values that are not finite, which scores never are.
    pub fn of_scored(
        estimator: ContinuousEstimator,
        rows: Vec<ScoredTargetRows>,
        names: &Names,
        notes: &[String],
    ) -> lsmi_core::Result<Self> {
        let measure = estimator.measure();
        let mut decompositions: Vec<Vec<ScoredTargets>> =
            estimator.description().references.iter().map(|_| Vec::new()).collect();
        for ScoredTargetRows { name, scores } in rows {
            for (place, (splits, scores)) in decompositions.iter_mut().zip(scores).enumerate() {
                let decomposition = decompose(measure, &estimator, place, &scores.terms);
                splits.push(ScoredTargets { name: name.clone(), scores, decomposition });
            }
        }
        let summary = ContinuousSummary::new(&estimator, &decompositions, names, notes)?;
        Ok(Self { estimator, decompositions, summary })
    }

    /// Adds how the sequences of the fit were pooled, as [`Data::pooling`](crate::features::Data::pooling) has it.
    #[must_use]
    pub fn with_pooling(self, pooling: Option<Pooling>) -> Self {
        Self { estimator: self.estimator.with_pooling(pooling), ..self }
    }

    /// Returns the estimator that scores new rows.
    pub fn estimator(&self) -> &ContinuousEstimator {
        &self.estimator
    }

    /// Returns what `summary.json` holds.
    pub fn summary(&self) -> &ContinuousSummary {
        &self.summary
    }

    /// Returns whether targets are analysed one by one or jointly.
    pub fn analysed(&self) -> Targets {
        self.estimator.description().analysed
    }

    /// Returns the number of decompositions: that of the targets or, jointly, 1.
    pub fn len(&self) -> usize {
        self.decompositions.len()
    }

    /// Returns whether there is no decomposition, which there always is.
    pub fn is_empty(&self) -> bool {
        self.decompositions.is_empty()
    }

    /// Returns the samples of all splits of a decomposition as a table of columns: those of its file of samples.
    ///
    /// # Panics
    /// If there is no such decomposition, as indexing a slice does.
    pub fn samples(&self, decomposition: usize) -> SampleTable {
        samples::table(&self.decompositions[decomposition])
    }

    /// Writes the samples of every decomposition, `summary.json` and `estimator.safetensors` to a directory, which is made if it is not there. Files of
    /// these names are replaced, and none is before all are written.
    ///
    /// # Errors
    /// [`WriteError`] if the file system refuses.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<(), WriteError> {
        let name = |place: usize| target_samples_name(place, self.len(), Format::Csv);
        let names: Vec<String> = (0..self.len()).map(name).chain([SUMMARY, ESTIMATOR].map(str::to_owned)).collect();
        write_named(directory.as_ref(), &names, |place, output| match place.checked_sub(self.len()) {
            None => self.write_samples(place, output, Format::Csv),
            Some(0) => self.write_summary(output),
            Some(_) => self.write_estimator(output),
        })
    }

    /// Writes the samples of a decomposition, one split after the other.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write_samples(
        &self,
        decomposition: usize,
        output: &mut (impl Write + Send),
        format: Format,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.samples(decomposition).write(output, format)
    }

    /// Writes the estimator.
    ///
    /// # Errors
    /// What the output gives, or an error of the bundle.
    pub fn write_estimator(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(output.write_all(&self.estimator.to_bytes()?)?)
    }

    /// Writes the summary as indented JSON.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_summary(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        serde_json::to_writer_pretty(&mut *output, &self.summary)?;
        Ok(output.write_all(b"\n")?)
    }
}
