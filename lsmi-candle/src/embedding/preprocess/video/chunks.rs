//! Chunks of RIFF files (Microsoft and IBM 1991), of which AVI and WebP are made: four letters, a length, and as many bytes.

use std::io::{self, Read, Seek, SeekFrom};

/// What chunks are read from.
pub(super) trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A chunk, and where its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) name: [u8; 4],
    pub(super) start: u64,
    /// The byte behind the last that there is: a file that is cut short has less than the chunk says.
    pub(super) end: u64,
}

/// The chunks one after the other between two places.
pub(super) struct Chunks<'source> {
    source: &'source mut dyn Source,
    place: u64,
    end: u64,
}

impl<'source> Chunks<'source> {
    pub(super) fn between(source: &'source mut dyn Source, place: u64, end: u64) -> Self {
        Self { source, place, end }
    }

    /// Where the next chunk begins.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// The next chunk; None behind the last, and where no whole head of one is left.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let Some(start) = self.place.checked_add(8).filter(|start| *start <= self.end) else { return Ok(None) };
        self.source.seek(SeekFrom::Start(self.place))?;
        let mut head = [0; 8];
        self.source.read_exact(&mut head)?;
        let [a, b, c, d, length @ ..] = head;
        let length = u64::from(u32::from_le_bytes(length));
        // Chunks of an odd length have a byte behind them.
        self.place = start.saturating_add(length).saturating_add(length % 2);
        Ok(Some(Chunk { name: [a, b, c, d], start, end: start.saturating_add(length).min(self.end) }))
    }
}

/// The bytes of a chunk, or its first so many.
pub(super) fn bytes(source: &mut dyn Source, chunk: Chunk, most: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(chunk.start))?;
    let mut bytes = Vec::new();
    let most = chunk.end.saturating_sub(chunk.start).min(most);
    Read::take(source, most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The four letters at the beginning of a list, and where its chunks begin.
pub(super) fn list(source: &mut dyn Source, chunk: Chunk) -> io::Result<Option<([u8; 4], u64)>> {
    let letters = bytes(source, chunk, 4)?;
    Ok(<[u8; 4]>::try_from(letters.as_slice()).ok().map(|letters| (letters, chunk.start + 4)))
}

/// The length of what can be read.
pub(super) fn length(source: &mut dyn Source) -> io::Result<u64> {
    source.seek(SeekFrom::End(0))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn chunks_follow_each_other() {
        let bytes = b"abcd\x03\0\0\0xyz\0LIST\xff\xff\xff\xffmoviab";
        let mut source = Cursor::new(bytes);
        let length = length(&mut source).unwrap();
        let mut chunks = Chunks::between(&mut source, 0, length);
        assert_eq!(chunks.next().unwrap(), Some(Chunk { name: *b"abcd", start: 8, end: 11 }));
        let cut = chunks.next().unwrap().unwrap();
        assert_eq!(cut, Chunk { name: *b"LIST", start: 20, end: 26 });
        assert_eq!(chunks.next().unwrap(), None);
        assert_eq!(list(&mut source, cut).unwrap(), Some((*b"movi", 24)));
        let mut none = Chunks::between(&mut source, u64::MAX - 3, u64::MAX);
        assert_eq!(none.next().unwrap(), None);
    }
}
