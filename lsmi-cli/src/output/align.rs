//! What `lsmi guide align` writes beside `align.json`: `align.csv`, a row for every part and seed.
//!
//! `part, seed, split, rows` and a column for every figure, on the rows set aside; `recall_at_10_x1_to_x2` and the like.

use std::io::Write;

use lsmi_guide::experiments::align::{Figure, Run};

/// Writes `align.csv`.
pub(crate) fn write(runs: &[Run], file: &mut impl Write) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut table = csv::Writer::from_writer(file);
    table.write_record(["part", "seed", "split", "rows"].into_iter().chain(Figure::ALL.map(Figure::name)))?;
    for run in runs {
        let values = Figure::ALL.map(|figure| run.figures.get(&figure).map(f64::to_string).unwrap_or_default());
        let start = [run.part.clone(), run.seed.to_string(), run.split.to_string(), run.rows.to_string()];
        table.write_record(start.into_iter().chain(values))?;
    }
    Ok(table.flush()?)
}
