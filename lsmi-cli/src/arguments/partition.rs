//! Options of `lsmi partition`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::Common;

pub(super) const PARTITION_EXAMPLES: &str = "\
Writes high.txt, middle.txt and low.txt, one id a line in the order of the samples, and partition.json.

Examples:
  lsmi partition result/samples.csv --by r --fraction 0.3 --out subsets
  lsmi partition result/samples.csv --by s --fraction 0.3 --balanced --split train --out subsets
  lsmi partition result/samples.csv --by s_ccs --fraction 0.1 --out subsets
  lsmi partition result/samples.jsonl --by u1 --threshold -0.1,0.5 --out subsets";

/// The columns that samples can be parted by: r, u1, u2 and s by the measure of the analysis, and by each of `--measures`.
const COLUMNS: [&str; 24] = [
    "r", "u1", "u2", "s", "r_pm", "u1_pm", "u2_pm", "s_pm", "r_sx", "u1_sx", "u2_sx", "s_sx", "r_mmi", "u1_mmi",
    "u2_mmi", "s_mmi", "r_ccs", "u1_ccs", "u2_ccs", "s_ccs", "r_min", "u1_min", "u2_min", "s_min",
];

/// A column of interactions in a file of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct By(&'static str);

impl By {
    /// The name of the column.
    pub(crate) fn column(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for By {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.0)
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = COLUMNS.into_iter().find(|column| *column == name);
        found.map(Self).ok_or_else(|| {
            "use r, u1, u2 or s, or one of them by a measure of `analyze --measures`, such as s_ccs".to_owned()
        })
    }
}

/// `lsmi partition`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Partition {
    /// samples.csv, samples.jsonl or samples.parquet of `analyze` or `score`
    pub(crate) samples: PathBuf,
    /// Interaction to split by: r, u1, u2 or s; by another measure of --measures, such as `s_ccs`
    #[arg(long)]
    pub(crate) by: By,
    #[command(flatten)]
    pub(crate) rule: PartitionRule,
    /// Let every class give the same share of its samples to each list
    #[arg(long)]
    pub(crate) balanced: bool,
    /// Take the samples of this split [default: train, or the only one]
    #[arg(long)]
    pub(crate) split: Option<String>,
    /// Directory for the lists
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where `lsmi partition` draws its two lines.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PartitionRule {
    /// Share of the samples in each of high and low, above 0 and at most 0.5
    #[arg(long)]
    pub(crate) fraction: Option<f64>,
    /// Low up to the first value, high from the second, in nats
    #[arg(long, value_name = "LOW,HIGH", value_parser = two_numbers, allow_hyphen_values = true)]
    pub(crate) threshold: Option<(f64, f64)>,
}

fn two_numbers(text: &str) -> Result<(f64, f64), String> {
    let number = |part: &str| part.trim().parse::<f64>().ok().filter(|value| !value.is_nan());
    match text.split(',').map(number).collect::<Vec<_>>().as_slice() {
        [Some(low), Some(high)] if low < high => Ok((*low, *high)),
        [Some(_), Some(_)] => Err("the first number must be below the second".to_owned()),
        _ => Err("expected two numbers, as in -0.1,0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    #[test]
    fn negative_numbers_are_values() {
        let words = "lsmi partition a.csv --by s --threshold -0.5,-0.1 --out b";
        let Command::Partition(partition) = Arguments::parse_from(words.split(' ')).command else { panic!() };
        assert_eq!(partition.rule.threshold, Some((-0.5, -0.1)));
    }

    #[test]
    fn every_measure_has_its_columns() {
        use lsmi_core::{Interaction, Measure};
        let own = Interaction::ALL.map(|part| part.to_string());
        let of_measures =
            Measure::ALL.into_iter().flat_map(|measure| own.clone().map(|part| format!("{part}_{measure}")));
        let expected: Vec<String> = own.iter().cloned().chain(of_measures).collect();
        assert_eq!(COLUMNS.to_vec(), expected);
        assert_eq!("s_ccs".parse::<By>().map(By::column), Ok("s_ccs"));
        for wrong in ["s_sd", "i12", "S", ""] {
            assert!(wrong.parse::<By>().unwrap_err().contains("such as s_ccs"), "{wrong}");
        }
    }

    #[test]
    fn thresholds_are_two_ordered_numbers() {
        assert_eq!(two_numbers("-0.1, 0.5"), Ok((-0.1, 0.5)));
        for wrong in ["1", "1,2,3", "2,1", "1,1", "a,b", "nan,1", ""] {
            assert!(two_numbers(wrong).is_err(), "{wrong}");
        }
    }
}
