//! Options for modalities that are sequences: `--pool` and `--lags`.

use clap::Args;
use lsmi_candle::features::{Lags, Pooling};

/// What becomes of the steps of a sequence, wherever arrays are read.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Sequences {
    /// Take one vector of each sequence of modalities [n, T, d]: mean, last, max or attention; an array lengths1, lengths2 or
    /// lengths [n] says how many steps count
    #[arg(long, value_name = "RULE")]
    pub(crate) pool: Option<Pooling>,
}

/// Lags between the modalities of sequences.
#[derive(Debug, Clone, Args)]
pub(crate) struct Lagged {
    /// Analyse sequences [n, T, d] lag by lag: what x1 at t-K and x2 at t tell about y at t, y being [n, T] or [n]; as 0,1,2 or
    /// 0..4, which is 0,1,2,3,4
    #[arg(long, value_name = "K,...", conflicts_with_all = ["pool", "eval", "ratings", "files", "knife_from", "scale_logits", "target", "rare", "modalities", "lattice", "shapley"])]
    pub(crate) lags: Option<Lags>,
}
