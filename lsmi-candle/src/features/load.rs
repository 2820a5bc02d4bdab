//! From an open file to checked splits: arrays are matched to each other and labels become class indices.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use super::classes::{Classes, Label};
use super::error::FeatureError;
use super::file::{FeatureFile, Split, UnlabelledFile};
use super::format::Format;
use super::groups::Groups;
use super::keys::{self, GroupKey, Keys, SplitArrays, find_splits};
use super::labels::{Labels, case_note};
use super::logits;
use super::metadata_columns::MetadataColumn;
use super::set::{FeatureSet, Unlabelled};
use super::source::{MatrixRole, Source};
use crate::numbers::matrix::Matrix;

/// How many classes a message lists.
const LISTED_CLASSES: usize = 20;

/// The training split's name.
const TRAIN: &str = "train";

/// A split whose labels are still as the file has them.
struct RawSplit {
    samples: Unlabelled,
    /// Those that are missing are of rows to be left out.
    labels: Labels,
    groups: Option<Groups>,
}

/// The format that the extension of a file promises; the file is there.
pub(super) fn format_of(path: &Path) -> Result<Format, FeatureError> {
    if fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir() {
        return Err(FeatureError::IsDirectory { file: path.display().to_string() });
    }
    Format::from_path(path).ok_or_else(|| unknown_format(path))
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> FeatureError {
    let file = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => FeatureError::NotFound { file },
        _ => FeatureError::Io { file, source },
    }
}

fn unknown_format(path: &Path) -> FeatureError {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        return FeatureError::SingleArray { file: path.display().to_string() };
    }
    let supported: Vec<String> =
        Format::ALL.iter().flat_map(|format| format.extensions()).map(|extension| format!(".{extension}")).collect();
    FeatureError::UnknownFormat {
        file: path.display().to_string(),
        found: path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default(),
        supported: supported.join(", "),
    }
}

/// All splits of a file, its labels numbered by `known` classes or by those of its training split.
pub(super) fn load(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    known: Option<&Classes>,
) -> Result<FeatureFile, FeatureError> {
    let file = source.file();
    let (first, others) = splits_of(&file, source.names(), keys, keys::Labels::Needed, known.is_none())?;
    let names = source.class_names()?;

    let first_raw = read_split(&mut source, &first, keys)?;
    let classes = match known {
        Some(known) => {
            logits::check_order(&file, &first, &first_raw.samples.logits, known, names.as_deref())?;
            known.clone()
        }
        None => training_classes(&file, &first, &first_raw, names.as_deref())?,
    };
    let mut notes = source.notes();
    notes.extend(first_raw.labels.notes(&first.label));
    let mut kept = vec![first_raw.kept()];
    let mut splits = vec![encode(&source, &first, first_raw, &classes, names.as_deref())?];
    for other in &others {
        let raw = read_split(&mut source, other, keys)?;
        notes.extend(raw.labels.notes(&other.label));
        kept.push(raw.kept());
        let reference = &splits[0].features;
        check_columns(&file, (&first.x1, &reference.x1), (&other.x1, &raw.samples.x1))?;
        check_columns(&file, (&first.x2, &reference.x2), (&other.x2, &raw.samples.x2))?;
        splits.push(encode(&source, other, raw, &classes, names.as_deref())?);
    }
    if names.is_some() {
        notes.extend(case_note("classes", classes.names().iter().map(String::as_str)));
    }
    let mut metadata = metadata(&mut source, &first, &others)?;
    for (of_split, kept) in metadata.iter_mut().zip(kept) {
        let Some(kept) = kept else { continue };
        for column in &mut of_split.features {
            column.values = column.values.select(&kept);
        }
    }
    Ok(FeatureFile { splits, metadata, classes, notes, path: path.to_owned() })
}

/// All splits of a file, whose labels are left alone; its logits are to be of `classes`.
pub(super) fn load_unlabelled(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    classes: &Classes,
) -> Result<UnlabelledFile, FeatureError> {
    let file = source.file();
    let (first, others) = splits_of(&file, source.names(), keys, keys::Labels::Ignored, false)?;
    let names = source.class_names()?;

    let mut splits: Vec<Split<Unlabelled>> = Vec::new();
    for arrays in std::iter::once(&first).chain(&others) {
        let samples = read_samples(&mut source, arrays, keys)?;
        logits::check_order(&file, arrays, &samples.logits, classes, names.as_deref())?;
        logits::check_columns(&file, arrays, &samples.logits, classes)?;
        if let Some(Split { features: reference, .. }) = splits.first() {
            check_columns(&file, (&first.x1, &reference.x1), (&arrays.x1, &samples.x1))?;
            check_columns(&file, (&first.x2, &reference.x2), (&arrays.x2, &samples.x2))?;
        }
        splits.push(Split { name: arrays.split.clone(), features: samples });
    }
    let metadata = metadata(&mut source, &first, &others)?;
    Ok(UnlabelledFile { splits, metadata, path: path.to_owned() })
}

/// The columns of a table that are carried along, for every split.
fn metadata(
    source: &mut Source<'_>,
    first: &SplitArrays,
    others: &[SplitArrays],
) -> Result<Vec<Split<Vec<MetadataColumn>>>, FeatureError> {
    let splits: Vec<&SplitArrays> = std::iter::once(first).chain(others).collect();
    let columns = source.metadata_columns(&splits);
    let of_split = |split: &SplitArrays| {
        Ok(Split { name: split.split.clone(), features: source.metadata_values(split, &columns)? })
    };
    if columns.is_empty() { Ok(Vec::new()) } else { splits.into_iter().map(of_split).collect() }
}

/// The samples of a window of rows, their labels indices of `classes`.
pub(super) fn load_rows(
    source: &mut Source<'_>,
    arrays: &SplitArrays,
    keys: &Keys,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<FeatureSet, FeatureError> {
    let raw = read_split(source, arrays, keys)?;
    check_whole(source, arrays, &raw.labels)?;
    logits::check_order(&source.file(), arrays, &raw.samples.logits, classes, names)?;
    encode_rows(source, arrays, raw, classes, names)
}

/// The same without labels.
pub(super) fn load_unlabelled_rows(
    source: &mut Source<'_>,
    arrays: &SplitArrays,
    keys: &Keys,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<Unlabelled, FeatureError> {
    let file = source.file();
    let samples = read_samples(source, arrays, keys)?;
    logits::check_order(&file, arrays, &samples.logits, classes, names)?;
    logits::check_columns(&file, arrays, &samples.logits, classes)?;
    Ok(samples)
}

/// The splits by the names of their arrays: the first and the others.
pub(super) fn splits_of(
    file: &str,
    names: &BTreeSet<String>,
    keys: &Keys,
    labels: keys::Labels,
    is_for_training: bool,
) -> Result<(SplitArrays, Vec<SplitArrays>), FeatureError> {
    let (first, others) = find_splits(names, keys, labels);
    check_training_split(file, &first, &others, is_for_training)?;
    let all: Vec<&SplitArrays> = std::iter::once(&first).chain(&others).collect();
    logits::check_names(file, names, &all)?;
    Ok((first, others))
}

/// There is one training split, or none if none is needed.
fn check_training_split(
    file: &str,
    first: &SplitArrays,
    others: &[SplitArrays],
    is_needed: bool,
) -> Result<(), FeatureError> {
    if let Some(second) = others.iter().find(|other| other.split == first.split) {
        return Err(FeatureError::AmbiguousTrainingSplit {
            file: file.to_owned(),
            array: first.x1.clone(),
            other: second.x1.clone(),
        });
    }
    if is_needed && first.split != TRAIN {
        let mut found = vec![first.split.as_str()];
        found.extend(others.iter().map(|other| other.split.as_str()));
        return Err(FeatureError::MissingTrainingSplit { file: file.to_owned(), found: found.join(", ") });
    }
    Ok(())
}

fn read_split(source: &mut Source<'_>, arrays: &SplitArrays, keys: &Keys) -> Result<RawSplit, FeatureError> {
    let samples = read_samples(source, arrays, keys)?;
    let labels = source.labels(&arrays.label, keys.missing)?;
    check_rows(source, arrays, &samples.x1, (&arrays.label, labels.all.len()))?;
    if labels.missing() == labels.all.len() {
        let (file, array) = (source.file(), arrays.label.clone());
        return Err(FeatureError::NoLabels { file, array, rows: labels.all.len() });
    }
    let groups = match (&keys.groups, &arrays.group) {
        // Ids are distinct, and tell samples apart in all parts of a file.
        (GroupKey::Apart, _) => Some(Groups::of_values(samples.ids.iter())),
        (_, Some(array)) => {
            let groups = source.groups(array)?;
            check_rows(source, arrays, &samples.x1, (array, groups.rows()))?;
            Some(groups)
        }
        (_, None) => None,
    };
    Ok(RawSplit { samples, labels, groups })
}

impl RawSplit {
    /// The rows that have a label, where some have none.
    fn kept(&self) -> Option<Vec<usize>> {
        (self.labels.missing() > 0).then(|| self.labels.present().0)
    }
}

/// Rows that are read some at a time all have a label: who counts them must not find fewer.
pub(super) fn check_whole(source: &Source<'_>, arrays: &SplitArrays, labels: &Labels) -> Result<(), FeatureError> {
    let Some((row, _)) = labels.first_missing() else { return Ok(()) };
    let row = source.row_in_file(&arrays.label, row);
    let reason = format!(
        "`{}` is missing at row {row}, and rows are only left out of files that are read as a whole; remove such rows first",
        arrays.label
    );
    Err(FeatureError::NotByRows { file: source.file(), reason })
}

/// All of a split but its labels.
fn read_samples(source: &mut Source<'_>, arrays: &SplitArrays, keys: &Keys) -> Result<Unlabelled, FeatureError> {
    let x1 = source.matrix(&arrays.x1, MatrixRole::Modality)?;
    let x2 = source.matrix(&arrays.x2, MatrixRole::Modality)?;
    check_rows(source, arrays, &x1, (&arrays.x2, x2.rows()))?;
    let (ids, ids_name) = if keys.id.is_some() || source.names().contains(&arrays.id) {
        (source.ids(&arrays.id)?, &arrays.id)
    } else {
        let ids = source.metadata_ids(&arrays.metadata_ids)?;
        let ids = match ids {
            Some(ids) => ids,
            None => source.row_ids(&arrays.x1, x1.rows())?,
        };
        (ids, &arrays.metadata_ids)
    };
    check_rows(source, arrays, &x1, (ids_name, ids.len()))?;
    let mut logits = [None, None, None];
    for (place, array) in logits.iter_mut().zip(arrays.logits_in(source.names())) {
        if let Some(array) = array {
            let matrix = source.matrix(array, MatrixRole::Logits)?;
            check_rows(source, arrays, &x1, (array, matrix.rows()))?;
            *place = Some(matrix);
        }
    }
    Ok(Unlabelled { ids, x1, x2, logits })
}

/// An array has as many rows as the first modality.
fn check_rows(
    source: &Source<'_>,
    arrays: &SplitArrays,
    x1: &Matrix,
    (array, found): (&str, usize),
) -> Result<(), FeatureError> {
    if found == x1.rows() {
        return Ok(());
    }
    Err(FeatureError::RowCount {
        file: source.file(),
        array: array.to_owned(),
        found,
        reference: arrays.x1.clone(),
        expected: x1.rows(),
    })
}

/// A modality has the columns it has in the first split.
fn check_columns(
    file: &str,
    (reference, expected): (&str, &Matrix),
    (array, found): (&str, &Matrix),
) -> Result<(), FeatureError> {
    if found.columns() == expected.columns() {
        return Ok(());
    }
    Err(FeatureError::ColumnCount {
        file: file.to_owned(),
        array: array.to_owned(),
        found: found.columns(),
        reference: reference.to_owned(),
        expected: expected.columns(),
    })
}

/// The classes of the training split, which must have something to tell: rows that differ in both modalities, and
/// two classes.
fn training_classes(
    file: &str,
    arrays: &SplitArrays,
    training: &RawSplit,
    names: Option<&[String]>,
) -> Result<Classes, FeatureError> {
    for (array, matrix) in [(&arrays.x1, &training.samples.x1), (&arrays.x2, &training.samples.x2)] {
        if (1..matrix.rows()).all(|row| matrix.row(row) == matrix.row(0)) {
            return Err(FeatureError::ConstantModality {
                file: file.to_owned(),
                array: array.clone(),
                rows: matrix.rows(),
            });
        }
    }
    let classes = Classes::of_training(&training.labels.present().1, names);
    if let [only] = classes.names() {
        return Err(FeatureError::SingleClass {
            file: file.to_owned(),
            array: arrays.label.clone(),
            found: only.clone(),
        });
    }
    Ok(classes)
}

fn encode(
    source: &Source<'_>,
    arrays: &SplitArrays,
    raw: RawSplit,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<Split, FeatureError> {
    let features = encode_rows(source, arrays, raw, classes, names)?;
    Ok(Split { name: arrays.split.clone(), features })
}

/// Samples whose labels are indices of `classes`.
fn encode_rows(
    source: &Source<'_>,
    arrays: &SplitArrays,
    raw: RawSplit,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<FeatureSet, FeatureError> {
    let (rows, present) = raw.labels.present();
    let codes = encode_labels(source, arrays, (&rows, &present), classes, names)?;
    logits::check_columns(&source.file(), arrays, &raw.samples.logits, classes)?;
    let kept = raw.kept();
    let Unlabelled { ids, x1, x2, logits } = raw.samples;
    // Rows without a label have any, until they are left out.
    let mut labels = vec![0; x1.rows()];
    rows.iter().zip(codes).for_each(|(row, code)| labels[*row] = code);
    let all = FeatureSet { ids, x1, x2, labels, logits, groups: raw.groups };
    Ok(match kept {
        Some(kept) => all.select(&kept),
        None => all,
    })
}

/// The indices of the labels of some rows.
pub(super) fn encode_labels(
    source: &Source<'_>,
    arrays: &SplitArrays,
    (rows, labels): (&[usize], &[Label]),
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<Vec<u32>, FeatureError> {
    classes.encode(labels, names).map_err(|place| FeatureError::UnseenClass {
        file: source.file(),
        array: arrays.label.clone(),
        row: source.row_in_file(&arrays.label, rows[place]),
        label: labels[place].to_string(),
        known: listed(classes.names()),
    })
}

/// The first names, for a message.
pub(super) fn listed(names: &[String]) -> String {
    match names.split_at_checked(LISTED_CLASSES) {
        Some((listed, rest)) if !rest.is_empty() => {
            format!("{} and {} more", listed.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}
