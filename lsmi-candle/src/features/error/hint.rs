//! Hints: the settings that help against an error.

use super::FeatureError;
use crate::features::read::roles::SEQUENCES_NEED_POOLING;

impl FeatureError {
    /// Says which setting of the reading helps, if one does.
    ///
    /// ```
    /// use lsmi_candle::features::{Format, Keys, read_bytes};
    ///
    /// let table = b"x1_0,x2_0,y\n1,2,a\n3,4,NA\n";
    /// let error = read_bytes("t.csv", table, Format::Csv, &Keys::default()).unwrap_err();
    /// assert!(error.to_string().starts_with("t.csv: `y` is missing at row 1 (`NA`)"));
    /// assert!(error.hint().is_some_and(|hint| hint.contains("`Missing::Drop`")));
    /// ```
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::SingleArray { .. } => Some("read `ArrayFiles`, a file for every array".to_owned()),
            Self::MissingArray { can_be_named: true, .. } => Some("name the arrays in `Keys`".to_owned()),
            Self::TooLarge { .. } => Some("read some rows at a time with `RowReader`".to_owned()),
            Self::MissingLabel { found, .. } if found.is_empty() => {
                Some("`Missing::Drop` in `Keys` leaves such rows out".to_owned())
            }
            Self::MissingLabel { found, .. } => Some(format!(
                "`Missing::Drop` in `Keys` leaves such rows out; `Missing::Keep` takes `{found}` for the name of a class"
            )),
            Self::Shape { expected, .. } if *expected == SEQUENCES_NEED_POOLING => {
                Some("`pool` in `Keys` pools the steps of sequences".to_owned())
            }
            _ => None,
        }
    }
}
