//! `config.toml`: the options that a command went by, written beside its results so that the run can be repeated.
//!
//! It holds every option that changes results, also those that nobody gave, by the names that `--config` reads. Left out
//! are where the output goes and how it is told.

use std::ffi::OsString;
use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory};
use toml::Value;

use crate::arguments::Arguments;

/// The name of the file.
pub(crate) const CONFIGURATION: &str = "config.toml";

/// Options that change no result, or cannot stand in a file.
const LEFT_OUT: [&str; 7] = ["config", "help", "version", "out", "json", "quiet", "force"];

/// A command line with what a configuration file added to it, understood.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    argv: Vec<OsString>,
    /// The words that it was given in.
    words: Vec<OsString>,
    matches: ArgMatches,
    /// What the command decided of options that nobody gave.
    decided: Vec<(&'static str, usize)>,
}

impl Effective {
    pub(crate) fn new(argv: &[OsString], matches: &ArgMatches) -> Self {
        Self { argv: argv.to_vec(), words: argv.to_vec(), matches: matches.clone(), decided: Vec::new() }
    }

    /// The same of a command line that was given in other words, as options in a configuration file are.
    pub(crate) fn given_as(self, words: &[OsString]) -> Self {
        Self { words: words.to_vec(), ..self }
    }

    /// The command line as it was given.
    pub(crate) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The same with the value of an option that the command decided on, unless it was given.
    pub(crate) fn with(&self, option: &'static str, value: usize) -> Self {
        let mut with = self.clone();
        with.decided.push((option, value));
        with
    }

    /// The content of the file; nothing without a command.
    pub(crate) fn as_toml(&self) -> String {
        let mut arguments = Arguments::command();
        arguments.build();
        let Some((name, given)) = self.matches.subcommand() else { return String::new() };
        let Some(command) = arguments.find_subcommand(name) else { return String::new() };
        let mut text = format!("# The options of this run of lsmi {}. To repeat it:\n", env!("CARGO_PKG_VERSION"));
        let inputs: String = command
            .get_positionals()
            .flat_map(|input| texts(given, input))
            .fold(String::new(), |words, word| words + " " + &word.escape_debug().to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "#   lsmi {name}{inputs} --config {CONFIGURATION} --out OTHER");
        for option in command.get_arguments() {
            let Some(long) = option.get_long().filter(|long| !LEFT_OUT.contains(long)) else { continue };
            let decided = self.decided.iter().find(|(name, _)| *name == long);
            let decided = decided.map(|(_, value)| scalar(value.to_string()));
            if let Some(value) = value(given, option).or(decided) {
                let is_given = given.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
                if is_given || self.accepts(long, given, option) {
                    let _ = writeln!(text, "{long} = {value}");
                }
            }
        }
        text
    }

    /// Whether the default of an option may stand beside what was given, as it would in the file: an option that excludes
    /// it, or lacks one that it needs, was not given.
    fn accepts(&self, long: &str, given: &ArgMatches, option: &Arg) -> bool {
        let words = texts(given, option).into_iter().map(|text| format!("--{long}={text}").into());
        let argv: Vec<OsString> = self.argv.iter().cloned().chain(words).collect();
        Arguments::command().try_get_matches_from(argv).is_ok()
    }
}

/// The value of an option as it stands in a file; None where there is none, and for a switch that is off.
fn value(given: &ArgMatches, option: &Arg) -> Option<Value> {
    if matches!(option.get_action(), ArgAction::SetTrue) {
        return given.get_flag(option.get_id().as_str()).then_some(Value::Boolean(true));
    }
    let texts = texts(given, option);
    match option.get_action() {
        ArgAction::Append if !texts.is_empty() => Some(Value::Array(texts.into_iter().map(Value::String).collect())),
        _ => texts.into_iter().next().map(scalar),
    }
}

/// A number where it reads exactly like one.
fn scalar(text: String) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Integer(number),
        _ => Value::String(text),
    }
}

fn texts(given: &ArgMatches, argument: &Arg) -> Vec<String> {
    let values = given.get_raw(argument.get_id().as_str()).unwrap_or_default();
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::configuration::parse;

    fn of(words: &str) -> String {
        let argv: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        parse(&argv).unwrap().effective.as_toml()
    }

    #[test]
    fn the_file_gives_the_same_options_again() {
        for options in [
            "",
            "--seed 7 --gauge raw --prior 0.25,0.75 --measures sx,ccs --null 99",
            "--knife-from e --scale-logits --eval a.npz --eval b.npz --model late=l.npz",
            "--check --strength 2.5 --names picture,name --format jsonl --threads 3 --keys a,b,c",
        ] {
            let first = of(format!("lsmi analyze data.npz --out x {options}").trim());
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &first).unwrap();
            let again = of(&format!("lsmi analyze data.npz --out y --quiet --config {}", file.path().display()));
            assert_eq!(again, first, "{options}");
            for option in options.split(' ').filter_map(|word| word.strip_prefix("--")) {
                assert!(first.contains(&format!("\n{option} = ")), "{option}: {first}");
            }
        }
    }

    #[test]
    fn defaults_are_written_where_they_can_stand() {
        let text = of("lsmi analyze data.npz --out x");
        for line in ["seed = 0", "gauge = \"whitened\"", "folds = 5", "prior = \"empirical\"", "names = \"x1,x2\""] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
        assert!(text.contains("#   lsmi analyze data.npz --config config.toml --out OTHER"), "{text}");
        for absent in ["out =", "strength", "quiet", "eval", "threads"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
        assert!(!of("lsmi analyze data.npz --out x --knife-from e").contains("gauge"));
    }

    #[test]
    fn what_was_decided_is_written_unless_it_was_given() {
        for (words, expected) in [("", "\nrepeats = 3\n"), (" --repeats 2", "\nrepeats = 2\n")] {
            let argv: Vec<OsString> =
                format!("lsmi analyze data.npz --out x{words}").split(' ').map(OsString::from).collect();
            let text = parse(&argv).unwrap().effective.with("repeats", 3).as_toml();
            assert!(text.contains(expected) && text.matches("repeats").count() == 1, "{text}");
        }
    }
}
