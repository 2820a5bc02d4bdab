//! `preprocessor_config.json`: the settings as the Hugging Face hub has them, in the spellings of several years.
//!
//! A size is `{"shortest_edge": n}`, `{"height": n, "width": n}` or, in older files, a number whose meaning depends on
//! the class of the processor. The class is under `image_processor_type` or, in older files, `feature_extractor_type`.

use serde_json::{Map, Value};

use super::resample::Filter;
use super::settings::{Resize, Settings};
use crate::embedding::preprocess::{PreprocessError, Result};

/// How the classes of processors that are built in begin; what follows tells versions apart.
const CLASSES: [&str; 10] =
    ["CLIP", "ChineseCLIP", "ViT", "DeiT", "Bit", "ConvNe", "Siglip", "Siglip2", "Blip", "DINOv3ViT"];
/// Those that cut the centre out unless the file says otherwise.
const CUT: [&str; 4] = ["CLIP", "ChineseCLIP", "DeiT", "Bit"];

/// The side below which `ConvNeXT`'s processor resizes to more than it keeps.
const CONVNEXT_WHOLE: usize = 384;

impl Settings {
    /// Reads the settings in the text of a `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`PreprocessError::Configuration`] for text that is not a JSON object, [`PreprocessError::Setting`] for a field
    /// that is missing or asks for what this library does not do: pictures that are not square, filters other than
    /// those of [`Filter`].
    pub fn from_config(text: &str) -> Result<Self> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|source| PreprocessError::Configuration { source })?;
        Self::from_fields(&fields)
    }

    /// Reads the settings in the fields of a processor, from whatever file.
    ///
    /// # Errors
    /// As [`Settings::from_config`], but for the text.
    pub fn from_fields(fields: &Map<String, Value>) -> Result<Self> {
        let config = Config(fields);
        config.check_class()?;
        for name in ["do_pad", "use_square_size"] {
            if config.flag(name, false)? {
                return Err(wrong(name, &"true", "false: it is not built in"));
            }
        }
        if !config.flag("do_resize", true)? {
            return Err(wrong("do_resize", &"false", "true: encoders read pictures of one size"));
        }
        let (resize, resize_to, size) = config.sides()?;
        let (mean, std) = config.normalisation()?;
        let settings = Self { resize, resize_to, filter: config.filter()?, size, mean, std };
        settings.check()?;
        Ok(settings)
    }
}

fn wrong(name: &'static str, found: &dyn ToString, expected: &'static str) -> PreprocessError {
    PreprocessError::Setting { name, found: found.to_string(), expected }
}

struct Config<'a>(&'a Map<String, Value>);

impl Config<'_> {
    /// A field's value; `null` is as good as absent.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool> {
        let flag = |value: &Value| value.as_bool().ok_or_else(|| wrong(name, &value, "true or false"));
        self.get(name).map_or(Ok(default), flag)
    }

    fn number(&self, name: &'static str) -> Result<Option<f64>> {
        let number = |value: &Value| value.as_f64().ok_or_else(|| wrong(name, &value, "a number"));
        self.get(name).map(number).transpose()
    }

    fn class(&self) -> &str {
        let class = self.get("image_processor_type").or_else(|| self.get("feature_extractor_type"));
        class.and_then(Value::as_str).unwrap_or_default()
    }

    fn is_one_of(&self, classes: &[&str]) -> bool {
        classes.iter().any(|start| self.class().starts_with(start))
    }

    /// Refuses a class that may do something else with the same fields.
    fn check_class(&self) -> Result<()> {
        let class = self.class();
        let rest = CLASSES.iter().filter_map(|start| class.strip_prefix(start));
        let mut kinds =
            rest.map(|rest| rest.trim_start_matches("Xt").trim_start_matches("xt").trim_start_matches("XT"));
        let is_known = |rest: &str| rest.starts_with("ImageProcessor") || rest.starts_with("FeatureExtractor");
        if class.is_empty() || kinds.any(is_known) {
            return Ok(());
        }
        Err(wrong(
            "image_processor_type",
            &class,
            "the class of CLIP, ViT, DeiT, Bit, ConvNext, Siglip, Siglip2, Blip or DINOv3ViT",
        ))
    }

    /// How to resize, to what, and the side of the square that is kept.
    fn sides(&self) -> Result<(Resize, usize, usize)> {
        if self.is_one_of(&["Siglip2"]) {
            let whole = |name, usual| match self.get(name) {
                None => Ok(usual),
                Some(value) => pixels(value).ok_or_else(|| wrong(name, value, "a whole number above 0")),
            };
            return Ok((Resize::WholePatches, whole("max_num_patches", 256)?, whole("patch_size", 16)?));
        }
        let size = self.get("size").ok_or_else(|| wrong("size", &"missing", "a number or an object of sides"))?;
        let (mut resize, resize_to) = side(size, "size")?;
        if size.is_number() && self.is_one_of(&["CLIP", "ChineseCLIP", "Bit", "ConvNe"]) {
            resize = Resize::ShortestEdge;
        }
        if self.is_one_of(&["ConvNe"]) || self.get("crop_pct").is_some() {
            return self.convnext_sides(resize_to);
        }
        if self.flag("do_center_crop", self.is_one_of(&CUT))? {
            let crop = self.get("crop_size").ok_or_else(|| wrong("crop_size", &"missing", "a number of pixels"))?;
            return Ok((resize, resize_to, side(crop, "crop_size")?.1));
        }
        match resize {
            Resize::ShortestEdge => Err(wrong(
                "do_center_crop",
                &"false",
                "true where only the shorter side is resized: encoders read squares",
            )),
            _ => Ok((resize, resize_to, resize_to)),
        }
    }

    /// The processor of `ConvNeXT` and `ResNet`: below 384 pixels the shorter side becomes `size / crop_pct`, rounded
    /// down, and the centre is kept; from there on both sides are resized.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a small number above 0")]
    fn convnext_sides(&self, size: usize) -> Result<(Resize, usize, usize)> {
        if size >= CONVNEXT_WHOLE {
            return Ok((Resize::Exact, size, size));
        }
        let part = self.number("crop_pct")?.unwrap_or(224.0 / 256.0);
        if !(0.05..=1.0).contains(&part) {
            return Err(wrong("crop_pct", &part, "a part of 1, 0.05 to 1"));
        }
        Ok((Resize::ShortestEdge, (size as f64 / part) as usize, size))
    }

    fn filter(&self) -> Result<Filter> {
        let expected = "1 (lanczos), 2 (bilinear) or 3 (bicubic)";
        let Some(value) = self.get("resample") else {
            // As the classes have it, but for ConvNext's, whose versions differ.
            return match self.class() {
                class if ["ViT", "Siglip2", "DINOv3"].iter().any(|start| class.starts_with(start)) => {
                    Ok(Filter::Bilinear)
                }
                "" => Err(wrong("resample", &"missing", expected)),
                class if class.starts_with("ConvNe") => Err(wrong("resample", &"missing", expected)),
                _ => Ok(Filter::Bicubic),
            };
        };
        match value.as_u64() {
            Some(1) => Ok(Filter::Lanczos),
            Some(2) => Ok(Filter::Bilinear),
            Some(3) => Ok(Filter::Bicubic),
            _ => Err(wrong("resample", &value, expected)),
        }
    }

    /// The mean and the divisor of levels that run from 0 to 1, whatever factor the file scales them by.
    fn normalisation(&self) -> Result<([f64; 3], [f64; 3])> {
        let factor = if self.flag("do_rescale", true)? {
            self.number("rescale_factor")?.unwrap_or(1.0 / 255.0) * 255.0
        } else {
            255.0
        };
        if !(factor.is_finite() && factor > 0.0) {
            return Err(wrong("rescale_factor", &(factor / 255.0), "a number above 0"));
        }
        let (mean, std) = if self.flag("do_normalize", true)? {
            (self.colours("image_mean")?, self.colours("image_std")?)
        } else {
            ([0.0; 3], [1.0; 3])
        };
        Ok((mean.map(|mean| mean / factor), std.map(|std| std / factor)))
    }

    fn colours(&self, name: &'static str) -> Result<[f64; 3]> {
        let expected = "three numbers";
        let value = self.get(name).ok_or_else(|| wrong(name, &"missing", expected))?;
        let numbers: Option<Vec<f64>> = value.as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
        numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| wrong(name, &value, expected))
    }
}

fn pixels(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|pixels| usize::try_from(pixels).ok())
}

/// The side of a size, and what is resized to it where the file says so or says a number.
fn side(size: &Value, name: &'static str) -> Result<(Resize, usize)> {
    let refuse =
        || wrong(name, &size, "a number, {\"shortest_edge\": n}, or {\"height\": n, \"width\": n} of equal sides");
    if let Some(number) = pixels(size) {
        return Ok((Resize::Exact, number));
    }
    let object = size.as_object().ok_or_else(refuse)?;
    let at = |key: &str| object.get(key).and_then(pixels);
    match (at("shortest_edge"), at("height"), at("width")) {
        (Some(shortest), None, None) if object.len() == 1 => Ok((Resize::ShortestEdge, shortest)),
        (None, Some(height), Some(width)) if height == width => Ok((Resize::Exact, height)),
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(class: &str, rest: &str) -> Result<Settings> {
        Settings::from_config(&format!(
            r#"{{"image_processor_type": "{class}", "resample": 3, "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.25, 0.25, 0.25], {rest}}}"#
        ))
    }

    #[test]
    fn convnext_keeps_a_part_of_small_images() {
        let small = config("ConvNextImageProcessor", r#""size": {"shortest_edge": 224}, "crop_pct": 0.875"#).unwrap();
        assert_eq!((small.resize, small.resize_to, small.size), (Resize::ShortestEdge, 256, 224));
        let old = config("ConvNextFeatureExtractor", r#""size": 224, "crop_pct": 0.875"#).unwrap();
        assert_eq!(old, small);
        let large = config("ConvNextImageProcessor", r#""size": {"shortest_edge": 384}"#).unwrap();
        assert_eq!((large.resize, large.resize_to, large.size), (Resize::Exact, 384, 384));
    }

    /// The processor of `DeiT` squeezes the picture to a square, of which the centre is kept; CLIP's keeps the aspect.
    #[test]
    fn a_number_means_what_its_class_says() {
        let cut = r#""size": 256, "crop_size": 224"#;
        let deit = config("DeiTFeatureExtractor", cut).unwrap();
        assert_eq!((deit.resize, deit.resize_to, deit.size), (Resize::Exact, 256, 224));
        let clip = config("CLIPFeatureExtractor", cut).unwrap();
        assert_eq!((clip.resize, clip.resize_to, clip.size), (Resize::ShortestEdge, 256, 224));
        let vit = config("ViTImageProcessorFast", cut).unwrap();
        assert_eq!((vit.resize, vit.resize_to, vit.size), (Resize::Exact, 256, 256));
        let error = config("LevitImageProcessor", cut).unwrap_err().to_string();
        assert!(error.contains("`image_processor_type` is LevitImageProcessor"), "{error}");
    }

    #[test]
    fn some_processors_keep_the_aspect_in_whole_patches() {
        let settings = config("Siglip2ImageProcessorFast", r#""patch_size": 14, "max_num_patches": 100"#).unwrap();
        assert_eq!((settings.resize, settings.resize_to, settings.size), (Resize::WholePatches, 100, 14));
        let usual = config("Siglip2ImageProcessor", r#""size": null"#).unwrap();
        assert_eq!((usual.resize_to, usual.size), (256, 16));
        for (rest, said) in [
            (r#""max_num_patches": 0"#, "`resize_to`"),
            (r#""patch_size": 0"#, "`size`"),
            (r#""patch_size": 8192, "max_num_patches": 8192"#, "`size`"),
            (r#""patch_size": [16, 16]"#, "`patch_size`"),
        ] {
            let error = config("Siglip2ImageProcessor", rest).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn levels_may_be_scaled_otherwise() {
        let scaled = config("ViTImageProcessor", r#""size": 32, "rescale_factor": 0.00784313725490196"#).unwrap();
        assert!((scaled.mean[0] - 0.25).abs() < 1e-12 && (scaled.std[0] - 0.125).abs() < 1e-12);
        let plain = config("ViTImageProcessor", r#""size": 32, "do_normalize": false"#).unwrap();
        assert_eq!((plain.mean, plain.std), ([0.0; 3], [1.0; 3]));
    }

    #[test]
    fn what_is_not_done_is_refused_by_name() {
        for (rest, said) in [
            (r#""size": {"height": 32, "width": 48}"#, "`size`"),
            (r#""size": {"shortest_edge": 32}"#, "`do_center_crop`"),
            (r#""size": {"shortest_edge": 32}, "do_center_crop": true"#, "`crop_size`"),
            (r#""size": 32, "do_center_crop": true, "crop_size": 40"#, "`size`"),
            (r#""size": 32, "do_resize": false"#, "`do_resize`"),
            (r#""size": 32, "do_resize": 7"#, "`do_resize`"),
            (r#""size": 32, "do_pad": true"#, "`do_pad`"),
            (r#""size": 32, "rescale_factor": 0"#, "`rescale_factor`"),
            (r#""crop_pct": 0.9"#, "`size`"),
            (r#""size": 32, "crop_pct": 0"#, "`crop_pct`"),
        ] {
            let error = config("ViTImageProcessor", rest).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!(matches!(Settings::from_config("[]"), Err(PreprocessError::Configuration { .. })));
        let missing = Settings::from_config(r#"{"size": 32}"#).unwrap_err();
        assert!(missing.to_string().contains("`image_mean` is missing"), "{missing}");
    }
}
