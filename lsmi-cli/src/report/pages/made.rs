//! How an analysis was made: the facts at the end of every page.

use serde::Serialize;

use crate::output::made::Made;
use crate::report::number::Number;

/// A fact of how the analysis was made.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    term: &'static str,
    text: String,
    number: Option<Number>,
}

impl Fact {
    /// A fact in words.
    pub(super) fn text(term: &'static str, text: &str) -> Self {
        Self { term, text: text.to_owned(), number: None }
    }

    /// A number of the summary.
    pub(super) fn number(term: &'static str, number: Number) -> Self {
        Self { term, text: String::new(), number: Some(number) }
    }

    /// What is known of the run.
    pub(super) fn of_run(made: Option<&Made>) -> Vec<Self> {
        let Some(made) = made else { return Vec::new() };
        vec![
            Self::text("Command", &made.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
            Self::text("Begun", &made.begun),
            Self::text("Time taken", &format!("{:.1} s", made.seconds)),
        ]
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("--names=a,b"), "--names=a,b");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
