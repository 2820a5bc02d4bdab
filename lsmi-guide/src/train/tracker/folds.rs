//! Folds of a tracker: by a hash of the ids, so that the order of the samples does not matter, and with groups whole.

use lsmi_candle::estimator::folds::{LabelledRows, stratified_folds};
use lsmi_candle::features::Groups;
use lsmi_core::SampleIds;
use lsmi_core::random::fnv1a;

/// Deals samples to folds: those of each class, in the order of a hash of their ids, in turn; whole groups where there are
/// some, spread as evenly as they allow.
pub(super) fn deal(ids: &SampleIds, labels: &[u32], groups: Option<&Groups>, folds: usize, seed: u64) -> Vec<usize> {
    if let Some(groups) = groups.filter(|groups| !groups.are_single_rows()) {
        return deal_groups(ids, labels, groups, folds, seed);
    }
    let mut order: Vec<(u32, u64, usize)> =
        ids.iter().zip(labels).enumerate().map(|(row, (id, label))| (*label, hash(&id, seed), row)).collect();
    order.sort_unstable();
    let mut fold_of = vec![0; labels.len()];
    for (place, (_, _, row)) in order.into_iter().enumerate() {
        fold_of[row] = place % folds;
    }
    fold_of
}

/// A hash that never changes: 64-bit FNV-1a of the seed and the id, with its bits mixed once more (Steele, Lea and Flood
/// 2014), as those of short ids differ in few.
fn hash(id: &str, seed: u64) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(id.bytes());
    let mut hash = fnv1a(bytes);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
    }
    hash ^ (hash >> 31)
}

/// As [`deal`], of whole groups: samples are put in the order of their hashes first.
fn deal_groups(ids: &SampleIds, labels: &[u32], groups: &Groups, folds: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<(u64, usize)> = ids.iter().enumerate().map(|(row, id)| (hash(&id, seed), row)).collect();
    order.sort_unstable();
    let rows: Vec<usize> = order.into_iter().map(|(_, row)| row).collect();
    let of_rows: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
    let numbers = groups.select(&rows).numbers();
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    let labelled = LabelledRows { labels: &of_rows, classes, groups: Some(&numbers) };
    let count = u32::try_from(folds).unwrap_or(u32::MAX);
    let mut fold_of = vec![0; labels.len()];
    for (row, fold) in rows.into_iter().zip(stratified_folds(&labelled, count, seed, "folds of the tracker")) {
        fold_of[row] = fold as usize;
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_follow_ids_and_are_even_within_classes() {
        let labels: Vec<u32> = (0..100).map(|row| row % 3).collect();
        let folds = deal(&SampleIds::rows(100), &labels, None, 4, 0);
        for class in 0..3 {
            let counts = (0..4).map(|fold| (0..100).filter(|row| labels[*row] == class && folds[*row] == fold).count());
            let counts: Vec<usize> = counts.collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        // Another order of the same samples does not change their folds.
        let rows: Vec<usize> = (0..100).rev().collect();
        let backwards: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
        let of_backwards = deal(&SampleIds::rows(100).select(&rows), &backwards, None, 4, 0);
        assert!(rows.iter().zip(of_backwards).all(|(row, fold)| folds[*row] == fold));
        assert_ne!(folds, deal(&SampleIds::rows(100), &labels, None, 4, 1));
    }

    #[test]
    fn groups_are_whole_whatever_the_order_of_the_samples() {
        // Five samples of the same thing each, such as captions of one picture.
        let labels: Vec<u32> = (0..100).map(|row| row / 5 % 2).collect();
        let groups = Groups::of_values((0..100).map(|row| row / 5));
        let folds = deal(&SampleIds::rows(100), &labels, Some(&groups), 4, 0);
        assert!(folds.chunks(5).all(|group| group.iter().all(|fold| *fold == group[0])), "{folds:?}");
        for fold in 0..4 {
            assert_eq!(folds.iter().filter(|of_row| **of_row == fold).count(), 25);
        }
        let rows: Vec<usize> = (0..100).rev().collect();
        let backwards: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
        let ids = SampleIds::rows(100).select(&rows);
        let of_backwards = deal(&ids, &backwards, Some(&groups.select(&rows)), 4, 0);
        assert!(rows.iter().zip(of_backwards).all(|(row, fold)| folds[*row] == fold));
        // Samples that are apart are dealt as if nothing had been said of groups.
        let apart = Groups::each_alone(100);
        assert_eq!(
            deal(&SampleIds::rows(100), &labels, Some(&apart), 4, 0),
            deal(&SampleIds::rows(100), &labels, None, 4, 0)
        );
    }
}
