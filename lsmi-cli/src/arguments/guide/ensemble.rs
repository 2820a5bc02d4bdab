//! Options of `lsmi guide ensemble`.

use std::path::PathBuf;

use clap::Args;
use lsmi_core::Measure;

use super::{Export, share};
use crate::arguments::{Arrays, Common, ModelFile};

pub(super) const ENSEMBLE_EXAMPLES: &str = "\
The members are the cross-fitted heads of x1, of x2 and of both (early fusion), their late fusion, and your own models. The \
guided ensemble weighs them sample by sample, by the sample's label-free r, u1, u2, s and by how sure each member is. \
It stands beside the best member, equal weights, weights by accuracy, stacking (one weight a member) and an oracle.

Every seed sets other rows aside to evaluate on; all is fitted and chosen on the rest. The splits of DATA are pooled. A \
comparison that is stopped goes on from DIR.partial when asked for again.

A model of your own is a file with logits12 [n, K] (or logits1, logits2) for the rows of DATA, matched by id where it has ids. \
They must be of models that have not learned from the labels of these rows, as those of cross-validation are.

Examples:
  lsmi guide ensemble features.npz --out comparison
  lsmi guide ensemble features.npz --out comparison --seeds 40 --export weights.csv
  lsmi guide ensemble features.npz --out comparison --model vit=vit.npz --model bert=bert.npz";

/// `lsmi guide ensemble`.
#[derive(Debug, Args)]
pub(crate) struct Ensemble {
    /// Feature file
    pub(crate) data: PathBuf,
    /// Directory for the result, ensemble.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Splits into rows to fit to and rows to evaluate, with seeds from --seed on
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) seeds: u16,
    /// Add a member: file with its logits12, logits1 or logits2 (with the suffix of their split); may be repeated
    #[arg(long = "model", value_name = "NAME=FILE")]
    pub(crate) models: Vec<ModelFile>,
    /// Share of the rows that each seed evaluates on
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub(crate) evaluated: f64,
    /// Folds of the cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "ccs")]
    pub(crate) measure: Measure,
    /// File for the weight of every member for every row, by id: .csv or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<Export>,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}
