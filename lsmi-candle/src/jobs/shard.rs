//! One of several parts of a job that run by themselves, on one machine or on many.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use thiserror::Error;

/// One of several parts of a job, counted from 1.
///
/// ```
/// use lsmi_candle::jobs::Shard;
///
/// let second: Shard = "2/3".parse()?;
/// assert_eq!(second.places(10), 3..6);
/// # Ok::<(), lsmi_candle::jobs::ShardError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// Why there is no such part.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("`{found}` is no part of several: expected I/N with I from 1 to N, as in 2/8")]
pub struct ShardError {
    found: String,
}

impl Shard {
    /// All there is.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// Creates the part `index`, counted from 1, of `of` parts.
    ///
    /// # Errors
    /// [`ShardError`] unless `index` is from 1 to `of`.
    pub fn new(index: usize, of: usize) -> Result<Self, ShardError> {
        if 0 < index && index <= of {
            Ok(Self { index, of })
        } else {
            Err(ShardError { found: format!("{index}/{of}") })
        }
    }

    /// Returns which part it is, counted from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// Returns the number of parts.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether it is all there is.
    pub fn is_whole(self) -> bool {
        self == Self::WHOLE
    }

    /// Returns the places of this part among `all`: parts follow each other and differ in size by one at most.
    pub fn places(self, all: usize) -> Range<usize> {
        // In 128 bits no product is too large.
        let end = |index: usize| usize::try_from(all as u128 * index as u128 / self.of as u128).unwrap_or(all);
        end(self.index - 1)..end(self.index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
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
        let refused = || ShardError { found: text.to_owned() };
        parts.and_then(|(index, of)| Self::new(index, of).ok()).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_up_the_whole(all in 0_usize..500, of in 1_usize..60) {
            let parts: Vec<Range<usize>> = (1..=of).map(|index| Shard { index, of }.places(all)).collect();
            prop_assert_eq!(parts.iter().cloned().flatten().collect::<Vec<_>>(), (0..all).collect::<Vec<_>>());
            prop_assert!(parts.iter().all(|part| (all / of..=all.div_ceil(of)).contains(&part.len())));
        }

        #[test]
        fn what_is_shown_is_read(of in 1_usize..=usize::MAX, index in 1_usize..=usize::MAX) {
            let shard = Shard::new(index % of + 1, of);
            prop_assert_eq!(shard.as_ref().unwrap().to_string().parse(), shard);
        }

        /// No product is too large: the last part always ends where the whole does.
        #[test]
        fn the_last_part_ends_the_whole(all in 0..=usize::MAX, of in 1..=usize::MAX) {
            prop_assert_eq!(Shard { index: of, of }.places(all).end, all);
        }
    }

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
        for wrong in ["0/2", "3/2", "1", "/", "1/0", "a/b", "-1/2", "1/2/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert_eq!(Shard::new(3, 2).unwrap_err(), "3/2".parse::<Shard>().unwrap_err());
    }
}
