//! Options of `lsmi partition`.

use std::path::PathBuf;

use clap::Args;
use lsmi_core::Interaction;

use super::Common;

pub(super) const PARTITION_EXAMPLES: &str = "\
Writes high.txt, middle.txt and low.txt, one id a line in the order of the samples, and partition.json.

Examples:
  lsmi partition result/samples.csv --by r --fraction 0.3 --out subsets
  lsmi partition result/samples.csv --by s --fraction 0.3 --balanced --split train --out subsets
  lsmi partition result/samples.jsonl --by u1 --threshold -0.1,0.5 --out subsets";

/// `lsmi partition`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Partition {
    /// samples.csv, samples.jsonl or samples.parquet of `analyze` or `score`
    pub(crate) samples: PathBuf,
    /// Interaction to split by: r, u1, u2 or s
    #[arg(long)]
    pub(crate) by: Interaction,
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
    fn thresholds_are_two_ordered_numbers() {
        assert_eq!(two_numbers("-0.1, 0.5"), Ok((-0.1, 0.5)));
        for wrong in ["1", "1,2,3", "2,1", "1,1", "a,b", "nan,1", ""] {
            assert!(two_numbers(wrong).is_err(), "{wrong}");
        }
    }
}
