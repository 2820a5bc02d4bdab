//! ImageBind (Girdhar et al., CVPR 2023): a tower for each of six modalities, all of which make vectors of one space.
//!
//! The names of tensors and of sizes are those of the authors' program, as in nielsr/imagebind-huge; where no file says
//! sizes, they are those of that model, the only one released. Towers of temperature and movement are not built in.
//!
//! The authors divide a vector by its length and multiply it by a scale, fixed or learnt, which comparisons of directions
//! do not see: here it is left out, and the projection is what comes before both. Of a video and a sound they take the
//! mean over clips of vectors of length 1.

mod stem;
mod towers;
mod trunk;

pub(super) use towers::{ImageBindAudio, ImageBindDepth, ImageBindText, ImageBindVision};

use super::{Result, Weights};

/// The modalities by the names that the tensors have.
const MODALITIES: [&str; 6] = ["vision", "text", "audio", "depth", "thermal", "imu"];

/// Ends the loading of a tower: the others are not used, nor are the scales of all and the buffer of the causal mask.
fn finish(weights: &Weights, modality: &str) -> Result<()> {
    let others = MODALITIES.into_iter().filter(|other| *other != modality);
    let parts = ["preprocessors", "trunks", "heads"];
    let patterns = others.flat_map(|other| parts.map(|part| format!("modality_{part}.{other}.*")));
    let patterns: Vec<String> = patterns.collect();
    let mut unused = vec!["modality_postprocessors.*", "modality_preprocessors.text.mask"];
    unused.extend(patterns.iter().map(String::as_str));
    weights.finish(&unused)
}
