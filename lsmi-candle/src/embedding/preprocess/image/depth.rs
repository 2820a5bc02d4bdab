//! Depth: a picture of one number to a pixel, of 8 or 16 bits, resized without rounding.
//!
//! What the numbers mean (metres, or the disparity of two eyes, which depends on the camera) is the file's affair: black is
//! read as 0, white as 1.

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use super::decode::decoded;
use super::resample::{Filter, Side, resample_floats};
use super::settings::{LONGEST_SIDE, Pixels};
use crate::embedding::preprocess::{PreprocessError, Result};

/// How depth is resized, cut and normalised for one encoder: the table `[preprocessing]` of its manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct DepthSettings {
    /// Pixels of the shorter side; the other in proportion, rounded down.
    pub resize_to: usize,
    /// The filter of the resize.
    pub filter: Filter,
    /// Pixels of either side of the square cut from the centre, at most `resize_to`.
    pub size: usize,
    /// Subtracted from the numbers, which run from 0 to 1.
    pub mean: f64,
    /// Divides them after that.
    pub std: f64,
}

/// The fields as they are written, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    resize_to: usize,
    filter: Filter,
    size: usize,
    mean: f64,
    std: f64,
}

impl TryFrom<Table> for DepthSettings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { resize_to, filter, size, mean, std } = table;
        let settings = Self { resize_to, filter, size, mean, std };
        settings.check()?;
        Ok(settings)
    }
}

impl DepthSettings {
    fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        if !(1..=LONGEST_SIDE).contains(&self.resize_to) {
            return wrong("resize_to", self.resize_to.to_string(), "1 to 8192 pixels");
        }
        if !(1..=self.resize_to).contains(&self.size) {
            return wrong("size", self.size.to_string(), "at least 1 and at most `resize_to`");
        }
        if !self.mean.is_finite() {
            return wrong("mean", self.mean.to_string(), "a finite number");
        }
        if !(self.std > 0.0 && self.std.is_finite()) {
            return wrong("std", self.std.to_string(), "a number above 0");
        }
        Ok(())
    }

    /// Prepares the bytes of a picture file for the encoder: `[size, size]` in row-major order. `name` stands in errors.
    ///
    /// # Errors
    /// [`PreprocessError`] naming the file that is no grey picture, or the setting outside its range.
    pub fn prepare(&self, name: &str, bytes: &[u8]) -> Result<Pixels> {
        self.check()?;
        let image = decoded(name, bytes)?;
        let values: Vec<f32> = match &image {
            DynamicImage::ImageLuma8(grey) => grey.as_raw().iter().map(|level| f32::from(*level) / 255.0).collect(),
            DynamicImage::ImageLuma16(grey) => grey.as_raw().iter().map(|level| f32::from(*level) / 65_535.0).collect(),
            // Some formats store grey as three equal numbers.
            DynamicImage::ImageRgb8(rgb) if rgb.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]) => {
                rgb.pixels().map(|pixel| f32::from(pixel.0[0]) / 255.0).collect()
            }
            _ => return Err(PreprocessError::Colours { name: name.to_owned() }),
        };
        let (width, height) = (image.width() as usize, image.height() as usize);
        let shorter = width.min(height);
        let side = |from: usize| {
            let to = self.resize_to * from / shorter;
            let start = (to - self.size) / 2;
            Side { from, to, window: start..start + self.size }
        };
        let resized = resample_floats(&values, &side(width), &side(height), self.filter);
        #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
        let normalised = |value: f32| ((f64::from(value) - self.mean) / self.std) as f32;
        let values = resized.into_iter().map(normalised).collect();
        Ok(Pixels { values, height: self.size, width: self.size })
    }
}
