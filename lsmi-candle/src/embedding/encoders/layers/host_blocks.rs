//! The blocks of a transformer on the processor in f32, in memory that they share.
//!
//! Layer by layer, each with a tensor of its own, the numbers between layers would go out to main memory and come back, in memory
//! that the operating system hands out page by page each time. Here the states are changed where they lie, what one block worked
//! in serves the next, and the perceptron takes some rows through all its layers before the next.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::attention::{Band, Sequence, attend_packed};
use super::block::Block;
use super::linear::OnHost;
use super::{Mask, passes};
use crate::embedding::encoders::error::Result;
use crate::numbers::product::{Panels, Rows};

/// Rows that are taken through norms and perceptrons together: a block of the product.
const ROWS: usize = 240;

/// The blocks of a transformer on the processor in f32.
#[derive(Debug, Clone)]
pub(super) struct HostBlocks {
    blocks: Arc<[(Block, [Half; 2])]>,
}

/// What surrounds a half of a block.
#[derive(Debug)]
struct Half {
    /// Weight, bias and epsilon.
    norm: (Vec<f32>, Vec<f32>, f32),
    scale: Option<Vec<f32>>,
}

impl HostBlocks {
    /// The blocks, where there are any and all layers are on the processor in f32.
    pub(super) fn of(blocks: &[Block]) -> Result<Option<Self>> {
        let is_on_host = |block: &Block| {
            block.attention.on_host().is_some() && block.perceptron.iter().all(|layer| layer.on_host().is_some())
        };
        if blocks.is_empty() || !blocks.iter().all(is_on_host) {
            return Ok(None);
        }
        let with_halves = |block: &Block| {
            let half = |index: usize| -> Result<Half> {
                let scale = block.scales.as_ref().map(|scales| passes::numbers(&scales[index])).transpose()?;
                Ok(Half { norm: block.norms[index].on_host()?, scale })
            };
            Ok((block.clone(), [half(0)?, half(1)?]))
        };
        Ok(Some(Self { blocks: blocks.iter().map(with_halves).collect::<Result<_>>()? }))
    }

    /// The states `[B, T, d]` after the first `count` blocks; None where they cannot be worked on here.
    pub(super) fn forward(&self, x: &Tensor, mask: Option<&Mask>, count: usize) -> Result<Option<Tensor>> {
        let (batch, length, _) = x.dims3()?;
        if !passes::suits(x) {
            return Ok(None);
        }
        let Some(sequences) = Mask::sequences(mask, batch, length) else { return Ok(None) };
        let band = mask.map_or(Band::ALL, Mask::reach);
        Ok(Some(x.apply_op1_no_bwd(&Forward { blocks: self, count, sequences: &sequences, band })?))
    }
}

/// The first blocks on a batch.
struct Forward<'a> {
    blocks: &'a HostBlocks,
    count: usize,
    sequences: &'a [Sequence],
    band: Band,
}

/// What the blocks work in.
#[derive(Default)]
struct Workspace {
    panels: Panels,
    /// Queries, keys and values of all rows.
    packed: Vec<f32>,
    /// What the heads give, of all rows.
    heads: Vec<f32>,
    /// Some rows, normed or to be added.
    rows: Vec<f32>,
    /// Some rows between the layers of the perceptron.
    inner: Vec<f32>,
}

impl CustomOp1 for Forward<'_> {
    fn name(&self) -> &'static str {
        "transformer-blocks"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, length, width) = layout.shape().dims3()?;
        let mut states = passes::values(x, layout)?.to_vec();
        let mut work = Workspace::default();
        for (block, [first, second]) in self.blocks.blocks.iter().take(self.count) {
            let (Some(([packing, output], heads)), [Some(up), Some(down)]) =
                (block.attention.on_host(), block.perceptron.each_ref().map(|layer| layer.on_host()))
            else {
                candle_core::bail!("blocks that are not on the processor")
            };
            if packing.inputs() != width {
                candle_core::bail!("blocks of width {} were given {:?}", packing.inputs(), layout.dims())
            }
            work.resize(states.len(), width, up.outputs());
            for (x, packed) in states.chunks(ROWS * width).zip(work.packed.chunks_mut(3 * ROWS * width)) {
                let x = normed_first(block, first, x, &mut work.rows);
                packing.multiply(rows(x, width), packed, false, None, &mut work.panels);
            }
            let shape = [batch, length, heads, width / heads.max(1)];
            attend_packed(&work.packed, shape, self.sequences, self.band, &mut work.heads);
            for (x, heads) in states.chunks_mut(ROWS * width).zip(work.heads.chunks(ROWS * width)) {
                add(output, heads, first, x, &mut work.rows, &mut work.panels);
                normed_last(block, first, x);
            }
            for x in states.chunks_mut(ROWS * width) {
                let inner = &mut work.inner[..x.len() / width * up.outputs()];
                let normed = normed_first(block, second, x, &mut work.rows);
                up.multiply(rows(normed, width), inner, false, Some(block.activation), &mut work.panels);
                add(down, inner, second, x, &mut work.rows, &mut work.panels);
                normed_last(block, second, x);
            }
        }
        Ok((CpuStorage::F32(states), layout.shape().clone()))
    }
}

impl Workspace {
    fn resize(&mut self, states: usize, width: usize, inner: usize) {
        let rows = ROWS.min(states / width.max(1));
        self.packed.resize(3 * states, 0.0);
        self.heads.resize(states, 0.0);
        self.rows.resize(rows * width, 0.0);
        self.inner.resize(rows * inner, 0.0);
    }
}

/// Rows of numbers one after the other.
fn rows(values: &[f32], width: usize) -> Rows<'_> {
    Rows { values, stride: width, count: values.len() / width.max(1) }
}

/// The rows after the norm, where it comes before the half of the block.
fn normed_first<'a>(block: &Block, Half { norm, .. }: &Half, x: &'a [f32], space: &'a mut [f32]) -> &'a [f32] {
    if !block.norm_first {
        return x;
    }
    let (weight, bias, eps) = norm;
    let normed = &mut space[..x.len()];
    passes::normalise_into(x, weight, bias, *eps, normed);
    normed
}

/// Norms the rows, where the norm comes after the half of the block.
fn normed_last(block: &Block, Half { norm, .. }: &Half, x: &mut [f32]) {
    if !block.norm_first {
        let (weight, bias, eps) = norm;
        passes::normalise_rows(x, weight, bias, *eps);
    }
}

/// Adds what a layer gives for some rows to the states.
fn add(layer: &OnHost, from: &[f32], half: &Half, x: &mut [f32], space: &mut [f32], panels: &mut Panels) {
    let from = rows(from, layer.inputs());
    let Some(scale) = &half.scale else { return layer.multiply(from, x, true, None, panels) };
    let change = &mut space[..x.len()];
    layer.multiply(from, change, false, None, panels);
    for (x, change) in x.chunks_exact_mut(scale.len()).zip(change.chunks_exact(scale.len())) {
        for ((x, change), scale) in x.iter_mut().zip(change).zip(scale) {
            *x += change * scale;
        }
    }
}
