//! Clips cut into blocks of some frames and a square of pixels, each a state of a transformer; of pictures, patches.

use candle_core::Tensor;

use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::layers::Linear;
use crate::embedding::encoders::weights::Weights;

/// A convolution whose places touch and do not overlap: one product for all blocks.
#[derive(Debug, Clone)]
pub(crate) struct Tubelets {
    layer: Linear,
    size: TubeletSize,
}

/// The size of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TubeletSize {
    /// Numbers of a pixel.
    pub(crate) channels: usize,
    /// Frames.
    pub(crate) frames: usize,
    /// Pixels of either side.
    pub(crate) patch: usize,
}

impl TubeletSize {
    /// Counts the numbers of a block; None where memory could not hold them.
    fn numbers(self) -> Option<usize> {
        self.patch.checked_mul(self.patch)?.checked_mul(self.frames)?.checked_mul(self.channels)
    }
}

impl Tubelets {
    /// Loads `weight` and, where there is to be one, `bias` under `name`. The weight is
    /// `[width, channels, frames, patch, patch]`; of pictures, `plane` says that it is stored without the axis of frames.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing or of another shape.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        size: TubeletSize,
        width: usize,
        bias: bool,
        plane: bool,
    ) -> Result<Self> {
        let TubeletSize { channels, frames, patch } = size;
        let shape: &[usize] =
            if plane { &[width, channels, patch, patch] } else { &[width, channels, frames, patch, patch] };
        let weights = weights.under(name);
        let weight = weights.get("weight", shape)?.flatten_from(1)?;
        let bias = if bias { Some(weights.get("bias", &[width])?) } else { None };
        Ok(Self { layer: Linear::new(weight, bias)?, size })
    }

    /// The states `[B, blocks, d]` of clips `[B, frames, channels, height, width]`, frame by frame, row by row.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the clips are not of whole blocks.
    pub(crate) fn forward(&self, clips: &Tensor) -> Result<Tensor> {
        let TubeletSize { channels, frames, patch } = self.size;
        let refuse = || EncoderError::Input {
            what: "the shape of the clips",
            expected: format!(
                "[clips, frames, {channels}, height, width], the frames a multiple of {frames}, the sides of {patch}"
            ),
            found: format!("{:?}", clips.dims()),
        };
        let (batch, length, found, height, width) = clips.dims5().map_err(|_| refuse())?;
        let is_whole = length % frames == 0 && height % patch == 0 && width % patch == 0;
        if found != channels || clips.elem_count() == 0 || !is_whole {
            return Err(refuse());
        }
        let numbers = self.size.numbers().ok_or_else(refuse)?;
        let blocks = [length / frames, height / patch, width / patch];
        let parts = [batch, blocks[0], frames, channels, blocks[1], patch, blocks[2], patch];
        let rows = clips.reshape(&parts[..])?.permute([0, 1, 4, 6, 3, 2, 5, 7])?.contiguous()?;
        self.layer.forward(&rows.reshape((batch, blocks.iter().product::<usize>(), numbers))?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// A layer that adds up a block's numbers, and one that takes the first of the last frame.
    #[test]
    fn blocks_are_taken_frame_by_frame_and_row_by_row() {
        let size = TubeletSize { channels: 1, frames: 2, patch: 2 };
        let weight = [[1f32; 8], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]].concat();
        let layer = Linear::new(Tensor::from_vec(weight, (2, 8), &Device::Cpu).unwrap(), None).unwrap();
        let clips = Tensor::arange(0f32, 32f32, &Device::Cpu).unwrap().reshape((1, 4, 1, 2, 4)).unwrap();
        let states = Tubelets { layer: layer.clone(), size }.forward(&clips).unwrap();
        let expected = [[[52f32, 8.0], [68.0, 10.0], [180.0, 24.0], [196.0, 26.0]]];
        assert_eq!(states.to_vec3::<f32>().unwrap(), expected.map(|clip| clip.map(|row| row.to_vec()).to_vec()));
        for shape in [[1, 3, 1, 2, 4], [1, 4, 2, 2, 4], [1, 4, 1, 3, 4], [0, 4, 1, 2, 4]] {
            let wrong = Tensor::zeros(&shape[..], candle_core::DType::F32, &Device::Cpu).unwrap();
            let tubelets = Tubelets { layer: layer.clone(), size };
            assert!(matches!(tubelets.forward(&wrong), Err(EncoderError::Input { .. })), "{shape:?}");
        }
    }
}
