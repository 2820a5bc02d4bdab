//! Pictures cut into patches, each a state of a transformer, with a class token before them where there is one.

use candle_core::Tensor;

use super::map;
use crate::embedding::encoders::layers::{Convolution, Window};
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// Patches, the class token, and the table of positions.
#[derive(Debug, Clone)]
pub(crate) struct Patches {
    projection: Convolution,
    class_token: Option<Tensor>,
    /// `[1, T, d]`.
    positions: Tensor,
    /// Patches of either side of the trained pictures.
    grid: usize,
    patch: usize,
}

/// Sizes of pictures and patches in pixels, and of states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) image: usize,
    pub(crate) patch: usize,
    pub(crate) width: usize,
}

/// Names of the tensors, each with the shape it is stored in.
pub(crate) struct PatchNames<'names> {
    /// The layer of the patches, and whether it has a bias.
    pub(crate) projection: (&'names str, bool),
    /// The class token.
    pub(crate) class_token: Option<(&'names str, Vec<usize>)>,
    /// The table of positions; whether it has an axis of one before the others.
    pub(crate) positions: (&'names str, bool),
}

impl Patches {
    pub(crate) fn load(weights: &Weights, names: PatchNames<'_>, sizes: Sizes) -> Result<Self> {
        let Sizes { image, patch, width } = sizes;
        let (projection, bias) = names.projection;
        let grid = image / patch;
        let class_token = names.class_token.map(|(name, shape)| weights.get(name, &shape)).transpose()?;
        let length = grid * grid + usize::from(class_token.is_some());
        let (positions, axis) = names.positions;
        let shape = if axis { vec![1, length, width] } else { vec![length, width] };
        Ok(Self {
            projection: Convolution::load(weights, projection, [3, width], Window::tile(patch), bias)?,
            class_token: class_token.map(|token| token.reshape((1, 1, width))).transpose()?,
            positions: weights.get(positions, &shape)?.reshape((1, length, width))?,
            grid,
            patch,
        })
    }

    /// The states `[B, T, d]` of pictures of the trained size.
    pub(crate) fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let map = map(pixels, self.positions.dtype())?;
        let side = self.grid * self.patch;
        // The patches leave out what is too narrow for one, as the reference does; then any picture of so many passes.
        let (_, height, width, _) = map.dims4()?;
        if (height / self.patch, width / self.patch) != (self.grid, self.grid) {
            return Err(EncoderError::Input {
                what: "the size of the pictures",
                expected: format!("{side} x {side}"),
                found: format!("{height} x {width}"),
            });
        }
        Ok(self.states(&map)?.broadcast_add(&self.positions)?)
    }

    /// The states `[B, T, d]` of pictures of whole patches, with the table of positions that `resize` makes of
    /// `[1, T, d]` and the rows and columns of the trained and of these patches.
    pub(crate) fn forward_resized(
        &self,
        pixels: &Tensor,
        resize: impl FnOnce(&Tensor, [usize; 2], [usize; 2]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let map = map(pixels, self.positions.dtype())?;
        let (_, height, width, _) = map.dims4()?;
        if height % self.patch != 0 || width % self.patch != 0 {
            return Err(EncoderError::Input {
                what: "the size of the pictures",
                expected: format!("multiples of {} pixels", self.patch),
                found: format!("{height} x {width}"),
            });
        }
        let (trained, found) = ([self.grid; 2], [height / self.patch, width / self.patch]);
        let states = self.states(&map)?;
        if trained == found {
            return Ok(states.broadcast_add(&self.positions)?);
        }
        Ok(states.broadcast_add(&resize(&self.positions, trained, found)?)?)
    }

    fn states(&self, map: &Tensor) -> Result<Tensor> {
        let patches = self.projection.forward(map)?.flatten(1, 2)?;
        let Some(token) = &self.class_token else { return Ok(patches) };
        let token = token.expand((patches.dim(0)?, 1, token.dim(2)?))?;
        Ok(Tensor::cat(&[&token, &patches], 1)?)
    }
}

/// The mask `[B, T]` of a mean over the patches alone, where the first state is the class token.
pub(crate) fn without_class_token(states: &Tensor) -> Result<Tensor> {
    let (batch, length, _) = states.dims3()?;
    let keep = Tensor::from_iter((0..length).map(|position| u32::from(position > 0)), states.device())?;
    Ok(keep.unsqueeze(0)?.expand((batch, length))?.contiguous()?)
}
