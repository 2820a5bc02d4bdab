//! Labels as a file has them: blanks around them trimmed, missing ones told from others.

pub(crate) mod alike;
pub(crate) mod classes;
pub(crate) mod matrix;
pub(crate) mod missing;
pub(crate) mod rare;

use std::collections::{BTreeMap, BTreeSet};

use self::alike::{names_alike, quoted};
use self::classes::Label;
use self::missing::Missing;
use super::array::{Array, Kind, Number, Values};

/// Names that a note lists.
const LISTED: usize = 3;

/// The greatest number up to which every integer is a double.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The labels of some rows.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// The label of every row; `None` if it is missing.
    pub(crate) all: Vec<Option<Label>>,
    /// The text in the first row without a label.
    found: Option<String>,
    /// By label, how it was written.
    spellings: BTreeMap<String, BTreeSet<String>>,
    /// Whether some of the numbers are not whole.
    pub(crate) has_fractions: bool,
    /// Whether they are floating-point numbers.
    pub(crate) are_floats: bool,
}

impl Labels {
    /// Appends the labels of this number of rows.
    pub(crate) fn extend(&mut self, array: Array<'_>, rows: usize, missing: Missing) {
        let (values, gaps) = match array.values {
            Values::WithGaps(values, gaps) => (*values, gaps),
            values => (values, Vec::new()),
        };
        for row in 0..rows {
            match &values {
                _ if gaps.binary_search(&row).is_ok() => self.push_missing(""),
                Values::Numbers(numbers) => self.push_number(numbers.at(&[row])),
                Values::Strings(texts) => self.push_text(&texts[row], missing),
                Values::WithGaps(..) | Values::Other(_) | Values::Incomplete(_) => {}
            }
        }
        self.are_floats |= matches!(values.kind(), Kind::Numbers(element) if element.is_float());
    }

    fn push_missing(&mut self, found: &str) {
        self.found.get_or_insert_with(|| found.to_owned());
        self.all.push(None);
    }

    fn push_number(&mut self, number: Number) {
        match number {
            Number::Integer(value) => self.all.push(Some(Label::Integer(value))),
            Number::Float(value) if value.is_nan() => self.push_missing(""),
            Number::Float(value) => {
                self.has_fractions |= value.fract() != 0.0 || value.abs() > LARGEST_WHOLE;
                #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 2^53, or refused")]
                self.all.push(Some(Label::Integer(value as i128)));
            }
        }
    }

    fn push_text(&mut self, text: &str, missing: Missing) {
        let trimmed = text.trim();
        // Where text can be empty, an empty one may be a name.
        if missing != Missing::Keep && missing.is_missing(trimmed) {
            return self.push_missing(trimmed);
        }
        match self.spellings.get_mut(trimmed) {
            Some(written) if written.contains(text) => {}
            Some(written) => drop(written.insert(text.to_owned())),
            None => drop(self.spellings.insert(trimmed.to_owned(), BTreeSet::from([text.to_owned()]))),
        }
        self.all.push(Some(Label::Text(trimmed.to_owned())));
    }

    /// Makes integers of texts that all are integers, where others were missing: that is what they were before the missing
    /// ones were written as text.
    pub(crate) fn settle(&mut self) {
        if self.all.iter().all(Option::is_some) {
            return;
        }
        let integer = |label: &Label| match label {
            Label::Integer(value) => Some(Label::Integer(*value)),
            Label::Text(text) => text
                .parse::<i64>()
                .ok()
                .filter(|value| value.to_string() == *text)
                .map(|value| Label::Integer(value.into())),
        };
        let integers: Option<Vec<Option<Label>>> = self
            .all
            .iter()
            .map(|label| match label {
                Some(label) => integer(label).map(Some),
                None => Some(None),
            })
            .collect();
        if let Some(integers) = integers {
            self.all = integers;
        }
    }

    /// Returns the first row without a label, and the text there.
    pub(crate) fn first_missing(&self) -> Option<(usize, &str)> {
        let row = self.all.iter().position(Option::is_none)?;
        Some((row, self.found.as_deref().unwrap_or_default()))
    }

    /// Counts the rows without a label.
    pub(crate) fn missing(&self) -> usize {
        self.all.iter().filter(|label| label.is_none()).count()
    }

    /// Returns the rows that have a label, and their labels.
    pub(crate) fn present(&self) -> (Vec<usize>, Vec<Label>) {
        self.all.iter().enumerate().filter_map(|(row, label)| Some((row, label.clone()?))).unzip()
    }

    /// Writes notes on the labels in `array` for the user: rows left out, names that differ by blanks or by
    /// case alone, and -1 beside 0, 1, ...
    pub(crate) fn notes(&self, array: &str) -> Vec<String> {
        let mut notes = Vec::new();
        let missing = self.missing();
        if missing > 0 {
            let (all, row, were) =
                if missing == 1 { (self.all.len(), "row", "was") } else { (self.all.len(), "rows", "were") };
            notes.push(format!("{missing} {row} of {all} without a label in `{array}` {were} left out"));
        }
        let distinct: BTreeSet<&Label> = self.all.iter().flatten().collect();
        notes.extend(self.spelling_note(array));
        let names = distinct.iter().filter_map(|label| match label {
            Label::Text(text) => Some(text.as_str()),
            Label::Integer(_) => None,
        });
        notes.extend(case_note(&format!("classes in `{array}`"), names));
        notes.extend(negative_note(array, &distinct, &self.all));
        notes
    }

    /// Notes names that differed by blanks alone, and are one.
    fn spelling_note(&self, array: &str) -> Option<String> {
        let merged: Vec<String> = self
            .spellings
            .values()
            .filter(|written| written.len() > 1)
            .map(|written| quoted(written.iter()))
            .take(LISTED)
            .collect();
        (!merged.is_empty()).then(|| {
            format!("labels in `{array}` that differ only by blanks around them are one: {}", merged.join(", "))
        })
    }
}

/// Notes names that differ by case alone.
pub(crate) fn case_note<'n>(what: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let alike = names_alike(names)?;
    Some(format!("{what} differ only by upper and lower case: {alike}; if they are one, write them alike"))
}

/// Notes one negative number beside 0, 1, ...
fn negative_note(array: &str, distinct: &BTreeSet<&Label>, all: &[Option<Label>]) -> Option<String> {
    let numbers: Option<Vec<i128>> = distinct
        .iter()
        .map(|label| match label {
            Label::Integer(value) => Some(*value),
            Label::Text(_) => None,
        })
        .collect();
    let numbers = numbers?;
    let [negative @ ..=-1, rest @ ..] = numbers.as_slice() else { return None };
    let last = rest.len().checked_sub(1).filter(|last| *last > 0)?;
    let are_counted = rest.iter().zip(0..).all(|(value, place)| *value == place);
    let rows = all.iter().flatten().filter(|label| **label == Label::Integer(*negative)).count();
    are_counted.then(|| {
        let rows = if rows == 1 { "one row".to_owned() } else { format!("{rows} rows") };
        format!(
            "`{array}` is {negative} in {rows}, beside 0 to {last}: if that stands for a missing label, remove these rows; \
             it is taken for a class"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str], missing: Missing) -> Labels {
        let values = Values::Strings(list.iter().map(|text| (*text).to_owned()).collect());
        let mut labels = Labels::default();
        labels.extend(Array { shape: vec![list.len()], values }, list.len(), missing);
        labels.settle();
        labels
    }

    #[test]
    fn blanks_are_trimmed_and_told() {
        let labels = texts(&["joy", "joy ", " fear"], Missing::Refuse);
        assert_eq!(labels.present().1, ["joy", "joy", "fear"].map(|text| Label::Text(text.to_owned())));
        assert_eq!(
            labels.notes("y"),
            ["labels in `y` that differ only by blanks around them are one: `joy` and `joy `"]
        );
        assert!(texts(&["Joy", "joy"], Missing::Refuse).notes("y")[0].contains("`Joy` and `joy`"));
    }

    #[test]
    fn missing_labels_are_counted() {
        let labels = texts(&["2", "NA", "10", ""], Missing::Drop);
        assert_eq!((labels.first_missing(), labels.missing()), (Some((1, "NA")), 2));
        assert_eq!(labels.present(), (vec![0, 2], vec![Label::Integer(2), Label::Integer(10)]));
        assert!(labels.notes("y")[0].starts_with("2 rows of 4 without a label"));
        assert_eq!(texts(&["2", "NA"], Missing::Keep).missing(), 0);
        // Nothing was missing: names stay names.
        assert_eq!(texts(&["2"], Missing::Drop).present().1, [Label::Text("2".to_owned())]);
    }

    #[test]
    fn a_negative_number_beside_others_is_asked_about() {
        let note = |values: &[i128]| {
            let all: Vec<Option<Label>> = values.iter().map(|value| Some(Label::Integer(*value))).collect();
            negative_note("y", &all.iter().flatten().collect(), &all)
        };
        assert!(note(&[0, -1, 1, -1, 2]).unwrap().contains("is -1 in 2 rows, beside 0 to 2"));
        for fine in [&[-1, 1][..], &[0, 1, 2], &[-2, -1, 0], &[-1, 0, 2], &[-1, 0]] {
            assert_eq!(note(fine), None, "{fine:?}");
        }
    }
}
