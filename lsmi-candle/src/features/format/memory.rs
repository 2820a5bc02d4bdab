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
    Strings(Vec<Option<String>>),
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
            Held::Strings(texts) => Outline { shape: vec![texts.len()], kind: Kind::Strings },
        })
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let too_few = || Corrupt(format!("`{name}` has fewer than {} rows", rows.end));
        match self.array(name)? {
            Held::Numbers { element, shape, bytes } => {
                let row_bytes = element_count(shape.get(1..).unwrap_or_default())?.saturating_mul(element.size());
                let window = rows.start.saturating_mul(row_bytes)..rows.end.saturating_mul(row_bytes);
                let bytes = bytes.get(window).ok_or_else(too_few)?;
                let mut shape = shape.clone();
                if let Some(first) = shape.first_mut() {
                    *first = rows.len();
                }
                Array::contiguous(shape, *element, Cow::Owned(bytes.to_vec()))
            }
            Held::Strings(texts) => {
                let texts = texts.get(rows.clone()).ok_or_else(too_few)?;
                let missing: Vec<usize> = (0..texts.len()).filter(|row| texts[*row].is_none()).collect();
                let values = Values::Strings(texts.iter().map(|text| text.clone().unwrap_or_default()).collect());
                let shape = vec![texts.len()];
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
