//! Lags: by how many steps x1 is before x2 and the label.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The most lags of one analysis: each is a fit of its own.
const MOST: usize = 1000;

/// Numbers of steps by which x1 is before x2 and the label: at least one, distinct, in rising order.
///
/// ```
/// use lsmi_candle::features::Lags;
///
/// let lags: Lags = "0,1,4".parse()?;
/// assert_eq!((lags.steps(), lags.largest()), (&[0, 1, 4][..], 4));
/// // From the first to the last, with both.
/// assert_eq!("0..4".parse::<Lags>()?.steps(), [0, 1, 2, 3, 4]);
/// assert!("1,1".parse::<Lags>().is_err());
/// # Ok::<(), lsmi_candle::features::LagsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lags(Vec<usize>);

/// Why lags cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LagsError {
    /// A lag is no number of steps.
    #[error("`{found}` is no number of steps; write lags as 0,1,2 or as 0..4, which is 0,1,2,3,4")]
    NotANumber {
        /// What was found.
        found: String,
    },
    /// A range ends before it begins.
    #[error("`{found}` ends before it begins; write the smaller lag first")]
    Backwards {
        /// The range.
        found: String,
    },
    /// A lag is there twice.
    #[error("the lag {lag} is there twice")]
    Repeated {
        /// The lag.
        lag: usize,
    },
    /// There are none, or too many.
    #[error("there are {found} lags; from 1 to {MOST} can be analysed together")]
    Count {
        /// Their number.
        found: usize,
    },
}

impl Lags {
    /// Takes lags in any order.
    ///
    /// # Errors
    /// [`LagsError`] if there are none or too many, or one is there twice.
    pub fn new(mut steps: Vec<usize>) -> Result<Self, LagsError> {
        steps.sort_unstable();
        if let Some(pair) = steps.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(LagsError::Repeated { lag: pair[0] });
        }
        if steps.is_empty() || steps.len() > MOST {
            return Err(LagsError::Count { found: steps.len() });
        }
        Ok(Self(steps))
    }

    /// Returns the lags, the smallest first.
    pub fn steps(&self) -> &[usize] {
        &self.0
    }

    /// Returns the largest lag: the first step at which there is a sample for every lag.
    pub fn largest(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }
}

impl FromStr for Lags {
    type Err = LagsError;

    /// Reads `0,1,4` or `0..4`.
    fn from_str(given: &str) -> Result<Self, LagsError> {
        let number = |text: &str| {
            let found = text.trim();
            found.parse::<usize>().map_err(|_| LagsError::NotANumber { found: found.to_owned() })
        };
        let Some((first, last)) = given.split_once("..") else {
            return Self::new(given.split(',').map(number).collect::<Result<_, _>>()?);
        };
        let (first, last) = (number(first)?, number(last)?);
        match last.checked_sub(first) {
            None => Err(LagsError::Backwards { found: given.to_owned() }),
            Some(more) if more >= MOST => Err(LagsError::Count { found: more.saturating_add(1) }),
            Some(_) => Self::new((first..=last).collect()),
        }
    }
}

impl fmt::Display for Lags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_are_lists_or_ranges() {
        let lags = |given: &str| given.parse::<Lags>();
        assert_eq!(lags(" 4, 0 ,2").unwrap().to_string(), "0,2,4");
        assert_eq!(lags("3..3").unwrap().steps(), [3]);
        assert_eq!(lags("1,-1"), Err(LagsError::NotANumber { found: "-1".to_owned() }));
        assert_eq!(lags(""), Err(LagsError::NotANumber { found: String::new() }));
        assert_eq!(lags("4..1"), Err(LagsError::Backwards { found: "4..1".to_owned() }));
        assert_eq!(lags("2,1,2"), Err(LagsError::Repeated { lag: 2 }));
        assert_eq!(lags("0..1000"), Err(LagsError::Count { found: 1001 }));
        assert_eq!(lags("0..18446744073709551615"), Err(LagsError::Count { found: usize::MAX }));
        assert_eq!(Lags::new(Vec::new()), Err(LagsError::Count { found: 0 }));
    }
}
