//! Pretrained encoders that embed record batches.

use std::sync::Arc;

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::embedding::embedder::{EmbedError, Embedder, Options, Precision, Prompt};
use lsmi_candle::embedding::encoders::Modality;
use lsmi_candle::embedding::hub::{Hub, HubConfig};
use lsmi_candle::embedding::manifests::{Asked, Origin, Registry, Resolved, resolve};
use lsmi_candle::embedding::pipeline::{BatchEncoder, Encoding};
use lsmi_candle::embedding::preprocess::audio::Windows;
use lsmi_candle::features::Missing;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrow::{self, Batch};
use crate::error::{Class, Raised, usage};
use crate::settings::{option, parsed};

/// Encoders of some columns.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Encoders(Arc<BatchEncoder>);

#[pymethods]
impl Encoders {
    /// Loads encoders: `models` lists modality, column and model of each, `options` has everything else.
    #[new]
    fn new(py: Python<'_>, models: Vec<(String, String, String)>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (how, device, mut encoder) = parse(options)?;
        let models = models
            .into_iter()
            .map(|(kind, column, model)| Ok((modality(&kind)?, column, model)))
            .collect::<PyResult<Vec<_>>>()?;
        let has_pooling = how.pooling.is_some();
        let loaded = py.detach(move || -> Result<BatchEncoder, Raised> {
            let device = device.open().map_err(EmbedError::from)?;
            let mut named: Vec<(Modality, String)> = Vec::new();
            for (modality, column, model) in models {
                let name = (modality, model);
                // One model of several columns is in memory once.
                let embedder = match named.iter().position(|earlier| *earlier == name) {
                    Some(earlier) => Arc::clone(&encoder.encodings[earlier].embedder),
                    None => Arc::new(Embedder::load(&find(modality, &name.1, has_pooling)?, &how, &device)?),
                };
                encoder.encodings.push(Encoding { modality, column, embedder });
                named.push(name);
            }
            Ok(encoder)
        })?;
        Ok(Self(Arc::new(loaded)))
    }

    /// Embeds the rows of a record batch.
    fn embed_batch(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let rows = arrow::record_batch(rows)?;
        Ok(Batch(py.detach(|| self.0.embed(&rows)).map_err(Raised::from)?))
    }

    /// The columns that `embed_batch` gives for rows with the columns of a schema: a batch without rows.
    fn embedded_columns(&self, schema: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let rows = arrow::empty_batch(schema)?;
        Ok(Batch(self.0.embed(&rows).map_err(Raised::from)?))
    }

    /// What made the vectors, as JSON: a list, in the order of the encoders.
    fn provenance(&self) -> PyResult<String> {
        let all: Vec<_> = self.0.encodings.iter().map(|encoding| encoding.embedder.provenance()).collect();
        serde_json::to_string(&all).map_err(|error| crate::error::failed(&error))
    }
}

/// Checks the options of encoders, before any is loaded.
#[pyfunction]
pub(crate) fn check_encoder_options(options: &Bound<'_, PyDict>) -> PyResult<()> {
    let (_, _, encoder) = parse(options)?;
    if encoder.batch == 0 {
        return Err(usage("batch=0: an encoder takes one input at a time at least"));
    }
    Ok(())
}

fn parse(options: &Bound<'_, PyDict>) -> PyResult<(Options, DeviceChoice, BatchEncoder)> {
    let pooling: Option<String> = option(options, "pooling")?;
    let how = Options {
        pooling: pooling.map(|pooling| parsed(&pooling)).transpose()?,
        normalize: option(options, "normalize")?,
        prompt: match option::<Option<String>>(options, "prompt")?.as_deref() {
            None => Prompt::Authors,
            Some("none") => Prompt::None,
            Some(given) => Prompt::Given(given.to_owned()),
        },
        precision: precision(&option::<String>(options, "precision")?)?,
        windows: match option::<String>(options, "windows")?.as_str() {
            "first" => Windows::First,
            "mean" => Windows::Mean,
            other => return Err(usage(format!("windows={other:?}: use \"first\" or \"mean\""))),
        },
    };
    let device: DeviceChoice = parsed(&option::<String>(options, "device")?)?;
    let missing: String = option(options, "missing")?;
    let encoder = BatchEncoder {
        encodings: Vec::new(),
        directory: option(options, "directory")?,
        follow_links: option(options, "follow_links")?,
        batch: option(options, "batch")?,
        threads: option(options, "threads")?,
        missing: match missing.as_str() {
            "refuse" => Missing::Refuse,
            "keep" => Missing::Keep,
            other => return Err(usage(format!("missing={other:?}: use \"refuse\" or \"keep\""))),
        },
        keeps_unreadable: match option::<String>(options, "on_error")?.as_str() {
            "fail" => false,
            "keep" => true,
            other => return Err(usage(format!("on_error={other:?}: use \"fail\" or \"keep\""))),
        },
    };
    Ok((how, device, encoder))
}

/// Finds a model, downloading what is not there. Returns its name with the commit, where it is of the hub, and the SHA-256 of
/// its files.
#[pyfunction]
pub(crate) fn find_model(py: Python<'_>, kind: &str, model: String, has_pooling: bool) -> PyResult<(String, String)> {
    let modality = modality(kind)?;
    let found = py.detach(move || -> Result<_, Raised> {
        let found = find(modality, &model, has_pooling)?;
        let sha256 = found.sha256().map_err(EmbedError::from)?;
        // A manifest names its commit itself.
        let name = match found.origin {
            Origin::Hub { repository, commit }
                if repository.as_str() == model.split('@').next().unwrap_or_default() =>
            {
                format!("{repository}@{commit}")
            }
            // Where another process runs in another directory.
            Origin::Directory(directory) => std::path::absolute(&directory)
                .map_err(|error| Raised::new(Class::Failed, &error))?
                .display()
                .to_string(),
            Origin::Hub { .. } => model,
        };
        Ok((name, sha256))
    })?;
    Ok(found)
}

fn find(modality: Modality, model: &str, has_pooling: bool) -> Result<Resolved, Raised> {
    let hub = HubConfig::from_environment().map_err(|error| Raised::new(Class::Usage, &error))?;
    let asked = Asked { modality: Some(modality), pooling_is_chosen: has_pooling };
    let found =
        Registry::from_environment().and_then(|registry| resolve(model, asked, &registry, &Hub::new(hub), &mut |_| ()));
    Ok(found.map_err(EmbedError::from)?)
}

fn modality(kind: &str) -> PyResult<Modality> {
    kind.parse().map_err(|_| usage(format!("{kind}= is no modality")))
}

fn precision(name: &str) -> PyResult<Precision> {
    match name {
        "f32" => Ok(Precision::F32),
        "f16" => Ok(Precision::F16),
        "bf16" => Ok(Precision::Bf16),
        other => Err(usage(format!("precision={other:?}: use \"f32\", \"f16\" or \"bf16\""))),
    }
}
