//! The whole analysis of a table of features: fit, scores, intervals, and the tests and gates that were asked for.
//!
//! [`analyze`] does what the command `lsmi analyze` does, in memory. [`Analyzer`] adds rows to evaluate, models whose logits
//! take the place of heads, and ratings by people. [`Analysis`] is what comes of either: the samples as columns, the
//! summary, and the estimator that scores new rows. Nothing is printed, and no file is touched unless
//! [`Analysis::write`] is called.
//!
//! [`analyze_lags`] makes an analysis for every lag of a table of sequences.
//!
//! [`summary`] is what `summary.json` holds, as types; [`diff`] compares two analyses sample by sample; [`ratings`]
//! reads what people say of samples.
//!
//! # Examples
//!
//! ```
//! use lsmi_candle::analysis::{Settings, analyze};
//! use lsmi_candle::features::{Format, Keys, read_bytes};
//!
//! // 120 samples of which x1 tells the label and x2 tells nothing.
//! let mut table = String::from("x1_0,x2_0,y\n");
//! for row in 0..120_i32 {
//!     let (label, noise) = (row % 2, f64::from(row * 37 % 101) / 101.0);
//!     table += &format!("{},{},{label}\n", f64::from(label) + 0.2 * noise, f64::from(row * 53 % 97));
//! }
//! let table = read_bytes("table.csv", table.as_bytes(), Format::Csv, &Keys::default())?;
//!
//! let analysis = analyze(&table, &Settings { repeats: Some(1), ..Settings::default() })?;
//! let train = &analysis.summary().splits[0].1;
//! // x1 alone tells nearly all of the label's ln 2 nats.
//! assert!((train.adjusted.u1 - 0.693).abs() < 0.1, "{:?}", train.adjusted);
//! assert_eq!(analysis.samples()?.num_rows(), 120);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod continuous;
pub mod diff;
pub mod labels;
pub mod names;
pub mod ratings;
pub mod several;
pub mod summary;

mod analyzer;
mod encoders;
mod error;
mod evaluation;
mod files;
mod kind;
mod lags;
mod model;
mod ordered_map;
mod pooling;
mod settings;

use arrow_array::RecordBatch;

use crate::estimator::Estimator;
use crate::features::FeatureFile;
use crate::samples::{ExtraColumns, ScoredSplit, parquet};

use self::summary::Summary;

pub use analyzer::Analyzer;
pub use encoders::encoder_differences;
pub use error::AnalysisError;
pub use evaluation::Evaluation;
pub use files::{ESTIMATOR, SUMMARY, WriteError, samples_name};
pub use kind::AnalysisKind;
pub use lags::{LagAnalyses, LagsSummary, analyze_lags};
pub use model::Model;
pub use ordered_map::as_map;
pub use pooling::pooling_difference;
pub use settings::{Gates, Settings};

/// Analyses the rows of a table: fits the split `train`, scores the others, and summarises all.
///
/// # Errors
/// [`AnalysisError`] if the table has no split `train`, or cannot be fitted.
pub fn analyze(table: &FeatureFile, settings: &Settings) -> Result<Analysis, AnalysisError> {
    Analyzer::new(table, settings).run(None)
}

/// An analysis: scored splits, their summary, and the estimator that scored them.
#[derive(Debug)]
pub struct Analysis {
    estimator: Estimator,
    splits: Vec<ScoredSplit>,
    summary: Summary,
}

impl Analysis {
    /// Summarises splits that an estimator scored, by the names that the summary shall use.
    ///
    /// # Errors
    /// An error of [`lsmi_core`] for values that are not finite, which scores never are.
    pub fn of_scored(
        estimator: Estimator,
        splits: Vec<ScoredSplit>,
        words: names::Words<'_>,
        notes: &[String],
    ) -> lsmi_core::Result<Self> {
        let summary = Summary::new(&estimator, &splits)?.with_words(words).with_warnings().with_notes_of_data(notes);
        Ok(Self { estimator, splits, summary })
    }

    /// Returns the samples of all splits as columns: those of a file of samples, with the same names, order and values.
    ///
    /// # Errors
    /// An error of Parquet's if the columns are too long for one table.
    pub fn samples(&self) -> Result<RecordBatch, ::parquet::errors::ParquetError> {
        let extra = ExtraColumns::of_splits(&self.splits);
        let classes = self.estimator.classes().names();
        let samples: Vec<_> = self.splits.iter().flat_map(|split| split.samples(classes, &extra)).collect();
        parquet::record_batch(&extra, &samples)
    }

    /// Returns the scored splits, `train` first.
    pub fn splits(&self) -> &[ScoredSplit] {
        &self.splits
    }

    /// Returns what `summary.json` holds.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Returns the estimator that scores new rows.
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }
}
