//! The sound tower of CLAP (Wu et al., ICASSP 2023), which is HTS-AT (Chen et al., ICASSP 2022): the frames of a
//! log-mel spectrogram are laid out as a square picture, over which windows are shifted; the mean of its states is
//! the sound's vector.
//!
//! A model with fusion reads four spectrograms of every sound: the whole, shrunk to the length that the model takes,
//! and three chunks of it. A sound counts as longer than that where it is told to have more frames than are given;
//! the chunks of the others are not looked at. (Where no sound of a batch is longer, the authors' code takes one by
//! chance for longer, which training needs; here what a vector is does not depend on others.)

mod fusion;
mod picture;

use candle_core::{DType, Tensor};

use super::patches::{PatchWindow, Patches};
use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear, WindowNames, WindowShape, WindowStages};
use crate::embedding::encoders::{AudioEncoder, Config, Encoder, EncoderError, Hidden, Pooling, Result, Weights};
use fusion::Fusion;
use picture::Picture;

/// The other tower, what compares the two, and buffers.
const UNUSED: &[&str] =
    &["text_model.*", "text_projection.*", "logit_scale*", "*relative_position_index", "*num_batches_tracked"];
/// Epsilon of the norms outside blocks, which no configuration says.
const EPS: f64 = 1e-5;
/// The largest side of a picture, and the most frames that one may hold.
const MOST_SIDE: usize = 2048;
const MOST_FRAMES: usize = 1 << 16;

/// The sound tower of CLAP.
#[derive(Debug)]
pub(super) struct ClapAudio {
    picture: Picture,
    patches: Patches,
    fusion: Option<Fusion>,
    patch_norm: Option<LayerNorm>,
    stages: WindowStages,
    norm: LayerNorm,
    projection: Option<Projection>,
    width: usize,
    dtype: DType,
}

impl ClapAudio {
    /// Loads it from the file of the whole model or of the tower, with or without projection.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = config.architecture()? == "clap";
        let audio = if whole { config.section("audio_config")? } else { config.clone() };
        audio.expect("flatten_patch_embeds", &true.into())?;
        audio.expect("patch_embed_input_channels", &1.into())?;
        let shape = window_shape(&audio)?;
        let window = patch_window(&audio)?;
        let picture_side = audio.count(&["spec_size"], 256)?;
        let bins = audio.count(&["num_mel_bins"], 64)?;
        if picture_side % bins != 0 {
            let expected = "a multiple of `num_mel_bins`";
            return Err(audio.wrong("spec_size", expected, Some(&picture_side.into())));
        }
        // More would be a matrix that does not fit into memory.
        if picture_side > MOST_SIDE || picture_side * picture_side / bins > MOST_FRAMES {
            let expected = "at most 2048, of at most 65536 frames";
            return Err(audio.wrong("spec_size", expected, Some(&picture_side.into())));
        }
        let grid = [picture_side / window.stride[0], picture_side / window.stride[1]];
        if window.counts([picture_side; 2]) != Some(grid) {
            let expected = "one that gives `spec_size / patch_stride` patches";
            return Err(audio.wrong("patch_size", expected, Some(&window.kernel.to_vec().into())));
        }
        let body = weights.under_one_of(&["audio_model.audio_encoder", "audio_encoder"], "norm.weight");
        let embed = body.under("patch_embed");
        // Checked before it is doubled for every stage.
        let patches = Patches::load(&embed, "proj", shape.width, window)?;
        let fusion = if audio.flag(&["enable_fusion"], false)? {
            // Of the other kinds one has more input channels, the others more layers.
            audio.expect("fusion_type", &"aff_2d".into())?;
            let reduction = audio.count(&["aff_block_r"], 4)?;
            if reduction > shape.width {
                let expected = "at most `patch_embeds_hidden_size`";
                return Err(audio.wrong("aff_block_r", expected, Some(&reduction.into())));
            }
            Some(Fusion::load(&embed, shape.width, reduction, window)?)
        } else {
            None
        };
        let patch_norm = if audio.flag(&["enable_patch_layer_norm"], true)? {
            Some(LayerNorm::load(&embed, "norm", shape.width, EPS)?)
        } else {
            None
        };
        let stages = WindowStages::load(&body, &WindowNames::SWIN, &shape)?;
        let width = shape.width << (shape.depths.len() - 1);
        let model = Self {
            picture: Picture::load(&body, bins, picture_side)?,
            patches,
            fusion,
            patch_norm,
            stages,
            norm: LayerNorm::load(&body, "norm", width, EPS)?,
            projection: Projection::load(weights, "audio_projection", width, [config, &audio])?,
            width,
            dtype: weights.dtype(),
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }

    /// Which sounds are longer than what the model takes.
    fn are_longer(frames: Option<&[usize]>, sounds: usize, length: usize) -> Result<Vec<bool>> {
        let Some(frames) = frames else { return Ok(vec![false; sounds]) };
        if frames.len() != sounds {
            return Err(EncoderError::Input {
                what: "the number of lengths of sounds",
                expected: sounds.to_string(),
                found: frames.len().to_string(),
            });
        }
        Ok(frames.iter().map(|frames| *frames > length).collect())
    }

    /// The patches `[B, rows, columns, d]` of the spectrograms.
    fn embed(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Tensor> {
        let planes = if self.fusion.is_some() { 4 } else { 1 };
        let (bins, most) = (self.picture.bins(), self.picture.most_frames());
        let shape = match *features.dims() {
            [sounds, bins, length] if self.fusion.is_none() => Some([sounds, 1, bins, length]),
            [sounds, planes, bins, length] => Some([sounds, planes, bins, length]),
            _ => None,
        };
        let fits = |[sounds, found, height, length]: &[usize; 4]| {
            *sounds > 0 && *found == planes && *height == bins && (1..=most).contains(length)
        };
        let Some([sounds, _, _, length]) = shape.filter(fits) else {
            let axis = if self.fusion.is_some() { "4, " } else { "" };
            return Err(EncoderError::Input {
                what: "the shape of the spectrograms",
                expected: format!("[sounds, {axis}{bins}, at most {most} frames]"),
                found: format!("{:?}", features.dims()),
            });
        };
        let features = features.to_dtype(DType::F32)?.reshape((sounds, planes, bins, length))?;
        let pictures = self.picture.of(&features)?.to_dtype(self.dtype)?;
        let map = self.patches.forward(&pictures.narrow(1, 0, 1)?.squeeze(1)?)?;
        let Some(fusion) = &self.fusion else { return Ok(map) };
        let longer = Self::are_longer(frames, sounds, length)?;
        let fused = longer.iter().enumerate().map(|(sound, longer)| {
            let of_sound = map.narrow(0, sound, 1)?;
            if !longer {
                return Ok(of_sound);
            }
            fusion.forward(&of_sound, &pictures.narrow(0, sound, 1)?.narrow(1, 1, 3)?.squeeze(0)?)
        });
        Ok(Tensor::cat(&fused.collect::<Result<Vec<_>>>()?, 0)?)
    }
}

/// Sizes of the stages.
fn window_shape(audio: &Config) -> Result<WindowShape> {
    let ratio = audio.real(&["mlp_ratio"], 4.0)?;
    if !(ratio > 0.0 && ratio <= 1024.0) {
        return Err(audio.wrong("mlp_ratio", "above 0 and at most 1024", Some(&ratio.into())));
    }
    Ok(WindowShape {
        width: audio.count(&["patch_embeds_hidden_size"], 96)?,
        depths: audio.counts(&["depths"], Some(&[2, 2, 6, 2]))?,
        heads: audio.counts(&["num_attention_heads"], Some(&[4, 8, 16, 32]))?,
        window: audio.count(&["window_size"], 8)?,
        ratio,
        activation: audio.activation(&["hidden_act"], "gelu")?,
        eps: audio.real(&["layer_norm_eps"], EPS)?,
        merging_eps: EPS,
        biases: audio.flag(&["qkv_bias"], true)?,
    })
}

/// The window of patches: it reaches equally far to all sides.
fn patch_window(audio: &Config) -> Result<PatchWindow> {
    let pair = |name: &str| -> Result<[usize; 2]> {
        if let Ok(both) = audio.count(&[name], 4) {
            return Ok([both; 2]);
        }
        match audio.counts(&[name], None)?[..] {
            [height, width] if height > 0 && width > 0 => Ok([height, width]),
            _ => Err(audio.wrong(name, "a number or two of at least 1", None)),
        }
    };
    let (kernel, stride) = (pair("patch_size")?, pair("patch_stride")?);
    if kernel[0] < stride[0] || kernel[1] < stride[1] {
        return Err(audio.wrong("patch_size", "at least `patch_stride`", Some(&kernel.to_vec().into())));
    }
    Ok(PatchWindow { kernel, stride, padding: [(kernel[0] - stride[0]) / 2, (kernel[1] - stride[1]) / 2] })
}

/// The two layers that lead into the space that both towers share.
#[derive(Debug, Clone)]
pub(in crate::embedding::encoders) struct Projection {
    layers: [Linear; 2],
    activation: Activation,
}

impl Projection {
    /// Loads `linear1` and `linear2` under `name`, where they are there. Of the configurations, that of the whole
    /// model comes first.
    pub(in crate::embedding::encoders) fn load(
        weights: &Weights,
        name: &str,
        width: usize,
        [config, tower]: [&Config; 2],
    ) -> Result<Option<Self>> {
        let weights = weights.under(name);
        if !weights.contains("linear1.weight") {
            return Ok(None);
        }
        let config = if config.has(&["projection_dim"]) { config } else { tower };
        let projected = config.count(&["projection_dim"], 512)?;
        let activation = config.activation(&["projection_hidden_act"], "relu")?;
        let layers = [
            Linear::load(&weights, "linear1", width, projected, true)?,
            Linear::load(&weights, "linear2", projected, projected, true)?,
        ];
        Ok(Some(Self { layers, activation }))
    }

    /// The width of what it gives.
    pub(in crate::embedding::encoders) fn outputs(&self) -> usize {
        self.layers[1].outputs()
    }

    /// The projection of vectors `[B, d]`.
    pub(in crate::embedding::encoders) fn forward(&self, vectors: &Tensor) -> Result<Tensor> {
        self.layers[1].forward(&self.layers[0].activated(vectors, self.activation)?)
    }
}

impl Encoder for ClapAudio {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let of = |pooling: &Pooling| match pooling {
            Pooling::Pooler | Pooling::Mean | Pooling::Max => Some(self.width),
            Pooling::Projection => self.projection.as_ref().map(Projection::outputs),
            _ => None,
        };
        of(&pooling).ok_or_else(|| EncoderError::Pooling {
            pooling,
            offered: Pooling::ALL.into_iter().filter(|pooling| of(pooling).is_some()).collect(),
        })
    }

    fn pooling(&self) -> Pooling {
        if self.projection.is_some() { Pooling::Projection } else { Pooling::Pooler }
    }
}

impl AudioEncoder for ClapAudio {
    fn leaves_padding_out(&self) -> bool {
        false
    }

    /// Of a model with fusion, `features` are `[B, 4, bins, frames]`.
    fn encode(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Hidden> {
        let mut map = self.embed(features, frames)?;
        if let Some(norm) = &self.patch_norm {
            map = norm.forward(&map)?;
        }
        let states = self.norm.forward(&self.stages.forward(map)?.flatten(1, 2)?)?;
        let pooled = states.to_dtype(DType::F32)?.mean(1)?.to_dtype(states.dtype())?;
        let projected = self.projection.as_ref().map(|layers| layers.forward(&pooled)).transpose()?;
        Ok(Hidden { states, keep: None, leading: 0, pooled: Some(pooled), projected })
    }
}
