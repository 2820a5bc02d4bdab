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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::conditional::{Columns, Given, Predicted};
    use crate::densities::knife::Params;
    use safetensors::SafeTensors;

    const ROWS: usize = 90;

    /// Two features of every row, and a target that both tell.
    fn rows() -> (Columns, Vec<f64>) {
        let spread = |row: usize, factor: f64| (row as f64 * factor).sin();
        let features: Vec<f64> = (0..ROWS).flat_map(|row| [spread(row, 1.3), spread(row, 2.9)]).collect();
        let targets = (0..ROWS).map(|row| features[2 * row] + 0.3 * features[2 * row + 1] + 0.2 * spread(row, 7.1));
        let targets = targets.collect();
        (Columns { values: crate::densities::points::single(&features), width: 2 }, targets)
    }

    fn layer(inputs: usize, outputs: usize) -> Layer {
        let weights = (0..inputs * outputs).map(|index| (index as f32 * 0.7).sin() / 2.0).collect();
        Layer { weights, biases: vec![0.1; outputs], inputs }
    }

    fn said(pool: &DensityPool, columns: &Columns, targets: &[f64], marginal: &Marginal) -> [Vec<f64>; 3] {
        let all: Vec<usize> = (0..ROWS).collect();
        let baseline = marginal.at(targets).unwrap();
        let Predicted { log_densities, transforms, means } =
            pool.at(&Given { features: None, further: columns }, &all, targets, &baseline, &[]);
        [log_densities, transforms, means]
    }

    #[test]
    fn every_kind_of_member_comes_back_to_the_bit_and_a_missing_part_is_named() {
        let (columns, targets) = rows();
        let (marginal, _) = Marginal::fit(&targets, None, &Params::default(), 0, &|_, _| Ok(())).unwrap();
        let scales = Scales::of(&columns.values, 2);
        let hidden = vec![layer(2, 5), layer(5, 4)];
        let network = DensityNetwork { scales, hidden, output: layer(2 + 4, 3 * 2) };
        let mixture = JointMixture::fit(&columns.values, 2, &targets, 2, 0).unwrap();
        let residual = |density| Member::Residual { density, most_columns: 8, spread: 1.1 };
        let members = vec![
            Member::Baseline,
            Member::Line { spread: 0.9 },
            residual(ResidualDensity::Network(network)),
            residual(ResidualDensity::JointMixture(mixture)),
        ];
        let fitted = Ridge::fit(&columns.values, 2, &targets).ridge;
        // Features of which none varies have no coefficient.
        let empty = Ridge::fit(&vec![1.0; 2 * ROWS], 2, &targets).ridge;
        assert!(empty.coefficients.is_empty() && !fitted.coefficients.is_empty());
        for line in [fitted, empty] {
            let pool =
                DensityPool { line: Some(line), members: members.clone(), weights: vec![0.25; 4], floor: 1.0 / 92.0 };
            let mut writer = Writer::default();
            let layouts =
                (write_density_pool(&mut writer, "pool", &pool), write_marginal(&mut writer, "marginal", &marginal));
            let bytes = safetensors::serialize(writer.views().unwrap(), None).unwrap();
            let tensors = SafeTensors::deserialize(&bytes).unwrap();
            let reader = Reader::new("test", &tensors);
            let inputs = Inputs { modalities: &[], further: 2, parts: 0 };
            let read = read_density_pool(&reader, "pool", &layouts.0, &inputs).unwrap();
            let read_back = read_marginal(&reader, "marginal", &layouts.1).unwrap();
            assert_eq!(said(&read, &columns, &targets, &read_back), said(&pool, &columns, &targets, &marginal));

            for missing in tensors.names() {
                let kept: Vec<_> = tensors.iter().filter(|(name, _)| *name != missing).collect();
                let bytes = safetensors::serialize(kept, None).unwrap();
                let tensors = SafeTensors::deserialize(&bytes).unwrap();
                let reader = Reader::new("test", &tensors);
                let pool = read_density_pool(&reader, "pool", &layouts.0, &inputs).err();
                let error = pool.or_else(|| read_marginal(&reader, "marginal", &layouts.1).err());
                // Margins are there or not.
                let is_optional = missing.contains(".margins.columns");
                let message = error.map(|error| error.to_string());
                assert!(is_optional || message.as_ref().is_some_and(|text| text.contains(missing)), "{message:?}");
            }
            // Of other features than the pool was fitted to.
            let others = Inputs { modalities: &[], further: 3, parts: 0 };
            assert!(read_density_pool(&reader, "pool", &layouts.0, &others).is_err());
        }
    }
}
