//! Names that differ by upper and lower case alone.

use std::collections::{BTreeMap, BTreeSet};

/// Pairs and groups that a note lists.
const LISTED: usize = 3;

/// Finds names that differ by upper and lower case alone, quoted, as in "`Joy` and `joy`". Returns `None` if none do.
///
/// ```
/// use lsmi_candle::features::names_alike;
///
/// assert_eq!(names_alike(["joy", "fear", "Joy"]).as_deref(), Some("`Joy` and `joy`"));
/// assert_eq!(names_alike(["joy", "fear", "joy"]), None);
/// ```
pub fn names_alike<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let mut by_lower: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        by_lower.entry(name.to_lowercase()).or_default().insert(name);
    }
    let alike: Vec<String> =
        by_lower.values().filter(|names| names.len() > 1).map(|names| quoted(names.iter())).take(LISTED).collect();
    (!alike.is_empty()).then(|| alike.join(", "))
}

/// Joins names, as in "`Joy` and `joy`".
pub(crate) fn quoted<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}
