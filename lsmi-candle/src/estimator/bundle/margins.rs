//! Margins of a density as tensors of a bundle, and back.

use super::tensors::{Reader, Writer};
use crate::densities::knife::{Curve, Knot, Margins};
use crate::error::BundleError;

/// Numbers of a knot: its place, score and slope.
const OF_A_KNOT: usize = 3;

/// Writes the columns that have curves, rising, `[m]`; their centres and scales, `[m, 2]`; how many knots each has, `[m]`; and
/// all knots, `[k, 3]`.
pub(super) fn write_margins(writer: &mut Writer, name: &str, margins: &Margins) {
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
    writer.numbers(&format!("{name}.margins.knots"), &[knots.len() / OF_A_KNOT, OF_A_KNOT], &knots);
}

/// The margins of a density over so many columns; none where the bundle has none.
pub(super) fn read_margins(reader: &Reader<'_>, name: &str, dims: usize) -> Result<Option<Margins>, BundleError> {
    let [of_columns, of_scales, of_counts, of_knots] =
        ["columns", "scales", "counts", "knots"].map(|part| format!("{name}.margins.{part}"));
    if !reader.has(&of_columns) {
        return Ok(None);
    }
    let count = reader.length(&of_columns)?;
    let columns = reader.indices(&of_columns, count)?;
    if columns.is_empty() || !columns.is_sorted_by(|before, after| before < after) || columns[count - 1] >= dims {
        return Err(reader.wrong(&of_columns, &format!("rising numbers below {dims}"), &format!("{columns:?}")));
    }
    let scales = reader.numbers(&of_scales, &[count, 2])?;
    let counts = reader.indices(&of_counts, count)?;
    let rows = reader.rows(&of_knots, OF_A_KNOT)?;
    if counts.iter().try_fold(0usize, |sum, count| sum.checked_add(*count)) != Some(rows) {
        return Err(reader.wrong(&of_counts, &format!("numbers with sum {rows}"), &format!("{counts:?}")));
    }
    let knots = reader.numbers(&of_knots, &[rows, OF_A_KNOT])?;
    let mut knots = knots.chunks_exact(OF_A_KNOT).map(|knot| Knot { place: knot[0], score: knot[1], slope: knot[2] });
    let mut curves = vec![None; dims];
    for ((column, scale), count) in columns.iter().zip(scales.chunks_exact(2)).zip(counts) {
        let Some(curve) = Curve::new(scale[0], scale[1], knots.by_ref().take(count).collect()) else {
            let found = format!("others for column {column}");
            return Err(reader.wrong(&of_knots, "knots that rise, at a scale above 0", &found));
        };
        curves[*column] = Some(curve);
    }
    Ok(Some(Margins { curves }))
}
