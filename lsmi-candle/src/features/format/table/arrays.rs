//! Which columns of a table make an array.
//!
//! Columns of one feature each are numbered, from 0 or from 1 on without a gap: `x1_0`, `x1_1`, ... or `x1.0`, `x1.1`,
//! ... or `x1[0]`, `x1[1]`, ... are the columns of the matrix `x1`, in the order of their numbers, wherever they stand.

use std::collections::BTreeMap;

use arrow_schema::DataType;

use super::ColumnType;

/// The columns of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    /// The array is the column with this place.
    One(usize),
    /// The columns with these places are the matrix's.
    Numbered(Vec<usize>),
    /// Numbered columns that make no matrix, and why.
    Broken(String),
}

impl Columns {
    /// Returns the number of columns of the matrix, if the columns themselves tell it.
    pub(super) fn width(&self) -> Option<usize> {
        match self {
            Self::Numbered(columns) => Some(columns.len()),
            Self::One(_) | Self::Broken(_) => None,
        }
    }
}

/// Finds all arrays of a table, by name. Columns that make a matrix are no arrays of their own.
pub(super) fn arrays_of(columns: &[ColumnType]) -> BTreeMap<String, Columns> {
    let mut arrays = BTreeMap::new();
    let mut numbered: BTreeMap<&str, Vec<(u32, usize)>> = BTreeMap::new();
    for (place, column) in columns.iter().enumerate() {
        arrays.insert(column.name.clone(), Columns::One(place));
        if let Some((array, number)) = array_and_number(&column.name)
            && !is_list(&column.data_type)
        {
            numbered.entry(array).or_default().push((number, place));
        }
    }
    for (array, mut members) in numbered {
        members.sort_unstable();
        let first = members[0].0;
        // A single column with a number is more likely called so.
        let is_matrix = first == 0 || (first == 1 && members.len() > 1);
        if !is_matrix || arrays.contains_key(array) {
            continue;
        }
        for (_, place) in &members {
            arrays.remove(&columns[*place].name);
        }
        arrays.insert(array.to_owned(), matrix(array, columns, &members));
    }
    arrays
}

/// Makes a matrix of columns in the order of their numbers, which must have no gaps.
fn matrix(array: &str, columns: &[ColumnType], members: &[(u32, usize)]) -> Columns {
    let name = |place: usize| &columns[place].name;
    for pair in members.windows(2) {
        let [(number, place), (next, next_place)] = [pair[0], pair[1]];
        if next == number {
            let (one, other) = (name(place), name(next_place));
            return Columns::Broken(format!(
                "the columns `{one}` and `{other}` are both number {number} of `{array}`; rename one of them"
            ));
        }
        if next != number + 1 {
            let (one, other) = (name(place), name(next_place));
            return Columns::Broken(format!(
                "between the columns `{one}` and `{other}` of `{array}` there is no number {}; number them without gaps",
                number + 1
            ));
        }
    }
    Columns::Numbered(members.iter().map(|(_, place)| *place).collect())
}

/// Parses `x1_12`, `x1_012`, `x1.12` or `x1[12]` as `x1` and 12.
pub(in crate::features::format) fn array_and_number(column: &str) -> Option<(&str, u32)> {
    let (rest, closing) = match column.strip_suffix(']') {
        Some(rest) => (rest, true),
        None => (column, false),
    };
    let array = rest.trim_end_matches(|character: char| character.is_ascii_digit());
    let digits = &rest[array.len()..];
    // Padded with zeros, too: `x1_007`.
    let is_number = (1..10).contains(&digits.len());
    let array = if closing { array.strip_suffix('[') } else { array.strip_suffix(['_', '.']) };
    array.filter(|array| is_number && !array.is_empty()).zip(digits.parse().ok())
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrays(names: &str) -> BTreeMap<String, Columns> {
        let column = |name: &str| ColumnType { name: name.to_owned(), data_type: DataType::Float64 };
        arrays_of(&names.split_whitespace().map(column).collect::<Vec<_>>())
    }

    fn names(all: &str) -> Vec<String> {
        arrays(all).into_keys().collect()
    }

    #[test]
    fn numbers_end_names() {
        for (column, expected) in [
            ("x1_0", Some(("x1", 0))),
            ("x1.12", Some(("x1", 12))),
            ("x1[3]", Some(("x1", 3))),
            ("x1_train_7", Some(("x1_train", 7))),
            ("x1", None),
            ("x1_", None),
            ("_0", None),
            ("x1_00", Some(("x1", 0))),
            ("x1_07", Some(("x1", 7))),
            ("x1_9999999999", None),
            ("x1_3]", None),
            ("3", None),
            ("é_1", Some(("é", 1))),
        ] {
            assert_eq!(array_and_number(column), expected, "{column}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_numbers() {
        let found = arrays("x1_10 x1_1 y x1_0 x1_2 x1_3 x1_4 x1_5 x1_6 x1_7 x1_8 x1_9 x2.1 x2.2");
        assert_eq!(found["x1"], Columns::Numbered(vec![3, 1, 4, 5, 6, 7, 8, 9, 10, 11, 0]));
        assert_eq!(found["x2"], Columns::Numbered(vec![12, 13]));
        assert_eq!(found.len(), 3);
        assert_eq!(arrays("x1_01 x1_00 x1_02")["x1"], Columns::Numbered(vec![1, 0, 2]));
    }

    #[test]
    fn what_is_not_numbered_stays_alone() {
        assert_eq!(names("frame_1 x1_0 text_7 text_8"), ["frame_1", "text_7", "text_8", "x1"]);
        // The column itself is the array.
        assert_eq!(names("x1 x1_0 x1_1"), ["x1", "x1_0", "x1_1"]);
    }

    #[test]
    fn gaps_and_repeats_are_told() {
        let reason = |all| match &arrays(all)["x1"] {
            Columns::Broken(reason) => reason.clone(),
            other => panic!("{other:?}"),
        };
        assert!(
            reason("x1_0 x1_1 x1_3").contains("between the columns `x1_1` and `x1_3` of `x1` there is no number 2")
        );
        assert!(reason("x1_0 x1.0").contains("both number 0"));
        assert!(reason("x1_00 x1_01 x1_1").contains("both number 1"));
    }
}
