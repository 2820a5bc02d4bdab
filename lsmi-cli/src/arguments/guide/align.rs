//! Options of `lsmi guide align`.

use std::path::PathBuf;

use clap::Args;
use lsmi_core::{Interaction, Measure};

use super::share;
use super::unfreeze::Unfreeze;
use crate::arguments::{Arrays, Common};

pub(super) const ALIGN_EXAMPLES: &str = "\
Heads on x1 and x2, into a shared space, are trained by the contrastive loss of CLIP on parts of the rows: high, middle and low \
in an interaction, a random one, the one with the largest i12 - i2 (what x1 adds: a cheap rival), all of one size, and on all \
rows. Heads of one seed have the same start and the same order of batches.

Rows set aside tell how well x1 finds its x2 and the reverse (recall at 1, 5 and 10; rows of the same x1 or x2 are right answers of \
each other), how well classes described in one modality are found by the other (zero-shot), and what a linear probe of either \
modality makes of the projected features.

DATA may have a split `test` to evaluate on; otherwise rows are set aside in --splits ways, which seeds take in turn. A comparison that is stopped goes on \
from DIR.partial when asked for again. Every part takes the same share of every class.

With --unfreeze N the last N blocks of two encoders are trained with the heads, and their norms and projections: BERT, RoBERTa, \
DistilBERT and CLIP on texts, CLIP, ViT and DINOv2 on pictures. Parts are still taken by the features in DATA, whose rows are \
found in --table by their ids; probes are then of the encoders' vectors, before the heads. The trained weights are not kept.

Examples:
  lsmi guide align features.npz --out comparison
  lsmi guide align features.npz --out comparison --by r,u1,u2,s --seeds 40
  lsmi guide align features.npz --out comparison --fraction 0.2 --hidden 128 --width 32
  lsmi guide align features.safetensors --out comparison --unfreeze 2 --table table.csv --image dinov2-small --text minilm-l6-v2";

/// `lsmi guide align`.
#[derive(Debug, Args)]
pub(crate) struct Align {
    /// Feature file
    pub(crate) data: PathBuf,
    /// Directory for align.json and align.csv, which has a row for every part and seed
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Runs of each part, with seeds from --seed on
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) seeds: u16,
    /// Ways to set rows aside, each with interactions of its own; seeds take them in turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) splits: u16,
    /// Interactions to take parts by: r, u1, u2, s
    #[arg(long, value_name = "INTERACTION,...", default_value = "r", value_parser = interactions)]
    pub(crate) by: InteractionList,
    /// Share of the rows in each part, above 0 and at most 0.5 [default: a third]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub(crate) fraction: Option<f64>,
    /// Passes over the rows of a part
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) epochs: u16,
    /// Columns of the shared space
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) width: u16,
    /// Units of a hidden layer of each head; 0: the heads are linear
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) hidden: u16,
    /// Rows of a batch at most: each is told from the others
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) batch: u16,
    /// Share of the rows that are set aside to evaluate on, without a split `test`
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub(crate) evaluated: f64,
    /// Folds of the cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "ccs")]
    pub(crate) measure: Measure,
    #[command(flatten)]
    pub(crate) unfreeze: Unfreeze,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Interactions, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InteractionList(pub(crate) Vec<Interaction>);

fn interactions(text: &str) -> Result<InteractionList, String> {
    let mut list = Vec::new();
    for name in text.split(',').map(str::trim) {
        let found = Interaction::ALL.into_iter().find(|interaction| interaction.name() == name);
        let interaction = found.ok_or_else(|| format!("`{name}` is no interaction; use r, u1, u2 or s"))?;
        if list.contains(&interaction) {
            return Err(format!("`{name}` is there twice; name every interaction once"));
        }
        list.push(interaction);
    }
    Ok(InteractionList(list))
}

fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if fraction > 0.0 && fraction <= 0.5 => Ok(fraction),
        _ => Err("expected a share above 0 and at most 0.5, as in 0.25".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interaction_is_named_once_and_known() {
        assert_eq!(interactions("s, r"), Ok(InteractionList(vec![Interaction::Synergy, Interaction::Redundancy])));
        assert!(interactions("r,r").unwrap_err().contains("twice"));
        assert!(interactions("i12").unwrap_err().contains("`i12` is no interaction"));
    }

    #[test]
    fn a_part_is_half_of_the_rows_at_most() {
        assert_eq!(fraction("0.5"), Ok(0.5));
        for wrong in ["0", "0.51", "nan", "-0.1", "third"] {
            assert!(fraction(wrong).is_err(), "{wrong}");
        }
    }
}
