//! AVI files whose frames are JPEG pictures.
//!
//! The chunks `NNdc` and `NNdb` of the list `movi` are the frames of stream `NN`, in their order; they may be grouped in
//! lists `rec `. Indices are not read: they may be missing, and say nothing that is not in the chunks. Files beyond 1 GiB go
//! on in further `RIFF` chunks (`OpenDML`), which are read as well. A chunk of no bytes stands for the frame before it.

use std::io;

use super::VideoError;
use super::chunks::{Chunk, Chunks, Source, bytes, length, list};
use super::clip::MOST_FRAMES;

/// Names of Motion-JPEG, in the headers of streams and of their formats.
const MOTION_JPEG: [&[u8; 4]; 4] = [b"MJPG", b"JPEG", b"AVRN", b"DMB1"];
/// Chunks of all kinds that are looked at: frames, sound, indices.
const MOST_CHUNKS: usize = 1 << 23;
/// Streams are numbered by two digits.
const MOST_STREAMS: usize = 100;

/// Where the frames of a file are.
#[derive(Debug, PartialEq)]
pub(super) struct Avi {
    pub(super) frames: Vec<Chunk>,
    /// Frames a second, where the header says it.
    pub(super) rate: Option<f64>,
}

/// What headers say of the first stream of pictures.
struct Stream {
    number: usize,
    rate: Option<f64>,
}

impl Avi {
    /// Finds the frames of a file.
    pub(super) fn read(name: &str, source: &mut dyn Source) -> Result<Self, VideoError> {
        let failed = |source| VideoError::Read { name: name.to_owned(), source };
        let end = length(source).map_err(failed)?;
        let mut stream = None;
        let mut frames = Vec::new();
        let mut left = MOST_CHUNKS;
        // The lists that are still to be looked into, the next one last.
        let mut open: Vec<(u64, u64)> = vec![(0, end)];
        while let Some((place, end)) = open.pop() {
            let mut chunks = Chunks::between(source, place, end);
            while let Some(chunk) = chunks.next().map_err(failed)? {
                left = left.checked_sub(1).ok_or_else(|| damaged(name, "it has too many chunks"))?;
                let next = chunks.place();
                if matches!(&chunk.name, b"RIFF" | b"LIST") {
                    let (kind, first) = list(source, chunk).map_err(failed)?.unwrap_or((*b"    ", chunk.end));
                    if &kind == b"hdrl" {
                        let found = headers(name, source, Chunk { start: first, ..chunk })?;
                        stream = stream.or(Some(found));
                    } else if matches!(&kind, b"AVI " | b"AVIX" | b"movi" | b"rec ") {
                        // What is inside comes before what follows.
                        open.extend([(next, end), (first, chunk.end)]);
                        break;
                    }
                } else if let Some(Stream { number, .. }) = &stream
                    && is_frame(chunk.name, *number)
                {
                    if frames.len() == MOST_FRAMES {
                        return Err(VideoError::TooManyFrames { name: name.to_owned(), most: MOST_FRAMES });
                    }
                    frames.push(chunk);
                }
                chunks = Chunks::between(source, next, end);
            }
        }
        let Some(stream) = stream else {
            return Err(damaged(name, "its headers are missing"));
        };
        let mut last = None;
        for frame in &mut frames {
            if frame.start == frame.end {
                *frame = last.unwrap_or(*frame);
            }
            last = Some(*frame);
        }
        frames.retain(|frame| frame.start < frame.end);
        Ok(Self { frames, rate: stream.rate })
    }
}

/// Whether a chunk is a frame of the stream: two digits and `dc` or `db`.
fn is_frame(name: [u8; 4], stream: usize) -> bool {
    let [tens, ones, kind @ ..] = name;
    let is_of_stream = tens.is_ascii_digit()
        && ones.is_ascii_digit()
        && usize::from(tens - b'0') * 10 + usize::from(ones - b'0') == stream;
    is_of_stream && matches!(&kind, b"dc" | b"db")
}

/// Reads the headers of streams: the first one of pictures, whose frames must be JPEG.
fn headers(name: &str, source: &mut dyn Source, within: Chunk) -> Result<Stream, VideoError> {
    let failed = |source| VideoError::Read { name: name.to_owned(), source };
    let mut place = within.start;
    for number in 0..MOST_STREAMS {
        let Some(stream) = next_list(source, &mut place, within.end, *b"strl").map_err(failed)? else { break };
        let (mut header, mut format) = (Vec::new(), Vec::new());
        let mut inside = Chunks::between(source, stream.start, stream.end);
        let mut parts = Vec::new();
        while let Some(part) = inside.next().map_err(failed)? {
            parts.push(part);
            if parts.len() > MOST_STREAMS {
                break;
            }
        }
        for part in parts {
            match &part.name {
                b"strh" => header = bytes(source, part, 64).map_err(failed)?,
                b"strf" => format = bytes(source, part, 64).map_err(failed)?,
                _ => {}
            }
        }
        if header.get(..4) != Some(b"vids") {
            continue;
        }
        // The format's own word is what decoders go by; the header's may be anything.
        let words = [format.get(16..20), header.get(4..8)];
        let is_known = |word: &[u8]| MOTION_JPEG.iter().any(|known| known.eq_ignore_ascii_case(word));
        if !words.iter().flatten().any(|word| is_known(word)) {
            let word = words.iter().flatten().next().map_or(String::new(), |word| word.escape_ascii().to_string());
            let found = format!("an AVI whose frames are coded as `{word}`");
            return Err(VideoError::Coding { name: name.to_owned(), found });
        }
        let number_at = |place: usize| {
            let four = header.get(place..place + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
            four.map(u32::from_le_bytes).filter(|number| *number > 0).map(f64::from)
        };
        let rate = number_at(24).zip(number_at(20)).map(|(rate, scale)| rate / scale);
        return Ok(Stream { number, rate });
    }
    Err(VideoError::NoFrames { name: name.to_owned(), reason: "it has no stream of pictures" })
}

/// The next list of a kind, from a place on, which is moved behind it.
fn next_list(source: &mut dyn Source, place: &mut u64, end: u64, kind: [u8; 4]) -> io::Result<Option<Chunk>> {
    for _ in 0..MOST_STREAMS {
        let mut chunks = Chunks::between(source, *place, end);
        let Some(chunk) = chunks.next()? else { break };
        *place = chunks.place();
        if &chunk.name == b"LIST"
            && let Some((found, start)) = list(source, chunk)?
            && found == kind
        {
            return Ok(Some(Chunk { start, ..chunk }));
        }
    }
    Ok(None)
}

fn damaged(name: &str, reason: &str) -> VideoError {
    VideoError::Damaged { name: name.to_owned(), reason: reason.to_owned() }
}
