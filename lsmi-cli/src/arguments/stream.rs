//! Options of `lsmi score` for data that does not fit in memory.

use std::num::NonZeroU32;

use clap::Args;
use lsmi_candle::jobs::Shard;

/// How much of the data is scored, and how much at a time.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Streaming {
    /// Score the I-th of N parts of the rows, e.g. 2/8, from a stream
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Rows that are read, scored and written at a time, from a stream [default: by the width of the rows]
    #[arg(long, value_name = "N")]
    pub(crate) rows_of_a_group: Option<NonZeroU32>,
}
