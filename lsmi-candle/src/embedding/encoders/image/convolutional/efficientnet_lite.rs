//! EfficientNet-Lite0 (Tan and Le, ICML 2019; the Lite variants of 2020 have no squeeze-and-excitation, and `ReLU6`).
//!
//! Tensors are named as in the conversions of Google's checkpoints to PyTorch (`_conv_stem`, `_blocks.0`), or as the timm
//! library names them on the hub (`conv_stem`, `blocks.0.0`).

use candle_core::Tensor;

use crate::embedding::encoders::image::{map, map_states, width};
use crate::embedding::encoders::layers::{Convolution, Depthwise, Padding, Rectifier, Window};
use crate::embedding::encoders::{Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

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

/// What tensors are called: of a layer the convolution and its norm.
struct Names {
    stem: [&'static str; 2],
    head: [&'static str; 2],
    expand: [&'static str; 2],
    depthwise: [&'static str; 2],
    project: [&'static str; 2],
    /// Of the one block that is not wider inside.
    depthwise_first: [&'static str; 2],
    project_first: [&'static str; 2],
    /// What only a classifier needs.
    unused: [&'static str; 2],
    is_by_stage: bool,
}

const CONVERTED: Names = Names {
    stem: ["_conv_stem", "_bn0"],
    head: ["_conv_head", "_bn1"],
    expand: ["_expand_conv", "_bn0"],
    depthwise: ["_depthwise_conv", "_bn1"],
    project: ["_project_conv", "_bn2"],
    depthwise_first: ["_depthwise_conv", "_bn1"],
    project_first: ["_project_conv", "_bn2"],
    unused: ["_fc.*", "*num_batches_tracked"],
    is_by_stage: false,
};

const TIMM: Names = Names {
    stem: ["conv_stem", "bn1"],
    head: ["conv_head", "bn2"],
    expand: ["conv_pw", "bn1"],
    depthwise: ["conv_dw", "bn2"],
    project: ["conv_pwl", "bn3"],
    depthwise_first: ["conv_dw", "bn1"],
    project_first: ["conv_pw", "bn2"],
    unused: ["classifier.*", "*num_batches_tracked"],
    is_by_stage: true,
};

/// EfficientNet-Lite0.
#[derive(Debug)]
pub(crate) struct EfficientNetLite {
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
    pub(crate) fn load(weights: &Weights) -> Result<Self> {
        let [first, last] = ENDS;
        let names = if weights.contains("conv_stem.weight") { &TIMM } else { &CONVERTED };
        let window = Window { kernel: 3, stride: 2, padding: Padding::Same };
        let stem = Convolution::load_normed(weights, names.stem, [3, first], window, EPS, Rectifier::Relu6)?;
        let mut blocks = Vec::new();
        let mut inputs = first;
        for (place, stage) in STAGES.iter().enumerate() {
            for number in 0..stage.count {
                let stride = if number == 0 { stage.stride } else { 1 };
                let block = if names.is_by_stage {
                    weights.under(&format!("blocks.{place}.{number}"))
                } else {
                    weights.under(&format!("_blocks.{}", blocks.len()))
                };
                blocks.push(Block::load(&block, names, stage, inputs, stride)?);
                inputs = stage.width;
            }
        }
        let head = Convolution::load_normed(weights, names.head, [inputs, last], Window::PIXEL, EPS, Rectifier::Relu6)?;
        weights.finish(&names.unused)?;
        Ok(Self { stem, blocks, head })
    }
}

impl Block {
    fn load(weights: &Weights, names: &Names, stage: &Stage, inputs: usize, stride: usize) -> Result<Self> {
        let inner = inputs * stage.expansion;
        let window = Window { kernel: stage.kernel, stride, padding: Padding::Same };
        let pixel =
            |names, widths, rectifier| Convolution::load_normed(weights, names, widths, Window::PIXEL, EPS, rectifier);
        let is_wider = stage.expansion > 1;
        let (depthwise, project) =
            if is_wider { (names.depthwise, names.project) } else { (names.depthwise_first, names.project_first) };
        Ok(Self {
            expand: if is_wider { Some(pixel(names.expand, [inputs, inner], Rectifier::Relu6)?) } else { None },
            depthwise: Depthwise::load_normed(weights, depthwise, inner, window, EPS, Rectifier::Relu6)?,
            project: pixel(project, [inner, stage.width], Rectifier::None)?,
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

impl ImageEncoder for EfficientNetLite {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let map = self.stem.forward(&map(pixels, self.stem.dtype())?)?;
        let map = self.blocks.iter().try_fold(map, |map, block| block.forward(&map))?;
        map_states(&self.head.forward(&map)?, Ok)
    }
}
