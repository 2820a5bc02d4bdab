//! EfficientNet-Lite0 (Tan and Le, ICML 2019; the Lite variants of 2020 have no squeeze-and-excitation, and `ReLU6`).

use candle_core::Tensor;

use super::{map, map_states, width};
use crate::encoders::layers::{Convolution, Depthwise, Padding, Rectifier, Window};
use crate::encoders::{Encoder, Hidden, PictureEncoder, Pooling, Result, Weights};

/// The epsilon of the batch norms.
const EPS: f64 = 1e-3;
/// Channels of the first map and of the last.
const ENDS: [usize; 2] = [32, 1280];

/// Blocks of one width.
struct Stage {
    count: usize,
    kernel: usize,
    /// Of the first block; the others have 1.
    stride: usize,
    /// How much wider a block is inside.
    expansion: usize,
    width: usize,
}

const STAGES: [Stage; 7] = [
    Stage { count: 1, kernel: 3, stride: 1, expansion: 1, width: 16 },
    Stage { count: 2, kernel: 3, stride: 2, expansion: 6, width: 24 },
    Stage { count: 2, kernel: 5, stride: 2, expansion: 6, width: 40 },
    Stage { count: 3, kernel: 3, stride: 2, expansion: 6, width: 80 },
    Stage { count: 3, kernel: 5, stride: 1, expansion: 6, width: 112 },
    Stage { count: 4, kernel: 5, stride: 2, expansion: 6, width: 192 },
    Stage { count: 1, kernel: 3, stride: 1, expansion: 6, width: 320 },
];

/// EfficientNet-Lite0.
#[derive(Debug)]
pub(super) struct EfficientNetLite {
    stem: Convolution,
    blocks: Vec<Block>,
    head: Convolution,
}

#[derive(Debug)]
struct Block {
    expand: Option<Convolution>,
    depthwise: Depthwise,
    project: Convolution,
    /// Whether the input is added.
    residual: bool,
}

impl EfficientNetLite {
    /// Loads it; there is no configuration.
    pub(super) fn load(weights: &Weights) -> Result<Self> {
        let [first, last] = ENDS;
        let window = Window { kernel: 3, stride: 2, padding: Padding::Same };
        let stem =
            Convolution::load_normed(weights, ["_conv_stem", "_bn0"], [3, first], window, EPS, Rectifier::Relu6)?;
        let mut blocks = Vec::new();
        let mut inputs = first;
        for stage in &STAGES {
            for number in 0..stage.count {
                let stride = if number == 0 { stage.stride } else { 1 };
                let block = weights.under(&format!("_blocks.{}", blocks.len()));
                blocks.push(Block::load(&block, stage, inputs, stride)?);
                inputs = stage.width;
            }
        }
        let names = ["_conv_head", "_bn1"];
        let head = Convolution::load_normed(weights, names, [inputs, last], Window::PIXEL, EPS, Rectifier::Relu6)?;
        weights.finish(&["_fc.*", "*num_batches_tracked"])?;
        Ok(Self { stem, blocks, head })
    }
}

impl Block {
    fn load(weights: &Weights, stage: &Stage, inputs: usize, stride: usize) -> Result<Self> {
        let inner = inputs * stage.expansion;
        let window = Window { kernel: stage.kernel, stride, padding: Padding::Same };
        let pixel =
            |names, widths, rectifier| Convolution::load_normed(weights, names, widths, Window::PIXEL, EPS, rectifier);
        let depthwise = ["_depthwise_conv", "_bn1"];
        Ok(Self {
            expand: if stage.expansion == 1 {
                None
            } else {
                Some(pixel(["_expand_conv", "_bn0"], [inputs, inner], Rectifier::Relu6)?)
            },
            depthwise: Depthwise::load_normed(weights, depthwise, inner, window, EPS, Rectifier::Relu6)?,
            project: pixel(["_project_conv", "_bn2"], [inner, stage.width], Rectifier::None)?,
            residual: stride == 1 && inputs == stage.width,
        })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let expanded = self.expand.as_ref().map_or_else(|| Ok(map.clone()), |layer| layer.forward(map))?;
        let projected = self.project.forward(&self.depthwise.forward(&expanded)?)?;
        if self.residual { Ok((projected + map)?) } else { Ok(projected) }
    }
}

impl Encoder for EfficientNetLite {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, ENDS[1], false, Some(ENDS[1]), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl PictureEncoder for EfficientNetLite {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let map = self.stem.forward(&map(pixels, self.stem.dtype())?)?;
        let map = self.blocks.iter().try_fold(map, |map, block| block.forward(&map))?;
        map_states(&self.head.forward(&map)?, Ok)
    }
}
