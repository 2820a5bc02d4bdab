//! Options of `lsmi discrete`.

use std::path::PathBuf;

use clap::Args;
use lsmi_candle::features::Missing;
use lsmi_core::discrete::{Bias, JointMeasure};

use super::Common;
use super::estimation::each_once;

pub(super) const DISCRETE_EXAMPLES: &str = "\
A file of probabilities or counts is JSON, an outcome being x1 x2 y, one character each, or a list:
  {\"pmf\": {\"000\": 0.5, \"011\": 0.25, \"101\": 0.25}}
  {\"pmf\": [[\"sunny\", \"warm\", \"beach\", 0.5], [\"rainy\", \"cold\", \"cinema\", 0.5]]}
  {\"counts\": {\"000\": 41, \"011\": 18, \"101\": 22}}
A file of samples is CSV with the columns x1, x2 and y; others are passed over. Three or four sources (x3, x4; longer \
outcomes) are decomposed on the redundancy lattice.

Examples:
  lsmi discrete and.json --bits
  lsmi discrete samples.csv --bias shrinkage --bootstrap 1000
  lsmi discrete samples.csv --measures pm,sx --pointwise --json --quiet
  lsmi discrete three_sources.csv --measures min";

/// `lsmi discrete`.
#[derive(Debug, Args)]
pub(crate) struct Discrete {
    /// Probabilities or counts (.json) or samples (.csv)
    pub(crate) file: PathBuf,
    /// Measures of redundancy: some of pm, min, sx, mmi, ccs and broja [default: all]
    #[arg(long, value_name = "MEASURE,...", value_parser = measures)]
    measures: Option<MeasureList>,
    /// Give all values in bits instead of nats
    #[arg(long)]
    pub(crate) bits: bool,
    /// Decompose every outcome too
    #[arg(long)]
    pub(crate) pointwise: bool,
    /// Print the redundancy lattice of two sources too (of pm, min and sx); that of more always is
    #[arg(long)]
    pub(crate) lattice: bool,
    /// What to do about the bias of few samples: plug-in (nothing), miller-madow or shrinkage
    #[arg(long, default_value = "plug-in")]
    pub(crate) bias: Bias,
    /// Draw the samples anew N times and give 95 % intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) bootstrap: Option<u32>,
    /// What becomes of rows in which a state is missing (nothing, NaN, NA, null, None): refuse, drop (they are left out and
    /// counted) or keep (these texts are states like others)
    #[arg(long, default_value_t)]
    pub(crate) missing: Missing,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Measures, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MeasureList(Vec<JointMeasure>);

impl Discrete {
    /// The measures that were asked for, in their order; None for all.
    pub(crate) fn measures(&self) -> Option<&[JointMeasure]> {
        self.measures.as_ref().map(|list| &*list.0)
    }
}

fn measures(text: &str) -> Result<MeasureList, String> {
    each_once(text).map(MeasureList)
}
