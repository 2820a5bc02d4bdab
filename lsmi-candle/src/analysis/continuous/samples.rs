//! Files of samples with continuous targets: one row a sample, in input order, raw values in nats.
//!
//! With several targets jointly, `target`, the predicted means and the transforms have a column for each: `target_0`, ...

use super::ScoredTargets;
use crate::samples::Format;
use crate::samples::table::{Column, SampleTable};

/// The columns of every row, before those of targets, predictions and transforms.
pub const COLUMNS: [&str; 12] = ["id", "split", "fold", "h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"];

/// The columns of each target: its value, the predicted means and the probability integral transforms given x1, x2 and both.
const TARGET_COLUMNS: [&str; 7] = ["target", "pred1", "pred2", "pred12", "pit1", "pit2", "pit12"];

/// Returns the name of the file of samples of a decomposition, of so many.
pub fn target_samples_name(decomposition: usize, count: usize, format: Format) -> String {
    if count == 1 { format!("samples.{format}") } else { format!("samples_{decomposition}.{format}") }
}

/// Returns the samples of splits, one split after the other.
pub(super) fn table(splits: &[ScoredTargets]) -> SampleTable {
    let mut table = SampleTable::default();
    for split in splits {
        for (name, column) in names(split.scores.columns.len()).iter().zip(columns(split)) {
            table.extend(name, column);
        }
    }
    table
}

fn names(targets: usize) -> Vec<String> {
    let of_target = |name: &str, target: usize| if targets == 1 { name.to_owned() } else { format!("{name}_{target}") };
    let mut names: Vec<String> = COLUMNS.into_iter().map(str::to_owned).collect();
    for name in TARGET_COLUMNS {
        names.extend((0..targets).map(|target| of_target(name, target)));
    }
    names
}

/// The columns of a split, in the order of their names.
fn columns(split: &ScoredTargets) -> Vec<Column> {
    let (scores, parts) = (&split.scores, &split.decomposition);
    let terms = &scores.terms;
    let folds = (0..terms.len()).map(|row| scores.folds.as_ref().map(|folds| folds[row]));
    let mut columns = vec![
        Column::Texts(terms.ids.iter().map(std::borrow::Cow::into_owned).collect()),
        Column::Texts(vec![split.name.clone(); terms.len()]),
        Column::Folds(folds.collect()),
    ];
    let values = [&terms.h1, &terms.h2, &terms.i1, &terms.i2, &terms.i12, &parts.r, &parts.u1, &parts.u2, &parts.s];
    columns.extend(values.map(|values| Column::Numbers(values.clone())));
    let count = scores.columns.len();
    for values in std::iter::once(&scores.targets).chain(&scores.predictions).chain(&scores.transforms) {
        let of_target = |target: usize| values.iter().skip(target).step_by(count).copied().collect();
        columns.extend((0..count).map(|target| Column::Numbers(of_target(target))));
    }
    columns
}
