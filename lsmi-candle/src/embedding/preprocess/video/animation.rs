//! Animated WebP pictures. Each frame is drawn over those before it, so all before one that is wanted are decoded.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder};

use super::VideoError;
use super::chunks::{Chunks, bytes};
use super::clip::{MOST_FRAMES, frame_name};
use crate::embedding::preprocess::image::{Image, check_sides};
use crate::embedding::preprocess::{PreprocessError, Result};

/// Pixels that are drawn at most until the last frame that is wanted: 4096 of a large screen.
const MOST_DRAWN: usize = 1 << 33;

/// An animation in memory.
pub(super) struct Animation {
    bytes: Vec<u8>,
    frames: usize,
    milliseconds: u64,
}

impl Animation {
    /// Counts the frames of a file.
    pub(super) fn read(name: &str, file: Vec<u8>) -> Result<Self, VideoError> {
        let failed = |source| VideoError::Read { name: name.to_owned(), source };
        let end = file.len() as u64;
        let mut source = Cursor::new(&file);
        let mut frames = Vec::new();
        let mut chunks = Chunks::between(&mut source, 12, end);
        while let Some(chunk) = chunks.next().map_err(failed)? {
            if &chunk.name == b"ANMF" {
                frames.push(chunk);
            }
            if frames.len() > MOST_FRAMES {
                return Err(VideoError::TooManyFrames { name: name.to_owned(), most: MOST_FRAMES });
            }
        }
        let mut milliseconds = 0;
        for frame in &frames {
            if let [.., low, middle, high] = bytes(&mut source, *frame, 15).map_err(failed)?[..] {
                milliseconds += u64::from(u32::from_le_bytes([low, middle, high, 0]));
            }
        }
        let frames = frames.len();
        Ok(Self { bytes: file, frames, milliseconds })
    }

    pub(super) fn len(&self) -> usize {
        self.frames
    }

    /// Frames a second, on the average.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.milliseconds > 0).then(|| self.frames as f64 * 1000.0 / self.milliseconds as f64)
    }

    /// What is made of the frames at `places`, which rise.
    pub(super) fn each<T>(&self, name: &str, places: &[usize], make: &impl Fn(&Image) -> Result<T>) -> Result<Vec<T>> {
        let damaged = |frame: usize| {
            move |source| PreprocessError::Image { name: frame_name(name, frame), source: Box::new(source) }
        };
        let decoder = WebPDecoder::new(Cursor::new(&self.bytes)).map_err(damaged(0))?;
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        check_sides(name, width, height)?;
        let most = MOST_DRAWN / (width * height);
        if places.last().is_some_and(|last| *last >= most) {
            return Err(VideoError::TooManyFrames { name: name.to_owned(), most }.into());
        }
        let mut made = Vec::with_capacity(places.len());
        for (frame, picture) in decoder.into_frames().enumerate() {
            let Some(wanted) = places.get(made.len()) else { break };
            let picture = picture.map_err(damaged(frame))?;
            if frame == *wanted {
                let picture = DynamicImage::ImageRgba8(picture.into_buffer());
                made.push(make(&Image::of(&frame_name(name, frame), &picture)?)?);
            }
        }
        match places.get(made.len()) {
            None => Ok(made),
            Some(frame) => {
                Err(VideoError::Damaged { name: name.to_owned(), reason: format!("it has no frame {frame}") }.into())
            }
        }
    }
}
