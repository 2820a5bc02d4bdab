//! Gauges, densities and heads as tensors of a bundle, and back.

use serde::{Deserialize, Serialize};

use super::heads::{HeadModelLayout, PoolLayout, read_given, read_pool, write_head_model, write_pool};
use super::margins::{read_margins, write_margins};
use super::tensors::{Reader, Writer};
use crate::densities::gauge::{Coordinates, Gauge, HeadCoordinates, Squash, Standardizer};
use crate::densities::knife::Knife;
use crate::densities::mixture::{Covariance, Mixture, Shape};
use crate::error::BundleError;
use crate::estimator::FoldModels;
use crate::heads::HeadModel;

type Result<T> = std::result::Result<T, BundleError>;

/// The structure of a fold's models: all that their tensors do not tell.
#[derive(Serialize, Deserialize)]
pub(super) struct FoldLayout {
    densities: [MixtureLayout; 2],
    heads: [HeadModelLayout; 3],
    /// The pools of x1 and x2 that the joint one needs in the place of the user's own models.
    #[serde(default)]
    parts: [Option<PoolLayout>; 2],
}

#[derive(Serialize, Deserialize)]
pub(super) struct MixtureLayout {
    covariance: Covariance,
    /// Degrees of freedom of heavy-tailed components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freedom: Option<f64>,
    pub(super) components: usize,
}

const HEADS: [&str; 3] = ["x1", "x2", "joint"];

pub(super) fn write_coordinates(writer: &mut Writer, name: &str, coordinates: &Coordinates) {
    let standardizer = &coordinates.standardizer;
    let columns = standardizer.columns();
    writer.indices(&format!("{name}.columns"), &standardizer.columns);
    writer.numbers(&format!("{name}.means"), &[columns], &standardizer.means);
    writer.numbers(&format!("{name}.deviations"), &[columns], &standardizer.deviations);
    writer.numbers(&format!("{name}.log_determinant"), &[1], &[coordinates.log_determinant]);
    if let Some(axes) = &coordinates.axes {
        writer.numbers(&format!("{name}.axes"), &[coordinates.dims(), columns], axes);
    }
}

pub(super) fn read_coordinates(
    reader: &Reader<'_>,
    name: &str,
    input_columns: usize,
    dims: usize,
) -> Result<Coordinates> {
    let of = |part: &str| format!("{name}.{part}");
    let axes_name = of("axes");
    let whitened = reader.has(&axes_name);
    let columns = if whitened { reader.length(&of("columns"))? } else { dims };
    if columns == 0 || dims == 0 {
        return Err(reader.wrong(&of("columns"), "at least one column in at least one dimension", "none"));
    }
    let standardizer = Standardizer {
        columns: reader.indices(&of("columns"), columns)?,
        means: reader.numbers(&of("means"), &[columns])?,
        deviations: reader.numbers(&of("deviations"), &[columns])?,
        input_columns,
    };
    if let Some(column) = standardizer.columns.iter().find(|column| **column >= input_columns) {
        return Err(reader.wrong(&of("columns"), &format!("below {input_columns}"), &column.to_string()));
    }
    if let Some(deviation) = standardizer.deviations.iter().find(|deviation| **deviation <= 0.0) {
        return Err(reader.wrong(&of("deviations"), "positive", &deviation.to_string()));
    }
    Ok(Coordinates {
        axes: if whitened { Some(reader.numbers(&axes_name, &[dims, columns])?) } else { None },
        log_determinant: reader.numbers(&of("log_determinant"), &[1])?[0],
        standardizer,
    })
}

/// What heads see of a modality: squashed columns by centre, scale, mean and deviation, the others by a scale of 0.
pub(super) fn write_head_coordinates(writer: &mut Writer, name: &str, heads: &HeadCoordinates) {
    let columns = heads.columns();
    let squashes: Vec<f64> = heads
        .squashes
        .iter()
        .flat_map(|squash| {
            squash.map_or([0.0; 4], |Squash { centre, scale, mean, deviation }| [centre, scale, mean, deviation])
        })
        .collect();
    writer.numbers(&format!("{name}.squashes"), &[columns, 4], &squashes);
    writer.single(&format!("{name}.components"), &[heads.components(), columns], &heads.axes);
}

/// What heads see of a modality of so many standardised columns.
pub(super) fn read_head_coordinates(reader: &Reader<'_>, name: &str, columns: usize) -> Result<HeadCoordinates> {
    let (squashes, axes) = (format!("{name}.squashes"), format!("{name}.components"));
    let components = reader.rows(&axes, columns)?;
    let mut of_columns = Vec::with_capacity(columns);
    for squash in reader.numbers(&squashes, &[columns, 4])?.chunks_exact(4) {
        of_columns.push(match *squash {
            [_, 0.0, ..] => None,
            [centre, scale, mean, deviation] if scale > 0.0 && deviation > 0.0 => {
                Some(Squash { centre, scale, mean, deviation })
            }
            _ => return Err(reader.wrong(&squashes, "scales and deviations above 0", &format!("{squash:?}"))),
        });
    }
    Ok(HeadCoordinates { squashes: of_columns, axes: reader.single(&axes, &[components, columns])? })
}

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
    let mut density = |modality: &str, model: &Knife| {
        let name = format!("{name}.density.{modality}");
        if let Some(margins) = model.margins() {
            write_margins(writer, &name, margins);
        }
        write_mixture(writer, &name, model.mixture())
    };
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
        let name = format!("{name}.density.{modality}");
        Ok(Knife::from_parts(read_margins(reader, &name, dims)?, read_mixture(reader, &name, layout, dims)?))
    };
    let both = [&gauge.heads[0], &gauge.heads[1]];
    let of_head = [&both[..1], &both[1..], &both[..]];
    let head = |index: usize| {
        let name = format!("{name}.head.{}", HEADS[index]);
        match (&layout.heads[index], given_heads[index]) {
            (HeadModelLayout::Pool(layout), false) => {
                Ok(HeadModel::Pool(read_pool(reader, &name, layout, of_head[index], classes)?))
            }
            (HeadModelLayout::Given, true) => Ok(HeadModel::Given(read_given(reader, &name)?)),
            _ => Err(reader.wrong(&name, "a head as described", "of another kind")),
        }
    };
    let part = |modality: usize| {
        let name = format!("{name}.part.{}", HEADS[modality]);
        let layout = layout.parts[modality].as_ref();
        layout.map(|layout| read_pool(reader, &name, layout, of_head[modality], classes)).transpose()
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

pub(super) fn write_mixture(writer: &mut Writer, name: &str, mixture: &Mixture) -> MixtureLayout {
    writer.numbers(&format!("{name}.log_weights"), &[mixture.components()], mixture.log_weights());
    let (components, dims) = (mixture.components(), mixture.dims());
    let Shape { covariance, freedom } = mixture.shape();
    writer.single(&format!("{name}.means"), &[components, dims], mixture.means());
    writer.single(&format!("{name}.factors"), &covariance.factor_shape(components, dims), mixture.factors());
    MixtureLayout { covariance, freedom, components }
}

pub(super) fn read_mixture(reader: &Reader<'_>, name: &str, layout: &MixtureLayout, dims: usize) -> Result<Mixture> {
    let MixtureLayout { covariance, freedom, components } = *layout;
    if components == 0 {
        return Err(reader.wrong(&format!("{name}.means"), "at least one component", "none"));
    }
    let log_weights = reader.numbers(&format!("{name}.log_weights"), &[components])?;
    let means = reader.single(&format!("{name}.means"), &[components, dims])?;
    let factors = format!("{name}.factors");
    let values = reader.single(&factors, &covariance.factor_shape(components, dims))?;
    Mixture::new(covariance, log_weights, means, values)
        .and_then(|mixture| mixture.with_freedom(freedom))
        .map_err(|error| reader.wrong(&factors, "the factors of a mixture", &error.to_string()))
}
