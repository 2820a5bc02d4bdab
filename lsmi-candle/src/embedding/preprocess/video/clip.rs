//! Where the frames of a video are, and one after the other decoded.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::animation::Animation;
use super::avi::Avi;
use super::chunks::{self, Chunk, Source};
use super::jpeg_end::until_its_end;
use super::{VideoError, names};
use crate::embedding::preprocess::image::Image;
use crate::embedding::preprocess::{PreprocessError, Result};

/// Frames that a video has at most: ten hours of thirty a second.
pub(super) const MOST_FRAMES: usize = 1 << 20;
/// Bytes that a frame, or an animation, has at most.
const MOST_BYTES: u64 = 1 << 28;
/// Endings of the pictures of a folder.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
/// Bytes by which a kind of file is told.
const HEAD: usize = 16;

/// A video: its frames are found, but none is decoded.
pub struct Clip {
    name: String,
    frames: Frames,
    rate: Option<f64>,
}

enum Frames {
    Files(Vec<PathBuf>),
    Bytes(Vec<(String, Vec<u8>)>),
    Avi { source: Box<dyn Source>, chunks: Vec<Chunk> },
    Animation(Animation),
}

impl fmt::Debug for Clip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rate, .. } = self;
        formatter.debug_struct("Clip").field("name", name).field("rate", rate).field("frames", &self.len()).finish()
    }
}

impl Clip {
    /// Finds the frames of a folder of pictures, or of a file. Of a folder, the pictures that end in `.jpg`, `.jpeg`, `.png` or
    /// `.webp` are its frames, in natural order; whatever else is in it is not looked at.
    ///
    /// # Errors
    /// [`PreprocessError::Video`] where it cannot be read, is of a kind that is not read, or has no frames or too many.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |source| VideoError::Read { name: name.clone(), source };
        if path.is_dir() {
            return Self::of_folder(path, name);
        }
        let file = File::open(path).map_err(failed)?;
        Self::of_source(name, Box::new(file))
    }

    /// Finds the frames in the bytes of a file; `name` stands in errors.
    ///
    /// # Errors
    /// As [`Clip::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        Self::of_source(name.to_owned(), Box::new(Cursor::new(bytes)))
    }

    /// Takes the names and bytes of pictures as the frames, in this order; `name` stands in errors that are of none of them.
    ///
    /// # Errors
    /// [`PreprocessError::Video`] where there are none, or too many.
    pub fn from_frames(name: &str, frames: Vec<(String, Vec<u8>)>) -> Result<Self> {
        checked(name.to_owned(), Frames::Bytes(frames), None, "the list is empty")
    }

    /// Takes files of pictures as the frames, in this order; `name` stands in errors that are of none of them.
    ///
    /// # Errors
    /// As [`Clip::from_frames`].
    pub fn from_paths(name: &str, paths: Vec<PathBuf>) -> Result<Self> {
        checked(name.to_owned(), Frames::Files(paths), None, "the list is empty")
    }

    fn of_folder(path: &Path, name: String) -> Result<Self> {
        let files = Self::pictures_of(path)?;
        checked(name, Frames::Files(files), None, "the folder has no pictures, files that end in .jpg, .png or .webp")
    }

    /// Lists the pictures that are the frames of a folder, in their order.
    ///
    /// # Errors
    /// [`PreprocessError::Video`] where it cannot be read, or has too many.
    pub(crate) fn pictures_of(folder: &Path) -> Result<Vec<PathBuf>> {
        let name = folder.display().to_string();
        let failed = |source| VideoError::Read { name: name.clone(), source };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let file = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
            let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
            let is_picture = PICTURES.iter().any(|known| known.eq_ignore_ascii_case(ending));
            if is_picture && !file.starts_with('.') {
                if found.len() == MOST_FRAMES {
                    return Err(VideoError::TooManyFrames { name, most: MOST_FRAMES }.into());
                }
                found.push((file, path));
            }
        }
        found.sort_by(|(left, _), (right, _)| names::compare(left, right));
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    fn of_source(name: String, mut source: Box<dyn Source>) -> Result<Self> {
        let failed = |source| VideoError::Read { name: name.clone(), source };
        let mut head = Vec::with_capacity(HEAD);
        Read::take(source.as_mut(), HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ") {
            let Avi { frames, rate } = Avi::read(&name, source.as_mut())?;
            return checked(name, Frames::Avi { source, chunks: frames }, rate, "it has no chunk of a picture");
        }
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            let length = chunks::length(source.as_mut()).map_err(failed)?;
            if length > MOST_BYTES {
                return Err(VideoError::LargeFrame { name, frame: 0, found: length, most: MOST_BYTES }.into());
            }
            let mut bytes = Vec::new();
            source.seek(SeekFrom::Start(0)).map_err(failed)?;
            source.read_to_end(&mut bytes).map_err(failed)?;
            let animation = Animation::read(&name, bytes)?;
            let rate = animation.rate();
            return checked(name, Frames::Animation(animation), rate, "it is no animation");
        }
        match kind(&head) {
            Some(found) => Err(VideoError::Coding { name, found: found.to_owned() }.into()),
            None => Err(VideoError::Format { name }.into()),
        }
    }

    /// Returns the name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts the frames; there is at least one.
    pub fn len(&self) -> usize {
        match &self.frames {
            Frames::Files(files) => files.len(),
            Frames::Bytes(pictures) => pictures.len(),
            Frames::Avi { chunks, .. } => chunks.len(),
            Frames::Animation(animation) => animation.len(),
        }
    }

    /// Whether there are no frames, which no clip that is made is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the frames a second, where the file says it.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Decodes the frames at these places, each once, and gives what is made of them, in the order of the places.
    ///
    /// # Errors
    /// [`PreprocessError`] naming the frame that is not there or cannot be decoded; as `make`.
    pub fn read<T: Clone>(&mut self, places: &[usize], make: impl Fn(&Image) -> Result<T>) -> Result<Vec<T>> {
        let mut wanted = places.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let made = match &mut self.frames {
            Frames::Animation(animation) => animation.each(&self.name, &wanted, &make)?,
            Frames::Files(files) => {
                let one = |place: &usize| {
                    let path = files.get(*place).ok_or_else(|| absent(&self.name, *place))?;
                    let name = path.display().to_string();
                    let failed = |source| VideoError::Read { name: name.clone(), source };
                    let file = File::open(path).map_err(failed)?;
                    let found = file.metadata().map_err(failed)?.len();
                    check_bytes(&self.name, *place, found)?;
                    let mut bytes = Vec::new();
                    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
                    make(&Image::decode(&name, &bytes)?)
                };
                wanted.iter().map(one).collect::<Result<_>>()?
            }
            Frames::Bytes(pictures) => {
                let one = |place: &usize| {
                    let (name, bytes) = pictures.get(*place).ok_or_else(|| absent(&self.name, *place))?;
                    make(&Image::decode(name, bytes)?)
                };
                wanted.iter().map(one).collect::<Result<_>>()?
            }
            Frames::Avi { source, chunks } => {
                let mut one = |place: &usize| {
                    let chunk = *chunks.get(*place).ok_or_else(|| absent(&self.name, *place))?;
                    check_bytes(&self.name, *place, chunk.end.saturating_sub(chunk.start))?;
                    let failed = |source| VideoError::Read { name: self.name.clone(), source };
                    let bytes = chunks::bytes(source.as_mut(), chunk, MOST_BYTES).map_err(failed)?;
                    if is_interlaced(&bytes) {
                        let found = "an AVI of half pictures (interlaced)".to_owned();
                        return Err(VideoError::Coding { name: self.name.clone(), found }.into());
                    }
                    make(&Image::decode(&frame_name(&self.name, *place), &bytes)?)
                };
                wanted.iter().map(&mut one).collect::<Result<Vec<_>>>()?
            }
        };
        let of = |place: &usize| {
            let number = wanted.binary_search(place).ok().and_then(|index| made.get(index));
            number.cloned().ok_or_else(|| absent(&self.name, *place))
        };
        places.iter().map(of).collect()
    }
}

/// How a frame is called in messages.
pub(super) fn frame_name(name: &str, frame: usize) -> String {
    format!("frame {frame} of {name}")
}

fn checked(name: String, frames: Frames, rate: Option<f64>, reason: &'static str) -> Result<Clip> {
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    let clip = Clip { name, frames, rate };
    match clip.len() {
        0 => Err(VideoError::NoFrames { name: clip.name, reason }.into()),
        1..=MOST_FRAMES => Ok(clip),
        _ => Err(VideoError::TooManyFrames { name: clip.name, most: MOST_FRAMES }.into()),
    }
}

fn check_bytes(name: &str, frame: usize, found: u64) -> Result<()> {
    if found > MOST_BYTES {
        return Err(VideoError::LargeFrame { name: name.to_owned(), frame, found, most: MOST_BYTES }.into());
    }
    Ok(())
}

fn absent(name: &str, frame: usize) -> PreprocessError {
    VideoError::Damaged { name: name.to_owned(), reason: format!("it has no frame {frame}") }.into()
}

/// Whether a frame says that it is one of two half pictures, and the other is behind it.
fn is_interlaced(bytes: &[u8]) -> bool {
    let says_so = bytes.get(6..10) == Some(b"AVI1") && bytes.get(10).is_some_and(|field| *field != 0);
    let behind = || Some(&bytes[until_its_end(bytes)?.len()..]);
    says_so && behind().is_some_and(|rest| rest.windows(3).any(|three| three == [0xFF, 0xD8, 0xFF]))
}

/// The kind of a file that is known and not read.
fn kind(head: &[u8]) -> Option<&'static str> {
    let starts = |bytes: &[u8]| head.starts_with(bytes);
    match head {
        _ if head.get(4..8) == Some(b"ftyp") || head.get(4..8) == Some(b"moov") => Some("an MP4 or QuickTime file"),
        _ if starts(&[0x1A, 0x45, 0xDF, 0xA3]) => Some("a Matroska or WebM file"),
        _ if starts(b"GIF8") => Some("a GIF"),
        _ if starts(b"OggS") => Some("an Ogg file"),
        _ if starts(b"FLV") => Some("a Flash video"),
        _ if starts(&[0x30, 0x26, 0xB2, 0x75]) => Some("a Windows Media file"),
        _ if starts(&[0, 0, 1, 0xBA]) || starts(&[0, 0, 1, 0xB3]) => Some("an MPEG file"),
        _ if starts(&[0, 0, 0, 1]) || starts(&[0, 0, 1]) => Some("a raw stream of H.264 or HEVC"),
        _ if starts(&[0x47, 0x40]) => Some("an MPEG transport stream"),
        _ => None,
    }
}
