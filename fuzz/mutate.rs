//! Damage done to files: flipped bits, lies about lengths, pieces cut out, put in twice or taken from another file.

use rand::Rng;

/// Numbers that lengths and offsets overflow at.
const TELLING: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    (1 << 61) - 1,
    i64::MAX as u64,
    u64::MAX,
];

/// Changes bytes in one to eight ways.
pub(crate) fn mutate(random: &mut impl Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 << random.random_range(0..4) {
        change(random, bytes, other);
    }
}

fn change(random: &mut impl Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.extend_from_slice(other);
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..10) {
        0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 => bytes[at] = random.random(),
        3 => bytes.truncate(at),
        4 => inflate(random, bytes, at),
        5 => digits(random, bytes, at),
        6 => {
            let end = piece(random, at, bytes.len());
            bytes.drain(at..end);
        }
        7 => {
            let twice = bytes[at..piece(random, at, bytes.len())].to_vec();
            let to = random.random_range(0..=bytes.len());
            bytes.splice(to..to, twice);
        }
        8 if !other.is_empty() => {
            let from = random.random_range(0..other.len());
            let taken = &other[from..piece(random, from, other.len())];
            let end = bytes.len().min(at + taken.len());
            bytes.splice(at..end, taken.iter().copied());
        }
        _ => {
            let end = piece(random, at, bytes.len());
            let filling = if random.random() { 0 } else { random.random() };
            bytes[at..end].fill(filling);
        }
    }
}

/// The end of a piece of at most 64 bytes.
fn piece(random: &mut impl Rng, at: usize, length: usize) -> usize {
    length.min(at + random.random_range(1..=64))
}

/// Puts a telling number, or one near what is there, in place of 1, 2, 4 or 8 bytes.
fn inflate(random: &mut impl Rng, bytes: &mut [u8], at: usize) {
    let size = 1 << random.random_range(0..4);
    let Some(place) = bytes.get_mut(at..at + size) else { return };
    let mut there = [0; 8];
    there[..size].copy_from_slice(place);
    let there = u64::from_le_bytes(there);
    let number = match random.random_range(0..4) {
        0 => there.wrapping_add(random.random_range(1..16)),
        1 => there.wrapping_sub(random.random_range(1..16)),
        _ => TELLING[random.random_range(0..TELLING.len())],
    };
    if random.random() {
        place.copy_from_slice(&number.to_le_bytes()[..size]);
    } else {
        place.copy_from_slice(&number.to_be_bytes()[8 - size..]);
    }
}

/// Puts another number in place of decimal digits, as headers of text have them.
fn digits(random: &mut impl Rng, bytes: &mut Vec<u8>, at: usize) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|skipped| at + skipped) else { return };
    let end =
        bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| start + length);
    let number = TELLING[random.random_range(0..TELLING.len())];
    bytes.splice(start..end, number.to_string().into_bytes());
}
