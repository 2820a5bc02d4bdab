//! Files of samples with continuous targets: one row a sample, in input order, raw values in nats.
//!
//! With several targets jointly, `target`, the predicted means and the transforms have a column for each: `target_0`, ...

use std::error::Error;
use std::io::Write;

use serde_json::{Map, Value};

use super::ScoredTargets;
use crate::samples::Format;
use crate::samples::table::{Column, SampleTable};

/// The columns of every row, before those of targets, predictions and transforms.
pub const COLUMNS: [&str; 12] = ["id", "split", "fold", "h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"];

/// The columns of each target: its value, the predicted means and the probability integral transforms given x1, x2 and both.
const TARGET_COLUMNS: [&str; 7] = ["target", "pred1", "pred2", "pred12", "pit1", "pit2", "pit12"];

/// Returns the name of the file of samples of a decomposition, of so many.
pub fn target_samples_name(decomposition: usize, count: usize, format: Format) -> String {
    if count == 1 { format!("samples.{format}") } else { format!("samples_{decomposition}.{format}") }
}

/// Writes the samples of splits.
pub(super) fn write(
    output: &mut (impl Write + Send),
    format: Format,
    splits: &[ScoredTargets],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let targets = splits.first().map_or(1, |split| split.scores.columns.len());
    let names = names(targets);
    match format {
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(output);
            writer.write_record(&names)?;
            for split in splits {
                for row in 0..split.scores.terms.len() {
                    writer.serialize((identity(split, row), numbers(split, row)))?;
                }
            }
            writer.flush()?;
        }
        Format::Jsonl => {
            for split in splits {
                for row in 0..split.scores.terms.len() {
                    let (id, name, fold) = identity(split, row);
                    let values = [Value::from(id), Value::from(name), Value::from(fold)];
                    let numbers = numbers(split, row).into_iter().map(Value::from);
                    let line: Map<String, Value> =
                        names.iter().cloned().zip(values.into_iter().chain(numbers)).collect();
                    serde_json::to_writer(&mut *output, &line)?;
                    output.write_all(b"\n")?;
                }
            }
        }
        Format::Parquet => return Err("samples with continuous targets are written as csv or jsonl".into()),
    }
    Ok(())
}

/// Returns the samples of splits as a table of columns.
pub(super) fn table(splits: &[ScoredTargets]) -> SampleTable {
    let targets = splits.first().map_or(1, |split| split.scores.columns.len());
    let mut table = SampleTable::default();
    for split in splits {
        let rows = split.scores.terms.len();
        let identities: Vec<_> = (0..rows).map(|row| identity(split, row)).collect();
        let numbers: Vec<Vec<f64>> = (0..rows).map(|row| numbers(split, row)).collect();
        for (place, name) in names(targets).iter().enumerate() {
            let column = match place {
                0 => Column::Texts(identities.iter().map(|(id, _, _)| id.clone()).collect()),
                1 => Column::Texts(identities.iter().map(|(_, split, _)| (*split).to_owned()).collect()),
                2 => Column::Folds(identities.iter().map(|(_, _, fold)| *fold).collect()),
                _ => Column::Numbers(numbers.iter().map(|row| row[place - 3]).collect()),
            };
            table.extend(name, column);
        }
    }
    table
}

fn names(targets: usize) -> Vec<String> {
    let of_target = |name: &str, target: usize| if targets == 1 { name.to_owned() } else { format!("{name}_{target}") };
    let mut names: Vec<String> = COLUMNS.into_iter().map(str::to_owned).collect();
    for name in TARGET_COLUMNS {
        names.extend((0..targets).map(|target| of_target(name, target)));
    }
    names
}

fn identity(split: &ScoredTargets, row: usize) -> (String, &str, Option<u32>) {
    let fold = split.scores.folds.as_ref().map(|folds| folds[row]);
    (split.scores.terms.ids.get(row).into_owned(), &split.name, fold)
}

fn numbers(split: &ScoredTargets, row: usize) -> Vec<f64> {
    let (scores, parts) = (&split.scores, &split.decomposition);
    let terms = &scores.terms;
    let mut numbers: Vec<f64> =
        [&terms.h1, &terms.h2, &terms.i1, &terms.i2, &terms.i12, &parts.r, &parts.u1, &parts.u2, &parts.s]
            .map(|values| values[row])
            .to_vec();
    let count = scores.columns.len();
    for values in std::iter::once(&scores.targets).chain(&scores.predictions).chain(&scores.transforms) {
        numbers.extend_from_slice(&values[row * count..(row + 1) * count]);
    }
    numbers
}
