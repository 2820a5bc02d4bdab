//! The weights of a checkpoint: named tensors of one or several `.safetensors` files, each checked against the shape
//! that the configuration says, and none left over unknown.
//!
//! A checkpoint that holds more than the architecture computes gives plausible vectors that are not the model's. So every
//! tensor asked for is remembered, and [`Weights::finish`] names those that nobody asked for.

mod file;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Deserialize;

pub use self::variables::Variables;

use self::file::{File, Stored};
use super::error::{EncoderError, Result};
use super::pooling::Pooling;

/// The weights of a checkpoint, or those whose names begin with a prefix.
#[derive(Debug, Clone)]
pub struct Weights {
    checkpoint: Arc<Checkpoint>,
    prefix: String,
    training: Option<Training>,
}

/// Where weights that are trained are kept.
#[derive(Debug, Clone)]
struct Training {
    variables: Variables,
    /// The poolings that read the layers; none where all do.
    read_by: Option<&'static [Pooling]>,
}

#[derive(Debug)]
struct Checkpoint {
    files: Vec<File>,
    tensors: BTreeMap<String, Entry>,
    used: Mutex<BTreeSet<String>>,
    dtype: DType,
    device: Device,
}

/// Where a tensor stands.
#[derive(Debug)]
struct Entry {
    file: usize,
    info: TensorInfo,
}

/// The list of the files of a checkpoint in several, `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Reads a checkpoint: a `.safetensors` file, or the `.safetensors.index.json` of one in several files, which are
    /// looked for beside it. Tensors are read when they are asked for, and converted to `dtype` (f32, f16 or bf16) on `device`.
    ///
    /// # Errors
    /// [`EncoderError`] naming the file that cannot be read or is not whole.
    pub fn read(path: &Path, dtype: DType, device: &Device) -> Result<Self> {
        if path.extension().is_none_or(|extension| extension != "json") {
            return Self::read_files(&[path.to_path_buf()], dtype, device);
        }
        let file = path.display().to_string();
        let text = read(path)?;
        let index: Index =
            serde_json::from_slice(&text).map_err(|source| EncoderError::Json { file: file.clone(), source })?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        // A list from elsewhere must not lead to files elsewhere.
        if let Some(found) = shards.iter().find(|shard| Path::new(shard).file_name() != Some(shard.as_ref())) {
            let expected = "names of files in the same folder".to_owned();
            return Err(EncoderError::Field { file, field: "weight_map".to_owned(), expected, found: found.clone() });
        }
        let shards: Vec<PathBuf> = shards.into_iter().map(|shard| path.with_file_name(shard)).collect();
        Self::read_files(&shards, dtype, device)
    }

    /// Reads a checkpoint from all its files.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn read_files(paths: &[PathBuf], dtype: DType, device: &Device) -> Result<Self> {
        Self::of_files(paths.iter().map(|path| File::open(path)), dtype, device)
    }

    /// Reads a checkpoint from the names and contents of its files.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn from_bytes(files: Vec<(String, Vec<u8>)>, dtype: DType, device: &Device) -> Result<Self> {
        Self::of_files(files.into_iter().map(|(name, bytes)| File::of_bytes(name, bytes)), dtype, device)
    }

    fn of_files(
        opened: impl Iterator<Item = Result<(File, Vec<(String, TensorInfo)>)>>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let (mut files, mut tensors) = (Vec::<File>::new(), BTreeMap::<String, Entry>::new());
        for opened in opened {
            let (file, found) = opened?;
            for (tensor, info) in found {
                if let Some(first) = tensors.insert(tensor.clone(), Entry { file: files.len(), info }) {
                    let first = files.get(first.file).unwrap_or(&file).name.clone();
                    return Err(EncoderError::TwiceTensor { tensor, file: first, again: file.name });
                }
            }
            files.push(file);
        }
        let checkpoint = Checkpoint { files, tensors, used: Mutex::default(), dtype, device: device.clone() };
        Ok(Self { checkpoint: Arc::new(checkpoint), prefix: String::new(), training: None })
    }

    /// Returns the same weights, to be trained: each that is asked for becomes one of the variables.
    #[must_use]
    pub fn trained(&self, variables: &Variables) -> Self {
        Self { training: Some(Training { variables: variables.clone(), read_by: None }), ..self.clone() }
    }

    /// Whether the weights are trained.
    pub fn is_trained(&self) -> bool {
        self.training.is_some()
    }

    /// Returns the weights of layers that only these poolings read: where they are trained, they are for these alone.
    #[must_use]
    pub(crate) fn read_by(&self, poolings: &'static [Pooling]) -> Self {
        let training = self.training.clone().map(|training| Training { read_by: Some(poolings), ..training });
        Self { training, ..self.clone() }
    }

    /// Returns the weights whose names begin with `part` and a dot, which is then left out. An empty part changes nothing.
    #[must_use]
    pub fn under(&self, part: &str) -> Self {
        Self {
            checkpoint: Arc::clone(&self.checkpoint),
            prefix: self.full(part) + if part.is_empty() { "" } else { "." },
            training: self.training.clone(),
        }
    }

    /// Returns the first of the parts under which there is a tensor `name`; the weights themselves where there is none, so that
    /// the tensor is then found missing.
    #[must_use]
    pub fn under_one_of(&self, parts: &[&str], name: &str) -> Self {
        let found = parts.iter().map(|part| self.under(part)).find(|view| view.contains(name));
        found.unwrap_or_else(|| self.clone())
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.checkpoint.tensors.contains_key(&self.full(name))
    }

    /// Refuses the weights of `open_clip`, whose tensors have names of their own.
    ///
    /// # Errors
    /// [`EncoderError::OpenClip`] naming the file.
    pub(super) fn refuse_open_clip(&self) -> Result<()> {
        let begins = ["visual.transformer.resblocks.", "visual.trunk.", "transformer.resblocks."];
        let is_of_it = |name: &String| begins.iter().any(|begin| name.starts_with(begin));
        if self.checkpoint.tensors.keys().any(is_of_it) {
            return Err(EncoderError::OpenClip { file: self.file() });
        }
        Ok(())
    }

    /// Returns the shape of a tensor, where there is one of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.checkpoint.tensors.get(&self.full(name)).map(|entry| entry.info.shape.as_slice())
    }

    /// Returns the number type that tensors are converted to.
    pub fn dtype(&self) -> DType {
        self.checkpoint.dtype
    }

    /// Returns the device that tensors are put on.
    pub fn device(&self) -> &Device {
        &self.checkpoint.device
    }

    /// Returns the tensor of a name, which must have this shape.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing, of another shape, of a type that is no weight's, or no more in the
    /// file.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.full(name);
        let Checkpoint { files, tensors, used, dtype, device } = &*self.checkpoint;
        let Some(entry) = tensors.get(&tensor) else {
            return Err(EncoderError::MissingTensor { file: self.file(), tensor, expected: shape.to_vec() });
        };
        let (file, info) = (&files[entry.file], &entry.info);
        if info.shape != shape {
            let (file, expected, found) = (file.name.clone(), shape.to_vec(), info.shape.clone());
            return Err(EncoderError::Shape { file, tensor, expected, found });
        }
        let stored = match info.dtype {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(EncoderError::TensorType { file: file.name.clone(), tensor, found: format!("{other:?}") });
            }
        };
        let stored = Stored { dtype: stored, bytes: info.data_offsets.0..info.data_offsets.1 };
        let value = file.tensor(&tensor, &stored, shape, *dtype, device)?;
        let value = match &self.training {
            None => value,
            Some(Training { variables, read_by }) => variables.trained(&tensor, &value, *read_by)?,
        };
        used.lock().unwrap_or_else(PoisonError::into_inner).insert(tensor);
        Ok(value)
    }

    /// Ends the loading: every tensor of the checkpoint must have been asked for, or be named by a pattern, where `*` at
    /// the beginning or the end stands for anything.
    ///
    /// # Errors
    /// [`EncoderError::ExtraTensors`] naming the others.
    pub fn finish(&self, unused: &[&str]) -> Result<()> {
        let used = self.checkpoint.used.lock().unwrap_or_else(PoisonError::into_inner);
        let extra = |name: &&String| !used.contains(*name) && !unused.iter().any(|pattern| matches(pattern, name));
        let tensors: Vec<String> = self.checkpoint.tensors.keys().filter(extra).cloned().collect();
        if tensors.is_empty() { Ok(()) } else { Err(EncoderError::ExtraTensors { file: self.file(), tensors }) }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The files, for a message.
    fn file(&self) -> String {
        let names: Vec<&str> = self.checkpoint.files.iter().map(|file| file.name.as_str()).collect();
        names.join(", ")
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| EncoderError::Read { file: path.display().to_string(), source })
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => name.contains(rest.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(begin)) => name.starts_with(begin),
        (None, None) => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_beginnings_and_ends() {
        assert!(matches("pooler.*", "pooler.dense.bias"));
        assert!(matches("*position_ids", "text_model.embeddings.position_ids"));
        assert!(matches("*.rotary.*", "layers.0.rotary.inv_freq"));
        assert!(matches("logit_scale", "logit_scale"));
        assert!(!matches("logit", "logit_scale"));
        assert!(!matches("pooler.*", "my.pooler.dense"));
    }
}
