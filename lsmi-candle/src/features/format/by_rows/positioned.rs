//! Bytes read from their places in a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::features::array::Corrupt;

/// A file of known length.
pub(in crate::features::format) struct Positioned {
    file: File,
    length: u64,
}

impl Positioned {
    pub(in crate::features::format) fn new(file: File) -> io::Result<Self> {
        Ok(Self { length: file.metadata()?.len(), file })
    }

    pub(in crate::features::format) fn length(&self) -> u64 {
        self.length
    }

    /// `length` bytes from `offset` on.
    pub(in crate::features::format) fn read(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, Corrupt> {
        let mut bytes = Vec::new();
        self.read_to(&mut bytes, offset, length)?;
        Ok(bytes)
    }

    /// Appends `length` bytes from `offset` on.
    pub(in crate::features::format) fn read_to(
        &mut self,
        bytes: &mut Vec<u8>,
        offset: u64,
        length: usize,
    ) -> Result<(), Corrupt> {
        // Compared before memory is taken: a header may announce anything.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(Corrupt(format!("{length} bytes at {offset} reach beyond the file's {} bytes", self.length)));
        }
        bytes.reserve_exact(length);
        let seek = self.file.seek(SeekFrom::Start(offset));
        let read = seek.and_then(|_| (&self.file).take(length as u64).read_to_end(bytes));
        match read {
            Ok(read) if read == length => Ok(()),
            Ok(read) => Err(Corrupt(format!("only {read} of {length} bytes are there at {offset}"))),
            Err(error) => Err(Corrupt(format!("{length} bytes at {offset} cannot be read: {error}"))),
        }
    }
}
