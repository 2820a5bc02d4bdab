//! Which samples: a feature file, or a `.npy` file for every array.

use std::path::PathBuf;

use clap::Args;
use lsmi_candle::features::{ArrayFiles, Data};

/// Where the samples are.
#[derive(Debug, Args)]
pub(crate) struct DataFiles {
    /// Feature file: .safetensors, .npz, .parquet, .arrow, .csv or .pt
    #[arg(required_unless_present = "x1", conflicts_with = "x1")]
    data: Option<PathBuf>,
    /// Array of the first modality, in place of a feature file
    #[arg(long, value_name = "X1.npy", requires = "x2", conflicts_with = "keys")]
    x1: Option<PathBuf>,
    /// Array of the second modality
    #[arg(long, value_name = "X2.npy", requires = "x1")]
    x2: Option<PathBuf>,
    /// Array of the labels
    #[arg(long, value_name = "Y.npy", requires = "x1")]
    y: Option<PathBuf>,
    /// Array of the ids
    #[arg(long, value_name = "ID.npy", requires = "x1")]
    id: Option<PathBuf>,
    /// Array of the groups that rows belong to
    #[arg(long, value_name = "GROUP.npy", requires = "x1", conflicts_with = "groups")]
    group: Option<PathBuf>,
}

impl DataFiles {
    /// Where the samples are.
    pub(crate) fn data(&self) -> Data {
        match (&self.x1, &self.x2, &self.data) {
            (Some(x1), Some(x2), _) => Data::Arrays(ArrayFiles {
                x1: x1.clone(),
                x2: x2.clone(),
                y: self.y.clone(),
                id: self.id.clone(),
                group: self.group.clone(),
            }),
            // One of them is there: the options require each other.
            (one, _, file) => Data::File(file.clone().or_else(|| one.clone()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;
    use clap::Parser;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(format!("lsmi check {words}").split_whitespace())
    }

    #[test]
    fn a_file_or_an_array_each() {
        for right in ["a.npz", "--x1 a.npy --x2 b.npy --y c.npy", "--x1 a.npy --x2 b.npy --y c.npy --id d.npy"] {
            assert!(parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "--x1 a.npy",
            "--x1 a.npy --x2 b.npy",
            "--x2 b.npy --y c.npy",
            "a.npz --y c.npy",
            "a.npz --x1 a.npy --x2 b.npy --y c.npy",
            "--x1 a.npy --x2 b.npy --y c.npy --keys a,b,c",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
