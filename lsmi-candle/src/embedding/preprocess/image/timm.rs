//! How the library timm prepares pictures: `pretrained_cfg` of its `config.json`.
//!
//! Its resizes are Pillow's; the shorter side (`center`) or both (`squash`) become `input_size / crop_pct`, rounded
//! down, and the centre is cut out. Sizes that are for tests alone (`test_input_size`) are not used, as
//! `timm.data.resolve_data_config` does not use them.

use serde_json::{Map, Value};

use super::resample::Filter;
use super::settings::{Resize, Settings};
use crate::embedding::preprocess::{PreprocessError, Result};

/// What counts where the file says nothing.
const CROP: f64 = 0.875;
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const STD: [f64; 3] = [0.229, 0.224, 0.225];

impl Settings {
    /// Reads the settings in the fields of timm's `pretrained_cfg`.
    ///
    /// # Errors
    /// [`PreprocessError::Setting`] for a field that asks for what this library does not do: pictures that are not
    /// square, borders, filters other than those of [`Filter`].
    pub fn from_timm(fields: &Map<String, Value>) -> Result<Self> {
        let get = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let wrong =
            |name, found: &Value, expected| PreprocessError::Setting { name, found: found.to_string(), expected };

        let square = "[3, n, n]: other sizes are not built in";
        let side = match get("input_size") {
            None => 224,
            Some(size) => match size.as_array().map(Vec::as_slice) {
                Some([channels, height, width]) if height == width && channels.as_u64() == Some(3) => {
                    let side = height.as_u64().and_then(|side| usize::try_from(side).ok());
                    side.filter(|side| *side > 0).ok_or_else(|| wrong("input_size", size, square))?
                }
                _ => return Err(wrong("input_size", size, square)),
            },
        };
        let part = match get("crop_pct") {
            None => CROP,
            Some(part) => {
                let expected = "a part of 1, 0.05 to 1";
                let found = part.as_f64().filter(|part| (0.05..=1.0).contains(part));
                found.ok_or_else(|| wrong("crop_pct", part, expected))?
            }
        };
        let resize = match get("crop_mode").map(|mode| (mode.as_str(), mode)) {
            None | Some((Some("center"), _)) => Resize::ShortestEdgeEvenCut,
            Some((Some("squash"), _)) => Resize::Exact,
            Some((_, mode)) => return Err(wrong("crop_mode", mode, "center or squash")),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a side is checked after this")]
        let resize_to = (side as f64 / part).floor() as usize;
        if resize == Resize::Exact && (resize_to - side) % 4 == 3 {
            return Err(wrong("crop_mode", &"squash".into(), "center, where the cut is not in the middle"));
        }
        let filter = match get("interpolation").map(|filter| (filter.as_str(), filter)) {
            None | Some((Some("bicubic"), _)) => Filter::Bicubic,
            Some((Some("bilinear"), _)) => Filter::Bilinear,
            Some((Some("lanczos"), _)) => Filter::Lanczos,
            Some((_, filter)) => return Err(wrong("interpolation", filter, "bicubic, bilinear or lanczos")),
        };
        let three = |name, usual: [f64; 3]| match get(name) {
            None => Ok(usual),
            Some(found) => {
                let values = found.as_array().map(|values| values.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
                values.and_then(|values| values.try_into().ok()).ok_or_else(|| wrong(name, found, "three numbers"))
            }
        };
        let settings =
            Self { resize, resize_to, filter, size: side, mean: three("mean", MEAN)?, std: three("std", STD)? };
        settings.check()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<Settings> {
        Settings::from_timm(&serde_json::from_str(fields).unwrap())
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let settings = read("{}").unwrap();
        assert_eq!((settings.resize, settings.resize_to, settings.size), (Resize::ShortestEdgeEvenCut, 256, 224));
        assert_eq!((settings.filter, settings.mean, settings.std), (Filter::Bicubic, MEAN, STD));
    }

    #[test]
    fn what_is_not_done_is_refused_by_name() {
        for (fields, said) in [
            (r#"{"input_size": [3, 224, 192]}"#, "`input_size`"),
            (r#"{"input_size": [1, 224, 224]}"#, "`input_size`"),
            (r#"{"input_size": [3, 0, 0]}"#, "`input_size`"),
            (r#"{"input_size": [3, 90000, 90000]}"#, "`resize_to`"),
            (r#"{"crop_pct": 0}"#, "`crop_pct`"),
            (r#"{"crop_mode": "border"}"#, "`crop_mode`"),
            (r#"{"interpolation": "random"}"#, "`interpolation`"),
            (r#"{"mean": [0.5]}"#, "`mean`"),
            (r#"{"std": [0, 0.5, 0.5]}"#, "`std`"),
            // 21 pixels become 24.
            (r#"{"input_size": [3, 21, 21], "crop_mode": "squash"}"#, "`crop_mode`"),
        ] {
            let error = read(fields).unwrap_err().to_string();
            assert!(error.contains(said), "{fields}: {error}");
        }
    }
}
