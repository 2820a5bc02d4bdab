//! `.npz`: a zip archive, stored or deflated, of one `.npy` array a member.

use std::collections::BTreeSet;

use super::archive::InMemory;
use super::npy::Header;
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt};

/// What `NumPy` adds to the name of an array.
pub(super) const SUFFIX: &str = ".npy";

struct NpzFile<'a> {
    archive: InMemory<'a>,
    names: BTreeSet<String>,
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    let archive = InMemory::of_bytes(bytes)?;
    let names = archive.names()?.iter().filter_map(|member| Some(member.strip_suffix(SUFFIX)?.to_owned())).collect();
    Ok(Box::new(NpzFile { archive, names }))
}

impl Container for NpzFile<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
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
