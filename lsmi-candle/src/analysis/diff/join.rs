//! Which samples two analyses have in common: those of one id, if that id means the same sample.

use std::collections::HashMap;

use super::side::Side;

/// How the samples of two sides go together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Some are in both: the row in each, in the order of the first.
    Paired(Vec<(usize, usize)>),
    /// None is; why not, where ids alone would say otherwise.
    Apart(Option<String>),
}

/// Joins by id. Ids whose labels differ are of different samples, such as row numbers of different files: then none is
/// taken to be in both.
pub(super) fn join(first: &Side, second: &Side) -> Joined {
    let rows: HashMap<&str, usize> = second.ids.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let with_row = |(row, id): (usize, &String)| Some((row, *rows.get(id.as_str())?));
    let pairs: Vec<(usize, usize)> = first.ids.iter().enumerate().filter_map(with_row).collect();
    let differ: Vec<&(usize, usize)> = pairs.iter().filter(|(a, b)| first.labels[*a] != second.labels[*b]).collect();
    match differ.first() {
        _ if pairs.is_empty() => Joined::Apart(None),
        None => Joined::Paired(pairs),
        Some((a, b)) => Joined::Apart(Some(format!(
            "{} of {} ids that are in both have another label in each, such as `{}` ({} and {}): they do not mean the same \
             samples",
            differ.len(),
            pairs.len(),
            first.ids[*a],
            first.labels[*a],
            second.labels[*b]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(samples: &[(&str, &str)]) -> Side {
        let (ids, labels) = samples.iter().map(|(id, label)| ((*id).to_owned(), (*label).to_owned())).unzip();
        Side { ids, labels, ..Side::default() }
    }

    #[test]
    fn ids_are_joined_where_their_labels_agree() {
        let first = side(&[("a", "x"), ("b", "y"), ("c", "x")]);
        assert_eq!(join(&first, &side(&[("c", "x"), ("d", "x"), ("a", "x")])), Joined::Paired(vec![(0, 2), (2, 0)]));
        assert_eq!(join(&first, &side(&[("d", "x")])), Joined::Apart(None));
        let Joined::Apart(Some(why)) = join(&first, &side(&[("a", "x"), ("b", "x")])) else { panic!() };
        assert!(why.starts_with("1 of 2 ids") && why.contains("`b` (y and x)"), "{why}");
    }
}
