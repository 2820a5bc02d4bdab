//! Scans: the coefficients of all blocks, or of a progressive picture a part of their bits.

use std::sync::Arc;

use super::bits::{Bits, Code};
use super::{Component, Fault, Frame, Result, Tables, ZIGZAG, byte, standard};

/// A scan.
pub(super) struct Scan {
    parts: Vec<Part>,
    /// The first coefficient in the order of the file, and the last.
    band: [usize; 2],
    /// Bits that earlier scans gave, or 0, and the number of the lowest bit of this one.
    is_first: bool,
    low: u32,
    is_progressive: bool,
    restart: usize,
    /// Blocks of a progressive scan that have no more coefficients.
    ended: u32,
}

/// A component in a scan.
struct Part {
    component: usize,
    sampling: [usize; 2],
    mean: Option<Arc<Code>>,
    others: Option<Arc<Code>>,
    /// The mean of the block before.
    before: i32,
}

const NO_CODE: Fault = Fault::Damaged("a scan needs a Huffman table that is missing");

impl Scan {
    pub(super) fn of_segment(segment: &[u8], frame: &mut Frame, tables: &Tables) -> Result<Self> {
        let is_progressive = frame.is_progressive;
        let count = usize::from(byte(segment, 0)?);
        let mut parts: Vec<Part> = Vec::new();
        for index in 0..count {
            let [id, codes] = [byte(segment, 1 + 2 * index)?, byte(segment, 2 + 2 * index)?];
            let component = frame.components.iter().position(|component| component.id == id);
            let is_new = |index: &usize| parts.iter().all(|part| part.component != *index);
            let number = component.filter(is_new).ok_or(Fault::Damaged("a scan is of no component"))?;
            let component = &mut frame.components[number];
            if component.steps.is_none() {
                let steps = tables.steps.get(component.table).cloned().flatten();
                component.steps = Some(steps.ok_or(Fault::Damaged("a quantisation table is missing"))?);
            }
            let code = |kind: usize, place: u8| {
                let place = usize::from(place);
                let given = tables.codes[kind].get(place).cloned().flatten();
                // As libjpeg-turbo has it.
                given.or_else(|| standard::code(kind, place).filter(|_| !is_progressive))
            };
            parts.push(Part {
                component: number,
                sampling: component.sampling,
                mean: code(0, codes >> 4),
                others: code(1, codes & 15),
                before: 0,
            });
        }
        let [first, last, bits] = [0, 1, 2].map(|field| byte(segment, 1 + 2 * count + field));
        let band = [usize::from(first?), usize::from(last?)];
        let (high, low) = (bits? >> 4, u32::from(bits? & 15));
        let fits = if is_progressive {
            let bits = high == 0 || u32::from(high) == low + 1;
            low <= 13
                && bits
                && if band[0] == 0 { band[1] == 0 } else { band[0] <= band[1] && band[1] < 64 && count == 1 }
        } else {
            band == [0, 63] && bits? == 0
        };
        if parts.is_empty() || !fits {
            return Err(Fault::Damaged("a scan is of no part of the blocks"));
        }
        Ok(Self { parts, band, is_first: high == 0, low, is_progressive, restart: tables.restart, ended: 0 })
    }

    /// Reads the coefficients into the components.
    pub(super) fn read(mut self, frame: &mut Frame, bits: &mut Bits<'_>) -> Result<()> {
        // A scan of one component goes over its own blocks; one of several over units with blocks of each.
        let [across, down] = match self.parts[..] {
            [ref only] => frame.components[only.component].blocks,
            _ => frame.units(),
        };
        let is_alone = self.parts.len() == 1;
        for unit in 0..across * down {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits.restart(u8::try_from((unit / self.restart - 1) % 8).unwrap_or_default())?;
                self.ended = 0;
                self.parts.iter_mut().for_each(|part| part.before = 0);
            }
            let (row, column) = (unit / across, unit % across);
            for index in 0..self.parts.len() {
                let part = &self.parts[index];
                let number = part.component;
                let [wide, high] = if is_alone { [1, 1] } else { part.sampling };
                for place in 0..wide * high {
                    let [x, y] = [column * wide + place % wide, row * high + place / wide];
                    let block = block(&mut frame.components[number], x, y)?;
                    self.block(index, block, bits)?;
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, part: usize, block: &mut [i16; 64], bits: &mut Bits<'_>) -> Result<()> {
        if !self.is_progressive {
            self.mean(part, block, bits)?;
            return self.others(part, block, bits, 1);
        }
        match (self.band[0], self.is_first) {
            (0, true) => self.mean(part, block, bits),
            (0, false) => {
                if bits.take(1)? == 1 {
                    block[0] |= 1 << self.low;
                }
                Ok(())
            }
            (first, true) => self.others(part, block, bits, first),
            (first, false) => self.refine(part, block, bits, first),
        }
    }

    /// The mean, as its difference from that of the block before.
    fn mean(&mut self, part: usize, block: &mut [i16; 64], bits: &mut Bits<'_>) -> Result<()> {
        let part = &mut self.parts[part];
        let length = u32::from(part.mean.as_ref().ok_or(NO_CODE)?.symbol(bits)?);
        if length > 15 {
            return Err(Fault::Damaged("a difference has too many bits"));
        }
        part.before = part.before.wrapping_add(bits.signed(length)?);
        block[0] = short(part.before.wrapping_shl(self.low));
        Ok(())
    }

    /// The other coefficients, from one on: each after a number of zeros.
    fn others(&mut self, part: usize, block: &mut [i16; 64], bits: &mut Bits<'_>, first: usize) -> Result<()> {
        if self.ended > 0 {
            self.ended -= 1;
            return Ok(());
        }
        let code = self.parts[part].others.as_ref().ok_or(NO_CODE)?;
        let mut place = first;
        while place <= self.band[1] {
            let symbol = code.symbol(bits)?;
            let (zeros, length) = (symbol >> 4, u32::from(symbol & 15));
            if length == 0 && zeros < 15 {
                // The end of this block, and of a progressive scan that of others.
                self.ended = self.blocks_ended(zeros, bits)?;
                return Ok(());
            }
            place += usize::from(zeros);
            if length > 0 {
                let at = ZIGZAG.get(place).ok_or(Fault::Damaged("a block has too many coefficients"))?;
                block[usize::from(*at)] = short(bits.signed(length)? << self.low);
            }
            place += 1;
        }
        Ok(())
    }

    /// Blocks behind this one that end before their next coefficient too.
    fn blocks_ended(&self, length: u8, bits: &mut Bits<'_>) -> Result<u32> {
        match (length, self.is_progressive) {
            (0, _) => Ok(0),
            (_, false) => Err(Fault::Damaged("a run of blocks in a picture that is not progressive")),
            _ => Ok((1 << length) - 1 + bits.take(u32::from(length))?),
        }
    }

    /// One more bit of the coefficients that are not 0, and among them coefficients of which it is the first.
    fn refine(&mut self, part: usize, block: &mut [i16; 64], bits: &mut Bits<'_>, first: usize) -> Result<()> {
        let code = self.parts[part].others.clone().ok_or(NO_CODE)?;
        let bit = 1_i16 << self.low;
        let mut place = first;
        while place <= self.band[1] && self.ended == 0 {
            let symbol = code.symbol(bits)?;
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            let new = match length {
                0 if zeros < 15 => {
                    // Counts this block too.
                    self.ended = self.blocks_ended(zeros, bits)? + 1;
                    break;
                }
                0 => 0,
                1 if bits.take(1)? == 1 => bit,
                1 => -bit,
                _ => return Err(Fault::Damaged("a coefficient begins with more than one bit")),
            };
            while place <= self.band[1] {
                let coefficient = &mut block[usize::from(ZIGZAG[place])];
                place += 1;
                if *coefficient != 0 {
                    refined(coefficient, bit, bits)?;
                } else if zeros == 0 {
                    *coefficient = new;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
        if self.ended > 0 {
            for place in place..=self.band[1] {
                let coefficient = &mut block[usize::from(ZIGZAG[place])];
                if *coefficient != 0 {
                    refined(coefficient, bit, bits)?;
                }
            }
            self.ended -= 1;
        }
        Ok(())
    }
}

/// Reads whether a coefficient has the bit, away from 0.
fn refined(coefficient: &mut i16, bit: i16, bits: &mut Bits<'_>) -> Result<()> {
    if bits.take(1)? == 1 && *coefficient & bit == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { bit } else { -bit });
    }
    Ok(())
}

/// The lower 16 bits: no picture has more, and a damaged one may say anything.
#[expect(clippy::cast_possible_truncation, reason = "so that no file can cause a panic")]
fn short(value: i32) -> i16 {
    value as i16
}

fn block(component: &mut Component, x: usize, y: usize) -> Result<&mut [i16; 64]> {
    let start = (y * component.stored[0] + x) * 64;
    let block = component.coefficients.get_mut(start..).and_then(<[i16]>::first_chunk_mut::<64>);
    block.ok_or(Fault::Damaged("a scan has too many blocks"))
}
