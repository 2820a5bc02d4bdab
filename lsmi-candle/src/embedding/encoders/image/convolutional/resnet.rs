//! ResNet (He et al., CVPR 2016), of basic or of bottleneck blocks. The stride is in the 3 x 3 convolution of a block.

use candle_core::Tensor;
use serde_json::Value;

use crate::embedding::encoders::image::{map, map_states, width};
use crate::embedding::encoders::layers::{Convolution, Padding, Rectifier, Window};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// PyTorch's epsilon of batch norms.
const EPS: f64 = 1e-5;
/// How much narrower a bottleneck is.
const REDUCTION: usize = 4;
/// The maximum that follows the first convolution.
const MAXIMUM: Window = Window { kernel: 3, stride: 2, padding: Padding::Even(1) };

/// ResNet.
#[derive(Debug)]
pub(crate) struct ResNet {
    stem: Convolution,
    blocks: Vec<Block>,
    width: usize,
}

#[derive(Debug)]
struct Block {
    layers: Vec<Convolution>,
    shortcut: Option<Convolution>,
}

/// What of the configuration a block needs.
#[derive(Debug, Clone, Copy)]
struct Kind {
    bottleneck: bool,
    early_stride: bool,
}

impl ResNet {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        config.expect("hidden_act", &Value::from("relu"))?;
        let kind = Kind {
            bottleneck: match config.text(&["layer_type"], "bottleneck")? {
                "bottleneck" => true,
                "basic" => false,
                other => return Err(config.wrong("layer_type", "`basic` or `bottleneck`", Some(&Value::from(other)))),
            },
            early_stride: config.flag(&["downsample_in_bottleneck"], false)?,
        };
        let first = config.count(&["embedding_size"], 64)?;
        let widths = config.counts(&["hidden_sizes"], Some(&[256, 512, 1024, 2048]))?;
        let depths = config.counts(&["depths"], Some(&[3, 4, 6, 3]))?;
        if widths.is_empty() || widths.len() != depths.len() || widths.iter().any(|width| *width < REDUCTION) {
            return Err(config.wrong("hidden_sizes", "a width of at least 4 for each of `depths`", None));
        }
        let small_first = config.flag(&["downsample_in_first_stage"], false)?;
        let body = weights.under_one_of(&["resnet", ""], "embedder.embedder.convolution.weight");
        let window = Window { kernel: 7, stride: 2, padding: Padding::Even(3) };
        let stem = layer(&body, "embedder.embedder", [3, first], window, Rectifier::Relu)?;
        let mut blocks = Vec::new();
        let mut inputs = first;
        for (stage, (&width, &depth)) in widths.iter().zip(&depths).enumerate() {
            for number in 0..depth {
                let stride = if number == 0 && (stage > 0 || small_first) { 2 } else { 1 };
                let block = body.under(&format!("encoder.stages.{stage}.layers.{number}"));
                blocks.push(Block::load(&block, [inputs, width], stride, kind)?);
                inputs = width;
            }
        }
        weights.finish(&["classifier.*", "*num_batches_tracked"])?;
        Ok(Self { stem, blocks, width: inputs })
    }
}

/// A convolution and the norm after it, under the names of this architecture.
fn layer(
    weights: &Weights,
    name: &str,
    widths: [usize; 2],
    window: Window,
    rectifier: Rectifier,
) -> Result<Convolution> {
    Convolution::load_normed(&weights.under(name), ["convolution", "normalization"], widths, window, EPS, rectifier)
}

impl Block {
    fn load(weights: &Weights, [inputs, outputs]: [usize; 2], stride: usize, kind: Kind) -> Result<Self> {
        let pixel = |stride| Window { kernel: 1, stride, padding: Padding::Even(0) };
        let three = |stride| Window { kernel: 3, stride, padding: Padding::Even(1) };
        let narrow = outputs / REDUCTION;
        let plan = if kind.bottleneck {
            let (first, second) = if kind.early_stride { (stride, 1) } else { (1, stride) };
            vec![([inputs, narrow], pixel(first)), ([narrow, narrow], three(second)), ([narrow, outputs], pixel(1))]
        } else {
            vec![([inputs, outputs], three(stride)), ([outputs, outputs], three(1))]
        };
        let last = plan.len() - 1;
        let load = |(index, (widths, window)): (usize, ([usize; 2], Window))| {
            let rectifier = if index == last { Rectifier::None } else { Rectifier::Relu };
            layer(weights, &format!("layer.{index}"), widths, window, rectifier)
        };
        let shortcut = if inputs == outputs && stride == 1 {
            None
        } else {
            Some(layer(weights, "shortcut", [inputs, outputs], pixel(stride), Rectifier::None)?)
        };
        Ok(Self { layers: plan.into_iter().enumerate().map(load).collect::<Result<_>>()?, shortcut })
    }

    fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let shortcut = self.shortcut.as_ref().map_or_else(|| Ok(map.clone()), |layer| layer.forward(map))?;
        let change = self.layers.iter().try_fold(map.clone(), |map, layer| layer.forward(&map))?;
        Ok((change + shortcut)?.relu()?)
    }
}

impl Encoder for ResNet {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, false, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl ImageEncoder for ResNet {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        // After the rectifier nothing is below 0, so that zeros around the map change no maximum.
        let map = MAXIMUM.maximum(&self.stem.forward(&map(pixels, self.stem.dtype())?)?)?;
        let map = self.blocks.iter().try_fold(map, |map, block| block.forward(&map))?;
        map_states(&map, Ok)
    }
}
