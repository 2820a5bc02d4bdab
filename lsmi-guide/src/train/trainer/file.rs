//! The file of a checkpoint: one safetensors file that appears whole or not at all.
//!
//! The metadata say, under [`KEY`], how far the training was and which run it was of.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::{CheckpointError, Result};
use crate::identity::Identity;

/// The metadata's key.
const KEY: &str = "lsmi_training";
/// The version of the format.
const SCHEMA: u32 = 2;

/// How far a training is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    schema: u32,
    /// Epochs done.
    pub(super) epochs: usize,
    /// Steps done, skipped ones included.
    pub(super) steps: usize,
    /// Why steps were skipped.
    pub(super) skipped: Vec<String>,
    /// What the run is of.
    identity: Identity,
}

impl State {
    pub(super) fn new(epochs: usize, steps: usize, skipped: Vec<String>, identity: Identity) -> Self {
        Self { schema: SCHEMA, epochs, steps, skipped, identity }
    }
}

/// What a checkpoint must outlast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The end of the process, whatever ends it.
    OfProcess,
    /// A loss of power too: the file is forced to the disk, which takes milliseconds.
    OfMachine,
}

/// Writes a checkpoint: to a file beside it, which then takes its name.
pub(super) fn save(
    path: &Path,
    state: &State,
    tensors: &BTreeMap<String, Tensor>,
    durability: Durability,
) -> Result<()> {
    let mut stored = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let flat = tensor.flatten_all()?;
        let (dtype, bytes): (_, Vec<u8>) = if tensor.dtype() == DType::F64 {
            (Dtype::F64, flat.to_vec1::<f64>()?.into_iter().flat_map(f64::to_le_bytes).collect())
        } else {
            let single = flat.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            (Dtype::F32, single.into_iter().flat_map(f32::to_le_bytes).collect())
        };
        stored.push((name, dtype, tensor.dims().to_vec(), bytes));
    }
    let wrong = |reason: String| CheckpointError::Format { file: path.display().to_string(), reason };
    let mut views = Vec::with_capacity(stored.len());
    for (name, dtype, shape, bytes) in &stored {
        let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| wrong(error.to_string()))?;
        views.push((name.as_str(), view));
    }
    let state = serde_json::to_string(state).map_err(|error| wrong(error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), state)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| wrong(error.to_string()))?;
    Ok(write_whole(path, &bytes, durability).map_err(|source| CheckpointError::File {
        file: path.display().to_string(),
        action: "written",
        source,
    })?)
}

/// Reads a checkpoint of the run `identity`; its tensors are on the host.
pub(super) fn load(path: &Path, identity: &Identity) -> Result<(State, BTreeMap<String, Tensor>)> {
    let file = path.display().to_string();
    let bytes =
        fs::read(path).map_err(|source| CheckpointError::File { file: file.clone(), action: "read", source })?;
    let wrong = |reason: String| CheckpointError::Format { file: file.clone(), reason };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| wrong(error.to_string()))?;
    let state = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let state = state.ok_or_else(|| wrong(format!("its metadata has no `{KEY}`")))?;
    let state: State = serde_json::from_str(state).map_err(|error| wrong(error.to_string()))?;
    if state.schema != SCHEMA {
        return Err(wrong(format!("its schema is {}, but this version reads {SCHEMA}", state.schema)).into());
    }
    identity.check(&state.identity, path)?;

    let stored = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in stored.iter() {
        let data = view.data();
        let tensor = match view.dtype() {
            Dtype::F64 => Tensor::from_vec(numbers(data, f64::from_le_bytes), view.shape(), &Device::Cpu)?,
            Dtype::F32 => Tensor::from_vec(numbers(data, f32::from_le_bytes), view.shape(), &Device::Cpu)?,
            other => return Err(wrong(format!("`{name}` is of the type {other:?}")).into()),
        };
        tensors.insert(name.to_owned(), tensor);
    }
    Ok((state, tensors))
}

fn numbers<const N: usize, Number>(bytes: &[u8], from: fn([u8; N]) -> Number) -> Vec<Number> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| from(*chunk)).collect()
}

fn write_whole(path: &Path, bytes: &[u8], durability: Durability) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part: PathBuf = path.with_file_name(name);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        if durability == Durability::OfMachine { file.sync_all() } else { Ok(()) }
    });
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| {
        // The error of the writing is what counts.
        let _ = fs::remove_file(&part);
    })
}
