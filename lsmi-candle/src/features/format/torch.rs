//! `.pt`, `.pth`: a zip archive of a pickled dictionary and one member of raw bytes for every tensor.
//!
//! Only what is asked for is read. An entry that is no tensor is still listed, so that asking for it says what it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use super::archive::Archive;
use super::by_rows::NotOpened;
use super::pickle::{Object, Pickle, Place};
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Element, Values};

/// The member that holds the dictionary, in the archive's one folder.
const DICTIONARY: &str = "data.pkl";

/// More text is in no list of labels: 1 GiB.
const MOST_TEXT: usize = 1 << 30;

struct TorchFile<R> {
    archive: Archive<R>,
    folder: String,
    big_endian: bool,
    pickle: Pickle,
    entries: BTreeMap<String, Entry>,
}

/// A value of the dictionary.
enum Entry {
    Tensor(Tensor),
    /// A list or tuple of strings or integers.
    List(Place),
    Other(String),
}

/// Where a tensor's elements lie.
struct Tensor {
    element: Element,
    storage: String,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    Ok(Box::new(TorchFile::open(Cursor::new(bytes), bytes.len() as u64)?))
}

pub(super) fn open_file(path: &Path) -> Result<Box<dyn Container>, NotOpened> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok(Box::new(TorchFile::open(BufReader::new(file), size)?))
}

impl<R: Read + Seek> TorchFile<R> {
    fn open(reader: R, size: u64) -> Result<Self, Corrupt> {
        let mut archive = Archive::open(reader, size)
            .map_err(|Corrupt(reason)| Corrupt(format!("{reason} (files of PyTorch before 1.6 must be saved anew)")))?;
        let members = archive.names()?;
        let folder = members
            .iter()
            .find_map(|member| member.strip_suffix(DICTIONARY))
            .filter(|folder| folder.is_empty() || folder.ends_with('/'))
            .ok_or_else(|| Corrupt(format!("there is no `{DICTIONARY}` in it")))?
            .to_owned();
        let byte_order = format!("{folder}byteorder");
        let big_endian = members.contains(&byte_order) && archive.read(&byte_order)? == b"big";
        let (pickle, top) = Pickle::read(&archive.read(&format!("{folder}{DICTIONARY}"))?)?;
        let Object::Dictionary(items) = pickle.get(top) else {
            return Err(Corrupt(
                "it does not hold a dictionary; save one: torch.save({'x1': x1, 'x2': x2, 'y': y}, path)".to_owned(),
            ));
        };
        // A key set twice keeps its last value, as in Python.
        let entries = items
            .iter()
            .filter_map(|(key, value)| Some((pickle.text(*key)?.to_owned(), entry(&pickle, *value))))
            .collect();
        Ok(Self { archive, folder, big_endian, pickle, entries })
    }
}

impl<R: Read + Seek + Send> Container for TorchFile<R> {
    fn names(&self) -> BTreeSet<String> {
        self.entries.keys().cloned().collect()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        match self.entries.get(name) {
            None => Err(Corrupt(format!("`{name}` is not in the dictionary"))),
            Some(Entry::Other(what)) => Ok(Array { shape: Vec::new(), values: Values::Other(what.clone()) }),
            Some(Entry::List(place)) => list(&self.pickle, *place).map_err(|corrupt| corrupt.inside(name)),
            Some(Entry::Tensor(tensor)) => {
                let member = format!("{}data/{}", self.folder, tensor.storage);
                let bytes = self.archive.read(&member)?;
                Array::strided(
                    tensor.shape.clone(),
                    tensor.strides.clone(),
                    tensor.offset,
                    tensor.element,
                    Cow::Owned(bytes),
                )
                .map(|array| array.big_endian(self.big_endian))
                .map_err(|corrupt| corrupt.inside(name))
            }
        }
    }
}

fn entry(pickle: &Pickle, value: Place) -> Entry {
    // A parameter is a tensor and a flag.
    let parameter = pickle.call(value, "torch._utils", "_rebuild_parameter");
    let value = parameter.and_then(|arguments| arguments.first().copied()).unwrap_or(value);
    let Some(arguments) = pickle.call(value, "torch._utils", "_rebuild_tensor_v2") else {
        return Entry::Other(match pickle.get(value) {
            Object::Sequence(items) if items.iter().all(|item| is_identifier(pickle.get(*item))) => {
                return Entry::List(value);
            }
            Object::Sequence(_) => "a list, not a tensor".to_owned(),
            Object::Dictionary(_) => "a dictionary, not a tensor".to_owned(),
            Object::Text(_) => "a string, not a tensor".to_owned(),
            _ => "no tensor that can be read".to_owned(),
        });
    };
    match storage(pickle, arguments) {
        Some((class, storage)) => match (element(class), window(pickle, arguments)) {
            (Some(element), Some((offset, shape, strides))) => {
                Entry::Tensor(Tensor { element, storage: storage.to_owned(), offset, shape, strides })
            }
            (None, _) => Entry::Other(format!("a tensor in a {class}")),
            (_, None) => Entry::Other("a tensor of unusual shape".to_owned()),
        },
        None => Entry::Other("a tensor in an unusual storage".to_owned()),
    }
}

/// What may be a label or an id.
fn is_identifier(object: &Object) -> bool {
    matches!(object, Object::Text(_) | Object::Integer(_))
}

/// A list of strings or of integers, which Python has where `NumPy` has an array; strings if there are both.
fn list(pickle: &Pickle, place: Place) -> Result<Array<'static>, Corrupt> {
    let items = pickle.sequence(place).unwrap_or_default();
    let integer = |item: &Place| match pickle.get(*item) {
        Object::Integer(value) => Some(*value),
        _ => None,
    };
    let shape = vec![items.len()];
    if let Some(values) = items.iter().map(integer).collect::<Option<Vec<i64>>>() {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        return Array::contiguous(shape, Element::I64, Cow::Owned(bytes));
    }
    // A text that is listed a million times is in the pickle once.
    let length = |item: &Place| pickle.text(*item).map_or(0, str::len);
    let bytes = items.iter().map(length).fold(0_usize, usize::saturating_add);
    if bytes > MOST_TEXT {
        return Err(Corrupt(format!("a list of {bytes} bytes of text is more than the {MOST_TEXT} that are read")));
    }
    let text = |item: &Place| match pickle.get(*item) {
        Object::Text(text) => text.clone(),
        Object::Integer(value) => value.to_string(),
        _ => String::new(),
    };
    Ok(Array { shape, values: Values::Strings(items.iter().map(text).collect()) })
}

/// The storage's class and member, from `_rebuild_tensor_v2(storage, offset, size, stride, ...)`.
fn storage<'p>(pickle: &'p Pickle, arguments: &[Place]) -> Option<(&'p str, &'p str)> {
    let Object::Persistent(id) = pickle.get(*arguments.first()?) else {
        return None;
    };
    // ("storage", class, member, device, size)
    let [_, class, member, ..] = pickle.sequence(*id)? else {
        return None;
    };
    match pickle.get(*class) {
        Object::Global(_, class) => Some((class, pickle.text(*member)?)),
        _ => None,
    }
}

/// Offset, shape and strides, from the same arguments.
fn window(pickle: &Pickle, arguments: &[Place]) -> Option<(usize, Vec<usize>, Vec<usize>)> {
    let [_, offset, shape, strides, ..] = arguments else {
        return None;
    };
    Some((pickle.size(*offset)?, pickle.sizes(*shape)?, pickle.sizes(*strides)?))
}

fn element(class: &str) -> Option<Element> {
    Some(match class {
        "BoolStorage" => Element::Bool,
        "ByteStorage" => Element::U8,
        "CharStorage" => Element::I8,
        "ShortStorage" => Element::I16,
        "IntStorage" => Element::I32,
        "LongStorage" => Element::I64,
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::Bf16,
        "FloatStorage" => Element::F32,
        "DoubleStorage" => Element::F64,
        _ => return None,
    })
}
