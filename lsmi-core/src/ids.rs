//! The identities of samples.
//!
//! Every value of a sample is keyed by the id of the sample, so that values from different passes over the data are
//! never joined by position. Ids are kept compactly: row numbers take no memory, numbers eight bytes each, and names
//! lie end to end in one string. A clone shares them.
//!
//! ```
//! use lsmi_core::SampleIds;
//!
//! let ids = SampleIds::from_names(["owl", "cat"])?;
//! assert_eq!(ids.get(1), "cat");
//! assert_eq!(ids.index().position("owl"), Some(0));
//! # Ok::<(), lsmi_core::Error>(())
//! ```

use std::{borrow::Cow, collections::HashMap, fmt, hash::Hash, str::FromStr, sync::Arc};

use crate::error::{Error, Result};

/// The ids of samples, in the order of the rows.
///
/// Two sets of ids are equal if they read the same, row by row, however they are kept: the row number 3, the number 3
/// and the name `3` are one id.
///
/// ```
/// use lsmi_core::SampleIds;
///
/// let ids = SampleIds::from_names(["cat", "dog", "owl"])?;
/// assert_eq!(ids.get(1), "dog");
/// assert_eq!(ids.select(&[2, 0]).iter().collect::<Vec<_>>(), ["owl", "cat"]);
/// assert_eq!(SampleIds::rows(2), SampleIds::from_numbers(vec![0, 1])?);
///
/// let error = SampleIds::from_names(["cat", "dog", "cat"]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "rows 0 and 2 have the same id `cat`; give every sample an id of its own"
/// );
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SampleIds(Kind);

#[derive(Clone)]
enum Kind {
    /// 0, 1, ... up to one below the count.
    Rows(usize),
    Numbers(Arc<Vec<i64>>),
    Names(Arc<Names>),
}

/// Names, end to end.
#[derive(PartialEq, Default)]
struct Names {
    text: String,
    /// The end of each name in `text`.
    ends: Vec<usize>,
}

impl Names {
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|row| self.get(row))
    }
}

impl Default for SampleIds {
    /// Returns no ids.
    fn default() -> Self {
        Self::rows(0)
    }
}

impl SampleIds {
    /// Returns the row numbers 0, 1, ..., `n` - 1.
    pub fn rows(n: usize) -> Self {
        Self(Kind::Rows(n))
    }

    /// Creates ids from numbers.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if a number occurs twice.
    pub fn from_numbers(numbers: Vec<i64>) -> Result<Self> {
        let ids = Self(Kind::Numbers(Arc::new(numbers)));
        ids.check_unique()?;
        Ok(ids)
    }

    /// Names as ids.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if a name occurs twice.
    pub fn from_names<I>(names: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut kept = Names::default();
        for name in names {
            kept.push(name.as_ref());
        }
        let ids = Self(Kind::Names(Arc::new(kept)));
        ids.check_unique()?;
        Ok(ids)
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Rows(n) => *n,
            Kind::Numbers(numbers) => numbers.len(),
            Kind::Names(names) => names.ends.len(),
        }
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether the ids are the row numbers themselves, as of samples that came without ids; other ids may be equal to
    /// these.
    pub fn are_row_numbers(&self) -> bool {
        matches!(self.0, Kind::Rows(_))
    }

    /// Returns the id of a row, as text.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn get(&self, row: usize) -> Cow<'_, str> {
        match &self.0 {
            Kind::Rows(n) => {
                assert!(row < *n, "row {row} of {n} ids");
                Cow::Owned(row.to_string())
            }
            Kind::Numbers(numbers) => Cow::Owned(numbers[row].to_string()),
            Kind::Names(names) => Cow::Borrowed(names.get(row)),
        }
    }

    /// Returns the ids as text, in the order of the rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Returns the ids of the given rows, in the order given. Every sample keeps its id; a row given twice has its id
    /// twice.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self(match &self.0 {
            Kind::Rows(n) => Kind::Numbers(Arc::new(
                rows.iter()
                    .map(|&row| {
                        assert!(row < *n, "row {row} of {n} ids");
                        row.cast_signed() as i64
                    })
                    .collect(),
            )),
            Kind::Numbers(numbers) => Kind::Numbers(Arc::new(rows.iter().map(|&row| numbers[row]).collect())),
            Kind::Names(names) => {
                let mut kept = Names::default();
                for &row in rows {
                    kept.push(names.get(row));
                }
                Kind::Names(Arc::new(kept))
            }
        })
    }

    /// Returns an index of the rows by their ids.
    ///
    /// Of an id that occurs twice, which only [`SampleIds::select`] with a repeated row can bring about, the index
    /// knows the first row; [`SampleIds::check_unique`] tells.
    pub fn index(&self) -> IdIndex<'_> {
        self.index_and_duplicate().0
    }

    /// Checks that no id occurs twice.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] names the first id that does, and its rows.
    pub fn check_unique(&self) -> Result<()> {
        // Ids in ascending order, the usual case, need no memory to check.
        let ascending = match &self.0 {
            Kind::Rows(_) => true,
            Kind::Numbers(numbers) => numbers.is_sorted_by(|a, b| a < b),
            Kind::Names(names) => names.iter().is_sorted_by(|a, b| a < b),
        };
        if ascending { Ok(()) } else { self.unique_index().map(drop) }
    }

    /// Returns the index, or the error of [`SampleIds::check_unique`].
    pub(crate) fn unique_index(&self) -> Result<IdIndex<'_>> {
        let (index, duplicate) = self.index_and_duplicate();
        match duplicate {
            None => Ok(index),
            Some((first, second)) => Err(Error::DuplicateId { id: self.get(first).into_owned(), first, second }),
        }
    }

    fn index_and_duplicate(&self) -> (IdIndex<'_>, Option<(usize, usize)>) {
        match &self.0 {
            Kind::Rows(n) => (IdIndex(Positions::Rows(*n)), None),
            Kind::Numbers(numbers) => {
                let (positions, duplicate) = positions(numbers.iter().copied());
                (IdIndex(Positions::Numbers(positions)), duplicate)
            }
            Kind::Names(names) => {
                let (positions, duplicate) = positions(names.iter());
                (IdIndex(Positions::Names(positions)), duplicate)
            }
        }
    }
}

/// Returns the first row of every key, and the rows of the first key that occurs twice.
fn positions<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> (HashMap<K, usize>, Option<(usize, usize)>) {
    let mut positions = HashMap::with_capacity(keys.size_hint().0);
    let mut duplicate = None;
    for (row, key) in keys.enumerate() {
        let first = *positions.entry(key).or_insert(row);
        if first != row && duplicate.is_none() {
            duplicate = Some((first, row));
        }
    }
    (positions, duplicate)
}

impl PartialEq for SampleIds {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Rows(a), Kind::Rows(b)) => a == b,
            (Kind::Numbers(a), Kind::Numbers(b)) => a == b,
            (Kind::Names(a), Kind::Names(b)) => a == b,
            (Kind::Rows(n), Kind::Numbers(numbers)) | (Kind::Numbers(numbers), Kind::Rows(n)) => {
                numbers.len() == *n && (0_i64..).zip(numbers.iter()).all(|(row, &number)| row == number)
            }
            _ => self.len() == other.len() && self.iter().eq(other.iter()),
        }
    }
}

impl Eq for SampleIds {}

impl fmt::Debug for SampleIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Rows(n) => write!(formatter, "SampleIds(0..{n})"),
            _ => formatter.debug_list().entries(self.iter()).finish(),
        }
    }
}

/// An index of the rows by their ids; made by [`SampleIds::index`].
#[derive(Debug)]
pub struct IdIndex<'a>(Positions<'a>);

#[derive(Debug)]
enum Positions<'a> {
    Rows(usize),
    Numbers(HashMap<i64, usize>),
    Names(HashMap<&'a str, usize>),
}

impl IdIndex<'_> {
    /// Returns the row of an id, if there is such an id.
    ///
    /// ```
    /// use lsmi_core::SampleIds;
    ///
    /// let ids = SampleIds::from_numbers(vec![12, -3])?;
    /// assert_eq!(ids.index().position("-3"), Some(1));
    /// assert_eq!(ids.index().position("012"), None);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn position(&self, id: &str) -> Option<usize> {
        match &self.0 {
            Positions::Rows(n) => number::<usize>(id).filter(|row| row < n),
            Positions::Numbers(positions) => positions.get(&number(id)?).copied(),
            Positions::Names(positions) => positions.get(id).copied(),
        }
    }
}

/// Returns the number that reads exactly as `id`: `+7` and `007` are other ids than `7`.
fn number<T: FromStr + ToString>(id: &str) -> Option<T> {
    id.parse().ok().filter(|number: &T| number.to_string() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> SampleIds {
        SampleIds::from_names(names).unwrap()
    }

    #[test]
    fn a_selection_keeps_its_ids() {
        let expected = ["4", "1"];
        assert!(SampleIds::rows(5).select(&[4, 1]).iter().eq(expected));
        assert!(SampleIds::from_numbers(vec![1, 4]).unwrap().select(&[1, 0]).iter().eq(expected));
        assert!(names(&["1", "4"]).select(&[1, 0]).iter().eq(expected));
        assert!(SampleIds::rows(5).select(&[4, 1, 0]).select(&[0, 1]).iter().eq(expected));
    }

    #[test]
    fn ids_are_equal_if_they_read_the_same() {
        let numbers = |numbers: &[i64]| SampleIds::from_numbers(numbers.to_vec()).unwrap();
        assert_eq!(SampleIds::rows(2), numbers(&[0, 1]));
        assert_eq!(numbers(&[0, 1]), names(&["0", "1"]));
        assert_eq!(names(&["0", "1"]), SampleIds::rows(2));
        assert_ne!(SampleIds::rows(2), numbers(&[1, 0]));
        assert_ne!(SampleIds::rows(2), numbers(&[0, 1, 2]));
        assert_ne!(SampleIds::rows(2), SampleIds::rows(3));
        // The same text in one string, cut elsewhere.
        assert_ne!(names(&["ab", "c"]), names(&["a", "bc"]));
    }

    #[test]
    fn duplicates_are_named_with_both_rows() {
        let expected = |id: &str| Error::DuplicateId { id: id.to_owned(), first: 1, second: 3 };
        assert_eq!(SampleIds::from_names(["b", "a", "c", "a"]).unwrap_err(), expected("a"));
        assert_eq!(SampleIds::from_numbers(vec![3, -7, 2, -7]).unwrap_err(), expected("-7"));
        assert_eq!(SampleIds::rows(5).select(&[0, 2, 1, 2]).check_unique().unwrap_err(), expected("2"));
        // Adjacent duplicates must not pass for ascending order.
        assert!(SampleIds::from_numbers(vec![1, 1]).is_err());
        assert!(SampleIds::from_names(["a", "a"]).is_err());
    }

    #[test]
    fn every_id_is_found_where_it_is() {
        for ids in [
            SampleIds::rows(4),
            SampleIds::from_numbers(vec![9, -2, 0, i64::MIN]).unwrap(),
            names(&["x", "", "007", "7"]),
        ] {
            let index = ids.index();
            for (row, id) in ids.iter().enumerate() {
                assert_eq!(index.position(&id), Some(row));
            }
            assert_eq!(index.position("absent"), None);
        }
        let index = SampleIds::rows(4);
        assert_eq!(index.index().position("4"), None);
        assert_eq!(index.index().position("+1"), None);
        assert_eq!(index.index().position("-1"), None);
    }

    #[test]
    fn no_samples() {
        for ids in [SampleIds::rows(0), SampleIds::from_numbers(vec![]).unwrap(), names(&[])] {
            assert!(ids.is_empty());
            assert_eq!(ids.iter().len(), 0);
            assert_eq!(ids, SampleIds::rows(0));
        }
    }
}
