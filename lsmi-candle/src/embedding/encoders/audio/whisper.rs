//! The encoder of Whisper (Radford et al., ICML 2023): two convolutions along time, the second of which halves the
//! frames, and a transformer.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Activation, Biases, Blocks, FrameConvolution, LayerNorm, Names, Shape};
use crate::embedding::encoders::{AudioEncoder, Config, Encoder, EncoderError, Hidden, Pooling, Result, Weights};

/// The decoder, and the layers of a classifier built on the encoder.
const UNUSED: &[&str] = &["model.decoder.*", "decoder.*", "proj_out.*", "projector.*", "classifier.*", "layer_weights"];
/// Whisper's epsilon of norms.
const EPS: f64 = 1e-5;

/// The encoder of Whisper.
#[derive(Debug)]
pub(super) struct Whisper {
    convolutions: [FrameConvolution; 2],
    /// `[positions, d]`.
    positions: Tensor,
    blocks: Blocks,
    norm: LayerNorm,
    bins: usize,
}

impl Whisper {
    /// Loads it from the file of the whole model or of the encoder alone.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let width = config.count(&["d_model"], 384)?;
        let shape = Shape {
            width,
            heads: config.count(&["encoder_attention_heads"], 6)?,
            inner: config.count(&["encoder_ffn_dim"], 1536)?,
            activation: config.activation(&["activation_function"], "gelu")?,
            eps: EPS,
            norm_first: true,
            biases: Biases::NotKeys,
            layer_scale: false,
        };
        let bins = config.count(&["num_mel_bins"], 80)?;
        let positions = config.count(&["max_source_positions"], 1500)?;
        let body = weights.under_one_of(&["model.encoder", "encoder", ""], "conv1.weight");
        let layers = config.count(&["encoder_layers"], 4)?;
        // Whatever the configuration says of the activation: it is that of the blocks alone.
        let convolution = |name, inputs, stride| {
            FrameConvolution::load(&body.under(name), [inputs, width], 3, stride, Activation::Gelu)
        };
        let model = Self {
            convolutions: [convolution("conv1", bins, 1)?, convolution("conv2", width, 2)?],
            positions: body.get("embed_positions.weight", &[positions, width])?,
            blocks: Blocks::load(&body, "layers", layers, &Names::WHISPER, &shape)?,
            norm: LayerNorm::load(&body, "layer_norm", width, EPS)?,
            bins,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Whisper {
    /// Which positions are of a sound rather than of padding, `[B, T]`: one for every two frames.
    fn positions_of_audio(&self, frames: &[usize]) -> Result<Tensor> {
        let length = self.positions.dim(0)?;
        let of_one = |frames: &usize| {
            let audio = usize::max(frames.div_ceil(2), 1);
            (0..length).map(move |position| u32::from(position < audio)).collect::<Vec<_>>()
        };
        let values: Vec<u32> = frames.iter().flat_map(of_one).collect();
        Ok(Tensor::from_vec(values, (frames.len(), length), self.positions.device())?)
    }
}

impl Encoder for Whisper {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        match pooling {
            Pooling::Mean => Ok(self.positions.dim(1)?),
            _ => Err(EncoderError::Pooling { pooling, offered: vec![Pooling::Mean] }),
        }
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl AudioEncoder for Whisper {
    fn encode(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Hidden> {
        let length = 2 * self.positions.dim(0)?;
        if !matches!(*features.dims(), [batch, bins, found] if batch > 0 && bins == self.bins && found == length) {
            return Err(EncoderError::Input {
                what: "the shape of the spectrograms",
                expected: format!("[sounds, {}, {length}]", self.bins),
                found: format!("{:?}", features.dims()),
            });
        }
        let mut x = features.to_dtype(self.positions.dtype())?.transpose(1, 2)?;
        for convolution in &self.convolutions {
            x = convolution.forward(&x)?;
        }
        let x = x.broadcast_add(&self.positions)?;
        let states = self.norm.forward(&self.blocks.forward(x, None)?)?;
        let keep = frames.map(|frames| self.positions_of_audio(frames)).transpose()?;
        Ok(Hidden { states, keep, leading: 0, pooled: None, projected: None })
    }
}
