//! Partitions: the rows of a fit dealt to folds, once for every repeat.

use lsmi_core::random::stream;
use rand::RngCore;

use super::folds::{LabelledRows, stratified_folds};
use super::scoring::Scores;
use super::{Description, Settings};

/// The rows dealt to folds, once for every repeat.
pub(super) struct Partition {
    pub(super) seed: u64,
    pub(super) folds: Vec<u32>,
    /// The start of the names of its models in messages.
    pub(super) name: String,
}

impl Partition {
    /// Deals rows to the folds of a repeat.
    pub(super) fn for_repeat(rows: &LabelledRows<'_>, settings: &Settings, repeat: usize) -> Self {
        let given = settings.folds_of_rows.as_ref().map(|repeats| repeats[repeat].clone());
        Self::dealt_by(settings, repeat, |seed| given.unwrap_or_else(|| deal(rows, settings.folds, seed)))
    }

    /// Deals rows to the folds of a repeat by a function of its seed.
    pub(super) fn dealt_by(settings: &Settings, repeat: usize, folds: impl FnOnce(u64) -> Vec<u32>) -> Self {
        let seed = seed_of_repeat(settings.seed, repeat);
        let name = if settings.repeats > 1 {
            format!("repeat {} of {}, ", repeat + 1, settings.repeats)
        } else {
            String::new()
        };
        Self { seed, folds: folds(seed), name }
    }
}

fn seed_of_repeat(seed: u64, repeat: usize) -> u64 {
    match repeat {
        // The first repeat is what a single one is.
        0 => seed,
        _ => stream(seed, &format!("repeat {repeat}")).next_u64(),
    }
}

/// Returns the fold of every row.
pub(super) fn deal(rows: &LabelledRows<'_>, folds: usize, seed: u64) -> Vec<u32> {
    #[expect(clippy::cast_possible_truncation, reason = "the settings' check refuses more folds than fit")]
    let folds = folds as u32;
    stratified_folds(rows, folds, seed, "folds")
}

/// Returns the fold of every row in each repeat, of rows to which the folds were dealt so.
pub(super) fn assignments(of: &Description, Scores { labels, groups, .. }: &Scores) -> Vec<Vec<u32>> {
    let rows = LabelledRows { labels, classes: of.classes.len(), groups: groups.as_deref() };
    let deal_repeat = |repeat| deal(&rows, of.folds, seed_of_repeat(of.seed, repeat));
    (0..of.repeats).map(deal_repeat).collect()
}

/// Returns the rows outside a fold, and the seed of its models.
///
/// The seed is one for both modalities: their densities are compared, so they share their draws, and exchanging the
/// modalities exchanges the results.
pub(super) fn rows_and_seed(folds: &[u32], fold: u32, seed: u64) -> (Vec<usize>, u64) {
    let rows = (0..folds.len()).filter(|row| folds[*row] != fold).collect();
    (rows, stream(seed, &format!("models of fold {fold}")).next_u64())
}
