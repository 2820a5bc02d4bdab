//! Options of `lsmi guide distill`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use lsmi_core::Measure;
use lsmi_guide::decide::policy::{self, Options};

use crate::arguments::{Arrays, Common};

pub(super) const DISTILL_EXAMPLES: &str = "\
A small student is distilled from a large teacher under every policy; runs of one seed share samples, parameters at the \
start and batches. Each policy gets the factor of its losses that is best for it on validation samples.

The policies:
  interaction  weights by the interactions of the sample, see --rule
  both, feature, output, none  the same weight for all samples
  all          both, and auxiliary losses of each modality, of all samples alike
  random       the weights of interaction, dealt to other samples
  confidence   by the teacher's confidence alone
  modality     no teacher: auxiliary losses of each modality by what it tells of the sample; auxiliary: of all alike
  sources, dominant  what interaction is under that --rule, whatever --rule says

DATA may have a split `test` to test on, and logits12 of a teacher of your own; otherwise a fifth of the rows is tested on in \
turn, and the teacher is trained. A comparison that is stopped goes on from DIR.partial when asked for again.

Examples:
  lsmi guide distill features.npz --out comparison
  lsmi guide distill features.npz --out comparison --seeds 40 --policies interaction,both,random
  lsmi guide distill features.npz --out comparison --export weights.csv
  lsmi guide distill features.npz --out comparison --rule dominant --measure pm
  lsmi guide distill features.npz --out comparison --interactions tracked";

/// `lsmi guide distill`.
#[derive(Debug, Args)]
pub(crate) struct Distill {
    /// Feature file
    pub(crate) data: PathBuf,
    /// Directory for the result, distill.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Runs of each policy, with seeds from --seed on
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) seeds: u16,
    /// What to compare
    #[arg(
        long,
        value_name = "POLICY,...",
        default_value = "interaction,both,all,feature,output,none,random,confidence",
        value_parser = policies
    )]
    pub(crate) policies: PolicyList,
    /// The rule of `interaction`
    #[arg(long, value_enum, default_value_t = RuleName::Sources)]
    pub(crate) rule: RuleName,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "ccs")]
    pub(crate) measure: Measure,
    /// Where the interactions behind a policy come from
    #[arg(long, value_enum, default_value_t = SourceName::Fixed)]
    pub(crate) interactions: SourceName,
    /// Epochs of the student
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) epochs: u16,
    /// Temperature of output distillation
    #[arg(long, value_name = "T", default_value_t = 2.0)]
    pub(crate) temperature: f64,
    /// Share of the training rows that a student learns from
    #[arg(long, value_name = "SHARE", default_value_t = 0.25)]
    pub(crate) transfer: f64,
    /// Add the policies modality and auxiliary: dynamic fusion, with and without modulation
    #[arg(long)]
    pub(crate) fusion: bool,
    /// Skip steps whose loss is not finite, and list them, instead of stopping
    #[arg(long)]
    pub(crate) skip_non_finite: bool,
    /// File for the weights of all rows under `interaction`, by id: .csv or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<Export>,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleName {
    /// Outputs the more the less is known of the label, and auxiliary losses of each modality by what it tells
    Sources,
    /// Features where r, u1 or u2 dominates, outputs where s does: the published rule
    Dominant,
}

/// Where interactions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceName {
    /// A cross-fit on the training rows, before any student learns
    Fixed,
    /// A tracker of the student itself, every ten epochs while it learns
    Tracked,
}

/// Policies, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyList(pub(crate) Vec<String>);

fn policies(text: &str) -> Result<PolicyList, String> {
    let mut list: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        policy::named(name, &Options::default()).map_err(|error| error.to_string())?;
        if list.iter().any(|listed| listed == name) {
            return Err(format!("`{name}` is there twice; name every policy once"));
        }
        list.push(name.to_owned());
    }
    Ok(PolicyList(list))
}

/// Where weights go, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Export {
    Csv(PathBuf),
    SafeTensors(PathBuf),
}

impl Export {
    pub(crate) fn path(&self) -> &PathBuf {
        match self {
            Self::Csv(path) | Self::SafeTensors(path) => path,
        }
    }
}

impl FromStr for Export {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::Csv(path)),
            Some("safetensors") => Ok(Self::SafeTensors(path)),
            _ => Err("the name must end in .csv or .safetensors".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_named_once_and_known() {
        assert_eq!(policies("both, random"), Ok(PolicyList(vec!["both".to_owned(), "random".to_owned()])));
        assert!(policies("both,both").unwrap_err().contains("twice"));
        assert!(policies("best").unwrap_err().contains("`best` is no policy"));
    }

    #[test]
    fn weights_go_to_a_format_that_the_name_tells() {
        assert_eq!("a/w.csv".parse(), Ok(Export::Csv("a/w.csv".into())));
        assert_eq!("w.safetensors".parse(), Ok(Export::SafeTensors("w.safetensors".into())));
        assert!("w.txt".parse::<Export>().is_err());
    }
}
