//! Logits of one model in a file of its own, for samples that are read already.
//!
//! Several models of the same data are compared so: features and labels stand in one file, the logits of each model in
//! another. A file has `logits1`, `logits2`, `logits12`, or some of them, with the suffixes of the splits that it is about;
//! it may be about more splits than are at hand.
//! Where it has ids (`id`, `id_test` and so on), rows are matched by them; where it has none, row i is row i of the split.

use std::collections::BTreeSet;
use std::path::Path;

use lsmi_core::SampleIds;

use super::roles::MatrixRole;
use super::source::Source;
use crate::features::data::Data;
use crate::features::error::FeatureError;
use crate::features::keys::Keys;
use crate::features::keys::splits::SplitArrays;
use crate::features::labels::classes::Classes;
use crate::features::logits;
use crate::features::set::FeatureSet;
use crate::features::set::file::Split;
use crate::numbers::matrix::Matrix;

/// Reads a model's logits in place of those of `splits`. Splits that the file has no logits for are left out.
///
/// # Errors
/// [`FeatureError`] if the file cannot be read, has no logits for any of the splits;
/// has one model's logits for one split and not for another; names other classes, or has not one column for each;
/// lacks a sample, or has another number of rows where there are no ids; holds values that are not finite.
pub fn read_model_logits(path: &Path, classes: &Classes, splits: &[&Split]) -> Result<Vec<Split>, FeatureError> {
    let file = path.display().to_string();
    let (format, mut container) = Data::from(path).open()?;
    let mut source = Source::new(&file, format, container.as_mut());
    let names = source.class_names()?;
    let present: Vec<(&Split, SplitArrays)> =
        splits.iter().copied().filter_map(|split| Some((split, arrays_of(&split.name, source.names())?))).collect();
    let arrays: Vec<&SplitArrays> = present.iter().map(|(_, arrays)| arrays).collect();
    check_arrays(&file, source.names(), splits, &arrays)?;
    present
        .iter()
        .map(|(split, arrays)| {
            let found = read_split(&mut source, arrays, &split.features)?;
            logits::check_order(&file, arrays, &found, classes, names.as_deref())?;
            logits::check_columns(&file, arrays, &found, classes)?;
            Ok(Split { name: split.name.clone(), features: FeatureSet { logits: found, ..split.features.clone() } })
        })
        .collect()
}

/// Returns the arrays about a split, if there are logits among them. Arrays without a suffix are about training rows.
fn arrays_of(split: &str, names: &BTreeSet<String>) -> Option<SplitArrays> {
    let keys = Keys::default();
    let unsuffixed = (split == "train").then(|| SplitArrays::unsuffixed(&keys));
    let has_logits = |arrays: &SplitArrays| arrays.logits_in(names).iter().any(Option::is_some);
    unsuffixed.into_iter().chain([SplitArrays::suffixed(&keys, split)]).find(has_logits)
}

/// Checks that there are logits, and of the same models for all splits.
fn check_arrays(
    file: &str,
    names: &BTreeSet<String>,
    splits: &[&Split],
    present: &[&SplitArrays],
) -> Result<(), FeatureError> {
    if present.is_empty() {
        let named: Vec<String> = splits.iter().map(|split| format!("logits12_{}", split.name)).collect();
        return Err(FeatureError::NoLogits {
            file: file.to_owned(),
            expected: named.join(", "),
            available: names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        });
    }
    logits::check_same_models(file, names, present)
}

fn read_split(
    source: &mut Source<'_>,
    arrays: &SplitArrays,
    samples: &FeatureSet,
) -> Result<[Option<Matrix>; 3], FeatureError> {
    let ids = if source.names().contains(&arrays.id) {
        Some((source.ids(&arrays.id)?, arrays.id.as_str()))
    } else {
        let ids = source.metadata_list(&arrays.metadata_ids)?;
        let ids = ids.map(|ids| source.listed_ids(&arrays.metadata_ids, &ids)).transpose()?;
        ids.map(|ids| (ids, arrays.metadata_ids.as_str()))
    };
    let rows = match &ids {
        Some((ids, array)) => Some(rows_of(source, ids, array, samples)?),
        None => None,
    };
    let names = source.names().clone();
    let mut found = [None, None, None];
    for (place, array) in found.iter_mut().zip(arrays.logits_in(&names)) {
        let Some(array) = array else { continue };
        let matrix = source.matrix(array, MatrixRole::Logits)?;
        let (expected, reference) = match &ids {
            Some((ids, array)) => (ids.len(), (*array).to_owned()),
            None => (samples.rows(), format!("x1 of the split {}", arrays.split)),
        };
        if matrix.rows() != expected {
            let (file, array, found) = (source.file(), array.to_owned(), matrix.rows());
            return Err(FeatureError::RowCount { file, array, found, reference, expected });
        }
        *place = Some(rows.as_ref().map_or_else(|| matrix.clone(), |rows| matrix.select(rows)));
    }
    Ok(found)
}

/// Finds the row of each of the samples.
fn rows_of(
    source: &Source<'_>,
    ids: &SampleIds,
    array: &str,
    samples: &FeatureSet,
) -> Result<Vec<usize>, FeatureError> {
    let index = ids.index();
    let row = |id: &str| {
        index.position(id).ok_or_else(|| FeatureError::MissingSample {
            file: source.file(),
            array: array.to_owned(),
            id: id.to_owned(),
        })
    };
    samples.ids.iter().map(|id| row(&id)).collect()
}
