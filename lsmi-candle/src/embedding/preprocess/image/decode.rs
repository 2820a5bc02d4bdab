//! A picture file made into 8-bit red, green and blue.
//!
//! What encoders' own programs do with Pillow is done here: the orientation that a camera wrote is followed,
//! transparency is laid on white, palettes and grey become colours, and of 16 bits the upper 8 are kept.

use std::io::Cursor;

use image::error::{DecodingError, ImageError, ImageFormatHint};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::jpeg;
use crate::embedding::preprocess::{PreprocessError, Result};

/// Pixels that are read at most, against files that are small but say they are huge.
pub(super) const MOST_PIXELS: usize = 1 << 26;
/// Bytes that a decoder may use: eight for each pixel, and half as much again for its own needs.
const MOST_BYTES: u64 = 12 << 26;

/// A picture in memory: 8-bit red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    levels: Vec<u8>,
}

impl Image {
    /// Creates a picture of levels 0 to 255, `[height, width, 3]` in row-major order.
    ///
    /// # Errors
    /// [`PreprocessError::NoPixels`] where a side is zero, [`PreprocessError::TooManyPixels`] where there are more than
    /// 2^26, [`PreprocessError::Levels`] where their number does not fit the sides.
    pub fn new(width: usize, height: usize, levels: Vec<u8>) -> Result<Self> {
        check_sides("in memory", width, height)?;
        let expected = width * height * 3;
        if levels.len() != expected {
            return Err(PreprocessError::Levels { width, height, expected, found: levels.len() });
        }
        Ok(Self { width, height, levels })
    }

    /// Decodes the bytes of a PNG, JPEG or WebP file; of an animation, the first picture. `name` stands in errors.
    ///
    /// # Errors
    /// Whatever the file lacks to be a picture of 1 to 2^26 pixels, as a [`PreprocessError`] that names it.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self> {
        let image = decoded(name, bytes)?;
        Ok(Self { width: image.width() as usize, height: image.height() as usize, levels: levels(&image) })
    }

    /// A picture that is decoded already.
    pub(in crate::embedding::preprocess) fn of(name: &str, image: &DynamicImage) -> Result<Self> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        check_sides(name, width, height)?;
        Ok(Self { width, height, levels: levels(image) })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the levels `[height, width, 3]` in row-major order.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// Puts the picture in the centre of a white square of its longer side; an odd pixel of the border lies right or below.
    ///
    /// # Errors
    /// [`PreprocessError::TooManyPixels`] where the square would have more than 2^26.
    pub fn on_white_square(&self) -> Result<Self> {
        let side = self.width.max(self.height);
        check_sides("padded to a square", side, side)?;
        let (left, top) = ((side - self.width) / 2, (side - self.height) / 2);
        let mut levels = vec![255; side * side * 3];
        for (y, row) in self.levels.chunks_exact(self.width * 3).enumerate() {
            let start = ((top + y) * side + left) * 3;
            levels[start..start + row.len()].copy_from_slice(row);
        }
        Ok(Self { width: side, height: side, levels })
    }
}

/// A picture as its file has it, turned as it says.
pub(super) fn decoded(name: &str, bytes: &[u8]) -> Result<DynamicImage> {
    let damaged = |source| PreprocessError::Image { name: name.to_owned(), source: Box::new(source) };
    let known = |format: &ImageFormat| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP);
    let format = image::guess_format(bytes)
        .ok()
        .filter(known)
        .ok_or_else(|| PreprocessError::Format { name: name.to_owned(), expected: "a PNG, JPEG or WebP picture" })?;
    if format == ImageFormat::Jpeg {
        return decoded_jpeg(name, bytes);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_sides(name, width as usize, height as usize)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn decoded_jpeg(name: &str, bytes: &[u8]) -> Result<DynamicImage> {
    let fault = |fault| match fault {
        jpeg::Fault::Truncated => PreprocessError::Truncated { name: name.to_owned() },
        jpeg::Fault::Damaged(reason) => {
            let source = DecodingError::new(ImageFormatHint::Exact(ImageFormat::Jpeg), reason);
            PreprocessError::Image { name: name.to_owned(), source: Box::new(ImageError::Decoding(source)) }
        }
    };
    let frame = jpeg::read(bytes, fault, |width, height| check_sides(name, width, height))?;
    let [width, height] = [frame.width, frame.height].map(|side| u32::try_from(side).unwrap_or_default());
    let orientation = frame.exif.as_deref().and_then(Orientation::from_exif_chunk);
    let mut image = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, frame.levels()).unwrap_or_default());
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(image)
}

/// Checks that a picture has pixels, and not too many.
pub(in crate::embedding::preprocess) fn check_sides(name: &str, width: usize, height: usize) -> Result<()> {
    let name = || name.to_owned();
    if width == 0 || height == 0 {
        return Err(PreprocessError::NoPixels { name: name(), width, height });
    }
    if width.checked_mul(height).is_none_or(|pixels| pixels > MOST_PIXELS) {
        return Err(PreprocessError::TooManyPixels { name: name(), width, height, most: MOST_PIXELS });
    }
    Ok(())
}

/// Red, green and blue of every pixel, transparency laid on white.
fn levels(image: &DynamicImage) -> Vec<u8> {
    match image {
        DynamicImage::ImageLuma8(grey) => grey.as_raw().iter().flat_map(|&level| [level; 3]).collect(),
        DynamicImage::ImageLuma16(grey) => grey.as_raw().iter().flat_map(|&level| [upper(level); 3]).collect(),
        DynamicImage::ImageLumaA8(grey) => {
            grey.pixels().flat_map(|pixel| [on_white(pixel.0[0], pixel.0[1]); 3]).collect()
        }
        DynamicImage::ImageLumaA16(grey) => {
            grey.pixels().flat_map(|pixel| [on_white(upper(pixel.0[0]), upper(pixel.0[1])); 3]).collect()
        }
        DynamicImage::ImageRgb8(rgb) => rgb.as_raw().clone(),
        DynamicImage::ImageRgb16(rgb) => rgb.as_raw().iter().map(|&level| upper(level)).collect(),
        DynamicImage::ImageRgba16(rgba) => {
            rgba.pixels().flat_map(|pixel| colours_on_white(pixel.0.map(upper))).collect()
        }
        other => other.to_rgba8().pixels().flat_map(|pixel| colours_on_white(pixel.0)).collect(),
    }
}

/// The upper 8 of 16 bits, as Pillow reads them.
fn upper(level: u16) -> u8 {
    level.to_be_bytes()[0]
}

fn colours_on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    [red, green, blue].map(|level| on_white(level, alpha))
}

/// `level * alpha + 255 * (1 - alpha)` for alpha of 0 to 255, rounded to the nearest level.
fn on_white(level: u8, alpha: u8) -> u8 {
    let sum = u32::from(level) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
    u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparency_is_laid_on_white() {
        assert_eq!([on_white(0, 0), on_white(0, 255), on_white(200, 255), on_white(0, 128)], [255, 0, 200, 127]);
    }

    #[test]
    fn a_square_has_the_odd_pixel_right_and_below() {
        let square = Image::new(2, 1, vec![0; 6]).unwrap().on_white_square().unwrap();
        assert_eq!((square.width(), square.height()), (2, 2));
        assert_eq!(square.levels(), [[0; 6], [255; 6]].concat());
    }

    #[test]
    fn sides_and_levels_must_fit() {
        assert!(matches!(Image::new(0, 3, vec![]), Err(PreprocessError::NoPixels { .. })));
        assert!(matches!(Image::new(1, 2, vec![0; 5]), Err(PreprocessError::Levels { expected: 6, found: 5, .. })));
        let long = Image::new(10_000, 1, vec![0; 30_000]).unwrap();
        assert!(matches!(long.on_white_square(), Err(PreprocessError::TooManyPixels { .. })));
    }
}
