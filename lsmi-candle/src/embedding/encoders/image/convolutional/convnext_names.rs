//! How the tensors of ConvNeXt are called in different files, and the models that timm has of it.

/// Names of tensors.
pub(super) struct Names {
    /// The first convolution and its norm.
    pub(super) stem: [&'static str; 2],
    pub(super) stages: &'static str,
    /// Of a stage: the norm and the convolution before its blocks.
    pub(super) entry: [&'static str; 2],
    pub(super) blocks: &'static str,
    pub(super) depthwise: &'static str,
    pub(super) norm: &'static str,
    pub(super) perceptron: [&'static str; 2],
    pub(super) response: &'static str,
    pub(super) scale: &'static str,
    pub(super) last: &'static str,
    /// What only a classifier needs.
    pub(super) unused: &'static [&'static str],
}

impl Names {
    pub(super) const TRANSFORMERS: Self = Self {
        stem: ["embeddings.patch_embeddings", "embeddings.layernorm"],
        stages: "encoder.stages",
        entry: ["downsampling_layer.0", "downsampling_layer.1"],
        blocks: "layers",
        depthwise: "dwconv",
        norm: "layernorm",
        perceptron: ["pwconv1", "pwconv2"],
        response: "grn",
        scale: "layer_scale_parameter",
        last: "layernorm",
        unused: &["classifier.*"],
    };
    pub(super) const DINOV3: Self = Self {
        stem: ["stages.0.downsample_layers.0", "stages.0.downsample_layers.1"],
        stages: "stages",
        entry: ["downsample_layers.0", "downsample_layers.1"],
        blocks: "layers",
        depthwise: "depthwise_conv",
        norm: "layer_norm",
        perceptron: ["pointwise_conv1", "pointwise_conv2"],
        response: "",
        scale: "gamma",
        last: "layer_norm",
        unused: &[],
    };
    pub(super) const TIMM: Self = Self {
        stem: ["stem.0", "stem.1"],
        stages: "stages",
        entry: ["downsample.0", "downsample.1"],
        blocks: "blocks",
        depthwise: "conv_dw",
        norm: "norm",
        perceptron: ["mlp.fc1", "mlp.fc2"],
        response: "mlp.grn",
        scale: "gamma",
        last: "head.norm",
        unused: &["head.fc.*", "timm_model.head.fc.*"],
    };
    pub(super) const TIMM_NORM_FIRST: Self = Self { last: "norm_pre", ..Self::TIMM };
}

/// A model of timm.
#[derive(Debug)]
pub(super) struct Timm {
    pub(super) widths: [usize; 4],
    pub(super) depths: [usize; 4],
    pub(super) eps: f64,
    /// Whether the last norm precedes the pool.
    pub(super) norm_first: bool,
    /// Width of a layer behind the pool.
    pub(super) hidden: Option<usize>,
}

impl Timm {
    const fn new(width: usize, depths: [usize; 4]) -> Self {
        let widths = [width, 2 * width, 4 * width, 8 * width];
        Self { widths, depths, eps: 1e-6, norm_first: false, hidden: None }
    }
}

const SMALL: [usize; 4] = [2, 2, 6, 2];
const NANO: [usize; 4] = [2, 2, 8, 2];
const TINY: [usize; 4] = [3, 3, 9, 3];
const DEEP: [usize; 4] = [3, 3, 27, 3];

/// The models of timm. Others of this family have another stem or other norms.
pub(super) const TIMM: [(&str, Timm); 21] = [
    ("convnext_atto", Timm::new(40, SMALL)),
    ("convnext_femto", Timm::new(48, SMALL)),
    ("convnext_pico", Timm::new(64, SMALL)),
    ("convnext_nano", Timm::new(80, NANO)),
    ("convnext_tiny", Timm::new(96, TINY)),
    ("convnext_tiny_hnf", Timm { norm_first: true, ..Timm::new(96, TINY) }),
    ("convnext_small", Timm::new(96, DEEP)),
    ("convnext_base", Timm::new(128, DEEP)),
    ("convnext_large", Timm::new(192, DEEP)),
    ("convnext_large_mlp", Timm { hidden: Some(1536), ..Timm::new(192, DEEP) }),
    ("convnext_xlarge", Timm::new(256, DEEP)),
    ("convnext_xxlarge", Timm { eps: 1e-5, ..Timm::new(384, [3, 4, 30, 3]) }),
    ("convnextv2_atto", Timm::new(40, SMALL)),
    ("convnextv2_femto", Timm::new(48, SMALL)),
    ("convnextv2_pico", Timm::new(64, SMALL)),
    ("convnextv2_nano", Timm::new(80, NANO)),
    ("convnextv2_tiny", Timm::new(96, TINY)),
    ("convnextv2_small", Timm::new(96, DEEP)),
    ("convnextv2_base", Timm::new(128, DEEP)),
    ("convnextv2_large", Timm::new(192, DEEP)),
    ("convnextv2_huge", Timm::new(352, DEEP)),
];
