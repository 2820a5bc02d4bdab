//! Analyses over lags: what x1 tells some steps before, what x2 tells at the time, about the label at the time.
//!
//! Every lag is an analysis of its own, of the same samples in the same folds, so that x2 tells the same at all of them, up to
//! the dimensions of joint models. Nothing is shared: L lags take the time of L analyses.

use std::io::Write;
use std::path::Path;

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use super::files::{ESTIMATOR, SUMMARY, WriteError, samples_name, write_named};
use super::names::Names;
use super::ordered_map::{as_map, from_map};
use super::summary::{SplitSummary, Summary};
use super::{Analysis, AnalysisError, Analyzer, Settings};
use crate::estimator::Progress;
use crate::features::SequenceFile;
use crate::samples::Format;

/// Version of the layout of the summary.
const SCHEMA: u32 = 1;

/// The analyses of several lags.
#[derive(Debug)]
pub struct LagAnalyses {
    /// The lags, the smallest first, with their analyses.
    pub lags: Vec<(usize, Analysis)>,
}

/// What `summary.json` holds of several lags.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LagsSummary {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// What the two modalities are called.
    pub names: Names,
    /// What the label is called, as in `the label`.
    pub label: String,
    /// Seed of the fits.
    pub seed: u64,
    /// Rows that every estimator was fitted on.
    pub n: usize,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The first step that is a sample: the largest lag.
    pub first_step: usize,
    /// What has to be known before any number, in sentences.
    pub warnings: Vec<String>,
    /// The summary of each lag.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub lags: Vec<(usize, Summary)>,
}

/// Analyses the samples of every lag of a table of sequences, one after the other.
///
/// ```
/// use lsmi_candle::analysis::{Settings, analyze_lags};
/// use lsmi_candle::features::{Arrays, Keys, Lags, Numbers};
///
/// // 40 sequences of 6 steps: y is 1 where x1 was above 0 one step before.
/// let x1: Vec<f64> = (0..240_i32).map(|step| f64::from(step * step * 37 % 101) / 50.0 - 1.0).collect();
/// let x2: Vec<f64> = (0..240_i32).map(|step| f64::from(step * 53 % 97)).collect();
/// let y: Vec<i64> = (0..240).map(|step| i64::from(step > 0 && x1[step - 1] > 0.0)).collect();
/// let shape = [40, 6, 1];
/// let table = Arrays::new("arrays")
///     .with_numbers("x1", &shape, Numbers::F64(&x1))?
///     .with_numbers("x2", &shape, Numbers::F64(&x2))?
///     .with_numbers("y", &[40, 6], Numbers::I64(&y))?
///     .read_sequences(&Keys::default(), &"0,1".parse::<Lags>()?)?;
///
/// let analyses = analyze_lags(&table, &Settings { repeats: Some(1), ..Settings::default() }, None)?;
/// let told: Vec<f64> = analyses.of_split("train").map(|(_, summary)| summary.information.i1).collect();
/// // Nearly all of ln 2 nats, one step later.
/// assert!(told[0] < 0.2 && told[1] > 0.4, "{told:?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AnalysisError`] as for [`Analyzer::run`], for the first lag that cannot be analysed.
pub fn analyze_lags(
    table: &SequenceFile,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<LagAnalyses, AnalysisError> {
    let analysis = |lag: &usize| {
        let samples = table.at_lag(*lag)?;
        Ok((*lag, Analyzer::new(&samples, settings).run(progress)?))
    };
    Ok(LagAnalyses { lags: table.lags.steps().iter().map(analysis).collect::<Result<_, AnalysisError>>()? })
}

impl LagAnalyses {
    /// Returns what is known of a split at each lag.
    pub fn of_split<'a>(&'a self, split: &'a str) -> impl Iterator<Item = (usize, &'a SplitSummary)> {
        self.lags.iter().filter_map(move |(lag, analysis)| {
            let (_, summary) = analysis.summary().splits.iter().find(|(name, _)| name == split)?;
            Some((*lag, summary))
        })
    }

    /// Returns what `summary.json` holds; `None` without lags.
    pub fn summary(&self) -> Option<LagsSummary> {
        let (_, first) = self.lags.first()?;
        let (first, first_step) = (first.summary(), self.lags.last().map_or(0, |(lag, _)| *lag));
        let mut warnings: Vec<String> = Vec::new();
        for warning in self.lags.iter().flat_map(|(_, analysis)| &analysis.summary().warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        Some(LagsSummary {
            schema: SCHEMA,
            version: first.version.clone(),
            units: "nats".to_owned(),
            names: first.names.clone(),
            label: first.label.clone(),
            seed: first.seed,
            n: first.n,
            classes: first.classes.clone(),
            first_step,
            warnings,
            lags: self.lags.iter().map(|(lag, analysis)| (*lag, analysis.summary().clone())).collect(),
        })
    }

    /// Writes the summary as indented JSON.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_summary(&self, output: &mut impl Write) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        serde_json::to_writer_pretty(&mut *output, &self.summary())?;
        Ok(output.write_all(b"\n")?)
    }

    /// Returns the name of the directory of a lag, below that of all.
    pub fn directory_name(lag: usize) -> String {
        format!("lag-{lag}")
    }

    /// Writes `summary.json` to a directory, which is made if it is not there, and the files of each lag to one of its own in it.
    /// Files of these names are replaced, and none is before all are written.
    ///
    /// # Errors
    /// [`WriteError`] if the file system refuses.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<(), WriteError> {
        let files = [samples_name(Format::Csv), SUMMARY.to_owned(), ESTIMATOR.to_owned()];
        let of_lag = |(lag, _): &(usize, Analysis)| {
            let directory = Self::directory_name(*lag);
            files.each_ref().map(|file| format!("{directory}/{file}"))
        };
        let names: Vec<String> = self.lags.iter().flat_map(of_lag).chain([SUMMARY.to_owned()]).collect();
        write_named(directory.as_ref(), &names, |place, output| {
            let Some((_, analysis)) = self.lags.get(place / files.len()) else { return self.write_summary(output) };
            match place % files.len() {
                0 => analysis.write_samples(output, Format::Csv),
                1 => analysis.write_summary(output),
                _ => analysis.write_estimator(output),
            }
        })
    }
}
