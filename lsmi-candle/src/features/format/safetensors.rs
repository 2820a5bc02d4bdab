//! `.safetensors`: eight bytes of header length, a JSON header, the tensors.
//!
//! The header is read once; it is parsed and checked by the `safetensors` crate. Its length is compared with the file here,
//! with the two sizes in the message: a file cut short is the commonest fault. Rows are read from their places.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ::safetensors::Dtype;
use ::safetensors::tensor::{Metadata, TensorInfo};

use super::input::{Input, Positioned};
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Element, Kind, Outline, Values, element_count};

/// The length of the header's length.
const PREFIX: usize = size_of::<u64>();

/// The longest header that the `safetensors` crate reads.
pub(crate) const LARGEST_HEADER: u64 = 100_000_000;

struct SafeTensors {
    file: Positioned,
    header: Metadata,
    texts: BTreeMap<String, Vec<String>>,
    /// The place of the first tensor.
    start: u64,
}

pub(super) fn open(input: &Input) -> Opened {
    let mut file = Positioned::open(input)?;
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
    Ok(Box::new(SafeTensors { file, texts: texts(&header), header, start }))
}

impl SafeTensors {
    fn info(&self, name: &str) -> Result<TensorInfo, Corrupt> {
        let info = self.header.info(name).ok_or_else(|| Corrupt(format!("`{name}` is not in the header")))?;
        Ok(info.clone())
    }
}

impl Container for SafeTensors {
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

/// Finds arrays of strings, which the format itself does not have: keys of the metadata that hold a JSON list of strings, and that are not
/// called like a tensor. The keys `classes`, `ids`, `ids_train` and so on name classes and ids.
fn texts(header: &Metadata) -> BTreeMap<String, Vec<String>> {
    let tensors: BTreeSet<String> = header.offset_keys().into_iter().collect();
    let is_array =
        |key: &String| key != "classes" && key != "ids" && !key.starts_with("ids_") && !tensors.contains(key);
    let all = header.metadata().iter().flatten().filter(|(key, text)| text.starts_with('[') && is_array(key));
    all.filter_map(|(key, text)| Some((key.clone(), serde_json::from_str(text).ok()?))).collect()
}

/// Parses the header, after which this number of bytes follows.
fn parse(header: &[u8], following: u64) -> Result<Metadata, Corrupt> {
    let header: Metadata =
        serde_json::from_slice(header).map_err(|error| Corrupt(format!("its header is invalid: {error}")))?;
    if header.data_len() as u64 != following {
        return Err(Corrupt(format!(
            "its header announces {} bytes of tensors, but {following} follow",
            header.data_len()
        )));
    }
    Ok(header)
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::U16 => Element::U16,
        Dtype::U32 => Element::U32,
        Dtype::U64 => Element::U64,
        Dtype::I8 => Element::I8,
        Dtype::I16 => Element::I16,
        Dtype::I32 => Element::I32,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        _ => return None,
    })
}
