//! ConvNeXt (Liu et al., CVPR 2022), ConvNeXt V2 (Woo et al., CVPR 2023: responses of a map are compared with each other, and
//! nothing is scaled), and the convolutional models of DINOv3 (Siméoni et al., 2025: the mean of the last map is a state
//! before those of its pixels, and all are normed).

use candle_core::{DType, Tensor};

use super::convnext_names::{Names, TIMM, Timm};
use crate::embedding::encoders::image::patches::without_leading;
use crate::embedding::encoders::image::{map, map_states, timm_models, width};
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
    end: End,
    /// Behind the pool; with an activation after it.
    layer: Option<Linear>,
    width: usize,
}

/// What is done to the last map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The mean is normed.
    Mean,
    /// The pixels are normed, then there is the mean.
    Norm,
    /// The mean is put before the pixels, and all are normed.
    State,
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
    response: Option<Response>,
    scale: Option<Tensor>,
}

/// Sizes and kinds of the layers.
#[derive(Debug)]
struct Shape {
    widths: Vec<usize>,
    depths: Vec<usize>,
    patch: usize,
    activation: Activation,
    /// Epsilon of every norm but the last, and of the last.
    eps: [f64; 2],
    scaled: bool,
    compared: bool,
}

impl ConvNext {
    /// Loads ConvNeXt from the file of the model or of a classifier built on it, or from timm's.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        Self::load_version(config, weights, false)
    }

    /// Loads ConvNeXt V2 from the like.
    pub(crate) fn load_v2(config: &Config, weights: &Weights) -> Result<Self> {
        Self::load_version(config, weights, true)
    }

    fn load_version(config: &Config, weights: &Weights, compared: bool) -> Result<Self> {
        let arguments = ["depths", "dims", "head_hidden_size", "patch_size"];
        if let Some((model, arguments)) = timm_models::model(config, &TIMM, &arguments)? {
            return Self::load_timm(model, &arguments, weights, compared);
        }
        let shape = Shape {
            patch: config.count(&["patch_size"], 4)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: [EPS, config.real(&["layer_norm_eps"], 1e-12)?],
            scaled: !compared && config.real(&["layer_scale_init_value"], 1e-6)? > 0.0,
            compared,
            ..Shape::of(config, ["hidden_sizes", "depths"], [&[96, 192, 384, 768], &[3, 3, 9, 3]])?
        };
        let body = weights.under_one_of(&["convnext", "convnextv2", ""], "embeddings.patch_embeddings.weight");
        Self::load_parts([&body, &body], weights, &Names::TRANSFORMERS, &shape, End::Mean)
    }

    fn load_timm(model: &Timm, arguments: &Config, weights: &Weights, compared: bool) -> Result<Self> {
        let shape = Shape {
            patch: arguments.count(&["patch_size"], 4)?,
            activation: Activation::Gelu,
            eps: [model.eps; 2],
            scaled: !compared,
            compared,
            ..Shape::of(arguments, ["dims", "depths"], [&model.widths, &model.depths])?
        };
        let body = weights.under_one_of(&["timm_model", ""], "stem.0.weight");
        let (names, end) =
            if model.norm_first { (Names::TIMM_NORM_FIRST, End::Norm) } else { (Names::TIMM, End::Mean) };
        let hidden = if arguments.has(&["head_hidden_size"]) {
            Some(arguments.count(&["head_hidden_size"], None)?)
        } else {
            model.hidden
        };
        let layer = |hidden| Linear::load(&body, "head.pre_logits.fc", shape.last(), hidden, true);
        let layer = hidden.map(layer).transpose()?;
        Ok(Self { layer, ..Self::load_parts([&body, &body], weights, &names, &shape, end)? })
    }

    /// Loads a convolutional model of DINOv3.
    pub(crate) fn load_dinov3(config: &Config, weights: &Weights) -> Result<Self> {
        let eps = config.real(&["layer_norm_eps"], EPS)?;
        let shape = Shape {
            patch: 4,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: [eps; 2],
            scaled: true,
            compared: false,
            ..Shape::of(config, ["hidden_sizes", "depths"], [&[96, 192, 384, 768], &[3, 3, 9, 3]])?
        };
        let body = weights.under_one_of(&["model", ""], "stages.0.downsample_layers.0.weight");
        Self::load_parts([&body, weights], weights, &Names::DINOV3, &shape, End::State)
    }

    /// `body` are the weights of the stages, and those of the last norm.
    fn load_parts(body: [&Weights; 2], all: &Weights, names: &Names, shape: &Shape, end: End) -> Result<Self> {
        let [body, last] = body;
        let Shape { widths, depths, eps: [eps, last_eps], .. } = shape;
        let [convolution, norm] = names.stem;
        let stem = (
            Convolution::load(body, convolution, [3, widths[0]], Window::tile(shape.patch), true)?,
            LayerNorm::load(body, norm, widths[0], *eps)?,
        );
        let stage = |index: usize| -> Result<Stage> {
            let stage = body.under(&format!("{}.{index}", names.stages));
            let width = widths[index];
            let [norm, convolution] = names.entry;
            let entry = match index.checked_sub(1).map(|before| widths[before]) {
                None => None,
                Some(before) => Some((
                    LayerNorm::load(&stage, norm, before, *eps)?,
                    Convolution::load(&stage, convolution, [before, width], Window::tile(2), true)?,
                )),
            };
            let block = |number| Block::load(&stage.under(&format!("{}.{number}", names.blocks)), names, width, shape);
            Ok(Stage { entry, blocks: (0..depths[index]).map(block).collect::<Result<_>>()? })
        };
        let model = Self {
            stem,
            stages: (0..widths.len()).map(stage).collect::<Result<_>>()?,
            norm: LayerNorm::load(last, names.last, shape.last(), *last_eps)?,
            end,
            layer: None,
            width: shape.last(),
        };
        all.finish(names.unused)?;
        Ok(model)
    }
}

impl Shape {
    /// Reads the widths and depths of the stages.
    fn of(config: &Config, [widths, depths]: [&str; 2], defaults: [&[usize]; 2]) -> Result<Self> {
        let name = widths;
        let widths = config.counts(&[widths], Some(defaults[0]))?;
        let depths = config.counts(&[depths], Some(defaults[1]))?;
        let stages = config.count(&["num_stages"], widths.len())?;
        if widths.is_empty() || widths.contains(&0) || widths.len() != depths.len() || widths.len() != stages {
            return Err(config.wrong(name, "a width of at least 1 for each stage, as many as `depths`", None));
        }
        Ok(Self {
            widths,
            depths,
            patch: 4,
            activation: Activation::Gelu,
            eps: [EPS; 2],
            scaled: true,
            compared: false,
        })
    }

    /// The width of the last stage.
    fn last(&self) -> usize {
        self.widths.last().copied().unwrap_or_default()
    }
}

impl Block {
    fn load(weights: &Weights, names: &Names, width: usize, shape: &Shape) -> Result<Self> {
        let [up, down] = names.perceptron;
        let inner = 4 * width;
        Ok(Self {
            depthwise: Depthwise::load(weights, names.depthwise, width, SEVEN)?,
            norm: LayerNorm::load(weights, names.norm, width, shape.eps[0])?,
            perceptron: [pixelwise(weights, up, [width, inner])?, pixelwise(weights, down, [inner, width])?],
            activation: shape.activation,
            response: if shape.compared { Some(Response::load(&weights.under(names.response), inner)?) } else { None },
            scale: if shape.scaled { Some(weights.get(names.scale, &[width])?) } else { None },
        })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward(&self.depthwise.forward(map)?)?;
        let mut x = self.perceptron[0].activated(&x, self.activation)?;
        if let Some(response) = &self.response {
            x = response.forward(&x)?;
        }
        let mut x = self.perceptron[1].forward(&x)?;
        if let Some(scale) = &self.scale {
            x = x.broadcast_mul(scale)?;
        }
        Ok((map + x)?)
    }
}

/// A linear layer, which may be stored as a convolution of single pixels.
fn pixelwise(weights: &Weights, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Linear> {
    let weights = weights.under(name);
    if weights.shape("weight").is_none_or(|shape| shape.len() != 4) {
        return Linear::load(&weights, "", inputs, outputs, true);
    }
    let weight = weights.get("weight", &[outputs, inputs, 1, 1])?.reshape((outputs, inputs))?;
    Linear::new(weight, Some(weights.get("bias", &[outputs])?))
}

/// Global response normalisation: `x (1 + weight n) + bias`, where `n` is the norm of the channel over the map by the mean of
/// these norms over the channels.
#[derive(Debug)]
struct Response {
    /// Both `[1, 1, channels]`.
    weight: Tensor,
    bias: Tensor,
}

impl Response {
    fn load(weights: &Weights, width: usize) -> Result<Self> {
        let get = |name| -> Result<Tensor> {
            let with_axes = weights.shape(name).is_some_and(|shape| shape.len() > 1);
            let shape: &[usize] = if with_axes { &[1, 1, 1, width] } else { &[width] };
            Ok(weights.get(name, shape)?.to_dtype(DType::F32)?.reshape((1, 1, width))?)
        };
        Ok(Self { weight: get("weight")?, bias: get("bias")? })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = map.dims4()?;
        let x = map.to_dtype(DType::F32)?.reshape((batch, height * width, channels))?;
        // The sums of squares over the map, as a product: [B, 1, pixels] x [B, pixels, channels].
        let ones = Tensor::ones((batch, 1, height * width), DType::F32, map.device())?;
        let norms = ones.matmul(&x.sqr()?)?.sqrt()?;
        let norms = norms.broadcast_div(&(norms.mean_keepdim(2)? + EPS)?)?;
        let factor = (norms.broadcast_mul(&self.weight)? + 1.0)?;
        let y = x.broadcast_mul(&factor)?.broadcast_add(&self.bias)?;
        Ok(y.to_dtype(map.dtype())?.reshape(map.shape())?)
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
        let pooled = self.layer.as_ref().map_or(self.width, Linear::outputs);
        width(pooling, self.width, self.end == End::State, Some(pooled), None)
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
        let behind = |pooled: Tensor| match &self.layer {
            None => Ok(pooled),
            Some(layer) => layer.activated(&pooled, Activation::Gelu),
        };
        match self.end {
            End::Mean => map_states(&map, |mean| behind(self.norm.forward(&mean)?)),
            End::Norm => map_states(&self.norm.forward(&map)?, behind),
            End::State => {
                let pixels = map.flatten(1, 2)?;
                let states = self.norm.forward(&Tensor::cat(&[&pixels.mean_keepdim(1)?, &pixels], 1)?)?;
                let pooled = Some(states.narrow(1, 0, 1)?.squeeze(1)?);
                Ok(Hidden { keep: Some(without_leading(&states, 1)?), states, leading: 0, pooled, projected: None })
            }
        }
    }
}
