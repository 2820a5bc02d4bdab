//! Several labels of each row: a column a label, each 0, 1 or missing.

/// Several labels of rows, each of which a row has, has not, or is not known to have.
///
/// ```
/// use lsmi_candle::features::LabelMatrix;
///
/// let names = vec!["cat".to_owned(), "night".to_owned()];
/// let labels = LabelMatrix::new(names, vec![Some(true), None, Some(false), Some(true)]).unwrap();
/// assert_eq!(labels.rows(), 2);
/// assert_eq!(labels.known(1), (vec![1], vec![1]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMatrix {
    names: Vec<String>,
    /// `[rows, labels]`, row-major.
    values: Vec<Option<bool>>,
}

impl LabelMatrix {
    /// Creates the labels of rows from their names and values, `[rows, labels]`, row-major. Returns `None` if there are no
    /// names, or values for a part of a row.
    pub fn new(names: Vec<String>, values: Vec<Option<bool>>) -> Option<Self> {
        (!names.is_empty() && values.len().is_multiple_of(names.len())).then_some(Self { names, values })
    }

    /// Returns the names of the labels.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// Returns a label of every row; `None` where it is missing.
    ///
    /// # Panics
    /// If there is no such label.
    pub fn column(&self, label: usize) -> impl Iterator<Item = Option<bool>> + '_ {
        assert!(label < self.names.len(), "label {label} of {}", self.names.len());
        self.values.iter().skip(label).step_by(self.names.len()).copied()
    }

    /// Returns the rows of which a label is known, and what it is in each: 0 or 1.
    ///
    /// # Panics
    /// If there is no such label.
    pub fn known(&self, label: usize) -> (Vec<usize>, Vec<u32>) {
        self.column(label).enumerate().filter_map(|(row, value)| Some((row, u32::from(value?)))).unzip()
    }

    /// Counts the rows in which a label is 0 and 1.
    ///
    /// # Panics
    /// If there is no such label.
    pub fn counts(&self, label: usize) -> [usize; 2] {
        let count = |of: bool| self.column(label).filter(|value| *value == Some(of)).count();
        [count(false), count(true)]
    }

    /// Puts one label in the place of some: whether a row has any of them. It is missing in rows that are known to have
    /// none of them only in part. The new label comes last.
    #[must_use]
    pub fn with_any_of(&self, is_pooled: &[bool], name: String) -> Self {
        let keep = |pooled: bool| (0..self.names.len()).filter(move |label| is_pooled[*label] == pooled);
        let any = |row: &[Option<bool>]| {
            let mut values = keep(true).map(|label| row[label]);
            let is_known = keep(true).all(|label| row[label].is_some());
            if values.any(|value| value == Some(true)) { Some(true) } else { is_known.then_some(false) }
        };
        let of_row = |row: &[Option<bool>]| keep(false).map(|label| row[label]).chain([any(row)]).collect::<Vec<_>>();
        Self {
            names: keep(false).map(|label| self.names[label].clone()).chain([name]).collect(),
            values: self.values.chunks_exact(self.names.len()).flat_map(of_row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_whole_rows() {
        assert!(LabelMatrix::new(Vec::new(), Vec::new()).is_none());
        assert!(LabelMatrix::new(vec!["a".to_owned(), "b".to_owned()], vec![None; 3]).is_none());
    }

    #[test]
    fn any_of_several_is_missing_only_where_it_cannot_be_told() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let (yes, no) = (Some(true), Some(false));
        let values = [[no, yes, None], [yes, no, no], [no, no, None]].concat();
        let pooled = LabelMatrix::new(names, values).unwrap().with_any_of(&[false, true, true], "any".to_owned());
        assert_eq!(pooled.names(), ["a", "any"]);
        assert_eq!(pooled.column(0).collect::<Vec<_>>(), [no, yes, no]);
        assert_eq!(pooled.column(1).collect::<Vec<_>>(), [yes, no, None]);
        assert_eq!(pooled.counts(1), [1, 1]);
    }
}
