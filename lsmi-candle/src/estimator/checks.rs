//! Checks of samples that may have been put together by hand.

use crate::error::{EstimatorError, Result};
use crate::features::{FeatureSet, Groups, Inputs, LOGITS, OneModality, PartialRows};

/// Checks samples that may have been put together by hand; those read from a file pass.
pub(crate) fn check_samples(samples: &FeatureSet, classes: usize) -> Result<()> {
    check_inputs(&samples.inputs(), samples.rows())?;
    for (logits, what) in samples.logits.iter().zip(["columns of logits1", "columns of logits2", "columns of logits12"])
    {
        if let Some(logits) = logits.as_ref().filter(|logits| logits.columns() != classes) {
            return wrong(what, logits.columns().to_string(), format!("the number of classes, {classes}"));
        }
    }
    if let Some(groups) = samples.groups.as_ref().filter(|groups| groups.rows() != samples.rows()) {
        let expected = format!("the number of labels, {}", samples.rows());
        return wrong("the number of rows in groups", groups.rows().to_string(), expected);
    }
    match samples.labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => wrong("a label", label.to_string(), format!("the index of one of {classes} classes")),
        None => Ok(()),
    }
}

/// Checks rows that lack a modality beside the complete ones that they are fitted with.
pub(super) fn check_partial(partial: &PartialRows, train: &FeatureSet, classes: usize) -> Result<()> {
    if let Some(name) = LOGITS.into_iter().zip(&train.logits).find_map(|(name, logits)| logits.as_ref().map(|_| name)) {
        return Err(EstimatorError::LogitsOfPartial { name });
    }
    check_partial_rows(partial, [train.x1.columns(), train.x2.columns()], Some(classes))?;
    for only in &partial.only {
        if only.groups.as_ref().map(Groups::rows) != train.groups.as_ref().map(|_| only.rows()) {
            let (found, expected) = ("of some rows".to_owned(), "of all rows or of none".to_owned());
            return wrong("groups", found, expected);
        }
    }
    let (found, expected) = (partial.rows, train.rows() + partial.count());
    if found != expected {
        return wrong("the number of rows of the split", found.to_string(), expected.to_string());
    }
    Ok(())
}

/// Checks rows that lack a modality, whose modalities have these columns; those read from a file pass. `classes` is `None` of
/// rows without labels.
pub(super) fn check_partial_rows(partial: &PartialRows, columns: [usize; 2], classes: Option<usize>) -> Result<()> {
    for (modality, (only, columns)) in partial.only.iter().zip(columns).enumerate() {
        check_one_modality(only, modality, columns, classes)?;
    }
    if partial.complete_places().len() + partial.count() != partial.rows {
        let found = "such that some are the same, or beyond the last row".to_owned();
        return wrong("the places of rows with one modality", found, "each of another row of the split".to_owned());
    }
    Ok(())
}

/// Checks rows that have one modality, 0 or 1, alone.
fn check_one_modality(only: &OneModality, modality: usize, columns: usize, classes: Option<usize>) -> Result<()> {
    let (rows, name) = (only.rows(), ["x1", "x2"][modality]);
    let labels = if classes.is_some() { rows } else { 0 };
    for (what, found, expected) in [
        ("the number of ids of rows with one modality", only.ids.len(), rows),
        ("the number of rows with one modality", only.x.rows(), rows),
        ("the number of labels of rows with one modality", only.labels.len(), labels),
    ] {
        if found != expected {
            return wrong(what, found.to_string(), expected.to_string());
        }
    }
    if only.x.columns() != columns {
        return Err(EstimatorError::Dimensions { modality: name, expected: columns, found: only.x.columns() });
    }
    if let Some(value) = only.x.values().iter().find(|value| !value.is_finite()) {
        return wrong(name, format!("{value} somewhere"), "finite everywhere".to_owned());
    }
    match only.labels.iter().find(|label| classes.is_some_and(|classes| **label as usize >= classes)) {
        Some(label) => wrong("a label", label.to_string(), "the index of one of the classes".to_owned()),
        None => Ok(()),
    }
}

/// Checks everything but the labels of `rows` rows.
pub(super) fn check_inputs(samples: &Inputs<'_>, rows: usize) -> Result<()> {
    for (what, found) in [
        ("the number of ids", samples.ids.len()),
        ("the number of rows of x1", samples.x1.rows()),
        ("the number of rows of x2", samples.x2.rows()),
    ] {
        if found != rows || rows == 0 {
            return wrong(what, found.to_string(), format!("the number of labels, {rows}, and at least 1"));
        }
    }
    let [logits1, logits2, logits12] = samples.logits;
    for (what, x) in [
        ("x1", Some(samples.x1)),
        ("x2", Some(samples.x2)),
        ("logits1", logits1),
        ("logits2", logits2),
        ("logits12", logits12),
    ] {
        let Some(x) = x else { continue };
        if x.columns() == 0 || x.rows() != rows {
            let found = format!("of {} rows and {} columns", x.rows(), x.columns());
            return wrong(what, found, format!("of {rows} rows and at least one column"));
        }
        if let Some(value) = x.values().iter().find(|value| !value.is_finite()) {
            return wrong(what, format!("{value} somewhere"), "finite everywhere".to_owned());
        }
    }
    Ok(())
}

/// Returns the error that samples do not fit together.
pub(super) fn wrong(what: &'static str, found: String, expected: String) -> Result<()> {
    Err(EstimatorError::Samples { what, found, expected })
}
