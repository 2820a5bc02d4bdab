//! Zip archives that may lie: the sizes in their directory are believed only as far as the bytes bear them out.

use std::io::{Read, Seek};

use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use crate::features::array::Corrupt;
use crate::numbers::memory::{self, Shortage};

/// No array is larger than this: 64 GiB.
const LARGEST_MEMBER: u64 = 64 << 30;

/// Deflate makes at most 258 bytes of two bits, a factor of 1032.
const LARGEST_EXPANSION: u64 = 1032;

pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
    size: u64,
}

/// A member opened for reading.
pub(super) struct Member<'m, R: Read> {
    /// Its size once unpacked, as the directory has it: possible, but not yet seen to be true.
    pub(super) size: u64,
    file: ZipFile<'m, R>,
}

/// The place of a member in its archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The place of its first byte.
    pub(super) start: u64,
    /// Its size there.
    pub(super) packed: u64,
    /// Its size once unpacked, possible but not yet seen to be true.
    pub(super) size: u64,
    /// Whether it is deflated rather than stored.
    pub(super) is_deflated: bool,
    /// The checksum of what it unpacks to.
    pub(super) checksum: u32,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive of this size, in bytes.
    pub(super) fn open(reader: R, size: u64) -> Result<Self, Corrupt> {
        let zip = ZipArchive::new(reader).map_err(|error| Corrupt(format!("not a whole zip archive: {error}")))?;
        Ok(Self { zip, size })
    }

    /// Lists the names of all members.
    pub(super) fn names(&self) -> Result<Vec<String>, Corrupt> {
        self.zip
            .file_names()
            .map(|name| match name {
                Ok(name) => Ok(name.into_owned()),
                Err(error) => Err(Corrupt(format!("a member's name is unreadable: {error}"))),
            })
            .collect()
    }

    /// Opens a member, refusing sizes that cannot be true.
    pub(super) fn member(&mut self, name: &str) -> Result<Member<'_, R>, Corrupt> {
        let archive_size = self.size;
        let file = self.zip.by_name(name).map_err(|error| Corrupt(format!("`{name}`: {error}")))?;
        let (size, packed) = (file.size(), file.compressed_size());
        let largest = match file.compression() {
            CompressionMethod::Stored => packed,
            _ => packed.saturating_mul(LARGEST_EXPANSION),
        };
        if packed > archive_size || size > largest.min(LARGEST_MEMBER) {
            return Err(Corrupt(format!(
                "`{name}` claims {size} bytes, packed in {packed} of the archive's {archive_size}: impossible"
            )));
        }
        Ok(Member { size, file })
    }

    /// Finds the place of a member, refusing sizes that cannot be true and members neither stored nor deflated.
    pub(super) fn place(&mut self, name: &str) -> Result<Place, Corrupt> {
        let archive_size = self.size;
        let Member { size, file } = self.member(name)?;
        let is_deflated = match file.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => return Err(Corrupt(format!("`{name}`: is packed with {other}, not stored or deflated"))),
        };
        let packed = file.compressed_size();
        let start = file.data_start().filter(|start| start.checked_add(packed).is_some_and(|end| end <= archive_size));
        let start = start.ok_or_else(|| Corrupt(format!("`{name}`: it reaches beyond the end of the archive")))?;
        Ok(Place { start, packed, size, is_deflated, checksum: file.crc32() })
    }

    /// Reads all bytes of a member.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, Corrupt> {
        let member = self.member(name)?;
        let size = member.size;
        member.read_exactly(size).map_err(|corrupt| corrupt.inside(name))
    }
}

impl<R: Read> Member<'_, R> {
    /// Reads the bytes from here to the end, of which there must be `length`.
    pub(super) fn read_exactly(mut self, length: u64) -> Result<Vec<u8>, Corrupt> {
        let needed = usize::try_from(length).unwrap_or(usize::MAX);
        memory::check(needed, 1).map_err(|Shortage { needed, available }| {
            let [needed, available] = [needed, available].map(memory::in_words);
            Corrupt(format!("it unpacks to {needed}, but only {available} of memory are free"))
        })?;
        let mut bytes = Vec::new();
        // One more than expected: the checksum is compared when the end is reached.
        self.file
            .by_ref()
            .take(length.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Corrupt(error.to_string()))?;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(Corrupt(format!("it unpacks to another size than the {length} bytes announced")))
        }
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.file.read(buffer)
    }
}
