//! `.pt`, `.pth`: a zip archive of a pickled dictionary and one member of raw bytes for every tensor.
//!
//! Only what is asked for is read. An entry that is no tensor is still listed, so that asking for it says what it is.

mod tensor;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Seek, SeekFrom};
use std::ops::Range;

use self::tensor::{Found, Tensor, tensor_of};
use super::archive::Archive;
use super::input::{Input, ReadSeek};
use super::pickle::arrays::array_of;
use super::pickle::nested::{self, arrays_of};
use super::pickle::{Pickle, Place};
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Kind, Outline, Values, check_window};

/// The member that holds the dictionary, in the archive's one folder.
const DICTIONARY: &str = "data.pkl";

/// Why rows are not read one after the other.
pub(super) const WHOLE: &str = "a PyTorch file is read as a whole; save it as .safetensors, .npz or .parquet";

struct TorchFile {
    archive: Archive<BufReader<Box<dyn ReadSeek>>>,
    folder: String,
    big_endian: bool,
    pickle: Pickle,
    entries: BTreeMap<String, Place>,
    /// The array read last, until its rows are asked for.
    last: Option<(String, Array<'static>)>,
}

pub(super) fn open(input: &Input) -> Opened {
    let mut reader = input.buffered()?;
    let size = reader.seek(SeekFrom::End(0))?;
    Ok(Box::new(TorchFile::open(reader, size)?))
}

impl TorchFile {
    fn open(reader: BufReader<Box<dyn ReadSeek>>, size: u64) -> Result<Self, Corrupt> {
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
        let entries = arrays_of(&pickle, top).ok_or_else(|| Corrupt(nested::advice(&pickle, top)))?;
        Ok(Self { archive, folder, big_endian, pickle, entries, last: None })
    }

    fn array(&mut self, name: &str) -> Result<Array<'static>, Corrupt> {
        let Some(place) = self.entries.get(name) else {
            return Err(Corrupt(format!("`{name}` is not in the dictionary")));
        };
        let (archive, folder, big_endian, pickle) = (&mut self.archive, &self.folder, self.big_endian, &self.pickle);
        // Tensors of a list are often parts of one storage.
        let mut last: Option<(String, Vec<u8>)> = None;
        let entry = *place;
        let mut elsewhere = |place: Place| match tensor_of(pickle, place)? {
            Found::Other(unusable) => Some(Ok(Array { shape: Vec::new(), values: Values::Other(unusable) })),
            Found::Tensor(Tensor { element, storage, offset, shape, strides, is_negated }) => {
                let member = format!("{folder}data/{storage}");
                let bytes = match last.take() {
                    Some((before, bytes)) if before == member => bytes,
                    _ => match archive.read(&member) {
                        Ok(bytes) => bytes,
                        Err(corrupt) => return Some(Err(corrupt)),
                    },
                };
                if place == entry {
                    let array = Array::strided(shape, strides, offset, element, Cow::Owned(bytes));
                    return Some(array.map(|array| array.big_endian(big_endian).negated(is_negated)));
                }
                let array = Array::strided(shape, strides, offset, element, Cow::Borrowed(&bytes));
                let array = array.map(|array| array.big_endian(big_endian).negated(is_negated).compact());
                last = Some((member, bytes));
                Some(array)
            }
        };
        array_of(pickle, entry, &mut elsewhere).map_err(|corrupt| corrupt.inside(name))
    }
}

impl Container for TorchFile {
    fn names(&self) -> BTreeSet<String> {
        self.entries.keys().cloned().collect()
    }

    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        // The pickle describes tensors, whose elements lie elsewhere, and holds everything else.
        if let Some(Found::Tensor(tensor)) = self.entries.get(name).and_then(|place| tensor_of(&self.pickle, *place)) {
            let Tensor { element, storage, offset, shape, strides, .. } = tensor;
            let size = self.archive.member(&format!("{}data/{storage}", self.folder)).map(|member| member.size);
            let elements = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX) / element.size());
            let checked = elements.and_then(|elements| check_window(&shape, &strides, offset, elements));
            checked.map_err(|corrupt| corrupt.inside(name))?;
            return Ok(Outline { shape, kind: Kind::Numbers(element) });
        }
        let array = self.array(name)?;
        let outline = array.outline();
        self.last = Some((name.to_owned(), array));
        Ok(outline)
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let array = match self.last.take() {
            Some((last, array)) if last == name => array,
            _ => self.array(name)?,
        };
        let all = array.shape.first().copied().unwrap_or(1);
        if rows == (0..all) {
            return Ok(array);
        }
        let part = array.rows(rows);
        self.last = Some((name.to_owned(), array));
        part
    }

    fn obstacle(&mut self, _name: &str) -> Option<&'static str> {
        Some(WHOLE)
    }
}
