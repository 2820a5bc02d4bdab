//! `--model NAME=FILE`: models whose logits are decomposed beside the data.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

/// Models to decompose beside the data.
#[derive(Debug, Clone, Args)]
pub(crate) struct Models {
    /// Decompose what a model has learned, too: file with its logits1, logits2, logits12 (with the suffix of their split) for
    /// the same samples; may be repeated
    #[arg(long = "model", value_name = "NAME=FILE")]
    pub(crate) files: Vec<ModelFile>,
}

/// A model's name and the file of its logits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl FromStr for ModelFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => {
                Ok(Self { name: name.trim().to_owned(), path: path.into() })
            }
            _ => Err("write NAME=FILE, as in late=late.safetensors".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_file() {
        let model: ModelFile = " late fusion =logits=1.npz".parse().unwrap();
        assert_eq!((model.name.as_str(), model.path.to_str()), ("late fusion", Some("logits=1.npz")));
        for wrong in ["late.npz", "=late.npz", "late="] {
            assert!(wrong.parse::<ModelFile>().unwrap_err().contains("NAME=FILE"), "{wrong}");
        }
    }
}
