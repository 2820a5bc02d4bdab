//! How an analysis was made: the facts at the end of every page.

use serde::Serialize;

use crate::output::made::Made;
use crate::report::number::{As, Number, Numbers};
use lsmi_candle::analysis::names::Names;
use lsmi_candle::analysis::summary::Dimensions;
use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_core::Measure;

/// A fact of how the analysis was made.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    term: &'static str,
    text: String,
    number: Option<Number>,
}

/// What every summary says of its fit besides numbers at fixed places; none of what it does not say.
#[derive(Debug)]
pub(super) struct Fit<'a> {
    pub(super) version: &'a str,
    pub(super) data_hash: Option<&'a str>,
    /// Columns of the features, and dimensions of the gauge, in words.
    pub(super) columns: String,
    pub(super) gauge: String,
    pub(super) measure: Measure,
    pub(super) prior: Option<String>,
    pub(super) units: &'a str,
}

/// Columns and gauge of two modalities in words.
pub(super) fn of_two(names: &Names, dims: Dimensions, gauge: GaugeKind) -> (String, String) {
    let columns = format!("{} of {}, {} of {}", dims.x1, names.x1, dims.x2, names.x2);
    (columns, format!("{gauge}, in {} and {} dimensions", dims.gauge.x1, dims.gauge.x2))
}

impl Fact {
    /// What is known of a run and its fit.
    pub(super) fn all(made: Option<&Made>, numbers: &Numbers<'_>, fit: Fit<'_>) -> Vec<Self> {
        let number = |term, path: &str| Self::number(term, numbers.at(&[path], As::Count));
        let mut facts = Self::of_run(made);
        facts.push(Self::text("Version of lsmi", fit.version));
        facts.push(number("Seed", "seed"));
        facts.extend(fit.data_hash.map(|hash| Self::text("SHA-256 of the training rows", hash)));
        facts.push(number("Training rows", "n"));
        facts.push(Self::text("Columns", &fit.columns));
        facts.push(Self::text("Gauge", &fit.gauge));
        facts.push(Self::text("Measure of redundancy", &fit.measure.to_string()));
        facts.extend(fit.prior.map(|prior| Self::text("Class prior", &prior)));
        facts.push(number("Folds of the cross-fitting", "folds"));
        facts.push(number("Fits averaged", "repeats"));
        facts.push(Self::text("Units", fit.units));
        facts
    }

    /// A fact in words.
    fn text(term: &'static str, text: &str) -> Self {
        Self { term, text: text.to_owned(), number: None }
    }

    /// A number of the summary.
    fn number(term: &'static str, number: Number) -> Self {
        Self { term, text: String::new(), number: Some(number) }
    }

    /// What is known of the run.
    fn of_run(made: Option<&Made>) -> Vec<Self> {
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
