//! Stores the coordinates of densities and of heads as tensors of a bundle.

use super::tensors::{Reader, Writer};
use crate::densities::gauge::{Coordinates, Gauge, GaugeKind, HeadCoordinates, Squash, Standardizer};
use crate::error::BundleError;

type Result<T> = std::result::Result<T, BundleError>;

/// Writes the gauge of two modalities.
pub(super) fn write_gauge(writer: &mut Writer, gauge: &Gauge) {
    write_coordinates(writer, "gauge.x1", &gauge.x1);
    write_coordinates(writer, "gauge.x2", &gauge.x2);
    write_head_coordinates(writer, "heads.x1", &gauge.heads[0]);
    write_head_coordinates(writer, "heads.x2", &gauge.heads[1]);
}

/// Reads the gauge of two modalities of so many columns, in so many dimensions.
pub(super) fn read_gauge(reader: &Reader<'_>, kind: GaugeKind, columns: [usize; 2], dims: [usize; 2]) -> Result<Gauge> {
    let x1 = read_coordinates(reader, "gauge.x1", columns[0], dims[0])?;
    let x2 = read_coordinates(reader, "gauge.x2", columns[1], dims[1])?;
    let heads = [
        read_head_coordinates(reader, "heads.x1", x1.standardizer.columns())?,
        read_head_coordinates(reader, "heads.x2", x2.standardizer.columns())?,
    ];
    Ok(Gauge { kind, x1, x2, heads })
}

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

/// Writes the coordinates that heads see of a modality: centre, scale, mean and deviation of each squashed column, a
/// scale of 0 for the others.
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

/// Reads the coordinates that heads see of a modality with `columns` standardised columns.
pub(super) fn read_head_coordinates(reader: &Reader<'_>, name: &str, columns: usize) -> Result<HeadCoordinates> {
    let (squashes, axes) = (format!("{name}.squashes"), format!("{name}.components"));
    let components = reader.rows(&axes, columns)?;
    let mut column_squashes = Vec::with_capacity(columns);
    for squash in reader.numbers(&squashes, &[columns, 4])?.chunks_exact(4) {
        column_squashes.push(match *squash {
            [_, 0.0, ..] => None,
            [centre, scale, mean, deviation] if scale > 0.0 && deviation > 0.0 => {
                Some(Squash { centre, scale, mean, deviation })
            }
            _ => return Err(reader.wrong(&squashes, "scales and deviations above 0", &format!("{squash:?}"))),
        });
    }
    Ok(HeadCoordinates { squashes: column_squashes, axes: reader.single(&axes, &[components, columns])? })
}
