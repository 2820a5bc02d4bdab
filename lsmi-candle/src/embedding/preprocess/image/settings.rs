//! How a picture is resized, cut and normalised for one encoder.

use serde::{Deserialize, Serialize};

use super::decode::{Image, MOST_PIXELS};
use super::patches::whole_patches;
use super::resample::{Filter, Side, resample};
use crate::embedding::preprocess::{PreprocessError, Result};

/// Sides longer than this are a mistake in the settings: no encoder reads as many pixels.
pub(super) const LONGEST_SIDE: usize = 8192;

/// Which side of the picture becomes `resize_to` pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// The shorter one; the other in proportion, rounded down.
    ShortestEdge,
    /// The same. Where the cut cannot be in the middle it is at the nearest pixel that is even, and not at the one
    /// before, as torchvision and timm have it.
    ShortestEdgeEvenCut,
    /// Both, whatever the aspect.
    Exact,
    /// Both, after the picture was laid in the centre of a white square of its longer side.
    Pad,
    /// Neither: both sides become whole patches of `size` pixels, in nearly the aspect of the picture, and all
    /// patches together `resize_to` at most. Nothing is cut.
    WholePatches,
}

/// How a picture is resized, cut and normalised for one encoder: the table `[preprocessing]` of a picture encoder's
/// manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct Settings {
    /// Which side becomes `resize_to`.
    pub resize: Resize,
    /// Pixels of that side; of [`Resize::WholePatches`] the most patches.
    pub resize_to: usize,
    /// The filter of the resize.
    pub filter: Filter,
    /// Pixels of either side of the square cut from the centre, at most `resize_to`; of [`Resize::WholePatches`] of a
    /// patch.
    pub size: usize,
    /// Subtracted from red, green and blue, whose levels run from 0 to 1.
    pub mean: [f64; 3],
    /// Divides red, green and blue after that.
    pub std: [f64; 3],
}

/// A picture as an encoder takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// `[3, height, width]` in row-major order, red, green and blue one after the other.
    pub values: Vec<f32>,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
}

/// The fields as they are written, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    resize: Resize,
    resize_to: usize,
    filter: Filter,
    size: usize,
    mean: [f64; 3],
    std: [f64; 3],
}

impl TryFrom<Table> for Settings {
    type Error = PreprocessError;

    fn try_from(table: Table) -> Result<Self> {
        let Table { resize, resize_to, filter, size, mean, std } = table;
        let settings = Self { resize, resize_to, filter, size, mean, std };
        settings.check()?;
        Ok(settings)
    }
}

impl Settings {
    /// Checks that sides and divisors are ones a picture can have.
    pub(in crate::embedding::preprocess) fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected| Err(PreprocessError::Setting { name, found, expected });
        let range = 1..=LONGEST_SIDE;
        if !range.contains(&self.resize_to) {
            return wrong("resize_to", self.resize_to.to_string(), "1 to 8192 pixels");
        }
        if self.resize == Resize::WholePatches {
            let pixels = self.size.saturating_mul(self.size).saturating_mul(self.resize_to);
            if !range.contains(&self.size) || pixels > MOST_PIXELS {
                return wrong("size", self.size.to_string(), "the side of a patch, all together at most 2^26 pixels");
            }
        } else if !(1..=self.resize_to).contains(&self.size) {
            return wrong("size", self.size.to_string(), "at least 1 and at most `resize_to`");
        }
        if self.mean.iter().any(|mean| !mean.is_finite()) {
            return wrong("mean", format!("{:?}", self.mean), "three finite numbers");
        }
        if self.std.iter().any(|std| !std.is_finite() || *std <= 0.0) {
            return wrong("std", format!("{:?}", self.std), "three numbers above 0");
        }
        Ok(())
    }

    /// Prepares a picture for the encoder: `(level / 255 - mean) / std`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for settings outside their ranges; [`PreprocessError::TooManyPixels`] where the
    /// white square of [`Resize::Pad`] would have more than 2^26.
    pub fn prepare(&self, image: &Image) -> Result<Pixels> {
        let levels = self.levels(image)?;
        let [height, width] = self.sides(image).map(|side| side.window.len());
        let mut values = Vec::with_capacity(levels.len());
        for (channel, plane) in levels.chunks_exact(height * width).enumerate() {
            let value_of = self.values(channel);
            values.extend(plane.iter().map(|&level| value_of[usize::from(level)]));
        }
        Ok(Pixels { values, height, width })
    }

    /// Returns the levels after the resize and the cut, `[3, height, width]`, before they are normalised.
    ///
    /// # Errors
    /// As [`Settings::prepare`].
    pub fn levels(&self, image: &Image) -> Result<Vec<u8>> {
        self.check()?;
        let padded = match self.resize {
            Resize::Pad => Some(image.on_white_square()?),
            _ => None,
        };
        let image = padded.as_ref().unwrap_or(image);
        let [height, width] = self.sides(image);
        let interleaved = resample(image.levels(), &width, &height, self.filter);
        Ok((0..3).flat_map(|channel| interleaved[channel..].iter().step_by(3).copied()).collect())
    }

    /// How the sides are resized and cut, height first; the settings have been checked.
    fn sides(&self, image: &Image) -> [Side; 2] {
        let sides = [image.height(), image.width()];
        if self.resize == Resize::WholePatches {
            let to = whole_patches(sides, self.size, self.resize_to);
            return [0, 1].map(|side| Side { from: sides[side], to: to[side], window: 0..to[side] });
        }
        let shorter = sides[0].min(sides[1]);
        sides.map(|from| {
            let to = match self.resize {
                Resize::ShortestEdge | Resize::ShortestEdgeEvenCut => self.resize_to * from / shorter,
                _ => self.resize_to,
            };
            let left = to - self.size;
            let mut start = left / 2;
            if self.resize == Resize::ShortestEdgeEvenCut && left % 4 == 3 {
                start += 1;
            }
            Side { from, to, window: start..start + self.size }
        })
    }

    /// The value of every level of a channel.
    #[expect(clippy::cast_possible_truncation, reason = "encoders read single precision")]
    fn values(&self, channel: usize) -> [f32; 256] {
        let (mean, std) = (self.mean[channel] as f32, self.std[channel] as f32);
        std::array::from_fn(|level| ((level as f64 / 255.0) as f32 - mean) / std)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{"resize": "shortest_edge", "resize_to": 8, "filter": "bicubic", "size": 6,
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.25, 1.0]}"#;

    #[test]
    fn a_table_is_read() {
        let settings: Settings = serde_json::from_str(TABLE).unwrap();
        assert_eq!((settings.resize, settings.filter, settings.size), (Resize::ShortestEdge, Filter::Bicubic, 6));
        let white = Image::new(3, 40, vec![255; 360]).unwrap();
        let Pixels { values: pixels, height, width } = settings.prepare(&white).unwrap();
        assert_eq!((height, width), (6, 6));
        assert_eq!([pixels[0], pixels[36], pixels[107]], [1.0, 2.0, 0.5]);
    }

    #[test]
    fn a_table_outside_its_ranges_is_refused() {
        for (right, wrong, said) in [
            ("\"size\": 6", "\"size\": 9", "`size`"),
            ("\"resize_to\": 8", "\"resize_to\": 90000", "`resize_to`"),
            ("1.0]", "0.0]", "`std`"),
            ("bicubic", "nearest", "nearest"),
            ("\"size\"", "\"colour\": 1, \"size\"", "colour"),
        ] {
            let error = serde_json::from_str::<Settings>(&TABLE.replace(right, wrong)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
