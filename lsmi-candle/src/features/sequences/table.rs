//! A table of sequences, and the samples that a lag makes of them.
//!
//! A sample is a step t of a sequence: x1 at t-k, x2 at t and the label at t. The steps are the same for every lag k, from the
//! largest lag on, so that differences between lags are not those of other rows.

use std::path::PathBuf;

use lsmi_core::SampleIds;

use super::lags::Lags;
use crate::features::error::{FeatureError, SequenceError};
use crate::features::groups::Groups;
use crate::features::labels::classes::Classes;
use crate::features::read::checks::check_varies;
use crate::features::set::FeatureSet;
use crate::features::set::file::{FeatureFile, Split};
use crate::numbers::matrix::Matrix;

/// The sequences of a file, and the lags that samples are made by; see [`Data::read_sequences`](crate::features::Data::read_sequences).
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceFile {
    /// The splits: `train`, `val`, `test`, then others by name.
    pub splits: Vec<Split<SequenceSet>>,
    /// The classes that the labels of all splits index.
    pub classes: Classes,
    /// The lags.
    pub lags: Lags,
    /// Remarks for the user, in sentences.
    pub notes: Vec<String>,
    /// The path it was read from.
    pub path: PathBuf,
}

/// The sequences of a split, and which of their steps are samples.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceSet {
    /// The names of the arrays of x1 and x2.
    pub(crate) arrays: [String; 2],
    /// The number of sequences.
    pub(crate) sequences: usize,
    /// The steps of all sequences, `[n T, d1]` and `[n T, d2]`; those beyond the length of a sequence are 0.
    pub(crate) steps: [Matrix; 2],
    /// The row of every sample among the steps.
    pub(crate) places: Vec<usize>,
    /// The ids of the samples, `ID@STEP`.
    pub(crate) ids: SampleIds,
    /// The class index of every sample.
    pub(crate) labels: Vec<u32>,
    /// Samples of one sequence belong together.
    pub(crate) groups: Groups,
}

impl SequenceSet {
    /// Returns the number of sequences.
    pub fn sequences(&self) -> usize {
        self.sequences
    }

    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.places.len()
    }

    /// Returns the samples of a lag, which is at most the largest that the sequences were read for.
    fn at_lag(&self, lag: usize) -> FeatureSet {
        let earlier: Vec<usize> = self.places.iter().map(|place| place - lag).collect();
        FeatureSet {
            ids: self.ids.clone(),
            x1: self.steps[0].select(&earlier),
            x2: self.steps[1].select(&self.places),
            labels: self.labels.clone(),
            logits: [None, None, None],
            groups: Some(self.groups.clone()),
        }
    }
}

impl SequenceFile {
    /// Makes the samples of one of the lags.
    ///
    /// # Errors
    /// [`FeatureError::ConstantModality`] if a modality does not vary over the samples of the split `train`;
    /// [`SequenceError::UnknownLag`] if the sequences were not read for this lag.
    pub fn at_lag(&self, lag: usize) -> Result<FeatureFile, FeatureError> {
        let file = self.path.display().to_string();
        if !self.lags.steps().contains(&lag) {
            return Err(SequenceError::UnknownLag { file, lag, known: self.lags.to_string() }.into());
        }
        let mut splits = Vec::new();
        for Split { name, features: sequences } in &self.splits {
            let samples = sequences.at_lag(lag);
            if name == "train" {
                let [x1, x2] = &sequences.arrays;
                check_varies(&file, x1, &samples.x1)?;
                check_varies(&file, x2, &samples.x2)?;
            }
            splits.push(Split { name: name.clone(), features: samples });
        }
        let (classes, notes, path) = (self.classes.clone(), self.notes.clone(), self.path.clone());
        Ok(FeatureFile { splits, partial: Vec::new(), metadata: Vec::new(), classes, notes, path })
    }
}
