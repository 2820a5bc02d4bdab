//! Stores the models of a fold, densities and heads, as tensors of a bundle.

use serde::{Deserialize, Serialize};

use super::density::{MixtureLayout, read_density, write_density};
use super::pool::{HeadModelLayout, PoolLayout, read_given, read_pool, write_head_model, write_pool};
use super::tensors::{Reader, Writer};
use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::error::BundleError;
use crate::estimator::FoldModels;
use crate::heads::HeadModel;

type Result<T> = std::result::Result<T, BundleError>;

/// The structure of a fold's models, which their tensors do not show.
#[derive(Serialize, Deserialize)]
pub(super) struct FoldLayout {
    densities: [MixtureLayout; 2],
    heads: [HeadModelLayout; 3],
    /// The pools of x1 and x2 that the joint one needs in the place of the user's own models.
    #[serde(default)]
    parts: [Option<PoolLayout>; 2],
}

const HEADS: [&str; 3] = ["x1", "x2", "joint"];

pub(super) fn write_fold(writer: &mut Writer, name: &str, fold: &FoldModels) -> FoldLayout {
    let [first, second] = &fold.densities;
    let [x1, x2, joint] = &fold.heads;
    let mut head = |head: &str, model: &HeadModel| write_head_model(writer, &format!("{name}.head.{head}"), model);
    let heads = [head(HEADS[0], x1), head(HEADS[1], x2), head(HEADS[2], joint)];
    let mut part = |modality: usize| {
        let pool = fold.parts[modality].as_ref();
        pool.map(|pool| write_pool(writer, &format!("{name}.part.{}", HEADS[modality]), pool))
    };
    let parts = [part(0), part(1)];
    let mut density =
        |modality: &str, density: &Knife| write_density(writer, &format!("{name}.density.{modality}"), density);
    FoldLayout { densities: [density("x1", first), density("x2", second)], heads, parts }
}

pub(super) fn read_fold(
    reader: &Reader<'_>,
    name: &str,
    layout: &FoldLayout,
    gauge: &Gauge,
    given_heads: [bool; 3],
    classes: usize,
) -> Result<FoldModels> {
    let density = |modality: &str, layout: &MixtureLayout, dims: usize| {
        read_density(reader, &format!("{name}.density.{modality}"), layout, dims)
    };
    let both = [&gauge.heads[0], &gauge.heads[1]];
    let head_inputs = [&both[..1], &both[1..], &both[..]];
    let head = |index: usize| {
        let name = format!("{name}.head.{}", HEADS[index]);
        match (&layout.heads[index], given_heads[index]) {
            (HeadModelLayout::Pool(layout), false) => {
                Ok(HeadModel::Pool(read_pool(reader, &name, layout, head_inputs[index], classes)?))
            }
            (HeadModelLayout::Given, true) => Ok(HeadModel::Given(read_given(reader, &name)?)),
            _ => Err(reader.wrong(&name, "a head as described", "of another kind")),
        }
    };
    let part = |modality: usize| {
        let name = format!("{name}.part.{}", HEADS[modality]);
        let layout = layout.parts[modality].as_ref();
        layout.map(|layout| read_pool(reader, &name, layout, head_inputs[modality], classes)).transpose()
    };
    Ok(FoldModels {
        densities: [
            density("x1", &layout.densities[0], gauge.x1.dims())?,
            density("x2", &layout.densities[1], gauge.x2.dims())?,
        ],
        heads: [head(0)?, head(1)?, head(2)?],
        parts: [part(0)?, part(1)?],
    })
}
