//! The plan of nested cross-fitting: the rows that each fit for the choice of heads sees, and those that it is judged
//! on.
//!
//! The heads of an outer fold are chosen on rows outside it only. With four or more folds, a fit to the rows outside the
//! folds k and l tells how well a head knows the rows of l, for the choice of fold k, and those of k, for the choice of fold
//! l: each fit serves two choices. Every fold has as partners its next two neighbours on either side, in a ring. With two or
//! three folds too few rows would be left; each is cut into parts then, and a fit leaves out a fold and one part of another.

use crate::estimator::folds::{LabelledRows, stratified_folds};

/// The number of partners of a fold on either side of the ring.
const NEIGHBOURS: usize = 2;

/// One fit for the choice of heads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// The parts whose rows it does not see.
    pub(crate) excluded: Vec<usize>,
    /// The outer fold whose choice it serves, and the part that it is judged on for it.
    pub(crate) serves: Vec<(usize, usize)>,
    /// Whether it is one of the few fits that decide first whether a costly family is worth its time.
    pub(crate) is_scout: bool,
}

/// Rows dealt to parts, and the fits.
#[derive(Debug)]
pub(crate) struct Nested {
    /// The part of each competing row.
    pub(crate) parts: Vec<usize>,
    pub(crate) units: Vec<Unit>,
}

impl Nested {
    /// Returns the plan for rows with their outer folds.
    pub(crate) fn new(folds: &[u32], of: &LabelledRows<'_>, fold_count: usize, seed: u64) -> Self {
        let parts_of_fold = match fold_count {
            2 => 3,
            3 => 2,
            _ => 1,
        };
        let mut parts: Vec<usize> = folds.iter().map(|fold| *fold as usize * parts_of_fold).collect();
        if parts_of_fold == 1 {
            return Self { parts, units: ring(fold_count) };
        }
        for fold in 0..fold_count {
            let rows: Vec<usize> = (0..folds.len()).filter(|row| folds[*row] as usize == fold).collect();
            let labels: Vec<u32> = rows.iter().map(|row| of.labels[*row]).collect();
            let groups: Option<Vec<u32>> = of.groups.map(|groups| rows.iter().map(|row| groups[*row]).collect());
            let count = u32::try_from(parts_of_fold).unwrap_or(1);
            let fold_rows = LabelledRows { labels: &labels, classes: of.classes, groups: groups.as_deref() };
            let dealt = stratified_folds(&fold_rows, count, seed, &format!("parts of fold {fold}"));
            for (row, part) in rows.into_iter().zip(dealt) {
                parts[row] += part as usize;
            }
        }
        Self { parts, units: by_parts(fold_count, parts_of_fold) }
    }
}

/// Pairs of folds that are neighbours in a ring.
fn ring(folds: usize) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for distance in 1..=NEIGHBOURS {
        for fold in 0..folds {
            let other = (fold + distance) % folds;
            let excluded = vec![fold.min(other), fold.max(other)];
            if fold != other && units.iter().all(|unit| unit.excluded != excluded) {
                // Pairs of an even fold and the next one; the last of an odd number of folds goes with the first.
                let is_scout = distance == 1 && fold.is_multiple_of(2);
                units.push(Unit { serves: vec![(fold, other), (other, fold)], excluded, is_scout });
            }
        }
    }
    units
}

/// Plans fits that leave out a fold and one part of another.
fn by_parts(folds: usize, parts_of_fold: usize) -> Vec<Unit> {
    let mut units = Vec::new();
    for fold in 0..folds {
        let own = fold * parts_of_fold..(fold + 1) * parts_of_fold;
        let others = (0..folds * parts_of_fold).filter(|part| !own.contains(part));
        units.extend(others.enumerate().map(|(index, part)| Unit {
            excluded: own.clone().chain([part]).collect(),
            serves: vec![(fold, part)],
            is_scout: index == 0,
        }));
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_choice_is_made_on_rows_of_its_own_fold() {
        for fold_count in 2..=10u32 {
            let count = fold_count as usize;
            let folds: Vec<u32> = (0..60).map(|row| row % fold_count).collect();
            let labels: Vec<u32> = (0..60).map(|row| row / 30).collect();
            let rows = LabelledRows { labels: &labels, classes: 2, groups: None };
            let plan = Nested::new(&folds, &rows, count, 0);
            for unit in &plan.units {
                for (outer, part) in &unit.serves {
                    assert!(unit.excluded.contains(part), "what a fit is judged on it has not seen");
                    let seen = (0..60).filter(|row| !unit.excluded.contains(&plan.parts[*row]));
                    assert!(seen.clone().all(|row| folds[row] as usize != *outer), "nor rows of the fold it serves");
                    assert!(seen.count() > 0);
                    assert!((0..60).filter(|row| plan.parts[*row] == *part).all(|row| folds[row] as usize != *outer));
                }
            }
            for outer in 0..count {
                let serving = || plan.units.iter().filter(move |unit| unit.serves.iter().any(|(of, _)| *of == outer));
                assert!(serving().any(|unit| unit.is_scout), "fold {outer} of {count}");
                assert!((3..=4).contains(&serving().count()), "fold {outer} of {count}");
            }
        }
    }

    #[test]
    fn five_folds_take_ten_fits() {
        let units = ring(5);
        assert_eq!(units.len(), 10);
        assert_eq!(units.iter().filter(|unit| unit.is_scout).count(), 3);
        assert_eq!(ring(4).len(), 6);
    }
}
