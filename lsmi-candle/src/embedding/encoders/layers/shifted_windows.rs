//! Attention within windows of a map, which are shifted by half a window in every second block (Liu et al., "Swin
//! Transformer", ICCV 2021), and the merging of 2 x 2 pixels between stages.
//!
//! Maps are `[B, height, width, channels]`. A map that windows do not fill is filled up with zeros behind the norm,
//! right and below; they are looked at like pixels, as the authors have it.

use candle_core::{DType, Device, Tensor};

use super::attention::{Bias, biased_attention, split};
use super::{Activation, LayerNorm, Linear};
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::weights::Weights;

/// What is added to the scores of pixels that are neighbours by the shift alone.
const APART: f32 = -100.0;
/// The largest window. The scores within one grow with the fourth power of its side.
const LARGEST: usize = 64;
/// Square windows of a map, and by how many pixels they are shifted right and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Pixels of either side.
    pub(crate) side: usize,
    /// Less than `side`.
    pub(crate) shift: usize,
}

impl Windows {
    /// The same windows, unshifted where no second one fits on the map.
    pub(crate) fn on(self, map: &Tensor) -> Result<Self> {
        let (_, height, width, _) = map.dims4()?;
        Ok(if height.min(width) <= self.side { Self { shift: 0, ..self } } else { self })
    }

    /// Cuts a map into windows `[B n, side^2, channels]`, row by row, filled up with zeros.
    pub(crate) fn cut(self, map: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = map.dims4()?;
        let [rows, columns] = self.counts(height, width);
        let map = map.pad_with_zeros(1, 0, rows * self.side - height)?;
        let map = self.rolled(&map.pad_with_zeros(2, 0, columns * self.side - width)?, false)?;
        let windows = map.reshape((batch * rows, self.side, columns, self.side * channels))?.transpose(1, 2)?;
        Ok(windows.contiguous()?.reshape((batch * rows * columns, self.side * self.side, channels))?)
    }

    /// Puts windows together to a map of this height and width, which they were cut of.
    pub(crate) fn join(self, windows: &Tensor, [height, width]: [usize; 2]) -> Result<Tensor> {
        let channels = windows.dim(2)?;
        let [rows, columns] = self.counts(height, width);
        let map = windows.reshape(((), columns, self.side, self.side * channels))?.transpose(1, 2)?.contiguous()?;
        let map = map.reshape(((), rows * self.side, columns * self.side, channels))?;
        Ok(self.rolled(&map, true)?.narrow(1, 0, height)?.narrow(2, 0, width)?.contiguous()?)
    }

    /// What is added to the scores within the windows of a map, f32 `[n, side^2, side^2]`: the shift brings pixels
    /// from opposite ends together. None where there is no shift.
    pub(crate) fn mask(self, [height, width]: [usize; 2], device: &Device) -> Result<Option<Tensor>> {
        if self.shift == 0 {
            return Ok(None);
        }
        let [rows, columns] = self.counts(height, width);
        let part = |place: usize, length: usize| {
            u32::from(place + self.side >= length) + u32::from(place + self.shift >= length)
        };
        let (height, width) = (rows * self.side, columns * self.side);
        let part = |row, column| 3 * part(row, height) + part(column, width);
        let mut values = Vec::with_capacity(height * width * self.side * self.side);
        for window in 0..rows * columns {
            let (top, left) = (window / columns * self.side, window % columns * self.side);
            let parts: Vec<u32> = (0..self.side * self.side)
                .map(|pixel| part(top + pixel / self.side, left + pixel % self.side))
                .collect();
            for from in &parts {
                values.extend(parts.iter().map(|to| if from == to { 0.0 } else { APART }));
            }
        }
        Ok(Some(Tensor::from_vec(values, (rows * columns, self.side * self.side, self.side * self.side), device)?))
    }

    fn counts(self, height: usize, width: usize) -> [usize; 2] {
        [height.div_ceil(self.side), width.div_ceil(self.side)]
    }

    /// The map with the windows' first pixel at its corner, or that undone.
    fn rolled(self, map: &Tensor, back: bool) -> Result<Tensor> {
        let mut map = map.clone();
        for axis in [1, 2] {
            let length = map.dim(axis)?;
            // The pixels before `first` go behind the others.
            let first = if back { length - self.shift } else { self.shift };
            if first != 0 && first != length {
                map = Tensor::cat(&[map.narrow(axis, first, length - first)?, map.narrow(axis, 0, first)?], axis)?;
            }
        }
        Ok(map)
    }
}

/// The rows, in a table of `(2 side - 1)^2` relative positions, of all pairs of pixels of a window: `[side^4]`.
pub(crate) fn relative_positions(side: usize, device: &Device) -> Result<Tensor> {
    let pixels = || (0..side * side).map(|pixel| (pixel / side, pixel % side));
    let row = |from: (usize, usize), to: (usize, usize)| {
        let (down, right) = (from.0 + side - 1 - to.0, from.1 + side - 1 - to.1);
        u32::try_from(down * (2 * side - 1) + right).unwrap_or(u32::MAX)
    };
    let rows: Vec<u32> = pixels().flat_map(|from| pixels().map(move |to| row(from, to))).collect();
    Ok(Tensor::new(rows, device)?)
}

/// Names of the layers of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowNames {
    /// Layers of queries, keys, values, and the one after the heads.
    pub(crate) attention: [&'static str; 4],
    /// The one layer that is queries, keys and values, where it is one.
    pub(crate) packed: Option<&'static str>,
    /// The table of relative positions.
    pub(crate) table: &'static str,
    /// Norms before the attention and before the perceptron.
    pub(crate) norms: [&'static str; 2],
    /// The two layers of the perceptron.
    pub(crate) perceptron: [&'static str; 2],
    /// Whether the merging is a part of the stage behind it.
    pub(crate) merging_first: bool,
}

impl WindowNames {
    /// Swin and HTS-AT.
    pub(crate) const SWIN: Self = Self {
        attention: ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"],
        table: "attention.self.relative_position_bias_table",
        norms: ["layernorm_before", "layernorm_after"],
        perceptron: ["intermediate.dense", "output.dense"],
        packed: None,
        merging_first: false,
    };
    /// Swin of the library timm.
    pub(crate) const TIMM: Self = Self {
        attention: ["", "", "", "attn.proj"],
        packed: Some("attn.qkv"),
        table: "attn.relative_position_bias_table",
        norms: ["norm1", "norm2"],
        perceptron: ["mlp.fc1", "mlp.fc2"],
        merging_first: true,
    };
}

/// Sizes and kinds of the layers of all stages.
#[derive(Debug, Clone)]
pub(crate) struct WindowShape {
    /// Width of the states of the first stage; each later one has twice as many.
    pub(crate) width: usize,
    /// Blocks of each stage.
    pub(crate) depths: Vec<usize>,
    /// Attention heads of each stage.
    pub(crate) heads: Vec<usize>,
    /// Pixels of either side of the windows.
    pub(crate) window: usize,
    /// Width of the perceptrons' inner layer as a multiple of the states'.
    pub(crate) ratio: f64,
    /// Activation of the perceptrons.
    pub(crate) activation: Activation,
    /// Epsilon of the blocks' norms.
    pub(crate) eps: f64,
    /// Epsilon of the norms of the merging.
    pub(crate) merging_eps: f64,
    /// Whether queries, keys and values have biases.
    pub(crate) biases: bool,
}

/// The stages of a network of shifted windows.
#[derive(Debug, Clone)]
pub(crate) struct WindowStages(Vec<Stage>);

#[derive(Debug, Clone)]
struct Stage {
    blocks: Vec<WindowBlock>,
    merging: Option<Merging>,
}

impl WindowStages {
    /// Loads stages `layers.0.blocks.0`, ..., and `layers.0.downsample` between them.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing or of another shape, or the count that does not fit.
    pub(crate) fn load(weights: &Weights, names: &WindowNames, shape: &WindowShape) -> Result<Self> {
        let merging_of = |stage: usize| weights.under(&format!("layers.{stage}.downsample"));
        let wrong = |what, expected: &str, found: usize| {
            Err(EncoderError::Input { what, expected: expected.to_owned(), found: found.to_string() })
        };
        let WindowShape { depths, heads, .. } = shape;
        if depths.is_empty() || depths.len() > 8 {
            return wrong("the number of stages, `depths`,", "1 to 8", depths.len());
        }
        if heads.len() != depths.len() {
            return wrong("the number of stages in `num_heads`", "the same as in `depths`", heads.len());
        }
        if shape.window < 1 || shape.window > LARGEST {
            return wrong("the side of windows", "1 to 64", shape.window);
        }
        let relative = relative_positions(shape.window, weights.device())?;
        let stage = |(number, (depth, heads)): (usize, (&usize, &usize))| {
            let weights = weights.under(&format!("layers.{number}"));
            let width = shape.width << number;
            let block = |index: usize| {
                let shift = if index.is_multiple_of(2) { 0 } else { shape.window / 2 };
                let windows = Windows { side: shape.window, shift };
                let weights = weights.under(&format!("blocks.{index}"));
                WindowBlock::load(&weights, names, shape, [width, *heads], windows, &relative)
            };
            let merging = if number + 1 < depths.len() {
                let place = number + usize::from(names.merging_first);
                Some(Merging::load(&merging_of(place), width, shape.merging_eps)?)
            } else {
                None
            };
            Ok(Stage { blocks: (0..*depth).map(block).collect::<Result<_>>()?, merging })
        };
        let stages = depths.iter().zip(heads).enumerate().map(stage);
        Ok(Self(stages.collect::<Result<_>>()?))
    }

    /// Applies them to a map `[B, height, width, channels]`.
    ///
    /// # Errors
    /// [`EncoderError::Input`] for a map that becomes smaller than a window, else a candle error.
    pub(crate) fn forward(&self, map: Tensor) -> Result<Tensor> {
        self.0.iter().try_fold(map, |map, stage| {
            let map = stage.blocks.iter().try_fold(map, |map, block| block.forward(&map))?;
            stage.merging.as_ref().map_or(Ok(map.clone()), |merging| merging.forward(&map))
        })
    }
}

/// A block: attention within windows, then a perceptron, each with a norm before it.
#[derive(Debug, Clone)]
struct WindowBlock {
    windows: Windows,
    packed: Linear,
    output: Linear,
    /// `[(2 side - 1)^2, heads]`.
    table: Tensor,
    /// The rows of the table that pairs of pixels have; shared by all blocks.
    relative: Tensor,
    norms: [LayerNorm; 2],
    perceptron: [Linear; 2],
    activation: Activation,
}

impl WindowBlock {
    fn load(
        weights: &Weights,
        names: &WindowNames,
        shape: &WindowShape,
        [width, heads]: [usize; 2],
        windows: Windows,
        relative: &Tensor,
    ) -> Result<Self> {
        if heads == 0 || width % heads != 0 {
            return Err(EncoderError::Input {
                what: "the number of attention heads",
                expected: format!("a divisor of the width {width}"),
                found: heads.to_string(),
            });
        }
        let [query, key, value, output] = names.attention;
        // The scale of the scores goes into the queries.
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let scales = [(query, scale), (key, 1.0), (value, 1.0)];
        let get = |part: &str, shape: &[usize]| -> Result<Tensor> {
            if let Some(packed) = names.packed {
                let shape = [&[3 * width], &shape[1..]].concat();
                let packed = weights.under(packed).get(part, &shape)?;
                return Ok(Tensor::cat(
                    &[(packed.narrow(0, 0, width)? * scale)?, packed.narrow(0, width, 2 * width)?],
                    0,
                )?);
            }
            let parts = scales.map(|(name, scale)| Ok((weights.under(name).get(part, shape)? * scale)?));
            Ok(Tensor::cat(&parts.into_iter().collect::<Result<Vec<_>>>()?, 0)?)
        };
        let bias = if shape.biases { Some(get("bias", &[width])?) } else { None };
        let inner = inner_width(shape.ratio, width);
        let [up, down] = names.perceptron;
        let norm = |name| LayerNorm::load(weights, name, width, shape.eps);
        let rows = (2 * windows.side - 1) * (2 * windows.side - 1);
        Ok(Self {
            windows,
            packed: Linear::new(get("weight", &[width, width])?, bias)?,
            output: Linear::load(weights, output, width, width, true)?,
            table: weights.get(names.table, &[rows, heads])?.to_dtype(DType::F32)?,
            relative: relative.clone(),
            norms: [norm(names.norms[0])?, norm(names.norms[1])?],
            perceptron: [
                Linear::load(weights, up, width, inner, true)?,
                Linear::load(weights, down, inner, width, true)?,
            ],
            activation: shape.activation,
        })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = map.dims4()?;
        if height.min(width) < self.windows.side {
            return Err(EncoderError::Input {
                what: "the side of the picture, or of what is left of it in a later stage,",
                expected: format!("at least a window's, {}", self.windows.side),
                found: height.min(width).to_string(),
            });
        }
        let windows = self.windows.on(map)?;
        let cut = windows.cut(&self.norms[0].forward(map)?)?;
        let mask = windows.mask([height, width], map.device())?;
        let attended = self.attend(&cut, mask.as_ref())?;
        let map = (map + windows.join(&attended, [height, width])?)?;
        let inner = self.perceptron[0].activated(&self.norms[1].forward(&map)?, self.activation)?;
        Ok((map + self.perceptron[1].forward(&inner)?)?)
    }

    /// Attention within windows `[B n, side^2, channels]`; the mask is of the windows of one picture.
    fn attend(&self, windows: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let length = windows.dim(1)?;
        let heads = self.table.dim(1)?;
        let bias = self.table.index_select(&self.relative, 0)?.t()?.reshape((1, heads, length, length))?;
        let added = match mask {
            Some(mask) => bias.broadcast_add(&mask.unsqueeze(1)?)?,
            None => bias.contiguous()?,
        };
        let [queries, keys, values] = split(&self.packed.forward(windows)?, heads)?;
        let states = biased_attention(&queries, &keys, &values, None, Some(Bias::Matrix(&added)))?;
        self.output.forward(&states.transpose(1, 2)?.reshape(windows.shape())?)
    }
}

/// Width of the inner layer of a perceptron.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tensors of another width are refused")]
fn inner_width(ratio: f64, width: usize) -> usize {
    (ratio * width as f64) as usize
}

/// Puts 2 x 2 pixels together to one of twice the width.
#[derive(Debug, Clone)]
struct Merging {
    norm: LayerNorm,
    reduction: Linear,
}

impl Merging {
    fn load(weights: &Weights, width: usize, eps: f64) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::load(weights, "norm", 4 * width, eps)?,
            reduction: Linear::load(weights, "reduction", 4 * width, 2 * width, false)?,
        })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        self.reduction.forward(&self.norm.forward(&merge(map)?)?)
    }
}

/// 2 x 2 pixels beside each other, `[B, ceil(height / 2), ceil(width / 2), 4 channels]`: column by column, zeros
/// behind the map.
pub(crate) fn merge(map: &Tensor) -> Result<Tensor> {
    let (batch, height, width, channels) = map.dims4()?;
    let map = map.pad_with_zeros(1, 0, height % 2)?.pad_with_zeros(2, 0, width % 2)?;
    let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
    // [B, row, down, column, right, channels] to [B, row, column, right, down, channels].
    let map = map.reshape(&[batch, rows, 2, columns, 2, channels][..])?.permute(&[0, 1, 3, 4, 2, 5][..])?;
    Ok(map.contiguous()?.reshape((batch, rows, columns, 4 * channels))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(shape: &[usize]) -> Tensor {
        let count = u16::try_from(shape.iter().product::<usize>()).unwrap();
        Tensor::from_iter((0..count).map(f32::from), &Device::Cpu).unwrap().reshape(shape).unwrap()
    }

    #[test]
    fn windows_are_put_together_as_they_were() {
        let map = numbers(&[2, 5, 7, 3]);
        for (side, shift) in [(3, 0), (3, 1), (4, 2), (5, 0)] {
            let windows = Windows { side, shift };
            let cut = windows.cut(&map).unwrap();
            assert_eq!(cut.dims()[1..], [side * side, 3]);
            let joined = windows.join(&cut, [5, 7]).unwrap();
            let [joined, map] = [&joined, &map].map(|map| map.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            assert_eq!(joined, map);
        }
    }

    #[test]
    fn shifted_windows_part_what_was_not_beside() {
        let windows = Windows { side: 2, shift: 1 };
        let cut = windows.cut(&numbers(&[1, 4, 4, 1])).unwrap().squeeze(2).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(cut, [[5.0, 6.0, 9.0, 10.0], [7.0, 4.0, 11.0, 8.0], [13.0, 14.0, 1.0, 2.0], [15.0, 12.0, 3.0, 0.0]]);
        let mask = windows.mask([4, 4], &Device::Cpu).unwrap().unwrap().to_vec3::<f32>().unwrap();
        assert_eq!(mask[0], vec![vec![0.0; 4]; 4]);
        assert_eq!(mask[1][0], [0.0, APART, 0.0, APART]);
        assert_eq!(mask[3][0], [0.0, APART, APART, APART]);
        assert_eq!(windows.on(&numbers(&[1, 2, 9, 1])).unwrap().shift, 0);
    }

    #[test]
    fn four_pixels_become_one() {
        let merged = merge(&numbers(&[1, 3, 2, 1])).unwrap();
        assert_eq!(merged.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 2.0, 1.0, 3.0, 4.0, 0.0, 5.0, 0.0]);
    }
}
