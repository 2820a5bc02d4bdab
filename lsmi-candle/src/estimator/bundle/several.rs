//! Bundles of estimators of several modalities, which store what sets of modalities share once.
//!
//! Tensors are as those of two modalities (`gauge.x3.means`, `fold0.density.13.factors`, `fold0.head.123.0.weight`), with
//! the sets in the place of `x1`, `x2` and `joint`. Everything else is JSON in the metadata under `lsmi-several`, so that
//! neither kind of estimator is taken for the other.

use std::collections::{BTreeMap, HashMap};

use lsmi_core::{ClassPrior, Subset};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::check_schema;
use super::coordinates::{read_coordinates, read_head_coordinates, write_coordinates, write_head_coordinates};
use super::density::{MixtureLayout, read_density, write_density};
use super::kind::EstimatorKind;
use super::pool::{PoolLayout, read_pool, write_pool};
use super::tensors::{Reader, Writer};
use crate::densities::gauge::{HeadCoordinates, ModalityGauge};
use crate::device::DeviceChoice;
use crate::error::{BundleError, Result};
use crate::estimator::several::{SeveralDescription, SeveralEstimator, SeveralModels, parts_of};

/// Version of the layout that this crate writes and reads.
const SCHEMA: u32 = 2;

/// Everything that is not a tensor.
#[derive(Serialize, Deserialize)]
struct Metadata<Description> {
    schema: u32,
    description: Description,
    layout: Vec<FoldLayout>,
}

/// The structure of a fold's models.
#[derive(Serialize, Deserialize)]
struct FoldLayout {
    densities: BTreeMap<Subset, MixtureLayout>,
    heads: BTreeMap<Subset, PoolLayout>,
}

impl SeveralEstimator {
    /// Returns the estimator as the bytes of a safetensors file.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        writer.numbers("prior", &[self.prior.classes()], self.prior.log_probabilities());
        for (place, gauge) in self.gauge.iter().enumerate() {
            write_coordinates(&mut writer, &format!("gauge.x{}", place + 1), &gauge.coordinates);
            write_head_coordinates(&mut writer, &format!("heads.x{}", place + 1), &gauge.heads);
        }
        let mut layout = Vec::new();
        // The folds of all repeats are counted through.
        for (index, models) in self.repeats.iter().flatten().enumerate() {
            let densities = models.densities.iter().map(|(set, density)| {
                (*set, write_density(&mut writer, &format!("fold{index}.density.{set}"), density))
            });
            let densities = densities.collect();
            let heads = models
                .heads
                .iter()
                .map(|(set, pool)| (*set, write_pool(&mut writer, &format!("fold{index}.head.{set}"), pool)));
            layout.push(FoldLayout { densities, heads: heads.collect() });
        }
        let metadata = Metadata { schema: SCHEMA, description: &self.description, layout };
        let metadata = serde_json::to_string(&metadata).map_err(|source| BundleError::WriteDescription { source })?;
        let metadata = HashMap::from([(EstimatorKind::Several.key().to_owned(), metadata)]);
        let bytes = writer.views().and_then(|views| safetensors::serialize(views, Some(metadata)));
        Ok(bytes.map_err(|source| BundleError::Write { source })?)
    }

    /// Reads an estimator from the bytes of a safetensors file; `file` names it in messages.
    ///
    /// # Errors
    /// [`BundleError`] for bytes that are no bundle of several modalities, are damaged or newer than this version; a
    /// device that cannot be opened.
    pub fn from_bytes(file: &str, bytes: &[u8], device: DeviceChoice) -> Result<Self> {
        let device = device.open()?;
        let format = |source| BundleError::Format { file: file.to_owned(), source };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let Metadata { description, layout, .. } = parse(file, EstimatorKind::Several.metadata(file, &header)?)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let reader = Reader::new(file, &tensors);
        let (prior, gauge) = (read_prior(&reader, &description)?, read_gauge(&reader, &description)?);
        let SeveralDescription { folds, repeats, .. } = description;
        if folds.checked_mul(repeats).filter(|all| *all > 0) != Some(layout.len()) {
            let expected = format!("one of {folds} folds in each of {repeats} repeats");
            return Err(reader.wrong("fold0", &expected, &layout.len().to_string()).into());
        }
        let classes = description.classes.len();
        let models = layout.iter().enumerate().map(|(index, fold)| {
            check_sets(&reader, index, fold, &layout[0], gauge.len())?;
            read_fold(&reader, index, fold, &gauge, classes)
        });
        let models = models.collect::<std::result::Result<Vec<_>, BundleError>>()?;
        let repeats = models.chunks_exact(folds).map(<[_]>::to_vec).collect();
        Ok(Self { description, prior, gauge, repeats, device })
    }
}

fn parse(file: &str, metadata: &str) -> std::result::Result<Metadata<SeveralDescription>, BundleError> {
    let understood = |source| BundleError::Description { file: file.to_owned(), source };
    let value: serde_json::Value = serde_json::from_str(metadata).map_err(understood)?;
    check_schema(file, &value["schema"], SCHEMA)?;
    serde_json::from_value(value).map_err(understood)
}

fn read_prior(reader: &Reader<'_>, of: &SeveralDescription) -> std::result::Result<ClassPrior, BundleError> {
    let log_prior = reader.numbers("prior", &[of.classes.len()])?;
    ClassPrior::from_log_probabilities(log_prior)
        .map_err(|error| reader.wrong("prior", "logarithms of class probabilities", &error.to_string()))
}

fn read_gauge(reader: &Reader<'_>, of: &SeveralDescription) -> std::result::Result<Vec<ModalityGauge>, BundleError> {
    let SeveralDescription { modalities, dims, gauge_dims, .. } = of;
    let count = modalities.len();
    if !(2..=Subset::MOST_MODALITIES).contains(&count) || dims.len() != count || gauge_dims.len() != count {
        let found = format!("{count}, {} and {}", dims.len(), gauge_dims.len());
        return Err(reader.wrong("gauge.x1", "of two to eight modalities, with columns and dimensions", &found));
    }
    let pairs = Subset::all(count).filter(|set| set.len() == 2);
    if !of.pairs.keys().copied().eq(pairs) {
        return Err(reader.wrong("gauge.x1", "of modalities of which every pair is described", "of others"));
    }
    let sizes = dims.iter().zip(gauge_dims).enumerate();
    sizes
        .map(|(place, (columns, dims))| {
            let coordinates = read_coordinates(reader, &format!("gauge.x{}", place + 1), *columns, *dims)?;
            let columns = coordinates.standardizer.columns();
            let heads = read_head_coordinates(reader, &format!("heads.x{}", place + 1), columns)?;
            Ok(ModalityGauge { coordinates, heads })
        })
        .collect()
}

/// Checks that a fold has models of the sets that the first has, among them every single modality, and the parts of each.
fn check_sets(
    reader: &Reader<'_>,
    index: usize,
    fold: &FoldLayout,
    first: &FoldLayout,
    modalities: usize,
) -> std::result::Result<(), BundleError> {
    let FoldLayout { densities, heads } = fold;
    let whole = Subset::whole(modalities);
    let are_same = densities.keys().eq(first.densities.keys()) && heads.keys().eq(first.heads.keys());
    let are_known = densities.keys().chain(heads.keys()).all(|set| whole.contains(*set));
    let singles = Subset::all(modalities).filter(|set| set.len() < 3);
    let are_there =
        singles.into_iter().all(|set| heads.contains_key(&set) && (set.len() > 1 || densities.contains_key(&set)));
    let have_parts = heads.keys().all(|set| parts_of(*set).iter().all(|part| heads.contains_key(part)));
    if are_same && are_known && are_there && have_parts {
        return Ok(());
    }
    let expected = "of the same sets of modalities in every fold, with their parts";
    Err(reader.wrong(&format!("fold{index}"), expected, "of others"))
}

fn read_fold(
    reader: &Reader<'_>,
    index: usize,
    layout: &FoldLayout,
    gauge: &[ModalityGauge],
    classes: usize,
) -> std::result::Result<SeveralModels, BundleError> {
    let densities = layout.densities.iter().map(|(set, layout)| {
        let dims = set.members().map(|member| gauge[member].coordinates.dims()).sum();
        Ok((*set, read_density(reader, &format!("fold{index}.density.{set}"), layout, dims)?))
    });
    let heads = layout.heads.iter().map(|(set, layout)| {
        let modalities: Vec<&HeadCoordinates> = set.members().map(|member| &gauge[member].heads).collect();
        Ok((*set, read_pool(reader, &format!("fold{index}.head.{set}"), layout, &modalities, classes)?))
    });
    Ok(SeveralModels {
        densities: densities.collect::<std::result::Result<_, BundleError>>()?,
        heads: heads.collect::<std::result::Result<_, BundleError>>()?,
    })
}
