//! `.pt`, `.pth`: a zip archive of a pickled dictionary and one member of raw bytes for every tensor.
//!
//! Only what is asked for is read. An entry that is no tensor is still listed, so that asking for it says what it is.

mod tensor;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use self::tensor::{Found, Tensor, tensor_of};
use super::archive::Archive;
use super::by_rows::NotOpened;
use super::pickle::arrays::array_of;
use super::pickle::nested::{self, arrays_of};
use super::pickle::{Pickle, Place};
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Values};

/// The member that holds the dictionary, in the archive's one folder.
const DICTIONARY: &str = "data.pkl";

struct TorchFile<R> {
    archive: Archive<R>,
    folder: String,
    big_endian: bool,
    pickle: Pickle,
    entries: BTreeMap<String, Place>,
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
        let entries = arrays_of(&pickle, top).ok_or_else(|| Corrupt(nested::advice(&pickle, top)))?;
        Ok(Self { archive, folder, big_endian, pickle, entries })
    }
}

impl<R: Read + Seek + Send> Container for TorchFile<R> {
    fn names(&self) -> BTreeSet<String> {
        self.entries.keys().cloned().collect()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
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
