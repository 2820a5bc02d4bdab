//! Pictures: from the bytes of a file to the pixels an encoder reads.
//!
//! [`Image::decode`] gives 8-bit red, green and blue; [`Settings`] say how they are resized, cut and normalised, and
//! [`Settings::prepare`] does it.
//!
//! ```
//! use lsmi_candle::embedding::preprocess::image::{Filter, Image, Resize, Settings};
//!
//! let image = Image::new(4, 2, vec![255; 4 * 2 * 3])?;
//! let settings = Settings {
//!     resize: Resize::ShortestEdge,
//!     resize_to: 8,
//!     filter: Filter::Bicubic,
//!     size: 8,
//!     mean: [0.5; 3],
//!     std: [0.5; 3],
//! };
//! let pixels = settings.prepare(&image)?;
//! assert_eq!(pixels.values, vec![1.0; 3 * 8 * 8]);
//! # Ok::<(), lsmi_candle::embedding::preprocess::PreprocessError>(())
//! ```

mod config;
mod decode;
mod depth;
mod jpeg;
mod patches;
mod resample;
mod settings;
mod timm;

pub use decode::Image;
pub(super) use decode::check_sides;
pub use depth::DepthSettings;
pub use resample::Filter;
pub(crate) use resample::{cubic, weights};
pub use settings::{Pixels, Resize, Settings};
