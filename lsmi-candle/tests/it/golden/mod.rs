//! Checkpoints with reference outputs, and the comparison with them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::encoders::{Config, Weights};

/// A folder with a checkpoint: `config.json`, `model.safetensors` and reference outputs in `golden.safetensors`.
pub(crate) struct Fixture {
    pub(crate) folder: PathBuf,
    golden: HashMap<String, Tensor>,
}

impl Fixture {
    /// One of the tiny checkpoints beside the tests.
    pub(crate) fn tiny(name: &str) -> Self {
        Self::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders").join(name))
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        let golden = candle_core::safetensors::load(folder.join("golden.safetensors"), &Device::Cpu).unwrap();
        Self { folder, golden }
    }

    pub(crate) fn config(&self, name: &str) -> Config {
        Config::read(&self.folder.join(name)).unwrap()
    }

    pub(crate) fn weights(&self, dtype: DType) -> Weights {
        Weights::read(&self.folder.join("model.safetensors"), dtype, &Device::Cpu).unwrap()
    }

    /// A reference tensor.
    pub(crate) fn get(&self, name: &str) -> &Tensor {
        &self.golden[name]
    }

    /// Whether there is a reference tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.golden.contains_key(name)
    }

    /// A reference tensor of whole numbers.
    pub(crate) fn whole(&self, name: &str) -> Tensor {
        self.golden[name].to_dtype(DType::U32).unwrap()
    }

    /// Asserts that a tensor is the reference to within `tolerance` in every number.
    #[track_caller]
    pub(crate) fn assert_close(&self, found: &Tensor, name: &str, tolerance: f64) {
        let difference = difference(found, self.get(name));
        assert!(difference <= tolerance, "{name} of {}: off by {difference}", self.folder.display());
    }
}

/// The greatest absolute difference.
pub(crate) fn difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let [a, b] = [a, b].map(|tensor| tensor.to_dtype(DType::F64).unwrap());
    let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
    // A comparison would let it pass.
    assert!(!f64::is_nan(difference));
    difference
}

/// A folder of released models, too large to be kept beside the tests; as [`shared`].
pub(crate) fn released(name: &str) -> Option<PathBuf> {
    shared(&format!("models/{name}"))
}

/// A folder that is not kept beside the tests: under `$LSMI_SHARED`, or `shared` beside the workspace.
///
/// None where it is not there; a failure then, if `LSMI_REQUIRE_MODELS` is set.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("LSMI_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let folder = shared.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("LSMI_REQUIRE_MODELS").is_none(), "{} is not there", folder.display());
    #[expect(clippy::print_stderr, reason = "that a test did not run should be seen")]
    {
        eprintln!("skipped: {} is not there", folder.display());
    }
    None
}
