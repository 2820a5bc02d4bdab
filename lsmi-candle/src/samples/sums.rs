//! What the summary needs of all rows of a split, as sums that grow with every group.

use crate::features::Classes;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use lsmi_core::{ClassPrior, Kind, statistics};
use serde::{Deserialize, Serialize};

/// Sums over the rows of a split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Rows.
    pub n: usize,
    /// i1, i2, i12, r, u1, u2, s, and then r, u1, u2, s by each further measure.
    pub values: Vec<f64>,
    /// Rows whose class each head predicts.
    pub right: [usize; 3],
    /// Negative log posteriors of the labels under each head.
    pub losses: [f64; 3],
    /// Rows of each kind, in the order of [`Kind::ALL`].
    pub kinds: [usize; Kind::ALL.len()],
}

/// The columns that are always summed.
const COLUMNS: [&str; 7] = ["i1", "i2", "i12", "r", "u1", "u2", "s"];

impl Sums {
    /// The sums of scored rows; `further` names the columns of further measures.
    ///
    /// Without labels there are no predictions to be right, no losses and no kinds.
    pub fn of(rows: &RecordBatch, further: &[String], classes: &Classes, prior: &ClassPrior) -> Self {
        let column = |name: &str| rows[name].as_primitive::<Float64Type>().values();
        let sum = |values: &[f64]| statistics::mean(values) * values.len() as f64;
        let names = COLUMNS.into_iter().chain(further.iter().map(String::as_str));
        let values = names.map(|name| sum(column(name))).collect();
        let mut sums = Self { n: rows.num_rows(), values, ..Self::default() };
        let Some(labels) = rows.column_by_name("label") else { return sums };
        let labels: Vec<&str> = labels.as_string::<i32>().iter().flatten().collect();
        let log_prior: Vec<f64> = labels
            .iter()
            .map(|label| classes.position(label).map_or(f64::NAN, |class| prior.log_probability(class)))
            .collect();
        for (head, (prediction, information)) in
            [("pred1", "i1"), ("pred2", "i2"), ("pred12", "i12")].into_iter().enumerate()
        {
            let predictions = rows[prediction].as_string::<i32>().iter().flatten();
            sums.right[head] = predictions.zip(&labels).filter(|(prediction, label)| prediction == *label).count();
            let losses = column(information).iter().zip(&log_prior).map(|(information, prior)| -information - prior);
            sums.losses[head] = sum(&losses.collect::<Vec<_>>());
        }
        let kinds: Vec<&str> = rows["kind"].as_string::<i32>().iter().flatten().collect();
        sums.kinds = Kind::ALL.map(|kind| kinds.iter().filter(|of| **of == kind.name()).count());
        sums
    }

    /// Adds the sums of more rows.
    pub fn add(&mut self, more: &Self) {
        self.n += more.n;
        self.values.resize(more.values.len(), 0.0);
        for (sum, value) in self.values.iter_mut().zip(&more.values) {
            *sum += value;
        }
        for head in 0..3 {
            self.right[head] += more.right[head];
            self.losses[head] += more.losses[head];
        }
        for (count, more) in self.kinds.iter_mut().zip(more.kinds) {
            *count += more;
        }
    }
}
