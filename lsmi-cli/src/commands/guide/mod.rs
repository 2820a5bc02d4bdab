//! `lsmi guide`: what interactions are used for in training.

mod clean;
mod distill;
mod ensemble;

use std::path::{Path, PathBuf};

use crate::arguments::{Guide, GuideAction};
use crate::failure::Failure;

pub(super) fn run(arguments: &Guide) -> Result<(), Failure> {
    match &arguments.action {
        GuideAction::Distill(arguments) => distill::run(arguments),
        GuideAction::Ensemble(arguments) => ensemble::run(arguments),
        GuideAction::Clean(arguments) => clean::run(arguments),
    }
}

/// The directory beside another in which what is finished is kept until all is.
fn partial(out: &Path) -> PathBuf {
    // A slash at the end must not make it a directory within.
    let mut name = out.components().as_path().as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partial_directory_stands_beside_the_other() {
        assert_eq!(partial(Path::new("a/b/")), PathBuf::from("a/b.partial"));
    }
}
