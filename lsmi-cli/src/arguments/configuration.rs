//! Options from a file: `--config FILE.toml` holds options by the names they have on the command line.
//!
//! The file's options are put in front of those of the command line, except where the command line has the same option
//! or one that excludes it, and then everything is parsed once more: types, ranges and messages are the same for both.
//! One file may serve several commands: options of another command are passed over, names that no command has are
//! refused.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches};
use thiserror::Error;
use toml::{Table, Value};

use crate::arguments::Arguments;
use crate::arguments::effective::Effective;

/// Why the options of a configuration file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum ConfigurationError {
    /// The file cannot be read.
    #[error("{file}: the configuration cannot be read")]
    Read { file: String, source: std::io::Error },
    /// The file is not TOML.
    #[error("{file}: not valid TOML")]
    Parse { file: String, source: Box<toml::de::Error> },
    /// No command has such an option.
    #[error("{file}: there is no option `{name}`; the names are those of the command line without `--`")]
    UnknownOption { file: String, name: String },
    /// The value has a type that no option takes.
    #[error("{file}: `{name}` is {found}, but must be {expected}")]
    ValueType { file: String, name: String, found: &'static str, expected: &'static str },
    /// The options together are wrong usage.
    #[error("{message}\n(options were also taken from {file})")]
    Usage { file: String, message: String },
}

/// What parsing the command line may end in besides arguments.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help or version to be printed, or wrong usage, in clap's own words.
    Clap(clap::Error),
    /// The configuration file is wrong.
    Configuration(ConfigurationError),
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

impl From<ConfigurationError> for Stop {
    fn from(error: ConfigurationError) -> Self {
        Self::Configuration(error)
    }
}

/// A command line, understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What to do, and how.
    pub(crate) arguments: Arguments,
    /// The same, to be written beside the results.
    pub(crate) effective: Effective,
}

/// Parses the command line `argv`, program name first, together with the file of `--config`.
pub(crate) fn parse(argv: &[OsString]) -> Result<Parsed, Stop> {
    // Required options may stand in the file, so the first look must not insist on them.
    let first_look = Arguments::command().ignore_errors(true).try_get_matches_from(argv)?;
    // A command may have commands of its own, as `guide` has.
    let (mut commands, mut given) = (Vec::new(), &first_look);
    while let Some((command, inner)) = given.subcommand() {
        commands.push(command);
        given = inner;
    }
    let Ok(Some(path)) = given.try_get_one::<PathBuf>("config") else { return Ok(strict(argv)?) };
    let options = options_for(&commands, given, path)?;
    // There are no options before commands, so they are the first words after the program's.
    let (start, rest) = argv.split_at(1 + commands.len());
    let all: Vec<OsString> = start.iter().cloned().chain(options).chain(rest.iter().cloned()).collect();
    strict(&all).map(|parsed| Parsed { effective: parsed.effective.given_as(argv), ..parsed }).map_err(|error| {
        if error.use_stderr() {
            let message = error.to_string().trim_start_matches("error: ").trim_end().to_owned();
            ConfigurationError::Usage { file: path.display().to_string(), message }.into()
        } else {
            Stop::Clap(error)
        }
    })
}

fn strict(argv: &[OsString]) -> Result<Parsed, clap::Error> {
    let matches = Arguments::command().try_get_matches_from(argv)?;
    Ok(Parsed { arguments: Arguments::from_arg_matches(&matches)?, effective: Effective::new(argv, &matches) })
}

/// The file's options that the last of `commands` has and the command line does not settle, as words of a command line.
fn options_for(commands: &[&str], given: &ArgMatches, path: &Path) -> Result<Vec<OsString>, ConfigurationError> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| ConfigurationError::Read { file: file.clone(), source })?;
    let table: Table =
        text.parse().map_err(|source| ConfigurationError::Parse { file: file.clone(), source: Box::new(source) })?;
    let arguments = Arguments::command();
    let command = commands.iter().try_fold(&arguments, |command, name| command.find_subcommand(name));
    let mut words = Vec::new();
    for (name, value) in &table {
        if !has_option(&arguments, name) {
            return Err(ConfigurationError::UnknownOption { file, name: name.clone() });
        }
        let Some(command) = command else { continue };
        if let Some(option) = option_named(command, name)
            && !is_settled(command, given, option.get_id().as_str())
        {
            words.extend(as_words(option, name, value, &file)?);
        }
    }
    Ok(words)
}

/// Whether the command, or one below it, has the option.
fn has_option(command: &clap::Command, name: &str) -> bool {
    option_named(command, name).is_some() || command.get_subcommands().any(|below| has_option(below, name))
}

fn option_named<'command>(command: &'command clap::Command, name: &str) -> Option<&'command clap::Arg> {
    let is_called = |option: &clap::Arg| {
        option.get_long() == Some(name) || option.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    };
    command
        .get_opts()
        .chain(command.get_arguments().filter(|argument| !argument.is_positional()))
        .find(|option| is_called(option) && !matches!(name, "config" | "help" | "version"))
}

/// Whether the command line has the option, or another of which only one may be given.
fn is_settled(command: &clap::Command, given: &ArgMatches, id: &str) -> bool {
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let excludes = |option: &clap::Arg, other: &clap::Arg| {
        command.get_arg_conflicts_with(option).iter().any(|excluded| excluded.get_id() == other.get_id())
    };
    let Some(option) = command.get_arguments().find(|option| option.get_id() == id) else { return false };
    let is_excluded_by = |other: &clap::Arg| excludes(option, other) || excludes(other, option);
    is_given(id)
        || command.get_arguments().any(|other| is_given(other.get_id().as_str()) && is_excluded_by(other))
        || command.get_groups().any(|group| {
            let exclusive = !group.clone().is_multiple();
            exclusive
                && group.get_args().any(|member| member.as_str() == id)
                && group.get_args().any(|member| is_given(member.as_str()))
        })
}

fn as_words(option: &clap::Arg, name: &str, value: &Value, file: &str) -> Result<Vec<OsString>, ConfigurationError> {
    let wrong = |expected| ConfigurationError::ValueType {
        file: file.to_owned(),
        name: name.to_owned(),
        found: value.type_str(),
        expected,
    };
    if matches!(option.get_action(), ArgAction::SetTrue) {
        let is_set = value.as_bool().ok_or_else(|| wrong("true or false"))?;
        return Ok(if is_set { vec![format!("--{name}").into()] } else { Vec::new() });
    }
    let texts: Vec<String> = match value {
        Value::Array(values) => values.iter().map(scalar).collect(),
        value => scalar(value).map(|text| vec![text]),
    }
    .ok_or_else(|| wrong("a string, a number or a list of them"))?;
    let texts = if matches!(option.get_action(), ArgAction::Append) { texts } else { vec![texts.join(",")] };
    Ok(texts.into_iter().map(|text| format!("--{name}={text}").into()).collect())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Analyze, Command, Guide, GuideAction, Partition};
    use lsmi_candle::densities::gauge::GaugeKind;
    use lsmi_core::PriorChoice;
    use std::io::Write;

    fn parsed(configuration: &str, words: &str) -> Result<Command, Stop> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(configuration.as_bytes()).unwrap();
        let mut argv: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        argv.push("--config".into());
        argv.push(file.path().into());
        parse(&argv).map(|parsed| parsed.arguments.command)
    }

    fn analyze(configuration: &str, words: &str) -> Analyze {
        let Command::Analyze(analyze) = parsed(configuration, words).unwrap() else { panic!("not analyze") };
        analyze
    }

    #[test]
    fn a_command_below_another_takes_its_options_too() {
        let command = parsed("seeds = 3\nfolds = 4", "lsmi guide distill d.npz --out x").unwrap();
        let Command::Guide(Guide { action: GuideAction::Distill(distill) }) = command else { panic!("not distill") };
        assert_eq!(distill.seeds, 3);
    }

    #[test]
    fn an_option_has_its_former_name_in_the_file_too() {
        for name in ["rows-of-a-group", "rows-of-a-shard"] {
            let command = parsed(&format!("{name} = 5"), "lsmi embed t.csv --text a --text b --out f").unwrap();
            let Command::Embed(embed) = command else { panic!("not embed") };
            assert_eq!(embed.rows_of_a_group, 5);
        }
    }

    fn partition(configuration: &str, words: &str) -> Partition {
        let Command::Partition(partition) = parsed(configuration, words).unwrap() else { panic!("not partition") };
        partition
    }

    fn refusal(configuration: &str, words: &str) -> String {
        match parsed(configuration, words).unwrap_err() {
            Stop::Clap(error) => error.to_string(),
            Stop::Configuration(error) => error.to_string(),
        }
    }

    #[test]
    fn options_come_from_the_file() {
        let configuration = "seed = 7\nout = 'result'\nquiet = true\njson = false\neval = ['a.npz', 'b.npz']";
        let analyze = analyze(configuration, "lsmi analyze data.npz");
        assert_eq!(analyze.common.seed, 7);
        assert_eq!(analyze.out, PathBuf::from("result"));
        assert!(analyze.common.quiet && !analyze.common.json);
        assert_eq!(analyze.eval, [PathBuf::from("a.npz"), PathBuf::from("b.npz")]);
    }

    #[test]
    fn the_command_line_wins() {
        let analyze = analyze("seed = 7\nnames = ['a', 'b']", "lsmi analyze data.npz --out x --seed 3");
        assert_eq!(analyze.common.seed, 3);
        assert_eq!(analyze.names.x2, "b");
    }

    #[test]
    fn the_command_line_wins_over_an_option_it_excludes() {
        let rule = partition("fraction = 0.3", "lsmi partition s.csv --by r --out x --threshold -0.5,1").rule;
        assert_eq!((rule.fraction, rule.threshold), (None, Some((-0.5, 1.0))));
        let rule = partition("threshold = [-0.5, 1]", "lsmi partition s.csv --by r --out x").rule;
        assert_eq!(rule.threshold, Some((-0.5, 1.0)));
        let of = |configuration: &str, option: &str| {
            let words = format!("lsmi analyze data.npz --out x {option}");
            analyze(configuration, &words).estimation
        };
        assert_eq!(of("gauge = 'raw'\ndims = 'auto'", "--knife-from e").gauge, GaugeKind::Whitened);
        assert_eq!(of("knife-from = 'e'", "--gauge raw").knife_from, None);
        assert_eq!(of("knife-from = 'e'", "--seed 1").knife_from, Some(PathBuf::from("e")));
    }

    #[test]
    fn what_the_file_says_must_fit_together() {
        let message = refusal("knife-from = 'e'\ndims = 3", "lsmi analyze data.npz --out x");
        assert!(message.contains("cannot be used with") && message.contains("also taken from"), "{message}");
        assert_eq!(analyze("null = 99\nrepeats = 3", "lsmi analyze data.npz --out x").null.permutations, 99);
        let prior = analyze("prior = [0.25, 0.75]", "lsmi analyze data.npz --out x").estimation.prior;
        assert_eq!(prior, PriorChoice::Given(vec![0.25, 0.75]));
    }

    #[test]
    fn options_of_other_commands_are_passed_over_and_typos_refused() {
        assert_eq!(analyze("amplitude = 2.0", "lsmi analyze data.npz --out x").common.seed, 0);
        let message = refusal("sed = 7", "lsmi analyze data.npz --out x");
        assert!(message.contains("there is no option `sed`"), "{message}");
        assert!(refusal("config = 'a'", "lsmi analyze data.npz --out x").contains("`config`"));
    }

    #[test]
    fn wrong_values_name_the_file() {
        let message = refusal("folds = 1", "lsmi analyze data.npz --out x");
        assert!(message.contains("--folds") && message.contains("also taken from"), "{message}");
        assert!(refusal("quiet = 1", "lsmi analyze data.npz --out x").contains("true or false"));
        assert!(refusal("seed = {}", "lsmi analyze data.npz --out x").contains("must be a string"));
        assert!(refusal("seed = ", "lsmi analyze data.npz --out x").contains("not valid TOML"));
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let argv = ["lsmi", "demo", "--config", "nowhere.toml"].map(OsString::from);
        assert!(matches!(parse(&argv), Err(Stop::Configuration(ConfigurationError::Read { .. }))));
    }
}
