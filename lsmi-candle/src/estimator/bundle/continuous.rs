//! Bundles of estimators of continuous targets.
//!
//! Gauge and densities of x1 and x2 are stored as those of classes. Of every fold and target there is a chain of densities,
//! `fold0.target1.marginal`, `fold0.target1.after` (given the targets before, jointly) and `fold0.target1.x1`, `x2` and
//! `joint`. Everything else is JSON in the metadata under `lsmi-continuous`, so that no kind of estimator is taken for another.

use std::collections::HashMap;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::check_schema;
use super::conditional::{
    DensityPoolLayout, Inputs, read_density_pool, read_marginal, write_density_pool, write_marginal,
};
use super::coordinates::{read_gauge, write_gauge};
use super::density::{MixtureLayout, read_density, write_density};
use super::kind::EstimatorKind;
use super::tensors::{Reader, Writer};
use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::device::DeviceChoice;
use crate::error::{BundleError, Result};
use crate::estimator::continuous::{Chain, ContinuousEstimator, Decomposed, Link, TargetDescription};

/// Version of the layout that this crate writes and reads.
const SCHEMA: u32 = 1;

/// The heads by the names of their tensors: x1, x2 and both.
const HEADS: [&str; 3] = ["x1", "x2", "joint"];

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
    densities: [MixtureLayout; 2],
    /// One for every target, whether they are analysed one by one or jointly.
    targets: Vec<LinkLayout>,
}

#[derive(Serialize, Deserialize)]
struct LinkLayout {
    marginal: MixtureLayout,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<DensityPoolLayout>,
    heads: [DensityPoolLayout; 3],
}

impl ContinuousEstimator {
    /// Returns the estimator as the bytes of a safetensors file.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        write_gauge(&mut writer, &self.gauge);
        let folds = self.description.folds;
        let write_fold = |(index, densities): (usize, &[Knife; 2])| {
            let name = format!("fold{index}");
            let chains = self.decomposed.iter().map(|of| (of, &of.repeats[index / folds][index % folds]));
            let links = chains.flat_map(|(of, chain)| of.columns.iter().zip(&chain.0));
            let targets = links.map(|(column, link)| write_link(&mut writer, &format!("{name}.target{column}"), link));
            let targets = targets.collect();
            let [first, second] = densities;
            let mut density =
                |modality: &str, of: &Knife| write_density(&mut writer, &format!("{name}.density.{modality}"), of);
            FoldLayout { densities: [density("x1", first), density("x2", second)], targets }
        };
        // The folds of all repeats are counted through.
        let layout = self.densities.iter().flatten().enumerate().map(write_fold).collect();
        let metadata = Metadata { schema: SCHEMA, description: &self.description, layout };
        let metadata = serde_json::to_string(&metadata).map_err(|source| BundleError::WriteDescription { source })?;
        let metadata = HashMap::from([(EstimatorKind::Continuous.key().to_owned(), metadata)]);
        let bytes = writer.views().and_then(|views| safetensors::serialize(views, Some(metadata)));
        Ok(bytes.map_err(|source| BundleError::Write { source })?)
    }

    /// Reads an estimator from the bytes of a safetensors file; `file` names it in messages.
    ///
    /// # Errors
    /// [`BundleError`] for bytes that are no bundle of continuous targets, are damaged or newer than this version; a device
    /// that cannot be opened.
    pub fn from_bytes(file: &str, bytes: &[u8], device: DeviceChoice) -> Result<Self> {
        let device = device.open()?;
        let format = |source| BundleError::Format { file: file.to_owned(), source };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let Metadata { description, layout, .. } = parse(file, EstimatorKind::Continuous.metadata(file, &header)?)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let reader = Reader::new(file, &tensors);
        let gauge = read_gauge(&reader, description.gauge, description.dims, description.gauge_dims)?;
        let columns = check(&reader, &description, &layout)?;
        let folds = layout.iter().enumerate().map(|(index, fold)| read_fold(&reader, index, fold, &gauge));
        let (densities, links): (Vec<[Knife; 2]>, Vec<Vec<Link>>) =
            folds.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let by_repeat = description.folds;
        let decomposed = columns.into_iter().map(|columns| {
            let chain = |links: &Vec<Link>| Chain(columns.iter().map(|column| links[*column].clone()).collect());
            let chains: Vec<Chain> = links.iter().map(chain).collect();
            Decomposed { repeats: chains.chunks_exact(by_repeat).map(<[_]>::to_vec).collect(), columns }
        });
        let decomposed = decomposed.collect();
        let densities = densities.chunks_exact(by_repeat).map(<[_]>::to_vec).collect();
        Ok(Self { description, gauge, densities, decomposed, device })
    }
}

fn parse(file: &str, metadata: &str) -> std::result::Result<Metadata<TargetDescription>, BundleError> {
    let understood = |source| BundleError::Description { file: file.to_owned(), source };
    let value: serde_json::Value = serde_json::from_str(metadata).map_err(understood)?;
    check_schema(file, &value["schema"], SCHEMA)?;
    serde_json::from_value(value).map_err(understood)
}

/// Checks that the description and the structure of the models fit together. Returns the columns of the targets of each
/// decomposition.
fn check(
    reader: &Reader<'_>,
    of: &TargetDescription,
    layout: &[FoldLayout],
) -> std::result::Result<Vec<Vec<usize>>, BundleError> {
    let TargetDescription { folds, repeats, .. } = *of;
    if folds.checked_mul(repeats).filter(|all| *all > 0) != Some(layout.len()) {
        let expected = format!("one of {folds} folds in each of {repeats} repeats");
        return Err(reader.wrong("fold0", &expected, &layout.len().to_string()));
    }
    let count = of.targets.len();
    let are_scales = |[mean, deviation]: &[f64; 2]| mean.is_finite() && deviation.is_finite() && *deviation > 0.0;
    if count == 0 || !of.targets.iter().all(are_scales) {
        return Err(reader.wrong("fold0", "of targets with deviations above 0", &format!("{:?}", of.targets)));
    }
    let columns = of.analysed.decomposed(count);
    if of.references.len() != columns.len() {
        let expected = format!("of {} decompositions, each with its reference", columns.len());
        return Err(reader.wrong("fold0", &expected, &of.references.len().to_string()));
    }
    for (index, fold) in layout.iter().enumerate() {
        let is_first = |column: usize| columns.iter().any(|columns| columns[0] == column);
        let are_linked = (0..).zip(&fold.targets).all(|(column, link)| link.after.is_none() == is_first(column));
        if fold.targets.len() != count || !are_linked {
            let expected = format!("of {count} targets, of which all but the first of a chain are after others");
            return Err(reader.wrong(&format!("fold{index}"), &expected, &format!("of {}", fold.targets.len())));
        }
    }
    Ok(columns)
}

fn read_fold(reader: &Reader<'_>, index: usize, layout: &FoldLayout, gauge: &Gauge) -> Result<([Knife; 2], Vec<Link>)> {
    let name = format!("fold{index}");
    let density = |modality: &str, layout: &MixtureLayout, dims: usize| {
        read_density(reader, &format!("{name}.density.{modality}"), layout, dims)
    };
    let [first, second] = &layout.densities;
    let densities = [density("x1", first, gauge.x1.dims())?, density("x2", second, gauge.x2.dims())?];
    let links = layout.targets.iter().enumerate().map(|(column, layout)| {
        // Jointly, all targets before are given; one by one, none is.
        let before = if layout.after.is_some() { column } else { 0 };
        read_link(reader, &format!("{name}.target{column}"), layout, gauge, before)
    });
    Ok((densities, links.collect::<Result<_>>()?))
}

fn write_link(writer: &mut Writer, name: &str, link: &Link) -> LinkLayout {
    let marginal = write_marginal(writer, &format!("{name}.marginal"), &link.marginal);
    let after = link.after.as_ref().map(|after| write_density_pool(writer, &format!("{name}.after"), after));
    let [x1, x2, joint] = &link.heads;
    let mut head = |of, pool| write_density_pool(writer, &format!("{name}.{of}"), pool);
    LinkLayout { marginal, after, heads: [head(HEADS[0], x1), head(HEADS[1], x2), head(HEADS[2], joint)] }
}

/// Reads the densities of a target, which so many targets come before.
fn read_link(reader: &Reader<'_>, name: &str, layout: &LinkLayout, gauge: &Gauge, before: usize) -> Result<Link> {
    let both = [&gauge.heads[0], &gauge.heads[1]];
    let modalities = [&both[..1], &both[1..], &both[..]];
    let head = |head: usize| {
        let inputs = Inputs { modalities: modalities[head], further: before, parts: [0, 0, 2][head] };
        read_density_pool(reader, &format!("{name}.{}", HEADS[head]), &layout.heads[head], &inputs)
    };
    let given = Inputs { modalities: &[], further: before, parts: 0 };
    let after = layout.after.as_ref();
    Ok(Link {
        marginal: read_marginal(reader, &format!("{name}.marginal"), &layout.marginal)?,
        after: after.map(|after| read_density_pool(reader, &format!("{name}.after"), after, &given)).transpose()?,
        heads: [head(0)?, head(1)?, head(2)?],
    })
}
