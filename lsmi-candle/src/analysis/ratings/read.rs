//! Reads what people say of samples or of classes from csv or jsonl.
//!
//! Every row has an `id` (or else a `class`) and some of the scores `redundancy`, `uniqueness`, `uniqueness1`, `uniqueness2`
//! and `synergy`, each of which may also be called `r`, `u`, `u1`, `u2`, `s`. An empty score, or null, is one that was not
//! given; other columns are passed over. Several rows of one id are of several raters, and are averaged.

use std::collections::HashMap;
use std::path::Path;

use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::samples::Format;
use crate::samples::read::{SamplesError, read_rows};

/// Why ratings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RatingsError {
    /// The file cannot be read as a table.
    #[error(transparent)]
    Table(#[from] SamplesError),
    /// There is no such file.
    #[error("{file}: no such file; give a table of ratings, .csv or .jsonl")]
    NotFound {
        /// The file.
        file: String,
    },
    /// Not a format of ratings.
    #[error("{file}: ratings are read from csv and jsonl; name the file accordingly, or write it as one of them")]
    WrongFormat {
        /// The file.
        file: String,
    },
    /// There is nothing in it.
    #[error("{file}: there are no ratings; give a row a sample and rater")]
    Empty {
        /// The file.
        file: String,
    },
    /// A row does not say what it is about.
    #[error("{file}: row {row} has no `{column}`; give every row the `{column}` that it is about")]
    NoName {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The column.
        column: &'static str,
    },
    /// No row says what it is about.
    #[error("{file}: there is neither a column `id` nor a column `class`; name what the rows are about")]
    NoNames {
        /// The file.
        file: String,
    },
    /// No row has a score.
    #[error(
        "{file}: there are no scores; name their columns redundancy, uniqueness, uniqueness1, uniqueness2, synergy"
    )]
    NoScores {
        /// The file.
        file: String,
    },
    /// A score is there under both of its names.
    #[error("{file}: row {row} has both `{column}` and `{other}`; leave one of them out")]
    Twice {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The column.
        column: &'static str,
        /// The other column.
        other: &'static str,
    },
    /// A score is no number.
    #[error("{file}: `{column}` is `{found}` at row {row}, but must be a finite number, or empty; mend the row")]
    Value {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The column.
        column: &'static str,
        /// What was found.
        found: String,
    },
    /// Nothing that was rated is in the data.
    #[error(
        "{file}: none of the {rated} rated {of} is in the data, `{first}` for one; give the {of} as the data has them, \
         as in `{known}`"
    )]
    NoneKnown {
        /// The file.
        file: String,
        /// How many were rated.
        rated: usize,
        /// What was rated.
        of: Rated,
        /// The first.
        first: String,
        /// One that the data has.
        known: String,
    },
}

/// What people score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// How much both modalities tell alike.
    Redundancy,
    /// How much one of them tells alone, whichever.
    Uniqueness,
    /// How much the first tells alone.
    Uniqueness1,
    /// How much the second tells alone.
    Uniqueness2,
    /// How much shows only when both are seen.
    Synergy,
}

impl Score {
    /// All scores.
    pub const ALL: [Self; 5] =
        [Self::Redundancy, Self::Uniqueness, Self::Uniqueness1, Self::Uniqueness2, Self::Synergy];

    /// The names of its column.
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Redundancy => ["redundancy", "r"],
            Self::Uniqueness => ["uniqueness", "u"],
            Self::Uniqueness1 => ["uniqueness1", "u1"],
            Self::Uniqueness2 => ["uniqueness2", "u2"],
            Self::Synergy => ["synergy", "s"],
        }
    }
}

/// What the rows are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rated {
    /// Samples, by their ids.
    Samples,
    /// Classes, by their names.
    Classes,
}

impl Rated {
    fn column(self) -> &'static str {
        match self {
            Self::Samples => "id",
            Self::Classes => "class",
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Classes => "classes",
        }
    }
}

impl std::fmt::Display for Rated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Scores of samples or classes, averaged over raters.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    /// What was rated.
    pub of: Rated,
    /// How many rows there are.
    pub rows: usize,
    /// The ids or classes, in the order in which they first come.
    pub names: Vec<String>,
    /// For each of [`Score::ALL`], the mean score of each of `names`, if it has one.
    pub scores: [Vec<Option<f64>>; 5],
}

/// A row as it stands in the file.
struct Row {
    id: Option<String>,
    class: Option<String>,
    /// What stands under each of the names of each score.
    scores: [[Option<String>; 2]; 5],
}

/// Reads ratings.
///
/// # Errors
/// [`RatingsError`] if the file cannot be read, or holds no ratings.
pub fn read_ratings(path: &Path) -> Result<Ratings, RatingsError> {
    let file = path.display().to_string();
    if !path.exists() {
        return Err(RatingsError::NotFound { file });
    }
    if !matches!(Format::of_path(path), Ok(Format::Csv | Format::Jsonl)) {
        return Err(RatingsError::WrongFormat { file });
    }
    let mut rows = Vec::new();
    read_rows(path, &mut |_, field| {
        let given = |name| field(name).filter(|text| !text.is_empty() && text != "null");
        let scores = Score::ALL.map(|score| score.names().map(given));
        rows.push(Row { id: given("id"), class: given("class"), scores });
        Ok(())
    })?;
    averaged(file, &rows)
}

/// Averages the rows of each id or class.
fn averaged(file: String, rows: &[Row]) -> Result<Ratings, RatingsError> {
    if rows.is_empty() {
        return Err(RatingsError::Empty { file });
    }
    let of = match rows {
        _ if rows.iter().any(|row| row.id.is_some()) => Rated::Samples,
        _ if rows.iter().any(|row| row.class.is_some()) => Rated::Classes,
        _ => return Err(RatingsError::NoNames { file }),
    };
    let mut names: Vec<String> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut given: [Vec<Vec<f64>>; 5] = Default::default();
    for (number, row) in rows.iter().enumerate() {
        let name = match of {
            Rated::Samples => row.id.as_deref(),
            Rated::Classes => row.class.as_deref(),
        };
        let Some(name) = name else { return Err(RatingsError::NoName { file, row: number, column: of.column() }) };
        let place = *places.entry(name).or_insert(names.len());
        if place == names.len() {
            names.push(name.to_owned());
            for of_score in &mut given {
                of_score.push(Vec::new());
            }
        }
        for (score, of_score) in Score::ALL.into_iter().zip(&mut given) {
            of_score[place].extend(row.score(score, number, &file)?);
        }
    }
    if given.iter().flatten().all(Vec::is_empty) {
        return Err(RatingsError::NoScores { file });
    }
    let scores = given.map(|of_score| of_score.iter().map(|all| (!all.is_empty()).then(|| mean(all))).collect());
    Ok(Ratings { of, rows: rows.len(), names, scores })
}

impl Row {
    fn score(&self, score: Score, row: usize, file: &str) -> Result<Option<f64>, RatingsError> {
        let file = || file.to_owned();
        let [column, other] = score.names();
        let (column, text) = match &self.scores[score as usize] {
            [Some(_), Some(_)] => return Err(RatingsError::Twice { file: file(), row, column, other }),
            [Some(text), None] => (column, text),
            [None, Some(text)] => (other, text),
            [None, None] => return Ok(None),
        };
        match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(RatingsError::Value { file: file(), row, column, found: text.clone() }),
        }
    }
}

impl Ratings {
    /// The ids or classes that `is_known` does not know, in their order.
    ///
    /// # Errors
    /// [`RatingsError::NoneKnown`] if it knows none; `known` is one that it would.
    pub fn unknown(
        &self,
        path: &Path,
        is_known: impl Fn(&str) -> bool,
        known: String,
    ) -> Result<Vec<String>, RatingsError> {
        let unknown: Vec<String> = self.names.iter().filter(|name| !is_known(name)).cloned().collect();
        if unknown.len() == self.names.len() {
            let (file, first) = (path.display().to_string(), unknown[0].clone());
            return Err(RatingsError::NoneKnown { file, rated: unknown.len(), of: self.of, first, known });
        }
        Ok(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(name: &str, content: &str) -> Result<Ratings, RatingsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        read_ratings(&path)
    }

    fn refusal(name: &str, content: &str) -> String {
        read(name, content).unwrap_err().to_string()
    }

    #[test]
    fn raters_are_averaged_and_missing_scores_are_none() {
        let csv = "rater,id,redundancy,u1,s\nann,b,1,,5\nann,a,2,3,\nben,b,4,,0\n";
        let jsonl = concat!(
            "{\"id\":\"b\",\"r\":1,\"synergy\":5}\n",
            "{\"id\":\"a\",\"r\":2,\"u1\":3,\"synergy\":null}\n",
            "{\"id\":\"b\",\"r\":4,\"synergy\":0}\n"
        );
        let expected = Ratings {
            of: Rated::Samples,
            rows: 3,
            names: vec!["b".to_owned(), "a".to_owned()],
            scores: [
                vec![Some(2.5), Some(2.0)],
                vec![None, None],
                vec![None, Some(3.0)],
                vec![None, None],
                vec![Some(2.5), None],
            ],
        };
        assert_eq!(read("ratings.csv", csv).unwrap(), expected);
        assert_eq!(read("ratings.jsonl", jsonl).unwrap(), expected);
    }

    #[test]
    fn classes_are_rated_where_there_are_no_ids() {
        let ratings = read("r.csv", "class,uniqueness\ncat,0.5\ndog,1\n").unwrap();
        assert_eq!((ratings.of, ratings.names.len()), (Rated::Classes, 2));
        assert_eq!(read("r.csv", "id,class,r\n1,cat,0.5\n").unwrap().of, Rated::Samples);
    }

    #[test]
    fn mistakes_are_named() {
        for (content, expected) in [
            ("id,r\n", "there are no ratings"),
            ("name,r\na,1\n", "neither a column `id` nor a column `class`"),
            ("id,r\na,1\n,2\n", "row 1 has no `id`"),
            ("id,rater\na,ann\n", "there are no scores"),
            ("id,r\na,1\nb,many\n", "`r` is `many` at row 1"),
            ("id,redundancy\na,inf\n", "`redundancy` is `inf` at row 0"),
            ("id,r,redundancy\na,1,2\n", "row 0 has both `redundancy` and `r`"),
            ("id,r\na,1,2\n", "row 0 is not a row of csv"),
        ] {
            let message = refusal("r.csv", content);
            assert!(message.contains(expected) && message.contains("r.csv"), "{content}: {message}");
        }
        assert!(refusal("r.parquet", "").contains("csv and jsonl"));
        assert!(read_ratings(Path::new("nowhere.csv")).unwrap_err().to_string().contains("no such file"));
    }

    #[test]
    fn unknown_names_are_told_unless_all_are() {
        let ratings = read("r.csv", "id,r\na,1\nb,2\n").unwrap();
        let unknown = |known: &str| ratings.unknown(Path::new("r.csv"), |name| name == known, "7".to_owned());
        assert_eq!(unknown("a").unwrap(), ["b"]);
        let message = unknown("7").unwrap_err().to_string();
        assert!(message.contains("none of the 2 rated samples") && message.contains("as in `7`"), "{message}");
    }
}
