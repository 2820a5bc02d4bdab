//! What an analysis is of, told by its `summary.json`.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// What an analysis is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnalysisKind {
    /// Two modalities and one label of classes.
    Classes,
    /// More than two modalities.
    Several,
    /// Targets that are numbers.
    Continuous,
    /// Several labels.
    Labels,
    /// Steps of sequences at several lags.
    Lags,
}

impl AnalysisKind {
    /// Tells what a summary is of by the fields that only such summaries have.
    ///
    /// ```
    /// use lsmi_candle::analysis::AnalysisKind;
    /// use serde_json::json;
    ///
    /// assert_eq!(AnalysisKind::of(&json!({"modalities": ["x1", "x2", "x3"]})), AnalysisKind::Several);
    /// assert_eq!(AnalysisKind::of(&json!({"splits": {}})), AnalysisKind::Classes);
    /// ```
    pub fn of(summary: &Value) -> Self {
        let is_object = |name: &str| summary.get(name).is_some_and(Value::is_object);
        if summary.get("modalities").is_some_and(Value::is_array) {
            Self::Several
        } else if summary.get("target").is_some_and(|target| target == "continuous") {
            Self::Continuous
        } else if is_object("labels") {
            Self::Labels
        } else if is_object("lags") {
            Self::Lags
        } else {
            Self::Classes
        }
    }

    /// Tells what the `summary.json` of a directory is of; `None` where there is none that can be read.
    pub fn of_directory(directory: &Path) -> Option<Self> {
        let text = fs::read(directory.join(super::SUMMARY)).ok()?;
        Some(Self::of(&serde_json::from_slice(&text).ok()?))
    }
}

impl fmt::Display for AnalysisKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Classes => "two modalities and one label",
            Self::Several => "more than two modalities",
            Self::Continuous => "continuous targets",
            Self::Labels => "several labels",
            Self::Lags => "several lags",
        })
    }
}
