//! Stores conditional densities of a continuous target, and its marginal one, as tensors of a bundle.

use serde::{Deserialize, Serialize};

use super::density::{MixtureLayout, read_density, read_mixture, write_density, write_mixture};
use super::tensors::{Reader, Writer, is_distribution};
use crate::densities::conditional::{
    DensityNetwork, DensityPool, JointMixture, MOST_COLUMNS_OF_A_LINE, Marginal, Member, ResidualDensity, Ridge, Scales,
};
use crate::densities::gauge::HeadCoordinates;
use crate::densities::mixture::{Covariance, Shape};
use crate::error::{EstimatorError, Result};
use crate::heads::Layer;

/// The structure of pooled conditional densities.
#[derive(Serialize, Deserialize)]
pub(super) struct DensityPoolLayout {
    /// The number of coefficients of the line that own members build on; none if there is no line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    members: Vec<MemberLayout>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MemberLayout {
    Baseline,
    /// The pool of a modality, in that of both.
    Part(usize),
    Line,
    /// A density of the line's residuals, of so many leading components of each modality.
    Residual {
        most_columns: usize,
        density: ResidualLayout,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ResidualLayout {
    /// The units of each hidden layer, and the number of components.
    Network {
        hidden: Vec<usize>,
        components: usize,
    },
    JointMixture(MixtureLayout),
}

/// What a pool is given: modalities, further columns, and the number of pools that may be parts of it.
pub(super) struct Inputs<'a> {
    pub(super) modalities: &'a [&'a HeadCoordinates],
    pub(super) further: usize,
    pub(super) parts: usize,
}

impl Inputs<'_> {
    /// Returns the columns of so many leading components of each modality.
    fn width(&self, most: usize) -> usize {
        self.modalities.iter().map(|heads| heads.components().min(most)).sum::<usize>() + self.further
    }
}

/// Writes the density of a target without features.
pub(super) fn write_marginal(writer: &mut Writer, name: &str, marginal: &Marginal) -> MixtureLayout {
    writer.numbers(&format!("{name}.range"), &[2], &marginal.range);
    writer.numbers(&format!("{name}.share_of_tails"), &[1], &[marginal.share_of_tails]);
    write_density(writer, name, &marginal.knife)
}

pub(super) fn read_marginal(reader: &Reader<'_>, name: &str, layout: &MixtureLayout) -> Result<Marginal> {
    let knife = read_density(reader, name, layout, 1)?;
    let of = |part: &str| format!("{name}.{part}");
    let range = reader.numbers(&of("range"), &[2])?;
    let share_of_tails = reader.numbers(&of("share_of_tails"), &[1])?[0];
    if range[0] >= range[1] {
        return Err(reader.wrong(&of("range"), "two rising numbers", &format!("{range:?}")).into());
    }
    if share_of_tails <= 0.0 || share_of_tails >= 1.0 {
        return Err(reader.wrong(&of("share_of_tails"), "between 0 and 1", &share_of_tails.to_string()).into());
    }
    Marginal::new(knife, [range[0], range[1]], share_of_tails)
}

pub(super) fn write_density_pool(writer: &mut Writer, name: &str, pool: &DensityPool) -> DensityPoolLayout {
    writer.numbers(&format!("{name}.weights"), &[pool.weights.len()], &pool.weights);
    writer.numbers(&format!("{name}.floor"), &[1], &[pool.floor]);
    let line = pool.line.as_ref().map(|line| write_line(writer, &format!("{name}.line"), line));
    let members = pool.members.iter().enumerate();
    let members = members.map(|(index, member)| write_member(writer, &format!("{name}.{index}"), member)).collect();
    DensityPoolLayout { line, members }
}

pub(super) fn read_density_pool(
    reader: &Reader<'_>,
    name: &str,
    layout: &DensityPoolLayout,
    inputs: &Inputs<'_>,
) -> Result<DensityPool> {
    let of = |part: &str| format!("{name}.{part}");
    let weights = reader.numbers(&of("weights"), &[layout.members.len()])?;
    if !is_distribution(&weights) {
        return Err(reader.wrong(&of("weights"), "positive weights with sum 1", &format!("{weights:?}")).into());
    }
    let floor = reader.numbers(&of("floor"), &[1])?[0];
    if floor <= 0.0 || floor >= 1.0 {
        return Err(reader.wrong(&of("floor"), "between 0 and 1", &floor.to_string()).into());
    }
    let width = inputs.width(MOST_COLUMNS_OF_A_LINE);
    let line = layout.line.map(|rank| read_line(reader, &of("line"), rank, width)).transpose()?;
    let members = layout.members.iter().enumerate();
    let members = members.map(|(index, member)| {
        let name = of(&index.to_string());
        if line.is_none() && matches!(member, MemberLayout::Line | MemberLayout::Residual { .. }) {
            return Err(reader.wrong(&of("line.means"), "the line of the pool's members", "missing").into());
        }
        read_member(reader, &name, member, inputs)
    });
    Ok(DensityPool { members: members.collect::<Result<_>>()?, line, weights, floor })
}

fn write_line(writer: &mut Writer, name: &str, line: &Ridge) -> usize {
    let (width, rank) = (line.means.len(), line.coefficients.len());
    writer.numbers(&format!("{name}.means"), &[width], &line.means);
    writer.numbers(&format!("{name}.axes"), &[rank, width], &line.axes);
    writer.numbers(&format!("{name}.shrunk"), &[rank], &line.shrunk);
    writer.numbers(&format!("{name}.coefficients"), &[rank], &line.coefficients);
    writer.numbers(&format!("{name}.intercept"), &[1], &[line.intercept]);
    writer.numbers(&format!("{name}.deviation"), &[1], &[line.deviation]);
    writer.numbers(&format!("{name}.rows"), &[1], &[line.rows]);
    rank
}

fn read_line(reader: &Reader<'_>, name: &str, rank: usize, width: usize) -> Result<Ridge> {
    let of = |part: &str| format!("{name}.{part}");
    if width == 0 {
        return Err(reader.wrong(&of("means"), "of some features", "of none").into());
    }
    let shrunk = reader.numbers(&of("shrunk"), &[rank])?;
    if let Some(value) = shrunk.iter().find(|value| **value < 0.0) {
        return Err(reader.wrong(&of("shrunk"), "at least 0", &value.to_string()).into());
    }
    let positive = |part: &str| match reader.numbers(&of(part), &[1])?[0] {
        value if value > 0.0 => Ok(value),
        value => Err(EstimatorError::from(reader.wrong(&of(part), "above 0", &value.to_string()))),
    };
    Ok(Ridge {
        means: reader.numbers(&of("means"), &[width])?,
        axes: reader.numbers(&of("axes"), &[rank, width])?,
        shrunk,
        coefficients: reader.numbers(&of("coefficients"), &[rank])?,
        intercept: reader.numbers(&of("intercept"), &[1])?[0],
        deviation: positive("deviation")?,
        rows: positive("rows")?,
    })
}

fn write_member(writer: &mut Writer, name: &str, member: &Member) -> MemberLayout {
    let mut spread = |spread: f64| writer.numbers(&format!("{name}.spread"), &[1], &[spread]);
    match member {
        Member::Baseline => MemberLayout::Baseline,
        Member::Part(modality) => MemberLayout::Part(*modality),
        Member::Line { spread: factor } => {
            spread(*factor);
            MemberLayout::Line
        }
        Member::Residual { density, most_columns, spread: factor } => {
            spread(*factor);
            MemberLayout::Residual { most_columns: *most_columns, density: write_residual(writer, name, density) }
        }
    }
}

fn read_member(reader: &Reader<'_>, name: &str, layout: &MemberLayout, inputs: &Inputs<'_>) -> Result<Member> {
    let spread = || match reader.numbers(&format!("{name}.spread"), &[1])?[0] {
        spread if spread > 0.0 => Ok(spread),
        found => Err(EstimatorError::from(reader.wrong(&format!("{name}.spread"), "above 0", &found.to_string()))),
    };
    Ok(match layout {
        MemberLayout::Baseline => Member::Baseline,
        MemberLayout::Part(part) if *part < inputs.parts => Member::Part(*part),
        MemberLayout::Part(_) => {
            return Err(reader.wrong(name, "the pool of x1 or x2 in that of both", "in another one").into());
        }
        MemberLayout::Line => Member::Line { spread: spread()? },
        MemberLayout::Residual { most_columns, density } => Member::Residual {
            density: read_residual(reader, name, density, inputs.width(*most_columns))?,
            most_columns: *most_columns,
            spread: spread()?,
        },
    })
}

fn write_residual(writer: &mut Writer, name: &str, density: &ResidualDensity) -> ResidualLayout {
    let mut scales = |Scales(scales): &Scales| {
        writer.single(&format!("{name}.scales"), &[scales.len(), 2], scales.as_flattened());
    };
    match density {
        ResidualDensity::Network(network) => {
            scales(&network.scales);
            for (index, layer) in network.hidden.iter().chain([&network.output]).enumerate() {
                writer.single(&format!("{name}.layer{index}.weight"), &[layer.inputs, layer.outputs()], &layer.weights);
                writer.single(&format!("{name}.layer{index}.bias"), &[layer.outputs()], &layer.biases);
            }
            let hidden = network.hidden.iter().map(Layer::outputs).collect();
            ResidualLayout::Network { hidden, components: network.components() }
        }
        ResidualDensity::JointMixture(joint) => {
            scales(&joint.scales);
            ResidualLayout::JointMixture(write_mixture(writer, name, &joint.mixture))
        }
    }
}

fn read_residual(reader: &Reader<'_>, name: &str, layout: &ResidualLayout, width: usize) -> Result<ResidualDensity> {
    let of = |part: &str| format!("{name}.{part}");
    if width == 0 {
        return Err(reader.wrong(&of("scales"), "of some features", "of none").into());
    }
    let scales = reader.single(&of("scales"), &[width, 2])?;
    let scales = Scales(scales.chunks_exact(2).map(|scale| [scale[0], scale[1]]).collect());
    match layout {
        ResidualLayout::Network { hidden, components } => {
            let layer = |index: usize, inputs: usize, outputs: usize| {
                let [weight, bias] = ["weight", "bias"].map(|part| of(&format!("layer{index}.{part}")));
                if outputs == 0 {
                    return Err(EstimatorError::from(reader.wrong(&bias, "at least one unit", "none")));
                }
                let weights = reader.single(&weight, &[inputs, outputs])?;
                Ok(Layer { weights, biases: reader.single(&bias, &[outputs])?, inputs })
            };
            let mut layers = Vec::with_capacity(hidden.len());
            let mut inputs = width;
            for (index, units) in hidden.iter().enumerate() {
                layers.push(layer(index, inputs, *units)?);
                inputs = *units;
            }
            // The features lead straight to the outputs, too.
            let inputs = width.saturating_add(hidden.last().copied().unwrap_or(0));
            let output = layer(hidden.len(), inputs, components.saturating_mul(3))?;
            Ok(ResidualDensity::Network(DensityNetwork { scales, hidden: layers, output }))
        }
        ResidualLayout::JointMixture(layout) => {
            let mixture = read_mixture(reader, name, layout, width + 1)?;
            if mixture.shape() != Shape::from(Covariance::Full) {
                let found = mixture.shape().to_string();
                return Err(reader.wrong(&of("factors"), "those of normal components, full", &found).into());
            }
            Ok(ResidualDensity::JointMixture(JointMixture { scales, mixture }))
        }
    }
}
