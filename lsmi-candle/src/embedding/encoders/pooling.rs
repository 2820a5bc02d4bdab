//! How one vector is made of hidden states, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{EncoderError, Result};

/// How one vector is made of the hidden states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The first position, the class token.
    Cls,
    /// The mean over the positions that are not padding (and, of pictures, not the class token).
    Mean,
    /// The greatest value of each coordinate over the positions that are not padding.
    Max,
    /// The sum over the positions that are not padding, divided by the square root of their number.
    MeanSqrt,
    /// The mean over the positions that are not padding, the n-th of weight n.
    WeightedMean,
    /// The last position that is not padding.
    Last,
    /// The model's own pooling layer.
    Pooler,
    /// The model's projection into a space shared with another modality.
    Projection,
}

impl Pooling {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cls,
        Self::Mean,
        Self::Max,
        Self::MeanSqrt,
        Self::WeightedMean,
        Self::Last,
        Self::Pooler,
        Self::Projection,
    ];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cls => "cls",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::MeanSqrt => "mean-sqrt",
            Self::WeightedMean => "weighted-mean",
            Self::Last => "last",
            Self::Pooler => "pooler",
            Self::Projection => "projection",
        }
    }
}

impl fmt::Display for Pooling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Pooling {
    type Err = EncoderError;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|pooling| pooling.name() == text);
        found.ok_or_else(|| EncoderError::UnknownPooling { found: text.to_owned() })
    }
}

/// One or several poolings, whose vectors are joined one after the other; written `cls+mean`.
///
/// ```
/// use lsmi_candle::embedding::encoders::{Pooling, Poolings};
///
/// let poolings: Poolings = "cls+mean".parse()?;
/// assert_eq!(poolings.iter().collect::<Vec<_>>(), [Pooling::Cls, Pooling::Mean]);
/// assert_eq!(poolings.to_string(), "cls+mean");
/// # Ok::<(), lsmi_candle::embedding::encoders::EncoderError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Poolings {
    first: Pooling,
    others: Vec<Pooling>,
}

impl Poolings {
    /// Joins poolings; None where there are none.
    pub fn joined(poolings: impl IntoIterator<Item = Pooling>) -> Option<Self> {
        let mut poolings = poolings.into_iter();
        Some(Self { first: poolings.next()?, others: poolings.collect() })
    }

    /// Iterates over the poolings in the order of their vectors.
    pub fn iter(&self) -> impl Iterator<Item = Pooling> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl From<Pooling> for Poolings {
    fn from(first: Pooling) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl fmt::Display for Poolings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.iter().map(Pooling::name).collect::<Vec<_>>().join("+"))
    }
}

impl FromStr for Poolings {
    type Err = EncoderError;

    fn from_str(text: &str) -> Result<Self> {
        let poolings = text.split('+').map(str::parse).collect::<Result<Vec<Pooling>>>()?;
        Self::joined(poolings).ok_or_else(|| EncoderError::UnknownPooling { found: text.to_owned() })
    }
}

impl TryFrom<String> for Poolings {
    type Error = EncoderError;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Poolings> for String {
    fn from(poolings: Poolings) -> Self {
        poolings.to_string()
    }
}
