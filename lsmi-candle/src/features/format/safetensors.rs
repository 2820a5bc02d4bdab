//! `.safetensors`: eight bytes of header length, a JSON header, the tensors.
//!
//! The header is parsed and checked by the `safetensors` crate. Its length is compared with the file here, with the
//! two sizes in the message: a file cut short is the commonest fault.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ::safetensors::Dtype;
use ::safetensors::tensor::Metadata;

use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Element, Values};

/// The length of the header's length.
pub(super) const PREFIX: usize = size_of::<u64>();

struct SafeTensorsFile<'a> {
    header: Metadata,
    texts: BTreeMap<String, Vec<String>>,
    data: &'a [u8],
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    let cut_short = || Corrupt(format!("it ends within its header, after {} bytes", bytes.len()));
    let (length, rest) = bytes.split_first_chunk::<PREFIX>().ok_or_else(cut_short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut_short())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut_short)?;
    let header = parse(header, data.len() as u64)?;
    Ok(Box::new(SafeTensorsFile { texts: texts(&header), header, data }))
}

/// Arrays of strings, which the format has not: keys of the metadata that hold a JSON list of strings, and that are not
/// called like a tensor. What names classes or ids (`classes`, `ids`, `ids_train`, ...) is read as such.
pub(super) fn texts(header: &Metadata) -> BTreeMap<String, Vec<String>> {
    let tensors: BTreeSet<String> = header.offset_keys().into_iter().collect();
    let is_array =
        |key: &String| key != "classes" && key != "ids" && !key.starts_with("ids_") && !tensors.contains(key);
    let all = header.metadata().iter().flatten().filter(|(key, text)| text.starts_with('[') && is_array(key));
    all.filter_map(|(key, text)| Some((key.clone(), serde_json::from_str(text).ok()?))).collect()
}

/// The header, after which so many bytes follow.
pub(super) fn parse(header: &[u8], following: u64) -> Result<Metadata, Corrupt> {
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

impl Container for SafeTensorsFile<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.header.offset_keys().into_iter().chain(self.texts.keys().cloned()).collect()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        if let Some(texts) = self.texts.get(name) {
            return Ok(Array { shape: vec![texts.len()], values: Values::Strings(texts.clone()) });
        }
        let info = self.header.info(name).ok_or_else(|| Corrupt(format!("`{name}` is not in the header")))?;
        let (start, end) = info.data_offsets;
        let bytes = self.data.get(start..end).ok_or_else(|| Corrupt(format!("`{name}` reaches beyond the end")))?;
        let shape = info.shape.clone();
        match element(info.dtype) {
            Some(element) => {
                Array::contiguous(shape, element, Cow::Borrowed(bytes)).map_err(|corrupt| corrupt.inside(name))
            }
            None => Ok(Array { shape, values: Values::Other(format!("elements of type {}", info.dtype).into()) }),
        }
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        Some(self.header.metadata().as_ref()?.get(key)?.as_str())
    }
}

pub(super) fn element(dtype: Dtype) -> Option<Element> {
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
