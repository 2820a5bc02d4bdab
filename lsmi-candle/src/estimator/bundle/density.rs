//! Stores densities, mixtures with the margins of their columns, as tensors of a bundle.

use serde::{Deserialize, Serialize};

use super::tensors::{Reader, Writer};
use crate::densities::knife::{Curve, Knife, Knot, Margins};
use crate::densities::mixture::{Covariance, Mixture, Shape};
use crate::error::BundleError;

type Result<T> = std::result::Result<T, BundleError>;

/// The numbers of a knot: its place, score and slope.
const NUMBERS_PER_KNOT: usize = 3;

#[derive(Serialize, Deserialize)]
pub(super) struct MixtureLayout {
    covariance: Covariance,
    /// Degrees of freedom of heavy-tailed components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freedom: Option<f64>,
    pub(super) components: usize,
}

pub(super) fn write_density(writer: &mut Writer, name: &str, density: &Knife) -> MixtureLayout {
    if let Some(margins) = density.margins() {
        write_margins(writer, name, margins);
    }
    write_mixture(writer, name, density.mixture())
}

pub(super) fn read_density(reader: &Reader<'_>, name: &str, layout: &MixtureLayout, dims: usize) -> Result<Knife> {
    Ok(Knife::from_parts(read_margins(reader, name, dims)?, read_mixture(reader, name, layout, dims)?))
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

/// Writes the columns that have curves, rising, `[m]`; their centres and scales, `[m, 2]`; their numbers of knots,
/// `[m]`; and all knots, `[k, 3]`.
fn write_margins(writer: &mut Writer, name: &str, margins: &Margins) {
    let (mut columns, mut scales, mut counts, mut knots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (column, curve) in margins.curves.iter().enumerate() {
        let Some(curve) = curve else { continue };
        columns.push(column);
        scales.extend([curve.centre, curve.scale]);
        counts.push(curve.knots.len());
        knots.extend(curve.knots.iter().flat_map(|knot| [knot.place, knot.score, knot.slope]));
    }
    writer.indices(&format!("{name}.margins.columns"), &columns);
    writer.numbers(&format!("{name}.margins.scales"), &[columns.len(), 2], &scales);
    writer.indices(&format!("{name}.margins.counts"), &counts);
    writer.numbers(&format!("{name}.margins.knots"), &[knots.len() / NUMBERS_PER_KNOT, NUMBERS_PER_KNOT], &knots);
}

/// Reads the margins of a density over `dims` columns. Returns `None` if the bundle has none.
fn read_margins(reader: &Reader<'_>, name: &str, dims: usize) -> Result<Option<Margins>> {
    let [columns_name, scales_name, counts_name, knots_name] =
        ["columns", "scales", "counts", "knots"].map(|part| format!("{name}.margins.{part}"));
    if !reader.has(&columns_name) {
        return Ok(None);
    }
    let count = reader.length(&columns_name)?;
    let columns = reader.indices(&columns_name, count)?;
    if columns.is_empty() || !columns.is_sorted_by(|before, after| before < after) || columns[count - 1] >= dims {
        return Err(reader.wrong(&columns_name, &format!("rising numbers below {dims}"), &format!("{columns:?}")));
    }
    let scales = reader.numbers(&scales_name, &[count, 2])?;
    let counts = reader.indices(&counts_name, count)?;
    let rows = reader.rows(&knots_name, NUMBERS_PER_KNOT)?;
    if counts.iter().try_fold(0usize, |sum, count| sum.checked_add(*count)) != Some(rows) {
        return Err(reader.wrong(&counts_name, &format!("numbers with sum {rows}"), &format!("{counts:?}")));
    }
    let knots = reader.numbers(&knots_name, &[rows, NUMBERS_PER_KNOT])?;
    let mut knots =
        knots.chunks_exact(NUMBERS_PER_KNOT).map(|knot| Knot { place: knot[0], score: knot[1], slope: knot[2] });
    let mut curves = vec![None; dims];
    for ((column, scale), count) in columns.iter().zip(scales.chunks_exact(2)).zip(counts) {
        let Some(curve) = Curve::new(scale[0], scale[1], knots.by_ref().take(count).collect()) else {
            let found = format!("others for column {column}");
            return Err(reader.wrong(&knots_name, "knots that rise, at a scale above 0", &found));
        };
        curves[*column] = Some(curve);
    }
    Ok(Some(Margins { curves }))
}
