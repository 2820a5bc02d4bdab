//! Videos: from files to the frames that an encoder reads.
//!
//! A [`Clip`] knows where its frames are and decodes only those that are asked for. It is one of
//!
//! - a folder of pictures, in natural order: `frame2` before `frame10`;
//! - a list of pictures ([`Clip::from_frames`], [`Clip::from_paths`]);
//! - an AVI file whose frames are JPEG pictures (Motion-JPEG);
//! - an animated WebP picture.
//!
//! MP4 and other containers of H.264, HEVC, VP9 or AV1 are refused by name, with the command line that makes frames of
//! them: what decodes these is too large to be built in.
//!
//! [`Settings`] say how many frames are read and where, and how each is prepared as a picture.
//!
//! ```
//! use lsmi_candle::embedding::preprocess::image::{Filter, Resize, Settings as ImageSettings};
//! use lsmi_candle::embedding::preprocess::video::Settings;
//!
//! let of_frames = ImageSettings {
//!     resize: Resize::ShortestEdge,
//!     resize_to: 224,
//!     filter: Filter::Bilinear,
//!     size: 224,
//!     mean: [0.5; 3],
//!     std: [0.5; 3],
//! };
//! let settings = Settings { clips: 1, frames: 4, seconds: None, of_frames };
//! // The middle of each of four equal parts.
//! assert_eq!(settings.places(100, None), [[12, 37, 62, 87]]);
//! # Ok::<(), lsmi_candle::embedding::preprocess::PreprocessError>(())
//! ```

mod animation;
mod avi;
mod chunks;
mod clip;
mod error;
mod jpeg_end;
mod names;
mod settings;

pub use clip::Clip;
pub use error::VideoError;
pub use settings::Settings;
