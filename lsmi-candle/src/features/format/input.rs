//! The bytes of a file, in memory or on disk, and reading them from their places.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;

use crate::features::array::Corrupt;

/// The bytes of a file. They can be opened more than once.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Memory(Bytes),
    File(PathBuf),
}

/// A reader that can seek.
pub(super) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl Input {
    pub(super) fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }

    pub(super) fn buffered(&self) -> io::Result<BufReader<Box<dyn ReadSeek>>> {
        Ok(BufReader::with_capacity(1 << 16, self.open()?))
    }
}

/// Bytes of known length, read from their places.
pub(super) struct Positioned {
    reader: Box<dyn ReadSeek>,
    length: u64,
}

impl Positioned {
    pub(super) fn open(input: &Input) -> io::Result<Self> {
        let mut reader = input.open()?;
        let length = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader, length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Reads `length` bytes from `offset` on.
    pub(super) fn read(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, Corrupt> {
        let mut bytes = Vec::new();
        self.read_to(&mut bytes, offset, length)?;
        Ok(bytes)
    }

    /// Appends `length` bytes from `offset` on.
    pub(super) fn read_to(&mut self, bytes: &mut Vec<u8>, offset: u64, length: usize) -> Result<(), Corrupt> {
        self.check(offset, length)?;
        bytes.reserve_exact(length);
        let seek = self.reader.seek(SeekFrom::Start(offset));
        let read = seek.and_then(|_| (&mut self.reader).take(length as u64).read_to_end(bytes));
        match read {
            Ok(read) if read == length => Ok(()),
            Ok(read) => Err(Corrupt(format!("only {read} of {length} bytes are there at {offset}"))),
            Err(error) => Err(unreadable(offset, length, &error)),
        }
    }

    /// Fills a slice with the bytes from `offset` on.
    pub(super) fn fill(&mut self, bytes: &mut [u8], offset: u64) -> Result<(), Corrupt> {
        self.check(offset, bytes.len())?;
        let seek = self.reader.seek(SeekFrom::Start(offset));
        seek.and_then(|_| self.reader.read_exact(bytes)).map_err(|error| unreadable(offset, bytes.len(), &error))
    }

    /// Compares with the file's length, before memory is taken: a header may announce anything.
    fn check(&self, offset: u64, length: usize) -> Result<(), Corrupt> {
        if offset.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(Corrupt(format!("{length} bytes at {offset} reach beyond the file's {} bytes", self.length)));
        }
        Ok(())
    }
}

fn unreadable(offset: u64, length: usize, error: &io::Error) -> Corrupt {
    Corrupt(format!("{length} bytes at {offset} cannot be read: {error}"))
}
