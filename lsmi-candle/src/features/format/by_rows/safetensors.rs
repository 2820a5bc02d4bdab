//! `.safetensors` by rows: the header is read once, rows from their places.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;

use ::safetensors::tensor::{Metadata, TensorInfo};

use super::positioned::Positioned;
use super::{ByRows, NotOpened};
use crate::features::array::{Array, Corrupt, Kind, Outline, Values, element_count};
use crate::features::format::safetensors::{PREFIX, element, parse, texts};

/// A longer header is none: the `safetensors` crate itself stops here.
const LARGEST_HEADER: u64 = 100_000_000;

struct SafeTensorsByRows {
    file: Positioned,
    header: Metadata,
    texts: BTreeMap<String, Vec<String>>,
    /// Where the tensors begin.
    start: u64,
}

pub(super) fn open(file: File) -> Result<Box<dyn ByRows>, NotOpened> {
    let mut file = Positioned::new(file)?;
    let size = file.length();
    let cut_short = || Corrupt(format!("it ends within its header, after {size} bytes"));
    let mut prefix = [0; PREFIX];
    prefix.copy_from_slice(&file.read(0, PREFIX).map_err(|_| cut_short())?);
    let length = u64::from_le_bytes(prefix);
    let start = length.checked_add(PREFIX as u64).filter(|start| *start <= size).ok_or_else(cut_short)?;
    let length = usize::try_from(length.min(LARGEST_HEADER + 1)).map_err(|_| cut_short())?;
    if length as u64 > LARGEST_HEADER {
        return Err(Corrupt(format!("its header is longer than {LARGEST_HEADER} bytes")).into());
    }
    let header = parse(&file.read(PREFIX as u64, length)?, size - start)?;
    Ok(Box::new(SafeTensorsByRows { file, texts: texts(&header), header, start }))
}

impl SafeTensorsByRows {
    fn info(&self, name: &str) -> Result<TensorInfo, Corrupt> {
        let info = self.header.info(name).ok_or_else(|| Corrupt(format!("`{name}` is not in the header")))?;
        Ok(info.clone())
    }
}

impl ByRows for SafeTensorsByRows {
    fn names(&self) -> BTreeSet<String> {
        self.header.offset_keys().into_iter().chain(self.texts.keys().cloned()).collect()
    }

    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        if let Some(texts) = self.texts.get(name) {
            return Ok(Outline { shape: vec![texts.len()], kind: Kind::Strings });
        }
        let info = self.info(name)?;
        let kind = match element(info.dtype) {
            Some(element) => Kind::Numbers(element),
            None => Kind::Other(format!("elements of type {}", info.dtype).into()),
        };
        Ok(Outline { shape: info.shape, kind })
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        if let Some(texts) = self.texts.get(name) {
            let texts = texts.get(rows).ok_or_else(|| Corrupt(format!("`{name}` has fewer rows")))?;
            return Ok(Array { shape: vec![texts.len()], values: Values::Strings(texts.to_vec()) });
        }
        let info = self.info(name)?;
        let mut shape = info.shape.clone();
        let Some(element) = element(info.dtype) else {
            return Ok(Array { shape, values: Values::Other(format!("elements of type {}", info.dtype).into()) });
        };
        let row_bytes = element_count(shape.get(1..).unwrap_or_default())?.saturating_mul(element.size());
        if let Some(first) = shape.first_mut() {
            *first = rows.len();
        }
        let offset = (row_bytes as u64).checked_mul(rows.start as u64).and_then(|skipped| {
            let start = self.start.checked_add(info.data_offsets.0 as u64)?;
            start.checked_add(skipped)
        });
        let offset = offset.ok_or_else(|| Corrupt(format!("`{name}` reaches beyond the end")))?;
        let bytes = self.file.read(offset, row_bytes.saturating_mul(rows.len()));
        let bytes = bytes.map_err(|corrupt| corrupt.inside(name))?;
        Array::contiguous(shape, element, Cow::Owned(bytes)).map_err(|corrupt| corrupt.inside(name))
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        Some(self.header.metadata().as_ref()?.get(key)?.as_str())
    }
}
