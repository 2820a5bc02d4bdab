//! The sizes in a WAV file that was written to a pipe: who writes to one cannot go back and fill them in.

/// From here on a size is none that was counted: programs write the greatest they can when they do not know it.
const UNKNOWN: u32 = 0x7FFF_0000;

/// A chunk begins with four letters and its size.
const PREFIX: usize = 8;

/// The same file with sizes that are those of its bytes, where they were not known when it was written. What is cut short
/// stays as it is: it says how long it was.
pub(super) fn with_sizes(mut bytes: Vec<u8>) -> Vec<u8> {
    let Some(data) = data_chunk(&bytes) else { return bytes };
    let (Some(whole), Some(size)) = (size_at(&bytes, 0), size_at(&bytes, data)) else { return bytes };
    let there = bytes.len() - data - PREFIX;
    let fits = size as usize <= there;
    // The size of all says that nothing is missing.
    let is_whole = whole as usize + PREFIX == bytes.len();
    let is_unfilled = size == 0 && there > 0 && !is_whole;
    let is_wrong = size >= UNKNOWN || is_unfilled || (!fits && (is_whole || whole >= UNKNOWN));
    let data_size = if is_wrong { u32::try_from(there).ok() } else { None };
    if let Some(size) = data_size {
        bytes[data + 4..data + PREFIX].copy_from_slice(&size.to_le_bytes());
    }
    if (data_size.is_some() || (fits && !is_whole))
        && let Ok(whole) = u32::try_from(bytes.len() - PREFIX)
    {
        bytes[4..PREFIX].copy_from_slice(&whole.to_le_bytes());
    }
    bytes
}

/// Where the chunk of samples begins.
fn data_chunk(bytes: &[u8]) -> Option<usize> {
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut place = 12;
    loop {
        let name = bytes.get(place..place + 4)?;
        let size = size_at(bytes, place)? as usize;
        if name == b"data" {
            return Some(place);
        }
        // Chunks begin at even places.
        place = place.checked_add(PREFIX)?.checked_add(size)?.checked_add(size % 2)?;
    }
}

fn size_at(bytes: &[u8], chunk: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(chunk + 4..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::with_sizes;

    /// A file of four samples of 16 bits that says these sizes.
    fn wav(whole: u32, data: u32) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(whole.to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
        bytes.extend(data.to_le_bytes());
        bytes.extend([1, 0, 2, 0, 3, 0, 4, 0]);
        bytes
    }

    #[test]
    fn sizes_that_were_not_known_are_filled_in() {
        for (whole, data) in
            [(u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000), (0, 0), (36, 0), (44, 800), (0, 8), (44, 8)]
        {
            assert_eq!(with_sizes(wav(whole, data)), wav(44, 8), "{whole} {data}");
        }
    }

    #[test]
    fn what_is_cut_short_says_so() {
        assert_eq!(with_sizes(wav(836, 800)), wav(836, 800));
        assert_eq!(with_sizes(b"RIFF\xff\xff\xff\xffWAVE".to_vec()), b"RIFF\xff\xff\xff\xffWAVE");
    }
}
