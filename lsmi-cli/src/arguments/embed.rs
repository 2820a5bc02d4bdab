//! Options of `lsmi embed`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use lsmi_candle::embedding::embedder::Prompt;
use lsmi_candle::embedding::encoders::{Modality, Poolings};
use lsmi_candle::embedding::preprocess::audio;
use lsmi_candle::features::Missing;
use lsmi_candle::jobs::Shard;

use super::Common;
use super::hub::ModelOrigin;

pub(super) const EMBED_EXAMPLES: &str = "\
The table (.csv, .tsv, .jsonl or .parquet) has a row a sample: the columns image, text, audio, video, depth hold a path, relative to \
the table, or the text itself; label and id are optional. --columns image=picture,label=category names columns that are called otherwise, --columns text=question,text=answer one for \
each of two --text.

A model is a name of `lsmi models list`, org/name on the Hugging Face hub, or a directory with config.json, model.safetensors and \
what else it needs.

A video is a folder of frames, a file (Motion-JPEG in AVI, animated WebP), or the paths of frames with ; between them; a model of \
pictures reads 8 frames of it and averages their vectors. Depth is a grey PNG of 8 or 16 bits.

The output holds x1, x2, ... in the order of the options, y of the labels, and says in its metadata \
which model, revision, pooling and preprocessing it is of. The same table and models give the same bytes.

Finished row groups are kept in OUT.partial; after an end, whatever its cause, the same command goes on from there. --shard I/N \
embeds one of N parts, on one machine or on many; `lsmi join` makes of all of them the file that one machine would have written.

Examples:
  lsmi embed table.csv --image efficientnet-lite0 --text minilm-l6-v2 --out features.safetensors
  lsmi embed table.csv --image ./my-clip --text ./my-clip --on-error skip --out features.safetensors
  lsmi embed clips.jsonl --audio openai/whisper-tiny.en --text minilm-l6-v2 --out features.safetensors
  lsmi embed clips.jsonl --audio openai/whisper-tiny.en --video clip-vit-b32-image --windows mean --out features.safetensors
  lsmi embed pairs.csv --text minilm-l6-v2 --text minilm-l6-v2 --columns text=question,text=answer --out features.safetensors
  lsmi embed table.csv --image dinov2-small --text minilm-l6-v2 --shard 2/8 --out part-2.safetensors";

/// `lsmi embed`.
#[derive(Debug, Args)]
pub(crate) struct Embed {
    /// Table of what to embed, .csv, .tsv, .jsonl or .parquet
    pub(crate) table: PathBuf,
    #[command(flatten)]
    pub(crate) encoders: Encoders,
    /// Feature file to write, .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What columns are called: some of id=, image=, text=, audio=, video=, depth=, label=; a kind of several models may have
    /// several, taken in turn
    #[arg(long, value_name = "ROLE=COLUMN,...", default_value = "")]
    pub(crate) columns: ColumnNames,
    /// What to do about a row that cannot be embedded
    #[arg(long, value_enum, default_value = "fail")]
    pub(crate) on_error: OnError,
    /// What becomes of rows in which an input or a label is missing (nothing, NaN, NA, null, None): refuse, drop (they are
    /// left out and counted) or keep (these texts are inputs and names like others)
    #[arg(long, default_value_t)]
    pub(crate) missing: Missing,
    /// Read files that symbolic links lead to outside of the table's directory
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// How one vector is made of the last hidden states, for all models, whatever else its files ask for: cls, mean, max,
    /// mean-sqrt, weighted-mean, last, pooler or projection, or several joined, as in cls+mean [default: as the models'
    /// authors do]
    #[arg(long)]
    pub(crate) pooling: Option<Poolings>,
    /// What is put before every text: the name of one of the models' prompts, a text of your own, or none [default: as the
    /// models' authors do]
    #[arg(long, value_name = "NAME|TEXT|none", value_parser = prompt, allow_hyphen_values = true)]
    pub(crate) prompt: Option<Prompt>,
    /// Whether vectors are divided by their length [default: as the models' authors do]
    #[arg(long, value_name = "BOOL")]
    pub(crate) normalize: Option<bool>,
    /// What is read of a sound that is longer than its model takes: the first part that it takes, and the rest is cut, or the
    /// mean of the vectors of all parts [default: first]
    #[arg(long, value_enum)]
    pub(crate) windows: Option<Windows>,
    /// Precision of the computation; the output is f32
    #[arg(long, value_enum, default_value = "f32")]
    pub(crate) precision: Precision,
    /// Inputs of a batch at most; texts are fewer where they would be more than 8192 tokens, and of sounds in several
    /// windows the windows count
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) batch: u16,
    /// Embed the I-th of N parts of the rows, e.g. 2/8; `lsmi join` puts all of them together
    #[arg(long, value_name = "I/N", default_value_t)]
    pub(crate) shard: Shard,
    /// Rows that are read, embedded and kept at a time
    #[arg(
        long,
        alias = "rows-of-a-shard",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) rows_of_a_group: u32,
    #[command(flatten)]
    pub(crate) origin: ModelOrigin,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Reads `--prompt`.
#[expect(clippy::unnecessary_wraps, reason = "as readers of options are")]
fn prompt(text: &str) -> Result<Prompt, std::convert::Infallible> {
    Ok(if text == "none" || text.is_empty() { Prompt::None } else { Prompt::Given(text.to_owned()) })
}

/// What becomes of a row that cannot be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// It ends the command.
    Fail,
    /// It is left out, and told.
    Skip,
}

/// What is read of a sound that is longer than its model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Windows {
    /// The first part that the model takes.
    First,
    /// All parts, whose vectors are averaged.
    Mean,
}

impl From<Windows> for audio::Windows {
    fn from(windows: Windows) -> Self {
        match windows {
            Windows::First => Self::First,
            Windows::Mean => Self::Mean,
        }
    }
}

/// Precision of the computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    F32,
    F16,
    Bf16,
}

/// A model for a modality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) modality: Modality,
    pub(crate) model: String,
}

/// `--image`, `--text`, `--audio`, `--video` and `--depth`, in the order in which they were given.
#[derive(Debug, Clone)]
pub(crate) struct Encoders(pub(crate) Vec<Chosen>);

/// The options of modalities.
const OPTIONS: [(&str, Modality, &str); 5] = [
    ("image", Modality::Image, "Model of pictures; the column `image` holds paths"),
    ("text", Modality::Text, "Model of texts; the column `text` holds them"),
    ("audio", Modality::Audio, "Model of sounds; the column `audio` holds paths"),
    (
        "video",
        Modality::Video,
        "Model of videos, or of pictures; the column `video` holds paths, of files, folders or frames",
    ),
    ("depth", Modality::Depth, "Model of depth; the column `depth` holds paths of pictures"),
];

impl Args for Encoders {
    fn augment_args(command: Command) -> Command {
        OPTIONS.into_iter().fold(command, |command, (name, _, help)| {
            command.arg(Arg::new(name).long(name).value_name("MODEL").action(ArgAction::Append).help(help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Encoders {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut chosen: Vec<(usize, Chosen)> = Vec::new();
        for (name, modality, _) in OPTIONS {
            let models = matches.get_many::<String>(name).unwrap_or_default().cloned();
            let places = matches.indices_of(name).unwrap_or_default();
            chosen.extend(places.zip(models.map(|model| Chosen { modality, model })));
        }
        chosen.sort_by_key(|(place, _)| *place);
        Ok(Self(chosen.into_iter().map(|(_, chosen)| chosen).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Names of columns that are called otherwise, by role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnNames(Vec<(String, String)>);

const ROLES: [&str; 7] = ["id", "image", "text", "audio", "video", "depth", "label"];

impl ColumnNames {
    /// The columns named for a role.
    pub(crate) fn all(&self, role: &str) -> Vec<&str> {
        self.0.iter().filter(|(other, _)| other == role).map(|(_, column)| column.as_str()).collect()
    }

    /// The column of a role, and whether it was named.
    pub(crate) fn of(&self, role: &str) -> (String, bool) {
        let named = self.0.iter().find(|(other, _)| other == role);
        named.map_or_else(|| (role.to_owned(), false), |(_, column)| (column.clone(), true))
    }
}

impl FromStr for ColumnNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut names: Vec<(String, String)> = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (role, column) = part.split_once('=').unwrap_or((part, ""));
            let (role, column) = (role.trim(), column.trim());
            if !ROLES.contains(&role) || column.is_empty() {
                return Err(format!("`{part}` names no column; write ROLE=COLUMN with one of {}", ROLES.join(", ")));
            }
            if ["id", "label"].contains(&role) && names.iter().any(|(other, _)| other == role) {
                return Err(format!("the column of `{role}` is named twice"));
            }
            names.push((role.to_owned(), column.to_owned()));
        }
        Ok(Self(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_role() {
        let names: ColumnNames = "image=picture, label = kind".parse().unwrap();
        assert_eq!(names.of("image"), ("picture".to_owned(), true));
        assert_eq!(names.of("text"), ("text".to_owned(), false));
        assert_eq!("video=clip".parse::<ColumnNames>().unwrap().of("video"), ("clip".to_owned(), true));
        assert_eq!("text=a,text=b".parse::<ColumnNames>().unwrap().all("text"), ["a", "b"]);
        for (wrong, expected) in [("picture=a", "no column"), ("image", "no column"), ("id=a,id=b", "twice")] {
            assert!(wrong.parse::<ColumnNames>().unwrap_err().contains(expected), "{wrong}");
        }
    }

    #[test]
    fn models_are_in_the_order_of_the_options() {
        let matches = Encoders::augment_args(Command::new("embed"))
            .get_matches_from("embed --text a --video b --text c --depth d".split_whitespace());
        let models: Vec<(Modality, String)> = Encoders::from_arg_matches(&matches)
            .unwrap()
            .0
            .into_iter()
            .map(|Chosen { modality, model }| (modality, model))
            .collect();
        let expected = [(Modality::Text, "a"), (Modality::Video, "b"), (Modality::Text, "c"), (Modality::Depth, "d")];
        assert_eq!(models, expected.map(|(modality, model)| (modality, model.to_owned())));
    }
}
