//! Where a JPEG picture ends: cameras put films and further pictures behind it.

/// Markers that stand alone, without a segment behind them: TEM, the restarts and the start of the picture.
const ALONE: [u8; 10] = [0x01, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8];
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;

/// The bytes of the picture without what lies behind it; none where its end is missing.
///
/// Segments say how long they are (ISO/IEC 10918-1, annex B). Inside a scan the byte 0xFF is always followed by 0 or by a
/// restart marker, so that the next other marker is the end of the scan.
pub(super) fn until_its_end(bytes: &[u8]) -> Option<&[u8]> {
    let mut place = 0;
    loop {
        let marker = marker_at(bytes, &mut place)?;
        match marker {
            END => return Some(&bytes[..place]),
            0 => {}
            _ if ALONE.contains(&marker) => {}
            _ => {
                let length = bytes.get(place..place + 2)?;
                place += usize::from(u16::from_be_bytes([length[0], length[1]]));
                if marker == SCAN {
                    place = end_of_scan(bytes, place)?;
                }
            }
        }
    }
}

/// The next marker from a place on, which is moved behind it. Any number of bytes 0xFF may precede one, and decoders pass
/// over what stands between segments.
fn marker_at(bytes: &[u8], place: &mut usize) -> Option<u8> {
    let mut at = *place + bytes.get(*place..)?.iter().position(|byte| *byte == 0xFF)?;
    while *bytes.get(at)? == 0xFF {
        at += 1;
    }
    *place = at + 1;
    Some(bytes[at])
}

/// The place of the first marker behind a scan whose data begin at `start`.
fn end_of_scan(bytes: &[u8], start: usize) -> Option<usize> {
    let ends = |pair: &[u8]| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF && !ALONE.contains(&pair[1]);
    Some(start + bytes.get(start..)?.windows(2).position(ends)?)
}

#[cfg(test)]
mod tests {
    use super::until_its_end;

    /// A picture of one segment with an end marker in it, and one scan with a stuffed byte and a restart.
    const PICTURE: [u8; 22] =
        [0xFF, 0xD8, 0xFF, 0xE1, 0, 5, 0xFF, 0xD9, 0, 0xFF, 0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0, 0xFF, 0xD0, 0xFF, 0xD9];

    #[test]
    fn the_end_is_found_wherever_else_its_marker_stands() {
        assert_eq!(until_its_end(&PICTURE), Some(&PICTURE[..]));
        let with_film = [&PICTURE[..], &[0, 0, 0, 24], b"ftypmp42", &[0xFF, 0xDA, 0xFF, 0xD9, 1]].concat();
        assert_eq!(until_its_end(&with_film), Some(&PICTURE[..]));
        for length in 0..PICTURE.len() {
            assert_eq!(until_its_end(&PICTURE[..length]), None, "{length}");
        }
    }
}
