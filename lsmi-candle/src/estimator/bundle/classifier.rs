//! Stores fitted classifiers as tensors of a bundle.

use serde::{Deserialize, Serialize};

use super::density::{MixtureLayout, read_mixture, write_mixture};
use super::tensors::{Reader, Writer, is_distribution};
use crate::densities::gauge::HeadCoordinates;
use crate::error::BundleError;
use crate::heads::{
    BoostedTrees, Classifier, Directions, FeatureMap, GenerativeHead, Head, KernelFeatures, Layer, NetworkHead,
    Products, TreeParts, View,
};

type Result<T> = std::result::Result<T, BundleError>;

#[derive(Serialize, Deserialize)]
pub(super) struct ClassifierLayout {
    /// The largest number of leading components of a modality that it sees; `None` if it sees the columns.
    leading: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<MapLayout>,
    head: HeadLayout,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MapLayout {
    /// The bandwidth, and the numbers of landmarks and of features.
    Kernel {
        bandwidth: f64,
        landmarks: usize,
        features: usize,
    },
    /// The number of directions.
    Directions(usize),
    Products,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HeadLayout {
    Generative(MixtureLayout),
    /// The units of each hidden layer.
    Network(Vec<usize>),
    /// The numbers of trees, of their nodes and of the values of their leaves.
    Trees {
        roots: usize,
        nodes: usize,
        values: usize,
    },
}

pub(super) fn write_classifier(writer: &mut Writer, name: &str, classifier: &Classifier) -> ClassifierLayout {
    let leading = match classifier.view {
        View::Columns => None,
        View::Components(most) => Some(most),
    };
    let map = classifier.map.as_ref().map(|map| match map {
        FeatureMap::Kernel(KernelFeatures { landmarks, columns, bandwidth, factor }) => {
            let count = landmarks.len() / columns;
            writer.single(&format!("{name}.landmarks"), &[count, *columns], landmarks);
            writer.single(&format!("{name}.factor"), &[count, factor.len() / count], factor);
            MapLayout::Kernel { bandwidth: *bandwidth, landmarks: count, features: factor.len() / count }
        }
        FeatureMap::Directions(Directions { axes, columns }) => {
            writer.single(&format!("{name}.directions"), &[axes.len() / columns, *columns], axes);
            MapLayout::Directions(axes.len() / columns)
        }
        FeatureMap::Products(Products { deviations, .. }) => {
            writer.single(&format!("{name}.deviations"), &[deviations.len()], deviations);
            MapLayout::Products
        }
    });
    let head = match &classifier.head {
        Head::Generative(generative) => {
            let probabilities = generative.class_probabilities();
            let components = generative.mixture().components();
            let shape = [components, probabilities.len() / components];
            writer.numbers(&format!("{name}.class_probabilities"), &shape, probabilities);
            HeadLayout::Generative(write_mixture(writer, name, generative.mixture()))
        }
        Head::Network(NetworkHead { layers }) => {
            for (index, layer) in layers.iter().enumerate() {
                writer.single(&format!("{name}.layer{index}.weight"), &[layer.inputs, layer.outputs()], &layer.weights);
                writer.single(&format!("{name}.layer{index}.bias"), &[layer.outputs()], &layer.biases);
            }
            HeadLayout::Network(layers.iter().take(layers.len() - 1).map(Layer::outputs).collect())
        }
        Head::Trees(trees) => {
            let TreeParts { initial, roots, node_columns, thresholds, children, values, .. } = trees.to_parts();
            let whole = |numbers: &[u32]| numbers.iter().map(|number| *number as usize).collect::<Vec<_>>();
            writer.single(&format!("{name}.initial"), &[initial.len()], &initial);
            writer.indices(&format!("{name}.roots"), &whole(&roots));
            writer.indices(&format!("{name}.node_columns"), &whole(&node_columns));
            writer.single(&format!("{name}.thresholds"), &[thresholds.len()], &thresholds);
            writer.indices(&format!("{name}.children"), &whole(&children));
            writer.single(&format!("{name}.values"), &[values.len()], &values);
            HeadLayout::Trees { roots: roots.len(), nodes: thresholds.len(), values: values.len() }
        }
    };
    ClassifierLayout { leading, map, head }
}

pub(super) fn read_classifier(
    reader: &Reader<'_>,
    name: &str,
    layout: &ClassifierLayout,
    modalities: &[&HeadCoordinates],
    classes: usize,
) -> Result<Classifier> {
    let of = |part: &str| format!("{name}.{part}");
    let view = layout.leading.map_or(View::Columns, View::Components);
    let widths: Vec<usize> = modalities
        .iter()
        .map(|heads| layout.leading.map_or(heads.columns(), |most| heads.components().min(most)))
        .collect();
    let inputs: usize = widths.iter().sum();
    if inputs == 0 {
        return Err(reader.wrong(name, "a head that looks at something", "at no component"));
    }
    let map = match layout.map {
        None => None,
        Some(MapLayout::Kernel { bandwidth, landmarks, features }) => {
            if !(bandwidth > 0.0 && bandwidth.is_finite()) || landmarks == 0 || features == 0 {
                return Err(reader.wrong(&of("landmarks"), "landmarks at a bandwidth above 0", &bandwidth.to_string()));
            }
            Some(FeatureMap::Kernel(KernelFeatures {
                landmarks: reader.single(&of("landmarks"), &[landmarks, inputs])?,
                columns: inputs,
                bandwidth,
                factor: reader.single(&of("factor"), &[landmarks, features])?,
            }))
        }
        Some(MapLayout::Directions(directions)) => {
            if directions == 0 {
                return Err(reader.wrong(&of("directions"), "at least one direction", "none"));
            }
            let axes = reader.single(&of("directions"), &[directions, inputs])?;
            Some(FeatureMap::Directions(Directions { axes, columns: inputs }))
        }
        Some(MapLayout::Products) => {
            let deviations = reader.single(&of("deviations"), &[inputs])?;
            if widths.len() < 2 || deviations.iter().any(|deviation| *deviation <= 0.0) {
                return Err(reader.wrong(&of("deviations"), "of two modalities or more and above 0", "others"));
            }
            Some(FeatureMap::Products(Products { widths, deviations }))
        }
    };
    let inputs = map.as_ref().map_or(inputs, FeatureMap::outputs);
    let head = match &layout.head {
        HeadLayout::Generative(layout) => {
            let probabilities = reader.numbers(&of("class_probabilities"), &[layout.components, classes])?;
            if let Some(row) = probabilities.chunks_exact(classes).find(|row| !is_distribution(row)) {
                let expected = "rows of positive probabilities with sum 1";
                return Err(reader.wrong(&of("class_probabilities"), expected, &format!("{row:?}")));
            }
            Head::Generative(GenerativeHead::new(read_mixture(reader, name, layout, inputs)?, probabilities))
        }
        HeadLayout::Network(hidden) => {
            let mut layers = Vec::with_capacity(hidden.len() + 1);
            let mut inputs = inputs;
            for (index, outputs) in hidden.iter().copied().chain([classes]).enumerate() {
                if outputs == 0 {
                    return Err(reader.wrong(&of(&format!("layer{index}.bias")), "at least one unit", "none"));
                }
                layers.push(Layer {
                    weights: reader.single(&of(&format!("layer{index}.weight")), &[inputs, outputs])?,
                    biases: reader.single(&of(&format!("layer{index}.bias")), &[outputs])?,
                    inputs,
                });
                inputs = outputs;
            }
            Head::Network(NetworkHead { layers })
        }
        HeadLayout::Trees { roots, nodes, values } => {
            let numbers = |part: &str, count: usize| -> Result<Vec<u32>> {
                let found = reader.indices(&of(part), count)?.into_iter().map(u32::try_from);
                found
                    .map(|number| number.map_err(|error| reader.wrong(&of(part), "below 2^32", &error.to_string())))
                    .collect()
            };
            let parts = TreeParts {
                columns: inputs,
                initial: reader.single(&of("initial"), &[classes])?,
                roots: numbers("roots", *roots)?,
                node_columns: numbers("node_columns", *nodes)?,
                thresholds: reader.single(&of("thresholds"), &[*nodes])?,
                children: numbers("children", *nodes)?,
                values: reader.single(&of("values"), &[*values])?,
            };
            Head::Trees(
                BoostedTrees::from_parts(parts)
                    .map_err(|error| reader.wrong(&of("children"), "the nodes of trees", &error.to_string()))?,
            )
        }
    };
    Ok(Classifier { view, map, head })
}
