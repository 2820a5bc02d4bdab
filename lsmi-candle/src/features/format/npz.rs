//! `.npz`: a zip archive, stored or deflated, of one `.npy` array a member.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use super::archive::{Archive, InMemory};
use super::npy::{Header, unpickled};
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt};

/// What `NumPy` adds to the name of an array.
pub(super) const SUFFIX: &str = ".npy";

struct NpzFile<'a> {
    archive: InMemory<'a>,
    names: BTreeSet<String>,
    objects: BTreeMap<String, Array<'static>>,
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    let mut archive = InMemory::of_bytes(bytes)?;
    let (names, objects) = arrays_of(&mut archive)?;
    Ok(Box::new(NpzFile { archive, names, objects }))
}

/// The names of all arrays, and those that are made of Python objects, which are read at once.
pub(super) fn arrays_of<R: Read + Seek>(
    archive: &mut Archive<R>,
) -> Result<(BTreeSet<String>, BTreeMap<String, Array<'static>>), Corrupt> {
    let members = archive.names()?;
    let (mut names, mut objects) = (BTreeSet::new(), BTreeMap::new());
    for name in members.iter().filter_map(|member| member.strip_suffix(SUFFIX)) {
        let member = format!("{name}{SUFFIX}");
        // What is wrong with a header is told when its array is asked for.
        let header = archive.member(&member).and_then(|mut member| Header::read(&mut member));
        match header {
            Ok(header) if header.is_of_objects() => objects.extend(unpickled(name, &header, &archive.read(&member)?)),
            _ => drop(names.insert(name.to_owned())),
        }
    }
    names.extend(objects.keys().cloned());
    Ok((names, objects))
}

impl Container for NpzFile<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        if let Some(array) = self.objects.get(name) {
            return Ok(array.clone());
        }
        let mut member = self.archive.member(&format!("{name}{SUFFIX}"))?;
        let read = || {
            let header = Header::read(&mut member)?;
            // Compared before anything is unpacked.
            let length = header.data_length(member.size)?;
            let bytes = if length == 0 { Vec::new() } else { member.read_exactly(length)? };
            header.array(bytes)
        };
        read().map_err(|corrupt: Corrupt| corrupt.inside(name))
    }
}
