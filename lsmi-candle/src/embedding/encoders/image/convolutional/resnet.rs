//! ResNet (He et al., CVPR 2016), of basic or of bottleneck blocks, which may be wide (Zagoruyko and Komodakis, BMVC 2016). The
//! stride is in the 3 x 3 convolution of a block.
//!
//! Tensors are named as in transformers, or as in torchvision and timm (`conv1`, `layer1.0.bn1`), whatever the configuration
//! is.

use candle_core::Tensor;
use serde_json::Value;

use crate::embedding::encoders::image::{map, map_states, timm_models, width};
use crate::embedding::encoders::layers::{Convolution, Padding, Rectifier, Window};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// PyTorch's epsilon of batch norms.
const EPS: f64 = 1e-5;
/// How much narrower a bottleneck is.
const REDUCTION: usize = 4;
/// The maximum that follows the first convolution.
const MAXIMUM: Window = Window { kernel: 3, stride: 2, padding: Padding::Even(1) };
/// The stages of models of timm, and of torchvision.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];
/// These models; others of this family have another stem, other shortcuts or further layers.
const TIMM: [(&str, Timm); 9] = [
    ("resnet18", Timm { depths: [2, 2, 2, 2], bottleneck: false, wide: false }),
    ("resnet34", Timm { depths: [3, 4, 6, 3], bottleneck: false, wide: false }),
    ("resnet26", Timm { depths: [2, 2, 2, 2], bottleneck: true, wide: false }),
    ("resnet50", Timm { depths: [3, 4, 6, 3], bottleneck: true, wide: false }),
    ("resnet101", Timm { depths: [3, 4, 23, 3], bottleneck: true, wide: false }),
    ("resnet152", Timm { depths: [3, 8, 36, 3], bottleneck: true, wide: false }),
    ("resnet200", Timm { depths: [3, 24, 36, 3], bottleneck: true, wide: false }),
    ("wide_resnet50_2", Timm { depths: [3, 4, 6, 3], bottleneck: true, wide: true }),
    ("wide_resnet101_2", Timm { depths: [3, 4, 23, 3], bottleneck: true, wide: true }),
];

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

/// A model of timm.
struct Timm {
    depths: [usize; 4],
    bottleneck: bool,
    wide: bool,
}

/// What the stages are.
struct Plan {
    first: usize,
    widths: Vec<usize>,
    depths: Vec<usize>,
    /// Whether the first stage halves the map too.
    small_first: bool,
    kind: Kind,
}

/// What of the configuration a block needs.
#[derive(Debug, Clone, Copy)]
struct Kind {
    bottleneck: bool,
    /// Whether the bottleneck is twice as wide.
    wide: bool,
    early_stride: bool,
}

impl Plan {
    fn of_transformers(config: &Config) -> Result<Self> {
        config.expect("hidden_act", &Value::from("relu"))?;
        let bottleneck = match config.text(&["layer_type"], "bottleneck")? {
            "bottleneck" => true,
            "basic" => false,
            other => return Err(config.wrong("layer_type", "`basic` or `bottleneck`", Some(&Value::from(other)))),
        };
        let early_stride = config.flag(&["downsample_in_bottleneck"], false)?;
        let widths = config.counts(&["hidden_sizes"], Some(&[256, 512, 1024, 2048]))?;
        let depths = config.counts(&["depths"], Some(&[3, 4, 6, 3]))?;
        if widths.is_empty() || widths.len() != depths.len() || widths.iter().any(|width| *width < REDUCTION) {
            return Err(config.wrong("hidden_sizes", "a width of at least 4 for each of `depths`", None));
        }
        Ok(Self {
            first: config.count(&["embedding_size"], 64)?,
            widths,
            depths,
            small_first: config.flag(&["downsample_in_first_stage"], false)?,
            kind: Kind { bottleneck, wide: false, early_stride },
        })
    }

    fn of_timm(model: &Timm, arguments: &Config) -> Result<Self> {
        let channels = arguments.counts(&["channels"], Some(&CHANNELS))?;
        let depths = arguments.counts(&["layers"], Some(&model.depths))?;
        if channels.len() != 4 || depths.len() != 4 || channels.contains(&0) {
            return Err(arguments.wrong("channels", "four numbers of at least 1, and as many `layers`", None));
        }
        let expansion = if model.bottleneck { REDUCTION } else { 1 };
        Ok(Self {
            first: CHANNELS[0],
            widths: channels.iter().map(|channels| channels * expansion).collect(),
            depths,
            small_first: false,
            kind: Kind { bottleneck: model.bottleneck, wide: model.wide, early_stride: false },
        })
    }
}

/// How tensors are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Transformers,
    Torchvision,
}

impl Names {
    /// A convolution and the norm after it: of the stem.
    fn stem(self) -> [&'static str; 2] {
        match self {
            Self::Transformers => ["embedder.embedder.convolution", "embedder.embedder.normalization"],
            Self::Torchvision => ["conv1", "bn1"],
        }
    }

    fn block(self, stage: usize, number: usize) -> String {
        match self {
            Self::Transformers => format!("encoder.stages.{stage}.layers.{number}"),
            Self::Torchvision => format!("layer{}.{number}", stage + 1),
        }
    }

    /// The same of a layer of a block.
    fn layer(self, index: usize) -> [String; 2] {
        match self {
            Self::Transformers => ["convolution", "normalization"].map(|part| format!("layer.{index}.{part}")),
            Self::Torchvision => ["conv", "bn"].map(|part| format!("{part}{}", index + 1)),
        }
    }

    /// The same of a shortcut.
    fn shortcut(self) -> [&'static str; 2] {
        match self {
            Self::Transformers => ["shortcut.convolution", "shortcut.normalization"],
            Self::Torchvision => ["downsample.0", "downsample.1"],
        }
    }

    /// What only a classifier needs.
    fn unused(self) -> &'static [&'static str] {
        match self {
            Self::Transformers => &["classifier.*", "*num_batches_tracked"],
            Self::Torchvision => &["fc.*", "timm_model.fc.*", "*num_batches_tracked"],
        }
    }
}

impl ResNet {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let Plan { first, widths, depths, small_first, kind } =
            match timm_models::model(config, &TIMM, &["layers", "channels"])? {
                Some((model, arguments)) => Plan::of_timm(model, &arguments)?,
                None => Plan::of_transformers(config)?,
            };
        let [bare, wrapped] = ["", "timm_model"].map(|part| weights.under(part));
        let found = [bare, wrapped].into_iter().find(|body| body.contains("conv1.weight"));
        let (names, body) = match found {
            Some(body) => (Names::Torchvision, body),
            None => {
                (Names::Transformers, weights.under_one_of(&["resnet", ""], "embedder.embedder.convolution.weight"))
            }
        };
        let window = Window { kernel: 7, stride: 2, padding: Padding::Even(3) };
        let stem = Convolution::load_normed(&body, names.stem(), [3, first], window, EPS, Rectifier::Relu)?;
        let mut blocks = Vec::new();
        let mut inputs = first;
        for (stage, (&width, &depth)) in widths.iter().zip(&depths).enumerate() {
            for number in 0..depth {
                let stride = if number == 0 && (stage > 0 || small_first) { 2 } else { 1 };
                let block = body.under(&names.block(stage, number));
                blocks.push(Block::load(&block, names, [inputs, width], stride, kind)?);
                inputs = width;
            }
        }
        weights.finish(names.unused())?;
        Ok(Self { stem, blocks, width: inputs })
    }
}

impl Block {
    fn load(weights: &Weights, names: Names, [inputs, outputs]: [usize; 2], stride: usize, kind: Kind) -> Result<Self> {
        let pixel = |stride| Window { kernel: 1, stride, padding: Padding::Even(0) };
        let three = |stride| Window { kernel: 3, stride, padding: Padding::Even(1) };
        let narrow = outputs / REDUCTION * if kind.wide { 2 } else { 1 };
        let plan = if kind.bottleneck {
            let (first, second) = if kind.early_stride { (stride, 1) } else { (1, stride) };
            vec![([inputs, narrow], pixel(first)), ([narrow, narrow], three(second)), ([narrow, outputs], pixel(1))]
        } else {
            vec![([inputs, outputs], three(stride)), ([outputs, outputs], three(1))]
        };
        let last = plan.len() - 1;
        let load = |(index, (widths, window)): (usize, ([usize; 2], Window))| {
            let rectifier = if index == last { Rectifier::None } else { Rectifier::Relu };
            let [convolution, norm] = names.layer(index);
            Convolution::load_normed(weights, [&convolution, &norm], widths, window, EPS, rectifier)
        };
        let shortcut = if inputs == outputs && stride == 1 {
            None
        } else {
            let widths = [inputs, outputs];
            Some(Convolution::load_normed(weights, names.shortcut(), widths, pixel(stride), EPS, Rectifier::None)?)
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
