//! The picture tower of SigLIP (Zhai et al., ICCV 2023): no class token; a learnt query attends to the patches.
//! SigLIP 2 (Tschannen et al., 2025) has the same for squares, and one for pictures of any aspect, whose table of
//! positions is resized.

use candle_core::Tensor;

use crate::embedding::encoders::image::patches::{PatchNames, Patches, Sizes};
use crate::embedding::encoders::image::positions::resize_smoothly;
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{
    Activation, Attention, Biases, Blocks, Convolution, LayerNorm, Linear, Names, Rectifier, Shape, Window,
};
use crate::embedding::encoders::{
    Architecture, Config, Encoder, Hidden, ImageEncoder, Modality, Pooling, Result, Weights,
};
use crate::embedding::preprocess::image::Filter;

/// The other tower, what compares the two, and the classifier of a model built on this one.
const UNUSED: &[&str] = &["*position_ids", "text_model.*", "logit_scale", "logit_bias", "classifier.*"];

/// The picture tower of SigLIP.
#[derive(Debug)]
pub(crate) struct SiglipVision {
    patches: Patches,
    /// Whether pictures may have any number of patches.
    takes_any_aspect: bool,
    blocks: Blocks,
    norm: LayerNorm,
    head: Option<Head>,
    width: usize,
}

/// A query that attends to the patches, and a perceptron.
#[derive(Debug)]
pub(crate) struct Head {
    /// `[1, 1, d]`.
    pub(crate) query: Tensor,
    pub(crate) attention: Attention,
    pub(crate) norm: LayerNorm,
    pub(crate) perceptron: [Linear; 2],
    pub(crate) activation: Activation,
}

impl SiglipVision {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = matches!(config.architecture()?, "siglip" | "siglip2");
        let takes_any_aspect = config.network(Modality::Image)? == Architecture::Siglip2;
        let vision = if whole { config.section("vision_config")? } else { config.clone() };
        let shape = Shape {
            width: vision.count(&["hidden_size"], 768)?,
            heads: vision.count(&["num_attention_heads"], 12)?,
            inner: vision.count(&["intermediate_size"], 3072)?,
            activation: vision.activation(&["hidden_act"], "gelu_pytorch_tanh")?,
            eps: vision.real(&["layer_norm_eps"], 1e-6)?,
            norm_first: true,
            biases: Biases::All,
            layer_scale: false,
        };
        let width = shape.width;
        let patch = vision.count(&["patch_size"], 16)?;
        let names = PatchNames {
            projection: ("patch_embedding", true),
            class_token: None,
            positions: ("position_embedding.weight", false),
        };
        // Newer files of the tower alone leave its name out.
        let body = weights.under_one_of(&["vision_model", ""], "embeddings.patch_embedding.weight");
        let layers = vision.count(&["num_hidden_layers"], 12)?;
        let has_head = vision.flag(&["vision_use_head"], true)?;
        let model = Self {
            patches: if takes_any_aspect {
                patches_of_any_aspect(&vision, &body.under("embeddings"), patch, width)?
            } else {
                let sizes = Sizes { image: vision.count(&["image_size"], 224)?, patch, width };
                Patches::load(&body.under("embeddings"), names, sizes)?
            },
            takes_any_aspect,
            blocks: Blocks::load(&body, "encoder.layers", layers, &Names::CLIP, &shape)?,
            norm: LayerNorm::load(&body, "post_layernorm", width, shape.eps)?,
            head: if has_head { Some(Head::load(&body.under("head"), &shape)?) } else { None },
            width,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// Patches whose layer is a linear one of the pixels row by row, and a square table of positions.
fn patches_of_any_aspect(vision: &Config, weights: &Weights, patch: usize, width: usize) -> Result<Patches> {
    let count = vision.count(&["num_patches"], 256)?;
    let grid = count.isqrt();
    if grid * grid != count {
        return Err(vision.wrong("num_patches", "the square of a number", Some(&count.into())));
    }
    let kernel = weights.get("patch_embedding.weight", &[width, patch * patch * 3])?;
    let kernel = kernel.reshape((width, patch, patch, 3))?.permute((0, 3, 1, 2))?.contiguous()?;
    let bias = weights.get("patch_embedding.bias", &[width])?;
    let projection = Convolution::new(&kernel, bias, Window::tile(patch), Rectifier::None)?;
    let positions = weights.get("position_embedding.weight", &[count, width])?.unsqueeze(0)?;
    Patches::new(projection, None, positions, Sizes { image: grid * patch, patch, width })
}

impl Head {
    fn load(weights: &Weights, shape: &Shape) -> Result<Self> {
        let Shape { width, heads, inner, activation, eps, .. } = *shape;
        let packed = weights.get("attention.in_proj_weight", &[3 * width, width])?;
        let bias = weights.get("attention.in_proj_bias", &[3 * width])?;
        let output = Linear::load(weights, "attention.out_proj", width, width, true)?;
        Ok(Self {
            query: weights.get("probe", &[1, 1, width])?,
            attention: Attention::new(&packed, Some(&bias), output, heads)?,
            norm: LayerNorm::load(weights, "layernorm", width, eps)?,
            perceptron: [
                Linear::load(weights, "mlp.fc1", width, inner, true)?,
                Linear::load(weights, "mlp.fc2", inner, width, true)?,
            ],
            activation,
        })
    }

    /// The vectors `[B, d]` of states `[B, T, d]`.
    pub(crate) fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let (batch, _, width) = states.dims3()?;
        let query = self.query.expand((batch, 1, width))?.contiguous()?;
        let x = self.attention.cross(&query, states)?;
        let inner = self.activation.forward(&self.perceptron[0].forward(&self.norm.forward(&x)?)?)?;
        Ok((x + self.perceptron[1].forward(&inner)?)?.squeeze(1)?)
    }
}

impl Encoder for SiglipVision {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let head = self.head.as_ref().map(|_| self.width);
        width(pooling, self.width, false, head, head)
    }

    fn pooling(&self) -> Pooling {
        if self.head.is_some() { Pooling::Projection } else { Pooling::Mean }
    }
}

impl ImageEncoder for SiglipVision {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let x = if self.takes_any_aspect {
            let smoothly = |table: &Tensor, from, to| resize_smoothly(table, from, to, Filter::Bilinear);
            self.patches.forward_resized(pixels, smoothly)?
        } else {
            self.patches.forward(pixels)?
        };
        let states = self.norm.forward(&self.blocks.forward(x, None)?)?;
        // The pooled vector is the one that is compared with texts.
        let pooled = self.head.as_ref().map(|head| head.forward(&states)).transpose()?;
        Ok(Hidden { states, keep: None, leading: 0, projected: pooled.clone(), pooled })
    }
}
