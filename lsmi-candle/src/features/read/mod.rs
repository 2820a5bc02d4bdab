//! Reading: from an opened file to checked samples, whose labels are class indices.

pub(in crate::features) mod checks;
mod fill;
pub(crate) mod model_logits;
mod presence;
pub(in crate::features) mod roles;
pub(crate) mod rows;
mod sequences;
pub(in crate::features) mod several_labels;
pub(in crate::features) mod source;
pub(crate) mod splits;
pub(in crate::features) mod step_samples;
pub(in crate::features) mod targets;

use std::path::Path;

use bytes::Bytes;

use self::checks::check_varies;
use self::presence::{Presence, refuse_declared};
use self::roles::MatrixRole;
use self::source::Source;
use self::splits::{CheckedSplit, Splits};
use super::columns::metadata::MetadataColumn;
use super::data::Data;
use super::error::{FeatureError, corrupted, listed};
use super::format::{Format, Input};
use super::groups::Groups;
use super::keys::splits::{LabelUse, SplitArrays};
use super::keys::{GroupKey, Keys, MissingModality};
use super::labels::classes::{Classes, Label};
use super::labels::{Labels, case_note};
use super::logits;
use super::set::file::{FeatureFile, Split, UnlabelledFile};
use super::set::partial::PartialRows;
use super::set::{FeatureSet, Unlabelled};
use super::several::unused_modalities;
use crate::numbers::matrix::Matrix;

/// A split whose labels are still as the file has them.
struct RawSplit {
    samples: Unlabelled,
    /// Which of them have which modality, where some lack one: their values mean nothing.
    presence: Option<Presence>,
    /// Those that are missing belong to rows to be left out.
    labels: Labels,
    groups: Option<Groups>,
}

impl Data {
    /// Reads the samples for training; see [`read`](super::read).
    ///
    /// # Errors
    /// As there.
    pub fn read(&self, keys: &Keys) -> Result<FeatureFile, FeatureError> {
        self.read_labelled(keys, None)
    }

    /// Reads samples to be evaluated; see [`read_with_classes`](super::read_with_classes).
    ///
    /// # Errors
    /// As there.
    pub fn read_with_classes(&self, keys: &Keys, classes: &Classes) -> Result<FeatureFile, FeatureError> {
        self.read_labelled(keys, Some(classes))
    }

    fn read_labelled(&self, keys: &Keys, known: Option<&Classes>) -> Result<FeatureFile, FeatureError> {
        let (name, (format, mut container)) = (self.to_string(), self.open()?);
        load_two(self.path(), Source::new(&name, format, container.as_mut()), &self.keys(keys), known)
    }

    /// Reads samples without their labels; see [`read_unlabelled`](super::read_unlabelled).
    ///
    /// # Errors
    /// As there.
    pub fn read_unlabelled(&self, keys: &Keys, classes: &Classes) -> Result<UnlabelledFile, FeatureError> {
        let (name, (format, mut container)) = (self.to_string(), self.open()?);
        load_unlabelled(self.path(), Source::new(&name, format, container.as_mut()), keys, classes)
    }
}

/// Reads a feature file for training from memory; `name` stands for it in messages.
///
/// # Errors
/// [`FeatureError`] as for [`read`](super::read).
pub fn read_bytes(name: &str, bytes: &[u8], format: Format, keys: &Keys) -> Result<FeatureFile, FeatureError> {
    let opened = format.open(&Input::Memory(Bytes::copy_from_slice(bytes)));
    let mut container = opened.map_err(|refusal| corrupted(name, format, refusal.into()))?;
    load_two(Path::new(name), Source::new(name, format, container.as_mut()), keys, None)
}

/// Does the same as [`load`], and notes the modalities that were not read.
fn load_two(
    path: &Path,
    source: Source<'_>,
    keys: &Keys,
    known: Option<&Classes>,
) -> Result<FeatureFile, FeatureError> {
    let unused = unused_modalities(source.names(), keys);
    let mut file = load(path, source, keys, known)?;
    file.notes.extend(unused);
    Ok(file)
}

/// Loads all splits of a file, its labels numbered by `known` classes or by those of its training split.
pub(super) fn load(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    known: Option<&Classes>,
) -> Result<FeatureFile, FeatureError> {
    let file = source.file();
    let found = Splits::find(&mut source, keys, LabelUse::Needed, known.is_none())?;
    let names = found.class_names.as_deref();
    let mut notes = source.notes();
    notes.extend(found.note_on_pooling(keys));
    let (mut splits, mut kept, mut classes): (Vec<Split>, _, _) = (Vec::new(), Vec::new(), known.cloned());
    let mut partial = Vec::new();
    for split in &found.all {
        let raw = read_split(&mut source, split, keys)?;
        let classes = match &classes {
            Some(classes) => classes,
            None => classes.insert(training_classes(&file, &split.arrays, &raw, names)?),
        };
        if known.is_some() && splits.is_empty() {
            logits::check_order(&file, &split.arrays, &raw.samples.logits, classes, names)?;
        }
        notes.extend(raw.labels.notes(&split.arrays.label));
        kept.push(raw.kept());
        let name = split.size.name.clone();
        let (features, partial_rows) = encode(&source, &split.arrays, raw, classes, names)?;
        check_complete(&file, &name, features.rows())?;
        splits.push(Split { name: name.clone(), features });
        partial.extend(partial_rows.map(|features| Split { name, features }));
    }
    // There is at least one split.
    let classes = classes.unwrap_or_else(Classes::none);
    if names.is_some() {
        notes.extend(case_note("classes", classes.names().iter().map(String::as_str)));
    }
    let mut metadata = metadata(&mut source, &found)?;
    for (columns, kept) in metadata.iter_mut().zip(kept) {
        let Some(kept) = kept else { continue };
        for column in &mut columns.features {
            column.values = column.values.select(&kept);
        }
    }
    divide_metadata(&mut metadata, &mut partial);
    Ok(FeatureFile { splits, partial, metadata, classes, notes, path: path.to_owned() })
}

/// Checks that a split has a row with both modalities.
fn check_complete(file: &str, split: &str, complete: usize) -> Result<(), FeatureError> {
    if complete > 0 {
        return Ok(());
    }
    Err(FeatureError::NoCompleteRows { file: file.to_owned(), split: split.to_owned() })
}

/// Gives the columns carried along to the complete rows of each split and to those that lack a modality.
fn divide_metadata(metadata: &mut [Split<Vec<MetadataColumn>>], partial: &mut [Split<PartialRows>]) {
    for Split { name, features: columns } in metadata {
        if let Some(partial) = partial.iter_mut().find(|partial| partial.name == *name) {
            *columns = partial.features.take_metadata(columns);
        }
    }
}

/// Loads all splits of a file without their labels; its logits are those of `classes`.
pub(super) fn load_unlabelled(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    classes: &Classes,
) -> Result<UnlabelledFile, FeatureError> {
    let found = Splits::find(&mut source, keys, LabelUse::Ignored, false)?;
    let (mut splits, mut partial): (Vec<Split<Unlabelled>>, _) = (Vec::new(), Vec::new());
    for split in &found.all {
        let name = split.size.name.clone();
        let (features, partial_rows) = load_unlabelled_rows(&mut source, split, classes, found.class_names.as_deref())?;
        check_complete(&source.file(), &name, features.rows())?;
        splits.push(Split { name: name.clone(), features });
        partial.extend(partial_rows.map(|features| Split { name, features }));
    }
    let mut metadata = metadata(&mut source, &found)?;
    divide_metadata(&mut metadata, &mut partial);
    Ok(UnlabelledFile { splits, partial, metadata, path: path.to_owned() })
}

/// Reads the columns of a table that are carried along, for every split.
fn metadata(source: &mut Source<'_>, found: &Splits) -> Result<Vec<Split<Vec<MetadataColumn>>>, FeatureError> {
    let splits = found.arrays();
    let columns = source.metadata_columns(&splits);
    let values = |split: &SplitArrays| {
        Ok(Split { name: split.split.clone(), features: source.metadata_values(split, &columns)? })
    };
    if columns.is_empty() { Ok(Vec::new()) } else { splits.into_iter().map(values).collect() }
}

/// Loads the samples of a window of rows, their labels indices of `classes`.
fn load_rows(
    source: &mut Source<'_>,
    split: &CheckedSplit,
    keys: &Keys,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<(FeatureSet, Option<PartialRows>), FeatureError> {
    let raw = read_split(source, split, keys)?;
    check_whole(source, &split.arrays, &raw.labels)?;
    logits::check_order(&source.file(), &split.arrays, &raw.samples.logits, classes, names)?;
    encode(source, &split.arrays, raw, classes, names)
}

/// Loads samples without their labels.
fn load_unlabelled_rows(
    source: &mut Source<'_>,
    split: &CheckedSplit,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<(Unlabelled, Option<PartialRows>), FeatureError> {
    let file = source.file();
    let (samples, presence) = read_rows(source, split)?;
    logits::check_order(&file, &split.arrays, &samples.logits, classes, names)?;
    logits::check_columns(&file, &split.arrays, &samples.logits, classes)?;
    Ok(match presence {
        None => (samples, None),
        Some(presence) => {
            let (complete, partial) = presence.divide_unlabelled(&samples);
            (complete, Some(partial))
        }
    })
}

fn read_split(source: &mut Source<'_>, split: &CheckedSplit, keys: &Keys) -> Result<RawSplit, FeatureError> {
    let (samples, presence) = read_rows(source, split)?;
    let labels = source.labels(&split.arrays.label, keys.missing)?;
    if labels.missing() == labels.all.len() {
        let (file, array) = (source.file(), split.arrays.label.clone());
        return Err(FeatureError::NoLabels { file, array, rows: labels.all.len() });
    }
    let groups = read_groups(source, split, keys, &samples)?;
    Ok(RawSplit { samples, presence, labels, groups })
}

/// Reads which samples belong together, where that is known.
fn read_groups(
    source: &mut Source<'_>,
    split: &CheckedSplit,
    keys: &Keys,
    samples: &Unlabelled,
) -> Result<Option<Groups>, FeatureError> {
    Ok(match (&keys.groups, &split.arrays.group) {
        // Ids are distinct, and tell samples apart in all parts of a file.
        (GroupKey::Apart, _) => Some(Groups::of_values(samples.ids.iter())),
        (_, Some(array)) => Some(source.groups(array)?),
        (_, None) => None,
    })
}

impl RawSplit {
    /// Returns the rows that have a label, if some have none.
    fn kept(&self) -> Option<Vec<usize>> {
        (self.labels.missing() > 0).then(|| self.labels.present().0)
    }
}

/// Checks that all rows of a window have a label: who counts them must not find fewer.
fn check_whole(source: &Source<'_>, arrays: &SplitArrays, labels: &Labels) -> Result<(), FeatureError> {
    let Some((row, _)) = labels.first_missing() else { return Ok(()) };
    let row = source.row_in_file(&arrays.label, row);
    let reason = format!(
        "`{}` is missing at row {row}, and rows are only left out of files that are read as a whole; remove such rows first",
        arrays.label
    );
    Err(FeatureError::NotByRows { file: source.file(), reason })
}

/// Reads a split without its labels, of which rows may lack a modality if the keys say so.
fn read_rows(source: &mut Source<'_>, split: &CheckedSplit) -> Result<(Unlabelled, Option<Presence>), FeatureError> {
    if split.missing_modality == MissingModality::Refuse {
        return Ok((read_samples(source, split)?, None));
    }
    let (modalities, presence) = source.modalities(split)?;
    Ok((with_ids_and_logits(source, split, modalities)?, presence))
}

/// Reads a split without its labels, of which all rows have both modalities.
fn read_samples(source: &mut Source<'_>, split: &CheckedSplit) -> Result<Unlabelled, FeatureError> {
    let arrays = &split.arrays;
    refuse_declared(source, arrays)?;
    let [steps1, steps2] = split.steps.each_ref().map(Option::as_ref);
    let x1 = source.modality(&arrays.x1, steps1, None)?;
    let x2 = source.modality(&arrays.x2, steps2, None)?;
    with_ids_and_logits(source, split, [x1, x2])
}

/// Reads what a split has beside its modalities, without its labels.
fn with_ids_and_logits(
    source: &mut Source<'_>,
    split: &CheckedSplit,
    [x1, x2]: [Matrix; 2],
) -> Result<Unlabelled, FeatureError> {
    let arrays = &split.arrays;
    let ids = match &split.metadata_ids {
        _ if split.has_ids => source.ids(&arrays.id)?,
        Some(ids) => source.listed_ids(&arrays.metadata_ids, ids)?,
        None => source.row_ids(&arrays.x1, x1.rows())?,
    };
    let mut logits = [None, None, None];
    let names = arrays.logits_in(source.names()).map(|name| name.map(str::to_owned));
    for (place, array) in logits.iter_mut().zip(names) {
        *place = array.map(|array| source.matrix(&array, MatrixRole::Logits)).transpose()?;
    }
    Ok(Unlabelled { ids, x1, x2, logits })
}

/// Finds the classes of the training split, which needs rows that differ in both modalities, and two classes.
fn training_classes(
    file: &str,
    arrays: &SplitArrays,
    training: &RawSplit,
    names: Option<&[String]>,
) -> Result<Classes, FeatureError> {
    match &training.presence {
        None => check_varied(file, arrays, &training.samples)?,
        Some(presence) => {
            let complete = presence.complete();
            check_complete(file, &arrays.split, complete.len())?;
            check_varied(file, arrays, &training.samples.select(&complete))?;
        }
    }
    several_classes(file, arrays, &training.labels.present().1, names)
}

/// Finds the classes of training labels, which must be two or more.
fn several_classes(
    file: &str,
    arrays: &SplitArrays,
    labels: &[Label],
    names: Option<&[String]>,
) -> Result<Classes, FeatureError> {
    let classes = Classes::of_training(labels, names);
    if let [only] = classes.names() {
        return Err(FeatureError::SingleClass {
            file: file.to_owned(),
            array: arrays.label.clone(),
            found: only.clone(),
        });
    }
    Ok(classes)
}

/// Checks that the rows of both modalities differ.
fn check_varied(file: &str, arrays: &SplitArrays, samples: &Unlabelled) -> Result<(), FeatureError> {
    for (array, matrix) in [(&arrays.x1, &samples.x1), (&arrays.x2, &samples.x2)] {
        check_varies(file, array, matrix)?;
    }
    Ok(())
}

/// Turns labels into indices of `classes`, and divides the rows into complete ones and others.
fn encode(
    source: &Source<'_>,
    arrays: &SplitArrays,
    raw: RawSplit,
    classes: &Classes,
    names: Option<&[String]>,
) -> Result<(FeatureSet, Option<PartialRows>), FeatureError> {
    let (rows, present) = raw.labels.present();
    let codes = encode_labels(source, arrays, (&rows, &present), classes, names)?;
    logits::check_columns(&source.file(), arrays, &raw.samples.logits, classes)?;
    let kept = raw.kept();
    let Unlabelled { ids, x1, x2, logits } = raw.samples;
    // Rows without a label have any, until they are left out.
    let mut labels = vec![0; x1.rows()];
    rows.iter().zip(codes).for_each(|(row, code)| labels[*row] = code);
    let all = FeatureSet { ids, x1, x2, labels, logits, groups: raw.groups };
    let (all, presence) = match kept {
        Some(kept) => (all.select(&kept), raw.presence.map(|presence| presence.select(&kept))),
        None => (all, raw.presence),
    };
    Ok(match presence {
        None => (all, None),
        Some(presence) => {
            let (complete, partial) = presence.divide(&all);
            // The rows that lack a modality may be those without a label.
            (complete, Some(partial).filter(|partial| partial.count() > 0))
        }
    })
}

/// Finds the class indices of the labels of some rows.
fn encode_labels(
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
