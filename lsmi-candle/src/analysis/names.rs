//! What people call the two modalities: `picture,name` instead of x1 and x2.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The names of the two modalities in tables and sentences; columns of files keep `x1` and `x2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The first.
    pub x1: String,
    /// The second.
    pub x2: String,
}

/// Who tells what: the words of the sentence.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The two modalities.
    pub names: &'a Names,
    /// The label, as in `the label`.
    pub label: &'a str,
}

/// Names that cannot be told apart.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("`{found}` does not name two modalities: expected two different names, as in `picture,caption`")]
pub struct NamesError {
    found: String,
}

impl Default for Names {
    fn default() -> Self {
        Self { x1: "x1".to_owned(), x2: "x2".to_owned() }
    }
}

impl FromStr for Names {
    type Err = NamesError;

    fn from_str(text: &str) -> Result<Self, NamesError> {
        match text.split(',').map(str::trim).collect::<Vec<_>>().as_slice() {
            [x1, x2] if !x1.is_empty() && !x2.is_empty() && x1 != x2 => {
                Ok(Self { x1: (*x1).to_owned(), x2: (*x2).to_owned() })
            }
            _ => Err(NamesError { found: text.to_owned() }),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{}", self.x1, self.x2)
    }
}

/// Returns a name of at most 60 characters: the start of one that is longer.
pub fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    if name.chars().count() <= MOST { name.to_owned() } else { name.chars().take(MOST - 1).chain(['…']).collect() }
}

/// Formats a value in nats with three decimals, and no minus before nothing.
pub fn nats(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_names() {
        assert_eq!("picture, name".parse::<Names>().unwrap().to_string(), "picture,name");
        for wrong in ["", "a", "a,", "a,a", "a,b,c"] {
            assert!(wrong.parse::<Names>().is_err(), "{wrong}");
        }
    }
}
