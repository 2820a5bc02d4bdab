//! A set of modalities, its name and its place among the others.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A set of modalities that is not empty, written as the numbers of its members: `13` is modality 1 and modality 3.
///
/// Names count the modalities from 1, as `x1` does, and places in arrays from 0. Smaller subsets come before larger
/// ones, and those of one size in the order of their names: 1, 2, 3, 12, 13, 23, 123.
///
/// ```
/// use lsmi_core::Subset;
///
/// let subset: Subset = "13".parse()?;
/// assert_eq!(subset.members().collect::<Vec<_>>(), [0, 2]);
/// assert_eq!(subset, Subset::from_members([0, 2])?);
/// assert_eq!(subset.to_string(), "13");
/// assert!("31".parse::<Subset>().is_err() && "".parse::<Subset>().is_err());
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subset {
    /// Bit k stands for modality k + 1; not 0.
    bits: u8,
}

impl Subset {
    /// The largest number of modalities.
    pub const MOST_MODALITIES: usize = 8;

    /// Returns the subset whose bit k stands for modality k + 1; None if no bit is set.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits != 0).then_some(Self { bits })
    }

    /// Returns the subset of the modalities at these places, counted from 0; a place may come twice.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there is no place, or one that is not below [`Self::MOST_MODALITIES`].
    pub fn from_members(members: impl IntoIterator<Item = usize>) -> Result<Self> {
        let mut bits = 0;
        for member in members {
            if member >= Self::MOST_MODALITIES {
                return Err(Error::parameter("members", "places from 0 to 7", &member));
            }
            bits |= 1 << member;
        }
        Self::from_bits(bits).ok_or_else(|| Error::parameter("members", "places from 0 to 7, at least one", "empty"))
    }

    /// Returns the subset of all of `modalities` modalities.
    ///
    /// # Panics
    ///
    /// If `modalities` is 0 or above [`Self::MOST_MODALITIES`].
    pub fn whole(modalities: usize) -> Self {
        assert!((1..=Self::MOST_MODALITIES).contains(&modalities), "{modalities} modalities; there are 1 to 8");
        Self { bits: u8::MAX >> (Self::MOST_MODALITIES - modalities) }
    }

    /// Iterates over all subsets of `modalities` modalities: single ones, then pairs, and so on to all of them.
    ///
    /// The fixed order in which terms are stored and columns are written.
    ///
    /// ```
    /// use lsmi_core::Subset;
    ///
    /// let names: Vec<String> = Subset::all(3).map(|subset| subset.to_string()).collect();
    /// assert_eq!(names, ["1", "2", "3", "12", "13", "23", "123"]);
    /// ```
    ///
    /// # Panics
    ///
    /// If `modalities` is 0 or above [`Self::MOST_MODALITIES`].
    pub fn all(modalities: usize) -> impl ExactSizeIterator<Item = Self> + Clone {
        let mut subsets: Vec<Self> = (1..=Self::whole(modalities).bits).map(|bits| Self { bits }).collect();
        subsets.sort_unstable();
        subsets.into_iter()
    }

    /// Returns the bits: bit k stands for modality k + 1.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// Iterates over the places of its modalities, counted from 0, in ascending order.
    pub fn members(self) -> impl Iterator<Item = usize> + Clone {
        (0..Self::MOST_MODALITIES).filter(move |member| self.bits >> member & 1 == 1)
    }

    /// Returns the number of its modalities.
    #[expect(clippy::len_without_is_empty, reason = "a subset is never empty")]
    pub fn len(self) -> usize {
        self.bits.count_ones() as usize
    }

    /// Returns whether every modality of `other` is one of its own.
    pub fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// Returns the modalities of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// Returns whether all its modalities are among the first `modalities`.
    pub(crate) fn is_of(self, modalities: usize) -> bool {
        Self::whole(modalities).contains(self)
    }
}

impl Ord for Subset {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of two names of one length, the one whose first different digit is lower has the lowest bit in which they
        // differ.
        self.len().cmp(&other.len()).then_with(|| other.bits.reverse_bits().cmp(&self.bits.reverse_bits()))
    }
}

impl PartialOrd for Subset {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Subset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.members().map(|member| (member + 1).to_string()).collect::<String>())
    }
}

impl FromStr for Subset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || Error::UnknownName {
            kind: "set of modalities",
            found: name.to_owned(),
            expected: "1, 2, 12, 123 and the like: ascending digits from 1 to 8".to_owned(),
        };
        let mut bits = 0_u8;
        for digit in name.bytes() {
            let bit = if (b'1'..=b'8').contains(&digit) { 1_u8 << (digit - b'1') } else { 0 };
            // A digit that ascends is above every bit before it.
            if bit <= bits {
                return Err(unknown());
            }
            bits |= bit;
        }
        Self::from_bits(bits).ok_or_else(unknown)
    }
}

impl TryFrom<String> for Subset {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl From<Subset> for String {
    fn from(subset: Subset) -> Self {
        subset.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn subsets_are_ordered_by_size_and_name() {
        for modalities in 1..=8 {
            let subsets: Vec<Subset> = Subset::all(modalities).collect();
            assert_eq!(subsets.len(), (1 << modalities) - 1);
            assert_eq!(subsets.last(), Some(&Subset::whole(modalities)));
            let names: Vec<String> = subsets.iter().map(ToString::to_string).collect();
            assert!(names.windows(2).all(|two| (two[0].len(), &two[0]) < (two[1].len(), &two[1])), "{names:?}");
        }
        let pairs: Vec<String> = Subset::all(4).filter(|s| s.len() == 2).map(|s| s.to_string()).collect();
        assert_eq!(pairs, ["12", "13", "14", "23", "24", "34"]);
    }

    #[test]
    fn every_subset_is_read_as_it_is_written() {
        for subset in Subset::all(8) {
            assert_eq!(subset.to_string().parse::<Subset>().unwrap(), subset);
            assert_eq!(Subset::from_members(subset.members()).unwrap(), subset);
        }
        let map = BTreeMap::from([(Subset::whole(2), 0.5)]);
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(json, r#"{"12":0.5}"#);
        assert_eq!(serde_json::from_str::<BTreeMap<Subset, f64>>(&json).unwrap(), map);
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "0", "9", "21", "11", "1 2", "x1", "12a"] {
            let error = name.parse::<Subset>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{name}` is no set of modalities; use one of 1, 2, 12")), "{error}");
        }
        assert!(Subset::from_members([]).is_err() && Subset::from_members([8]).is_err());
    }
}
