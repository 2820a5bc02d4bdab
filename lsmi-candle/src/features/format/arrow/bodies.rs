//! The bytes of a file and of its buffers, unpacked where they are compressed.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use lz4_flex::frame::FrameDecoder;

use super::messages::Batch;
use crate::features::array::Corrupt;
use crate::features::format::by_rows::positioned::Positioned;

/// A compressed buffer begins with its length once unpacked.
const PREFIX: usize = size_of::<i64>();

/// Before a buffer that is not compressed though others are.
const NOT_COMPRESSED: i64 = -1;

/// A byte of LZ4 makes at most 255 bytes.
const LARGEST_EXPANSION: u64 = 255;

/// A block of Zstandard takes three bytes at least and makes 128 KiB at most (RFC 8878, section 3.1.1.2).
const LARGEST_EXPANSION_OF_ZSTD: u64 = (128 << 10) / 3 + 1;

/// Where the file is.
pub(super) enum Place {
    Bytes(Bytes),
    File(Positioned),
}

impl Place {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.length(),
        }
    }

    /// `length` bytes from `offset` on, which are compared with the file's length before memory is taken.
    pub(super) fn read(&mut self, offset: u64, length: u64) -> Result<Bytes, Corrupt> {
        let beyond = |all: u64| Corrupt(format!("{length} bytes at {offset} reach beyond the file's {all} bytes"));
        match self {
            Self::Bytes(bytes) => {
                let all = bytes.len() as u64;
                let end = offset.checked_add(length).filter(|end| *end <= all).ok_or_else(|| beyond(all))?;
                match (usize::try_from(offset), usize::try_from(end)) {
                    (Ok(start), Ok(end)) => Ok(bytes.slice(start..end)),
                    _ => Err(beyond(all)),
                }
            }
            Self::File(file) => {
                let length = usize::try_from(length).map_err(|_| beyond(file.length()))?;
                Ok(file.read(offset, length)?.into())
            }
        }
    }
}

/// The buffers of batches.
pub(super) struct Bodies {
    place: Place,
    /// The unpacked buffers of one batch, by their places in it.
    unpacked: BTreeMap<usize, Bytes>,
    batch: Option<usize>,
}

impl Bodies {
    pub(super) fn new(place: Place) -> Self {
        Self { place, unpacked: BTreeMap::new(), batch: None }
    }

    /// Gives back what unpacked buffers take.
    pub(super) fn forget(&mut self) {
        self.unpacked.clear();
        self.batch = None;
    }

    /// The length of a buffer, unpacked.
    pub(super) fn length(&mut self, batch: &Batch, at: usize, buffer: usize) -> Result<u64, Corrupt> {
        let (_, length) = *batch.buffers.get(buffer).ok_or_else(missing)?;
        if batch.packing.is_some() && length > 0 {
            return Ok(self.unpacked(batch, at, buffer)?.len() as u64);
        }
        Ok(length)
    }

    /// Bytes of a buffer of the batch in place `at`.
    pub(super) fn read(
        &mut self,
        batch: &Batch,
        at: usize,
        buffer: usize,
        bytes: Range<u64>,
    ) -> Result<Bytes, Corrupt> {
        let (offset, _) = *batch.buffers.get(buffer).ok_or_else(missing)?;
        let length = self.length(batch, at, buffer)?;
        if bytes.start > bytes.end || bytes.end > length {
            return Err(Corrupt(format!("bytes {} to {} of a buffer of {length}", bytes.start, bytes.end)));
        }
        if batch.packing.is_some() && length > 0 {
            let unpacked = self.unpacked(batch, at, buffer)?;
            return match (usize::try_from(bytes.start), usize::try_from(bytes.end)) {
                (Ok(start), Ok(end)) => Ok(unpacked.slice(start..end)),
                _ => Err(missing()),
            };
        }
        self.place.read(offset + bytes.start, bytes.end - bytes.start)
    }

    fn unpacked(&mut self, batch: &Batch, at: usize, buffer: usize) -> Result<Bytes, Corrupt> {
        if self.batch != Some(at) {
            self.forget();
            self.batch = Some(at);
        }
        if let Some(known) = self.unpacked.get(&buffer) {
            return Ok(known.clone());
        }
        let (offset, length) = *batch.buffers.get(buffer).ok_or_else(missing)?;
        let packing = batch.packing.ok_or_else(missing)?;
        let unpacked = unpack(packing, &self.place.read(offset, length)?)?;
        self.unpacked.insert(buffer, unpacked.clone());
        Ok(unpacked)
    }
}

fn missing() -> Corrupt {
    Corrupt("one of its buffers is not there".to_owned())
}

/// How buffers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Lz4,
    Zstandard,
}

fn unpack(packing: Packing, packed: &Bytes) -> Result<Bytes, Corrupt> {
    let cut_short = || Corrupt("a compressed buffer is cut short".to_owned());
    let announced = i64::from_le_bytes(*packed.first_chunk::<PREFIX>().ok_or_else(cut_short)?);
    let rest = packed.slice(PREFIX..);
    if announced == NOT_COMPRESSED {
        return Ok(rest);
    }
    let announced = u64::try_from(announced).map_err(|_| cut_short())?;
    let largest = match packing {
        Packing::Lz4 => LARGEST_EXPANSION,
        Packing::Zstandard => LARGEST_EXPANSION_OF_ZSTD,
    };
    if announced > (rest.len() as u64).saturating_mul(largest) {
        return Err(Corrupt(format!("a buffer claims {announced} bytes, packed in {}: impossible", rest.len())));
    }
    let mut unpacked = Vec::new();
    let failed = |error: std::io::Error| Corrupt(format!("a buffer cannot be unpacked: {error}"));
    let decoder: Box<dyn Read> = match packing {
        Packing::Lz4 => Box::new(FrameDecoder::new(&rest[..])),
        Packing::Zstandard => Box::new(zstd::Decoder::with_buffer(&rest[..]).map_err(failed)?),
    };
    decoder.take(announced + 1).read_to_end(&mut unpacked).map_err(failed)?;
    if unpacked.len() as u64 != announced {
        return Err(Corrupt(format!("a buffer unpacks to another size than the {announced} bytes announced")));
    }
    Ok(unpacked.into())
}
