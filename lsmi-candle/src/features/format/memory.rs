//! Arrays that a program holds, read as those of a file are: a block of rows at a time, with the same checks.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Container;
use crate::features::array::{Array, Corrupt, Element, Kind, Outline, Values, element_count};

/// An array in C order.
#[derive(Debug, Clone)]
pub(in crate::features) enum Held<'a> {
    /// The bytes of numbers, as the machine has them.
    Numbers { element: Element, shape: Vec<usize>, bytes: Cow<'a, [u8]> },
    /// Strings, of which some may be missing.
    Strings { shape: Vec<usize>, strings: Vec<Option<String>> },
}

/// Named arrays and metadata.
#[derive(Debug, Clone, Default)]
pub(in crate::features) struct Memory<'a> {
    pub(in crate::features) arrays: BTreeMap<String, Held<'a>>,
    pub(in crate::features) metadata: BTreeMap<String, String>,
}

impl Memory<'_> {
    fn array(&self, name: &str) -> Result<&Held<'_>, Corrupt> {
        self.arrays.get(name).ok_or_else(|| Corrupt(format!("there is no `{name}`")))
    }
}

impl Container for Memory<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.arrays.keys().cloned().collect()
    }

    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        Ok(match self.array(name)? {
            Held::Numbers { element, shape, .. } => Outline { shape: shape.clone(), kind: Kind::Numbers(*element) },
            Held::Strings { shape, .. } => Outline { shape: shape.clone(), kind: Kind::Strings },
        })
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let too_few = || Corrupt(format!("`{name}` has fewer than {} rows", rows.end));
        match self.array(name)? {
            Held::Numbers { element, shape, bytes } => {
                let row_bytes = element_count(shape.get(1..).unwrap_or_default())?.saturating_mul(element.size());
                let bytes = bytes.get(window(&rows, row_bytes)).ok_or_else(too_few)?;
                Array::contiguous(with_rows(shape, rows.len()), *element, Cow::Owned(bytes.to_vec()))
            }
            Held::Strings { shape, strings } => {
                let row_length = element_count(shape.get(1..).unwrap_or_default())?;
                let texts = strings.get(window(&rows, row_length)).ok_or_else(too_few)?;
                let missing: Vec<usize> = (0..texts.len()).filter(|row| texts[*row].is_none()).collect();
                let values = Values::Strings(texts.iter().map(|text| text.clone().unwrap_or_default()).collect());
                let shape = with_rows(shape, rows.len());
                Ok(match missing.as_slice() {
                    [] => Array { shape, values },
                    _ => Array { shape, values: Values::WithGaps(Box::new(values), missing) },
                })
            }
        }
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }
}

/// Returns the places of the elements of rows that have `length` each.
fn window(rows: &Range<usize>, length: usize) -> Range<usize> {
    rows.start.saturating_mul(length)..rows.end.saturating_mul(length)
}

/// Returns a shape with another number of rows.
fn with_rows(shape: &[usize], rows: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(first) = shape.first_mut() {
        *first = rows;
    }
    shape
}
