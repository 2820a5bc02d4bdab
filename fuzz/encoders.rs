//! Damaged checkpoints and tokenizers: what is still read of them also encodes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use candle_core::{DType, Device, Tensor, safetensors};
use lsmi_candle::embedding::encoders::tokens::{TextSettings, Tokenizer};
use lsmi_candle::embedding::encoders::{Config, Result, TextEncoder, Weights, audio, image, text};

/// A text, nothing, several scripts with a character that no text has, words that tokenizers know, and one without end.
const TEXTS: [&str; 5] = [
    "a red, round thing",
    "",
    "\u{1f600} é e\u{301} \u{0} 你好",
    "[CLS] </s> <unk> <|endoftext|>",
    "aaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// The architecture whose weights are damaged, and that stands for those that are not known.
const USUAL: &str = "bert";

/// A checkpoint that is whole, with inputs.
struct Checkpoint {
    config: Config,
    weights: Vec<u8>,
    inputs: HashMap<String, Tensor>,
}

/// The tiny checkpoints of the tests, by architecture; of two of an architecture, the one with the later name.
static CHECKPOINTS: LazyLock<BTreeMap<String, Checkpoint>> = LazyLock::new(|| {
    let fixtures: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "lsmi-candle", "tests", "fixtures", "encoders"].iter().collect();
    let mut folders = Vec::new();
    find_checkpoints(fixtures, &mut folders);
    folders.sort();
    let checkpoints = folders.into_iter().map(|folder| {
        let config = Config::read(&folder.join("config.json")).expect("its configuration");
        let weights = std::fs::read(folder.join("model.safetensors")).expect("its weights");
        let inputs = safetensors::load(folder.join("golden.safetensors"), &Device::Cpu).expect("its inputs");
        (config.architecture().expect("its architecture").to_owned(), Checkpoint { config, weights, inputs })
    });
    checkpoints.collect()
});

/// The folders of checkpoints in a folder, however deep.
fn find_checkpoints(folder: PathBuf, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(&folder).expect("checkpoints") {
        let path = entry.expect("a checkpoint").path();
        if path.is_dir() {
            find_checkpoints(path, found);
        }
    }
    if folder.join("config.json").is_file() {
        found.push(folder);
    }
}

/// A tokenizer that may be damaged, for a model that is not.
pub(crate) fn tokenizer(path: &Path) -> bool {
    static MODEL: LazyLock<Box<dyn TextEncoder>> = LazyLock::new(|| {
        let usual = &CHECKPOINTS[USUAL];
        text::load(&usual.config, &weights_from(&usual.weights).expect("whole weights")).expect("a whole checkpoint")
    });
    let Ok(tokenizer) =
        Tokenizer::read(path, &TextSettings { max_tokens: Some(16), ..TextSettings::default() }, &**MODEL)
    else {
        return false;
    };
    let tokens: Vec<_> = TEXTS.iter().filter_map(|text| tokenizer.tokens(text).ok()).collect();
    tokenizer.batch(&tokens.iter().collect::<Vec<_>>(), &Device::Cpu).is_ok()
}

/// A configuration that may be damaged, with weights that are not.
pub(crate) fn config(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let Ok(config) = Config::parse("config.json", text) else { return false };
    let checkpoint = config.architecture().ok().and_then(|name| CHECKPOINTS.get(name));
    let checkpoint = checkpoint.unwrap_or(&CHECKPOINTS[USUAL]);
    weights_from(&checkpoint.weights).is_ok_and(|weights| encodes(&config, &weights, &checkpoint.inputs))
}

/// Weights that may be damaged, with a configuration that is not.
pub(crate) fn weights(bytes: &[u8]) -> bool {
    let checkpoint = &CHECKPOINTS[USUAL];
    weights_from(bytes).is_ok_and(|weights| encodes(&checkpoint.config, &weights, &checkpoint.inputs))
}

fn weights_from(bytes: &[u8]) -> Result<Weights> {
    Weights::from_bytes(vec![("model.safetensors".to_owned(), bytes.to_vec())], DType::F32, &Device::Cpu)
}

/// Whether the checkpoint encodes any of the inputs: one may be of texts as well as of pictures.
fn encodes(config: &Config, weights: &Weights, inputs: &HashMap<String, Tensor>) -> bool {
    let input = |name: &str| inputs.get(name);
    let of_text = |ids: &Tensor| {
        let ids = ids.to_dtype(DType::U32)?;
        let mask = ids.ones_like()?;
        text::load(config, weights)?.encode(&ids, &mask, None)
    };
    let of_image = |pixels: &Tensor| image::load(config, weights)?.encode(pixels);
    let of_audio = |features: &Tensor| audio::load(config, weights)?.encode(features, None);
    let results =
        [input("input_ids").map(of_text), input("pixel_values").map(of_image), input("input_features").map(of_audio)];
    results.into_iter().flatten().any(|result| result.is_ok())
}
