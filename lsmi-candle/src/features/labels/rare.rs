//! Rare classes: those with fewer training rows than a fit needs, pooled to one class that says so.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::alike::quoted;
use super::classes::Classes;
use crate::features::error::FeatureError;
use crate::features::set::file::FeatureFile;

/// What the pool is called, unless a class has this name.
const NAME: &str = "(rare classes)";
/// Names of pooled classes that a note lists.
const LISTED: usize = 5;

/// The treatment of classes, or of labels where each row has several, that have fewer rows than a fit needs.
///
/// ```
/// use lsmi_candle::features::Rare;
///
/// assert_eq!("pool".parse(), Ok(Rare::Pool));
/// assert_eq!(Rare::default().to_string(), "refuse");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rare {
    /// The first of them is an error.
    #[default]
    Refuse,
    /// All of them become one, which is told.
    Pool,
    /// Every class stays, and all heads are distances from class means, which need a single row of a class.
    Prototypes,
}

/// A word that is none of the three.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is none of refuse, pool and prototypes")]
pub struct UnknownRare {
    /// The word.
    pub found: String,
}

impl FromStr for Rare {
    type Err = UnknownRare;

    fn from_str(text: &str) -> Result<Self, UnknownRare> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "pool" => Ok(Self::Pool),
            "prototypes" => Ok(Self::Prototypes),
            found => Err(UnknownRare { found: found.to_owned() }),
        }
    }
}

impl fmt::Display for Rare {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refuse => "refuse",
            Self::Pool => "pool",
            Self::Prototypes => "prototypes",
        })
    }
}

impl FeatureFile {
    /// Pools the classes with fewer than `least` rows in the split `train` to one, the last, in all splits. Files that are
    /// read with the classes of this one have their labels pooled alike. Rows that lack a modality do not count.
    ///
    /// The file is returned as it is if no class is rare; otherwise a note says how many were, and in how many rows.
    ///
    /// ```
    /// use lsmi_candle::features::{Format, Keys, read_bytes};
    ///
    /// let table = b"x1_0,x2_0,y\n1,2,a\n3,4,a\n5,6,owl\n7,8,b\n9,0,b\n1,3,emu\n";
    /// let file = read_bytes("t.csv", table, Format::Csv, &Keys::default())?.with_rare_pooled(2)?;
    /// assert_eq!(file.classes.names(), ["a", "b", "(rare classes)"]);
    /// assert_eq!(file.classes.pooled(), ["emu", "owl"]);
    /// assert_eq!(file.splits[0].features.labels, [0, 0, 2, 1, 1, 2]);
    /// # Ok::<(), lsmi_candle::features::FeatureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FeatureError::MissingTrainingSplit`] if there is no split `train`, [`FeatureError::RarePool`] if the rare classes
    /// together have fewer than `least` rows or no other class is left, [`FeatureError::RareWithLogits`] if the samples
    /// come with logits, whose columns are classes.
    pub fn with_rare_pooled(mut self, least: usize) -> Result<Self, FeatureError> {
        let file = self.path.display().to_string();
        let Some(train) = self.split("train") else {
            let found: Vec<&str> = self.splits.iter().map(|split| split.name.as_str()).collect();
            return Err(FeatureError::MissingTrainingSplit { file, found: found.join(", ") });
        };
        let mut counts = vec![0usize; self.classes.len()];
        for label in &train.labels {
            counts[*label as usize] += 1;
        }
        let is_rare: Vec<bool> = counts.iter().map(|count| *count < least).collect();
        let classes = is_rare.iter().filter(|is_rare| **is_rare).count();
        if classes == 0 {
            return Ok(self);
        }
        if self.splits.iter().any(|split| split.features.logits.iter().any(Option::is_some)) {
            return Err(FeatureError::RareWithLogits { file, classes, least });
        }
        let rows = counts.iter().zip(&is_rare).filter(|(_, is_rare)| **is_rare).map(|(count, _)| count).sum();
        let others = counts.len() - classes;
        if rows < least || others == 0 {
            return Err(FeatureError::RarePool { file, classes, rows, least, others });
        }
        let (pooled, places) = self.classes.with_pooled(&is_rare);
        let complete = self.splits.iter_mut().flat_map(|split| &mut split.features.labels);
        let partial = self.partial.iter_mut().flat_map(|split| &mut split.features.only);
        for label in complete.chain(partial.flat_map(|only| &mut only.labels)) {
            *label = places[*label as usize];
        }
        self.notes.push(note(&pooled, classes, rows, least));
        self.classes = pooled;
        Ok(self)
    }
}

/// Tells what was pooled.
fn note(classes: &Classes, count: usize, rows: usize, least: usize) -> String {
    let pool = classes.names().last().map_or("", String::as_str);
    let names = quoted(classes.pooled().iter().take(LISTED));
    let more = match count.saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} others"),
    };
    let (are, have) = if count == 1 { ("class with", "is the class") } else { ("classes with", "are one class,") };
    format!("{count} {are} fewer than {least} training rows, {rows} in all, {have} `{pool}`: {names}{more}")
}

/// Returns a name for the pool that is none of those taken.
pub(super) fn name_of_pool<'n>(taken: impl Iterator<Item = &'n String>) -> String {
    let taken: BTreeSet<&String> = taken.collect();
    let mut name = NAME.to_owned();
    for number in 2.. {
        if !taken.contains(&name) {
            break;
        }
        name = format!("(rare classes {number})");
    }
    name
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::features::{Format, Keys, read_bytes};

    fn file(labels: &str) -> FeatureFile {
        let mut table = String::from("x1_0,x2_0,y\n");
        for (row, label) in labels.split(' ').enumerate() {
            writeln!(table, "{row},{},{label}", row * row).unwrap();
        }
        read_bytes("t.csv", table.as_bytes(), Format::Csv, &Keys::default()).unwrap()
    }

    #[test]
    fn nothing_changes_where_no_class_is_rare() {
        let before = file("a a b b");
        assert_eq!(before.clone().with_rare_pooled(2).unwrap(), before);
    }

    #[test]
    fn the_pool_is_the_last_class_and_told() {
        let pooled = file("c a a emu a c owl yak c").with_rare_pooled(2).unwrap();
        assert_eq!(pooled.classes.names(), ["a", "c", "(rare classes)"]);
        assert_eq!(pooled.splits[0].features.labels, [1, 0, 0, 2, 0, 1, 2, 2, 1]);
        assert_eq!(
            pooled.notes.last().unwrap(),
            "3 classes with fewer than 2 training rows, 3 in all, are one class, `(rare classes)`: `emu` and `owl` and `yak`"
        );
    }

    #[test]
    fn a_pool_has_a_name_of_its_own() {
        let taken = ["(rare classes)".to_owned(), "(rare classes 2)".to_owned()];
        assert_eq!(name_of_pool(taken.iter()), "(rare classes 3)");
    }

    #[test]
    fn labels_of_other_files_are_pooled_alike() {
        let classes = file("a a emu b b owl").with_rare_pooled(2).unwrap().classes;
        let texts = ["owl", "a", "emu"].map(|text| super::super::classes::Label::Text(text.to_owned()));
        assert_eq!(classes.encode(&texts, None), Ok(vec![2, 0, 2]));
        let json = serde_json::to_string(&classes).unwrap();
        assert_eq!(serde_json::from_str::<Classes>(&json).unwrap(), classes);
    }

    #[test]
    fn pools_that_are_rare_themselves_are_refused() {
        let refused = |labels: &str, least| file(labels).with_rare_pooled(least).unwrap_err();
        assert!(matches!(refused("a a b b owl", 2), FeatureError::RarePool { classes: 1, rows: 1, least: 2, .. }));
        assert!(matches!(refused("a a b b", 3), FeatureError::RarePool { classes: 2, rows: 4, others: 0, .. }));
    }
}
