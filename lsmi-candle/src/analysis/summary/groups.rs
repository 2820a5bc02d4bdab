//! What has to be known of rows that belong together: which of them share a fold, and which the models have seen.

use crate::estimator::{Grouping, Likeness, Seen, Twins};

use crate::analysis::names::Words;

/// The share of the rows that may have a twin without a word.
const FEW: f64 = 0.01;

/// What is told of the rows of a fit, of which there are so many.
pub(super) fn of_grouping(words: Words<'_>, grouping: Option<&Grouping>, rows: usize) -> Vec<String> {
    let Some(grouping) = grouping else { return Vec::new() };
    let of_twins = grouping.twins.iter().filter(|twins| twins.rows as f64 > FEW * rows as f64);
    of_twins.map(|twins| told(words, grouping, twins, rows)).collect()
}

fn told(words: Words<'_>, grouping: &Grouping, twins: &Twins, rows: usize) -> String {
    let alike = if twins.are_equal { "equal another row" } else { "equal another row, or nearly," };
    let found = format!(
        "`train`: {} of {rows} rows {alike} in {} (the first: {} and {})",
        twins.rows,
        named(words, twins.of),
        twins.first[0],
        twins.first[1]
    );
    if twins.are_together {
        format!(
            "{found}. Such rows share a fold, so that none is scored by models that saw its twin, and make {} groups, which \
             intervals are of; the option `groups` names a column of what belongs together, or `none` to keep all rows apart",
            grouping.groups
        )
    } else {
        format!(
            "{found}, but were not kept together, as many rows are alike. If each is one thing seen again (a speaker, a \
             clip), its rows are scored by models that saw it, and the information is too high: name the column of \
             what belongs together by the option `groups`. If it is a category, all is well"
        )
    }
}

/// What is told of the rows of a split that the models have seen.
pub(super) fn of_seen(words: Words<'_>, split: &str, rows: usize, seen: &[Seen]) -> Vec<String> {
    let sentence = |seen: &Seen| {
        let alike = match seen.of {
            Likeness::Group => "belong to the same group as training rows".to_owned(),
            of => format!("equal training rows in {}", named(words, of)),
        };
        format!(
            "`{split}`: {} of {rows} rows {alike} (the first: {} and {}). The models saw these, so that their values are too \
             good",
            seen.rows, seen.first[0], seen.first[1]
        )
    };
    seen.iter().map(sentence).collect()
}

fn named(words: Words<'_>, of: Likeness) -> String {
    let names = words.names;
    match of {
        Likeness::Both => format!("{} and {}", names.x1, names.x2),
        Likeness::X1 => names.x1.clone(),
        Likeness::X2 => names.x2.clone(),
        Likeness::Group => "their group".to_owned(),
    }
}
