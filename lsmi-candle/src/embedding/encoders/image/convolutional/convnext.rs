//! ConvNeXt (Liu et al., CVPR 2022).

use candle_core::Tensor;

use crate::embedding::encoders::image::{map, map_states, width};
use crate::embedding::encoders::layers::{Activation, Convolution, Depthwise, LayerNorm, Linear, Padding, Window};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The epsilon of every norm but the last.
const EPS: f64 = 1e-6;
/// The window of a block.
const SEVEN: Window = Window { kernel: 7, stride: 1, padding: Padding::Even(3) };

/// ConvNeXt.
#[derive(Debug)]
pub(crate) struct ConvNext {
    stem: (Convolution, LayerNorm),
    stages: Vec<Stage>,
    norm: LayerNorm,
    width: usize,
}

/// Maps of one width.
#[derive(Debug)]
struct Stage {
    /// Halves the sides.
    entry: Option<(LayerNorm, Convolution)>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    depthwise: Depthwise,
    norm: LayerNorm,
    perceptron: [Linear; 2],
    activation: Activation,
    scale: Option<Tensor>,
}

impl ConvNext {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let widths = config.counts(&["hidden_sizes"], Some(&[96, 192, 384, 768]))?;
        let depths = config.counts(&["depths"], Some(&[3, 3, 9, 3]))?;
        let last = widths.last().copied().filter(|_| widths.len() == depths.len() && !widths.contains(&0));
        let Some(last) = last else {
            return Err(config.wrong("hidden_sizes", "a width of at least 1 for each of `depths`", None));
        };
        let activation = config.activation(&["hidden_act"], "gelu")?;
        let eps = config.real(&["layer_norm_eps"], 1e-12)?;
        let scaled = config.real(&["layer_scale_init_value"], 1e-6)? > 0.0;
        let window = Window::tile(config.count(&["patch_size"], 4)?);
        let body = weights.under_one_of(&["convnext", ""], "embeddings.patch_embeddings.weight");
        let stem = (
            Convolution::load(&body, "embeddings.patch_embeddings", [3, widths[0]], window, true)?,
            LayerNorm::load(&body, "embeddings.layernorm", widths[0], EPS)?,
        );
        let stage = |index: usize| -> Result<Stage> {
            let stage = body.under(&format!("encoder.stages.{index}"));
            let width = widths[index];
            let entry = match index.checked_sub(1).map(|before| widths[before]) {
                None => None,
                Some(before) => Some((
                    LayerNorm::load(&stage, "downsampling_layer.0", before, EPS)?,
                    Convolution::load(&stage, "downsampling_layer.1", [before, width], Window::tile(2), true)?,
                )),
            };
            let block = |layer| Block::load(&stage.under(&format!("layers.{layer}")), width, activation, scaled);
            Ok(Stage { entry, blocks: (0..depths[index]).map(block).collect::<Result<_>>()? })
        };
        let model = Self {
            stem,
            stages: (0..widths.len()).map(stage).collect::<Result<_>>()?,
            norm: LayerNorm::load(&body, "layernorm", last, eps)?,
            width: last,
        };
        weights.finish(&["classifier.*"])?;
        Ok(model)
    }
}

impl Block {
    fn load(weights: &Weights, width: usize, activation: Activation, scaled: bool) -> Result<Self> {
        Ok(Self {
            depthwise: Depthwise::load(weights, "dwconv", width, SEVEN)?,
            norm: LayerNorm::load(weights, "layernorm", width, EPS)?,
            perceptron: [
                Linear::load(weights, "pwconv1", width, 4 * width, true)?,
                Linear::load(weights, "pwconv2", 4 * width, width, true)?,
            ],
            activation,
            scale: if scaled { Some(weights.get("layer_scale_parameter", &[width])?) } else { None },
        })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward(&self.depthwise.forward(map)?)?;
        let mut x = self.perceptron[1].forward(&self.activation.forward(&self.perceptron[0].forward(&x)?)?)?;
        if let Some(scale) = &self.scale {
            x = x.broadcast_mul(scale)?;
        }
        Ok((map + x)?)
    }
}

impl Stage {
    fn forward(&self, map: Tensor) -> Result<Tensor> {
        let map = match &self.entry {
            None => map,
            Some((norm, convolution)) => convolution.forward(&norm.forward(&map)?)?,
        };
        self.blocks.iter().try_fold(map, |map, block| block.forward(&map))
    }
}

impl Encoder for ConvNext {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, false, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl ImageEncoder for ConvNext {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let (convolution, norm) = &self.stem;
        let map = norm.forward(&convolution.forward(&map(pixels, convolution.dtype())?)?)?;
        let map = self.stages.iter().try_fold(map, |map, stage| stage.forward(map))?;
        map_states(&map, |mean| self.norm.forward(&mean))
    }
}
