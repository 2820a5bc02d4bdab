//! `preprocessor_config.json` of models that read pictures, in the spellings of several years.

use serde_json::Value;

use super::ModelError;
use super::configuration::Configuration;
use super::manifest::{Filter, ImagePreprocessing, Resize};

/// Levels 0 to 255 are scaled to 0 to 1.
const RESCALE: f64 = 1.0 / 255.0;

/// What the file says is done to a picture.
pub(super) fn read(processor: &Configuration) -> Result<ImagePreprocessing, ModelError> {
    let (mut resize, mut resize_to) = size(processor)?;
    let mut size = resize_to;
    let kind = match processor.text("image_processor_type")? {
        Some(kind) => Some(kind),
        None => processor.text("feature_extractor_type")?,
    };
    if kind.is_some_and(|kind| kind.starts_with("ConvNext")) && resize_to < 384 {
        // Resizes so that the crop is this share of the picture; from 384 on it takes the whole, squeezed.
        let share = number(processor, "crop_pct")?.unwrap_or(224.0 / 256.0);
        resize = Resize::ShortestEdge;
        resize_to = scaled(processor, resize_to, share)?;
    } else if kind.is_some_and(|kind| kind.starts_with("ConvNext")) {
        resize = Resize::Exact;
    }
    let is_on = |field: &str, usual: bool| processor.value(field).and_then(Value::as_bool).unwrap_or(usual);
    if processor.value("crop_size").is_some() && is_on("do_center_crop", true) {
        size = crop_size(processor)?;
    } else if resize == Resize::ShortestEdge && size == resize_to {
        return Err(processor.wrong("crop_size", "missing", "must make pictures square after `shortest_edge`"));
    }
    if !is_on("do_resize", true) {
        return Err(processor.wrong("do_resize", "false", "must be true: pictures come in all sizes"));
    }
    if let Some(factor) = number(processor, "rescale_factor")?.filter(|factor| (factor - RESCALE).abs() > 1e-6) {
        return Err(processor.wrong("rescale_factor", &factor.to_string(), "must be 1/255"));
    }
    let filter = match processor.value("resample").map(Value::as_u64) {
        Some(Some(1)) => Filter::Lanczos,
        Some(Some(2)) | None => Filter::Bilinear,
        Some(Some(3)) => Filter::Bicubic,
        Some(_) => {
            let found = processor.value("resample").map(ToString::to_string).unwrap_or_default();
            return Err(processor.wrong("resample", &found, "must be 1 (lanczos), 2 (bilinear) or 3 (bicubic)"));
        }
    };
    let (mean, std) = if is_on("do_normalize", true) {
        (levels(processor, "image_mean")?, levels(processor, "image_std")?)
    } else {
        ([0.0; 3], [1.0; 3])
    };
    if size > resize_to {
        return Err(processor.wrong("crop_size", &size.to_string(), "must be at most `size`"));
    }
    Ok(ImagePreprocessing { resize, resize_to, filter, size, mean, std })
}

/// `size`: a number, `{shortest_edge}`, or `{height, width}`.
fn size(processor: &Configuration) -> Result<(Resize, u32), ModelError> {
    let expected = "must be a number, {shortest_edge}, or the same height and width";
    let Some(value) = processor.value("size") else { return Err(processor.wrong("size", "missing", expected)) };
    let wrong = || processor.wrong("size", &value.to_string(), expected);
    // CLIP's first files have a number and mean the shorter side: they are those that crop.
    let crops = processor.value("crop_size").is_some();
    let read = |value: &Value| as_pixels(value);
    match value {
        Value::Number(_) if crops => Ok((Resize::ShortestEdge, read(value).ok_or_else(wrong)?)),
        Value::Number(_) => Ok((Resize::Exact, read(value).ok_or_else(wrong)?)),
        Value::Object(sides) => match (sides.get("shortest_edge"), sides.get("height"), sides.get("width")) {
            (Some(edge), None, None) => Ok((Resize::ShortestEdge, read(edge).ok_or_else(wrong)?)),
            (None, Some(height), Some(width)) if height == width => {
                Ok((Resize::Exact, read(height).ok_or_else(wrong)?))
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn crop_size(processor: &Configuration) -> Result<u32, ModelError> {
    let value = processor.value("crop_size").cloned().unwrap_or_default();
    let side = match (value.get("height"), value.get("width")) {
        (Some(height), Some(width)) if height == width => as_pixels(height),
        (None, None) => as_pixels(&value),
        _ => None,
    };
    side.ok_or_else(|| {
        processor.wrong("crop_size", &value.to_string(), "must be a number, or the same height and width")
    })
}

fn as_pixels(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|pixels| u32::try_from(pixels).ok()).filter(|pixels| (1..=1 << 14).contains(pixels))
}

fn number(processor: &Configuration, field: &str) -> Result<Option<f64>, ModelError> {
    let Some(value) = processor.value(field) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| processor.wrong(field, &value.to_string(), "must be a number"))
}

/// The length of which `size` is that share, rounded down as the reference does.
fn scaled(processor: &Configuration, size: u32, share: f64) -> Result<u32, ModelError> {
    if !(0.1..=1.0).contains(&share) {
        return Err(processor.wrong("crop_pct", &share.to_string(), "must be a share, such as 0.875"));
    }
    // At most ten times 384.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    Ok((f64::from(size) / share) as u32)
}

fn levels(processor: &Configuration, field: &str) -> Result<[f32; 3], ModelError> {
    let value = processor.value(field).cloned().unwrap_or_default();
    let levels: Option<[f32; 3]> = serde_json::from_value(value.clone()).ok();
    levels.ok_or_else(|| processor.wrong(field, &value.to_string(), "must be three numbers"))
}
