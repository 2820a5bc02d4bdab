//! Bundles: an estimator as one safetensors file.
//!
//! Every weight and statistic is a tensor (`gauge.x1.means`, `fold0.density.x1.factors`, ...): f64 where the host computes
//! with it, f32 where the device does. Everything else is JSON in the metadata under `lsmi`. Saving, loading and scoring
//! gives the same bits.

mod classifier;
mod conditional;
mod continuous;
mod coordinates;
mod density;
mod fold;
mod kind;
mod pool;
mod saved;
mod several;
mod tensors;

pub use kind::EstimatorKind;
pub use saved::SavedEstimator;

use std::collections::HashMap;

use candle_core::Device;
use lsmi_core::ClassPrior;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use self::coordinates::{read_gauge, write_gauge};
use self::fold::{FoldLayout, read_fold, write_fold};
use self::tensors::{Reader, Writer};
use super::{Description, Estimator};
use crate::device::DeviceChoice;
use crate::error::{BundleError, Result};

/// Version of the bundle's layout that this crate writes and reads.
pub const SCHEMA: u32 = 3;

/// Everything that is not a tensor.
#[derive(Serialize, Deserialize)]
struct Metadata<D> {
    description: D,
    layout: Vec<FoldLayout>,
}

impl Estimator {
    /// Returns the estimator as the bytes of a safetensors file.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        writer.numbers("prior", &[self.prior.classes()], self.prior.log_probabilities());
        write_gauge(&mut writer, &self.gauge);
        let mut layout = Vec::new();
        // The folds of all repeats are counted through.
        for (index, fold) in self.repeats.iter().flatten().enumerate() {
            layout.push(write_fold(&mut writer, &format!("fold{index}"), fold));
        }
        // One key only: the metadata is a hash map, whose order would change the bytes from run to run.
        let metadata = serde_json::to_string(&Metadata { description: &self.description, layout })
            .map_err(|source| BundleError::WriteDescription { source })?;
        let metadata = HashMap::from([(EstimatorKind::Two.key().to_owned(), metadata)]);
        let bytes = writer.views().and_then(|views| safetensors::serialize(views, Some(metadata)));
        Ok(bytes.map_err(|source| BundleError::Write { source })?)
    }

    /// Reads an estimator from the bytes of a safetensors file; `file` names it in messages.
    ///
    /// # Errors
    /// [`BundleError`] for bytes that are no bundle, are damaged or newer than this version; a device that cannot be
    /// opened.
    pub fn from_bytes(file: &str, bytes: &[u8], device: DeviceChoice) -> Result<Self> {
        let device = device.open()?;
        let format = |source| BundleError::Format { file: file.to_owned(), source };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let Metadata { description, layout } = parse(file, EstimatorKind::Two.metadata(file, &header)?)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        Ok(Self::read(&Reader::new(file, &tensors), description, &layout, device)?)
    }

    fn read(
        reader: &Reader<'_>,
        description: Description,
        layout: &[FoldLayout],
        device: Device,
    ) -> std::result::Result<Self, BundleError> {
        let classes = description.classes.len();
        let log_prior = reader.numbers("prior", &[classes])?;
        let prior = ClassPrior::from_log_probabilities(log_prior)
            .map_err(|error| reader.wrong("prior", "logarithms of class probabilities", &error.to_string()))?;
        let gauge = read_gauge(reader, description.gauge, description.dims, description.gauge_dims)?;
        let Description { folds, repeats, given_heads, .. } = description;
        let expected = folds.checked_mul(repeats).filter(|all| *all > 0);
        if expected != Some(layout.len()) {
            let expected = format!("one of {folds} folds in each of {repeats} repeats");
            return Err(reader.wrong("fold0", &expected, &layout.len().to_string()));
        }
        let models = layout.iter().enumerate();
        let models =
            models.map(|(index, fold)| read_fold(reader, &format!("fold{index}"), fold, &gauge, given_heads, classes));
        let models = models.collect::<std::result::Result<Vec<_>, _>>()?;
        let repeats = models.chunks_exact(folds).map(<[_]>::to_vec).collect();
        Ok(Self { description, prior, gauge, repeats, device })
    }
}

fn parse(file: &str, metadata: &str) -> std::result::Result<Metadata<Description>, BundleError> {
    let understood = |source| BundleError::Description { file: file.to_owned(), source };
    let value: serde_json::Value = serde_json::from_str(metadata).map_err(understood)?;
    check_schema(file, &value["description"]["schema"], SCHEMA)?;
    serde_json::from_value(value).map_err(understood)
}

/// Checks the version of a layout, before all else: a description of another may have fields that this version cannot know.
fn check_schema(file: &str, found: &serde_json::Value, known: u32) -> std::result::Result<(), BundleError> {
    match found.as_u64() {
        Some(found) if found > u64::from(known) => {
            Err(BundleError::NewerSchema { file: file.to_owned(), found, known })
        }
        Some(found) if found < u64::from(known) => Err(BundleError::OlderSchema { file: file.to_owned(), found }),
        _ => Ok(()),
    }
}
