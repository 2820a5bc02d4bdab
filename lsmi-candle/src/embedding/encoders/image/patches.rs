//! Pictures cut into patches, each a state of a transformer, with a class token and registers before them where there
//! are any.

use candle_core::Tensor;

use super::map;
use crate::embedding::encoders::layers::{Convolution, Window};
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// Patches, the tokens before them, and the table of positions.
#[derive(Debug, Clone)]
pub(crate) struct Patches {
    projection: Convolution,
    /// Tokens that have rows in the table of positions, such as the class token, `[1, n, d]`.
    placed: Option<Tensor>,
    /// Tokens after these that have none, such as registers, `[1, n, d]`.
    unplaced: Option<Tensor>,
    /// Of the placed tokens and the patches, `[1, T, d]`.
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
        Self::new(
            Convolution::load(weights, projection, [3, width], Window::tile(patch), bias)?,
            class_token.map(|token| token.reshape((1, 1, width))).transpose()?,
            weights.get(positions, &shape)?.reshape((1, length, width))?,
            sizes,
        )
    }

    /// Patches from their layer, the tokens `[1, n, d]` that have positions, and the table `[1, n + patches, d]`.
    pub(crate) fn new(
        projection: Convolution,
        placed: Option<Tensor>,
        positions: Tensor,
        Sizes { image, patch, .. }: Sizes,
    ) -> Result<Self> {
        if patch == 0 || image < patch {
            return Err(EncoderError::Input {
                what: "the side of a patch",
                expected: format!("1 to {image} pixels, as the trained pictures have"),
                found: patch.to_string(),
            });
        }
        Ok(Self { projection, placed, unplaced: None, positions, grid: image / patch, patch })
    }

    /// Puts tokens `[1, n, d]` without positions between the class token and the patches.
    #[must_use]
    pub(crate) fn with_unplaced(self, unplaced: Option<Tensor>) -> Self {
        Self { unplaced, ..self }
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
        self.states(&map, &self.positions)
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
        if trained == found {
            return self.states(&map, &self.positions);
        }
        self.states(&map, &resize(&self.positions, trained, found)?)
    }

    fn states(&self, map: &Tensor, positions: &Tensor) -> Result<Tensor> {
        let patches = self.projection.forward(map)?.flatten(1, 2)?;
        let before = |tokens: &Option<Tensor>| -> Result<Option<Tensor>> {
            let Some(tokens) = tokens else { return Ok(None) };
            Ok(Some(tokens.expand((patches.dim(0)?, tokens.dim(1)?, tokens.dim(2)?))?))
        };
        let states = match before(&self.placed)? {
            Some(placed) => Tensor::cat(&[&placed, &patches], 1)?,
            None => patches.clone(),
        };
        let states = states.broadcast_add(positions)?;
        let Some(unplaced) = before(&self.unplaced)? else { return Ok(states) };
        let leading = states.dim(1)? - patches.dim(1)?;
        let patches = states.narrow(1, leading, patches.dim(1)?)?;
        Ok(Tensor::cat(&[&states.narrow(1, 0, leading)?, &unplaced, &patches], 1)?)
    }
}

/// The mask `[B, T]` of a mean over the patches alone, where the first state is the class token.
pub(crate) fn without_class_token(states: &Tensor) -> Result<Tensor> {
    without_leading(states, 1)
}

/// The mask `[B, T]` of a mean over the patches alone, which come after so many other states.
pub(crate) fn without_leading(states: &Tensor, leading: usize) -> Result<Tensor> {
    let (batch, length, _) = states.dims3()?;
    let keep = Tensor::from_iter((0..length).map(|position| u32::from(position >= leading)), states.device())?;
    Ok(keep.unsqueeze(0)?.expand((batch, length))?.contiguous()?)
}
