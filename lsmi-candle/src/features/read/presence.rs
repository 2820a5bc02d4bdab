//! Rows that lack a modality: how they are recognised while it is read, and which rows of a split have what.
//!
//! A row lacks a modality where a table has nothing in its place, where all its values are NaN, or where an array such as
//! `present1` says so; then its values are not looked at. A row with some values and some missing ones is an error, as is
//! one that lacks both modalities.

use std::sync::{Mutex, PoisonError};

use super::roles::IdentifierRole;
use super::source::Source;
use super::splits::CheckedSplit;
use crate::features::error::FeatureError;
use crate::features::groups::Groups;
use crate::features::keys::splits::SplitArrays;
use crate::features::labels::classes::Label;
use crate::features::set::partial::{OneModality, PartialRows};
use crate::features::set::{FeatureSet, Inputs, Unlabelled};
use crate::numbers::matrix::Matrix;

/// The rows of a modality that lack it, as they are found by the threads that read it.
pub(super) struct Lacking {
    /// Whether each row is said to lack the modality, where that is said.
    declared: Option<Vec<bool>>,
    /// The rows without a value.
    found: Mutex<Vec<usize>>,
}

/// Which rows of a split have x1 and which x2. Every row has one of them.
pub(super) struct Presence([Vec<bool>; 2]);

impl Lacking {
    /// Returns whether the row is said to lack the modality.
    pub(super) fn is_declared(&self, row: usize) -> bool {
        self.declared.as_ref().is_some_and(|declared| declared[row])
    }

    /// Returns whether a row of these values, which are not all finite, lacks the modality.
    pub(super) fn takes(&self, row: usize, values: &[f64]) -> bool {
        if self.is_declared(row) {
            return true;
        }
        let is_lacking = values.iter().all(|value| value.is_nan());
        if is_lacking {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        }
        is_lacking
    }
}

impl Presence {
    /// Returns the rows that have both modalities.
    pub(super) fn complete(&self) -> Vec<usize> {
        let [has_x1, has_x2] = &self.0;
        (0..has_x1.len()).filter(|row| has_x1[*row] && has_x2[*row]).collect()
    }

    /// Returns the presence of the given rows, in the given order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self(self.0.each_ref().map(|has| rows.iter().map(|row| has[*row]).collect()))
    }

    /// Divides labelled rows into those that have both modalities and the others.
    pub(super) fn divide(&self, all: &FeatureSet) -> (FeatureSet, PartialRows) {
        let only = [0, 1].map(|modality| self.only(modality, all.inputs(), &all.labels, all.groups.as_ref()));
        (all.select(&self.complete()), PartialRows { only, rows: all.rows() })
    }

    /// Divides rows without labels into those that have both modalities and the others.
    pub(super) fn divide_unlabelled(&self, all: &Unlabelled) -> (Unlabelled, PartialRows) {
        let only = [0, 1].map(|modality| self.only(modality, all.inputs(), &[], None));
        (all.select(&self.complete()), PartialRows { only, rows: all.rows() })
    }

    /// Selects the rows that have one modality alone; there are labels of all rows, or none.
    fn only(&self, modality: usize, all: Inputs<'_>, labels: &[u32], groups: Option<&Groups>) -> OneModality {
        let rows = self.rows_of_one(modality);
        OneModality {
            ids: all.ids.select(&rows),
            x: [all.x1, all.x2][modality].select(&rows),
            labels: rows.iter().filter_map(|row| labels.get(*row)).copied().collect(),
            groups: groups.map(|groups| groups.select(&rows)),
            metadata: Vec::new(),
            places: rows,
        }
    }

    /// Returns the rows that have this modality, 0 or 1, and lack the other.
    fn rows_of_one(&self, modality: usize) -> Vec<usize> {
        let other = &self.0[1 - modality];
        (0..other.len()).filter(|row| !other[*row]).collect()
    }
}

/// Checks that no row is said to lack a modality, where such rows are not used.
pub(super) fn refuse_declared(source: &mut Source<'_>, arrays: &SplitArrays) -> Result<(), FeatureError> {
    for present in arrays.present_in(source.names()).map(Option::<&String>::cloned).into_iter().flatten() {
        if let Some(row) = source.lacking_rows(&present)?.iter().position(|lacks| *lacks) {
            let (file, row) = (source.file(), source.row_in_file(&present, row));
            return Err(FeatureError::MissingModality { file, array: present, row });
        }
    }
    Ok(())
}

impl Source<'_> {
    /// Reads both modalities of a split, of which rows may lack one. The values of these are NaN, or any. Returns no presence
    /// if every row has both.
    pub(super) fn modalities(&mut self, split: &CheckedSplit) -> Result<([Matrix; 2], Option<Presence>), FeatureError> {
        let arrays = &split.arrays;
        let present = arrays.present_in(self.names()).map(Option::<&String>::cloned);
        let mut read = |modality: usize| {
            let name = [&arrays.x1, &arrays.x2][modality];
            let present = present[modality].as_deref();
            self.modality_with_gaps(name, split, modality, present)
        };
        let ((x1, has_x1), (x2, has_x2)) = (read(0)?, read(1)?);
        if let Some(row) = (0..has_x1.len()).find(|row| !has_x1[*row] && !has_x2[*row]) {
            let (file, row) = (self.file(), self.row_in_file(&arrays.x1, row));
            return Err(FeatureError::NoModality { file, arrays: [arrays.x1.clone(), arrays.x2.clone()], row });
        }
        let first_lacking = (0..has_x1.len()).find(|row| !has_x1[*row] || !has_x2[*row]);
        if let Some(row) = first_lacking
            && let Some(array) = arrays.logits_in(self.names()).into_iter().flatten().next()
        {
            let (file, array, row) = (self.file(), array.to_owned(), self.row_in_file(&arrays.x1, row));
            return Err(FeatureError::LogitsOfPartial { file, array, row });
        }
        Ok(([x1, x2], first_lacking.map(|_| Presence([has_x1, has_x2]))))
    }

    /// Reads a modality, and which rows have it.
    fn modality_with_gaps(
        &mut self,
        name: &str,
        split: &CheckedSplit,
        modality: usize,
        present: Option<&str>,
    ) -> Result<(Matrix, Vec<bool>), FeatureError> {
        let declared = present.map(|present| self.lacking_rows(present)).transpose()?;
        let lacking = Lacking { declared, found: Mutex::default() };
        let x = self.modality(name, split.steps[modality].as_ref(), Some(&lacking))?;
        let Lacking { declared, found } = lacking;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable();
        if let (Some(present), Some(row)) = (present, found.first()) {
            let (file, row) = (self.file(), self.row_in_file(name, *row));
            return Err(FeatureError::NotPresent { file, array: name.to_owned(), present: present.to_owned(), row });
        }
        let mut has: Vec<bool> = match declared {
            Some(lacks) => lacks.iter().map(|lacks| !lacks).collect(),
            None => vec![true; x.rows()],
        };
        for row in found {
            has[row] = false;
        }
        Ok((x, has))
    }

    /// Reads whether an array says of each row that it lacks a modality: 0 and not 1.
    fn lacking_rows(&mut self, name: &str) -> Result<Vec<bool>, FeatureError> {
        let values = self.identifier_values(name, IdentifierRole::Presence)?;
        let lacks = |(row, value): (usize, &Label)| {
            let found = value.to_string();
            match found.trim().to_lowercase().as_str() {
                "0" | "false" => Ok(true),
                "1" | "true" => Ok(false),
                _ => {
                    let (file, array, row) = (self.file(), name.to_owned(), self.row_in_file(name, row));
                    Err(FeatureError::PresentValue { file, array, row, found })
                }
            }
        };
        values.iter().enumerate().map(lacks).collect()
    }
}
