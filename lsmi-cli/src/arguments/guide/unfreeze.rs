//! `--unfreeze N`: encoders whose last blocks are trained with the heads, and what they read.

use std::path::PathBuf;

use clap::{Arg, Args};

use crate::arguments::{ColumnNames, Encoders, ModelOrigin};

/// Which blocks of encoders are trained with the heads, and the inputs of these encoders.
#[derive(Debug, Args)]
#[command(mut_args(of_encoders))]
pub(crate) struct Unfreeze {
    /// Train the last N blocks of two encoders too, and what follows them: those of two models, such as --image MODEL --text
    /// MODEL, on the inputs in --table
    #[arg(id = "unfreeze", long = "unfreeze", value_name = "N", requires = "table", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) blocks: Option<u16>,
    /// Table of the inputs, as for `lsmi embed`; it needs ids, by which the rows of DATA are found in it
    #[arg(long, value_name = "TABLE", requires = "unfreeze")]
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) encoders: Encoders,
    /// What columns of the table are called: some of id=, image=, text=
    #[arg(long, value_name = "ROLE=COLUMN,...", default_value = "", requires = "unfreeze")]
    pub(crate) columns: ColumnNames,
    /// Read files that symbolic links lead to outside of the table's directory
    #[arg(long, requires = "unfreeze")]
    pub(crate) follow_links: bool,
    /// Step size of the encoders' weights at the start; that of heads is 0.003 [default: 0.0001]
    #[arg(long, value_name = "RATE", requires = "unfreeze", value_parser = rate)]
    pub(crate) encoder_rate: Option<f64>,
    #[command(flatten)]
    pub(crate) origin: ModelOrigin,
}

/// Options of encoders need `--unfreeze`; those whose models cannot be trained, which are refused by name, are not in the help.
fn of_encoders(option: Arg) -> Arg {
    match option.get_id().as_str() {
        "image" | "text" | "folder" | "offline" => option.requires("unfreeze"),
        "audio" | "video" | "depth" => option.requires("unfreeze").hide(true),
        _ => option,
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("expected a number above 0, as in 1e-5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::arguments::Arguments;

    #[test]
    fn options_of_encoders_need_each_other() {
        let parse = |words: &str| {
            Arguments::try_parse_from(format!("lsmi guide align a.npz --out b {words}").split_whitespace())
        };
        for right in ["", "--unfreeze 2 --table t.csv --image a --text b --encoder-rate 1e-5 --columns id=name"] {
            assert!(parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "--unfreeze 2",
            "--unfreeze 0 --table t.csv",
            "--table t.csv",
            "--image a",
            "--video a",
            "--columns id=name",
            "--encoder-rate 1e-5",
            "--offline",
            "--unfreeze 2 --table t.csv --encoder-rate 0",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
