//! Sequences read for lags: every step from the largest lag on is a sample, with the label of its sequence or of its own.

use std::collections::BTreeSet;
use std::path::Path;

use lsmi_core::SampleIds;

use super::checks::element_type;
use super::encode_labels;
use super::presence::refuse_declared;
use super::roles::{IdentifierRole, LABELS_OF_STEPS, LAGS_NEED_SEQUENCES};
use super::sequences::{StepUse, Steps};
use super::several_classes;
use super::source::Source;
use super::splits::splits_of;
use crate::features::array::{Array, Kind};
use crate::features::data::Data;
use crate::features::error::{FeatureError, SequenceError};
use crate::features::groups::Groups;
use crate::features::keys::Keys;
use crate::features::keys::splits::{LabelUse, SplitArrays};
use crate::features::labels::Labels;
use crate::features::labels::classes::{Classes, Label};
use crate::features::labels::missing::Missing;
use crate::features::sequences::{Lags, SequenceFile, SequenceSet};
use crate::features::set::file::Split;
use crate::features::several::unused_modalities;

/// The sequences of a split, whose labels are still as the file has them.
struct RawSequences {
    /// Without labels.
    set: SequenceSet,
    /// The label of every sample.
    labels: Vec<Label>,
    /// Its sequence.
    rows: Vec<usize>,
}

impl Data {
    /// Reads sequences for training by lags: x1 `[n, T, d1]`, x2 `[n, T, d2]` and a label for each step, `[n, T]`, or for each
    /// sequence, `[n]`.
    ///
    /// A sequence has as many steps as its lengths say, of both modalities the fewer. Samples are the steps from the largest
    /// lag on; those of a sequence are one group unless groups are named. Labels of other steps may be anything.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read`](crate::features::read()), and if modalities are no sequences, arrays differ in their
    /// steps, or no sequence is longer than the largest lag.
    pub fn read_sequences(&self, keys: &Keys, lags: &Lags) -> Result<SequenceFile, FeatureError> {
        let (name, (format, mut container)) = (self.to_string(), self.open()?);
        load_sequences(self.path(), Source::new(&name, format, container.as_mut()), &self.keys(keys), lags)
    }
}

pub(in crate::features) fn load_sequences(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    lags: &Lags,
) -> Result<SequenceFile, FeatureError> {
    let file = source.file();
    let (first, others) = splits_of(&file, source.names(), keys, LabelUse::Needed, true)?;
    let names = source.class_names()?;
    let mut notes = source.notes();
    notes.extend(unused_modalities(source.names(), keys));
    let (mut splits, mut classes): (Vec<Split<SequenceSet>>, _) = (Vec::new(), Classes::none());
    for arrays in std::iter::once(&first).chain(&others) {
        let RawSequences { set, labels, rows } = read_split(&mut source, arrays, keys, lags, &mut notes)?;
        // The first split is the one to train on.
        if let Some(first) = splits.first() {
            check_columns(&file, &set, &first.features)?;
        } else {
            classes = several_classes(&file, arrays, &labels, names.as_deref())?;
        }
        let labels = encode_labels(&source, arrays, (&rows, &labels), &classes, names.as_deref())?;
        splits.push(Split { name: arrays.split.clone(), features: SequenceSet { labels, ..set } });
    }
    if first.logits_in(source.names()).iter().any(Option::is_some) {
        notes.push("the file holds logits, which are not used where x1 is before x2".to_owned());
    }
    Ok(SequenceFile { splits, classes, lags: lags.clone(), notes, path: path.to_owned() })
}

fn read_split(
    source: &mut Source<'_>,
    arrays: &SplitArrays,
    keys: &Keys,
    lags: &Lags,
    notes: &mut Vec<String>,
) -> Result<RawSequences, FeatureError> {
    let (rows, [steps1, steps2]) = checked_steps(source, arrays)?;
    refuse_declared(source, arrays)?;
    let most = steps1.most;
    let lengths = joint_lengths(source, [&steps1, &steps2], rows)?;
    let first = lags.largest();
    let longest = lengths.iter().copied().max().unwrap_or_default();
    if longest <= first {
        let (file, array) = (source.file(), arrays.x1.clone());
        return Err(SequenceError::TooShort { file, array, longest, lag: first }.into());
    }
    let short = lengths.iter().filter(|length| **length <= first).count();
    if short > 0 {
        notes.push(format!(
            "{short} of {rows} sequences of `{}` have no more than {first} steps, and no samples",
            arrays.x1
        ));
    }
    let places: Vec<usize> = lengths
        .iter()
        .enumerate()
        .flat_map(|(row, length)| (first..*length).map(move |step| row * most + step))
        .collect();
    let (places, labels) = labels_of(source, arrays, (rows, most), &places, keys.missing, notes)?;

    let x1 = source.modality(&arrays.x1, Some(&steps1), None)?;
    let x2 = source.modality(&arrays.x2, Some(&steps2), None)?;
    let sequence_ids = ids_of(source, arrays, keys, rows)?;
    let names = places.iter().map(|place| format!("{}@{}", sequence_ids.get(place / most), place % most));
    let (file, array) = (source.file(), arrays.id.clone());
    let ids = SampleIds::from_names(names).map_err(|error| FeatureError::Ids { file, array, source: error })?;
    let sequences: Vec<usize> = places.iter().map(|place| place / most).collect();
    let groups = match &arrays.group {
        Some(array) => {
            let groups = source.groups(array)?;
            check_rows(&source.file(), array, groups.rows(), &arrays.x1, rows)?;
            groups
        }
        None => Groups::of_values(sequence_ids.iter()),
    };
    let set = SequenceSet {
        arrays: [arrays.x1.clone(), arrays.x2.clone()],
        sequences: rows,
        steps: [x1, x2],
        places,
        ids,
        labels: Vec::new(),
        groups: groups.select(&sequences),
    };
    Ok(RawSequences { set, labels, rows: sequences })
}

/// Checks that both modalities are sequences of the same number and the same steps.
fn checked_steps(source: &mut Source<'_>, arrays: &SplitArrays) -> Result<(usize, [Steps; 2]), FeatureError> {
    let mut found = Vec::new();
    for (modality, name) in [&arrays.x1, &arrays.x2].into_iter().enumerate() {
        let (rows, _, steps) = source.modality_shape(arrays, modality, Some(StepUse::Kept))?;
        let Some(steps) = steps else {
            let (file, array, found) = (source.file(), name.clone(), source.outline(name)?.shape_text());
            return Err(FeatureError::Shape { file, array, found, expected: LAGS_NEED_SEQUENCES });
        };
        found.push((rows, steps));
    }
    let [(rows, steps1), (rows2, steps2)]: [_; 2] = found
        .try_into()
        .map_err(|_| FeatureError::NotByRows { file: source.file(), reason: "two modalities are needed".to_owned() })?;
    check_rows(&source.file(), &arrays.x2, rows2, &arrays.x1, rows)?;
    check_steps(&source.file(), &arrays.x2, steps2.most, &arrays.x1, steps1.most)?;
    Ok((rows, [steps1, steps2]))
}

/// Returns the steps that both modalities of every sequence have.
fn joint_lengths(source: &mut Source<'_>, steps: [&Steps; 2], rows: usize) -> Result<Vec<usize>, FeatureError> {
    let mut lengths = vec![steps[0].most; rows];
    for steps in steps {
        let found = source.lengths(steps, rows)?;
        lengths.iter_mut().zip(found.into_iter().flatten()).for_each(|(length, found)| *length = (*length).min(found));
    }
    Ok(lengths)
}

/// Reads the labels of the samples at these places among all steps; without those that are missing, if such are left out.
fn labels_of(
    source: &mut Source<'_>,
    arrays: &SplitArrays,
    (rows, most): (usize, usize),
    places: &[usize],
    missing: Missing,
    notes: &mut Vec<String>,
) -> Result<(Vec<usize>, Vec<Label>), FeatureError> {
    let name = &arrays.label;
    let outline = source.outline(name)?;
    if matches!(outline.kind, Kind::Other(_)) {
        return Err(element_type(&source.file(), name, &outline, IdentifierRole::Label.element_type()));
    }
    let is_of_steps = match outline.shape.as_slice() {
        [_] => false,
        [_, _] => true,
        _ => {
            let (file, array, found) = (source.file(), name.clone(), outline.shape_text());
            return Err(FeatureError::Shape { file, array, found, expected: LABELS_OF_STEPS });
        }
    };
    check_rows(&source.file(), name, outline.shape[0], &arrays.x1, rows)?;
    if is_of_steps {
        check_steps(&source.file(), name, outline.shape[1], &arrays.x1, most)?;
    }
    let array: Array<'static> = source.rows(name, 0..rows)?.flat();
    let mut labels = Labels::default();
    labels.extend(array, if is_of_steps { rows * most } else { rows }, missing);
    labels.settle();
    // Missing ones make numbers of floating point of integers, also beyond the length.
    let are_numbers = labels.are_floats && (labels.missing() == 0 || labels.has_fractions);
    labels.all =
        places.iter().map(|place| labels.all[if is_of_steps { *place } else { place / most }].clone()).collect();
    if are_numbers {
        return Err(element_type(&source.file(), name, &outline, IdentifierRole::Label.element_type()));
    }
    if let (Some((sample, _)), false) = (labels.first_missing(), missing == Missing::Drop) {
        let (row, step) = (places[sample] / most, places[sample] % most);
        return Err(SequenceError::MissingLabel { file: source.file(), array: name.clone(), row, step }.into());
    }
    notes.extend(labels.notes(name));
    let (kept, labels) = labels.present();
    if kept.is_empty() {
        return Err(FeatureError::NoLabels { file: source.file(), array: name.clone(), rows });
    }
    Ok((kept.into_iter().map(|sample| places[sample]).collect(), labels))
}

/// Reads the ids of the sequences.
fn ids_of(source: &mut Source<'_>, arrays: &SplitArrays, keys: &Keys, rows: usize) -> Result<SampleIds, FeatureError> {
    let names: &BTreeSet<String> = source.names();
    let (name, ids) = if keys.id.is_some() || names.contains(&arrays.id) {
        (&arrays.id, source.ids(&arrays.id)?)
    } else if let Some(listed) = source.metadata_list(&arrays.metadata_ids)? {
        (&arrays.metadata_ids, source.listed_ids(&arrays.metadata_ids, &listed)?)
    } else {
        return source.row_ids(&arrays.x1, rows);
    };
    check_rows(&source.file(), name, ids.len(), &arrays.x1, rows)?;
    Ok(ids)
}

fn check_rows(file: &str, array: &str, found: usize, reference: &str, expected: usize) -> Result<(), FeatureError> {
    if found == expected {
        return Ok(());
    }
    let (file, array, reference) = (file.to_owned(), array.to_owned(), reference.to_owned());
    Err(FeatureError::RowCount { file, array, found, reference, expected })
}

fn check_steps(file: &str, array: &str, found: usize, reference: &str, expected: usize) -> Result<(), FeatureError> {
    if found == expected {
        return Ok(());
    }
    let (file, array, reference) = (file.to_owned(), array.to_owned(), reference.to_owned());
    Err(SequenceError::StepCount { file, array, found, reference, expected }.into())
}

/// Checks that steps have the columns they have in the first split.
fn check_columns(file: &str, set: &SequenceSet, first: &SequenceSet) -> Result<(), FeatureError> {
    for modality in 0..2 {
        let (found, expected) = (set.steps[modality].columns(), first.steps[modality].columns());
        if found != expected {
            let (array, reference) = (set.arrays[modality].clone(), first.arrays[modality].clone());
            return Err(FeatureError::ColumnCount { file: file.to_owned(), array, found, reference, expected });
        }
    }
    Ok(())
}
