//! Picture models: pixels become vectors.
//!
//! | `model_type` | model | pooling | pictures |
//! |---|---|---|---|
//! | `clip`, `clip_vision_model` | picture tower of CLIP | projection, or pooler where there is none | of one size |
//! | `siglip`, `siglip_vision_model` | picture tower of SigLIP | projection, or mean where it has no pooling head | of one size |
//! | `siglip2`, `siglip2_vision_model` | picture tower of SigLIP 2 for any aspect | as SigLIP | whole patches, any number of them |
//! | `dinov2`, `dinov2_with_registers` | DINOv2 | cls | whole patches, any number of them |
//! | `dinov3_vit` | DINOv3, the transformers | cls | whole patches, any number of them |
//! | `vit`, `vit_msn` | ViT, also as trained by DINO and MSN | cls | of one size |
//! | `swin` | Swin | pooler | of any size whose maps hold a window |
//! | `convnext`, `convnextv2` | ConvNeXt and its second version | pooler | of 32 pixels and more |
//! | `dinov3_convnext` | convolutional models of DINOv3 | pooler | of 32 pixels and more |
//! | `resnet` | ResNet of basic or bottleneck blocks | pooler | of 32 pixels and more |
//! | `efficientnet-lite0` | EfficientNet-Lite0 | pooler | of any size |
//! | `imagebind` | pictures' tower of ImageBind, and its tower of depth | projection | of one size |
//!
//! Files of the library timm have its names of models instead, as `architecture`:
//!
//! | name | model | pooling | pictures |
//! |---|---|---|---|
//! | `vit_*`, `deit_*`, `deit3_*`, `flexivit_*`, `eva_large_*` | ViT, with what was varied | pooler: as timm pools | of one size |
//! | `eva02_*` | EVA-02 but the enormous one | pooler: as timm pools | of one size |
//!
//! Pictures are `[B, 3, height, width]`, prepared as the checkpoint's `preprocessor_config.json` says. Hidden states are
//! the class token, where there is one, and the patches, or the pixels of the last map, row by row; the mean is over the
//! patches alone. The classifier of a checkpoint is not used.

mod convolutional;
mod patches;
mod positions;
mod timm_models;
mod towers;
mod transformers;

use candle_core::{DType, Tensor};

use convolutional::{convnext, efficientnet_lite, resnet};
use towers::{clip, siglip};
use transformers::{dinov2, dinov3, swin, timm, vit};

use super::imagebind::{ImageBindDepth, ImageBindVision};
use super::{Architecture, Config, EncoderError, Hidden, ImageEncoder, Modality, Pooling, Result, Tail, Weights};

/// Builds the picture model of a checkpoint.
///
/// The checkpoint of EfficientNet-Lite0 has no configuration: `{"model_type": "efficientnet-lite0"}` says all there is.
///
/// # Errors
/// [`EncoderError`] naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn ImageEncoder>> {
    weights.refuse_open_clip()?;
    Ok(match config.network(Modality::Image)? {
        Architecture::Clip => Box::new(clip::ClipVision::load(config, weights)?),
        Architecture::Siglip | Architecture::Siglip2 => Box::new(siglip::SiglipVision::load(config, weights)?),
        Architecture::Dinov2 | Architecture::Dinov2WithRegisters => Box::new(dinov2::Dinov2::load(config, weights)?),
        Architecture::Dinov3 => Box::new(dinov3::Dinov3::load(config, weights)?),
        Architecture::TimmVit | Architecture::TimmEva02 => Box::new(timm::TimmVit::load(config, weights)?),
        Architecture::Vit => Box::new(vit::Vit::load(config, weights)?),
        Architecture::Swin => Box::new(swin::Swin::load(config, weights)?),
        Architecture::ConvNext => Box::new(convnext::ConvNext::load(config, weights)?),
        Architecture::ConvNextV2 => Box::new(convnext::ConvNext::load_v2(config, weights)?),
        Architecture::Dinov3ConvNext => Box::new(convnext::ConvNext::load_dinov3(config, weights)?),
        Architecture::ResNet => Box::new(resnet::ResNet::load(config, weights)?),
        Architecture::EfficientNetLite0 => Box::new(efficientnet_lite::EfficientNetLite::load(weights)?),
        Architecture::ImageBind => Box::new(ImageBindVision::load(config, weights)?),
        _ => return Err(config.not_built_in(Modality::Image)),
    })
}

/// The networks whose blocks can be trained.
const TRAINABLE: [Architecture; 4] =
    [Architecture::Clip, Architecture::Vit, Architecture::Dinov2, Architecture::Dinov2WithRegisters];

/// Builds the last `blocks` blocks of a picture model and what follows them; `weights` may be [trained](Weights::trained).
///
/// # Errors
/// [`EncoderError::NotTrainable`] naming the architectures that have such a tail, [`EncoderError::Blocks`] where there are
/// fewer blocks, and as [`load`].
pub fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<Box<dyn Tail>> {
    Ok(match config.network(Modality::Image)? {
        Architecture::Clip => Box::new(clip::load_tail(config, weights, blocks)?),
        Architecture::Vit => Box::new(vit::load_tail(config, weights, blocks)?),
        Architecture::Dinov2 | Architecture::Dinov2WithRegisters => {
            Box::new(dinov2::load_tail(config, weights, blocks)?)
        }
        _ => return Err(config.not_trainable(Modality::Image, &TRAINABLE)),
    })
}

/// Builds the model of depth of a checkpoint: its pictures have one number to a pixel.
///
/// # Errors
/// As [`load`].
pub fn load_depth(config: &Config, weights: &Weights) -> Result<Box<dyn ImageEncoder>> {
    match config.network(Modality::Depth)? {
        Architecture::ImageBind => Ok(Box::new(ImageBindDepth::load(config, weights)?)),
        _ => Err(config.not_built_in(Modality::Depth)),
    }
}

/// Pictures `[B, 3, height, width]` as maps `[B, height, width, 3]` of a number type.
fn map(pixels: &Tensor, dtype: DType) -> Result<Tensor> {
    match *pixels.dims() {
        [batch, 3, height, width] if batch * height * width > 0 => {
            Ok(pixels.to_dtype(dtype)?.permute((0, 2, 3, 1))?.contiguous()?)
        }
        _ => Err(EncoderError::Input {
            what: "the shape of the pictures",
            expected: "[pictures, 3, height, width], none of them 0".to_owned(),
            found: format!("{:?}", pixels.dims()),
        }),
    }
}

/// The last map `[B, height, width, d]` of a convolutional network as states, and what its pooling gives.
fn map_states(map: &Tensor, pool: impl FnOnce(Tensor) -> Result<Tensor>) -> Result<Hidden> {
    let states = map.flatten(1, 2)?;
    let pooled = pool(states.mean(1)?)?;
    Ok(Hidden { states, keep: None, leading: 0, pooled: Some(pooled), projected: None })
}

/// The width of a pooling: `states` of the hidden states, the others where the model has them. A network without a class
/// token has no first and no last state that would stand for the picture.
fn width(
    pooling: Pooling,
    states: usize,
    class_token: bool,
    pooled: Option<usize>,
    projected: Option<usize>,
) -> Result<usize> {
    let of = |pooling: &Pooling| match pooling {
        Pooling::Mean | Pooling::Max => Some(states),
        Pooling::Cls => class_token.then_some(states),
        Pooling::Pooler => pooled,
        Pooling::Projection => projected,
        Pooling::Last | Pooling::MeanSqrt | Pooling::WeightedMean => None,
    };
    of(&pooling).ok_or_else(|| EncoderError::Pooling {
        pooling,
        offered: Pooling::ALL.into_iter().filter(|pooling| of(pooling).is_some()).collect(),
    })
}
