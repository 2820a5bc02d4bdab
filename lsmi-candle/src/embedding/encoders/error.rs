//! What can go wrong while an encoder is loaded or applied.

use thiserror::Error;

use super::{Nearest, Pooling};

/// The result of an encoder's operations.
pub type Result<T, E = EncoderError> = std::result::Result<T, E>;

/// What can go wrong while an encoder is loaded or applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A file that cannot be read.
    #[error("{file} could not be read: check that it exists and may be read")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A tensor that cannot be read from a file of weights any more.
    #[error(
        "the tensor `{tensor}` of {file} could not be read: the file changed while the model was loaded, or its disk fails"
    )]
    ReadTensor {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of weights that is no whole safetensors file.
    #[error("{file} is not a whole safetensors file: download it again, or convert the weights to safetensors")]
    Format {
        /// The file.
        file: String,
        /// What the reader found.
        source: safetensors::SafeTensorError,
    },
    /// A file that should be JSON and is not, or not of the right form.
    #[error("{file} is not JSON of the expected form: download it again")]
    Json {
        /// The file.
        file: String,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// A tensor that stands in two files of weights.
    #[error("the tensor `{tensor}` is in {file} and again in {again}: give the files of one checkpoint only")]
    TwiceTensor {
        /// The tensor.
        tensor: String,
        /// The file that was read first.
        file: String,
        /// The other.
        again: String,
    },
    /// A tensor of a number type that weights do not have.
    #[error(
        "the tensor `{tensor}` of {file} is {found}, but weights must be f64, f32, f16 or bf16: quantised checkpoints are not understood"
    )]
    TensorType {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A file of weights that `open_clip` wrote.
    #[error(
        "{file} has the tensors of open_clip, which are not read: take the same model as transformers or timm have it, with \
         their `config.json`"
    )]
    OpenClip {
        /// The file.
        file: String,
    },
    /// A tensor that the architecture needs and the file lacks.
    #[error(
        "{file} has no tensor `{tensor}` of shape {expected:?}: the weights are not of the architecture that the configuration names, or are incomplete"
    )]
    MissingTensor {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor of another shape than the configuration says.
    #[error(
        "the tensor `{tensor}` of {file} has shape {found:?}, but the configuration says {expected:?}: the two files are not of the same model"
    )]
    Shape {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// The shape that the configuration says.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// Tensors that the architecture has no use for: the model is more than what would be computed.
    #[error(
        "{file} has tensors that the architecture does not know: {}; its vectors would not be those of the model",
        tensors.join(", ")
    )]
    ExtraTensors {
        /// The file.
        file: String,
        /// The tensors.
        tensors: Vec<String>,
    },
    /// A field of the configuration that is missing or of the wrong kind.
    #[error("the field `{field}` of {file} should be {expected}, but is {found}")]
    Field {
        /// The file.
        file: String,
        /// The field, with the names of the sections it is in.
        field: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An architecture that is not built in, or does not encode what is asked for.
    #[error("{}", of_architecture(file, found, *modality, known, nearest.as_deref()))]
    Architecture {
        /// The file.
        file: String,
        /// Its architecture.
        found: String,
        /// What was to be encoded: `texts`, `pictures`, ..., where that was said.
        modality: Option<&'static str>,
        /// The architectures that are built in and encode that.
        known: Vec<&'static str>,
        /// The one of these that it may be a variation of.
        nearest: Option<Box<Nearest>>,
    },
    /// A model whose blocks cannot be trained.
    #[error(
        "{file} is of the architecture `{found}`, whose blocks cannot be trained on {modality}; those that can: {}",
        known.join(", ")
    )]
    NotTrainable {
        /// The file.
        file: String,
        /// Its architecture.
        found: String,
        /// What was to be encoded: `texts`, `pictures`, ...
        modality: &'static str,
        /// The architectures whose blocks can be trained on that.
        known: Vec<&'static str>,
    },
    /// A number of blocks to train that a model does not have.
    #[error("{asked} blocks cannot be trained of a model of {found}: ask for 1 to {found}")]
    Blocks {
        /// What was asked for.
        asked: usize,
        /// The blocks of the model.
        found: usize,
    },
    /// A layer that has no gradient, where one is asked of it.
    #[error("the layer `{layer}` has no gradient, but comes after weights that are trained: report the defect")]
    NoGradient {
        /// The layer.
        layer: &'static str,
    },
    /// A pooling that the model has no layer for.
    #[error("the model has no pooling `{pooling}`: it offers {}", names(offered))]
    Pooling {
        /// What was asked for.
        pooling: Pooling,
        /// What the model offers.
        offered: Vec<Pooling>,
    },
    /// A name that is no pooling.
    #[error("`{found}` is no pooling: expected {}", names(&Pooling::ALL))]
    UnknownPooling {
        /// What was given.
        found: String,
    },
    /// An input that the model cannot take.
    #[error("{what} should be {expected}, but is {found}")]
    Input {
        /// What does not fit.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A tokenizer that cannot be read.
    #[error("{file} is not a tokenizer that can be used: take the `tokenizer.json` of the model's repository")]
    Tokenizer {
        /// The file.
        file: String,
        /// What the reader found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A text that cannot be made into tokens.
    #[error("the text that begins with `{text}` could not be made into tokens")]
    Tokens {
        /// How it begins.
        text: String,
        /// What the tokenizer said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A tensor operation failed, on the device or for want of memory.
    #[error("a tensor operation failed")]
    Candle(#[source] Box<candle_core::Error>),
}

impl From<candle_core::Error> for EncoderError {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(Box::new(error))
    }
}

/// The list of all names is for those who have no nearest one to go on from.
fn of_architecture(
    file: &str,
    found: &str,
    modality: Option<&str>,
    known: &[&str],
    nearest: Option<&Nearest>,
) -> String {
    match (nearest, modality) {
        (Some(nearest), _) => format!("{file}: the architecture `{found}` is not known; {nearest}"),
        (None, None) => format!("{file}: the architecture `{found}` is not known; known are {}", known.join(", ")),
        (None, Some(modality)) => format!(
            "{file} is of the architecture `{found}`, which encodes no {modality}; what does: {}",
            known.join(", ")
        ),
    }
}

/// The names of poolings, for a message.
fn names(poolings: &[Pooling]) -> String {
    poolings.iter().map(|pooling| format!("`{pooling}`")).collect::<Vec<_>>().join(", ")
}
