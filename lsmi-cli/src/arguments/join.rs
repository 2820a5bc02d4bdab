//! Options of `lsmi join`.

use std::path::PathBuf;

use clap::Args;

pub(super) const JOIN_EXAMPLES: &str = "\
Parts of `lsmi embed --shard` (.safetensors) say themselves which part they are: they are put in order, and one that is \
missing, there twice or of another job is refused. The result is, byte for byte, what one machine would have written.

Parts of `lsmi score --shard` (.csv, .jsonl, .parquet) do not: give --rows N, the rows of the data, by which parts that are missing, or \
of another division, are noticed. Where their names differ in one number only, they are put \
in the order of that number, which must be without gaps and begin at 1 or 0; otherwise they are taken as they are given.

Examples:
  lsmi join part-*.safetensors --out features.safetensors
  lsmi join scores/part-*.parquet --rows 10000000 --out scores.parquet
  lsmi join morning.csv evening.csv --out day.csv --json";

/// `lsmi join`.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// Files that `embed --shard` or `score --shard` wrote, of one format
    #[arg(required = true, value_name = "PART")]
    pub(crate) parts: Vec<PathBuf>,
    /// File to write, in the format of the parts
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Rows that all parts have together; any other number is refused
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// Print what was joined as JSON to stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Say nothing
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Overwrite existing output
    #[arg(long)]
    pub(crate) force: bool,
}
