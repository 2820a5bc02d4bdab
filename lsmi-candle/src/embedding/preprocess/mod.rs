//! Pictures, sounds and videos made into what encoders read.
//!
//! [`image`] decodes a file and gives the normalised pixels `[3, size, size]` of a picture encoder; [`audio`] decodes a
//! file and gives the samples or spectrograms of a sound encoder; [`video`] finds the frames of a video, each of which is
//! prepared as a picture. All follow the programs that the encoders were trained with to the level of rounding: a picture
//! resized by another filter, or a spectrogram whose frames begin elsewhere, gives a plausible vector that is not the
//! encoder's.
//!
//! Settings come from a manifest's table `[preprocessing]` (they implement `serde::Deserialize`) or from a
//! `preprocessor_config.json`. Everything here works on bytes in memory and gives numbers on the host; no tensor library
//! is involved.

pub mod audio;
mod error;
pub mod image;
pub mod video;

pub use error::PreprocessError;

/// The result of preprocessing.
pub type Result<T, E = PreprocessError> = std::result::Result<T, E>;
