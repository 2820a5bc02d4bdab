//! Logits of the user's own models: all splits have the same, and every column is a class.
//!
//! Columns in another order than the classes would go unnoticed and spoil everything, so whatever could put them into
//! another order is refused: a column too many or too few, and names that say another order.

use std::collections::BTreeSet;

use super::error::{FeatureError, listed};
use super::keys::splits::{SplitArrays, all_logit_names};
use super::labels::classes::Classes;
use crate::numbers::matrix::Matrix;

/// How far from 1 the probabilities of a row may sum: a bfloat16 is rounded by at most 1 part in 512.
const ROUNDING: f64 = 0.005;

/// Checks that every split has the logits that the others have, and that all logits belong to a split.
pub(super) fn check_names(file: &str, names: &BTreeSet<String>, splits: &[&SplitArrays]) -> Result<(), FeatureError> {
    check_same_models(file, names, splits)?;
    let is_used = |name: &String| splits.iter().any(|split| split.logits.contains(name) || split.is_role(name));
    let stray = all_logit_names().find(|name| names.contains(name) && !is_used(name));
    match (stray, splits.first()) {
        (Some(array), Some(first)) => Err(FeatureError::StrayLogits {
            file: file.to_owned(),
            array,
            splits: splits.iter().map(|split| split.split.as_str()).collect::<Vec<_>>().join(", "),
            example: first.logits[0].clone(),
        }),
        _ => Ok(()),
    }
}

/// Checks that every split has the logits that the others have.
pub(super) fn check_same_models(
    file: &str,
    names: &BTreeSet<String>,
    splits: &[&SplitArrays],
) -> Result<(), FeatureError> {
    for model in 0..3 {
        let (with, without): (Vec<&SplitArrays>, Vec<&SplitArrays>) =
            splits.iter().partition(|split| split.logits_in(names)[model].is_some());
        if let (Some(with), Some(without)) = (with.first(), without.first()) {
            return Err(FeatureError::MissingLogits {
                file: file.to_owned(),
                array: without.logits[model].clone(),
                present: with.logits[model].clone(),
            });
        }
    }
    Ok(())
}

/// Checks that the logits of a split have a column for each class and are no probabilities.
pub(super) fn check_columns(
    file: &str,
    arrays: &SplitArrays,
    logits: &[Option<Matrix>; 3],
    classes: &Classes,
) -> Result<(), FeatureError> {
    for (array, logits) in arrays.logits.iter().zip(logits) {
        let Some(logits) = logits else { continue };
        if logits.columns() != classes.len() {
            return Err(FeatureError::LogitColumns {
                file: file.to_owned(),
                array: array.clone(),
                found: logits.columns(),
                expected: classes.len(),
                classes: listed(classes.names()),
                advice: column_advice(array, logits.columns(), classes),
            });
        }
        if are_probabilities(logits) {
            return Err(FeatureError::Probabilities { file: file.to_owned(), array: array.clone() });
        }
    }
    Ok(())
}

/// Checks that a file with logits that names its classes names the known ones, in their order.
///
/// Labels are matched by name, however the file counts them; columns have no names.
pub(super) fn check_order(
    file: &str,
    arrays: &SplitArrays,
    logits: &[Option<Matrix>; 3],
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<(), FeatureError> {
    let first = arrays.logits.iter().zip(logits).find(|(_, logits)| logits.is_some());
    match (first, names) {
        (Some((array, _)), Some(names)) if !classes.agree_with(names) => Err(FeatureError::LogitOrder {
            file: file.to_owned(),
            array: array.clone(),
            found: listed(names),
            classes: listed(classes.names()),
        }),
        _ => Ok(()),
    }
}

fn column_advice(array: &str, found: usize, classes: &Classes) -> String {
    let is_column = |label: &String| label.parse().is_ok_and(|column: usize| column < found);
    if found == 1 && classes.len() == 2 {
        format!(
            "for the one logit of a two-class model, which speaks for the second, np.hstack([0 * {array}, {array}])"
        )
    } else if classes.labels().iter().all(is_column) {
        format!(
            "a label that never occurs in training has no column: {array}[:, np.unique(y).astype(int)], with y the training labels"
        )
    } else {
        "give one column for each class, in this order".to_owned()
    }
}

/// Returns whether every row is a distribution. One row alone may be so by chance.
fn are_probabilities(logits: &Matrix) -> bool {
    let is_distribution =
        |row: &[f64]| row.iter().all(|value| *value >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() <= ROUNDING;
    logits.rows() > 1 && (0..logits.rows()).all(|row| is_distribution(logits.row(row)))
}
