//! The names of the arrays that are modalities, labels, ids and groups, as a user gives them.

pub(crate) mod splits;

use std::str::FromStr;

use thiserror::Error;

use super::labels::missing::Missing;
use super::sequences::Pooling;

/// The names of logits: of a model of x1, of x2 and of both. [`Keys`] do not rename them.
pub(crate) const LOGITS: [&str; 3] = ["logits1", "logits2", "logits12"];

/// The names of the lengths of sequences: of those of x1, of x2 and of both. [`Keys`] do not rename them either.
const LENGTHS: [&str; 3] = ["lengths1", "lengths2", "lengths"];

/// The names of the arrays that say which samples have x1, and which have x2. [`Keys`] do not rename them.
pub(crate) const PRESENT: [&str; 2] = ["present1", "present2"];

/// The treatment of rows that lack one of the two modalities.
///
/// A row lacks a modality where a table has no list, where all its values are NaN, or where the array `present1` (or
/// `present2`) has a 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingModality {
    /// The first of them is an error.
    #[default]
    Refuse,
    /// They are read as [`PartialRows`](super::PartialRows), apart from the complete rows.
    Keep,
}

/// The names of the arrays: `x1`, `x2`, `y` and, where there is one, `id`; and the treatment of rows without a label.
///
/// A split's arrays are named with its suffix, `x1_train` or `image_test`.
///
/// ```
/// use lsmi_candle::features::Keys;
///
/// let keys: Keys = "image,text,label".parse()?;
/// assert_eq!((keys.x1.as_str(), keys.label.as_str()), ("image", "label"));
/// assert!("image,text".parse::<Keys>().is_err());
/// # Ok::<(), lsmi_candle::features::KeysError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The first modality.
    pub x1: String,
    /// The second modality.
    pub x2: String,
    /// The label.
    pub label: String,
    /// The id: an array that must be there; `None` takes the array `id` if there is one.
    pub id: Option<String>,
    /// The treatment of rows whose label is missing.
    pub missing: Missing,
    /// Which samples belong together.
    pub groups: GroupKey,
    /// The pooling of modalities that are sequences, `[n, T, d]`; `None` refuses them.
    pub pool: Option<Pooling>,
    /// The treatment of rows that lack a modality.
    pub missing_modality: MissingModality,
}

/// The place that says which samples belong together.
///
/// ```
/// use lsmi_candle::features::GroupKey;
///
/// assert_eq!("speaker".parse(), Ok(GroupKey::Array("speaker".to_owned())));
/// assert_eq!("none".parse(), Ok(GroupKey::Apart));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GroupKey {
    /// Nowhere: samples that are equal or nearly so are found before folds are dealt.
    #[default]
    Unknown,
    /// In an array or column of this name, which must be there: samples of equal values belong together.
    Array(String),
    /// Every sample is by itself, whether or not it equals another.
    Apart,
}

impl FromStr for GroupKey {
    type Err = std::convert::Infallible;

    /// Reads the name of an array, or `none`.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Ok(if given == "none" { Self::Apart } else { Self::Array(given.to_owned()) })
    }
}

impl GroupKey {
    fn array(&self) -> Option<&str> {
        match self {
            Self::Array(name) => Some(name),
            Self::Unknown | Self::Apart => None,
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            x1: "x1".to_owned(),
            x2: "x2".to_owned(),
            label: "y".to_owned(),
            id: None,
            missing: Missing::default(),
            groups: GroupKey::Unknown,
            pool: None,
            missing_modality: MissingModality::default(),
        }
    }
}

/// Why a list of array names cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// There are not three or four names.
    #[error("`{given}` names {found} arrays; three or four are needed: X1,X2,LABEL or X1,X2,LABEL,ID")]
    WrongCount {
        /// The list as given.
        given: String,
        /// How many names are in it.
        found: usize,
    },
    /// A name is empty.
    #[error("name {position} of `{given}` is empty; write X1,X2,LABEL or X1,X2,LABEL,ID")]
    Empty {
        /// The list as given.
        given: String,
        /// Which name, counted from 1.
        position: usize,
    },
    /// A name appears twice.
    #[error("`{name}` is named twice in `{given}`; the modalities, the label and the id must be different arrays")]
    Repeated {
        /// The list as given.
        given: String,
        /// The name.
        name: String,
    },
}

impl FromStr for Keys {
    type Err = KeysError;

    fn from_str(given: &str) -> Result<Self, KeysError> {
        let names: Vec<&str> = given.split(',').map(str::trim).collect();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() && names.len() > 1 {
                return Err(KeysError::Empty { given: given.to_owned(), position: index + 1 });
            }
            if names[..index].contains(name) {
                return Err(KeysError::Repeated { given: given.to_owned(), name: (*name).to_owned() });
            }
        }
        let (&[x1, x2, label], id) = (match names.as_slice() {
            [first @ .., id] if first.len() == 3 => (first, Some((*id).to_owned())),
            all => (all, None),
        }) else {
            return Err(KeysError::WrongCount { given: given.to_owned(), found: names.len() });
        };
        Ok(Self {
            x1: x1.to_owned(),
            x2: x2.to_owned(),
            label: label.to_owned(),
            id,
            missing: Missing::default(),
            groups: GroupKey::Unknown,
            pool: None,
            missing_modality: MissingModality::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, KeysError};

    #[test]
    fn three_or_four_names() {
        let keys: Keys = " image, text ,label".parse().unwrap();
        assert_eq!(keys.x2, "text");
        assert_eq!(keys.id, None);
        let keys: Keys = "a,b,c,row".parse().unwrap();
        assert_eq!(keys.id.as_deref(), Some("row"));
        for (given, count) in [("", 1), ("a", 1), ("a,b", 2), ("a,b,c,d,e", 5)] {
            let error = given.parse::<Keys>().unwrap_err();
            assert_eq!(error, KeysError::WrongCount { given: given.to_owned(), found: count });
        }
    }

    #[test]
    fn empty_and_repeated_names_are_refused() {
        assert!(matches!("a,,c".parse::<Keys>(), Err(KeysError::Empty { position: 2, .. })));
        assert!(matches!(
            "a,b,a".parse::<Keys>(),
            Err(KeysError::Repeated { name, .. }) if name == "a"
        ));
    }
}
