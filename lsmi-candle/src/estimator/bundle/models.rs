//! Gauges, densities and heads as tensors of a bundle, and back.

use serde::{Deserialize, Serialize};

use super::tensors::{Reader, Writer};
use crate::error::BundleError;
use crate::estimator::FoldModels;
use crate::gauge::{Coordinates, Gauge, Invariant, Standardizer};
use crate::heads::{
    CalibratedHead, Calibration, GenerativeHead, GivenHead, Head, HeadModel, HeadPool, Layer, NetworkHead,
};
use crate::knife::Knife;
use crate::mixture::{Covariance, Mixture, Shape};

type Result<T> = std::result::Result<T, BundleError>;

/// The structure of a fold's models: all that their tensors do not tell.
#[derive(Serialize, Deserialize)]
pub(super) struct FoldLayout {
    densities: [MixtureLayout; 2],
    heads: [HeadModelLayout; 3],
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HeadModelLayout {
    Pool(Vec<HeadLayout>),
    Given,
}

#[derive(Serialize, Deserialize)]
struct MixtureLayout {
    covariance: Covariance,
    /// Degrees of freedom of heavy-tailed components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freedom: Option<f64>,
    components: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HeadLayout {
    Generative(MixtureLayout),
    /// A network with this many hidden units; none: a linear softmax.
    Network(Option<usize>),
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

pub(super) fn write_invariant(writer: &mut Writer, name: &str, invariant: &Invariant, columns: usize) {
    let dims = invariant.axes.len() / columns;
    writer.numbers(&format!("{name}.invariant.axes"), &[dims, columns], &invariant.axes);
    writer.numbers(&format!("{name}.invariant.back"), &[columns, dims], &invariant.back);
}

/// The invariant coordinates of a modality of so many columns; none where the bundle has none.
pub(super) fn read_invariant(reader: &Reader<'_>, name: &str, columns: usize) -> Result<Option<Invariant>> {
    let (axes, back) = (format!("{name}.invariant.axes"), format!("{name}.invariant.back"));
    if !reader.has(&axes) {
        return Ok(None);
    }
    let dims = reader.rows(&axes, columns)?;
    Ok(Some(Invariant {
        axes: reader.numbers(&axes, &[dims, columns])?,
        back: reader.numbers(&back, &[columns, dims])?,
    }))
}

pub(super) fn write_fold(writer: &mut Writer, name: &str, fold: &FoldModels) -> FoldLayout {
    let [first, second] = &fold.densities;
    let [x1, x2, joint] = &fold.heads;
    let mut head = |head: &str, model: &HeadModel| write_head_model(writer, &format!("{name}.head.{head}"), model);
    let heads = [head(HEADS[0], x1), head(HEADS[1], x2), head(HEADS[2], joint)];
    let mut density =
        |modality: &str, model: &Knife| write_mixture(writer, &format!("{name}.density.{modality}"), model.mixture());
    FoldLayout { densities: [density("x1", first), density("x2", second)], heads }
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
        read_mixture(reader, &format!("{name}.density.{modality}"), layout, dims).map(Knife::from_mixture)
    };
    let [d1, d2] = gauge.head_columns();
    let head = |index: usize, inputs: usize| {
        let name = format!("{name}.head.{}", HEADS[index]);
        match (&layout.heads[index], given_heads[index]) {
            (HeadModelLayout::Pool(layout), false) => {
                Ok(HeadModel::Pool(read_pool(reader, &name, layout, inputs, classes)?))
            }
            (HeadModelLayout::Given, true) => Ok(HeadModel::Given(read_given(reader, &name)?)),
            _ => Err(reader.wrong(&name, "a head as described", "of another kind")),
        }
    };
    Ok(FoldModels {
        densities: [
            density("x1", &layout.densities[0], gauge.x1.dims())?,
            density("x2", &layout.densities[1], gauge.x2.dims())?,
        ],
        heads: [head(0, d1)?, head(1, d2)?, head(2, d1 + d2)?],
    })
}

fn write_mixture(writer: &mut Writer, name: &str, mixture: &Mixture) -> MixtureLayout {
    writer.numbers(&format!("{name}.log_weights"), &[mixture.components()], mixture.log_weights());
    let (components, dims) = (mixture.components(), mixture.dims());
    let Shape { covariance, freedom } = mixture.shape();
    writer.single(&format!("{name}.means"), &[components, dims], mixture.means());
    writer.single(&format!("{name}.factors"), &covariance.factor_shape(components, dims), mixture.factors());
    MixtureLayout { covariance, freedom, components }
}

fn read_mixture(reader: &Reader<'_>, name: &str, layout: &MixtureLayout, dims: usize) -> Result<Mixture> {
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

fn write_head_model(writer: &mut Writer, name: &str, model: &HeadModel) -> HeadModelLayout {
    match model {
        HeadModel::Pool(pool) => HeadModelLayout::Pool(write_pool(writer, name, pool)),
        HeadModel::Given(given) => {
            writer.numbers(&format!("{name}.temperature"), &[1], &[given.temperature]);
            HeadModelLayout::Given
        }
    }
}

fn read_given(reader: &Reader<'_>, name: &str) -> Result<GivenHead> {
    let name = format!("{name}.temperature");
    match reader.numbers(&name, &[1])?[0] {
        temperature if temperature > 0.0 => Ok(GivenHead { temperature }),
        temperature => Err(reader.wrong(&name, "above 0", &temperature.to_string())),
    }
}

fn write_pool(writer: &mut Writer, name: &str, pool: &HeadPool) -> Vec<HeadLayout> {
    let weights: Vec<f64> = pool.members.iter().map(|(weight, _)| *weight).collect();
    writer.numbers(&format!("{name}.weights"), &[weights.len()], &weights);
    let members = pool.members.iter().enumerate();
    members.map(|(index, (_, head))| write_head(writer, &format!("{name}.{index}"), head)).collect()
}

fn read_pool(
    reader: &Reader<'_>,
    name: &str,
    layout: &[HeadLayout],
    inputs: usize,
    classes: usize,
) -> Result<HeadPool> {
    let of = format!("{name}.weights");
    let weights = reader.numbers(&of, &[layout.len()])?;
    if !is_distribution(&weights) {
        return Err(reader.wrong(&of, "positive weights with sum 1", &format!("{weights:?}")));
    }
    let heads = layout.iter().enumerate();
    let heads = heads.map(|(index, layout)| read_head(reader, &format!("{name}.{index}"), layout, inputs, classes));
    Ok(HeadPool { members: weights.into_iter().zip(heads.collect::<Result<Vec<_>>>()?).collect() })
}

fn write_head(writer: &mut Writer, name: &str, head: &CalibratedHead) -> HeadLayout {
    let calibration = &head.calibration;
    let classes = calibration.log_frequencies.len();
    writer.numbers(&format!("{name}.log_frequencies"), &[classes], &calibration.log_frequencies);
    writer.numbers(&format!("{name}.calibration"), &[2], &[calibration.factor, calibration.floor]);
    match &head.head {
        Head::Generative(generative) => {
            let probabilities = generative.class_probabilities();
            let shape = [generative.mixture().components(), classes];
            writer.numbers(&format!("{name}.class_probabilities"), &shape, probabilities);
            HeadLayout::Generative(write_mixture(writer, name, generative.mixture()))
        }
        Head::Network(network) => {
            write_layer(writer, &format!("{name}.output"), &network.output);
            let hidden = network.hidden.as_ref();
            if let Some(layer) = hidden {
                write_layer(writer, &format!("{name}.hidden"), layer);
            }
            HeadLayout::Network(hidden.map(Layer::outputs))
        }
    }
}

fn read_head(
    reader: &Reader<'_>,
    name: &str,
    layout: &HeadLayout,
    inputs: usize,
    classes: usize,
) -> Result<CalibratedHead> {
    let of = |part: &str| format!("{name}.{part}");
    let calibration = reader.numbers(&of("calibration"), &[2])?;
    if !(calibration[0] >= 0.0 && (0.0..1.0).contains(&calibration[1])) {
        let expected = "a factor of at least 0 and a floor between 0 and 1";
        return Err(reader.wrong(&of("calibration"), expected, &format!("{calibration:?}")));
    }
    let log_frequencies = reader.numbers(&of("log_frequencies"), &[classes])?;
    let head = match layout {
        HeadLayout::Generative(layout) => {
            let probabilities = reader.numbers(&of("class_probabilities"), &[layout.components, classes])?;
            if let Some(row) = probabilities.chunks_exact(classes).find(|row| !is_distribution(row)) {
                let expected = "rows of positive probabilities with sum 1";
                return Err(reader.wrong(&of("class_probabilities"), expected, &format!("{row:?}")));
            }
            Head::Generative(GenerativeHead::new(read_mixture(reader, name, layout, inputs)?, probabilities))
        }
        HeadLayout::Network(hidden) => {
            let layer = |part: &str, inputs, outputs| read_layer(reader, &of(part), inputs, outputs);
            Head::Network(match *hidden {
                Some(0) => return Err(reader.wrong(&of("hidden.bias"), "at least one hidden unit", "none")),
                Some(hidden) => NetworkHead {
                    hidden: Some(layer("hidden", inputs, hidden)?),
                    output: layer("output", hidden, classes)?,
                },
                None => NetworkHead { hidden: None, output: layer("output", inputs, classes)? },
            })
        }
    };
    let calibration = Calibration { log_frequencies, factor: calibration[0], floor: calibration[1] };
    Ok(CalibratedHead { head, calibration })
}

fn write_layer(writer: &mut Writer, name: &str, layer: &Layer) {
    writer.single(&format!("{name}.weight"), &[layer.inputs, layer.outputs()], &layer.weights);
    writer.single(&format!("{name}.bias"), &[layer.outputs()], &layer.biases);
}

fn read_layer(reader: &Reader<'_>, name: &str, inputs: usize, outputs: usize) -> Result<Layer> {
    Ok(Layer {
        weights: reader.single(&format!("{name}.weight"), &[inputs, outputs])?,
        biases: reader.single(&format!("{name}.bias"), &[outputs])?,
        inputs,
    })
}

fn is_distribution(probabilities: &[f64]) -> bool {
    probabilities.iter().all(|probability| *probability > 0.0) && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6
}
