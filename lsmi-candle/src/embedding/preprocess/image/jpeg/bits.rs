//! The bits of a scan, and the Huffman codes of what stands in them.

use super::{Fault, Result};

/// Bits that a code is looked up by at once; longer ones are rare.
const QUICK: u32 = 9;

/// The bits of a scan up to its next marker. Behind a byte 0xFF that is no marker there is a byte 0.
pub(super) struct Bits<'bytes> {
    bytes: &'bytes [u8],
    place: usize,
    /// The next bits, from the highest on; 0 behind the last.
    next: u64,
    count: u32,
}

impl<'bytes> Bits<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8], place: usize) -> Self {
        Self { bytes, place, next: 0, count: 0 }
    }

    /// Where the scan ends. Bytes that nothing was read from belong to it as far as there is no marker among them.
    pub(super) fn end(&self) -> usize {
        self.place
    }

    fn fill(&mut self) {
        let rest = self.bytes.get(self.place..).unwrap_or_default();
        if let Some(bytes) = rest.first_chunk::<8>().filter(|bytes| !bytes.contains(&0xFF)) {
            // What of them has no room is there early, and is put in the same place again later.
            self.next |= u64::from_be_bytes(*bytes) >> self.count;
            let whole = (64 - self.count) / 8;
            self.place += whole as usize;
            self.count += 8 * whole;
            return;
        }
        while self.count <= 56 {
            let byte = match (self.bytes.get(self.place), self.bytes.get(self.place + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.place += 1;
                    0xFF
                }
                (Some(0xFF) | None, _) => return,
                (Some(byte), _) => *byte,
            };
            self.place += 1;
            self.next |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next 16 bits.
    fn ahead(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        u32::try_from(self.next >> 48).unwrap_or_default()
    }

    fn skip(&mut self, count: u32) -> Result<()> {
        if count > self.count {
            return Err(self.ended());
        }
        self.next <<= count;
        self.count -= count;
        Ok(())
    }

    /// Why there are no more bits: the file has ended, or there is a marker.
    fn ended(&self) -> Fault {
        // The file may also end with the first byte of a marker.
        if self.place + 1 >= self.bytes.len() { Fault::Truncated } else { Fault::Damaged("a scan ends too early") }
    }

    /// Takes up to 16 bits.
    pub(super) fn take(&mut self, count: u32) -> Result<u32> {
        let bits = self.ahead() >> (16 - count);
        self.skip(count)?;
        Ok(bits)
    }

    /// Takes a number of up to 15 bits: the lower half of those that there are stands for negative ones.
    pub(super) fn signed(&mut self, count: u32) -> Result<i32> {
        let bits = i32::try_from(self.take(count)?).unwrap_or_default();
        let half = (1 << count) >> 1;
        Ok(if bits < half { bits + 1 - 2 * half } else { bits })
    }

    /// Goes behind the restart marker of a number, 0 to 7.
    pub(super) fn restart(&mut self, number: u8) -> Result<()> {
        (self.next, self.count) = (0, 0);
        let mut place = self.place;
        if super::marker_at(self.bytes, &mut place)? != 0xD0 + number {
            return Err(Fault::Damaged("a restart of a scan is missing"));
        }
        self.place = place;
        Ok(())
    }
}

/// A Huffman code.
#[derive(Debug)]
pub(super) struct Code {
    /// For the next bits the symbol and the length of its code, or 0 where it is longer.
    quick: Vec<(u8, u8)>,
    symbols: Vec<u8>,
    /// For each length the code behind its last, moved to 16 bits, and what the number of a code lies before its symbol.
    lengths: [(u32, i32); 16],
}

impl Code {
    /// A code from how many codes of each length there are, and their symbols.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        let mut quick = vec![(0, 0); 1 << QUICK];
        let mut lengths = [(0, 0); 16];
        let (mut code, mut first) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            let end = code + u32::from(count);
            let symbols = symbols.get(first..first + usize::from(count));
            let Some(symbols) = symbols.filter(|_| end <= 1 << length) else {
                return Err(Fault::Damaged("a Huffman table has more codes than there are"));
            };
            if length <= QUICK {
                for (code, &symbol) in (code..end).zip(symbols) {
                    let all = (code << (QUICK - length)) as usize..((code + 1) << (QUICK - length)) as usize;
                    // At most 9.
                    quick[all].fill((symbol, u8::try_from(length).unwrap_or_default()));
                }
            }
            let before = i32::try_from(first).unwrap_or_default() - i32::try_from(code).unwrap_or_default();
            lengths[length as usize - 1] = (end << (16 - length), before);
            first += usize::from(count);
            code = end << 1;
        }
        Ok(Self { quick, symbols: symbols.to_vec(), lengths })
    }

    /// Takes the next symbol.
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let ahead = bits.ahead();
        let (symbol, length) = self.quick[(ahead >> (16 - QUICK)) as usize];
        if length > 0 {
            bits.skip(u32::from(length))?;
            return Ok(symbol);
        }
        let (length, before) = (1..)
            .zip(self.lengths)
            .find(|(_, (end, _))| ahead < *end)
            .map(|(n, (_, b))| (n, b))
            .ok_or_else(|| if bits.count < 16 { bits.ended() } else { Fault::Damaged("a code has no symbol") })?;
        bits.skip(length)?;
        let place = i32::try_from(ahead >> (16 - length)).unwrap_or_default() + before;
        let symbol = usize::try_from(place).ok().and_then(|place| self.symbols.get(place));
        symbol.copied().ok_or(Fault::Damaged("a code has no symbol"))
    }
}
