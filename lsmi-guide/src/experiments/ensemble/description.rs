//! What the weights of a sample depend on: its label-free interactions and how sure the members are.
//!
//! The interactions of a sample whose label is unknown are expectations over the labels under the joint head
//! ([`lsmi_candle::estimator::Estimator::expect`]). Their scale differs from data to data and a few samples lie far out, so
//! each column is cut at its 1 % and 99 % quantiles and standardised; both are taken from the samples that weights are
//! fitted to.

use lsmi_core::statistics::{mean, quantiles, standard_deviation};
use lsmi_core::{Decomposition, Interaction};
use serde::{Deserialize, Serialize};

use super::{EnsembleError, Members};

/// The share of samples at either end of a column that are moved to where the rest ends.
const TAIL: f64 = 0.01;

/// One column of the description of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    lower: f64,
    upper: f64,
    mean: f64,
    deviation: f64,
}

/// How samples are described, fitted to some and applied to others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Describer {
    columns: Vec<Column>,
}

/// The columns of samples as they come: the interactions in nats, then the members' confidences.
pub(super) fn raw_columns(members: &Members, interactions: &Decomposition) -> Result<Vec<Vec<f64>>, EnsembleError> {
    let rows = members.rows();
    let of_interactions = Interaction::ALL.map(|part| interactions.values(part).to_vec());
    let of_confidences =
        (0..members.len()).map(|member| (0..rows).map(|row| members.confidence(member, row)).collect::<Vec<_>>());
    let columns: Vec<Vec<f64>> = of_interactions.into_iter().chain(of_confidences).collect();
    match columns.iter().find(|column| column.len() != rows) {
        Some(column) => Err(EnsembleError::Rows { what: "the interactions", expected: rows, found: column.len() }),
        None => Ok(columns),
    }
}

impl Describer {
    /// Fits the cuts and scales to columns of the given names.
    pub(super) fn fit(names: Vec<String>, columns: &[Vec<f64>], rows: &[usize]) -> Self {
        let fit = |(name, values): (String, &Vec<f64>)| {
            let mut values: Vec<f64> = rows.iter().map(|row| values[*row]).collect();
            let ends = quantiles(&values, &[TAIL, 1.0 - TAIL]);
            let (lower, upper) = (ends[0], ends[1]);
            for value in &mut values {
                *value = value.clamp(lower, upper);
            }
            let deviation = standard_deviation(&values);
            // A constant column says nothing, and is zero everywhere. JSON has no infinity.
            let deviation = if deviation > 0.0 { deviation } else { f64::MAX };
            Column { name, lower, upper, mean: mean(&values), deviation }
        };
        Self { columns: names.into_iter().zip(columns).map(fit).collect() }
    }

    /// The number of columns of a description, the constant included.
    pub(super) fn len(&self) -> usize {
        self.columns.len() + 1
    }

    /// The descriptions `[n, F]` of samples, row-major: 1, then the columns standardised.
    pub(super) fn apply(&self, columns: &[Vec<f64>], rows: &[usize]) -> Vec<f64> {
        let describe = |row: &usize| {
            let values = self.columns.iter().zip(columns).map(|(column, values)| {
                (values[*row].clamp(column.lower, column.upper) - column.mean) / column.deviation
            });
            std::iter::once(1.0).chain(values).collect::<Vec<_>>()
        };
        rows.iter().flat_map(describe).collect()
    }

    /// The names of the columns, the constant first.
    pub(super) fn names(&self) -> Vec<String> {
        std::iter::once("constant")
            .chain(self.columns.iter().map(|column| column.name.as_str()))
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_with_a_constant_column_is_read_as_it_was_written() {
        let columns = [vec![1.0, 2.0, 3.0], vec![0.5; 3]];
        let fitted = Describer::fit(vec!["varied".to_owned(), "constant".to_owned()], &columns, &[0, 1, 2]);
        let read: Describer = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
        assert_eq!(read, fitted);
        let described = read.apply(&columns, &[2]);
        assert!(described[1] > 0.0);
        assert_eq!([described[0], described[2]], [1.0, 0.0]);
    }
}
