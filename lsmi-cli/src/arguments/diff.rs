//! Options of `lsmi diff`.

use std::path::PathBuf;

use clap::Args;

use super::Common;

pub(super) const DIFF_EXAMPLES: &str = "\
Samples that are in both, by their ids, are compared one by one: how each of i1, i2, i12, r, u1, u2, s differs (second \
less first), with intervals of the mean differences overall and by class, and how many samples are of another kind. \
Where no id is in both, or ids do not mean the same samples (their labels differ), classes and distributions are \
compared.

Values of r, u1, u2, s can be compared where gauge and measure are the same, values of i1, i2, i12 where the class prior \
is: what differs in summary.json is said.

--out DIR takes differences.csv, a row a sample, diff.json, and diff.html, a page to look at in a browser.

Examples:
  lsmi diff early late
  lsmi diff before after --out changes
  lsmi diff result result --split eval,eval2          two evaluation sets of one analysis
  lsmi diff old/samples.csv new/scores.parquet --json --quiet | jq .means.s.difference";

/// `lsmi diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Directory of an analysis, or a file of samples
    #[arg(value_name = "DIR1")]
    pub(crate) first: PathBuf,
    /// Directory of another, or a file of samples
    #[arg(value_name = "DIR2")]
    pub(crate) second: PathBuf,
    /// Directory for diff.html, diff.json and differences.csv; without it nothing is written
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Compare the samples of this split, or of these two [default: train, or the only one]
    #[arg(long, value_name = "NAME[,NAME]", value_parser = two_splits)]
    pub(crate) split: Option<Splits>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The split of the first and that of the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splits(pub(crate) [String; 2]);

fn two_splits(text: &str) -> Result<Splits, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.as_slice() {
        [one] if !one.is_empty() => Ok(Splits([one.clone(), one.clone()])),
        [first, second] if !first.is_empty() && !second.is_empty() => Ok(Splits([first.clone(), second.clone()])),
        _ => Err("name one split for both, or one for each, as in test or train,eval".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_split_for_both_or_one_for_each() {
        let of = |text| two_splits(text).map(|Splits(names)| names);
        assert_eq!(of("test").unwrap(), ["test", "test"]);
        assert_eq!(of("train, eval").unwrap(), ["train", "eval"]);
        for wrong in ["", ",", "a,", "a,b,c"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
