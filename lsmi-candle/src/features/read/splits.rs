//! The splits of an opened file: which arrays make them, and that the arrays fit together, before any values are read.

use std::collections::BTreeSet;
use std::ops::Range;

use super::roles::{IdentifierRole, MatrixRole};
use super::sequences::{StepUse, Steps};
use super::source::Source;
use crate::features::array::Kind;
use crate::features::error::{FeatureError, SequenceError};
use crate::features::keys::splits::{LabelUse, SplitArrays, find_splits};
use crate::features::keys::{Keys, MissingModality};
use crate::features::labels::missing::Missing;
use crate::features::logits;

/// The name of the training split.
const TRAIN: &str = "train";

/// The size of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSplit {
    /// `train`, `val`, `test`, or whatever suffix the file uses; a file without splits has only `train`.
    pub name: String,
    /// The number of its rows.
    pub rows: usize,
    /// Columns of x1 and x2.
    pub dims: [usize; 2],
    /// Numbers in a row: features and logits.
    pub numbers: usize,
}

/// A split whose arrays fit together.
pub(super) struct CheckedSplit {
    pub(super) arrays: SplitArrays,
    pub(super) size: RowSplit,
    /// The steps of x1 and x2, where these are sequences.
    pub(super) steps: [Option<Steps>; 2],
    /// Whether its ids are an array.
    pub(super) has_ids: bool,
    /// The ids in the metadata, if they are there instead.
    pub(super) metadata_ids: Option<Vec<String>>,
    /// What becomes of rows that lack a modality.
    pub(super) missing_modality: MissingModality,
}

/// The splits of a file, at least one, and the names it gives to its labels.
pub(super) struct Splits {
    pub(super) all: Vec<CheckedSplit>,
    pub(super) class_names: Option<Vec<String>>,
}

impl Splits {
    /// Finds the splits of a file and checks element types and shapes of their arrays.
    ///
    /// # Errors
    /// [`FeatureError`] if an array is missing or cannot serve, or arrays do not have the rows or columns of others.
    pub(super) fn find(
        source: &mut Source<'_>,
        keys: &Keys,
        labels: LabelUse,
        is_for_training: bool,
    ) -> Result<Self, FeatureError> {
        let (first, others) = splits_of(&source.file(), source.names(), keys, labels, is_for_training)?;
        let class_names = source.class_names()?;
        let mut all: Vec<CheckedSplit> = Vec::new();
        for arrays in std::iter::once(first).chain(others) {
            let split = CheckedSplit::new(source, arrays, keys, labels)?;
            if let Some(reference) = all.first() {
                split.check_columns(&source.file(), reference)?;
                split.check_lengths(&source.file(), reference)?;
            }
            all.push(split);
        }
        Ok(Self { all, class_names })
    }

    /// Says that there is nothing to pool, where that was wanted.
    pub(super) fn note_on_pooling(&self, keys: &Keys) -> Option<String> {
        let first = self.all.first().filter(|_| self.all.iter().all(|split| split.steps == [None, None]))?;
        let (pooling, SplitArrays { x1, x2, .. }) = (keys.pool?, &first.arrays);
        Some(format!(
            "`{x1}` and `{x2}` are no sequences [rows, steps, columns], so that nothing was pooled ({pooling})"
        ))
    }

    /// Returns the arrays of every split.
    pub(super) fn arrays(&self) -> Vec<&SplitArrays> {
        self.all.iter().map(|split| &split.arrays).collect()
    }
}

impl CheckedSplit {
    fn new(source: &mut Source<'_>, arrays: SplitArrays, keys: &Keys, labels: LabelUse) -> Result<Self, FeatureError> {
        let used = keys.pool.map(StepUse::Pooled);
        let (rows, d1, steps1) = source.modality_shape(&arrays, 0, used)?;
        let (file, reference) = (source.file(), arrays.x1.clone());
        let check_rows = |array: &str, found: usize| {
            if found == rows {
                return Ok(());
            }
            let (file, array, reference) = (file.clone(), array.to_owned(), reference.clone());
            Err(FeatureError::RowCount { file, array, found, reference, expected: rows })
        };
        let (found, d2, steps2) = source.modality_shape(&arrays, 1, used)?;
        check_rows(&arrays.x2, found)?;
        let has_ids = keys.id.is_some() || source.names().contains(&arrays.id);
        let metadata_ids = if has_ids { None } else { source.metadata_list(&arrays.metadata_ids)? };
        if let Some(ids) = &metadata_ids {
            check_rows(&arrays.metadata_ids, ids.len())?;
        }
        let mut numbers = d1 + d2;
        for array in arrays.logits_in(source.names()).into_iter().flatten() {
            let (found, columns) = source.matrix_shape(array, MatrixRole::Logits)?;
            check_rows(array, found)?;
            numbers += columns;
        }
        let mut identifiers = Vec::new();
        if has_ids {
            identifiers.push((&arrays.id, IdentifierRole::Id));
        }
        identifiers.extend(
            arrays.present_in(source.names()).into_iter().flatten().map(|name| (name, IdentifierRole::Presence)),
        );
        if labels == LabelUse::Needed {
            identifiers.push((&arrays.label, IdentifierRole::Label));
        }
        if labels == LabelUse::Several {
            check_rows(&arrays.label, source.label_matrix_shape(&arrays.label)?.0)?;
        }
        if labels != LabelUse::Ignored {
            identifiers.extend(arrays.group.as_ref().map(|group| (group, IdentifierRole::Group)));
        }
        for (array, role) in identifiers {
            check_rows(array, source.identifiers(array, role)?.shape.iter().product())?;
        }
        let size = RowSplit { name: arrays.split.clone(), rows, dims: [d1, d2], numbers };
        let missing_modality = keys.missing_modality;
        Ok(Self { arrays, size, steps: [steps1, steps2], has_ids, metadata_ids, missing_modality })
    }

    /// Returns the split cut to some of its rows.
    pub(super) fn of_rows(&self, rows: &Range<usize>) -> Self {
        Self {
            arrays: self.arrays.clone(),
            size: RowSplit { rows: rows.len(), ..self.size.clone() },
            steps: self.steps.clone(),
            has_ids: self.has_ids,
            metadata_ids: self.metadata_ids.as_ref().map(|ids| ids[rows.clone()].to_vec()),
            missing_modality: self.missing_modality,
        }
    }

    /// Checks that the rows of all arrays can be read one after the other.
    ///
    /// Labels of floating point are refused at once, not in the middle of the rows.
    pub(super) fn check_by_rows(&self, source: &mut Source<'_>, labels: LabelUse) -> Result<(), FeatureError> {
        let arrays = &self.arrays;
        let logits = arrays.logits_in(source.names()).map(|name| name.map(str::to_owned));
        for array in [&arrays.x1, &arrays.x2].into_iter().chain(logits.iter().flatten()) {
            source.check_by_rows(array)?;
        }
        if labels == LabelUse::Needed {
            let outline = source.identifiers(&arrays.label, IdentifierRole::Label)?;
            if matches!(outline.kind, Kind::Numbers(element) if element.is_float()) {
                source.labels(&arrays.label, Missing::Refuse)?;
            }
        }
        Ok(())
    }

    /// Checks that sequences have lengths where they have them in the first split, and only there.
    fn check_lengths(&self, file: &str, first: &Self) -> Result<(), FeatureError> {
        for (modality, (own, other)) in self.steps.iter().zip(&first.steps).enumerate() {
            let (Some(own), Some(other)) = (own, other) else { continue };
            let (without, present) = match (&own.lengths, &other.lengths) {
                (None, Some(present)) => (&self.arrays, present),
                (Some(present), None) => (&first.arrays, present),
                _ => continue,
            };
            let (file, array, present) = (file.to_owned(), without.lengths[modality].clone(), present.clone());
            return Err(SequenceError::MissingLengths { file, array, present }.into());
        }
        Ok(())
    }

    /// Checks that modalities have the columns they have in the first split.
    fn check_columns(&self, file: &str, first: &Self) -> Result<(), FeatureError> {
        let arrays = [(&self.arrays.x1, &first.arrays.x1), (&self.arrays.x2, &first.arrays.x2)];
        for (modality, (array, reference)) in arrays.into_iter().enumerate() {
            let (found, expected) = (self.size.dims[modality], first.size.dims[modality]);
            if found != expected {
                let (file, array, reference) = (file.to_owned(), array.clone(), reference.clone());
                return Err(FeatureError::ColumnCount { file, array, found, reference, expected });
            }
        }
        Ok(())
    }
}

/// Finds the splits by the names of arrays: the first and the others.
pub(super) fn splits_of(
    file: &str,
    names: &BTreeSet<String>,
    keys: &Keys,
    labels: LabelUse,
    is_for_training: bool,
) -> Result<(SplitArrays, Vec<SplitArrays>), FeatureError> {
    let (first, others) = find_splits(names, keys, labels);
    check_training_split(file, &first, &others, is_for_training)?;
    let all: Vec<&SplitArrays> = std::iter::once(&first).chain(&others).collect();
    logits::check_names(file, names, &all)?;
    Ok((first, others))
}

/// Checks that there is one training split, or none if none is needed.
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
