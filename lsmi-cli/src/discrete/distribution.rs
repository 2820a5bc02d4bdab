//! What a file of a joint distribution holds, and why one cannot be used.

use lsmi_candle::features::TextTableError;
use lsmi_core::discrete::{Counts, Error, Joint};
use thiserror::Error as ThisError;

/// What a file holds of `SOURCES` sources and a target.
#[derive(Debug)]
pub(crate) enum Given<const SOURCES: usize> {
    /// Probabilities.
    Probabilities(Joint<SOURCES>),
    /// Counts, or samples that were counted.
    Counts(Counts<SOURCES>),
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Distribution {
    /// Of two sources.
    Two(Given<2>),
    /// Of three sources.
    Three(Given<3>),
    /// Of four sources.
    Four(Given<4>),
}

/// Why a file holds no joint distribution.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub(crate) enum ReadError {
    /// There is no such file.
    #[error("no such file; give probabilities or counts (.json) or samples (.csv)")]
    NotFound,
    /// The file cannot be read.
    #[error("cannot be read")]
    Read(#[source] std::io::Error),
    /// The file has another extension.
    #[error(
        "`{found}` is not the extension of a joint distribution; give probabilities or counts (.json) or samples (.csv)"
    )]
    Extension { found: String },
    /// The JSON is not what is expected.
    #[error("not a joint distribution in JSON; expected an object with `pmf` or `counts`, see `lsmi discrete --help`")]
    Json(#[source] serde_json::Error),
    /// An outcome has too few or too many states.
    #[error(
        "the outcome ({outcome}) has {found} states; give those of x1, x2 and y, with x3 and x4 before y if there are more sources"
    )]
    States { outcome: String, found: usize },
    /// Two outcomes have different numbers of states.
    #[error(
        "the outcome ({outcome}) has {found} states, but those before have {expected}; give every outcome equally many"
    )]
    Uneven { outcome: String, found: usize, expected: usize },
    /// The CSV has no column of that name.
    #[error(
        "no column `{column}`; name the columns x1, x2 and y in the first line, and x3 and x4 if there are more sources; \
         columns there: {found}"
    )]
    MissingColumn { column: &'static str, found: String },
    /// The CSV has a column twice.
    #[error("there are two columns `{column}`; rename or remove one of them")]
    RepeatedColumn { column: &'static str },
    /// The first line of the CSV does not name columns.
    #[error(transparent)]
    Header(TextTableError),
    /// A row is not CSV.
    #[error("row {row} is not a row of csv; the file may be damaged or cut short, so write it again")]
    Row { row: usize, source: ::csv::Error },
    /// A state is not text.
    #[error("`{column}` is not UTF-8 at row {row}; give its state a name in UTF-8, or remove the row")]
    State { row: usize, column: &'static str },
    /// A state is missing.
    #[error(
        "`{column}` is {} at row {row}; give its state a name, as in `missing`, or leave such rows out with --missing drop{}",
        missing_as(found),
        or_a_state(found)
    )]
    Missing { row: usize, column: &'static str, found: String },
    /// A state of an outcome is missing.
    #[error(
        "a state of the outcome ({outcome}) is {}; give it a name, as in `missing`{}",
        missing_as(found),
        or_a_state(found)
    )]
    MissingOfOutcome { outcome: String, found: String },
    /// The states of an outcome may be separated.
    #[error(
        "{separator:?} seems to separate states, as in {outcome:?}, but is one itself in every outcome; leave it out, as in \
         {:?}, or give a list of lists, as in [{}]", without(outcome, *separator), listed(outcome, *separator)
    )]
    Separator { outcome: String, separator: char },
    /// What is there is no distribution.
    #[error(transparent)]
    Distribution(#[from] Error),
}

/// How a state is missing.
fn missing_as(found: &str) -> String {
    if found.is_empty() { "empty".to_owned() } else { format!("missing (`{found}`)") }
}

/// How to take a name for what it is.
fn or_a_state(found: &str) -> String {
    if found.is_empty() {
        String::new()
    } else {
        format!("; if a state is really called `{found}`, take it with --missing keep")
    }
}

fn without(outcome: &str, separator: char) -> String {
    outcome.replace(separator, "")
}

fn listed(outcome: &str, separator: char) -> String {
    let states: Vec<String> = outcome.split(separator).map(|state| format!("{state:?}")).collect();
    format!("[{}, 0.5]", states.join(", "))
}

/// A joint distribution, and what a user should know of how it was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) distribution: Distribution,
    pub(crate) notes: Vec<String>,
}

/// What went wrong when a file was opened or read.
pub(super) fn not_read(source: std::io::Error) -> ReadError {
    match source.kind() {
        std::io::ErrorKind::NotFound => ReadError::NotFound,
        _ => ReadError::Read(source),
    }
}
