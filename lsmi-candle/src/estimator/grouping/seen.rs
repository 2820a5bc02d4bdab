//! Finds evaluation rows that the models have seen.

use serde::{Deserialize, Serialize};

use super::Likeness;
use super::equal::{self, Stacked};
use crate::features::FeatureSet;

/// Rows of an evaluation split that are equal to training rows or share their group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The part of the rows that is alike.
    pub of: Likeness,
    /// The number of rows that are like a training row.
    pub rows: usize,
    /// The ids of the first of them and of the first training row that is like it.
    pub first: [String; 2],
}

/// Finds rows that share a group with training rows or equal them in all columns of x1, of x2 or of both, unless that
/// is by chance, as with small counts in few columns. Rows that are equal in both are not counted again for each.
///
/// # Panics
/// If the columns of the sets differ in number.
pub fn seen_rows(train: &FeatureSet, others: &FeatureSet) -> Vec<Seen> {
    let mut found = Vec::new();
    if let (Some(train_groups), Some(other_groups)) = (&train.groups, &others.groups) {
        let known = train_groups.keys();
        let twin = |row: usize| known.iter().position(|key| *key == other_groups.keys()[row]);
        let is_seen = other_groups.is_shared_with(train_groups);
        found.extend(describe(train, others, Likeness::Group, &is_seen, twin));
    }
    let (x1, x2) = (Stacked::new(&train.x1, &others.x1), Stacked::new(&train.x2, &others.x2));
    let mut is_known = vec![false; others.rows()];
    for of in [Likeness::Both, Likeness::X1, Likeness::X2] {
        let matrices: &[Stacked<'_>] = match of {
            Likeness::X1 => &[x1],
            Likeness::X2 => &[x2],
            _ => &[x1, x2],
        };
        let groups = equal::groups(matrices);
        if equal::is_by_chance(matrices, &groups) {
            continue;
        }
        let numbers = groups.numbers();
        let (train_groups, other_groups) = numbers.split_at(train.rows());
        let mut first_of = vec![None; groups.count()];
        for (row, number) in train_groups.iter().enumerate().rev() {
            first_of[*number as usize] = Some(row);
        }
        let twin = |row: usize| first_of[other_groups[row] as usize];
        let is_seen: Vec<bool> = (0..others.rows()).map(|row| !is_known[row] && twin(row).is_some()).collect();
        if of == Likeness::Both {
            is_known.clone_from(&is_seen);
        }
        found.extend(describe(train, others, of, &is_seen, twin));
    }
    found
}

fn describe(
    train: &FeatureSet,
    others: &FeatureSet,
    of: Likeness,
    is_seen: &[bool],
    twin: impl Fn(usize) -> Option<usize>,
) -> Option<Seen> {
    let first = is_seen.iter().position(|is_seen| *is_seen)?;
    let ids = [others.ids.get(first).into_owned(), train.ids.get(twin(first)?).into_owned()];
    Some(Seen { of, rows: is_seen.iter().filter(|is_seen| **is_seen).count(), first: ids })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Groups;
    use crate::numbers::matrix::Matrix;
    use lsmi_core::SampleIds;
    use lsmi_core::random::stream;
    use rand::Rng;

    fn samples(rows: usize, columns: usize, name: &str, round: bool) -> FeatureSet {
        let mut random = stream(0, name);
        let mut matrix = |columns: usize| {
            let value = |_| if round { f64::from(random.random_range(0..3u8)) } else { random.random::<f64>() };
            Matrix::new(rows, columns, (0..rows * columns).map(value).collect()).unwrap()
        };
        let (x1, x2) = (matrix(columns), matrix(columns));
        let ids = SampleIds::from_names((0..rows).map(|row| format!("{name} {row}"))).unwrap();
        FeatureSet::new(ids, x1, x2, vec![0; rows]).unwrap()
    }

    #[test]
    fn rows_of_the_training_set_are_found_in_others() {
        let train = samples(200, 4, "train", false);
        let mut test = samples(50, 4, "test", false);
        assert!(seen_rows(&train, &test).is_empty());
        // Rows 3 and 4 are training rows, row 7 has the x2 of one.
        let copied = |into: &Matrix, from: &Matrix, rows: &[(usize, usize)]| {
            let mut values = into.values().to_vec();
            for (to, row) in rows {
                values[to * 4..][..4].copy_from_slice(from.row(*row));
            }
            Matrix::new(into.rows(), 4, values).unwrap()
        };
        test.x1 = copied(&test.x1, &train.x1, &[(3, 20), (4, 21)]);
        test.x2 = copied(&test.x2, &train.x2, &[(3, 20), (4, 21), (7, 9)]);
        let found = seen_rows(&train, &test);
        let first = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(
            found,
            [
                Seen { of: Likeness::Both, rows: 2, first: first("test 3", "train 20") },
                Seen { of: Likeness::X2, rows: 1, first: first("test 7", "train 9") },
            ]
        );
        let groups = |of: usize| Groups::of_values((0..of).map(|row| row / 2 + of));
        let with = |mut samples: FeatureSet, groups| {
            samples.groups = Some(groups);
            samples
        };
        let grouped = seen_rows(&with(train.clone(), groups(200)), &with(test.clone(), groups(50)));
        assert!(grouped.iter().all(|seen| seen.of != Likeness::Group), "no number in both");
        let all = seen_rows(&with(train, groups(200)), &with(test, Groups::of_values(vec![210usize; 50])));
        assert_eq!((all[0].of, all[0].rows, all[0].first[1].as_str()), (Likeness::Group, 50, "train 20"));
    }

    #[test]
    fn counts_that_agree_by_chance_are_not_told() {
        assert!(seen_rows(&samples(500, 2, "train", true), &samples(100, 2, "test", true)).is_empty());
    }
}
