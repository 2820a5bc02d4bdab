//! Classes: the distinct labels of the training data, in order, and the indices of labels among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::rare::name_of_pool;

/// A label as the file has it. Integers are ordered by value, before strings, which are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    Integer(i128),
    Text(String),
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// The classes seen in training, in the order of their indices.
///
/// A class has a name, for people, and the label that stands for it in data. The two differ only where a file names
/// its integer labels. Integer labels are in numeric order, strings in byte order.
///
/// ```
/// use lsmi_candle::features::Classes;
///
/// let classes = Classes::new(vec!["cat".to_owned(), "dog".to_owned()])?;
/// assert_eq!(classes.position("dog"), Some(1));
/// assert_eq!(classes.position("cow"), None);
/// # Ok::<(), lsmi_candle::features::ClassesError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Classes {
    names: Vec<String>,
    labels: Vec<String>,
    /// The classes that are one, the last, as they had too few rows.
    #[serde(skip_serializing_if = "Pooled::is_empty")]
    pooled: Pooled,
}

/// Classes that are one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pooled {
    names: Vec<String>,
    labels: Vec<String>,
}

impl Pooled {
    fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Why names and labels make no list of classes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassesError {
    /// A name or a label stands for two classes.
    #[error("`{name}` stands for class {first} and for class {second}; classes need different names")]
    Repeated {
        /// The name or label.
        name: String,
        /// The first class with it.
        first: usize,
        /// The next class with it.
        second: usize,
    },
    /// There is not one label for every name.
    #[error("{names} names for {labels} labels; give one name for every label")]
    WrongCount {
        /// How many names there are.
        names: usize,
        /// How many labels there are.
        labels: usize,
    },
}

#[derive(Deserialize)]
struct Unchecked {
    names: Vec<String>,
    labels: Vec<String>,
    #[serde(default)]
    pooled: Pooled,
}

impl TryFrom<Unchecked> for Classes {
    type Error = ClassesError;

    fn try_from(unchecked: Unchecked) -> Result<Self, ClassesError> {
        let Unchecked { names, labels, pooled } = unchecked;
        let all = |own: &[String], pooled: &[String]| own.iter().chain(pooled).cloned().collect::<Vec<_>>();
        Self::with_labels(all(&names, &pooled.names), all(&labels, &pooled.labels))?;
        Ok(Self { pooled, ..Self::with_labels(names, labels)? })
    }
}

impl Classes {
    /// Creates classes whose labels are their names.
    ///
    /// # Errors
    /// [`ClassesError::Repeated`] if a name appears twice.
    pub fn new(names: Vec<String>) -> Result<Self, ClassesError> {
        Self::with_labels(names.clone(), names)
    }

    /// Creates classes with a name for every label.
    ///
    /// # Errors
    /// [`ClassesError`] if a name or a label appears twice, or their numbers differ.
    pub fn with_labels(names: Vec<String>, labels: Vec<String>) -> Result<Self, ClassesError> {
        if names.len() != labels.len() {
            return Err(ClassesError::WrongCount { names: names.len(), labels: labels.len() });
        }
        for list in [&names, &labels] {
            if let Some((first, second)) = first_repeat(list) {
                return Err(ClassesError::Repeated { name: list[first].clone(), first, second });
            }
        }
        Ok(Self { names, labels, pooled: Pooled::default() })
    }

    /// Creates an empty list, before labels have been seen.
    pub(crate) fn none() -> Self {
        Self { names: Vec::new(), labels: Vec::new(), pooled: Pooled::default() }
    }

    /// Finds the classes of training labels; `names` has the name of label 0, 1, ... and is used if it covers them all.
    pub(crate) fn of_training(labels: &[Label], names: Option<&[String]>) -> Self {
        let distinct: BTreeSet<&Label> = labels.iter().collect();
        let texts: Vec<String> = distinct.iter().map(ToString::to_string).collect();
        let named: Option<Vec<String>> =
            distinct.iter().map(|label| given_name(label, names).map(str::to_owned)).collect();
        Self { names: named.unwrap_or_else(|| texts.clone()), labels: texts, pooled: Pooled::default() }
    }

    /// Finds the class index of every label, or the first row whose label is of no class.
    ///
    /// `names` are the names that the labels' own file gives them. Where both files name their classes, names decide,
    /// for the files may count differently; otherwise the label itself.
    pub(crate) fn encode(&self, labels: &[Label], names: Option<&[String]>) -> Result<Vec<u32>, usize> {
        let by_name = self.index_of(&self.names, &self.pooled.names);
        let by_label = self.index_of(&self.labels, &self.pooled.labels);
        let is_named = self.names != self.labels || self.pooled.names != self.pooled.labels;
        let find = |label: &Label| match given_name(label, names) {
            Some(name) if is_named => by_name.get(name).copied(),
            _ => {
                let text = label.to_string();
                let found = by_label.get(text.as_str());
                found.or_else(|| by_name.get(text.as_str())).copied()
            }
        };
        let distinct: BTreeSet<&Label> = labels.iter().collect();
        let codes: BTreeMap<&Label, u32> =
            distinct.into_iter().filter_map(|label| Some((label, find(label)?))).collect();
        let rows = labels.iter().enumerate();
        rows.map(|(row, label)| codes.get(label).copied().ok_or(row)).collect()
    }

    /// Returns whether a file that gives these names to the labels 0, 1, ... has these classes, in this order, beside others
    /// perhaps.
    ///
    /// Where the classes have no names, names that are all unknown say nothing against them.
    pub(crate) fn agree_with(&self, names: &[String]) -> bool {
        let by_name = self.index_of(&self.names, &[]);
        let mut known = names.iter().filter(|name| by_name.contains_key(name.as_str())).peekable();
        (known.peek().is_none() && self.names == self.labels) || known.eq(&self.names)
    }

    /// Returns the names, in the order of the class indices.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the labels that stand for the classes in data, in the same order; integers in decimal.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether there is no class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the names of the classes that are one, the last, as they had too few rows; empty if none were pooled.
    pub fn pooled(&self) -> &[String] {
        &self.pooled.names
    }

    /// Pools some of the classes to one, which comes last. Also returns the place that each class has then.
    pub(super) fn with_pooled(&self, is_rare: &[bool]) -> (Self, Vec<u32>) {
        let name = name_of_pool(self.names.iter().chain(&self.labels));
        let of = |list: &[String], rare: bool| -> Vec<String> {
            list.iter().zip(is_rare).filter(|(_, is_rare)| **is_rare == rare).map(|(name, _)| name.clone()).collect()
        };
        let (mut names, mut labels) = (of(&self.names, false), of(&self.labels, false));
        let mut kept = 0u32..;
        let pool = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let place = |is_rare: &bool| if *is_rare { pool } else { kept.next().unwrap_or(pool) };
        let places = is_rare.iter().map(place).collect();
        names.push(name.clone());
        labels.push(name);
        let pooled = Pooled { names: of(&self.names, true), labels: of(&self.labels, true) };
        (Self { names, labels, pooled }, places)
    }

    /// Returns the place of each name, and the last for each of those that were pooled.
    fn index_of<'n>(&self, names: &'n [String], pooled: &'n [String]) -> BTreeMap<&'n str, u32> {
        let last = u32::try_from(self.names.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let own = names.iter().map(String::as_str).zip(0_u32..);
        own.chain(pooled.iter().map(|name| (name.as_str(), last))).collect()
    }

    /// Returns the index of the class with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Returns the name that a list gives to a label that is a place in it.
fn given_name<'n>(label: &Label, names: Option<&'n [String]>) -> Option<&'n str> {
    match label {
        Label::Integer(value) => Some(names?.get(usize::try_from(*value).ok()?)?.as_str()),
        Label::Text(_) => None,
    }
}

/// Finds the first two places with equal values; of several such pairs, the one complete first.
pub(crate) fn first_repeat<T: Ord>(values: &[T]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&index| (&values[index], index));
    order
        .windows(2)
        .filter(|pair| values[pair[0]] == values[pair[1]])
        .map(|pair| (pair[0], pair[1]))
        .min_by_key(|&(_, second)| second)
}

#[cfg(test)]
mod tests {
    use super::{Classes, ClassesError, Label, first_repeat};

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn integers(list: &[i128]) -> Vec<Label> {
        list.iter().copied().map(Label::Integer).collect()
    }

    fn texts(list: &[&str]) -> Vec<Label> {
        strings(list).into_iter().map(Label::Text).collect()
    }

    #[test]
    fn integers_are_ordered_by_value_and_strings_by_bytes() {
        let classes = Classes::of_training(&integers(&[10, -3, 9, 10]), None);
        assert_eq!(classes.names(), ["-3", "9", "10"]);
        assert_eq!(classes.encode(&integers(&[10, -3, 9, 10]), None), Ok(vec![2, 0, 1, 2]));
        let classes = Classes::of_training(&texts(&["b", "a", "10", "9", "Z"]), None);
        assert_eq!(classes.names(), ["10", "9", "Z", "a", "b"]);
    }

    #[test]
    fn only_classes_that_occur_are_kept() {
        let names = strings(&["a", "b", "c", "d"]);
        let classes = Classes::of_training(&integers(&[3, 1, 3]), Some(&names));
        assert_eq!(classes.names(), ["b", "d"]);
        assert_eq!(classes.labels(), ["1", "3"]);
        assert_eq!(classes.encode(&integers(&[3, 1]), Some(&names)), Ok(vec![1, 0]));
        assert_eq!(classes.encode(&integers(&[1, 2]), Some(&names)), Err(1));
    }

    #[test]
    fn names_that_do_not_cover_the_labels_are_not_used() {
        let names = strings(&["a", "b"]);
        let classes = Classes::of_training(&integers(&[0, 2]), Some(&names));
        assert_eq!(classes.names(), ["0", "2"]);
        assert_eq!(classes.encode(&integers(&[2, 0]), Some(&names)), Ok(vec![1, 0]));
        assert_eq!(Classes::of_training(&integers(&[-1, 0]), Some(&names)).names(), ["-1", "0"]);
    }

    #[test]
    fn names_decide_between_files_that_count_differently() {
        let classes = Classes::of_training(&integers(&[0, 1]), Some(&strings(&["cat", "dog"])));
        let other = strings(&["cow", "dog", "cat"]);
        assert_eq!(classes.encode(&integers(&[1, 2]), Some(&other)), Ok(vec![1, 0]));
        // The label 0 is a cow there, whatever it was in training.
        assert_eq!(classes.encode(&integers(&[0]), Some(&other)), Err(0));
    }

    #[test]
    fn labels_decide_where_a_file_names_nothing() {
        let named = Classes::of_training(&integers(&[0, 1]), Some(&strings(&["cat", "dog"])));
        assert_eq!(named.encode(&integers(&[1]), None), Ok(vec![1]));
        assert_eq!(named.encode(&texts(&["dog", "cat"]), None), Ok(vec![1, 0]));
        let unnamed = Classes::of_training(&integers(&[5, 7]), None);
        assert_eq!(unnamed.encode(&texts(&["7"]), None), Ok(vec![1]));
    }

    #[test]
    fn names_of_a_file_agree_in_the_order_of_the_classes() {
        let named = Classes::of_training(&integers(&[1, 3]), Some(&strings(&["ant", "bee", "cow", "dog"])));
        for (names, agree) in [
            (strings(&["bee", "dog"]), true),
            (strings(&["ant", "bee", "cow", "dog", "eel"]), true),
            (strings(&["dog", "bee"]), false),
            (strings(&["bee", "cow"]), false),
            (strings(&["Biene", "Hund"]), false),
        ] {
            assert_eq!(named.agree_with(&names), agree, "{names:?}");
        }
        let unnamed = Classes::of_training(&integers(&[0, 1]), None);
        assert!(unnamed.agree_with(&strings(&["cat", "dog"])));
        let texts = Classes::of_training(&texts(&["cat", "dog"]), None);
        assert!(!texts.agree_with(&strings(&["dog", "cat"])));
    }

    #[test]
    fn repeated_names_are_refused() {
        assert_eq!(
            Classes::new(strings(&["a", "b", "a"])),
            Err(ClassesError::Repeated { name: "a".to_owned(), first: 0, second: 2 })
        );
        assert!(Classes::with_labels(strings(&["a"]), strings(&["0", "1"])).is_err());
    }

    #[test]
    fn classes_survive_json_and_are_checked_on_the_way() {
        let classes = Classes::with_labels(strings(&["cat", "dog"]), strings(&["0", "4"])).unwrap();
        let json = serde_json::to_string(&classes).unwrap();
        assert_eq!(serde_json::from_str::<Classes>(&json).unwrap(), classes);
        let repeated = r#"{"names":["a","a"],"labels":["0","1"]}"#;
        assert!(serde_json::from_str::<Classes>(repeated).is_err());
    }

    #[test]
    fn the_repeat_complete_first_is_found() {
        assert_eq!(first_repeat(&[3, 1, 2, 1, 3]), Some((1, 3)));
        assert_eq!(first_repeat(&[1, 2, 3]), None);
        assert_eq!(first_repeat(&[7, 7, 7]), Some((0, 1)));
    }
}
