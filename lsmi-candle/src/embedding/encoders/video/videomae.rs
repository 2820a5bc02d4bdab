//! VideoMAE (Tong et al., NeurIPS 2022): a vision transformer over blocks of two frames, with positions that are sines and
//! no class token.

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::layers::{
    Attention, Biases, Block, Blocks, LayerNorm, Linear, Names, Shape, TubeletSize, Tubelets,
};
use crate::embedding::encoders::{Config, Encoder, EncoderError, Hidden, Pooling, Result, VideoEncoder, Weights};

/// The classifier, and what restores hidden blocks in training.
const UNUSED: &[&str] = &["classifier.*", "encoder_to_decoder.*", "decoder.*", "mask_token"];
/// The epsilon of the norm of the mean.
const EPS_OF_MEAN: f64 = 1e-5;
/// Numbers that a table of positions has at most.
const MOST_POSITIONS: usize = 1 << 25;

/// VideoMAE.
#[derive(Debug)]
pub(super) struct VideoMae {
    tubelets: Tubelets,
    /// `[1, T, d]`.
    positions: Tensor,
    blocks: Blocks,
    norm: Option<LayerNorm>,
    /// The norm of the mean, where the model is tuned to use it.
    norm_of_mean: Option<LayerNorm>,
    frames: usize,
    side: usize,
}

impl VideoMae {
    /// Loads it from the file of the model, of the one that it is trained by, or of a classifier built on it.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let width = config.count(&["hidden_size"], 768)?;
        let has_bias = config.flag(&["qkv_bias", "qv_bias"], true)?;
        let shape = Shape {
            width,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], 1e-12)?,
            norm_first: true,
            biases: if has_bias { Biases::NotKeys } else { Biases::None },
            layer_scale: false,
        };
        config.expect("num_channels", &3.into())?;
        let side = one_side(config, "image_size", 224)?;
        let patch = one_side(config, "patch_size", 16)?;
        let frames = config.count(&["num_frames"], 16)?;
        let depth = config.count(&["tubelet_size"], 2)?;
        for (name, whole, part) in [("image_size", side, patch), ("num_frames", frames, depth)] {
            if whole % part != 0 {
                return Err(config.wrong(name, &format!("a multiple of {part}"), Some(&whole.into())));
            }
        }
        let body = weights.under_one_of(&["videomae", ""], "embeddings.patch_embeddings.projection.weight");
        let size = TubeletSize { channels: 3, frames: depth, patch };
        let tubelets = Tubelets::load(&body, "embeddings.patch_embeddings.projection", size, width, true, false)?;
        let grid = side / patch;
        let length = (grid * grid).checked_mul(frames / depth);
        let Some(length) = length.filter(|length| *length <= MOST_POSITIONS / width) else {
            return Err(config.wrong("num_frames", "of a clip that fits into memory", Some(&frames.into())));
        };
        let layers = config.count(&["num_hidden_layers"], 12)?;
        let of_mean = config.flag(&["use_mean_pooling"], true)?;
        // The two norms belong to models and classifiers: which of them a file has depends on what it was saved by.
        let norm = if of_mean { None } else { Some(LayerNorm::load(&body, "layernorm", width, shape.eps)?) };
        let norm_of_mean = if of_mean && weights.contains("fc_norm.weight") {
            Some(LayerNorm::load(weights, "fc_norm", width, EPS_OF_MEAN)?)
        } else {
            None
        };
        let block = |index| {
            let weights = body.under(&format!("encoder.layer.{index}"));
            Block::around(attention(&weights, &shape, has_bias)?, &weights, &Names::VIT, &shape)
        };
        let model = Self {
            tubelets,
            positions: sines(length, width)?.to_dtype(weights.dtype())?.to_device(weights.device())?,
            blocks: Blocks::new((0..layers).map(block).collect::<Result<_>>()?)?,
            norm,
            norm_of_mean,
            frames,
            side,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// A side in pixels, which may be written as two that are equal.
fn one_side(config: &Config, name: &str, usual: usize) -> Result<usize> {
    match config.counts(&[name], None) {
        Ok(sides) => match sides[..] {
            [height, width] if height == width && height > 0 => Ok(height),
            _ => Err(config.wrong(name, "a number, or two that are equal", Some(&sides.into()))),
        },
        Err(_) => config.count(&[name], usual),
    }
}

/// The attention of a block. Its biases are parameters of their own in files of years past, those of layers in newer ones.
fn attention(weights: &Weights, shape: &Shape, has_bias: bool) -> Result<Attention> {
    let layer = weights.under("attention.attention");
    if !has_bias || layer.contains("query.bias") {
        return Attention::load(weights, Names::VIT.attention, shape.width, shape.heads, shape.biases);
    }
    let width = shape.width;
    let rows = ["query", "key", "value"].map(|name| layer.get(&format!("{name}.weight"), &[width, width]));
    let weight = Tensor::cat(&rows.into_iter().collect::<Result<Vec<_>>>()?, 0)?;
    let [queries, values] = [layer.get("q_bias", &[width])?, layer.get("v_bias", &[width])?];
    let bias = Tensor::cat(&[&queries, &queries.zeros_like()?, &values], 0)?;
    let output = Linear::load(weights, "attention.output.dense", width, width, true)?;
    Attention::new(&weight, Some(&bias), output, shape.heads)
}

/// The table of positions `[1, length, width]`: pairs of a sine and a cosine, ever slower, in double precision until the end.
fn sines(length: usize, width: usize) -> Result<Tensor> {
    let slowness: Vec<f64> = (0..width).map(|place| 10_000f64.powf((2 * (place / 2)) as f64 / width as f64)).collect();
    let row = |position: usize| {
        slowness.iter().enumerate().map(move |(place, slowness)| {
            let angle = position as f64 / slowness;
            if place % 2 == 0 { angle.sin() } else { angle.cos() }
        })
    };
    let values: Vec<f64> = (0..length).flat_map(row).collect();
    Ok(Tensor::from_vec(values, (1, length, width), &Device::Cpu)?.to_dtype(DType::F32)?)
}

impl Encoder for VideoMae {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let mut offered = vec![Pooling::Mean, Pooling::Max];
        offered.extend(self.norm_of_mean.as_ref().map(|_| Pooling::Pooler));
        if offered.contains(&pooling) {
            return Ok(self.positions.dim(2)?);
        }
        Err(EncoderError::Pooling { pooling, offered })
    }

    fn pooling(&self) -> Pooling {
        if self.norm_of_mean.is_some() { Pooling::Pooler } else { Pooling::Mean }
    }
}

impl VideoEncoder for VideoMae {
    fn frames(&self) -> usize {
        self.frames
    }

    fn encode(&self, clips: &Tensor) -> Result<Hidden> {
        let expected = [self.frames, 3, self.side, self.side];
        if clips.rank() != 5 || clips.dims()[0] == 0 || clips.dims()[1..] != expected {
            return Err(EncoderError::Input {
                what: "the shape of the clips",
                expected: format!("[clips, {}, 3, {}, {}]", self.frames, self.side, self.side),
                found: format!("{:?}", clips.dims()),
            });
        }
        let blocks = self.tubelets.forward(&clips.to_dtype(self.positions.dtype())?)?;
        let mut states = self.blocks.forward(blocks.broadcast_add(&self.positions)?, None)?;
        if let Some(norm) = &self.norm {
            states = norm.forward(&states)?;
        }
        let of_mean = |norm: &LayerNorm| norm.forward(&states.to_dtype(DType::F32)?.mean(1)?.to_dtype(states.dtype())?);
        let pooled = self.norm_of_mean.as_ref().map(of_mean).transpose()?;
        Ok(Hidden { states, keep: None, leading: 0, pooled, projected: None })
    }
}
