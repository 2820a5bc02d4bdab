//! Missing values, by one rule for labels, states and texts, and the treatment of rows that lack one.
//!
//! A value is missing where there is nothing, where a number is NaN, and where a text is one of [`MARKERS`], which other
//! programs write and read in the place of nothing. Blanks around a text do not count.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Texts that stand for a missing value: those that pandas reads so (`pandas.read_csv`, `na_values`), with what R, SQL
/// and other spellings of NaN write.
const MARKERS: [&str; 24] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null", "NAN", "Nan", "NaT", "Null", "\\N", "#n/a",
];

/// The treatment of rows in which a label, a state or a text is missing.
///
/// ```
/// use lsmi_candle::features::Missing;
///
/// assert!(Missing::Refuse.is_missing(" NaN ") && Missing::Drop.is_missing("None"));
/// // A class may really be called so; nothing at all is no name.
/// assert!(!Missing::Keep.is_missing("NaN") && Missing::Keep.is_missing("  "));
/// assert_eq!("drop".parse(), Ok(Missing::Drop));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// The first of them is an error.
    #[default]
    Refuse,
    /// They are left out, and counted.
    Drop,
    /// Texts that usually stand for a missing value are names like others, and so are labels of empty text in formats that tell
    /// it from nothing. Where there is nothing, it is an error.
    Keep,
}

/// A word that is none of the three.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is none of refuse, drop and keep")]
pub struct UnknownMissing {
    /// The word.
    pub found: String,
}

impl Missing {
    /// Returns whether a text is missing.
    pub fn is_missing(self, text: &str) -> bool {
        let text = text.trim();
        text.is_empty() || (self != Self::Keep && MARKERS.contains(&text))
    }
}

impl FromStr for Missing {
    type Err = UnknownMissing;

    fn from_str(text: &str) -> Result<Self, UnknownMissing> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "drop" => Ok(Self::Drop),
            "keep" => Ok(Self::Keep),
            found => Err(UnknownMissing { found: found.to_owned() }),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refuse => "refuse",
            Self::Drop => "drop",
            Self::Keep => "keep",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Missing;

    #[test]
    fn what_other_programs_write_for_nothing_is_missing() {
        for text in ["", " ", "NA", "N/A", "nan", "NaN", "null", "NULL", "None", "<NA>", "NaT", "#N/A", "\tNA\n", "\\N"]
        {
            assert!(Missing::Refuse.is_missing(text), "{text:?}");
        }
        for text in ["none", "na", "no", "0", "-", "nano", "NaNa", "not a number", "?", "nul"] {
            assert!(!Missing::Refuse.is_missing(text), "{text:?}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for missing in [Missing::Refuse, Missing::Drop, Missing::Keep] {
            assert_eq!(missing.to_string().parse(), Ok(missing));
        }
        assert!("skip".parse::<Missing>().is_err());
    }
}
