//! `distribution`: how a quantity is spread over the samples, and its mean without the extremes.
//!
//! One confidently wrong prediction can weigh as much in a mean as thousands of samples; it does not here.

use lsmi_core::statistics::{quantiles, trimmed_mean};
use serde::{Deserialize, Serialize};

use super::quantities::{Columns, Quantities};

/// The share that is cut off each end for the trimmed mean.
const TRIMMED: f64 = 0.05;

/// The spread of one quantity over samples, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Quantiles, interpolated linearly.
    pub quantiles: Quantiles,
    /// The mean without the lowest and the highest 5 % of the values.
    pub trimmed_mean: f64,
}

/// Quantiles by their probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The lowest value.
    min: f64,
    /// 5 % of the values are lower.
    #[serde(rename = "0.05")]
    twentieth: f64,
    /// 25 % of the values are lower.
    #[serde(rename = "0.25")]
    quarter: f64,
    /// The median.
    #[serde(rename = "0.5")]
    half: f64,
    /// 25 % of the values are higher.
    #[serde(rename = "0.75")]
    three_quarters: f64,
    /// 5 % of the values are higher.
    #[serde(rename = "0.95")]
    nineteen_twentieths: f64,
    /// The highest value.
    max: f64,
}

impl Distribution {
    /// The spread of every column.
    pub(in crate::analysis) fn of_columns(columns: &Columns) -> Quantities<Self> {
        columns.values.each_ref().map(|values| Self::new(values)).into()
    }

    /// The spread of values.
    pub fn new(values: &[f64]) -> Self {
        // Sorted once, for all that sort.
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        let found = quantiles(&values, &[0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]);
        let quantiles = Quantiles {
            min: found[0],
            twentieth: found[1],
            quarter: found[2],
            half: found[3],
            three_quarters: found[4],
            nineteen_twentieths: found[5],
            max: found[6],
        };
        Self { quantiles, trimmed_mean: trimmed_mean(&values, TRIMMED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_go_by_their_probability() {
        // 0 to 100 and, in place of 100, one value that is out of all bounds.
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        values.push(1e6);
        let json = serde_json::to_string(&Distribution::new(&values)).unwrap();
        let quantiles = r#"{"min":0.0,"0.05":5.0,"0.25":25.0,"0.5":50.0,"0.75":75.0,"0.95":95.0,"max":1000000.0}"#;
        assert_eq!(json, format!(r#"{{"quantiles":{quantiles},"trimmed_mean":50.0}}"#));
    }
}
