//! Swin (Liu et al., ICCV 2021): attention within windows, which every second block shifts; between stages 2 x 2 pixels become
//! one of twice the width.

use candle_core::Tensor;
use serde_json::Value;

use crate::embedding::encoders::image::{map, map_states, timm_models, width};
use crate::embedding::encoders::layers::{
    Activation, Convolution, LayerNorm, Window, WindowNames, WindowShape, WindowStages,
};
use crate::embedding::encoders::{Config, Encoder, EncoderError, Hidden, ImageEncoder, Pooling, Result, Weights};

/// PyTorch's epsilon of layer norms.
const EPS: f64 = 1e-5;
/// The classifier or the decoder, the token of hidden patches, and tables that follow from the size of windows.
const UNUSED: &[&str] = &[
    "classifier.*",
    "decoder.*",
    "*mask_token",
    "*relative_position_index",
    "*attn_mask",
    "head.*",
    "timm_model.head.*",
];
/// Arguments of timm that are read.
const ARGUMENTS: [&str; 6] = ["img_size", "patch_size", "embed_dim", "depths", "num_heads", "window_size"];
/// The models of timm. Others of this family have windows of several sizes.
const TIMM: [(&str, Timm); 6] = [
    ("swin_tiny_patch4_window7_224", Timm::new(96, 6, 7)),
    ("swin_small_patch4_window7_224", Timm::new(96, 18, 7)),
    ("swin_base_patch4_window7_224", Timm::new(128, 18, 7)),
    ("swin_base_patch4_window12_384", Timm::new(128, 18, 12)),
    ("swin_large_patch4_window7_224", Timm::new(192, 18, 7)),
    ("swin_large_patch4_window12_384", Timm::new(192, 18, 12)),
];

/// Swin.
#[derive(Debug)]
pub(crate) struct Swin {
    projection: Convolution,
    patch: usize,
    /// The side of the pictures, where there is one alone.
    side: Option<usize>,
    first_norm: LayerNorm,
    stages: WindowStages,
    last_norm: LayerNorm,
    width: usize,
}

/// A model of timm.
struct Timm {
    width: usize,
    depths: [usize; 4],
    heads: [usize; 4],
    window: usize,
    side: usize,
}

impl Timm {
    /// The windows of the last stage are the whole map.
    const fn new(width: usize, third: usize, window: usize) -> Self {
        let heads = width / 32;
        let heads = [heads, 2 * heads, 4 * heads, 8 * heads];
        Self { width, depths: [2, 2, third, 2], heads, window, side: 32 * window }
    }
}

/// Where the tensors are, beside those of the stages.
struct Places {
    /// The layer of the patches and the norm behind it.
    patches: [&'static str; 2],
    /// What the stages are under.
    stages: &'static str,
    last_norm: &'static str,
    blocks: WindowNames,
}

const TRANSFORMERS: Places = Places {
    patches: ["embeddings.patch_embeddings.projection", "embeddings.norm"],
    stages: "encoder",
    last_norm: "layernorm",
    blocks: WindowNames::SWIN,
};
const OF_TIMM: Places = Places {
    patches: ["patch_embed.proj", "patch_embed.norm"],
    stages: "",
    last_norm: "norm",
    blocks: WindowNames::TIMM,
};

impl Swin {
    /// Loads it from the file of the model or of one built on it, or from timm's.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        if let Some((model, arguments)) = timm_models::model(config, &TIMM, &ARGUMENTS)? {
            let shape = WindowShape {
                width: arguments.count(&["embed_dim"], model.width)?,
                depths: arguments.counts(&["depths"], Some(&model.depths))?,
                heads: arguments.counts(&["num_heads"], Some(&model.heads))?,
                window: arguments.count(&["window_size"], model.window)?,
                ratio: 4.0,
                activation: Activation::Gelu,
                eps: EPS,
                merging_eps: EPS,
                biases: true,
            };
            let side = Some(arguments.count(&["img_size"], model.side)?);
            let body = weights.under_one_of(&["timm_model", ""], "patch_embed.proj.weight");
            return Self::load_parts(&body, &OF_TIMM, &shape, arguments.count(&["patch_size"], 4)?, side);
        }
        for (field, value) in [("use_absolute_embeddings", Value::Bool(false)), ("num_channels", Value::from(3))] {
            config.expect(field, &value)?;
        }
        let ratio = config.real(&["mlp_ratio"], 4.0)?;
        if !(0.0..=1024.0).contains(&ratio) {
            return Err(config.wrong("mlp_ratio", "0 to 1024", Some(&Value::from(ratio))));
        }
        let shape = WindowShape {
            width: config.count(&["embed_dim"], 96)?,
            depths: config.counts(&["depths"], Some(&[2, 2, 6, 2]))?,
            heads: config.counts(&["num_heads"], Some(&[3, 6, 12, 24]))?,
            window: config.count(&["window_size"], 7)?,
            ratio,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], EPS)?,
            merging_eps: EPS,
            biases: config.flag(&["qkv_bias"], true)?,
        };
        let body = weights.under_one_of(&["swin", ""], "embeddings.patch_embeddings.projection.weight");
        Self::load_parts(&body, &TRANSFORMERS, &shape, config.count(&["patch_size"], 4)?, None)
    }

    fn load_parts(
        body: &Weights,
        places: &Places,
        shape: &WindowShape,
        patch: usize,
        side: Option<usize>,
    ) -> Result<Self> {
        // At most 8 stages, which it checks.
        let stages = WindowStages::load(&body.under(places.stages), &places.blocks, shape)?;
        let width = shape.width << (shape.depths.len() - 1);
        let [projection, norm] = places.patches;
        let model = Self {
            projection: Convolution::load(body, projection, [3, shape.width], Window::tile(patch), true)?,
            patch,
            side,
            first_norm: LayerNorm::load(body, norm, shape.width, EPS)?,
            stages,
            last_norm: LayerNorm::load(body, places.last_norm, width, shape.eps)?,
            width,
        };
        body.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for Swin {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, false, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl ImageEncoder for Swin {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let map = map(pixels, self.projection.dtype())?;
        let (_, height, width, _) = map.dims4()?;
        if let Some(side) = self.side.filter(|side| [height, width] != [*side; 2]) {
            return Err(EncoderError::Input {
                what: "the size of the pictures",
                expected: format!("{side} x {side}"),
                found: format!("{height} x {width}"),
            });
        }
        // Zeros right and below, up to a whole patch.
        let [down, right] = [height, width].map(|side| side.div_ceil(self.patch) * self.patch - side);
        let map = map.pad_with_zeros(1, 0, down)?.pad_with_zeros(2, 0, right)?;
        let map = self.first_norm.forward(&self.projection.forward(&map)?)?;
        map_states(&self.last_norm.forward(&self.stages.forward(map)?)?, Ok)
    }
}
