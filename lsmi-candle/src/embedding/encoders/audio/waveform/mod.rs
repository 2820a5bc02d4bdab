//! wav2vec 2.0 (Baevski et al., `NeurIPS` 2020) and its successors: convolutions over the samples themselves, and a
//! transformer over the frames.
//!
//! `HuBERT` (Hsu et al., IEEE/ACM TASLP 2021), UniSpeech (Wang et al., ICML 2021), UniSpeech-SAT (Chen et al., ICASSP 2022)
//! and data2vec (Baevski et al., ICML 2022) differ in training and in details of the layers; WavLM has blocks of its own.
//!
//! Every sound of a batch is encoded by itself, without padding: the norm over the time of some models would count it, and
//! frames at the end of a sound would see it.

mod convolution;
mod features;
mod positions;
mod wavlm;

use candle_core::{DType, Tensor};

use self::features::Features;
use self::positions::Positions;
use crate::embedding::encoders::layers::{self, Biases, LayerNorm, Names, Shape};
use crate::embedding::encoders::{
    Architecture, AudioEncoder, Config, Encoder, EncoderError, Hidden, Pooling, Result, Weights,
};

/// Names of the model inside one with a head.
const PREFIXES: [&str; 7] = ["wav2vec2", "hubert", "wavlm", "data2vec_audio", "unispeech", "unispeech_sat", ""];
/// What training alone needs, and the layers of recognisers and classifiers.
const UNUSED: &[&str] = &[
    "*masked_spec_embed",
    "*num_batches_tracked",
    "quantizer.*",
    "project_q.*",
    "project_hid.*",
    "ctc_proj.*",
    "speaker_proj.*",
    "label_embeddings_concat",
    "layer_norm_for_extract.*",
    "lm_head.*",
    "projector.*",
    "classifier.*",
    "layer_weights",
    "tdnn.*",
    "feature_extractor.weight",
    "feature_extractor.bias",
    "objective.*",
];

/// A model of samples.
#[derive(Debug)]
pub(super) struct Waveform {
    features: Features,
    positions: Positions,
    norm: LayerNorm,
    /// Whether the norm comes after the blocks rather than before them.
    norm_last: bool,
    blocks: Blocks,
    width: usize,
    dtype: DType,
}

#[derive(Debug)]
enum Blocks {
    Usual(layers::Blocks),
    Gated(wavlm::Blocks),
}

impl Waveform {
    /// Loads it from the file of a bare model or of one with a head.
    pub(super) fn load(config: &Config, weights: &Weights, architecture: Architecture) -> Result<Self> {
        config.expect("add_adapter", &false.into())?;
        if config.has(&["adapter_attn_dim"]) {
            return Err(config.wrong("adapter_attn_dim", "null: adapters of languages are not built in", None));
        }
        let width = config.count(&["hidden_size"], 768)?;
        let eps = config.real(&["layer_norm_eps"], 1e-5)?;
        let is_data2vec = architecture == Architecture::Data2VecAudio;
        let is_hubert = architecture == Architecture::Hubert;
        let norm_last = !is_data2vec && config.flag(&["do_stable_layer_norm"], false)?;
        let shape = Shape {
            width,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps,
            norm_first: norm_last,
            biases: Biases::All,
            layer_scale: false,
        };
        let count = config.count(&["num_hidden_layers"], 12)?;
        let body = weights.under_one_of(&PREFIXES, "feature_projection.projection.weight");
        let kind = features::Kind {
            always_layer_norm: is_data2vec,
            norm_before_projection: !is_hubert || config.flag(&["feat_proj_layer_norm"], true)?,
        };
        let features = Features::load(config, &body, width, eps, &kind)?;
        let kind = match architecture {
            Architecture::Data2VecAudio => positions::Kind::Several,
            Architecture::Hubert if config.flag(&["conv_pos_batch_norm"], false)? => positions::Kind::BatchNorm,
            _ => positions::Kind::WeightNorm,
        };
        let positions = Positions::load(config, &body, width, &kind)?;
        let blocks = if architecture == Architecture::WavLm {
            Blocks::Gated(wavlm::Blocks::load(config, &body, count, &shape)?)
        } else {
            Blocks::Usual(layers::Blocks::load(&body, "encoder.layers", count, &Names::WAV2VEC2, &shape)?)
        };
        let norm = LayerNorm::load(&body, "encoder.layer_norm", width, eps)?;
        weights.finish(UNUSED)?;
        Ok(Self { features, positions, norm, norm_last, blocks, width, dtype: weights.dtype() })
    }

    /// The samples `[1, T]` of one sound to its states `[1, frames, d]`.
    fn states(&self, samples: &Tensor) -> Result<Tensor> {
        let frames = self.features.forward(&samples.to_dtype(self.dtype)?.unsqueeze(2)?.contiguous()?)?;
        let mut x = self.positions.add(&frames)?;
        if !self.norm_last {
            x = self.norm.forward(&x)?;
        }
        x = match &self.blocks {
            Blocks::Usual(blocks) => blocks.forward(x, None)?,
            Blocks::Gated(blocks) => blocks.forward(x)?,
        };
        if self.norm_last { self.norm.forward(&x) } else { Ok(x) }
    }

    /// The samples of each sound of a batch.
    fn lengths(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Vec<usize>> {
        let least = self.features.least();
        let wrong = |expected: String, found: String| {
            Err(EncoderError::Input { what: "the samples of the sounds", expected, found })
        };
        let &[batch, longest] = features.dims() else {
            return wrong("[sounds, samples]".to_owned(), format!("{:?}", features.dims()));
        };
        let lengths = frames.map_or_else(|| vec![longest; batch], <[usize]>::to_vec);
        if lengths.is_empty() || lengths.len() != batch {
            return wrong(format!("those of {batch} sounds, at least one"), format!("those of {}", lengths.len()));
        }
        match lengths.iter().find(|length| !(least..=longest).contains(length)) {
            Some(found) => wrong(format!("{least} to {longest}"), found.to_string()),
            None => Ok(lengths),
        }
    }
}

impl Encoder for Waveform {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        match pooling {
            Pooling::Mean => Ok(self.width),
            _ => Err(EncoderError::Pooling { pooling, offered: vec![Pooling::Mean] }),
        }
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl AudioEncoder for Waveform {
    fn least_frames(&self) -> usize {
        self.features.least()
    }

    fn encode(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Hidden> {
        let lengths = self.lengths(features, frames)?;
        let of_sound =
            |(sound, length): (usize, &usize)| self.states(&features.narrow(0, sound, 1)?.narrow(1, 0, *length)?);
        let states = lengths.iter().enumerate().map(of_sound).collect::<Result<Vec<_>>>()?;
        let counts = states.iter().map(|states| Ok(states.dim(1)?)).collect::<Result<Vec<usize>>>()?;
        let most = counts.iter().copied().max().unwrap_or(0);
        let filled = |(states, count): (&Tensor, &usize)| Ok(states.pad_with_zeros(1, 0, most - count)?);
        let states = Tensor::cat(&states.iter().zip(&counts).map(filled).collect::<Result<Vec<_>>>()?, 0)?;
        let keep = if counts.iter().all(|count| *count == most) {
            None
        } else {
            let kept = counts.iter().flat_map(|count| (0..most).map(move |frame| u32::from(frame < *count)));
            Some(Tensor::from_iter(kept, states.device())?.reshape((counts.len(), most))?)
        };
        Ok(Hidden { states, keep, leading: 0, pooled: None, projected: None })
    }
}
