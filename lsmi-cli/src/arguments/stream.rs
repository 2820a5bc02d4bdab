//! Options of `lsmi score` for data that does not fit in memory.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use clap::Args;
use thiserror::Error;

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

/// One of several parts of a job, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    index: usize,
    of: usize,
}

/// Why there is no such part.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("`{found}` is no part of several: expected I/N with I from 1 to N, as in 2/8")]
pub(crate) struct ShardError {
    found: String,
}

impl Shard {
    /// All there is.
    pub(crate) const WHOLE: Self = Self { index: 1, of: 1 };

    /// The places of this part among `all`: parts follow each other and differ in size by one at most.
    pub(crate) fn places(self, all: usize) -> std::ops::Range<usize> {
        // In 128 bits no product is too large.
        let end = |index: usize| usize::try_from(all as u128 * index as u128 / self.of as u128).unwrap_or(all);
        end(self.index - 1)..end(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if 0 < index && index <= of => Ok(Self { index, of }),
            _ => Err(ShardError { found: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        for (all, of) in [(10, 3), (3, 10), (0, 2), (7, 7), (1, 1)] {
            let parts = (1..=of).map(|index| Shard { index, of }.places(all));
            assert_eq!(parts.clone().flatten().collect::<Vec<_>>(), (0..all).collect::<Vec<_>>());
            assert!(parts.map(|part| part.len()).all(|length| (all / of..=all.div_ceil(of)).contains(&length)));
        }
    }

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
        for wrong in ["0/2", "3/2", "1", "/", "1/0", "a/b", "-1/2", "1/2/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
