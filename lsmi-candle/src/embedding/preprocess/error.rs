//! Why a picture or a sound cannot be prepared.

use thiserror::Error;

use super::video::VideoError;

/// Why a picture or a sound cannot be prepared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// Bytes that begin like no known format.
    #[error("{name} is not {expected}: the file begins like none of these; convert it")]
    Format {
        /// The file.
        name: String,
        /// The formats that are read.
        expected: &'static str,
    },
    /// A picture of a known format that cannot be decoded.
    #[error("the picture {name} cannot be decoded: it is damaged or cut short; replace it")]
    Image {
        /// The file.
        name: String,
        /// What the decoder found.
        source: Box<image::ImageError>,
    },
    /// A picture whose end is missing.
    #[error("the picture {name} is cut short: its end is missing; replace it")]
    Truncated {
        /// The file.
        name: String,
    },
    /// A picture without pixels.
    #[error("the picture {name} has {width} x {height} pixels: give one that has some")]
    NoPixels {
        /// The file.
        name: String,
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
    },
    /// A picture that would fill the memory.
    #[error("the picture {name} has {width} x {height} pixels, but at most {most} are read: make it smaller")]
    TooManyPixels {
        /// The file.
        name: String,
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels that are read at most.
        most: usize,
    },
    /// A picture of depth that is not grey.
    #[error("the depth map {name} has colours or is transparent: save it in grey, of 8 or 16 bits, as PNG")]
    Colours {
        /// The file.
        name: String,
    },
    /// Levels put together by hand that are not three to a pixel.
    #[error("{width} x {height} pixels have {expected} levels, three each, but {found} were given")]
    Levels {
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
        /// Levels such a picture has.
        expected: usize,
        /// Levels given.
        found: usize,
    },
    /// A sound of a known format that cannot be decoded.
    #[error("the sound {name} cannot be decoded: it is damaged or of a kind that is not read; convert it")]
    Audio {
        /// The file.
        name: String,
        /// What the decoder found.
        source: Box<symphonia::core::errors::Error>,
    },
    /// A file without a track of sound that can be decoded.
    #[error("{name} has no track of sound that can be decoded: convert it to WAV, FLAC, MP3 or Ogg Vorbis")]
    NoTrack {
        /// The file.
        name: String,
    },
    /// A sound without samples.
    #[error("the sound {name} has no samples: give one that lasts")]
    NoSamples {
        /// The file.
        name: String,
    },
    /// A sample that is infinite or not a number.
    #[error("sample {index} of the sound {name} is {value}: replace the file")]
    NotFinite {
        /// The file.
        name: String,
        /// The sample, from 0.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A sampling rate that no recording has.
    #[error("the sound {name} has {found} samples a second, but must have {least} to {most}: convert it")]
    Rate {
        /// The file.
        name: String,
        /// Its rate in hertz.
        found: u32,
        /// The least rate that is read.
        least: u32,
        /// The greatest rate that is read.
        most: u32,
    },
    /// A sound of another sampling rate than the spectrogram's.
    #[error("the spectrogram takes {expected} samples a second, but the sound has {found}: resample it first")]
    OtherRate {
        /// The rate it should have, in hertz.
        expected: u32,
        /// The rate it has.
        found: u32,
    },
    /// A sound too short to be reflected at its ends.
    #[error("{found} samples are too few for a spectrogram: at least {least} are needed; pad the sound with zeros")]
    TooShort {
        /// Samples given.
        found: usize,
        /// Samples needed.
        least: usize,
    },
    /// A sound that is shorter than what an encoder makes one vector of.
    #[error("the sound {name} has {found} samples at the model's rate, but needs at least {least}: give a longer one")]
    TooFewFrames {
        /// The file.
        name: String,
        /// Samples (of spectrograms: frames) that it has.
        found: usize,
        /// Samples that the encoder needs.
        least: usize,
    },
    /// A setting that is missing, of the wrong kind or outside its range.
    #[error("the preprocessing setting `{name}` is {found}, but must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A configuration that is not JSON.
    #[error("the preprocessor configuration is not a JSON object: take `preprocessor_config.json` of the repository")]
    Configuration {
        /// What the parser found.
        source: serde_json::Error,
    },
    /// The frames of a video cannot be had.
    #[error(transparent)]
    Video(#[from] VideoError),
}
